//! A source's subtask: asks the reader for rows, keeps the positions of what it emitted, and puts barriers
//! between two calls of the reader.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use seatun_api::{
    Barrier, Batch, Error, Position, PositionDelta, ReadStatus, Reader, ReaderContext, Reject, Result,
    SchemaChange, Source, SourceOutput, Split, SplitId, Watermark,
};
use tokio::sync::mpsc;

use super::{Ack, Part, Report, Reports, SourceCommand, SourcePart, TaskId, is_last};
use crate::codes;
use crate::emit::{Emitter, Schemas, elapsed_nanos};
use crate::job::RateLimit;
use crate::pace::Pacer;
use crate::tally::Tally;
use crate::watermark::SplitMarks;

/// Everything a source's subtask needs.
pub(crate) struct SourceTask {
    pub id: TaskId,
    pub source: Arc<dyn Source>,
    pub context: ReaderContext,
    pub rate: RateLimit,
    pub emitter: Emitter,
    pub tally: Tally,
    pub commands: mpsc::UnboundedReceiver<SourceCommand>,
    pub reports: Reports,
}

impl SourceTask {
    /// Runs until the job ends.
    ///
    /// # Errors
    /// The first failure of the reader or of a map behind it.
    pub async fn run(self) -> Result<()> {
        let node = self.context.node.clone();
        self.read().await.map_err(|error| error.with("node", node))
    }

    async fn read(self) -> Result<()> {
        let mut reader = self.source.reader(self.context.clone()).await?;
        self.reports.send(Report::Opened).await;
        let linger = self.context.linger;
        let mut feed = Feed::new(self);
        loop {
            while let Some(command) = feed.waiting_command() {
                if feed.obey(command, &mut *reader).await? {
                    return Ok(());
                }
            }
            if feed.positions.is_empty() {
                let command = feed.next_command().await;
                if feed.obey(command, &mut *reader).await? {
                    return Ok(());
                }
                continue;
            }
            if let Some(delay) = feed.pacer.delay() {
                feed.wait(delay).await;
                continue;
            }
            let started = Instant::now();
            let status = reader.next(&mut feed).await?;
            feed.note_work(started, reader.lag());
            match status {
                ReadStatus::More => {}
                ReadStatus::Idle => feed.wait(linger).await,
                ReadStatus::SplitsFinished(splits) => feed.finish(splits).await?,
            }
        }
    }
}

/// The state of a subtask between two calls of its reader; also where the reader puts its rows.
struct Feed {
    id: TaskId,
    node: Arc<str>,
    emitter: Emitter,
    tally: Tally,
    commands: mpsc::UnboundedReceiver<SourceCommand>,
    /// Commands taken from the channel while something else was waited for.
    stashed: VecDeque<SourceCommand>,
    reports: Reports,
    pacer: Pacer,
    positions: BTreeMap<SplitId, Option<Position>>,
    finished: Vec<SplitId>,
    schemas: Schemas,
    marks: SplitMarks,
    /// Time spent waiting for room downstream during the current call.
    blocked: Duration,
}

impl Feed {
    fn new(task: SourceTask) -> Self {
        Self {
            id: task.id,
            node: Arc::from(task.context.node.as_str()),
            emitter: task.emitter,
            tally: task.tally,
            commands: task.commands,
            stashed: VecDeque::new(),
            reports: task.reports,
            pacer: Pacer::new(task.rate),
            positions: BTreeMap::new(),
            finished: Vec::new(),
            schemas: Schemas::default(),
            marks: SplitMarks::default(),
            blocked: Duration::ZERO,
        }
    }

    fn waiting_command(&mut self) -> Option<SourceCommand> {
        self.stashed.pop_front().or_else(|| self.commands.try_recv().ok())
    }

    async fn next_command(&mut self) -> SourceCommand {
        if let Some(command) = self.stashed.pop_front() {
            return command;
        }
        match self.commands.recv().await {
            Some(command) => command,
            // The coordinator is gone: the job is being torn down.
            None => std::future::pending().await,
        }
    }

    /// Waits for a time or for a command, whichever comes first.
    async fn wait(&mut self, time: Duration) {
        if let Ok(command) = tokio::time::timeout(time, self.next_command()).await {
            self.stashed.push_front(command);
        }
    }

    /// Does what the coordinator asks. True when the task is done.
    async fn obey(&mut self, command: SourceCommand, reader: &mut dyn Reader) -> Result<bool> {
        match command {
            SourceCommand::AddSplits(splits) => {
                self.add(&splits);
                reader.add_splits(splits).await?;
            }
            SourceCommand::Barrier(barrier) => {
                self.barrier(barrier).await?;
                return Ok(is_last(barrier));
            }
            SourceCommand::Finish => self.emitter.end().await?,
        }
        Ok(false)
    }

    fn add(&mut self, splits: &[Split]) {
        for split in splits {
            self.positions.insert(split.id.clone(), split.position.clone());
            self.marks.add(&split.id);
        }
    }

    async fn finish(&mut self, splits: Vec<SplitId>) -> Result<()> {
        for split in &splits {
            self.positions.remove(split);
            if let Some(watermark) = self.marks.remove(split) {
                self.emitter.watermark(watermark).await;
            }
        }
        self.finished.extend(splits.iter().cloned());
        self.reports.send(Report::SplitsFinished(self.id, splits)).await;
        Ok(())
    }

    async fn barrier(&mut self, barrier: Barrier) -> Result<()> {
        let mut counts = vec![self.tally.take()];
        self.emitter.take_counts(&mut counts);
        let part = SourcePart {
            positions: self.positions.clone(),
            finished: std::mem::take(&mut self.finished),
            schemas: self.schemas.all(),
        };
        self.emitter.barrier(barrier).await?;
        let ack = Ack { task: self.id, epoch: barrier.epoch, counts, part: Part::Source(part) };
        self.reports.send(Report::Ack(Box::new(ack))).await;
        Ok(())
    }

    fn note_work(&mut self, started: Instant, lag: Option<seatun_api::source::Lag>) {
        let blocked = u64::try_from(self.blocked.as_nanos()).unwrap_or(u64::MAX);
        self.tally.stats.busy_nanos.add(elapsed_nanos(started).saturating_sub(blocked));
        self.blocked = Duration::ZERO;
        if let Some(lag) = lag {
            self.tally.stats.show_lag(self.id.subtask, lag);
        }
    }

    /// Moves a split on; its rows must follow the ones before.
    fn advance_position(&mut self, delta: &PositionDelta) -> Result<()> {
        let known = self.positions.get_mut(&delta.split).ok_or_else(|| {
            Error::internal(codes::POSITION_GAP, "a reader emitted rows of a split it does not have")
                .with("split", &delta.split)
        })?;
        if *known != delta.from {
            let place = |position: &Option<Position>| {
                position.as_ref().map_or_else(|| "(start)".into(), ToString::to_string)
            };
            return Err(Error::internal(
                codes::POSITION_GAP,
                "a reader emitted rows that do not follow the ones before",
            )
            .with("split", &delta.split)
            .with("expected", place(known))
            .with("found", place(&delta.from)));
        }
        *known = Some(delta.to.clone());
        Ok(())
    }
}

#[async_trait]
impl SourceOutput for Feed {
    async fn emit(&mut self, batch: Batch, delta: PositionDelta) -> Result<()> {
        self.advance_position(&delta)?;
        self.schemas.note(batch.table());
        let (rows, bytes) = (batch.num_rows() as u64, batch.memory_size() as u64);
        self.tally.batch_in(rows, bytes);
        self.tally.rows_out(rows, bytes);
        self.pacer.spend(rows, bytes);
        let batch = batch.with_origin(Arc::new(delta));
        let started = Instant::now();
        self.emitter.batch(batch).await?;
        self.blocked += started.elapsed();
        Ok(())
    }

    async fn advance(&mut self, delta: PositionDelta) -> Result<()> {
        self.advance_position(&delta)
    }

    async fn reject(&mut self, reject: Reject) -> Result<()> {
        self.tally.rows_in(1);
        self.tally.dead_lettered(1);
        self.emitter.letters.reject(&self.node, reject).await
    }

    /// Closes the epoch: the change travels before the barrier and is committed with the rows before it.
    async fn schema_change(&mut self, change: SchemaChange, at: PositionDelta) -> Result<()> {
        self.advance_position(&at)?;
        self.schemas.note(&change.after);
        self.emitter.schema_change(Arc::new(change)).await?;
        self.reports.send(Report::CheckpointWanted).await;
        let mut others = VecDeque::new();
        loop {
            match self.next_command().await {
                SourceCommand::Barrier(barrier) => {
                    if is_last(barrier) {
                        // The task ends with this barrier: the reader must not go on to the rows after it.
                        self.barrier(barrier).await?;
                        return std::future::pending().await;
                    }
                    self.barrier(barrier).await?;
                    self.stashed.extend(others);
                    return Ok(());
                }
                other => others.push_back(other),
            }
        }
    }

    async fn watermark(&mut self, split: &SplitId, watermark: Watermark) -> Result<()> {
        if let Some(watermark) = self.marks.advance(split, watermark) {
            self.emitter.watermark(watermark).await;
        }
        Ok(())
    }
}
