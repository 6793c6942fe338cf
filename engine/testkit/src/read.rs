//! Drives a source as the runtime does: plan, open readers, hand out splits, ask for rows until the end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use seatun_api::source::PlanRequest;
use seatun_api::{
    Boundedness, ReadStatus, Reader, ReaderContext, Source, Split, SplitId, TableSchema, Versioned,
};

use crate::recorder::SourceRecorder;

/// How a source is driven.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// How many readers.
    pub parallelism: u32,
    /// How long `next` may wait.
    pub linger: Duration,
    /// Rows of a batch at most.
    pub batch_rows: usize,
    /// Stop when so many rows or more have come.
    pub max_rows: usize,
    /// Stop when the source has been idle for so long.
    pub max_idle: Duration,
    /// The schemas that the tables had where the splits are resumed; empty at the first start.
    pub schemas: Vec<Arc<TableSchema>>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            parallelism: 1,
            linger: Duration::from_millis(20),
            batch_rows: 1024,
            max_rows: usize::MAX,
            max_idle: Duration::from_millis(500),
            schemas: Vec::new(),
        }
    }
}

impl ReadOptions {
    /// What a reader of this number is told.
    #[must_use]
    pub fn context(&self, subtask: u32) -> ReaderContext {
        ReaderContext {
            job: "testkit".to_owned(),
            node: "source".to_owned(),
            subtask,
            parallelism: self.parallelism,
            linger: self.linger,
            batch_rows: self.batch_rows,
            schemas: self.schemas.clone(),
        }
    }
}

/// Why reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadEnd {
    /// Every split is finished and no more will come.
    Finished,
    /// Enough rows were read.
    Enough,
    /// Nothing came for a while.
    Idle,
}

/// What was read.
#[derive(Debug)]
pub struct Reading {
    /// Everything the source has given.
    pub recorder: SourceRecorder,
    /// The splits that were handed out, in order.
    pub splits: Vec<Split>,
    /// The splits that are read to their end.
    pub finished: Vec<SplitId>,
    /// The planner's last state.
    pub planner: Option<Versioned>,
    /// Why it ended.
    pub end: ReadEnd,
    /// The longest that a `next` without rows took.
    pub longest_idle: Duration,
}

impl Reading {
    /// The rows as text, in order.
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        self.recorder.rows()
    }
}

/// No `next` may take longer, whatever it does.
const HUNG: Duration = Duration::from_secs(60);

/// Plans and reads a source from its beginning until it ends, is idle, or has given enough.
pub async fn read_all(source: &dyn Source, options: &ReadOptions) -> Reading {
    drive(source, None, VecDeque::new(), true, options).await
}

/// Reads the given splits, each from its position on, and plans no others.
pub async fn read_splits(source: &dyn Source, splits: Vec<Split>, options: &ReadOptions) -> Reading {
    drive(source, None, splits.into(), false, options).await
}

/// Goes on as after a restart: with the planner's state and the unfinished splits of a checkpoint.
pub async fn resume(
    source: &dyn Source,
    planner: Option<Versioned>,
    splits: Vec<Split>,
    options: &ReadOptions,
) -> Reading {
    drive(source, planner, splits.into(), true, options).await
}

async fn drive(
    source: &dyn Source,
    planner: Option<Versioned>,
    splits: VecDeque<Split>,
    plans: bool,
    options: &ReadOptions,
) -> Reading {
    let mut readers = Vec::new();
    for subtask in 0..options.parallelism {
        readers.push(Slot::open(source, subtask, options).await);
    }
    let mut driver = Driver {
        reading: Reading {
            recorder: SourceRecorder::new(),
            splits: Vec::new(),
            finished: Vec::new(),
            planner,
            end: ReadEnd::Finished,
            longest_idle: Duration::ZERO,
        },
        active: BTreeMap::new(),
        waiting: VecDeque::new(),
        complete: !plans,
    };
    driver.take(splits);
    let mut idle_since = None;
    loop {
        if !driver.complete {
            driver.plan(source).await;
        }
        let rows_before = driver.reading.recorder.events.len();
        let finished_before = driver.reading.finished.len();
        for slot in &mut readers {
            driver.hand_out(slot, source.splits_per_reader()).await;
            driver.next(slot).await;
        }
        let ended = driver.active.is_empty() && driver.waiting.is_empty();
        if ended && driver.complete {
            driver.reading.end = ReadEnd::Finished;
            return driver.reading;
        }
        if driver.reading.recorder.num_rows() >= options.max_rows {
            driver.reading.end = ReadEnd::Enough;
            return driver.reading;
        }
        let moved = driver.reading.recorder.events.len() > rows_before
            || driver.reading.finished.len() > finished_before;
        if moved {
            idle_since = None;
            continue;
        }
        if idle_since.get_or_insert_with(Instant::now).elapsed() >= options.max_idle {
            assert!(
                source.boundedness() == Boundedness::Unbounded || !ended,
                "a bounded source has no split left to read and never says that its plan is complete"
            );
            driver.reading.end = ReadEnd::Idle;
            return driver.reading;
        }
        if ended {
            // Only the planner can bring something: ask it again in a while.
            tokio::time::sleep(options.linger).await;
        }
    }
}

struct Slot {
    reader: Box<dyn Reader>,
    splits: Vec<SplitId>,
}

impl Slot {
    async fn open(source: &dyn Source, subtask: u32, options: &ReadOptions) -> Self {
        let reader = source.reader(options.context(subtask)).await.expect("the reader opens");
        Self { reader, splits: Vec::new() }
    }
}

struct Driver {
    reading: Reading,
    active: BTreeMap<SplitId, Split>,
    waiting: VecDeque<Split>,
    complete: bool,
}

impl Driver {
    fn take(&mut self, splits: impl IntoIterator<Item = Split>) {
        for split in splits {
            let known = self.reading.splits.iter().any(|other| other.id == split.id);
            assert!(!known, "split {} was planned twice", split.id);
            self.reading.recorder.start(std::slice::from_ref(&split));
            self.reading.splits.push(split.clone());
            self.active.insert(split.id.clone(), split.clone());
            self.waiting.push_back(split);
        }
    }

    async fn plan(&mut self, source: &dyn Source) {
        for (id, split) in &mut self.active {
            split.position = self.reading.recorder.positions().get(id).cloned();
        }
        let request = PlanRequest { state: self.reading.planner.as_ref(), active: &self.active };
        let plan = source.plan(request).await.expect("the source is planned");
        self.reading.planner = plan.state;
        self.complete = plan.complete;
        self.take(plan.add);
    }

    /// Gives a reader as many splits as it may have; all readers take turns.
    async fn hand_out(&mut self, slot: &mut Slot, limit: Option<usize>) {
        let room = limit.unwrap_or(1).saturating_sub(if limit.is_some() { slot.splits.len() } else { 0 });
        let count = room.min(self.waiting.len());
        let splits: Vec<Split> = self.waiting.drain(..count).collect();
        if splits.is_empty() {
            return;
        }
        slot.splits.extend(splits.iter().map(|split| split.id.clone()));
        slot.reader.add_splits(splits).await.expect("the reader takes splits");
    }

    async fn next(&mut self, slot: &mut Slot) {
        if slot.splits.is_empty() {
            return;
        }
        let started = Instant::now();
        let status = tokio::time::timeout(HUNG, slot.reader.next(&mut self.reading.recorder))
            .await
            .expect("`next` returns within linger, not never")
            .expect("the source is read");
        match status {
            ReadStatus::More => {}
            ReadStatus::Idle => {
                self.reading.longest_idle = self.reading.longest_idle.max(started.elapsed());
            }
            ReadStatus::SplitsFinished(finished) => self.finish(slot, &finished),
        }
    }

    fn finish(&mut self, slot: &mut Slot, finished: &[SplitId]) {
        assert!(!finished.is_empty(), "`SplitsFinished` names no split");
        for id in finished {
            let index = slot.splits.iter().position(|other| other == id);
            let index = index.unwrap_or_else(|| panic!("split {id} was finished by a reader without it"));
            slot.splits.remove(index);
            self.active.remove(id);
        }
        self.reading.recorder.finish(finished);
        self.reading.finished.extend(finished.iter().cloned());
    }
}
