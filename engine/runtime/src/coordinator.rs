//! The one task that drives a run: hands out splits, starts epochs, gathers their parts, has them
//! committed, and decides when the job is over.
//!
//! One epoch is under way at a time, from its barrier to its commit; data flows meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use seatun_api::error::codes::INTERNAL;
use seatun_api::{
    Barrier, BarrierKind, Delivery, Epoch, Error, PlanRequest, Result, SplitPlan, TableId, TableSchema,
};
use seatun_state::{ManifestBody, SinkState};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::codes;
use crate::control::Control;
use crate::dead_letter::Limits;
use crate::epoch::{EpochStore, Gathered, finish, now_millis};
use crate::gather::{Gather, add_sink_part};
use crate::job::CheckpointOptions;
use crate::run::Outcome;
use crate::splits::SourceSplits;
use crate::stats::JobStats;
use crate::tally::Committed;
use crate::task::{Commands, Report, SourceCommand, TaskId};

type Planning = Pin<Box<dyn Future<Output = (usize, Result<SplitPlan>)> + Send>>;
type Committing = Pin<Box<dyn Future<Output = (EpochStore, Result<()>)> + Send>>;

/// The newest schema of each table.
pub(crate) type Tables = BTreeMap<TableId, Arc<TableSchema>>;

/// A node that takes part in epochs.
pub(crate) struct Participant {
    pub id: String,
    /// Of a sink.
    pub delivery: Option<Delivery>,
}

/// What a coordinator is made of.
pub(crate) struct Setup {
    pub checkpoint: CheckpointOptions,
    /// A node reads all its input first: no epoch before the inputs have ended.
    pub has_blocking: bool,
    pub limits: Arc<Limits>,
    /// By node index; the dead-letter sink is one past the job's last node.
    pub participants: BTreeMap<usize, Participant>,
    pub task_ids: BTreeSet<TaskId>,
    pub sources: Vec<SourceSplits>,
    pub commands: Commands,
    pub reports: mpsc::Receiver<Report>,
    pub tasks: JoinSet<Result<()>>,
    /// Between epochs; during one it is with the epoch.
    pub store: Option<EpochStore>,
    pub control: Control,
    pub stats: Arc<JobStats>,
    /// Rows read and given up in the runs before this one.
    pub rows_read_before: u64,
    pub dead_lettered_before: u64,
    /// By source node.
    pub schemas: BTreeMap<usize, Tables>,
}

/// The state of a run.
pub(crate) struct Coordinator<'a> {
    setup: Setup,
    committed: &'a mut Committed,
    gather: Option<Gather>,
    committing: Option<(BarrierKind, Committing)>,
    planning: FuturesUnordered<Planning>,
    planning_now: BTreeSet<usize>,
    discover_at: BTreeMap<usize, Instant>,
    next_checkpoint: Option<Instant>,
    opened: usize,
    finish_sent: BTreeSet<usize>,
    /// Until when a job that was asked to stop may take.
    stop_by: Option<Instant>,
    wanted: bool,
    epochs_done: u64,
    rows_read: u64,
    dead_lettered: u64,
}

/// What woke the coordinator up.
enum Wake {
    Report(Report),
    Ended(Result<Result<()>, JoinError>),
    Planned(usize, Result<SplitPlan>),
    Committed(Box<EpochStore>, Result<()>),
    Time,
    Stop,
}

impl<'a> Coordinator<'a> {
    pub fn new(setup: Setup, committed: &'a mut Committed) -> Self {
        let interval = setup.checkpoint.interval;
        Self {
            committed,
            gather: None,
            committing: None,
            planning: FuturesUnordered::new(),
            planning_now: BTreeSet::new(),
            discover_at: BTreeMap::new(),
            next_checkpoint: interval.map(|interval| Instant::now() + interval),
            opened: 0,
            finish_sent: BTreeSet::new(),
            stop_by: None,
            wanted: false,
            epochs_done: 0,
            rows_read: setup.rows_read_before,
            dead_lettered: setup.dead_lettered_before,
            setup,
        }
    }

    /// How many epochs this run has committed.
    pub fn epochs_done(&self) -> u64 {
        self.epochs_done
    }

    /// Runs until the job is over.
    ///
    /// # Errors
    /// The first failure of a task, a planner or a commit.
    pub async fn run(&mut self) -> Result<Outcome> {
        for source in 0..self.setup.sources.len() {
            if !self.setup.sources[source].is_complete() {
                self.plan(source);
            }
        }
        loop {
            self.hand_out();
            if let Some(outcome) = self.begin_epoch()? {
                return Ok(outcome);
            }
            match self.wake().await {
                Wake::Report(report) => self.report(report)?,
                Wake::Ended(ended) => check_end(ended)?,
                Wake::Planned(source, plan) => self.planned(source, plan?),
                Wake::Committed(store, result) => {
                    self.setup.store = Some(*store);
                    if let Some(outcome) = self.epoch_done(result).await? {
                        return Ok(outcome);
                    }
                }
                Wake::Time => self.on_time(),
                Wake::Stop => {}
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let next_time = self.next_time();
        let stop_seen = self.setup.control.is_stopping();
        tokio::select! {
            Some(report) = self.setup.reports.recv() => Wake::Report(report),
            Some(ended) = self.setup.tasks.join_next() => Wake::Ended(ended),
            Some((source, plan)) = self.planning.next(), if !self.planning.is_empty() => Wake::Planned(source, plan),
            (store, result) = poll_commit(&mut self.committing), if self.committing.is_some() => {
                Wake::Committed(Box::new(store), result)
            }
            () = tokio::time::sleep_until(next_time) => Wake::Time,
            () = self.setup.control.stopping(), if !stop_seen => Wake::Stop,
        }
    }

    fn next_time(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let slow = self
            .gather
            .as_ref()
            .filter(|gather| !gather.reported_slow)
            .map(|gather| Instant::from_std(gather.started) + self.setup.checkpoint.slow_after);
        let checkpoint = self.next_checkpoint.filter(|_| self.is_between_epochs() && self.may_checkpoint());
        let discovery = self.discover_at.values().min().copied();
        [slow, checkpoint, discovery, self.stop_by].into_iter().flatten().min().unwrap_or(far).min(far)
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        let due: Vec<usize> =
            self.discover_at.iter().filter(|(_, at)| **at <= now).map(|(source, _)| *source).collect();
        for source in due {
            self.discover_at.remove(&source);
            self.plan(source);
        }
        let slow_after = self.setup.checkpoint.slow_after;
        if let Some(gather) = &mut self.gather
            && !gather.reported_slow
            && gather.started.elapsed() >= slow_after
        {
            gather.reported_slow = true;
            let waiting_for: BTreeSet<&str> = gather
                .missing()
                .iter()
                .filter_map(|task| Some(self.setup.participants.get(&task.node)?.id.as_str()))
                .collect();
            tracing::warn!(
                epoch = gather.barrier.epoch.0,
                ?waiting_for,
                "the checkpoint is slow; the job goes on"
            );
        }
    }

    // ---- splits ---------------------------------------------------------------------------------

    fn plan(&mut self, source: usize) {
        if !self.planning_now.insert(source) {
            return;
        }
        let splits = &self.setup.sources[source];
        let (state, active) = splits.planner_view();
        let planner = Arc::clone(&splits.source);
        self.planning.push(Box::pin(async move {
            let request = PlanRequest { state: state.as_ref(), active: &active };
            (source, planner.plan(request).await)
        }));
    }

    fn planned(&mut self, source: usize, plan: SplitPlan) {
        self.planning_now.remove(&source);
        let splits = &mut self.setup.sources[source];
        splits.planned(plan);
        if let Some(interval) = splits.next_plan() {
            self.discover_at.insert(source, Instant::now() + interval);
        }
    }

    /// Gives readers their splits, asks planners for more, and tells sources that are read.
    fn hand_out(&mut self) {
        let all_open = self.opened == self.setup.task_ids.len();
        for index in 0..self.setup.sources.len() {
            let node = self.setup.sources[index].node;
            for (reader, splits) in self.setup.sources[index].assign() {
                self.setup.commands.to_one(node, reader, SourceCommand::AddSplits(splits));
            }
            if self.setup.sources[index].wants_plan() {
                self.plan(index);
            }
            // A source ends only when all tasks are open, so that the end is seen by every one of them.
            if all_open && self.setup.sources[index].is_done() && self.finish_sent.insert(index) {
                self.setup.commands.to_node(node, || SourceCommand::Finish);
            }
        }
    }

    // ---- epochs ---------------------------------------------------------------------------------

    fn is_between_epochs(&self) -> bool {
        self.gather.is_none() && self.committing.is_none() && self.opened == self.setup.task_ids.len()
    }

    fn all_sources_finished(&self) -> bool {
        self.finish_sent.len() == self.setup.sources.len()
    }

    fn may_checkpoint(&self) -> bool {
        !self.setup.has_blocking || self.all_sources_finished()
    }

    /// Starts an epoch if one is due. Gives the outcome if the job ends without one.
    fn begin_epoch(&mut self) -> Result<Option<Outcome>> {
        let stopping = self.setup.control.is_stopping();
        if stopping && let Some(outcome) = self.stop_without_checkpoint()? {
            return Ok(Some(outcome));
        }
        if stopping && !self.may_checkpoint() && self.committing.is_none() {
            return Ok(Some(Outcome::Stopped { epoch: None, resumable: false }));
        }
        if !self.is_between_epochs() {
            return Ok(None);
        }
        let due = self.next_checkpoint.is_some_and(|at| at <= Instant::now());
        let kind = match (self.all_sources_finished(), stopping) {
            (true, _) => BarrierKind::Final,
            (false, true) => BarrierKind::Stop,
            (false, false) if (due || self.wanted) && self.may_checkpoint() => BarrierKind::Checkpoint,
            _ => return Ok(None),
        };
        let Some(store) = &self.setup.store else { return Ok(None) };
        let barrier = Barrier { epoch: store.state.last_epoch().next(), kind };
        let started_ms = i64::try_from(now_millis()).unwrap_or(i64::MAX);
        self.wanted = false;
        self.gather = Some(Gather::new(barrier, self.setup.task_ids.clone(), started_ms));
        self.setup.commands.to_all(|| SourceCommand::Barrier(barrier));
        Ok(None)
    }

    /// Ends a job whose last checkpoint takes too long: nothing is lost, the next start goes on from the
    /// one before or finishes the commit that is under way.
    fn stop_without_checkpoint(&mut self) -> Result<Option<Outcome>> {
        let stop_within = self.setup.checkpoint.stop_within;
        let stop_by = *self.stop_by.get_or_insert_with(|| Instant::now() + stop_within);
        if Instant::now() < stop_by {
            return Ok(None);
        }
        if self.committing.is_some() {
            return Err(Error::external_permanent(
                codes::COMMIT_PENDING,
                "a sink could not commit before the job had to stop",
            )
            .with_hint("nothing is lost: the next start of the job finishes it"));
        }
        tracing::warn!(
            waited = ?stop_within,
            "the last checkpoint takes too long; the next start goes on from the one before"
        );
        Ok(Some(Outcome::Stopped { epoch: None, resumable: !self.setup.has_blocking }))
    }

    fn report(&mut self, report: Report) -> Result<()> {
        match report {
            Report::Opened => {
                self.opened += 1;
                if self.opened == self.setup.task_ids.len() {
                    self.setup.stats.ready.store(true, Ordering::Relaxed);
                }
            }
            Report::SplitsFinished(task, splits) => {
                if let Some(source) = self.setup.sources.iter_mut().find(|source| source.node == task.node) {
                    source.finished(task.subtask, &splits);
                }
            }
            Report::CheckpointWanted if !self.may_checkpoint() => {
                return Err(Error::user(
                    codes::SCHEMA_CHANGE_WHILE_BLOCKED,
                    "a table changed its schema in a job that cannot take a checkpoint before its inputs end",
                )
                .with_hint("start the job again: it reads the table with its new schema"));
            }
            Report::CheckpointWanted => self.wanted = true,
            Report::Ack(ack) => {
                let Some(gather) = &mut self.gather else {
                    return Err(Error::internal(INTERNAL, "a task answered when no epoch was under way"));
                };
                if gather.ack(*ack)?
                    && let Some(gather) = self.gather.take()
                {
                    self.commit(gather)?;
                }
            }
        }
        Ok(())
    }

    /// All parts are there: the epoch is published and committed while data flows on.
    fn commit(&mut self, gather: Gather) -> Result<()> {
        let kind = gather.barrier.kind;
        let gathered = self.gathered(gather);
        self.setup.limits.check_ratio(self.dead_lettered, self.rows_read)?;
        if let Some(store) = self.setup.store.take() {
            let (control, stats) = (self.setup.control.clone(), Arc::clone(&self.setup.stats));
            self.committing = Some((kind, Box::pin(finish(store, gathered, control, stats))));
        }
        Ok(())
    }

    fn gathered(&mut self, gather: Gather) -> Gathered {
        for (task, part) in &gather.sources {
            if let Some(source) = self.setup.sources.iter_mut().find(|source| source.node == task.node) {
                source.acked(part);
            }
            for schema in &part.schemas {
                note_schema(self.setup.schemas.entry(task.node).or_default(), schema);
            }
        }
        for (node, counts) in &gather.counts {
            self.dead_lettered += counts.dead_lettered;
            if self.setup.sources.iter().any(|source| source.node == *node) {
                self.rows_read += counts.rows_in;
            }
        }
        let mut body = ManifestBody {
            schemas: self.stored_schemas(),
            rows_read: self.rows_read,
            dead_lettered: self.dead_lettered,
            ..ManifestBody::default()
        };
        let mut positions = BTreeMap::new();
        for source in &self.setup.sources {
            let Some(participant) = self.setup.participants.get(&source.node) else { continue };
            body.sources.insert(participant.id.clone(), source.state());
            positions.insert(participant.id.clone(), source.positions());
        }
        for participant in self.setup.participants.values() {
            if let Some(delivery) = participant.delivery {
                body.sinks.insert(participant.id.clone(), new_sink_state(delivery));
            }
        }
        for (task, part) in gather.sinks {
            let id = self.setup.participants.get(&task.node).map(|participant| participant.id.as_str());
            if let Some(state) = id.and_then(|id| body.sinks.get_mut(id)) {
                add_sink_part(state, task.subtask, part);
            }
        }
        let operators = gather
            .operators
            .into_iter()
            .filter_map(|(node, parts)| Some((self.setup.participants.get(&node)?.id.clone(), parts)))
            .collect();
        self.committed.hold(gather.barrier.epoch, gather.counts);
        Gathered {
            epoch: gather.barrier.epoch,
            kind: gather.barrier.kind,
            started: gather.started,
            started_ms: gather.started_ms,
            body,
            operators,
            positions,
        }
    }

    fn stored_schemas(&self) -> BTreeMap<String, Vec<TableSchema>> {
        let of_node = |(node, tables): (&usize, &Tables)| {
            let id = self.setup.participants.get(node)?.id.clone();
            Some((id, tables.values().map(|schema| (**schema).clone()).collect()))
        };
        self.setup.schemas.iter().filter_map(of_node).collect()
    }

    async fn epoch_done(&mut self, result: Result<()>) -> Result<Option<Outcome>> {
        let Some((kind, _)) = self.committing.take() else { return Ok(None) };
        result?;
        self.epochs_done += 1;
        self.next_checkpoint = self.setup.checkpoint.interval.map(|interval| Instant::now() + interval);
        let epoch = self.setup.store.as_ref().map_or(Epoch(0), |store| store.state.last_epoch());
        self.committed.settle(epoch);
        match kind {
            BarrierKind::Checkpoint => Ok(None),
            BarrierKind::Stop => Ok(Some(Outcome::Stopped { epoch: Some(epoch), resumable: true })),
            BarrierKind::Final => {
                self.finish_sinks().await?;
                Ok(Some(Outcome::Finished { epoch }))
            }
        }
    }

    /// The committers' last words, cut short if the job is asked to stop: everything is committed.
    async fn finish_sinks(&mut self) -> Result<()> {
        let (control, stats) = (self.setup.control.clone(), Arc::clone(&self.setup.stats));
        let Some(store) = &mut self.setup.store else { return Ok(()) };
        tokio::select! {
            result = store.finish_sinks(&control, &stats) => result,
            () = stopped_for(&control, self.setup.checkpoint.stop_within) => {
                tracing::warn!("the sinks' last checks were cut short; everything is committed");
                Ok(())
            }
        }
    }
}

/// Waits until the job was asked to stop this long ago.
pub(crate) async fn stopped_for(control: &Control, time: Duration) {
    control.stopping().await;
    tokio::time::sleep(time).await;
}

fn note_schema(tables: &mut Tables, schema: &Arc<TableSchema>) {
    if tables.get(&schema.id).is_none_or(|known| known.version < schema.version) {
        tables.insert(schema.id.clone(), Arc::clone(schema));
    }
}

async fn poll_commit(committing: &mut Option<(BarrierKind, Committing)>) -> (EpochStore, Result<()>) {
    match committing {
        Some((_, future)) => future.as_mut().await,
        None => std::future::pending().await,
    }
}

/// A sink's entry of the manifest before its writers' parts are added.
pub(crate) fn new_sink_state(delivery: Delivery) -> SinkState {
    SinkState {
        delivery,
        initialized: true,
        writers: BTreeMap::new(),
        committables: Vec::new(),
        schema_changes: Vec::new(),
    }
}

/// A task that returns has done its part of the last epoch, or has failed.
fn check_end(ended: Result<Result<()>, JoinError>) -> Result<()> {
    match ended {
        Ok(result) => result,
        Err(error) if error.is_panic() => {
            Err(Error::internal(codes::TASK_PANICKED, "a task of the engine panicked")
                .with_hint("this is a defect of seatun: please report it with the log"))
        }
        Err(error) => {
            Err(Error::internal(codes::TASK_PANICKED, "a task of the engine was cancelled")
                .with_source(error))
        }
    }
}
