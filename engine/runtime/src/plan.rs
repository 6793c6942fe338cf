//! What a job will do, for `seatun plan` and before a run: the tables on each edge, how rows are
//! distributed, and what is guaranteed from end to end.

use std::collections::BTreeMap;
use std::sync::Arc;

use seatun_api::{Boundedness, Delivery, Error, JobMode, Result, TableSchema};

use crate::codes;
use crate::job::{Job, NodeKind};
use crate::shuffle::Routing;
use crate::stats::NodeRole;
use crate::topology::{Topology, is_blocking, is_map, parallelism};

/// A node as a person wants to see it.
#[derive(Clone, Debug)]
pub struct NodeDescription {
    /// Its id.
    pub id: String,
    /// Its plugin.
    pub plugin: &'static str,
    /// What it is.
    pub role: NodeRole,
    /// How many subtasks it really has.
    pub parallelism: usize,
    /// Where its rows come from.
    pub inputs: Vec<InputDescription>,
    /// The tables that come out of it; of a sink, those that go in.
    pub tables: Vec<Arc<TableSchema>>,
    /// Of a sink, what it guarantees.
    pub delivery: Option<Delivery>,
    /// It reads all its input before it gives the last of its output: no checkpoint before that.
    pub blocking: bool,
}

/// An input of a node.
#[derive(Clone, Debug)]
pub struct InputDescription {
    /// The id of the node that it reads from.
    pub from: String,
    /// How rows come to the subtasks.
    pub distribution: Distribution,
}

/// How rows come to the subtasks of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// In the task of the node before.
    Chained,
    /// Subtask n feeds subtask n.
    Forward,
    /// All rows of a split to one subtask.
    BySplit,
    /// All rows of a key to one subtask; the columns' names.
    ByKey(String),
}

/// What is guaranteed from end to end.
#[derive(Clone, Debug)]
pub struct Guarantee {
    /// The weakest of the sinks.
    pub delivery: Delivery,
    /// The node that limits it, unless it is exactly-once.
    pub limited_by: Option<String>,
    /// Why, in one sentence.
    pub reason: String,
}

/// The tables that come out of each node, in the order of the nodes; of a sink, those that go in.
///
/// # Errors
/// If a source cannot tell its tables, a transform cannot work on them, or a sink cannot write them.
pub async fn resolve_tables(job: &Job) -> Result<Vec<Vec<Arc<TableSchema>>>> {
    resolve_from(job, &BTreeMap::new()).await
}

/// The same, where sources have the schemas that a checkpoint has stored for them, if those are newer.
pub(crate) async fn resolve_from(
    job: &Job,
    stored: &BTreeMap<String, Vec<TableSchema>>,
) -> Result<Vec<Vec<Arc<TableSchema>>>> {
    let mut tables: Vec<Vec<Arc<TableSchema>>> = Vec::with_capacity(job.nodes.len());
    for node in &job.nodes {
        let inputs: Vec<Vec<Arc<TableSchema>>> =
            node.inputs.iter().map(|&input| tables[input].clone()).collect();
        let output: Result<Vec<Arc<TableSchema>>> = match &node.kind {
            NodeKind::Source(source) => {
                let known = stored.get(&node.id).map(Vec::as_slice).unwrap_or_default();
                source.tables().await.map(|tables| newest(tables, known))
            }
            NodeKind::Transform(transform) => {
                transform.output_tables(&inputs).map(|tables| tables.into_iter().map(Arc::new).collect())
            }
            NodeKind::Sink(sink) => {
                let all: Vec<Arc<TableSchema>> = inputs.into_iter().flatten().collect();
                sink.accepts(&all).map(|()| all)
            }
        };
        tables.push(output.map_err(|error| error.with("node", &node.id))?);
    }
    Ok(tables)
}

fn newest(tables: Vec<TableSchema>, known: &[TableSchema]) -> Vec<Arc<TableSchema>> {
    let newer = |table: TableSchema| {
        let stored = known.iter().find(|stored| stored.id == table.id && stored.version > table.version);
        Arc::new(stored.cloned().unwrap_or(table))
    };
    tables.into_iter().map(newer).collect()
}

/// Checks what only the built nodes can tell.
///
/// # Errors
/// If a batch job has a source that never ends, or the dead-letter sink cannot take the records.
pub fn check(job: &Job) -> Result<()> {
    if let Some(letters) = &job.dead_letter {
        let records = [Arc::new(crate::dead_letter::schema())];
        letters.sink.accepts(&records).map_err(|error| error.with("node", &letters.id))?;
    }
    for node in &job.nodes {
        if let NodeKind::Source(source) = &node.kind
            && job.mode == JobMode::Batch
            && source.boundedness() == Boundedness::Unbounded
        {
            return Err(Error::user(codes::UNBOUNDED_IN_BATCH, "a batch job has a source that never ends")
                .with_hint("set job.mode = STREAMING, or bound the source")
                .with("node", &node.id));
        }
    }
    Ok(())
}

/// Describes each node, given the tables of [`resolve_tables`].
#[must_use]
pub fn describe(job: &Job, tables: &[Vec<Arc<TableSchema>>]) -> Vec<NodeDescription> {
    let topology = Topology::of(job, tables);
    job.nodes
        .iter()
        .enumerate()
        .map(|(index, node)| NodeDescription {
            id: node.id.clone(),
            plugin: node.plugin,
            role: role(&node.kind),
            parallelism: parallelism(job, index),
            inputs: node
                .inputs
                .iter()
                .enumerate()
                .map(|(port, &input)| InputDescription {
                    from: job.nodes[input].id.clone(),
                    distribution: distribution(job, &topology, index, port),
                })
                .collect(),
            tables: tables[index].clone(),
            delivery: match &node.kind {
                NodeKind::Sink(sink) => Some(sink.delivery()),
                _ => None,
            },
            blocking: is_blocking(&node.kind),
        })
        .collect()
}

fn distribution(job: &Job, topology: &Topology, node: usize, port: usize) -> Distribution {
    if is_map(&job.nodes[node].kind) {
        return Distribution::Chained;
    }
    let is_sink = matches!(job.nodes[node].kind, NodeKind::Sink(_));
    let stage = topology.stages.iter().position(|stage| stage.node == node);
    let mut edges = topology.edges.iter().filter(|edge| Some(edge.to) == stage);
    // The edges into a sink are in the order of its inputs, all on one port.
    let edge = if is_sink { edges.nth(port) } else { edges.find(|edge| edge.port == port) };
    match edge {
        Some(edge) => match (&edge.routing, &edge.keys) {
            (Routing::ByKey(_), keys) => Distribution::ByKey(keys.clone().unwrap_or_default()),
            (Routing::Forward, _) => Distribution::Forward,
            (Routing::BySplit, _) => Distribution::BySplit,
        },
        None => Distribution::Forward,
    }
}

/// What a node counts as.
pub(crate) fn role(kind: &NodeKind) -> NodeRole {
    match kind {
        NodeKind::Source(_) => NodeRole::Source,
        NodeKind::Sink(_) => NodeRole::Sink,
        NodeKind::Transform(_) if is_map(kind) => NodeRole::Map,
        NodeKind::Transform(_) => NodeRole::Operator,
    }
}

/// What is guaranteed from end to end: every source can be read again from a stored position, so the
/// weakest sink decides.
#[must_use]
pub fn guarantee(job: &Job) -> Guarantee {
    let weakest = job
        .nodes
        .iter()
        .filter_map(|node| match &node.kind {
            NodeKind::Sink(sink) => Some((sink.delivery(), node)),
            _ => None,
        })
        .min_by_key(|(delivery, _)| *delivery);
    let (delivery, node) = match weakest {
        Some((delivery, node)) => (delivery, Some(node)),
        None => (Delivery::AtLeastOnce, None),
    };
    let id = node.map(|node| node.id.clone());
    let reason = match (delivery, node) {
        (Delivery::ExactlyOnce, _) => "every source is read again from the stored position, and every sink \
             shows an epoch's rows by one commit that can be repeated"
            .to_owned(),
        (Delivery::Idempotent, Some(node)) => format!(
            "after a failure {} writes the rows of the open epoch again, which changes nothing",
            node.plugin
        ),
        (Delivery::AtLeastOnce, Some(node)) => format!(
            "{} shows rows as they are written: after a failure those of the open epoch come again",
            node.plugin
        ),
        (_, None) => "the job has no sink".to_owned(),
    };
    Guarantee { delivery, limited_by: id.filter(|_| delivery != Delivery::ExactlyOnce), reason }
}
