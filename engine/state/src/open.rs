//! How a run begins: claim a generation, look at the newest manifest, decide.

use std::sync::Arc;

use seatun_api::error::nearest_hint;
use seatun_api::{Epoch, Error, Generation, Result};

use crate::decide::{self, Base, Decision, Wish};
use crate::epochs::{Listing, Survey, missing_file, understand};
use crate::fingerprint::{Needs, check_fits};
use crate::frame::{self, Damage};
use crate::job::{JobState, fenced_by};
use crate::layout::{Layout, run_file, savepoint_file};
use crate::manifest::Manifest;
use crate::record::RunRecord;
use crate::store::{Created, StateStore};
use crate::{codes, view};

/// How the user wants the job to start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// Where it stopped; a batch job that had come to its end runs again.
    #[default]
    Resume,
    /// From the beginning, forgetting positions and state. Epochs go on being counted.
    Fresh,
    /// From the savepoint of this name. Epochs go on being counted from the newest published one.
    Restore(String),
}

impl Start {
    fn wish(&self) -> Wish {
        match self {
            Self::Resume => Wish::Resume,
            Self::Fresh => Wish::Fresh,
            Self::Restore(_) => Wish::Restore,
        }
    }
}

/// What a run begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Recovery {
    /// From the beginning.
    Fresh {
        /// The newest epoch of earlier runs; 0 if there is none.
        last_epoch: Epoch,
        /// Whether there were earlier runs that published anything.
        had_state: bool,
    },
    /// From this state. Nothing is to be committed.
    Resume(Box<Manifest>),
    /// First commit the manifest's committables and schema changes under the manifest's epoch and call
    /// [`JobState::mark_committed`] for it, then go on from its state.
    ///
    /// With [`Start::Fresh`] its state is empty, its sinks are not initialized, and what is left is the
    /// commit; with [`Start::Restore`] its state is the savepoint's, while epoch and commits are the
    /// newest manifest's. In every case: go on from the state as given.
    ReplayCommitThenResume(Box<Manifest>),
}

impl JobState {
    /// Starts a run: looks at the newest manifest, claims the next generation, looks again, decides.
    ///
    /// A start that is refused claims nothing, and a claim alone disturbs no other run: it is the takeover
    /// that does.
    ///
    /// # Errors
    /// Refuses damaged state that cannot be passed over, state of another job or of a later release, a job
    /// file that lacks a node with state, and a savepoint that does not exist. Fenced if a younger run has
    /// the job.
    pub async fn open(
        store: Arc<dyn StateStore>,
        job: &str,
        fingerprint: &str,
        start: &Start,
    ) -> Result<(Self, Recovery)> {
        let layout = Layout::new(job)?;
        if let Err(error) = store.sweep_leftovers(layout.folder()).await {
            tracing::warn!(error = %error.chain(), "leftovers of writes that were cut off cannot be removed");
        }
        let opening = Opening { store: &*store, layout: &layout, job, fingerprint, start };
        let mut survey = Survey::take(&*store, &layout, job).await?;
        opening.begin(Generation(u64::MAX), &survey).await?;
        let run = opening.claim(survey.listing.newest()).await?;
        if Listing::read(&*store, &layout).await? != survey.listing {
            survey = Survey::take(&*store, &layout, job).await?;
        }
        // A listing taken while a run publishes may show the marker only: looked at twice.
        if let (Some(lost), Start::Resume) = (survey.listing.lost_manifest(), start)
            && Listing::read(&*store, &layout).await?.lost_manifest() == Some(lost)
        {
            return Err(opening.manifest_lost(lost));
        }
        let (recovery, parent) = opening.begin(run.generation, &survey).await?;
        if let Some((epoch, Err(damage))) = &survey.newest {
            let error = opening.error(*epoch, damage);
            tracing::warn!(error = %error.chain(), "the newest checkpoint is damaged and is passed over");
        }
        // A savepoint may have been brought to a store that never saw its epoch.
        let last_epoch = survey.listing.last_used().max(parent.unwrap_or_default());
        Ok((Self::new(Arc::clone(&store), layout, run, fingerprint, last_epoch, parent), recovery))
    }
}

struct Opening<'a> {
    store: &'a dyn StateStore,
    layout: &'a Layout,
    job: &'a str,
    fingerprint: &'a str,
    start: &'a Start,
}

impl Opening<'_> {
    fn manifest_lost(&self, epoch: Epoch) -> Error {
        let path = self.layout.manifest(epoch);
        Error::user(codes::MANIFEST_DAMAGED, "the manifest of the newest committed checkpoint is missing")
            .with_hint("bring the file back, restore a savepoint with --restore, or start over with --fresh")
            .with("file", path)
            .with("epoch", epoch)
    }

    async fn claim(&self, based_on: Option<Epoch>) -> Result<RunRecord> {
        loop {
            let generation = decide::next_generation(self.runs().await?);
            let run = RunRecord::of_this_process(self.job, generation, based_on);
            let bytes = frame::encode(&run)?;
            let is_ours = match self.store.create(&self.layout.run(generation), bytes.clone()).await? {
                Created::Now => true,
                Created::AlreadyThere(there) => there == bytes,
            };
            // Clean-up may have freed an old number: a claim counts only if it is the newest.
            if is_ours && self.runs().await?.into_iter().all(|other| other <= generation) {
                return Ok(run);
            }
        }
    }

    async fn runs(&self) -> Result<Vec<Generation>> {
        let paths = self.store.list(&self.layout.runs()).await?;
        Ok(paths.iter().filter_map(|path| run_file(path)).collect())
    }

    /// The recovery, and the epoch that the run goes on from.
    async fn begin(&self, own: Generation, survey: &Survey) -> Result<(Recovery, Option<Epoch>)> {
        if let Some((epoch, Err(damage))) = &survey.newest
            && !damage.is_decay()
        {
            return Err(self.error(*epoch, damage));
        }
        let facts = survey.facts();
        let decision = decide::recover(own, facts.as_ref(), self.start.wish());
        let (commit_newest, base) = match (decision, &survey.newest) {
            (Decision::Go { commit_newest, base }, _) => (commit_newest, base),
            (Decision::NeedsHuman, Some((epoch, Err(damage)))) => {
                let is_committed = survey.listing.markers.contains(epoch);
                return Err(self.newest_damaged(*epoch, damage, is_committed));
            }
            (Decision::NeedsHuman | Decision::Outlived, _) => {
                let younger = view::newest_run(self.store, self.layout).await.ok().flatten();
                return Err(fenced_by(self.job, younger.as_ref()));
            }
        };
        let newest = survey.newest.as_ref().and_then(|(_, manifest)| manifest.as_ref().ok());
        let pending = newest.filter(|_| commit_newest);
        if let Some(manifest) = pending {
            check_fits(manifest, self.fingerprint, Needs::Commits)?;
        }
        let state = match base {
            Base::Nothing => None,
            Base::Newest => newest.cloned(),
            Base::Previous => survey.previous.clone(),
            Base::Savepoint => Some(self.savepoint().await?),
        };
        let parent = state.as_ref().map(|manifest| manifest.epoch);
        let state = state.map(|mut manifest| {
            manifest.body.clear_commits();
            manifest
        });
        if let Some(manifest) = &state {
            check_fits(manifest, self.fingerprint, Needs::State)?;
        }
        let had_state = survey.newest.is_some();
        let last_epoch = survey.listing.last_used();
        let recovery = match (pending, state) {
            (None, None) => Recovery::Fresh { last_epoch, had_state },
            (None, Some(state)) => Recovery::Resume(Box::new(state)),
            (Some(pending), state) => Recovery::ReplayCommitThenResume(Box::new(joined(pending, state))),
        };
        Ok((recovery, parent))
    }

    async fn savepoint(&self) -> Result<Manifest> {
        let Start::Restore(name) = self.start else { return Err(no_savepoint("", &[])) };
        let path = self.layout.savepoint(name)?;
        let Some(bytes) = self.store.get_at_most(&path, frame::LARGEST).await? else {
            let paths = self.store.list(&self.layout.savepoints()).await?;
            let known: Vec<String> = paths.iter().filter_map(|path| savepoint_file(path)).collect();
            return Err(no_savepoint(name, &known).with("store", self.store.uri()));
        };
        let manifest =
            understand(&bytes, self.job).map_err(|damage| damage.to_error(&path, &self.store.uri()))?;
        match missing_file(self.store, self.layout, &manifest).await? {
            Some(file) => Err(Damage::MissingFile(file).to_error(&path, &self.store.uri())),
            None => Ok(manifest),
        }
    }

    fn error(&self, epoch: Epoch, damage: &Damage) -> Error {
        damage.to_error(&self.layout.manifest(epoch), &self.store.uri())
    }

    fn newest_damaged(&self, epoch: Epoch, damage: &Damage, is_committed: bool) -> Error {
        let hint = match is_committed {
            true => {
                "this epoch is committed: going back would write its rows again. Put a good copy of the file \
                 in its place, restore a savepoint (--restore NAME), or begin again with --fresh"
            }
            false => {
                "some sinks may have committed this epoch and others not. Put a good copy of the file in its \
                 place; or compare the targets, then restore a savepoint (--restore NAME) or begin again \
                 with --fresh"
            }
        };
        self.error(epoch, damage).with_hint(hint)
    }
}

/// The pending commit of one manifest with the state of another, or with none.
fn joined(pending: &Manifest, state: Option<Manifest>) -> Manifest {
    let mut manifest = pending.clone();
    let commits = std::mem::take(&mut manifest.body.sinks);
    manifest.body = state.map(|state| state.body).unwrap_or_default();
    for (id, commit) in commits {
        let kept = manifest.body.sinks.remove(&id);
        let mut sink = commit;
        sink.initialized = kept.as_ref().is_some_and(|kept| kept.initialized);
        sink.writers = kept.map(|kept| kept.writers).unwrap_or_default();
        manifest.body.sinks.insert(id, sink);
    }
    manifest
}

fn no_savepoint(name: &str, known: &[String]) -> Error {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Error::user(codes::SAVEPOINT_MISSING, format!("the job has no savepoint `{name}`"))
        .with_hint(nearest_hint(name, &known))
}
