//! The subtask of a transform with state, several inputs, or rows held back.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use seatun_api::transform::OperatorContext;
use seatun_api::{Batch, Output, Reject, Result, SchemaChange, Transform};

use super::{Ack, Part, Report, Reports, TaskId, is_last};
use crate::emit::{Emitter, elapsed_nanos};
use crate::gate::{Event, Gate};
use crate::tally::Tally;

/// Everything an operator's subtask needs.
pub(crate) struct OperatorTask {
    pub id: TaskId,
    pub transform: Arc<dyn Transform>,
    pub context: OperatorContext,
    pub gate: Gate,
    pub emitter: Emitter,
    pub tally: Tally,
    pub reports: Reports,
}

impl OperatorTask {
    /// Runs until the job ends.
    ///
    /// # Errors
    /// The first failure of the operator or of a map behind it.
    pub async fn run(self) -> Result<()> {
        let node = self.context.node.clone();
        self.work().await.map_err(|error| error.with("node", node))
    }

    async fn work(self) -> Result<()> {
        let Self { id, transform, context, mut gate, emitter, tally, reports } = self;
        let node = context.node.clone();
        let mut operator = transform.operator(context)?;
        reports.send(Report::Opened).await;
        let mut out = Out { emitter, tally, node, waited: 0 };
        loop {
            match gate.next().await? {
                Event::Batch(port, batch, room) => {
                    out.tally.batch_in(batch.num_rows() as u64, batch.memory_size() as u64);
                    let started = Instant::now();
                    operator.on_batch(port, batch, &mut out).await?;
                    out.note_work(started);
                    drop(room);
                }
                Event::Watermark(watermark) => {
                    if let Some(watermark) = operator.on_watermark(watermark, &mut out).await? {
                        out.emitter.watermark(watermark).await;
                    }
                }
                Event::SchemaChange(port, change) => {
                    operator.on_schema_change(port, change, &mut out).await?;
                }

                Event::PortEnd(port) => operator.on_port_end(port, &mut out).await?,
                Event::End => {
                    let started = Instant::now();
                    operator.on_end(&mut out).await?;
                    out.note_work(started);
                    out.emitter.end().await?;
                }
                Event::Barrier(barrier) => {
                    let state = operator.snapshot(barrier.epoch)?;
                    let mut counts = vec![out.tally.take()];
                    out.emitter.take_counts(&mut counts);
                    out.emitter.barrier(barrier).await?;
                    let ack = Ack { task: id, epoch: barrier.epoch, counts, part: Part::Operator(state) };
                    reports.send(Report::Ack(Box::new(ack))).await;
                    if is_last(barrier) {
                        return Ok(());
                    }
                }
                Event::Closed => return std::future::pending().await,
            }
        }
    }
}

/// Where an operator puts its rows.
struct Out {
    emitter: Emitter,
    tally: Tally,
    node: String,
    /// Nanoseconds spent waiting for room downstream during the current call.
    waited: u64,
}

impl Out {
    fn note_work(&mut self, started: Instant) {
        self.tally
            .stats
            .busy_nanos
            .add(elapsed_nanos(started).saturating_sub(std::mem::take(&mut self.waited)));
    }
}

#[async_trait]
impl Output for Out {
    async fn batch(&mut self, batch: Batch) -> Result<()> {
        self.tally.rows_out(batch.num_rows() as u64, batch.memory_size() as u64);
        let started = Instant::now();
        self.emitter.batch(batch).await?;
        self.waited += elapsed_nanos(started);
        Ok(())
    }

    async fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<()> {
        self.emitter.schema_change(change).await
    }

    async fn reject(&mut self, reject: Reject) -> Result<()> {
        self.tally.dead_lettered(1);
        self.emitter.letters.reject(&self.node, reject).await
    }
}
