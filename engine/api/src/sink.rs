//! What a sink connector implements.
//!
//! A sink has a [`Writer`] per subtask, which makes the rows of an epoch durable but invisible, and one
//! [`Committer`], which makes them visible after the epoch's manifest is published. What a writer prepares
//! is a value, never a handle: another process must be able to commit it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::JobMode;
use crate::batch::Batch;
use crate::element::{Epoch, Generation};
use crate::error::Result;
use crate::reject::Reject;
use crate::schema_change::SchemaChange;
use crate::table::TableSchema;
use crate::versioned::Versioned;

/// How often a row can arrive, from weakest to strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// After a failure some rows are written again.
    AtLeastOnce,
    /// Some rows are written again, but a second writing of the same row changes nothing.
    Idempotent,
    /// Rows become visible exactly once, by prepare and commit.
    ExactlyOnce,
}

/// What a sink is told of its place in the job.
#[derive(Clone, Debug)]
pub struct SinkContext {
    /// The job's name; with the node's id it names the sink's marks in the target.
    pub job: String,
    /// The node's id.
    pub node: String,
    /// The run that this is.
    pub generation: Generation,
    /// Whether the job ends by itself.
    pub mode: JobMode,
    /// The tables that will be written at first.
    pub tables: Vec<Arc<TableSchema>>,
}

/// A sink, built from its config.
#[async_trait]
pub trait Sink: Send + Sync {
    /// What it guarantees.
    fn delivery(&self) -> Delivery;

    /// Whether these tables can be written at all: pure, used by `check` and `plan`.
    ///
    /// # Errors
    /// Names the table, the column and the type that cannot be written.
    fn accepts(&self, _tables: &[Arc<TableSchema>]) -> Result<()> {
        Ok(())
    }

    /// By which columns rows must be distributed over parallel writers so that changes of one key stay in
    /// order; `None` if any writer may take any row.
    fn distribution(&self, _table: &TableSchema) -> Option<Vec<usize>> {
        None
    }

    /// Whether the target can be reached and written, in one line for `check --connect`.
    async fn probe(&self) -> Result<String>;

    /// Creates, empties or checks the target as the save modes say. Called once in a job's life, before
    /// any row: never again after a restart.
    async fn initialize(&self, _context: &SinkContext) -> Result<()> {
        Ok(())
    }

    /// Opens a writer.
    async fn writer(&self, context: WriterContext) -> Result<Box<dyn Writer>>;

    /// Opens the committer; `None` if the writer's own `prepare` makes everything visible.
    async fn committer(&self, context: SinkContext) -> Result<Option<Box<dyn Committer>>>;
}

/// What a writer is told when it opens.
#[derive(Clone, Debug)]
pub struct WriterContext {
    /// The sink's place in the job.
    pub sink: SinkContext,
    /// Number of the writer, from 0.
    pub subtask: u32,
    /// How many writers the node has.
    pub parallelism: u32,
    /// What writers gave as [`Prepared::state`] in the epoch that is resumed from: this writer's own, and
    /// those of writers that are no more because the node has fewer now.
    pub restored: Vec<Versioned>,
}

/// Writes rows.
#[async_trait]
pub trait Writer: Send {
    /// Takes rows. May buffer; must bound what it buffers. A row that cannot be written is rejected.
    async fn write(&mut self, batch: Batch, out: &mut dyn SinkOutput) -> Result<()>;

    /// Ends the epoch: everything written so far becomes durable but not yet visible. What is returned
    /// must be enough for another process to make it visible. A sink without committer makes it visible
    /// now. An epoch without rows prepares nothing.
    async fn prepare(&mut self, epoch: Epoch, out: &mut dyn SinkOutput) -> Result<Prepared>;

    /// The rows that follow have another schema. Called right after the epoch of the rows before was
    /// prepared.
    async fn schema_change(&mut self, _change: Arc<SchemaChange>) -> Result<()> {
        Ok(())
    }

    /// Called now and then while no rows come, for what goes by time.
    async fn tick(&mut self, _out: &mut dyn SinkOutput) -> Result<()> {
        Ok(())
    }
}

/// Where a writer puts rows that cannot be written.
#[async_trait]
pub trait SinkOutput: Send {
    /// Gives up one row.
    async fn reject(&mut self, reject: Reject) -> Result<()>;
}

/// What a writer has made durable for an epoch.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// What the committer needs to make it visible.
    pub committables: Vec<Versioned>,
    /// What the writer wants back after a restart.
    pub state: Option<Versioned>,
    /// Bytes written to the target in this epoch, as the target stores them.
    pub bytes: u64,
}

/// Makes prepared epochs visible. One for each sink.
#[async_trait]
pub trait Committer: Send {
    /// Makes an epoch visible. Idempotent: called again after a failure or by another process. Epochs come
    /// in order.
    async fn commit(
        &mut self,
        epoch: Epoch,
        items: Vec<Versioned>,
        schema: Vec<Arc<SchemaChange>>,
    ) -> Result<()>;

    /// The last epoch of this job that the target itself shows as committed, if it can tell. Used to
    /// notice that a job's state was lost.
    async fn last_committed(&mut self) -> Result<Option<Epoch>> {
        Ok(None)
    }

    /// Removes what was prepared and will never be committed: everything of generations before `own`, all
    /// of whose published epochs, up to `last`, are committed. Called only after the takeover epoch of
    /// this generation is published.
    async fn discard_leftovers(&mut self, own: Generation, last: Epoch) -> Result<()>;

    /// The job has ended by itself and all its epochs are committed: the place for checks over everything
    /// that was written.
    async fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}
