//! The three kinds of tasks, and what they tell the coordinator.

pub(crate) mod operator;
pub(crate) mod sink;
pub(crate) mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use seatun_api::{
    Barrier, BarrierKind, Epoch, OperatorState, Position, Prepared, SchemaChange, Split, SplitId, TableSchema,
};
use tokio::sync::mpsc;

use crate::tally::Counts;

/// What the coordinator asks of a source task.
#[derive(Debug)]
pub(crate) enum SourceCommand {
    /// Read these too.
    AddSplits(Vec<Split>),
    /// End the epoch here.
    Barrier(Barrier),
    /// Every split is read: tell the nodes downstream. Barriers still come.
    Finish,
}

/// The coordinator's way to the source tasks. Unbounded, so that the coordinator never waits for a task: what
/// is sent is in its memory anyway. A task that is gone has failed; its error comes by another way, so what
/// it cannot be told is of no concern.
#[derive(Default)]
pub(crate) struct Commands(pub BTreeMap<TaskId, mpsc::UnboundedSender<SourceCommand>>);

impl Commands {
    /// To one subtask of a node.
    pub fn to_one(&self, node: usize, subtask: usize, command: SourceCommand) {
        let subtask = u32::try_from(subtask).unwrap_or(u32::MAX);
        if let Some(sender) = self.0.get(&TaskId { node, subtask }) {
            let _ = sender.send(command);
        }
    }

    /// To all subtasks of a node.
    pub fn to_node(&self, node: usize, command: impl Fn() -> SourceCommand) {
        for (_, sender) in self.0.iter().filter(|(task, _)| task.node == node) {
            let _ = sender.send(command());
        }
    }

    /// To all source tasks.
    pub fn to_all(&self, command: impl Fn() -> SourceCommand) {
        for sender in self.0.values() {
            let _ = sender.send(command());
        }
    }
}

/// Names a subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TaskId {
    /// The node's index in the job.
    pub node: usize,
    pub subtask: u32,
}

/// What a task tells the coordinator.
#[derive(Debug)]
pub(crate) enum Report {
    /// Reader and writers are open.
    Opened,
    /// These splits are read to their end.
    SplitsFinished(TaskId, Vec<SplitId>),
    /// A source met a schema change and waits for the epoch to end.
    CheckpointWanted,
    /// A task's part of an epoch.
    Ack(Box<Ack>),
}

/// A task's part of an epoch.
#[derive(Debug)]
pub(crate) struct Ack {
    pub task: TaskId,
    pub epoch: Epoch,
    /// By node, of the task's own and of the maps chained behind it.
    pub counts: Vec<(usize, Counts)>,
    pub part: Part,
}

/// What a task's part of an epoch is.
#[derive(Debug)]
pub(crate) enum Part {
    /// How far a source has been read.
    Source(SourcePart),
    /// The state of an operator.
    Operator(OperatorState),
    /// What a sink has prepared.
    Sink(SinkPart),
}

/// How far a subtask of a source has been read.
#[derive(Debug, Default)]
pub(crate) struct SourcePart {
    /// Of the splits it reads; `None` for one it has not begun.
    pub positions: BTreeMap<SplitId, Option<Position>>,
    /// Splits that it finished in this epoch.
    pub finished: Vec<SplitId>,
    /// Schemas of the rows it emitted.
    pub schemas: Vec<Arc<TableSchema>>,
}

/// What a subtask of a sink has prepared.
#[derive(Debug)]
pub(crate) struct SinkPart {
    pub prepared: Prepared,
    pub changes: Vec<Arc<SchemaChange>>,
}

/// The tasks' way to the coordinator.
#[derive(Clone)]
pub(crate) struct Reports(pub mpsc::Sender<Report>);

impl Reports {
    /// Tells the coordinator. If it is gone the job is ending, and so will this task: never returns then.
    pub async fn send(&self, report: Report) {
        if self.0.send(report).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Whether the task ends with this barrier.
pub(crate) fn is_last(barrier: Barrier) -> bool {
    matches!(barrier.kind, BarrierKind::Stop | BarrierKind::Final)
}
