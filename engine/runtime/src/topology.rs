//! From the job's graph to stages and edges: which nodes share a task, and how rows are distributed.
//!
//! A map never has a task of its own: it runs inside every task that feeds it. Sources, operators and
//! sinks each are a stage of `parallelism` subtasks, with channels between them.

use std::sync::Arc;

use seatun_api::{Sink, TableSchema, TransformKind};

use crate::job::{Job, NodeKind};
use crate::shuffle::Routing;

/// A stage: one task for each of its subtasks.
pub(crate) struct Stage {
    /// The node that leads the stage; maps follow it in `branches`.
    pub node: usize,
    pub parallelism: usize,
    pub branches: Vec<BranchPlan>,
}

/// What follows a node inside its task.
pub(crate) enum BranchPlan {
    Map { node: usize, branches: Vec<BranchPlan> },
    Edge(usize),
}

/// Channels between the subtasks of two stages.
pub(crate) struct Edge {
    pub from: usize,
    pub to: usize,
    /// The port of the stage downstream.
    pub port: usize,
    pub routing: Routing,
    /// The key columns as a name for people, if rows go by key.
    pub keys: Option<String>,
}

/// A job as stages and edges.
pub(crate) struct Topology {
    pub stages: Vec<Stage>,
    pub edges: Vec<Edge>,
}

impl Topology {
    /// Lays a job out. `tables` are the tables that come out of each node.
    pub fn of(job: &Job, tables: &[Vec<Arc<TableSchema>>]) -> Self {
        let mut stages: Vec<Stage> = Vec::new();
        let mut stage_of_node: Vec<Option<usize>> = vec![None; job.nodes.len()];
        for (node, spec) in job.nodes.iter().enumerate() {
            if is_map(&spec.kind) {
                continue;
            }
            stage_of_node[node] = Some(stages.len());
            stages.push(Stage { node, parallelism: parallelism(job, node), branches: Vec::new() });
        }
        let mut layout = Layout { job, tables, stage_of_node, edges: Vec::new() };
        for index in 0..stages.len() {
            let branches = layout.branches(index, stages[index].node, &stages);
            stages[index].branches = branches;
        }
        Self { edges: layout.edges, stages }
    }
}

struct Layout<'a> {
    job: &'a Job,
    tables: &'a [Vec<Arc<TableSchema>>],
    stage_of_node: Vec<Option<usize>>,
    edges: Vec<Edge>,
}

impl Layout<'_> {
    /// Everything that reads from `node`, which runs in `stage`.
    fn branches(&mut self, stage: usize, node: usize, stages: &[Stage]) -> Vec<BranchPlan> {
        let mut branches = Vec::new();
        for (consumer, spec) in self.job.nodes.iter().enumerate() {
            for (port, _) in spec.inputs.iter().enumerate().filter(|(_, input)| **input == node) {
                branches.push(match self.stage_of_node[consumer] {
                    Some(to) => BranchPlan::Edge(self.edge(stage, to, port, node, stages)),
                    None => {
                        BranchPlan::Map { node: consumer, branches: self.branches(stage, consumer, stages) }
                    }
                });
            }
        }
        branches
    }

    fn edge(&mut self, from: usize, to: usize, port: usize, feeds: usize, stages: &[Stage]) -> usize {
        let consumer = &self.job.nodes[stages[to].node];
        let (routing, keys) = match &consumer.kind {
            NodeKind::Sink(sink) => {
                sink_routing(sink, &self.tables[feeds], stages[from].parallelism, stages[to].parallelism)
            }
            NodeKind::Transform(transform) => operator_routing(&transform.kind()),
            NodeKind::Source(_) => (Routing::Forward, None),
        };
        // A sink's inputs are a union: all feed its one port.
        let port = if matches!(consumer.kind, NodeKind::Sink(_)) { 0 } else { port };
        self.edges.push(Edge { from, to, port, routing, keys });
        self.edges.len() - 1
    }
}

/// Whether a node runs inside the tasks that feed it.
pub(crate) fn is_map(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Transform(transform) if transform.kind() == TransformKind::Map)
}

/// Whether a node reads all its input before it gives the last of its output.
pub(crate) fn is_blocking(kind: &NodeKind) -> bool {
    matches!(kind, NodeKind::Transform(transform) if transform.kind() == TransformKind::Blocking)
}

/// How many subtasks a node really has.
pub(crate) fn parallelism(job: &Job, node: usize) -> usize {
    let wanted = job.nodes[node].parallelism.max(1) as usize;
    match &job.nodes[node].kind {
        NodeKind::Transform(transform) => match transform.kind() {
            TransformKind::Stateful { keys } if !keys.is_empty() => wanted,
            TransformKind::Stateful { .. } | TransformKind::Blocking => 1,
            TransformKind::Map => {
                job.nodes[node].inputs.first().map_or(wanted, |&input| parallelism(job, input))
            }
        },
        NodeKind::Source(_) | NodeKind::Sink(_) => wanted,
    }
}

fn sink_routing(
    sink: &Arc<dyn Sink>,
    tables: &[Arc<TableSchema>],
    from: usize,
    to: usize,
) -> (Routing, Option<String>) {
    let keyed = tables.iter().find_map(|table| Some((table, sink.distribution(table)?)));
    match keyed {
        Some((table, columns)) if to > 1 => {
            let names: Vec<&str> =
                columns.iter().map(|&column| table.arrow.field(column).name().as_str()).collect();
            let sink = Arc::clone(sink);
            (Routing::ByKey(Arc::new(move |table| sink.distribution(table))), Some(names.join(", ")))
        }
        _ if from == to => (Routing::Forward, None),
        _ => (Routing::BySplit, None),
    }
}

fn operator_routing(kind: &TransformKind) -> (Routing, Option<String>) {
    match kind {
        TransformKind::Stateful { keys } if !keys.is_empty() => {
            let names = keys.join(", ");
            let keys = keys.clone();
            let columns = move |table: &TableSchema| {
                keys.iter().map(|key| table.arrow.index_of(key).ok()).collect::<Option<Vec<usize>>>()
            };
            (Routing::ByKey(Arc::new(columns)), Some(names))
        }
        _ => (Routing::BySplit, None),
    }
}
