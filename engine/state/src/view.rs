//! What `seatun state` shows of a job. Reads only, and never stops at damage: it tells of it.

use seatun_api::{Epoch, Generation, Result};
use serde::Serialize;

use crate::epochs::{Listing, missing_file, understand};
use crate::frame;
use crate::layout::{Layout, job_of, run_file, savepoint_file};
use crate::manifest::{Manifest, ManifestKind};
use crate::record::RunRecord;
use crate::store::StateStore;

/// The state of a job, for people and for `--format json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct JobStateView {
    /// The job's name.
    pub job: String,
    /// Its runs as far as they are remembered, oldest first.
    pub runs: Vec<RunRecord>,
    /// Its epochs as far as they are kept, oldest first.
    pub epochs: Vec<EpochView>,
    /// Its savepoints by name.
    pub savepoints: Vec<SavepointView>,
    /// What is damaged, missing or not understood, one sentence each.
    pub problems: Vec<String>,
}

/// An epoch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpochView {
    /// Its number.
    pub epoch: Epoch,
    /// Whether every committer has returned for it. An epoch with nothing to commit may lack the marker.
    pub committed: bool,
    /// What its manifest says; `None` if it cannot be read.
    pub manifest: Option<ManifestView>,
}

/// A savepoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SavepointView {
    /// Its name.
    pub name: String,
    /// What it says; `None` if it cannot be read.
    pub manifest: Option<ManifestView>,
}

/// The essence of a manifest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ManifestView {
    /// The epoch it was published for.
    pub epoch: Epoch,
    /// The run that published it.
    pub generation: Generation,
    /// Why.
    pub kind: ManifestKind,
    /// Whether some sink had something to commit.
    pub needs_commit: bool,
    /// When it was published, in milliseconds since 1970-01-01T00:00:00Z.
    pub finished_ms: i64,
    /// How long the checkpoint took, in milliseconds.
    pub took_ms: i64,
    /// Its own size.
    pub manifest_bytes: u64,
    /// The size of the state files it refers to.
    pub state_bytes: u64,
    /// Unfinished splits over all sources.
    pub splits: u64,
    /// Rows read since the job's first start.
    pub rows_read: u64,
    /// Rows given up since the job's first start.
    pub dead_lettered: u64,
}

impl ManifestView {
    fn new(manifest: &Manifest, bytes: u64) -> Self {
        Self {
            epoch: manifest.epoch,
            generation: manifest.generation,
            kind: manifest.kind,
            needs_commit: manifest.needs_commit(),
            finished_ms: manifest.finished_ms,
            took_ms: manifest.finished_ms.saturating_sub(manifest.started_ms),
            manifest_bytes: bytes,
            state_bytes: manifest.body.files().map(|file| file.bytes).sum(),
            splits: manifest.body.sources.values().map(|source| source.splits.len() as u64).sum(),
            rows_read: manifest.body.rows_read,
            dead_lettered: manifest.body.dead_lettered,
        }
    }
}

/// The names of all jobs that a store holds state of, sorted.
///
/// # Errors
/// If the store cannot be listed.
pub async fn list_jobs(store: &dyn StateStore) -> Result<Vec<String>> {
    let mut jobs: Vec<String> = store.list("").await?.iter().filter_map(|path| job_of(path)).collect();
    jobs.sort_unstable();
    jobs.dedup();
    Ok(jobs)
}

/// The newest run of a job, whether it still lives or not.
///
/// # Errors
/// If the store cannot be read or the record is damaged.
pub async fn last_run(store: &dyn StateStore, job: &str) -> Result<Option<RunRecord>> {
    newest_run(store, &Layout::new(job)?).await
}

pub(crate) async fn newest_run(store: &dyn StateStore, layout: &Layout) -> Result<Option<RunRecord>> {
    let paths = store.list(&layout.runs()).await?;
    let newest = paths.iter().filter_map(|path| Some((run_file(path)?, path))).max();
    let Some((_, path)) = newest else { return Ok(None) };
    let Some(bytes) = store.get_at_most(path, frame::LARGEST).await? else { return Ok(None) };
    frame::decode(&bytes).map(Some).map_err(|damage| damage.to_error(path, &store.uri()))
}

/// Everything there is to see of a job's state; empty if there is none.
///
/// # Errors
/// If the store cannot be read. Damage is no error here but a problem in the view.
pub async fn inspect(store: &dyn StateStore, job: &str) -> Result<JobStateView> {
    let layout = Layout::new(job)?;
    let mut reader = Inspector { store, layout: &layout, job, problems: Vec::new() };
    let mut view = JobStateView { job: job.to_owned(), ..JobStateView::default() };
    for path in store.list(&layout.runs()).await? {
        view.runs.extend(reader.run(&path).await?);
    }
    let listing = Listing::read(store, &layout).await?;
    for epoch in &listing.manifests {
        let manifest = reader.manifest(&layout.manifest(*epoch), Some(*epoch)).await?;
        let committed = listing.markers.contains(epoch);
        view.epochs.push(EpochView { epoch: *epoch, committed, manifest });
    }
    for path in store.list(&layout.savepoints()).await? {
        let Some(name) = savepoint_file(&path) else { continue };
        let manifest = reader.manifest(&path, None).await?;
        view.savepoints.push(SavepointView { name, manifest });
    }
    view.problems = reader.problems;
    Ok(view)
}

struct Inspector<'a> {
    store: &'a dyn StateStore,
    layout: &'a Layout,
    job: &'a str,
    problems: Vec<String>,
}

impl Inspector<'_> {
    async fn run(&mut self, path: &str) -> Result<Option<RunRecord>> {
        let Some(bytes) = self.store.get_at_most(path, frame::LARGEST).await? else { return Ok(None) };
        match frame::decode(&bytes) {
            Ok(run) => Ok(Some(run)),
            Err(damage) => {
                self.problems.push(damage.to_error(path, &self.store.uri()).chain());
                Ok(None)
            }
        }
    }

    async fn manifest(&mut self, path: &str, named: Option<Epoch>) -> Result<Option<ManifestView>> {
        let Some(bytes) = self.store.get_at_most(path, frame::LARGEST).await? else { return Ok(None) };
        let understood = understand(&bytes, self.job).and_then(|manifest| match named {
            Some(epoch) if epoch != manifest.epoch => Err(frame::Damage::Misplaced),
            _ => Ok(manifest),
        });
        let manifest = match understood {
            Ok(manifest) => manifest,
            Err(damage) => {
                self.problems.push(damage.to_error(path, &self.store.uri()).chain());
                return Ok(None);
            }
        };
        if let Some(file) = missing_file(self.store, self.layout, &manifest).await? {
            let damage = frame::Damage::MissingFile(file);
            self.problems.push(damage.to_error(path, &self.store.uri()).chain());
        }
        Ok(Some(ManifestView::new(&manifest, bytes.len() as u64)))
    }
}
