//! A sink's subtask: gives rows to the writer and has it prepare each epoch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use seatun_api::{
    Barrier, BarrierKind, Batch, Error, Reject, Result, SchemaChange, Sink, SinkOutput, Writer,
    WriterContext, failpoint,
};
use tokio::time::MissedTickBehavior;

use super::{Ack, Part, Report, Reports, SinkPart, TaskId, is_last};
use crate::codes;
use crate::dead_letter::Port;
use crate::emit::elapsed_nanos;
use crate::gate::{Event, Gate};
use crate::tally::Tally;

/// How often a writer is asked to do what goes by time.
const TICK: Duration = Duration::from_millis(500);

/// Everything a sink's subtask needs.
pub(crate) struct SinkTask {
    pub id: TaskId,
    pub sink: Arc<dyn Sink>,
    pub context: WriterContext,
    pub gate: Gate,
    pub letters: Port,
    /// The dead-letter sink may not give up rows itself.
    pub is_dead_letter_sink: bool,
    pub tally: Tally,
    pub reports: Reports,
}

impl SinkTask {
    /// Runs until the job ends.
    ///
    /// # Errors
    /// The first failure of the writer.
    pub async fn run(self) -> Result<()> {
        let node = self.context.sink.node.clone();
        self.write().await.map_err(|error| error.with("node", node))
    }

    async fn write(mut self) -> Result<()> {
        let mut writer = self.sink.writer(self.context.clone()).await?;
        self.reports.send(Report::Opened).await;
        let mut rejects = Rejects {
            letters: self.letters,
            node: self.context.sink.node.clone(),
            is_dead_letter_sink: self.is_dead_letter_sink,
            count: 0,
        };
        let mut changes: Vec<Arc<SchemaChange>> = Vec::new();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                biased;
                event = self.gate.next() => event?,
                _ = ticks.tick() => {
                    writer.tick(&mut rejects).await?;
                    rejects.settle(&mut self.tally, 0);
                    continue;
                }
            };
            match event {
                Event::Batch(_, batch, room) => {
                    write_batch(&mut *writer, batch, &mut rejects, &mut self.tally).await?;
                    drop(room);
                }
                Event::SchemaChange(_, change) => note_change(&mut changes, change),
                Event::Barrier(barrier) => {
                    let part =
                        prepare(&mut *writer, barrier, &mut rejects, &mut self.tally, &mut changes).await?;
                    if barrier.kind == BarrierKind::Final {
                        rejects.letters.end().await?;
                    }
                    rejects.letters.barrier(barrier).await?;
                    let counts = vec![self.tally.take()];
                    let ack = Ack { task: self.id, epoch: barrier.epoch, counts, part: Part::Sink(part) };
                    self.reports.send(Report::Ack(Box::new(ack))).await;
                    if is_last(barrier) {
                        return Ok(());
                    }
                }
                // A writer may still give rows up while it prepares the final epoch.
                Event::End | Event::Watermark(_) | Event::PortEnd(_) => {}
                Event::Closed => return std::future::pending().await,
            }
        }
    }
}

async fn write_batch(
    writer: &mut dyn Writer,
    batch: Batch,
    rejects: &mut Rejects,
    tally: &mut Tally,
) -> Result<()> {
    let rows = batch.num_rows() as u64;
    tally.batch_in(rows, batch.memory_size() as u64);
    tally.rows_out(rows, 0);
    let started = Instant::now();
    writer.write(batch, rejects).await?;
    tally.stats.busy_nanos.add(elapsed_nanos(started));
    rejects.settle(tally, 0);
    Ok(())
}

async fn prepare(
    writer: &mut dyn Writer,
    barrier: Barrier,
    rejects: &mut Rejects,
    tally: &mut Tally,
    changes: &mut Vec<Arc<SchemaChange>>,
) -> Result<SinkPart> {
    failpoint::hit(failpoint::BEFORE_PREPARE);
    let started = Instant::now();
    let prepared = writer.prepare(barrier.epoch, rejects).await?;
    tally.stats.busy_nanos.add(elapsed_nanos(started));
    failpoint::hit(failpoint::AFTER_PREPARE);
    rejects.settle(tally, prepared.bytes);
    let changes = std::mem::take(changes);
    for change in &changes {
        writer.schema_change(Arc::clone(change)).await?;
    }
    Ok(SinkPart { prepared, changes })
}

/// The same change comes from every subtask upstream; it counts once.
fn note_change(changes: &mut Vec<Arc<SchemaChange>>, change: Arc<SchemaChange>) {
    let same = |known: &Arc<SchemaChange>| {
        known.after.id == change.after.id && known.after.version >= change.after.version
    };
    if !changes.iter().any(same) {
        changes.push(change);
    }
}

/// Where the writer puts rows that cannot be written.
struct Rejects {
    letters: Port,
    node: String,
    is_dead_letter_sink: bool,
    count: u64,
}

impl Rejects {
    /// Brings the counts in line with what was given up.
    fn settle(&mut self, tally: &mut Tally, bytes: u64) {
        let given_up = std::mem::take(&mut self.count);
        tally.rows_not_out(given_up);
        tally.dead_lettered(given_up);
        tally.rows_out(0, bytes);
    }
}

#[async_trait]
impl SinkOutput for Rejects {
    async fn reject(&mut self, reject: Reject) -> Result<()> {
        if self.is_dead_letter_sink {
            return Err(Error::user(
                codes::DEAD_LETTER_REJECTED,
                "the dead-letter sink gave up a row itself",
            )
            .with_source(reject.error));
        }
        self.count += 1;
        self.letters.reject(&self.node, reject).await
    }
}
