//! Reads splits: makes their rows batch by batch, at the rate that the job asks for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatun_api::source::Lag;
use seatun_api::{
    Error, JobMode, Position, PositionDelta, ReadStatus, Reader, ReaderContext, Result, SourceOutput, Split,
    SplitId,
};
use tokio::time::Instant;

use crate::codes;
use crate::split::SplitState;
use crate::table::FakeTable;

pub(crate) struct FakeReader {
    tables: Arc<BTreeMap<String, Arc<FakeTable>>>,
    batch_rows: usize,
    linger: Duration,
    /// In a streaming job a split whose rows are all made is kept, and idle.
    keeps_splits: bool,
    splits: VecDeque<Active>,
    pace: Pace,
}

/// A split that is read.
struct Active {
    id: SplitId,
    state: SplitState,
    table: Arc<FakeTable>,
    /// Number of the next row.
    next: u64,
    /// Whether anything was emitted before, now or in an earlier run.
    begun: bool,
}

impl FakeReader {
    pub fn new(
        tables: Arc<BTreeMap<String, Arc<FakeTable>>>,
        context: &ReaderContext,
        rate: Option<f64>,
        mode: JobMode,
    ) -> Self {
        Self {
            tables,
            batch_rows: context.batch_rows.max(1),
            linger: context.linger,
            keeps_splits: mode == JobMode::Streaming,
            splits: VecDeque::new(),
            pace: Pace { rate, free_at: None },
        }
    }
}

impl Active {
    fn new(split: &Split, tables: &BTreeMap<String, Arc<FakeTable>>) -> Result<Self> {
        let state = SplitState::of(split)?;
        let table = tables.get(&state.table).ok_or_else(|| {
            let text =
                format!("the job was checkpointed with a table {} which it does not have now", state.table);
            Error::user(codes::UNKNOWN_SPLIT, text).with_hint("bring the table back, or start with --fresh")
        })?;
        let next = match &split.position {
            None => 0,
            Some(position) => position.as_u64().ok_or_else(|| {
                Error::user(codes::UNKNOWN_SPLIT, "a split's position is not a row number")
                    .with("split", &split.id)
                    .with_hint("restore another checkpoint, or start with --fresh")
            })?,
        };
        Ok(Self {
            id: split.id.clone(),
            table: Arc::clone(table),
            state,
            next,
            begun: split.position.is_some(),
        })
    }

    fn left(&self) -> u64 {
        self.state.rows.map_or(u64::MAX, |rows| rows.saturating_sub(self.next))
    }

    async fn emit(&mut self, rows: u64, out: &mut dyn SourceOutput) -> Result<()> {
        let batch = self.table.batch(&self.state, self.next..self.next + rows)?;
        let from = self.begun.then(|| Position::from_u64(self.next));
        self.next += rows;
        self.begun = true;
        let to = Position::from_u64(self.next);
        out.emit(batch, PositionDelta { split: self.id.clone(), from, to }).await
    }
}

#[async_trait]
impl Reader for FakeReader {
    async fn next(&mut self, out: &mut dyn SourceOutput) -> Result<ReadStatus> {
        let Some(index) = self.splits.iter().position(|split| split.left() > 0 || !self.keeps_splits) else {
            return Ok(ReadStatus::Idle);
        };
        if !self.pace.wait(self.linger).await {
            return Ok(ReadStatus::Idle);
        }
        let most = self.batch_rows.min(self.pace.batch_rows());
        let Some(split) = self.splits.get_mut(index) else { return Ok(ReadStatus::Idle) };
        let rows = split.left().min(most.min(split.table.batch_rows) as u64);
        if rows > 0 {
            split.emit(rows, out).await?;
            self.pace.spend(rows);
        }
        if split.left() > 0 {
            // Splits without end take turns; the others are read one after the other.
            if split.state.rows.is_none() {
                self.splits.rotate_left(1);
            }
            return Ok(ReadStatus::More);
        }
        self.pace.pause(Duration::from_millis(split.table.read_interval));
        if self.keeps_splits {
            return Ok(ReadStatus::More);
        }
        let finished = split.id.clone();
        self.splits.remove(index);
        Ok(ReadStatus::SplitsFinished(vec![finished]))
    }

    async fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in &splits {
            self.splits.push_back(Active::new(split, &self.tables)?);
        }
        Ok(())
    }

    fn lag(&self) -> Option<Lag> {
        let left: Option<u64> = self.splits.iter().map(|split| split.state.rows.map(|_| split.left())).sum();
        left.map(|rows| Lag { rows: Some(rows), ..Lag::default() })
    }
}

/// Spreads rows over time: what was emitted is paid for before the next row is made.
struct Pace {
    /// Rows per second of this reader.
    rate: Option<f64>,
    /// When the next row may be made.
    free_at: Option<Instant>,
}

impl Pace {
    /// A reader that was held up may catch up on so much.
    const BURST: Duration = Duration::from_millis(100);

    /// Waits for the next row's time, but no longer than `most`. False if it has not come.
    async fn wait(&mut self, most: Duration) -> bool {
        let Some(free_at) = self.free_at else { return true };
        let end = Instant::now() + most;
        tokio::time::sleep_until(free_at.min(end)).await;
        free_at <= end
    }

    /// Rows of a batch such that a batch takes at most a tenth of a second.
    fn batch_rows(&self) -> usize {
        // A float that is too great becomes the greatest whole number.
        self.rate.map_or(usize::MAX, |rate| ((rate / 10.0) as usize).max(1))
    }

    fn spend(&mut self, rows: u64) {
        let Some(rate) = self.rate else { return };
        self.pause(Duration::try_from_secs_f64(rows as f64 / rate).unwrap_or(Duration::MAX));
    }

    fn pause(&mut self, time: Duration) {
        if time.is_zero() {
            return;
        }
        let now = Instant::now();
        let from =
            self.free_at.map_or(now, |free_at| free_at.max(now.checked_sub(Self::BURST).unwrap_or(now)));
        self.free_at = from.checked_add(time).or(self.free_at);
    }
}
