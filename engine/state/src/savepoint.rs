//! Savepoints: copies of a committed manifest that clean-up leaves alone.

use seatun_api::{Epoch, Error, Result};

use crate::codes;
use crate::epochs::{Listing, missing_file, understand};
use crate::frame;
use crate::job::JobState;
use crate::layout::Layout;
use crate::store::{Created, StateStore};

impl JobState {
    /// Pins a committed epoch under a name. The same epoch may be pinned under its name again.
    ///
    /// # Errors
    /// Refuses a name in use for another epoch, and an epoch that is not committed or not there any more.
    pub async fn create_savepoint(&self, name: &str, epoch: Epoch) -> Result<()> {
        create(&*self.store, &self.layout, &self.run.job, name, epoch).await
    }
}

/// Pins the newest committed epoch of a job under a name, whether the job runs or not.
///
/// # Errors
/// Refuses a name in use, and a job without a committed epoch.
pub async fn savepoint_from_latest(store: &dyn StateStore, job: &str, name: &str) -> Result<Epoch> {
    const TRIES: usize = 5;
    let layout = Layout::new(job)?;
    let mut last = nothing(job);
    for _ in 0..TRIES {
        let listing = Listing::read(store, &layout).await?;
        for epoch in listing.manifests.iter().rev() {
            match create(store, &layout, job, name, *epoch).await {
                Ok(()) => return Ok(*epoch),
                // Not committed yet, or cleaned up meanwhile: try the one before, then look again.
                Err(error) if error.code() == codes::NOTHING_TO_SAVE => last = error,
                Err(error) => return Err(error),
            }
        }
    }
    Err(last)
}

/// Removes a savepoint; its files go with the next clean-up. Gives whether there was one.
///
/// # Errors
/// If the store cannot remove it.
pub async fn delete_savepoint(store: &dyn StateStore, job: &str, name: &str) -> Result<bool> {
    let path = Layout::new(job)?.savepoint(name)?;
    let was_there = store.get_at_most(&path, frame::LARGEST).await?.is_some();
    store.delete(&path).await?;
    Ok(was_there)
}

async fn create(store: &dyn StateStore, layout: &Layout, job: &str, name: &str, epoch: Epoch) -> Result<()> {
    let source = layout.manifest(epoch);
    let target = layout.savepoint(name)?;
    let Some(bytes) = store.get_at_most(&source, frame::LARGEST).await? else { return Err(nothing(job)) };
    let manifest = understand(&bytes, job).map_err(|damage| damage.to_error(&source, &store.uri()))?;
    let listing = Listing::read(store, layout).await?;
    if manifest.needs_commit() && !listing.markers.contains(&epoch) {
        return Err(nothing(job).with("not committed", epoch));
    }
    if let Some(file) = missing_file(store, layout, &manifest).await? {
        return Err(frame::Damage::MissingFile(file).to_error(&source, &store.uri()));
    }
    match store.create(&target, bytes.clone()).await? {
        Created::Now => {}
        Created::AlreadyThere(there) if there == bytes => return Ok(()),
        Created::AlreadyThere(_) => {
            return Err(Error::user(codes::SAVEPOINT_EXISTS, format!("savepoint `{name}` exists already"))
                .with_hint("choose another name, or delete it first")
                .with("store", store.uri()));
        }
    }
    // Clean-up removes a manifest, then reads the savepoints, then removes files. The manifest is still
    // there, so whichever clean-up removes it will read this savepoint.
    if store.get_at_most(&source, frame::LARGEST).await?.is_some() {
        return Ok(());
    }
    store.delete(&target).await?;
    Err(nothing(job).with("cleaned up", epoch))
}

fn nothing(job: &str) -> Error {
    Error::user(codes::NOTHING_TO_SAVE, format!("job `{job}` has no committed checkpoint to save"))
}
