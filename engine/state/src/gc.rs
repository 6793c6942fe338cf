//! Clean-up: old manifests, markers, run records, and state files that nothing kept refers to.
//!
//! Manifests go first, oldest first, then files; so a crash in between leaves files without a manifest,
//! which the next clean-up finds, and never a manifest without its files. What is removed is found by the
//! difference of two explicit sets, never by age. If anything that must be kept cannot be read, nothing is
//! removed: it might need the files.

use std::collections::BTreeSet;

use seatun_api::{Epoch, Error, Generation, Result, error};

use crate::codes;
use crate::decide;
use crate::epochs::{Listing, read_manifest, understand};
use crate::frame;
use crate::job::JobState;
use crate::layout::run_file;
use crate::manifest::Manifest;

/// How many run records are kept, for people.
const RUNS_KEPT: usize = 20;

impl JobState {
    /// Removes what is needed no more: of the manifests the newest `retain` (at least one) are kept, and
    /// with every savepoint the files they refer to.
    ///
    /// # Errors
    /// Stops before anything is removed if a manifest or savepoint to be kept cannot be read. The job can
    /// go on. Fenced if another run has published since this one did.
    pub async fn collect_garbage(&mut self, retain: usize) -> Result<()> {
        if !self.taken_over {
            return Err(Error::internal(error::codes::INTERNAL, "clean-up before the takeover"));
        }
        let listing = Listing::read(&*self.store, &self.layout).await?;
        if listing.newest() > Some(self.last_epoch) {
            return Err(self.fenced().await);
        }
        let retired = decide::retired(listing.manifests.len(), retain);
        let old: Vec<Epoch> = listing.manifests.iter().copied().take(retired).collect();
        let kept: Vec<Epoch> = listing.manifests.iter().copied().skip(retired).collect();
        let mut referenced = self.references_of(&kept).await?;
        self.savepoint_references().await?;
        for epoch in &old {
            self.store.delete(&self.layout.manifest(*epoch)).await?;
        }
        let oldest_kept = kept.first().copied().unwrap_or(self.last_epoch);
        for epoch in listing.markers.range(..oldest_kept) {
            self.store.delete(&self.layout.marker(*epoch)).await?;
        }
        self.references.retain(|epoch, _| *epoch >= oldest_kept);
        self.remove_old_runs().await?;
        if self.data_swept && self.files_put.load(std::sync::atomic::Ordering::Relaxed) == 0 {
            return Ok(());
        }
        // A savepoint made meanwhile has seen its manifest after it was written, or was taken back: so it
        // is either here now or not at all.
        referenced.extend(self.savepoint_references().await?);
        self.remove_unreferenced(&referenced).await?;
        self.data_swept = true;
        Ok(())
    }

    async fn references_of(&mut self, kept: &[Epoch]) -> Result<BTreeSet<String>> {
        let mut referenced = BTreeSet::new();
        for epoch in kept {
            if !self.references.contains_key(epoch) {
                let found = read_manifest(&*self.store, &self.layout, &self.run.job, *epoch).await?;
                let path = self.layout.manifest(*epoch);
                let manifest = match found {
                    Some(Ok(manifest)) => manifest,
                    Some(Err(damage)) => {
                        return Err(stopped(&path).with_source(damage.to_error(&path, &self.store.uri())));
                    }
                    None => return Err(stopped(&path)),
                };
                self.references.insert(*epoch, paths_of(&manifest));
            }
            referenced.extend(self.references.get(epoch).into_iter().flatten().cloned());
        }
        Ok(referenced)
    }

    async fn savepoint_references(&self) -> Result<BTreeSet<String>> {
        let mut referenced = BTreeSet::new();
        for path in self.store.list(&self.layout.savepoints()).await? {
            let Some(bytes) = self.store.get_at_most(&path, frame::LARGEST).await? else { continue };
            let manifest = understand(&bytes, &self.run.job)
                .map_err(|damage| stopped(&path).with_source(damage.to_error(&path, &self.store.uri())))?;
            referenced.extend(paths_of(&manifest));
        }
        Ok(referenced)
    }

    async fn remove_old_runs(&self) -> Result<()> {
        let paths = self.store.list(&self.layout.runs()).await?;
        let mut runs: Vec<Generation> = paths.iter().filter_map(|path| run_file(path)).collect();
        runs.sort_unstable();
        let old = runs.len().saturating_sub(RUNS_KEPT);
        for generation in runs.into_iter().take(old) {
            self.store.delete(&self.layout.run(generation)).await?;
        }
        Ok(())
    }

    async fn remove_unreferenced(&self, referenced: &BTreeSet<String>) -> Result<()> {
        for path in self.store.list(&self.layout.data()).await? {
            let Some((writer, epoch)) = self.layout.data_owner(&path) else { continue };
            let sweepable = decide::is_sweepable(self.generation(), self.last_epoch, writer, epoch);
            if sweepable && !referenced.contains(&path) {
                self.store.delete(&path).await?;
            }
        }
        Ok(())
    }
}

fn paths_of(manifest: &Manifest) -> BTreeSet<String> {
    manifest.body.files().map(|file| file.path.clone()).collect()
}

fn stopped(path: &str) -> Error {
    Error::user(
        codes::CLEANUP_STOPPED,
        "old state is not removed, because something that must be kept cannot be read",
    )
    .with_hint("the job goes on, but its state grows: mend or remove the file")
    .with("file", path)
}
