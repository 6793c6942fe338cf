//! The vocabulary of seatun: what flows between nodes, what a connector and a transform implement, and
//! how either is registered and configured.
//!
//! This crate has no runtime, no object store and no query engine: a connector depends on it (and on
//! `seatun-connector-common`) and on nothing else of the engine. The order of reading is
//! [`table`] → [`batch`] → [`source`] / [`transform`] / [`sink`] → [`registry`].
//!
//! A connector contains no concurrency protocol. It never sees a barrier: a reader is asked for rows and
//! says which positions they span, a writer is asked to prepare an epoch; the runtime owns every loop.

pub mod batch;
pub mod change;
pub mod config;
pub mod element;
pub mod error;
pub mod failpoint;
pub mod position;
pub mod registry;
pub mod reject;
pub mod schema_change;
pub mod secret;
pub mod sink;
pub mod source;
pub mod table;
pub mod transform;
pub mod versioned;

pub use batch::{Batch, Image};
pub use change::ChangeKind;
pub use element::{Barrier, BarrierKind, Element, Epoch, Generation, Watermark};
pub use error::{Blame, Code, Error, Result, Retry};
pub use position::{Position, PositionDelta, Split, SplitId};
pub use registry::{Registry, SinkEntry, SourceEntry, TransformEntry};
pub use reject::Reject;
pub use schema_change::{ColumnChange, SchemaChange};
pub use secret::Secret;
pub use sink::{Committer, Delivery, Prepared, Sink, SinkContext, SinkOutput, Writer, WriterContext};
pub use source::{
    Boundedness, PlanRequest, ReadStatus, Reader, ReaderContext, Source, SourceOutput, SplitPlan,
};
pub use table::{SchemaVersion, TableId, TableSchema};
pub use transform::{Map, MapOutput, Operator, OperatorState, Output, StateTable, Transform, TransformKind};
pub use versioned::Versioned;

/// Whether a job ends by itself when its sources are exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobMode {
    /// Ends when every source has been read to the end it had at start.
    Batch,
    /// Runs until it is stopped.
    Streaming,
}
