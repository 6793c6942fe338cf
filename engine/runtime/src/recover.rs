//! The first acts of a run: find the last state, finish a commit that was begun, take the job over, and
//! clear away what will never be committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use seatun_api::{Epoch, Error, Result, Sink, SinkContext, TableId, TableSchema};
use seatun_state::{JobState, Manifest, ManifestBody, Recovery, SinkState, Start, StateStore};

use crate::codes;
use crate::control::Control;
use crate::coordinator::new_sink_state;
use crate::epoch::{EpochStore, SinkCommitter};
use crate::job::{Job, NodeKind};
use crate::stats::JobStats;

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
}

/// The newest schemas that a manifest knows, put in the place of older ones.
pub(crate) fn newest(tables: &mut [Vec<Arc<TableSchema>>], known: &[TableSchema]) {
    let known: BTreeMap<&TableId, &TableSchema> = known.iter().map(|schema| (&schema.id, schema)).collect();
    for table in tables.iter_mut().flatten() {
        if let Some(newer) = known.get(&table.id).filter(|newer| newer.version > table.version) {
            *table = Arc::new((*newer).clone());
        }
    }
}

/// Takes the job over.
///
/// # Errors
/// If state cannot be read or does not fit, a pending commit cannot be finished, or the state of a job
/// that has written before is gone.
pub(crate) async fn take_over(
    job: &Job,
    sinks: &[SinkPlace],
    state_store: &Arc<dyn StateStore>,
    start: &Start,
    control: &Control,
    stats: &JobStats,
) -> Result<Owned> {
    for _ in 0..TAKEOVER_TRIES {
        let opened = JobState::open(Arc::clone(state_store), &job.name, &job.fingerprint, start).await?;
        if let Some(owned) = try_take_over(job, sinks, opened, start, control, stats).await? {
            return Ok(owned);
        }
    }
    Err(Error::external(codes::TAKEOVER_CONTENTION, "other processes keep taking this job over")
        .with_hint("run a job under one name only once at a time")
        .with("job", &job.name))
}

async fn try_take_over(
    job: &Job,
    sinks: &[SinkPlace],
    (state, recovery): (JobState, Recovery),
    start: &Start,
    control: &Control,
    stats: &JobStats,
) -> Result<Option<Owned>> {
    let committers = open_committers(job, sinks, &state).await?;
    let mut store =
        EpochStore { state, sinks: committers, sources: sources(job), retain: job.checkpoint.retain };
    let resumed = match recovery {
        Recovery::Fresh { had_state, .. } => {
            if !had_state {
                refuse_lost_state(&mut store, start).await?;
            }
            None
        }
        Recovery::Resume(manifest) => Some(manifest),
        Recovery::ReplayCommitThenResume(manifest) => {
            let epoch = manifest.epoch;
            tracing::info!(epoch = epoch.0, "finishing the commit that was under way when the job ended");
            store.commit(epoch, &manifest.body.sinks, control, stats).await?;
            store.mark(epoch, control, stats).await?;
            Some(manifest)
        }
    };
    let body = takeover_body(resumed.as_deref(), sinks);
    let initialized: BTreeMap<String, bool> =
        body.sinks.iter().map(|(id, sink)| (id.clone(), sink.initialized)).collect();
    let Some(epoch) = store.state.take_over(body).await? else { return Ok(None) };
    for place in sinks.iter().filter(|place| !initialized.get(&place.id).copied().unwrap_or(false)) {
        let context = sink_context(job, place, &store.state);
        place.sink.initialize(&context).await.map_err(|error| error.with("node", &place.id))?;
    }
    discard_leftovers(&mut store, epoch).await?;
    Ok(Some(Owned { store, resumed }))
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

/// A sink that holds epochs of a job whose state is empty shows that the state was lost: to begin again
/// would write everything twice.
async fn refuse_lost_state(store: &mut EpochStore, start: &Start) -> Result<()> {
    let mut last: Option<(Epoch, String)> = None;
    for sink in &mut store.sinks {
        let Some(committer) = &mut sink.committer else { continue };
        if let Some(epoch) = committer.last_committed().await?
            && last.as_ref().is_none_or(|(known, _)| epoch > *known)
        {
            last = Some((epoch, sink.id.clone()));
        }
    }
    let Some((epoch, sink)) = last else { return Ok(()) };
    if !matches!(start, Start::Fresh) {
        return Err(Error::user(
            codes::STATE_LOST,
            "the job has no state, but its sink already holds rows that this job wrote",
        )
        .with_hint(
            "bring the state folder back (see --state), or start over with --fresh, which writes \
             everything again beside what is there; or give the job another name",
        )
        .with("sink", sink)
        .with("epoch", epoch));
    }
    store.state.advance_to(epoch);
    Ok(())
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
