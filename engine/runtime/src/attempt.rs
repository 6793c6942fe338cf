//! One run of a job: from taking it over to its end or its first failure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use seatun_api::transform::OperatorContext;
use seatun_api::{ReaderContext, Result, Versioned, WriterContext};
use seatun_state::{Manifest, Start, StateStore};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::channel::{Receiver, Sender, channel};
use crate::control::Control;
use crate::coordinator::{Coordinator, Participant, Setup, Tables, stopped_for};
use crate::dead_letter::{Limits, Port};
use crate::emit::{Branch, EdgeOut, Emitter, MapStep};
use crate::gate::{Gate, GateInput};
use crate::job::{Job, NodeKind};
use crate::pace;
use crate::recover::{Opening, Owned, SinkPlace, TakenOver, sink_context};
use crate::run::Outcome;
use crate::shuffle::Router;
use crate::snapshot;
use crate::splits::SourceSplits;
use crate::stats::JobStats;
use crate::tally::{Committed, Tally};
use crate::task::operator::OperatorTask;
use crate::task::sink::SinkTask;
use crate::task::source::SourceTask;
use crate::task::{Commands, Report, Reports, TaskId};
use crate::topology::{BranchPlan, Stage, Topology, is_blocking};

const REPORTS: usize = 1024;
/// How often a start reads the state again when a sink holds more than it knows of.
const LOOKS: u32 = 3;

/// How a run ended, and whether it got anywhere.
pub(crate) struct Attempted {
    pub result: Result<Outcome>,
    /// Epochs that it committed.
    pub epochs: u64,
    /// Its takeover is published.
    pub took_over: bool,
}

/// Runs a job once.
pub(crate) async fn attempt(
    job: &Arc<Job>,
    store: &Arc<dyn StateStore>,
    start: &Start,
    control: &Control,
    stats: &Arc<JobStats>,
    committed: &mut Committed,
) -> Attempted {
    let mut took_over = false;
    let mut opening = Opening {
        job,
        store,
        start,
        control,
        stats,
        committed,
        took_over: &mut took_over,
        looks_left: LOOKS,
    };
    // Opening may hang on a system that does not answer; it is as safe to drop as the process is to kill.
    let opened = tokio::select! {
        opened = open(&mut opening, stats) => opened,
        () = stopped_for(control, job.checkpoint.stop_within) => {
            Ok(Opened::Ended(Outcome::Stopped { epoch: None, resumable: true }))
        }
    };
    match opened {
        Err(error) => Attempted { result: Err(error), epochs: 0, took_over },
        Ok(Opened::Ended(outcome)) => Attempted { result: Ok(outcome), epochs: 0, took_over },
        Ok(Opened::Running(setup)) => {
            let mut coordinator = Coordinator::new(*setup, committed);
            let result = coordinator.run().await;
            stats.ready.store(false, Ordering::Relaxed);
            Attempted { result, epochs: coordinator.epochs_done(), took_over }
        }
    }
}

/// What came of opening a run.
enum Opened {
    Running(Box<Setup>),
    Ended(Outcome),
}

async fn open(opening: &mut Opening<'_>, stats: &Arc<JobStats>) -> Result<Opened> {
    match opening.take_over().await? {
        TakenOver::Finished(epoch) => Ok(Opened::Ended(Outcome::Finished { epoch })),
        TakenOver::Owned(owned) => {
            let setup = Run::start(opening.job, *owned, stats, opening.control).await?;
            Ok(Opened::Running(Box::new(setup)))
        }
    }
}

/// Everything that is needed while tasks are made.
struct Run<'a> {
    job: &'a Job,
    stats: &'a Arc<JobStats>,
    topology: Topology,
    owned: Owned,
    limits: Arc<Limits>,
    /// By edge, by producing subtask: the senders to the consuming subtasks.
    senders: Vec<Vec<Option<Vec<Sender>>>>,
    /// By stage, by subtask.
    inputs: Vec<Vec<Vec<GateInput>>>,
    letters: Vec<GateInput>,
    reports: Reports,
    tasks: JoinSet<Result<()>>,
    task_ids: BTreeSet<TaskId>,
    commands: Commands,
}

impl<'a> Run<'a> {
    async fn start(job: &'a Job, owned: Owned, stats: &'a Arc<JobStats>, control: &Control) -> Result<Setup> {
        let (reports, report_receiver) = mpsc::channel(REPORTS);
        let run = Self {
            job,
            stats,
            topology: Topology::of(job, &owned.tables),
            limits: limits(job, &owned),
            owned,
            senders: Vec::new(),
            inputs: Vec::new(),
            letters: Vec::new(),
            reports: Reports(reports),
            tasks: JoinSet::new(),
            task_ids: BTreeSet::new(),
            commands: Commands::default(),
        };
        run.spawn_all(control, report_receiver).await
    }

    async fn spawn_all(mut self, control: &Control, reports: mpsc::Receiver<Report>) -> Result<Setup> {
        for node in &self.stats.nodes {
            node.channel_capacity.store(0, Ordering::Relaxed);
            node.channel_bytes.store(0, Ordering::Relaxed);
        }
        self.connect();
        let stages = std::mem::take(&mut self.topology.stages);
        for (index, stage) in stages.iter().enumerate() {
            for subtask in 0..stage.parallelism {
                self.spawn(index, stage, subtask).await?;
            }
        }
        self.spawn_dead_letter_sink();
        let has_blocking = self.job.nodes.iter().any(|node| is_blocking(&node.kind));
        let body = self.owned.resumed.as_ref().map(|manifest| &manifest.body);
        Ok(Setup {
            checkpoint: self.job.checkpoint,
            has_blocking,
            limits: Arc::clone(&self.limits),
            participants: participants(self.job, &stages, &self.owned.sinks),
            schemas: stored_schemas(self.job, &self.owned),
            sources: source_splits(self.job, &stages, &self.owned),
            rows_read_before: body.map_or(0, |body| body.rows_read),
            dead_lettered_before: body.map_or(0, |body| body.dead_lettered),
            task_ids: self.task_ids,
            commands: self.commands,
            reports,
            tasks: self.tasks,
            store: Some(self.owned.store),
            control: control.clone(),
            stats: Arc::clone(self.stats),
        })
    }

    /// Makes the channels of every edge.
    fn connect(&mut self) {
        let bytes = self.job.flow.channel_bytes;
        self.inputs = self.topology.stages.iter().map(|stage| gates(stage.parallelism)).collect();
        for edge in &self.topology.edges {
            let (from, to) = (&self.topology.stages[edge.from], &self.topology.stages[edge.to]);
            let consumer = &self.stats.nodes[to.node];
            let forward = matches!(edge.routing, crate::shuffle::Routing::Forward);
            let mut of_edge = Vec::new();
            for producer in 0..from.parallelism {
                let targets = if forward { producer..producer + 1 } else { 0..to.parallelism };
                let mut senders = Vec::new();
                for target in targets {
                    let (sender, receiver) = channel(bytes, consumer);
                    senders.push(sender);
                    self.inputs[edge.to][target].push(GateInput { receiver, port: edge.port });
                }
                of_edge.push(Some(senders));
            }
            self.senders.push(of_edge);
        }
    }

    async fn spawn(&mut self, index: usize, stage: &Stage, subtask: usize) -> Result<()> {
        let node = &self.job.nodes[stage.node];
        let id = self.task_id(stage.node, subtask);
        let tally = Tally::new(stage.node, &self.stats.nodes[stage.node]);
        let letters = self.letters_port();
        let reports = self.reports.clone();
        let inputs = std::mem::take(&mut self.inputs[index][subtask]);
        match &node.kind {
            NodeKind::Source(source) => {
                let (sender, commands) = mpsc::unbounded_channel();
                self.commands.0.insert(id, sender);
                let context = self.reader_context(stage, subtask);
                let emitter = self.emitter(stage, subtask, letters)?;
                let (source, rate) = (Arc::clone(source), node.rate);
                let task = SourceTask { id, source, context, rate, emitter, tally, commands, reports };
                self.tasks.spawn(task.run());
            }
            NodeKind::Transform(transform) => {
                let context = self.operator_context(stage, subtask).await?;
                let emitter = self.emitter(stage, subtask, letters)?;
                let (transform, gate) = (Arc::clone(transform), Gate::new(inputs));
                let task = OperatorTask { id, transform, context, gate, emitter, tally, reports };
                self.tasks.spawn(task.run());
            }
            NodeKind::Sink(_) => {
                let place = self.owned.sinks.iter().position(|place| place.node == stage.node);
                if let Some(place) = place {
                    let gate = Gate::new(inputs);
                    let (subtask, parallelism) = (subtask_number(subtask), subtask_number(stage.parallelism));
                    self.spawn_sink(id, place, subtask, parallelism, gate, letters);
                }
            }
        }
        Ok(())
    }

    fn task_id(&mut self, node: usize, subtask: usize) -> TaskId {
        let id = TaskId { node, subtask: subtask_number(subtask) };
        self.task_ids.insert(id);
        id
    }

    fn spawn_sink(
        &mut self,
        id: TaskId,
        place: usize,
        subtask: u32,
        parallelism: u32,
        gate: Gate,
        letters: Port,
    ) {
        let place = &self.owned.sinks[place];
        let restored = match &self.owned.resumed {
            Some(manifest) => writers_states(manifest, &place.id, subtask, parallelism),
            None => Vec::new(),
        };
        let context = WriterContext {
            sink: sink_context(self.job, place, &self.owned.store.state),
            subtask,
            parallelism,
            restored,
        };
        let task = SinkTask {
            id,
            sink: Arc::clone(&place.sink),
            context,
            gate,
            letters,
            is_dead_letter_sink: place.node == self.job.nodes.len(),
            tally: Tally::new(place.node, &self.stats.nodes[place.node]),
            reports: self.reports.clone(),
        };
        self.tasks.spawn(task.run());
    }

    /// The dead-letter sink reads from every other task.
    fn spawn_dead_letter_sink(&mut self) {
        let node = self.job.nodes.len();
        let Some(place) = self.owned.sinks.iter().position(|place| place.node == node) else { return };
        let gate = Gate::new(std::mem::take(&mut self.letters));
        let id = self.task_id(node, 0);
        self.spawn_sink(id, place, 0, 1, gate, Port::Stop);
    }

    /// A way to the dead-letter sink for one more task.
    fn letters_port(&mut self) -> Port {
        if self.job.dead_letter.is_none() {
            return Port::new(None, &self.limits);
        }
        let consumer = &self.stats.nodes[self.job.nodes.len()];
        let (sender, receiver): (Sender, Receiver) = channel(self.job.flow.channel_bytes, consumer);
        self.letters.push(GateInput { receiver, port: 0 });
        Port::new(Some(sender), &self.limits)
    }

    fn emitter(&mut self, stage: &Stage, subtask: usize, letters: Port) -> Result<Emitter> {
        let mut edges = Vec::new();
        let branches = self.branches(&stage.branches, subtask, &mut edges)?;
        Ok(Emitter { subtask, branches, edges, letters })
    }

    fn branches(
        &mut self,
        plans: &[BranchPlan],
        subtask: usize,
        edges: &mut Vec<EdgeOut>,
    ) -> Result<Vec<Branch>> {
        let mut branches = Vec::new();
        for plan in plans {
            match plan {
                BranchPlan::Edge(edge) => {
                    let senders = self.senders[*edge][subtask].take().unwrap_or_default();
                    let router = Router::new(self.topology.edges[*edge].routing.clone(), senders.len());
                    edges.push(EdgeOut { senders, router });
                    branches.push(Branch::Edge(edges.len() - 1));
                }
                BranchPlan::Map { node, branches: behind } => {
                    let spec = &self.job.nodes[*node];
                    let NodeKind::Transform(transform) = &spec.kind else { continue };
                    let step = MapStep {
                        id: Arc::from(spec.id.as_str()),
                        map: transform.map()?,
                        tally: Tally::new(*node, &self.stats.nodes[*node]),
                        branches: self.branches(behind, subtask, edges)?,
                    };
                    branches.push(Branch::Map(Box::new(step)));
                }
            }
        }
        Ok(branches)
    }

    fn reader_context(&self, stage: &Stage, subtask: usize) -> ReaderContext {
        let node = &self.job.nodes[stage.node];
        let stored = self.owned.resumed.as_ref().and_then(|manifest| manifest.body.schemas.get(&node.id));
        let schemas = stored.into_iter().flatten().cloned().map(Arc::new).collect();
        ReaderContext {
            job: self.job.name.clone(),
            node: node.id.clone(),
            subtask: subtask_number(subtask),
            parallelism: subtask_number(stage.parallelism),
            linger: self.job.flow.linger,
            batch_rows: pace::batch_rows(node.rate, self.job.flow.batch_rows),
            schemas,
        }
    }

    async fn operator_context(&mut self, stage: &Stage, subtask: usize) -> Result<OperatorContext> {
        let node = &self.job.nodes[stage.node];
        let record = self.owned.resumed.as_ref().and_then(|manifest| manifest.body.operators.get(&node.id));
        let restored = match record {
            Some(record) => {
                Some(snapshot::load(&self.owned.store.state, record, subtask, stage.parallelism).await?)
            }
            None => None,
        };
        Ok(OperatorContext {
            job: self.job.name.clone(),
            node: node.id.clone(),
            subtask: subtask_number(subtask),
            parallelism: subtask_number(stage.parallelism),
            inputs: node.inputs.iter().map(|&input| self.owned.tables[input].clone()).collect(),
            restored,
            memory_limit: self.job.flow.operator_memory,
            spill_dir: self.job.flow.spill_dir.clone(),
        })
    }
}

fn subtask_number(subtask: usize) -> u32 {
    u32::try_from(subtask).unwrap_or(u32::MAX)
}

fn gates(parallelism: usize) -> Vec<Vec<GateInput>> {
    (0..parallelism).map(|_| Vec::new()).collect()
}

/// What writers have left: each state to the writer of its number, or to the one that stands in for it.
fn writers_states(manifest: &Manifest, sink: &str, subtask: u32, parallelism: u32) -> Vec<Versioned> {
    let Some(state) = manifest.body.sinks.get(sink) else { return Vec::new() };
    let own = |(stored, _): &(&u32, &Versioned)| *stored % parallelism == subtask;
    state.writers.iter().filter(own).map(|(_, state)| state.clone()).collect()
}

fn stored_schemas(job: &Job, owned: &Owned) -> BTreeMap<usize, Tables> {
    let Some(manifest) = &owned.resumed else { return BTreeMap::new() };
    let of_node = |(index, node): (usize, &crate::job::Node)| {
        let stored = manifest.body.schemas.get(&node.id)?;
        let tables = stored.iter().map(|schema| (schema.id.clone(), Arc::new(schema.clone())));
        Some((index, tables.collect()))
    };
    job.nodes.iter().enumerate().filter_map(of_node).collect()
}

fn participants(job: &Job, stages: &[Stage], sinks: &[SinkPlace]) -> BTreeMap<usize, Participant> {
    let mut participants: BTreeMap<usize, Participant> = stages
        .iter()
        .map(|stage| (stage.node, Participant { id: job.nodes[stage.node].id.clone(), delivery: None }))
        .collect();
    for place in sinks {
        let delivery = Some(place.sink.delivery());
        participants.insert(place.node, Participant { id: place.id.clone(), delivery });
    }
    participants
}

fn source_splits(job: &Job, stages: &[Stage], owned: &Owned) -> Vec<SourceSplits> {
    let mut all = Vec::new();
    for stage in stages {
        let node = &job.nodes[stage.node];
        if let NodeKind::Source(source) = &node.kind {
            let restored = owned.resumed.as_ref().and_then(|manifest| manifest.body.sources.get(&node.id));
            let source = Arc::clone(source);
            all.push(SourceSplits::new(stage.node, node.plugin, source, stage.parallelism, restored));
        }
    }
    all
}

fn limits(job: &Job, owned: &Owned) -> Arc<Limits> {
    let body = owned.resumed.as_ref().map(|manifest| &manifest.body);
    Arc::new(Limits {
        job: job.name.clone(),
        max_records: job.dead_letter.as_ref().and_then(|options| options.max_records),
        max_ratio: job.dead_letter.as_ref().and_then(|options| options.max_ratio),
        given_up: AtomicU64::new(body.map_or(0, |body| body.dead_lettered)),
        last: Mutex::new(None),
    })
}
