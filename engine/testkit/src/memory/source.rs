//! A source that plays a script.
//!
//! Each split is a list of [`Step`]s; its position is the number of steps that were taken, so a replay is
//! the same by construction. The test keeps a clone of the source: it can add splits, say that no more will
//! come, and see what was committed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use seatun_api::source::PlanRequest;
use seatun_api::{
    Batch, Boundedness, Epoch, Error, Position, PositionDelta, ReadStatus, Reader, ReaderContext, Reject,
    Result, SchemaChange, Source, SourceOutput, Split, SplitId, SplitPlan, TableSchema, Versioned, Watermark,
};

use crate::gate::Gate;

/// One thing that a split does when it is asked for rows.
// A box around the batch would only make scripts longer.
#[allow(clippy::large_enum_variant)]
#[derive(Clone)]
pub enum Step {
    /// Gives a batch.
    Batch(Batch),
    /// Gives up a row.
    Reject(fn() -> Reject),
    /// Tells of another schema.
    SchemaChange(SchemaChange),
    /// Tells of event time.
    Watermark(Watermark),
    /// Advances without rows.
    Advance,
    /// Has nothing to give until the gate is open.
    Wait(Gate),
    /// Fails so many times, counted over all readers and restarts, then goes on.
    Fail {
        /// How many times.
        times: usize,
        /// With what.
        error: fn() -> Error,
    },
}

/// A split and what it does.
#[derive(Clone)]
pub struct ScriptedSplit {
    /// Its name.
    pub id: SplitId,
    /// What it does, in order.
    pub steps: Vec<Step>,
    /// Whether it never ends: after its last step it is idle.
    pub endless: bool,
}

impl ScriptedSplit {
    /// A split that ends after its last step.
    pub fn new(id: &str, steps: Vec<Step>) -> Self {
        Self { id: SplitId::new(id), steps, endless: false }
    }

    /// A split that is idle after its last step.
    pub fn endless(id: &str, steps: Vec<Step>) -> Self {
        Self { endless: true, ..Self::new(id, steps) }
    }

    /// A split that gives these batches.
    pub fn of_batches(id: &str, batches: impl IntoIterator<Item = Batch>) -> Self {
        Self::new(id, batches.into_iter().map(Step::Batch).collect())
    }
}

/// A source that plays a script; clones are the same source.
#[derive(Clone)]
pub struct MemorySource {
    tables: Vec<TableSchema>,
    boundedness: Boundedness,
    discovery: Option<Duration>,
    splits_per_reader: Option<usize>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    splits: Vec<ScriptedSplit>,
    complete: bool,
    failures: BTreeMap<(SplitId, u64), usize>,
    committed: Vec<(Epoch, BTreeMap<SplitId, Position>)>,
    readers_opened: usize,
}

const PLANNER: &str = "memory.planner";
const SPLIT: &str = "memory.split";

impl MemorySource {
    /// A bounded source of these splits.
    #[must_use]
    pub fn bounded(table: &TableSchema, splits: Vec<ScriptedSplit>) -> Self {
        Self {
            tables: vec![table.clone()],
            boundedness: Boundedness::Bounded,
            discovery: None,
            splits_per_reader: Some(1),
            shared: Arc::new(Mutex::new(Shared { splits, complete: true, ..Shared::default() })),
        }
    }

    /// An unbounded source of these splits, which are handed out all at once.
    #[must_use]
    pub fn unbounded(table: &TableSchema, splits: Vec<ScriptedSplit>) -> Self {
        let source = Self::bounded(table, splits);
        source.shared().complete = false;
        Self { boundedness: Boundedness::Unbounded, splits_per_reader: None, ..source }
    }

    /// A source of several tables.
    #[must_use]
    pub fn with_tables(mut self, tables: Vec<TableSchema>) -> Self {
        self.tables = tables;
        self
    }

    /// Looks for new splits this often; a bounded source goes on until [`complete`](Self::complete) is
    /// called.
    #[must_use]
    pub fn with_discovery(mut self, interval: Duration) -> Self {
        self.shared().complete = false;
        self.discovery = Some(interval);
        self
    }

    /// How many splits a reader is given at a time.
    #[must_use]
    pub fn with_splits_per_reader(mut self, splits: Option<usize>) -> Self {
        self.splits_per_reader = splits;
        self
    }

    /// A split that the planner finds the next time.
    pub fn add_split(&self, split: ScriptedSplit) {
        self.shared().splits.push(split);
    }

    /// Says that no more splits will come.
    pub fn complete(&self) {
        self.shared().complete = true;
    }

    /// The epochs that the source was told are committed, with their positions.
    #[must_use]
    pub fn committed(&self) -> Vec<(Epoch, BTreeMap<SplitId, Position>)> {
        self.shared().committed.clone()
    }

    /// How many readers were opened over all restarts.
    #[must_use]
    pub fn readers_opened(&self) -> usize {
        self.shared().readers_opened
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Source for MemorySource {
    fn boundedness(&self) -> Boundedness {
        self.boundedness
    }

    fn declared_tables(&self) -> Option<Vec<TableSchema>> {
        Some(self.tables.clone())
    }

    async fn probe(&self) -> Result<String> {
        Ok("in memory".to_owned())
    }

    async fn plan(&self, request: PlanRequest<'_>) -> Result<SplitPlan> {
        let mut known: Vec<SplitId> = match request.state {
            Some(state) => state.decode(PLANNER, 1)?,
            None => Vec::new(),
        };
        let shared = self.shared();
        let mut add = Vec::new();
        for split in &shared.splits {
            if known.contains(&split.id) {
                continue;
            }
            known.push(split.id.clone());
            add.push(Split {
                id: split.id.clone(),
                position: None,
                state: Versioned::encode(SPLIT, 1, &())?,
            });
        }
        Ok(SplitPlan { add, complete: shared.complete, state: Some(Versioned::encode(PLANNER, 1, &known)?) })
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.discovery
    }

    fn splits_per_reader(&self) -> Option<usize> {
        self.splits_per_reader
    }

    async fn reader(&self, context: ReaderContext) -> Result<Box<dyn Reader>> {
        self.shared().readers_opened += 1;
        Ok(Box::new(MemoryReader {
            source: self.clone(),
            linger: context.linger,
            splits: Vec::new(),
            turn: 0,
        }))
    }

    async fn committed(&self, epoch: Epoch, positions: &BTreeMap<SplitId, Position>) -> Result<()> {
        self.shared().committed.push((epoch, positions.clone()));
        Ok(())
    }
}

struct MemoryReader {
    source: MemorySource,
    linger: Duration,
    splits: Vec<(ScriptedSplit, u64)>,
    turn: usize,
}

#[async_trait]
impl Reader for MemoryReader {
    async fn next(&mut self, out: &mut dyn SourceOutput) -> Result<ReadStatus> {
        assert!(!self.splits.is_empty(), "`next` was called without splits");
        let mut waits: Option<Gate> = None;
        for _ in 0..self.splits.len() {
            self.turn = (self.turn + 1) % self.splits.len();
            let (split, taken) = &self.splits[self.turn];
            let step = usize::try_from(*taken).ok().and_then(|taken| split.steps.get(taken)).cloned();
            match step {
                None if split.endless => {}
                None => {
                    let (split, _) = self.splits.remove(self.turn);
                    self.turn = 0;
                    return Ok(ReadStatus::SplitsFinished(vec![split.id]));
                }
                Some(Step::Wait(gate)) if !gate.is_open() => waits = Some(gate),
                Some(step) => {
                    self.take(step, out).await?;
                    return Ok(ReadStatus::More);
                }
            }
        }
        match waits {
            Some(gate) => drop(tokio::time::timeout(self.linger, gate.pass()).await),
            None => tokio::time::sleep(self.linger).await,
        }
        Ok(ReadStatus::Idle)
    }

    async fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        let shared = self.source.shared();
        for split in splits {
            let scripted = shared.splits.iter().find(|other| other.id == split.id).cloned();
            let scripted = scripted.unwrap_or_else(|| panic!("split {} is not in the script", split.id));
            let taken = split.position.as_ref().map_or(0, |position| position.as_u64().expect("a number"));
            self.splits.push((scripted, taken));
        }
        Ok(())
    }
}

impl MemoryReader {
    async fn take(&mut self, step: Step, out: &mut dyn SourceOutput) -> Result<()> {
        let (split, taken) = &mut self.splits[self.turn];
        let delta = PositionDelta {
            split: split.id.clone(),
            from: (*taken > 0).then(|| Position::from_u64(*taken)),
            to: Position::from_u64(*taken + 1),
        };
        if let Step::Fail { times, error } = &step {
            let mut shared = self.source.shared();
            let failed = shared.failures.entry((split.id.clone(), *taken)).or_default();
            if *failed < *times {
                *failed += 1;
                return Err(error());
            }
        }
        *taken += 1;
        match step {
            Step::Batch(batch) => out.emit(batch.with_origin(Arc::new(delta.clone())), delta).await,
            Step::Reject(reject) => {
                out.reject(Reject { origin: Some(delta.clone()), ..reject() }).await?;
                out.advance(delta).await
            }
            Step::SchemaChange(change) => out.schema_change(change, delta).await,
            Step::Watermark(watermark) => {
                out.watermark(&delta.split, watermark).await?;
                out.advance(delta).await
            }
            Step::Advance | Step::Wait(_) | Step::Fail { .. } => out.advance(delta).await,
        }
    }
}
