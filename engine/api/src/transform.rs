//! What a transform implements.
//!
//! There are two kinds. A [`Map`] is pure and synchronous: one batch in, one or none out; it runs inside
//! the task of the node before it. An [`Operator`] has state, several inputs, or may hold rows back.

use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;

use crate::batch::Batch;
use crate::element::{Epoch, Watermark};
use crate::error::Result;
use crate::reject::Reject;
use crate::schema_change::SchemaChange;
use crate::table::TableSchema;
use crate::versioned::Versioned;

/// What a transform node is to the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransformKind {
    /// Pure, batch by batch.
    Map,
    /// With state that is part of each checkpoint; rows come by hash of these key columns, or all to one
    /// subtask if there are none.
    Stateful {
        /// Names of the key columns.
        keys: Vec<String>,
    },
    /// Reads all its input before it gives the last of its output, on one subtask. No checkpoint can be
    /// taken before its inputs have ended: after a failure the job begins again.
    Blocking,
}

/// A transform node, built from its config. Pure: it does no I/O.
pub trait Transform: Send + Sync {
    /// How the engine runs it.
    fn kind(&self) -> TransformKind;

    /// The tables that come out, given those that go into each input (port). Called by `check`, `plan` and
    /// at start, and again for each schema change.
    ///
    /// # Errors
    /// Says which option does not fit the tables.
    fn output_tables(&self, inputs: &[Vec<Arc<TableSchema>>]) -> Result<Vec<TableSchema>>;

    /// A fresh instance for one subtask. Only called if [`kind`](Self::kind) is [`TransformKind::Map`].
    ///
    /// # Errors
    /// If the transform is no map.
    fn map(&self) -> Result<Box<dyn Map>> {
        Err(not_of_this_kind("a map"))
    }

    /// A fresh or restored instance for one subtask. Only called if [`kind`](Self::kind) is another.
    ///
    /// # Errors
    /// If the transform is a map, or the restored state cannot be read.
    fn operator(&self, _context: OperatorContext) -> Result<Box<dyn Operator>> {
        Err(not_of_this_kind("an operator"))
    }
}

fn not_of_this_kind(what: &str) -> crate::Error {
    crate::Error::internal(crate::error::codes::INTERNAL, format!("the transform is not {what}"))
}

/// Batch by batch, with no state, clock or I/O.
pub trait Map: Send {
    /// Turns a batch into another, or into none. Rows that it leaves out on purpose count as filtered;
    /// rows that fail are pushed to `rejects`.
    ///
    /// # Errors
    /// For failures that are not one row's.
    fn map(&mut self, batch: Batch, rejects: &mut Vec<Reject>) -> Result<MapOutput>;

    /// The schema that the rows after an upstream change will have; `None` if the change does not show
    /// downstream.
    ///
    /// # Errors
    /// If the transform cannot work with the new schema.
    fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<Option<Arc<SchemaChange>>>;
}

/// What a [`Map`] makes of a batch.
pub type MapOutput = Option<Batch>;

/// What an operator is told when it opens.
pub struct OperatorContext {
    /// The job's name.
    pub job: String,
    /// The node's id.
    pub node: String,
    /// Number of the subtask, from 0.
    pub subtask: u32,
    /// How many subtasks the node has.
    pub parallelism: u32,
    /// The tables of each input, in the order of the node's `plugin_input`.
    pub inputs: Vec<Vec<Arc<TableSchema>>>,
    /// What the operator had snapshotted, of the key groups that are now this subtask's.
    pub restored: Option<OperatorState>,
    /// How many bytes of memory the operator may use before it must spill or fail.
    pub memory_limit: usize,
    /// A folder of this process for spilled data; created by who needs it, removed when the job ends.
    pub spill_dir: std::path::PathBuf,
}

/// A node with state, several inputs, or rows held back.
#[async_trait]
pub trait Operator: Send {
    /// Takes rows of one input.
    async fn on_batch(&mut self, port: usize, batch: Batch, out: &mut dyn Output) -> Result<()>;

    /// Event time has come so far on all inputs; gives the watermark to pass on, if any.
    async fn on_watermark(
        &mut self,
        watermark: Watermark,
        _out: &mut dyn Output,
    ) -> Result<Option<Watermark>> {
        Ok(Some(watermark))
    }

    /// The rows that follow on this input have another schema.
    async fn on_schema_change(
        &mut self,
        port: usize,
        change: Arc<SchemaChange>,
        out: &mut dyn Output,
    ) -> Result<()>;

    /// One input has ended.
    async fn on_port_end(&mut self, _port: usize, _out: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    /// All inputs have ended: emit what is held back.
    async fn on_end(&mut self, _out: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    /// The state as of now, frozen. Must be quick: cheap clones of Arrow data, no I/O.
    ///
    /// # Errors
    /// If the state cannot be put into its durable form.
    fn snapshot(&mut self, epoch: Epoch) -> Result<OperatorState>;
}

/// Where an operator puts its rows. Each call may wait for room downstream.
#[async_trait]
pub trait Output: Send {
    /// Emits rows.
    async fn batch(&mut self, batch: Batch) -> Result<()>;

    /// Tells of another schema.
    async fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<()>;

    /// Gives up one row.
    async fn reject(&mut self, reject: Reject) -> Result<()>;
}

/// The durable state of an operator.
#[derive(Clone, Debug, Default)]
pub struct OperatorState {
    /// Small values, kept in the manifest itself.
    pub small: Vec<Versioned>,
    /// Tables of state by key group, kept in files beside it.
    pub tables: Vec<StateTable>,
}

/// Rows of state of one key group.
#[derive(Clone, Debug)]
pub struct StateTable {
    /// Name of the state within the operator.
    pub name: String,
    /// Version of its form.
    pub version: u32,
    /// Which key group the rows belong to.
    pub key_group: u16,
    /// The rows.
    pub batches: Vec<RecordBatch>,
}
