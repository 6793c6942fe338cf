//! The operator of a query: takes rows of all inputs, runs the plan, gives its rows on.
//!
//! How it never stands still: rows that the plan does not take yet are kept in memory, and while it takes
//! rows of this input the sender waits for room. As soon as the plan waits for another input, rows of this
//! one go to files instead, because waiting would be for ever.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use seatun_api::transform::OperatorContext;
use seatun_api::{Batch, Epoch, Error, Operator, OperatorState, Output, Result, SchemaChange, TableSchema};

use super::engine::{Resources, Run};
use super::ports::{self, Port};
use super::spool::Budget;
use crate::plugin::Query;
use crate::{codes, diagnose, session};

/// A query over all rows of its inputs.
pub(super) struct QueryOperator {
    plan: LogicalPlan,
    ports: Vec<Port>,
    budget: Arc<Budget>,
    resources: Resources,
    output: Arc<TableSchema>,
    run: Progress,
}

enum Progress {
    /// The sizes of the inputs are not known well enough to choose a plan.
    Gathering,
    Running(Run),
    Ended,
}

impl QueryOperator {
    pub(super) fn open(
        query: &Query,
        names: &[String],
        output: &str,
        context: OperatorContext,
    ) -> Result<Self> {
        let inputs = super::one_table_each(names, &context.inputs)?;
        let tables = ports::tables(&inputs);
        let providers = tables.iter().map(|table| Arc::clone(table) as Arc<dyn TableProvider>).collect();
        let plan = super::plan(query, names, providers)?;
        let output = Arc::new(super::table_of(&plan, output, &inputs));
        // A quarter for rows that wait, the rest for joins, groups and sorts.
        let for_inputs = context.memory_limit / 4;
        let budget = Budget::new(for_inputs);
        let resources =
            Resources::new(context.memory_limit - for_inputs, &context.spill_dir).map_err(failed)?;
        let ports = ports::connect(tables, &plan, &budget, resources.disk()).map_err(failed)?;
        Ok(Self { plan, ports, budget, resources, output, run: Progress::Gathering })
    }

    async fn start_if_known(&mut self) -> Result<()> {
        if !matches!(self.run, Progress::Gathering) || !ports::are_known(&self.ports) {
            return Ok(());
        }
        ports::publish_sizes(&self.ports);
        let build = ports::bytes_to_build(&self.ports);
        let run = Run::start(&self.resources, session::base()?, &self.plan, build).await.map_err(failed)?;
        self.run = Progress::Running(run);
        Ok(())
    }

    /// Gives rows to one reader, waiting for room only while the plan can go on without other rows.
    async fn feed(
        &mut self,
        port: usize,
        reader: usize,
        rows: &RecordBatch,
        bytes: usize,
        out: &mut dyn Output,
    ) -> Result<()> {
        let budget = Arc::clone(&self.budget);
        loop {
            // Before looking: what changes in between must not be missed.
            let mut changed = std::pin::pin!(budget.changed.notified());
            changed.as_mut().enable();
            self.hand_over_where_waited_for().await?;
            let elsewhere = self.is_waiting_elsewhere(port, reader);
            let Some(feed) = self.ports.get_mut(port).and_then(|port| port.feeds.get_mut(reader)) else {
                return Ok(());
            };
            if feed.offer(rows, bytes) {
                return Ok(());
            }
            let Progress::Running(run) = &mut self.run else {
                return feed.spill(rows.clone(), bytes).await.map_err(failed);
            };
            if elsewhere {
                return feed.spill(rows.clone(), bytes).await.map_err(failed);
            }
            tokio::select! {
                item = run.output.recv() => match item {
                    Some(item) => emit(&self.output, item, out).await?,
                    // The plan needs no more rows.
                    None => return Ok(()),
                },
                () = changed => {}
            }
        }
    }

    fn is_waiting_elsewhere(&self, port: usize, reader: usize) -> bool {
        self.ports.iter().enumerate().any(|(other_port, ports)| {
            ports
                .feeds
                .iter()
                .enumerate()
                .any(|(other, feed)| (other_port, other) != (port, reader) && feed.spool.is_waiting())
        })
    }

    async fn hand_over_where_waited_for(&mut self) -> Result<()> {
        for feed in self.ports.iter_mut().flat_map(|port| &mut port.feeds) {
            if feed.spool.is_waiting() {
                feed.hand_over().await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Gives on what the plan has ready.
    async fn emit_ready(&mut self, out: &mut dyn Output) -> Result<()> {
        let Progress::Running(run) = &mut self.run else { return Ok(()) };
        while let Ok(item) = run.output.try_recv() {
            emit(&self.output, item, out).await?;
        }
        Ok(())
    }

    async fn end_port(&mut self, port: usize) -> Result<()> {
        let Some(port) = self.ports.get_mut(port) else { return Ok(()) };
        if port.size.exact {
            return Ok(());
        }
        port.size.exact = true;
        for feed in &mut port.feeds {
            feed.end().await.map_err(failed)?;
        }
        Ok(())
    }
}

async fn emit(
    table: &Arc<TableSchema>,
    item: datafusion::common::Result<RecordBatch>,
    out: &mut dyn Output,
) -> Result<()> {
    let rows = item.map_err(failed)?;
    if rows.num_rows() == 0 {
        return Ok(());
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let (_, columns, _) = rows.into_parts();
    let rows = RecordBatch::try_new_with_options(Arc::clone(&table.arrow), columns, &options)?;
    out.batch(Batch::new(Arc::clone(table), rows)?).await
}

fn failed(error: DataFusionError) -> Error {
    diagnose::running(&error)
}

#[async_trait]
impl Operator for QueryOperator {
    async fn on_batch(&mut self, port: usize, batch: Batch, out: &mut dyn Output) -> Result<()> {
        if batch.kinds().is_some() {
            return Err(Error::user(
                codes::CHANGES_IN_QUERY,
                format!("table {} has updates or deletes, which this query cannot take", batch.table().id),
            )
            .at_option("query")
            .with_hint("join, aggregate and sort rows that are only inserted"));
        }
        let bytes = batch.memory_size();
        let Some(input) = self.ports.get_mut(port) else { return Ok(()) };
        input.size.rows += batch.num_rows();
        input.size.bytes += bytes;
        let readers = input.feeds.len();
        self.start_if_known().await?;
        for reader in 0..readers {
            self.feed(port, reader, batch.rows(), bytes, out).await?;
        }
        self.emit_ready(out).await
    }

    async fn on_schema_change(
        &mut self,
        _port: usize,
        change: Arc<SchemaChange>,
        _out: &mut dyn Output,
    ) -> Result<()> {
        Err(Error::user(
            codes::QUERY_SCHEMA_CHANGE,
            format!("the schema of table {} changed while a query was reading it", change.after.id),
        )
        .at_option("query")
        .with_hint("run the job again: it will read the table in its new form"))
    }

    async fn on_port_end(&mut self, port: usize, out: &mut dyn Output) -> Result<()> {
        self.end_port(port).await?;
        self.start_if_known().await?;
        self.emit_ready(out).await
    }

    async fn on_end(&mut self, out: &mut dyn Output) -> Result<()> {
        for port in 0..self.ports.len() {
            self.end_port(port).await?;
        }
        self.start_if_known().await?;
        if let Progress::Running(mut run) = std::mem::replace(&mut self.run, Progress::Ended) {
            while let Some(item) = run.output.recv().await {
                emit(&self.output, item, out).await?;
            }
            run.join().await.map_err(|error| {
                Error::internal(codes::QUERY_FAILED, "the task of a query has died").with_source(error)
            })?;
        }
        // Their files go with them.
        self.ports.clear();
        Ok(())
    }

    fn snapshot(&mut self, _epoch: Epoch) -> Result<OperatorState> {
        // Asked for when all inputs have ended and every row is out: there is nothing to keep.
        Ok(OperatorState::default())
    }
}
