//! The first acts of a run: find the last state, finish a commit that was begun, take the job over, and
//! clear away what will never be committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use seatun_api::{Epoch, Error, Result, Sink, SinkContext, TableSchema};
use seatun_state::{JobState, Manifest, ManifestBody, ManifestKind, Recovery, SinkState, Start, StateStore};

use crate::codes;
use crate::control::Control;
use crate::coordinator::new_sink_state;
use crate::dead_letter;
use crate::epoch::{EpochStore, SinkCommitter};
use crate::job::{Job, NodeKind};
use crate::plan;
use crate::stats::JobStats;
use crate::tally::Committed;
use crate::topology::is_blocking;

/// How often another process may win the race for the takeover before this one gives up.
const TAKEOVER_TRIES: usize = 10;

/// A sink of the job, the dead-letter sink included.
pub(crate) struct SinkPlace {
    /// Index of the node; of the dead-letter sink, one past the last.
    pub node: usize,
    pub id: String,
    pub sink: Arc<dyn Sink>,
    pub tables: Vec<Arc<TableSchema>>,
}

/// A run that owns its job.
pub(crate) struct Owned {
    pub store: EpochStore,
    /// What the sources, operators and writers go on from; `None` at a first or fresh start.
    pub resumed: Option<Box<Manifest>>,
    /// The tables that come out of each node.
    pub tables: Vec<Vec<Arc<TableSchema>>>,
    pub sinks: Vec<SinkPlace>,
}

/// What came of the first acts of a run.
pub(crate) enum TakenOver {
    /// The run goes on.
    Owned(Box<Owned>),
    /// All that was left to do was to commit the job's last epoch.
    Finished(Epoch),
}

/// What a run is told, and what it tells while it takes over.
pub(crate) struct Opening<'a> {
    pub job: &'a Job,
    pub store: &'a Arc<dyn StateStore>,
    pub start: &'a Start,
    pub control: &'a Control,
    pub stats: &'a JobStats,
    pub committed: &'a mut Committed,
    /// Set when the takeover is published: from then on a restart must go on from it.
    pub took_over: &'a mut bool,
    /// How often the state is read again when a sink holds more than it knows of.
    pub looks_left: u32,
}

impl Opening<'_> {
    /// Takes the job over.
    ///
    /// # Errors
    /// If state cannot be read or does not fit, a pending commit cannot be finished, or the state of a job
    /// that has written before is gone.
    pub async fn take_over(&mut self) -> Result<TakenOver> {
        for _ in 0..TAKEOVER_TRIES {
            let (job, store) = (self.job, Arc::clone(self.store));
            let opened = JobState::open(store, &job.name, &job.fingerprint, self.start).await?;
            if let Some(taken) = self.try_take_over(opened).await? {
                return Ok(taken);
            }
        }
        Err(Error::external(codes::TAKEOVER_CONTENTION, "other processes keep taking this job over")
            .with_hint("run a job under one name only once at a time")
            .with("job", &self.job.name))
    }

    async fn try_take_over(&mut self, (state, recovery): (JobState, Recovery)) -> Result<Option<TakenOver>> {
        let job = self.job;
        let (resumed, pending, had_state) = match recovery {
            Recovery::Fresh { had_state, .. } => (None, false, had_state),
            Recovery::Resume(manifest) => (Some(manifest), false, true),
            Recovery::ReplayCommitThenResume(manifest) => (Some(manifest), true, true),
        };
        let nothing = BTreeMap::new();
        let stored = resumed.as_ref().map_or(&nothing, |manifest| &manifest.body.schemas);
        let tables = plan::resolve_from(job, stored).await?;
        let sinks = sink_places(job, &tables);
        let committers = open_committers(job, &sinks, &state).await?;
        let mut store =
            EpochStore { state, sinks: committers, sources: sources(job), retain: job.checkpoint.retain };
        let known = resumed.as_ref().map_or_else(|| store.state.last_epoch(), |manifest| manifest.epoch);
        if let Some(held) = self.held_beyond(&mut store, known).await? {
            if had_state && matches!(self.start, Start::Resume) && self.looks_left > 0 {
                // Another process may have committed since the state was read: look again.
                self.looks_left -= 1;
                return Ok(None);
            }
            self.allow_beyond(held, known, had_state)?;
        }
        if let Some(manifest) = resumed.as_ref().filter(|_| pending) {
            self.finish_commit(&mut store, manifest).await?;
            if self.is_all_done(manifest) {
                store.finish_sinks(self.control, self.stats).await?;
                return Ok(Some(TakenOver::Finished(manifest.epoch)));
            }
        }
        if let Some(manifest) = &resumed {
            refuse_blocking(job, manifest)?;
        }
        let body = takeover_body(resumed.as_deref(), &sinks);
        let initialized: BTreeMap<String, bool> =
            body.sinks.iter().map(|(id, sink)| (id.clone(), sink.initialized)).collect();
        let Some(epoch) = store.state.take_over(body).await? else { return Ok(None) };
        *self.took_over = true;
        for place in sinks.iter().filter(|place| !initialized.get(&place.id).copied().unwrap_or(false)) {
            let context = sink_context(job, place, &store.state);
            place.sink.initialize(&context).await.map_err(|error| error.with("node", &place.id))?;
        }
        discard_leftovers(&mut store, epoch).await?;
        Ok(Some(TakenOver::Owned(Box::new(Owned { store, resumed, tables, sinks }))))
    }

    async fn finish_commit(&mut self, store: &mut EpochStore, manifest: &Manifest) -> Result<()> {
        let epoch = manifest.epoch;
        tracing::info!(epoch = epoch.0, "finishing the commit that was under way when the job ended");
        store.commit(epoch, &manifest.body.sinks, self.control, self.stats).await?;
        store.mark(epoch, self.control, self.stats).await?;
        self.stats.checkpoints.commit_pending_since_millis.store(0, Ordering::Relaxed);
        self.committed.settle(epoch);
        self.committed.show(self.stats);
        Ok(())
    }

    /// Whether the epoch whose commit was finished is the job's last. A blocking transform would give its
    /// rows once more if the job were run again over sources that have ended. Without one, the job is run:
    /// it reads nothing, and its writers tell their committers what they have counted.
    fn is_all_done(&self, manifest: &Manifest) -> bool {
        matches!(self.start, Start::Resume)
            && manifest.kind == ManifestKind::Final
            && self.job.nodes.iter().any(|node| is_blocking(&node.kind))
    }

    /// The newest epoch that a sink holds of this job, if the state does not know of it. Epochs are counted
    /// on from there in any case, for a sink skips an epoch that it has.
    async fn held_beyond(&self, store: &mut EpochStore, known: Epoch) -> Result<Option<(Epoch, String)>> {
        let mut newest: Option<(Epoch, String)> = None;
        for sink in &mut store.sinks {
            let Some(committer) = &mut sink.committer else { continue };
            let held = committer.last_committed().await.map_err(|error| error.with("node", &sink.id))?;
            let Some(epoch) = held.filter(|epoch| *epoch > known) else { continue };
            if newest.as_ref().is_none_or(|(other, _)| epoch > *other) {
                newest = Some((epoch, sink.id.clone()));
            }
        }
        if let Some((epoch, _)) = &newest {
            store.state.advance_to(*epoch);
        }
        Ok(newest)
    }

    /// A sink that holds more than the state knows of shows that the state was lost, or is an old copy: to
    /// go on from it would write rows twice. Who asked to begin again or to go back is only told so.
    fn allow_beyond(&self, (epoch, sink): (Epoch, String), known: Epoch, had_state: bool) -> Result<()> {
        let message = match self.start {
            Start::Resume if had_state => {
                "the job's state is older than what its sink holds: it would write rows a second time"
            }
            Start::Resume => "the job has no state, but its sink already holds rows that this job wrote",
            Start::Fresh => {
                tracing::warn!(
                    sink,
                    epoch = epoch.0,
                    "the sink holds rows of this job: all are written once more"
                );
                return Ok(());
            }
            Start::Restore(_) => {
                tracing::warn!(
                    sink,
                    savepoint = known.0,
                    epoch = epoch.0,
                    "rows written since the savepoint stay in the sink and are written once more"
                );
                return Ok(());
            }
        };
        Err(Error::user(codes::STATE_LOST, message)
            .with_hint(
                "bring the newest state folder back (see --state), or start over with --fresh, which writes \
                 everything again beside what is there; or give the job another name",
            )
            .with("sink", sink)
            .with("sink_epoch", epoch)
            .with("state_epoch", known))
    }
}

/// A blocking transform must see all its input: it cannot go on from positions that another form of the job
/// has left.
fn refuse_blocking(job: &Job, manifest: &Manifest) -> Result<()> {
    let blocking = job.nodes.iter().find(|node| is_blocking(&node.kind));
    let Some(node) = blocking.filter(|_| manifest.body.sources.values().any(|state| !state.is_empty()))
    else {
        return Ok(());
    };
    Err(Error::user(
        codes::BLOCKING_CANNOT_RESUME,
        "the job has a transform that must see all its input, but its state is from the middle of it",
    )
    .with_hint("start over with --fresh, or undo the change of the job")
    .with("node", &node.id)
    .with("epoch", manifest.epoch))
}

/// Every sink of the job, the dead-letter sink last.
fn sink_places(job: &Job, tables: &[Vec<Arc<TableSchema>>]) -> Vec<SinkPlace> {
    let of_job = job.nodes.iter().enumerate().filter_map(|(index, node)| match &node.kind {
        NodeKind::Sink(sink) => Some(SinkPlace {
            node: index,
            id: node.id.clone(),
            sink: Arc::clone(sink),
            tables: tables[index].clone(),
        }),
        _ => None,
    });
    let of_letters = job.dead_letter.iter().map(|options| SinkPlace {
        node: job.nodes.len(),
        id: options.id.clone(),
        sink: Arc::clone(&options.sink),
        tables: vec![Arc::new(dead_letter::schema())],
    });
    of_job.chain(of_letters).collect()
}

async fn open_committers(job: &Job, sinks: &[SinkPlace], state: &JobState) -> Result<Vec<SinkCommitter>> {
    let mut committers = Vec::new();
    for place in sinks {
        let context = sink_context(job, place, state);
        let committer = place.sink.committer(context).await.map_err(|error| error.with("node", &place.id))?;
        committers.push(SinkCommitter { id: place.id.clone(), committer });
    }
    Ok(committers)
}

/// A sink's place in the job, as its writers and committer are told.
pub(crate) fn sink_context(job: &Job, place: &SinkPlace, state: &JobState) -> SinkContext {
    SinkContext {
        job: job.name.clone(),
        node: place.id.clone(),
        generation: state.generation(),
        mode: job.mode,
        tables: place.tables.clone(),
    }
}

fn sources(job: &Job) -> Vec<(String, Arc<dyn seatun_api::Source>)> {
    job.nodes
        .iter()
        .filter_map(|node| match &node.kind {
            NodeKind::Source(source) => Some((node.id.clone(), Arc::clone(source))),
            _ => None,
        })
        .collect()
}

/// What the takeover epoch says: everything as in the epoch resumed from, and nothing to commit.
fn takeover_body(resumed: Option<&Manifest>, sinks: &[SinkPlace]) -> ManifestBody {
    let mut body = resumed.map(|manifest| manifest.body.clone()).unwrap_or_default();
    for sink in body.sinks.values_mut() {
        sink.committables.clear();
        sink.schema_changes.clear();
    }
    for place in sinks {
        body.sinks
            .entry(place.id.clone())
            .or_insert_with(|| SinkState { initialized: false, ..new_sink_state(place.sink.delivery()) });
    }
    body
}

async fn discard_leftovers(store: &mut EpochStore, last: Epoch) -> Result<()> {
    let own = store.state.generation();
    for sink in &mut store.sinks {
        if let Some(committer) = &mut sink.committer {
            committer.discard_leftovers(own, last).await.map_err(|error| error.with("node", &sink.id))?;
        }
    }
    Ok(())
}
