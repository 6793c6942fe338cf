//! The parts of an epoch as the tasks give them, until all have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use seatun_api::error::codes::INTERNAL;
use seatun_api::{Barrier, Error, OperatorState, Result};
use seatun_state::SinkState;

use crate::tally::Counts;
use crate::task::{Ack, Part, SinkPart, SourcePart, TaskId};

/// An epoch that is under way.
pub(crate) struct Gather {
    pub barrier: Barrier,
    pub started: Instant,
    pub started_ms: i64,
    /// Reported as slow already.
    pub reported_slow: bool,
    missing: BTreeSet<TaskId>,
    pub counts: Vec<(usize, Counts)>,
    pub sources: Vec<(TaskId, SourcePart)>,
    pub operators: BTreeMap<usize, BTreeMap<u32, OperatorState>>,
    pub sinks: Vec<(TaskId, SinkPart)>,
}

impl Gather {
    /// Waits for these tasks.
    pub fn new(barrier: Barrier, tasks: BTreeSet<TaskId>, started_ms: i64) -> Self {
        Self {
            barrier,
            started: Instant::now(),
            started_ms,
            reported_slow: false,
            missing: tasks,
            counts: Vec::new(),
            sources: Vec::new(),
            operators: BTreeMap::new(),
            sinks: Vec::new(),
        }
    }

    /// Takes a task's part. True when it was the last one missing.
    pub fn ack(&mut self, ack: Ack) -> Result<bool> {
        if ack.epoch != self.barrier.epoch || !self.missing.remove(&ack.task) {
            return Err(Error::internal(INTERNAL, "a task answered an epoch that it was not asked for")
                .with("epoch", ack.epoch)
                .with("expected", self.barrier.epoch));
        }
        self.counts.extend(ack.counts);
        match ack.part {
            Part::Source(part) => self.sources.push((ack.task, part)),
            Part::Operator(state) => {
                self.operators.entry(ack.task.node).or_default().insert(ack.task.subtask, state);
            }
            Part::Sink(part) => self.sinks.push((ack.task, part)),
        }
        Ok(self.missing.is_empty())
    }

    /// The tasks that have not answered.
    pub fn missing(&self) -> &BTreeSet<TaskId> {
        &self.missing
    }
}

/// Adds one writer's part to what the manifest keeps of its sink.
pub(crate) fn add_sink_part(state: &mut SinkState, subtask: u32, part: SinkPart) {
    state.committables.extend(part.prepared.committables);
    if let Some(writer) = part.prepared.state {
        state.writers.insert(subtask, writer);
    }
    for change in part.changes {
        let known = state
            .schema_changes
            .iter()
            .any(|known| known.after.id == change.after.id && known.after.version >= change.after.version);
        if !known {
            state.schema_changes.push((*change).clone());
        }
    }
}
