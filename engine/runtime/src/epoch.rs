//! From gathered parts to a committed epoch: publish, commit every sink, mark, tell the sources.
//!
//! Publishing the manifest is the point of no return. Before it, a failure throws the epoch away; after it,
//! every sink's commit is repeated until it succeeds, by this process or by the next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use seatun_api::{
    BarrierKind, Committer, Epoch, Error, OperatorState, Position, Result, Retry, SchemaChange, Source,
    SplitId, Versioned, failpoint,
};
use seatun_state::{JobState, ManifestBody, ManifestKind, SinkState};

use crate::codes;
use crate::control::Control;
use crate::retry::Backoff;
use crate::snapshot;
use crate::stats::JobStats;

const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(10);
/// How long a job that was asked to stop goes on trying to commit. The next start commits what is left.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// A sink's committer with the sink's id in the manifest.
pub(crate) struct SinkCommitter {
    pub id: String,
    /// `None` if the writers' prepare makes everything visible.
    pub committer: Option<Box<dyn Committer>>,
}

/// What commits epochs: the job's state and its sinks' committers. Owned by the coordinator between
/// epochs, by [`finish`] during one.
pub(crate) struct EpochStore {
    pub state: JobState,
    pub sinks: Vec<SinkCommitter>,
    pub sources: Vec<(String, Arc<dyn Source>)>,
    pub retain: usize,
}

/// Everything that the tasks gave for an epoch.
pub(crate) struct Gathered {
    pub epoch: Epoch,
    pub kind: BarrierKind,
    pub started: Instant,
    pub started_ms: i64,
    pub body: ManifestBody,
    /// By node id, by subtask.
    pub operators: BTreeMap<String, BTreeMap<u32, OperatorState>>,
    /// By node id: where each source stands.
    pub positions: BTreeMap<String, BTreeMap<SplitId, Position>>,
}

/// Makes an epoch durable and visible. Gives the store back for the next one.
pub(crate) async fn finish(
    mut store: EpochStore,
    gathered: Gathered,
    control: Control,
    stats: Arc<JobStats>,
) -> (EpochStore, Result<()>) {
    let result = store.finish(gathered, &control, &stats).await;
    if result.is_err() {
        stats.checkpoints.failed.add(1);
    }
    (store, result)
}

impl EpochStore {
    async fn finish(&mut self, mut gathered: Gathered, control: &Control, stats: &JobStats) -> Result<()> {
        let epoch = gathered.epoch;
        for (node, parts) in std::mem::take(&mut gathered.operators) {
            let record = snapshot::store(&self.state, epoch, &node, parts).await?;
            gathered.body.operators.insert(node, record);
        }
        let sinks = gathered.body.sinks.clone();
        self.publish(&mut gathered, control, stats).await?;
        stats.checkpoints.commit_pending_since_millis.store(now_millis(), Ordering::Relaxed);
        self.commit(epoch, &sinks, control, stats).await?;
        failpoint::hit(failpoint::BEFORE_MARKER);
        self.mark(epoch, control, stats).await?;
        stats.checkpoints.commit_pending_since_millis.store(0, Ordering::Relaxed);
        failpoint::hit(failpoint::BEFORE_SOURCE_ACK);
        tell_sources(&self.sources, epoch, &gathered.positions).await;
        if let Err(error) = self.state.collect_garbage(self.retain).await {
            tracing::warn!(error = %error.chain(), "old checkpoints could not be removed");
        }
        note_completed(&gathered, stats);
        Ok(())
    }

    async fn publish(&mut self, gathered: &mut Gathered, control: &Control, stats: &JobStats) -> Result<()> {
        let kind = match gathered.kind {
            BarrierKind::Checkpoint => ManifestKind::Checkpoint,
            BarrierKind::Stop => ManifestKind::Stop,
            BarrierKind::Final => ManifestKind::Final,
        };
        let mut patience = Patience::new("publish the checkpoint", control, stats);
        loop {
            let body = gathered.body.clone();
            match self.state.publish(gathered.epoch, kind, gathered.started_ms, body).await {
                Ok(published) => {
                    stats.checkpoints.bytes.store(published.bytes, Ordering::Relaxed);
                    return Ok(());
                }
                Err(error) => patience.wait(error).await?,
            }
        }
    }

    /// Commits an epoch in every sink, in the order of the job file.
    pub async fn commit(
        &mut self,
        epoch: Epoch,
        prepared: &BTreeMap<String, SinkState>,
        control: &Control,
        stats: &JobStats,
    ) -> Result<()> {
        for sink in &mut self.sinks {
            let Some(state) = prepared.get(&sink.id) else { continue };
            let Some(committer) = &mut sink.committer else { continue };
            let changes: Vec<Arc<SchemaChange>> =
                state.schema_changes.iter().cloned().map(Arc::new).collect();
            let items: &Vec<Versioned> = &state.committables;
            if items.is_empty() && changes.is_empty() {
                continue;
            }
            let mut patience = Patience::new("commit", control, stats);
            while let Err(error) = committer.commit(epoch, items.clone(), changes.clone()).await {
                patience.wait(error.with("sink", &sink.id).with("epoch", epoch)).await?;
            }
            failpoint::hit(failpoint::SOME_SINKS_COMMITTED);
        }
        Ok(())
    }

    /// Gives every committer its last word, once all is committed. What may pass is tried again here: the
    /// job is over and must not be run once more for it.
    pub async fn finish_sinks(&mut self, control: &Control, stats: &JobStats) -> Result<()> {
        for sink in &mut self.sinks {
            let Some(committer) = &mut sink.committer else { continue };
            let mut patience = Patience::new("finish", control, stats);
            while let Err(error) = committer.finish().await {
                patience.wait(error.with("node", &sink.id)).await?;
            }
        }
        Ok(())
    }

    /// Writes the mark that every sink has committed.
    pub async fn mark(&mut self, epoch: Epoch, control: &Control, stats: &JobStats) -> Result<()> {
        let mut patience = Patience::new("mark the epoch as committed", control, stats);
        while let Err(error) = self.state.mark_committed(epoch).await {
            patience.wait(error).await?;
        }
        Ok(())
    }
}

async fn tell_sources(
    sources: &[(String, Arc<dyn Source>)],
    epoch: Epoch,
    positions: &BTreeMap<String, BTreeMap<SplitId, Position>>,
) {
    for (id, source) in sources {
        let Some(positions) = positions.get(id) else { continue };
        if let Err(error) = source.committed(epoch, positions).await {
            tracing::warn!(node = %id, error = %error.chain(), "the source could not be told of the commit");
        }
    }
}

/// How long a failing step of an epoch is tried again: for ever, unless the job was asked to stop.
struct Patience<'a> {
    what: &'static str,
    control: &'a Control,
    stats: &'a JobStats,
    backoff: Backoff,
    stopping_since: Option<Instant>,
}

impl<'a> Patience<'a> {
    fn new(what: &'static str, control: &'a Control, stats: &'a JobStats) -> Self {
        let backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
        Self { what, control, stats, backoff, stopping_since: None }
    }

    /// Waits before the next try, or gives the error back if there shall be none.
    async fn wait(&mut self, error: Error) -> Result<()> {
        if error.retry() == Retry::Never {
            return Err(error);
        }
        self.stats.checkpoints.failed.add(1);
        if self.control.is_stopping() {
            let since = *self.stopping_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= STOP_PATIENCE {
                let message = format!("could not {} before the job had to stop", self.what);
                return Err(Error::external_permanent(codes::COMMIT_PENDING, message)
                    .with_hint("nothing is lost: the next start of the job finishes it")
                    .with_source(error));
            }
        }
        let delay = self.backoff.delay();
        tracing::warn!(error = %error.chain(), retry_in = ?delay, "could not {}", self.what);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = self.control.stopping(), if self.stopping_since.is_none() => {}
        }
        Ok(())
    }
}

fn note_completed(gathered: &Gathered, stats: &JobStats) {
    let millis = u64::try_from(gathered.started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let checkpoints = &stats.checkpoints;
    checkpoints.epoch.store(gathered.epoch.0, Ordering::Relaxed);
    checkpoints.duration_millis.store(millis, Ordering::Relaxed);
    checkpoints.completed_at_millis.store(now_millis(), Ordering::Relaxed);
    checkpoints.completed.add(1);
    tracing::debug!(epoch = gathered.epoch.0, millis, kind = ?gathered.kind, "checkpoint committed");
}

/// Wall clock in milliseconds since 1970, for people and logs; never for durations.
pub(crate) fn now_millis() -> u64 {
    u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap_or(0)
}
