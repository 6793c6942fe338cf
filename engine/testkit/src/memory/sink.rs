//! A two-phase sink over a store that outlives the job: rows staged by a writer become visible by commit,
//! once for each (job, node, epoch). The test keeps the [`MemoryStore`]; it can make commits fail and writes
//! wait, and sees what is visible and what is staged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use seatun_api::error::codes;
use seatun_api::{
    Batch, Committer, Delivery, Epoch, Error, Generation, Prepared, Reject, Result, SchemaChange, Sink,
    SinkContext, SinkOutput, Versioned, Writer, WriterContext,
};

use crate::gate::Gate;
use crate::rows;

/// What is staged and what is visible; clones are the same store.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Stored>>);

#[derive(Default)]
struct Stored {
    next: u64,
    staged: BTreeMap<u64, Staged>,
    visible: BTreeMap<(String, String, Epoch), Vec<Batch>>,
    schema_changes: Vec<(Epoch, Arc<SchemaChange>)>,
    failing_commits: usize,
    failing_writes: usize,
    commits: usize,
    initialized: usize,
}

struct Staged {
    job: String,
    node: String,
    generation: Generation,
    batches: Vec<Batch>,
}

const STAGED: &str = "memory.staged";

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows that a reader sees, in the order of epochs.
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        rows::batches_text(&self.batches())
    }

    /// The batches that a reader sees, in the order of epochs.
    #[must_use]
    pub fn batches(&self) -> Vec<Batch> {
        self.stored().visible.values().flatten().cloned().collect()
    }

    /// The rows of each epoch of a node.
    #[must_use]
    pub fn epochs(&self, node: &str) -> Vec<(Epoch, Vec<String>)> {
        let stored = self.stored();
        let of_node = stored.visible.iter().filter(|((_, other, _), _)| other == node);
        of_node.map(|((_, _, epoch), batches)| (*epoch, rows::batches_text(batches))).collect()
    }

    /// How many prepared pieces no commit has taken.
    #[must_use]
    pub fn staged(&self) -> usize {
        self.stored().staged.len()
    }

    /// How many commits were asked for, repeated and failed ones counted.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.stored().commits
    }

    /// How many times a sink was initialised.
    #[must_use]
    pub fn initialized(&self) -> usize {
        self.stored().initialized
    }

    /// The schema changes that were committed.
    #[must_use]
    pub fn schema_changes(&self) -> Vec<(Epoch, Arc<SchemaChange>)> {
        self.stored().schema_changes.clone()
    }

    /// The next `times` commits fail in a way that may pass.
    pub fn fail_commits(&self, times: usize) {
        self.stored().failing_commits = times;
    }

    /// The next `times` writes fail in a way that may pass.
    pub fn fail_writes(&self, times: usize) {
        self.stored().failing_writes = times;
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sink that writes to a [`MemoryStore`].
#[derive(Clone)]
pub struct MemorySink {
    store: MemoryStore,
    delivery: Delivery,
    gate: Gate,
    key: Option<Vec<usize>>,
    reject: Option<fn(&Batch) -> Vec<Reject>>,
}

impl MemorySink {
    /// A sink that prepares and commits.
    #[must_use]
    pub fn two_phase(store: &MemoryStore) -> Self {
        Self {
            store: store.clone(),
            delivery: Delivery::ExactlyOnce,
            gate: Gate::opened(),
            key: None,
            reject: None,
        }
    }

    /// A sink without committer: `prepare` makes rows visible.
    #[must_use]
    pub fn at_least_once(store: &MemoryStore) -> Self {
        Self { delivery: Delivery::AtLeastOnce, ..Self::two_phase(store) }
    }

    /// Every write waits until the gate is open.
    #[must_use]
    pub fn with_gate(mut self, gate: &Gate) -> Self {
        self.gate = gate.clone();
        self
    }

    /// Rows are distributed over writers by these columns.
    #[must_use]
    pub fn with_distribution(mut self, key: Vec<usize>) -> Self {
        self.key = Some(key);
        self
    }

    /// Instead of being written, batches for which this gives rejects are given up with them.
    #[must_use]
    pub fn with_rejects(mut self, reject: fn(&Batch) -> Vec<Reject>) -> Self {
        self.reject = Some(reject);
        self
    }
}

#[async_trait]
impl Sink for MemorySink {
    fn delivery(&self) -> Delivery {
        self.delivery
    }

    fn distribution(&self, _: &seatun_api::TableSchema) -> Option<Vec<usize>> {
        self.key.clone()
    }

    async fn probe(&self) -> Result<String> {
        Ok("in memory".to_owned())
    }

    async fn initialize(&self, _: &SinkContext) -> Result<()> {
        self.store.stored().initialized += 1;
        Ok(())
    }

    async fn writer(&self, context: WriterContext) -> Result<Box<dyn Writer>> {
        Ok(Box::new(MemoryWriter { sink: self.clone(), context: context.sink, batches: Vec::new() }))
    }

    async fn committer(&self, context: SinkContext) -> Result<Option<Box<dyn Committer>>> {
        if self.delivery != Delivery::ExactlyOnce {
            return Ok(None);
        }
        Ok(Some(Box::new(MemoryCommitter { store: self.store.clone(), context })))
    }
}

struct MemoryWriter {
    sink: MemorySink,
    context: SinkContext,
    batches: Vec<Batch>,
}

#[async_trait]
impl Writer for MemoryWriter {
    async fn write(&mut self, batch: Batch, out: &mut dyn SinkOutput) -> Result<()> {
        self.sink.gate.pass().await;
        {
            let mut stored = self.sink.store.stored();
            if stored.failing_writes > 0 {
                stored.failing_writes -= 1;
                return Err(Error::external(codes::INTERNAL, "the store is away"));
            }
        }
        let rejects = self.sink.reject.map_or_else(Vec::new, |reject| reject(&batch));
        if rejects.is_empty() {
            self.batches.push(batch);
            return Ok(());
        }
        for reject in rejects {
            out.reject(reject).await?;
        }
        Ok(())
    }

    async fn prepare(&mut self, epoch: Epoch, _: &mut dyn SinkOutput) -> Result<Prepared> {
        let batches = std::mem::take(&mut self.batches);
        if batches.is_empty() {
            return Ok(Prepared::default());
        }
        let bytes = batches.iter().map(|batch| batch.memory_size() as u64).sum();
        let SinkContext { job, node, generation, .. } = self.context.clone();
        let mut stored = self.sink.store.stored();
        if self.sink.delivery != Delivery::ExactlyOnce {
            stored.visible.entry((job, node, epoch)).or_default().extend(batches);
            return Ok(Prepared { bytes, ..Prepared::default() });
        }
        stored.next += 1;
        let id = stored.next;
        stored.staged.insert(id, Staged { job, node, generation, batches });
        Ok(Prepared { committables: vec![Versioned::encode(STAGED, 1, &id)?], state: None, bytes })
    }
}

struct MemoryCommitter {
    store: MemoryStore,
    context: SinkContext,
}

#[async_trait]
impl Committer for MemoryCommitter {
    async fn commit(
        &mut self,
        epoch: Epoch,
        items: Vec<Versioned>,
        schema: Vec<Arc<SchemaChange>>,
    ) -> Result<()> {
        let mut stored = self.store.stored();
        stored.commits += 1;
        if stored.failing_commits > 0 {
            stored.failing_commits -= 1;
            return Err(Error::external(codes::INTERNAL, "the store is away"));
        }
        let key = (self.context.job.clone(), self.context.node.clone(), epoch);
        if stored.visible.contains_key(&key) {
            return Ok(());
        }
        let mut batches = Vec::new();
        for item in &items {
            let id: u64 = item.decode(STAGED, 1)?;
            let staged = stored.staged.remove(&id);
            let staged =
                staged.unwrap_or_else(|| panic!("epoch {epoch} was published and its rows are gone"));
            batches.extend(staged.batches);
        }
        stored.visible.insert(key, batches);
        stored.schema_changes.extend(schema.into_iter().map(|change| (epoch, change)));
        Ok(())
    }

    async fn last_committed(&mut self) -> Result<Option<Epoch>> {
        let stored = self.store.stored();
        let SinkContext { job, node, .. } = &self.context;
        let own =
            stored.visible.keys().filter(|(other_job, other_node, _)| other_job == job && other_node == node);
        Ok(own.map(|(_, _, epoch)| *epoch).max())
    }

    async fn discard_leftovers(&mut self, own: Generation, _last: Epoch) -> Result<()> {
        let SinkContext { job, node, .. } = &self.context;
        self.store
            .stored()
            .staged
            .retain(|_, staged| staged.job != *job || staged.node != *node || staged.generation >= own);
        Ok(())
    }
}
