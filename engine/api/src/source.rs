//! What a source connector implements.
//!
//! A source is planned into [`Split`]s by one planner and read by one or more [`Reader`]s. It knows nothing
//! of barriers: rows are emitted with the range of positions they span, and what has been emitted when the
//! runtime takes a checkpoint *is* the source's state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::batch::Batch;
use crate::element::{Epoch, Watermark};
use crate::error::Result;
use crate::position::{Position, PositionDelta, Split, SplitId};
use crate::reject::Reject;
use crate::schema_change::SchemaChange;
use crate::table::TableSchema;
use crate::versioned::Versioned;

/// Whether a source ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundedness {
    /// It ends when its splits are read.
    Bounded,
    /// It never ends.
    Unbounded,
}

/// What the planner is told.
pub struct PlanRequest<'a> {
    /// What the planner itself gave as [`SplitPlan::state`] the last time; `None` at the first start.
    pub state: Option<&'a Versioned>,
    /// The splits that were handed out and are not finished, with their positions as of the last
    /// checkpoint.
    pub active: &'a BTreeMap<SplitId, Split>,
}

/// What there is to read beside what is read already.
#[derive(Debug, Default)]
pub struct SplitPlan {
    /// New splits, in the order in which they shall be started.
    pub add: Vec<Split>,
    /// No further split will ever come. A bounded source must say so in the end.
    pub complete: bool,
    /// What the planner wants back at the next call, also after a restart. It is stored in the same
    /// checkpoint as the splits that it accounts for.
    pub state: Option<Versioned>,
}

/// A source, built from its config. `build` may do I/O; tasks may only be spawned by a reader.
#[async_trait]
pub trait Source: Send + Sync {
    /// Whether it ends. In a batch job every source must be bounded.
    fn boundedness(&self) -> Boundedness;

    /// The tables it will emit, as far as the config alone tells: no I/O. Used by `check` and `plan`.
    fn declared_tables(&self) -> Option<Vec<TableSchema>>;

    /// The tables it will emit; may ask the system.
    async fn tables(&self) -> Result<Vec<TableSchema>> {
        self.declared_tables().ok_or_else(|| {
            crate::Error::internal(
                crate::error::codes::INTERNAL,
                "a source neither declares nor finds its tables",
            )
        })
    }

    /// Whether the system can be reached and read, in one line for `check --connect`.
    async fn probe(&self) -> Result<String>;

    /// Finds splits. Called at start, again until `complete` for a bounded source, and every
    /// [`discovery_interval`](Self::discovery_interval) otherwise. One call at a time.
    async fn plan(&self, request: PlanRequest<'_>) -> Result<SplitPlan>;

    /// How often to look for new splits while running; `None` for never.
    fn discovery_interval(&self) -> Option<Duration> {
        None
    }

    /// How many splits one reader is given at a time; `None` for all at once, which is for splits that
    /// never end.
    fn splits_per_reader(&self) -> Option<usize> {
        None
    }

    /// Opens a reader.
    async fn reader(&self, context: ReaderContext) -> Result<Box<dyn Reader>>;

    /// The epoch is committed in every sink: rows up to these positions will never be asked for again.
    /// Advisory: a failure is reported and made good by the next epoch.
    async fn committed(&self, _epoch: Epoch, _positions: &BTreeMap<SplitId, Position>) -> Result<()> {
        Ok(())
    }
}

/// What a reader is told when it opens.
#[derive(Clone, Debug)]
pub struct ReaderContext {
    /// The job's name.
    pub job: String,
    /// The node's id.
    pub node: String,
    /// Number of the reader, from 0.
    pub subtask: u32,
    /// How many readers the node has.
    pub parallelism: u32,
    /// How long [`Reader::next`] may wait for rows.
    pub linger: Duration,
    /// How many rows a batch should have at most.
    pub batch_rows: usize,
    /// The schemas that the tables had at the positions that are resumed from; empty at the first start.
    pub schemas: Vec<Arc<TableSchema>>,
}

/// What [`Reader::next`] has done.
#[derive(Debug, PartialEq, Eq)]
pub enum ReadStatus {
    /// There may be more at once.
    More,
    /// Nothing to read at the moment: ask again later.
    Idle,
    /// These splits are read to their end. The others may have more at once.
    SplitsFinished(Vec<SplitId>),
}

/// Reads splits, each from its position on, in order.
#[async_trait]
pub trait Reader: Send {
    /// Emits some rows. Returns within the context's `linger` if there are none, so that a checkpoint is
    /// not held up; it is never dropped half-way except when the job is aborted. Must not be called
    /// without splits.
    async fn next(&mut self, out: &mut dyn SourceOutput) -> Result<ReadStatus>;

    /// Takes on more splits, each at its position.
    async fn add_splits(&mut self, splits: Vec<Split>) -> Result<()>;

    /// How far behind the source's end this reader is, if it knows: (rows, seconds).
    fn lag(&self) -> Option<Lag> {
        None
    }
}

/// How far a reader is behind the end of what it reads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lag {
    /// Rows or messages not read yet.
    pub rows: Option<u64>,
    /// Age of the last row read, in seconds.
    pub seconds: Option<f64>,
    /// Bytes not read yet.
    pub bytes: Option<u64>,
}

/// Where a reader puts what it has read. Each call may wait for room downstream.
#[async_trait]
pub trait SourceOutput: Send {
    /// Emits rows that span `delta`. `delta.from` must be where the split was left.
    async fn emit(&mut self, batch: Batch, delta: PositionDelta) -> Result<()>;

    /// Advances a split without rows: everything up to `delta.to` was read and is to be skipped.
    async fn advance(&mut self, delta: PositionDelta) -> Result<()>;

    /// Gives up one row. It counts as read: it must lie within the range of an `emit` or `advance` of the
    /// same split that follows in the same call of [`Reader::next`], so that no checkpoint comes between.
    async fn reject(&mut self, reject: Reject) -> Result<()>;

    /// The rows that follow have another schema. Closes the epoch: rows before and after are never
    /// committed together.
    async fn schema_change(&mut self, change: SchemaChange, at: PositionDelta) -> Result<()>;

    /// Event time has come so far in this split.
    async fn watermark(&mut self, split: &SplitId, watermark: Watermark) -> Result<()>;
}
