//! The sink: rules on values are checked as rows come, rules on numbers of rows over all writers.
//!
//! A writer counts its rows over all runs of the job: the count is its state, and what it prepares is the
//! count so far. The committer adds up the latest count of every writer, so repeating an epoch changes
//! nothing, and `MIN_ROW` is judged when the job has ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use seatun_api::registry::{PluginContext, SinkConnector};
use seatun_api::{
    Batch, Committer, Delivery, Epoch, Generation, Prepared, Result, SchemaChange, Sink, SinkContext,
    SinkOutput, TableId, TableSchema, Versioned, Writer, WriterContext,
};
use serde::{Deserialize, Serialize};

use crate::config::AssertConfig;
use crate::fields::FieldChecks;
use crate::rules::{Counts, Rules};

const KIND: &str = "assert.counts";
const VERSION: u32 = 1;

/// The sink `Assert`.
pub struct Assert;

/// A checked sink.
pub struct AssertPlan {
    rules: Arc<Rules>,
}

impl SinkConnector for Assert {
    const NAME: &'static str = "Assert";
    type Config = AssertConfig;
    type Plan = AssertPlan;

    fn validate(config: AssertConfig, _: &PluginContext) -> Result<AssertPlan> {
        Ok(AssertPlan { rules: Arc::new(Rules::new(config.rules)?) })
    }

    fn build(plan: AssertPlan, _: &PluginContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(Built { rules: plan.rules }))
    }
}

struct Built {
    rules: Arc<Rules>,
}

#[async_trait]
impl Sink for Built {
    /// Rows are counted exactly once.
    fn delivery(&self) -> Delivery {
        Delivery::ExactlyOnce
    }

    fn accepts(&self, tables: &[Arc<TableSchema>]) -> Result<()> {
        tables.iter().try_for_each(|table| self.rules.accepts(table))
    }

    async fn probe(&self) -> Result<String> {
        Ok("checks rows by its rules".to_owned())
    }

    async fn writer(&self, context: WriterContext) -> Result<Box<dyn Writer>> {
        let mut counted = Counts::new();
        for state in &context.restored {
            for (table, rows) in state.decode::<Counted>(KIND, VERSION)?.rows {
                *counted.entry(table).or_default() += rows;
            }
        }
        Ok(Box::new(AssertWriter {
            rules: Arc::clone(&self.rules),
            subtask: context.subtask,
            changed: !counted.is_empty(),
            counted,
            tables: BTreeMap::new(),
        }))
    }

    async fn committer(&self, context: SinkContext) -> Result<Option<Box<dyn Committer>>> {
        Ok(Some(Box::new(AssertCommitter {
            rules: Arc::clone(&self.rules),
            declared: context.tables.iter().map(|table| table.id.to_string()).collect(),
            by_writer: BTreeMap::new(),
        })))
    }
}

/// What a writer has counted over all runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Counted {
    subtask: u32,
    rows: Counts,
}

struct AssertWriter {
    rules: Arc<Rules>,
    subtask: u32,
    counted: Counts,
    /// Whether the committer does not know the count yet.
    changed: bool,
    tables: BTreeMap<TableId, (Arc<TableSchema>, FieldChecks)>,
}

impl AssertWriter {
    fn checks(&mut self, table: &Arc<TableSchema>) -> Result<&FieldChecks> {
        let known = self.tables.get(&table.id).is_some_and(|(schema, _)| schema == table);
        if !known {
            let checks = self.rules.field_checks(table)?;
            self.tables.insert(table.id.clone(), (Arc::clone(table), checks));
        }
        // invariant: it was there or has just been put there.
        Ok(&self.tables[&table.id].1)
    }
}

#[async_trait]
impl Writer for AssertWriter {
    async fn write(&mut self, batch: Batch, _: &mut dyn SinkOutput) -> Result<()> {
        let name = batch.table().id.to_string();
        let before = self.counted.get(&name).copied().unwrap_or(0);
        let checked = self.checks(batch.table())?.check(batch.table(), batch.rows(), before);
        checked.map_err(|error| error.with("subtask", self.subtask))?;
        let count = before + batch.num_rows() as u64;
        self.rules.check_most(&name, count)?;
        self.changed |= batch.num_rows() > 0;
        self.counted.insert(name, count);
        Ok(())
    }

    async fn prepare(&mut self, _: Epoch, _: &mut dyn SinkOutput) -> Result<Prepared> {
        let counted = Counted { subtask: self.subtask, rows: self.counted.clone() };
        let counted = Versioned::encode(KIND, VERSION, &counted)?;
        let committables = if std::mem::take(&mut self.changed) { vec![counted.clone()] } else { Vec::new() };
        Ok(Prepared { committables, state: Some(counted), bytes: 0 })
    }

    async fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<()> {
        self.checks(&change.after).map(drop)
    }
}

struct AssertCommitter {
    rules: Arc<Rules>,
    declared: Vec<String>,
    by_writer: BTreeMap<u32, Counts>,
}

impl AssertCommitter {
    fn totals(&self) -> Counts {
        let mut totals = Counts::new();
        for (table, rows) in self.by_writer.values().flatten() {
            *totals.entry(table.clone()).or_default() += rows;
        }
        totals
    }
}

#[async_trait]
impl Committer for AssertCommitter {
    async fn commit(&mut self, _: Epoch, items: Vec<Versioned>, _: Vec<Arc<SchemaChange>>) -> Result<()> {
        for item in &items {
            let counted: Counted = item.decode(KIND, VERSION)?;
            self.by_writer.insert(counted.subtask, counted.rows);
        }
        self.totals().iter().try_for_each(|(table, rows)| self.rules.check_most(table, *rows))
    }

    async fn discard_leftovers(&mut self, _: Generation, _: Epoch) -> Result<()> {
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        self.rules.check_whole(&self.declared, &self.totals())
    }
}
