//! Reads what is under a job's `epochs/`.

use std::collections::BTreeSet;

use seatun_api::{Delivery, Epoch, Result};

use crate::decide::{Condition, Newest, Previous};
use crate::frame::{self, Damage};
use crate::layout::{EpochFile, Layout, epoch_file};
use crate::manifest::Manifest;
use crate::store::StateStore;

/// The names under `epochs/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) manifests: BTreeSet<Epoch>,
    pub(crate) markers: BTreeSet<Epoch>,
}

impl Listing {
    pub(crate) async fn read(store: &dyn StateStore, layout: &Layout) -> Result<Self> {
        let mut listing = Self::default();
        for path in store.list(&layout.epochs()).await? {
            match epoch_file(&path) {
                Some(EpochFile::Manifest(epoch)) => listing.manifests.insert(epoch),
                Some(EpochFile::Marker(epoch)) => listing.markers.insert(epoch),
                None => false,
            };
        }
        Ok(listing)
    }

    /// The highest number in use, 0 if there is none. A marker may have outlived its manifest.
    pub(crate) fn last_used(&self) -> Epoch {
        self.newest().max(self.markers.last().copied()).unwrap_or_default()
    }

    /// The newest committed epoch, if its manifest is gone while its marker is there. Clean-up never leaves
    /// that: it keeps the newest manifests.
    pub(crate) fn lost_manifest(&self) -> Option<Epoch> {
        self.markers.last().copied().filter(|marker| self.newest().is_none_or(|newest| newest < *marker))
    }

    pub(crate) fn newest(&self) -> Option<Epoch> {
        self.manifests.last().copied()
    }
}

/// Reads one manifest; `None` if there is none. Refuses state that is whole but not for this job.
pub(crate) async fn read_manifest(
    store: &dyn StateStore,
    layout: &Layout,
    job: &str,
    epoch: Epoch,
) -> Result<Option<Result<Manifest, Damage>>> {
    let Some(bytes) = store.get_at_most(&layout.manifest(epoch), frame::LARGEST).await? else {
        return Ok(None);
    };
    Ok(Some(
        understand(&bytes, job)
            .and_then(|manifest| if manifest.epoch == epoch { Ok(manifest) } else { Err(Damage::Misplaced) }),
    ))
}

/// Reads a manifest's bytes.
pub(crate) fn understand(bytes: &[u8], job: &str) -> Result<Manifest, Damage> {
    let manifest: Manifest = frame::decode(bytes)?;
    if manifest.job != job { Err(Damage::Foreign(manifest.job)) } else { Ok(manifest) }
}

/// The first of a manifest's files that the store does not have.
pub(crate) async fn missing_file(
    store: &dyn StateStore,
    layout: &Layout,
    manifest: &Manifest,
) -> Result<Option<String>> {
    if manifest.body.files().next().is_none() {
        return Ok(None);
    }
    let there: BTreeSet<String> = store.list(&layout.data()).await?.into_iter().collect();
    Ok(manifest.body.files().map(|file| &file.path).find(|path| !there.contains(*path)).cloned())
}

/// What a run sees of a job's epochs when it starts.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) listing: Listing,
    /// The newest manifest and what it is like.
    pub(crate) newest: Option<(Epoch, Result<Manifest, Damage>)>,
    /// The manifest right before it, read only if the newest is damaged.
    pub(crate) previous: Option<Manifest>,
}

impl Survey {
    pub(crate) async fn take(store: &dyn StateStore, layout: &Layout, job: &str) -> Result<Self> {
        loop {
            let listing = Listing::read(store, layout).await?;
            let Some(epoch) = listing.newest() else {
                return Ok(Self { listing, newest: None, previous: None });
            };
            // The newest is removed only when there is a newer one: look again.
            let Some(found) = read_manifest(store, layout, job, epoch).await? else { continue };
            let newest = with_files(store, layout, found).await?;
            let previous = match &newest {
                Err(damage) if damage.is_decay() => previous(store, layout, job, epoch).await?,
                _ => None,
            };
            return Ok(Self { listing, newest: Some((epoch, newest)), previous });
        }
    }

    /// The facts that [`crate::decide::recover`] wants.
    pub(crate) fn facts(&self) -> Option<Newest> {
        let (epoch, manifest) = self.newest.as_ref()?;
        let condition = match manifest {
            Ok(manifest) => Condition::Sound {
                generation: manifest.generation,
                kind: manifest.kind,
                needs_commit: manifest.needs_commit(),
            },
            Err(_) => Condition::Damaged {
                previous: self.previous.as_ref().map(|previous| Previous {
                    generation: previous.generation,
                    commits_nothing: commits_nothing(previous),
                }),
            },
        };
        Some(Newest { epoch: *epoch, committed: self.listing.markers.contains(epoch), condition })
    }
}

async fn with_files(
    store: &dyn StateStore,
    layout: &Layout,
    found: Result<Manifest, Damage>,
) -> Result<Result<Manifest, Damage>> {
    let Ok(manifest) = found else { return Ok(found) };
    Ok(match missing_file(store, layout, &manifest).await? {
        Some(file) => Err(Damage::MissingFile(file)),
        None => Ok(manifest),
    })
}

/// The manifest right before a damaged one. Not one further back: between them might be another.
async fn previous(
    store: &dyn StateStore,
    layout: &Layout,
    job: &str,
    damaged: Epoch,
) -> Result<Option<Manifest>> {
    let Some(before) = damaged.0.checked_sub(1).map(Epoch) else { return Ok(None) };
    let Some(found) = read_manifest(store, layout, job, before).await? else { return Ok(None) };
    Ok(with_files(store, layout, found).await?.ok())
}

/// Whether no sink of the job has a commit phase. A manifest that names no sink proves nothing.
fn commits_nothing(manifest: &Manifest) -> bool {
    let sinks = &manifest.body.sinks;
    !sinks.is_empty()
        && sinks.values().all(|sink| sink.delivery != Delivery::ExactlyOnce && !sink.needs_commit())
}
