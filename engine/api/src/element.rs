//! What flows on a channel between two tasks, in order.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::schema_change::SchemaChange;

/// Number of a checkpoint of a job, counted from 1 over all its runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a run of a job: each start and each restart claims the next one. A process that meets a
/// younger generation than its own has been replaced and stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// "No row with an earlier event time will follow."
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Watermark {
    /// Event time in microseconds since 1970-01-01T00:00:00Z.
    At(i64),
    /// The input is idle and does not hold others back.
    Idle,
}

/// Separates the rows of one epoch from those of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Barrier {
    /// The epoch that ends here.
    pub epoch: Epoch,
    /// Why it ends.
    pub kind: BarrierKind,
}

/// Why a checkpoint is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BarrierKind {
    /// The regular interval.
    Checkpoint,
    /// The job stops after this one and can go on from it.
    Stop,
    /// Every input has ended.
    Final,
}

/// One element of a channel.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every element is a batch; a box would cost each one")]
pub enum Element {
    /// Rows.
    Batch(Batch),
    /// Progress of event time.
    Watermark(Watermark),
    /// The rows that follow have another schema.
    SchemaChange(Arc<SchemaChange>),
    /// The end of an epoch.
    Barrier(Barrier),
    /// No more rows will come; only barriers may follow.
    EndOfInput,
}
