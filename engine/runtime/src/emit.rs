//! The output side of a task: the maps chained behind it, and the channels behind those.

use std::sync::Arc;
use std::time::Instant;

use seatun_api::{
    Barrier, Batch, Element, Map, Reject, Result, SchemaChange, TableId, TableSchema, Watermark,
};

use crate::channel::Sender;
use crate::dead_letter::Port;
use crate::shuffle::Router;
use crate::tally::{Counts, Tally};

/// What follows a node inside its task.
pub(crate) enum Branch {
    /// A transform that runs in this task, and what follows it.
    Map(Box<MapStep>),
    /// The channels of an edge, by index into [`Emitter::edges`].
    Edge(usize),
}

/// A transform that runs in the task of the node before it.
pub(crate) struct MapStep {
    pub id: Arc<str>,
    pub map: Box<dyn Map>,
    pub tally: Tally,
    pub branches: Vec<Branch>,
}

/// An edge to the subtasks of another node.
pub(crate) struct EdgeOut {
    pub senders: Vec<Sender>,
    pub router: Router,
}

/// Everything behind one task.
pub(crate) struct Emitter {
    pub subtask: usize,
    pub branches: Vec<Branch>,
    pub edges: Vec<EdgeOut>,
    pub letters: Port,
}

/// What the maps have made of one input.
#[derive(Default)]
struct Made {
    batches: Vec<(usize, Batch)>,
    changes: Vec<(usize, Arc<SchemaChange>)>,
    rejects: Vec<(Arc<str>, Reject)>,
}

impl Emitter {
    /// Runs a batch through the maps and sends what comes out.
    pub async fn batch(&mut self, batch: Batch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut made = Made::default();
        map_batch(&mut self.branches, batch, &mut made)?;
        self.deliver(made).await
    }

    /// Tells of another schema, as the maps pass it on.
    pub async fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<()> {
        let mut made = Made::default();
        map_change(&mut self.branches, &change, &mut made)?;
        self.deliver(made).await
    }

    async fn deliver(&mut self, made: Made) -> Result<()> {
        for (node, reject) in made.rejects {
            self.letters.reject(&node, reject).await?;
        }
        for (edge, batch) in made.batches {
            let edge = &mut self.edges[edge];
            for (target, part) in edge.router.route(self.subtask, batch)? {
                edge.senders[target].send(Element::Batch(part)).await;
            }
        }
        for (edge, change) in made.changes {
            for sender in &self.edges[edge].senders {
                sender.send(Element::SchemaChange(Arc::clone(&change))).await;
            }
        }
        Ok(())
    }

    /// Tells of event time.
    pub async fn watermark(&mut self, watermark: Watermark) {
        self.broadcast(|| Element::Watermark(watermark)).await;
    }

    /// Ends the epoch.
    pub async fn barrier(&mut self, barrier: Barrier) -> Result<()> {
        self.broadcast(|| Element::Barrier(barrier)).await;
        self.letters.barrier(barrier).await
    }

    /// Ends the input.
    pub async fn end(&mut self) -> Result<()> {
        self.broadcast(|| Element::EndOfInput).await;
        self.letters.end().await
    }

    async fn broadcast(&mut self, element: impl Fn() -> Element + Send) {
        for sender in self.edges.iter_mut().flat_map(|edge| &mut edge.senders) {
            sender.send(element()).await;
        }
    }

    /// The maps' counts of the epoch.
    pub fn take_counts(&mut self, into: &mut Vec<(usize, Counts)>) {
        take_counts(&mut self.branches, into);
    }
}

fn map_batch(branches: &mut [Branch], batch: Batch, made: &mut Made) -> Result<()> {
    let Some((last, others)) = branches.split_last_mut() else { return Ok(()) };
    for branch in others {
        one_branch(branch, batch.clone(), made)?;
    }
    one_branch(last, batch, made)
}

fn one_branch(branch: &mut Branch, batch: Batch, made: &mut Made) -> Result<()> {
    let step = match branch {
        Branch::Edge(edge) => {
            made.batches.push((*edge, batch));
            return Ok(());
        }
        Branch::Map(step) => step,
    };
    let started = Instant::now();
    let rows = batch.num_rows() as u64;
    step.tally.batch_in(rows, batch.memory_size() as u64);
    let mut rejects = Vec::new();
    let output = step.map.map(batch, &mut rejects).map_err(|error| error.with("node", &step.id))?;
    step.tally.stats.busy_nanos.add(elapsed_nanos(started));
    let given_up = rejects.len() as u64;
    let rows_out = output.as_ref().map_or(0, |output| output.num_rows() as u64);
    step.tally.dead_lettered(given_up);
    step.tally.filtered(rows.saturating_sub(rows_out + given_up));
    made.rejects.extend(rejects.into_iter().map(|reject| (Arc::clone(&step.id), reject)));
    match output {
        Some(output) if rows_out > 0 => {
            step.tally.rows_out(rows_out, output.memory_size() as u64);
            map_batch(&mut step.branches, output, made)
        }
        _ => Ok(()),
    }
}

fn map_change(branches: &mut [Branch], change: &Arc<SchemaChange>, made: &mut Made) -> Result<()> {
    for branch in branches {
        match branch {
            Branch::Edge(edge) => made.changes.push((*edge, Arc::clone(change))),
            Branch::Map(step) => {
                let change = step.map.schema_change(Arc::clone(change));
                if let Some(change) = change.map_err(|error| error.with("node", &step.id))? {
                    map_change(&mut step.branches, &change, made)?;
                }
            }
        }
    }
    Ok(())
}

fn take_counts(branches: &mut [Branch], into: &mut Vec<(usize, Counts)>) {
    for branch in branches {
        if let Branch::Map(step) = branch {
            into.push(step.tally.take());
            take_counts(&mut step.branches, into);
        }
    }
}

/// Time since `started` in nanoseconds.
pub(crate) fn elapsed_nanos(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The newest schema of each table that a task has met, for the manifest.
#[derive(Default)]
pub(crate) struct Schemas(std::collections::BTreeMap<TableId, Arc<TableSchema>>);

impl Schemas {
    /// Notes the schema of rows that passed.
    pub fn note(&mut self, table: &Arc<TableSchema>) {
        match self.0.get(&table.id) {
            Some(known) if Arc::ptr_eq(known, table) || known.version > table.version => {}
            _ => {
                self.0.insert(table.id.clone(), Arc::clone(table));
            }
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<TableSchema>> {
        self.0.values().map(Arc::clone).collect()
    }
}
