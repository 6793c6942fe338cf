//! How rows get from sources to sinks.

use std::sync::Arc;

use arrow_array::BooleanArray;
use seatun_api::transform::OperatorContext;
use seatun_api::{
    Batch, Epoch, Map, MapOutput, Operator, OperatorState, Output, Reject, Result, SchemaChange, TableSchema,
    Transform, TransformKind, Versioned,
};
use seatun_testkit::batches::{numbers, numbers_table};
use seatun_testkit::memory::{MemorySink, MemorySource, MemoryStore, ScriptedSplit};

use crate::harness::Builder;

/// Keeps every second row of each batch.
struct Halve;

impl Transform for Halve {
    fn kind(&self) -> TransformKind {
        TransformKind::Map
    }

    fn output_tables(&self, inputs: &[Vec<Arc<TableSchema>>]) -> Result<Vec<TableSchema>> {
        Ok(inputs[0].iter().map(|table| (**table).clone()).collect())
    }

    fn map(&self) -> Result<Box<dyn Map>> {
        Ok(Box::new(Self))
    }
}

impl Map for Halve {
    fn map(&mut self, batch: Batch, _: &mut Vec<Reject>) -> Result<MapOutput> {
        let keep: BooleanArray = (0..batch.num_rows()).map(|row| Some(row % 2 == 0)).collect();
        batch.filter(&keep).map(Some)
    }

    fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<Option<Arc<SchemaChange>>> {
        Ok(Some(change))
    }
}

/// Holds all rows back until its input has ended.
pub struct HoldBack;

struct Held(Vec<Batch>);

#[async_trait::async_trait]
impl Operator for Held {
    async fn on_batch(&mut self, _: usize, batch: Batch, _: &mut dyn Output) -> Result<()> {
        self.0.push(batch);
        Ok(())
    }

    async fn on_schema_change(&mut self, _: usize, _: Arc<SchemaChange>, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    async fn on_end(&mut self, out: &mut dyn Output) -> Result<()> {
        for batch in self.0.drain(..) {
            out.batch(batch).await?;
        }
        Ok(())
    }

    fn snapshot(&mut self, epoch: Epoch) -> Result<OperatorState> {
        let small = vec![Versioned::encode("test.epoch", 1, &epoch)?];
        Ok(OperatorState { small, tables: Vec::new() })
    }
}

impl Transform for HoldBack {
    fn kind(&self) -> TransformKind {
        TransformKind::Blocking
    }

    fn output_tables(&self, inputs: &[Vec<Arc<TableSchema>>]) -> Result<Vec<TableSchema>> {
        Ok(inputs[0].iter().map(|table| (**table).clone()).collect())
    }

    fn operator(&self, _: OperatorContext) -> Result<Box<dyn Operator>> {
        Ok(Box::new(Held(Vec::new())))
    }
}

fn splits(count: i64, batches: i64, rows: i64) -> Vec<ScriptedSplit> {
    let table = numbers_table("t");
    (0..count)
        .map(|split| {
            let first = split * batches * rows;
            let of_split = (0..batches).map(|batch| {
                let start = first + batch * rows;
                numbers(&table, start..start + rows)
            });
            ScriptedSplit::of_batches(&format!("s{split:02}"), of_split)
        })
        .collect()
}

#[tokio::test]
async fn every_row_arrives_once_at_any_parallelism() {
    for (readers, writers) in [(1, 1), (1, 3), (3, 1), (3, 3), (2, 4)] {
        for interval in [None, Some(3)] {
            let table = numbers_table("t");
            let store = MemoryStore::new();
            let mut builder = Builder::new()
                .source("in", readers, MemorySource::bounded(&table, splits(7, 5, 10)))
                .sink("out", writers, &[0], MemorySink::two_phase(&store));
            if let Some(millis) = interval {
                builder = builder.every(millis);
            }
            let stats = builder.finish().await;
            let mut rows = store.rows();
            rows.sort();
            rows.dedup();
            assert_eq!((rows.len(), store.rows().len()), (350, 350), "{readers} to {writers}");
            assert_eq!(stats.balance().written, 350);
            assert_eq!(store.staged(), 0);
        }
    }
}

#[tokio::test]
async fn rows_of_a_split_stay_in_order_when_spread_over_writers() {
    let table = numbers_table("t");
    let store = MemoryStore::new();
    Builder::new()
        .source("in", 2, MemorySource::bounded(&table, splits(4, 20, 5)))
        .sink("out", 3, &[0], MemorySink::two_phase(&store))
        .finish()
        .await;
    let mut last = std::collections::BTreeMap::new();
    for batch in store.batches() {
        let origin = Arc::clone(batch.origin().unwrap());
        if let Some(before) = last.insert(origin.split.clone(), origin.to.clone()) {
            assert!(before < origin.to, "{before} came before {}", origin.to);
        }
    }
}

#[tokio::test]
async fn one_output_feeds_several_sinks_and_several_inputs_are_a_union() {
    let table = numbers_table("t");
    let (all, half, both) = (MemoryStore::new(), MemoryStore::new(), MemoryStore::new());
    let stats = Builder::new()
        .source("in", 2, MemorySource::bounded(&table, splits(3, 4, 10)))
        .transform("half", &[0], Halve)
        .sink("all", 1, &[0], MemorySink::two_phase(&all))
        .sink("half-out", 2, &[1], MemorySink::two_phase(&half))
        .sink("both", 1, &[0, 1], MemorySink::two_phase(&both))
        .finish()
        .await;
    assert_eq!((all.rows().len(), half.rows().len(), both.rows().len()), (120, 60, 180));
    let balance = stats.balance();
    assert_eq!((balance.read, balance.copied, balance.filtered), (120, 120 * 2 + 60, 60));
}

#[tokio::test]
async fn a_blocking_transform_gives_its_rows_at_the_end_and_all_in_one_epoch() {
    let table = numbers_table("t");
    let store = MemoryStore::new();
    Builder::new()
        .every(1)
        .source("in", 2, MemorySource::bounded(&table, splits(3, 4, 10)))
        .transform("hold", &[0], HoldBack)
        .sink("out", 2, &[1], MemorySink::two_phase(&store))
        .finish()
        .await;
    assert_eq!(store.rows().len(), 120);
    assert_eq!(store.epochs("out").len(), 1);
}

#[tokio::test]
async fn an_empty_source_finishes_with_nothing() {
    let table = numbers_table("t");
    let store = MemoryStore::new();
    let stats = Builder::new()
        .source("in", 2, MemorySource::bounded(&table, Vec::new()))
        .sink("out", 1, &[0], MemorySink::two_phase(&store))
        .finish()
        .await;
    assert_eq!((store.rows().len(), stats.balance().read), (0, 0));
}

#[tokio::test]
async fn splits_found_while_running_are_read() {
    let table = numbers_table("t");
    let store = MemoryStore::new();
    let mut all = splits(4, 2, 10);
    let late = all.split_off(1);
    let source = MemorySource::bounded(&table, all).with_discovery(std::time::Duration::from_millis(5));
    let adding = source.clone();
    let added = tokio::spawn({
        let store = store.clone();
        async move {
            crate::harness::until("the first split is committed", || store.rows().len() == 20).await;
            for split in late {
                adding.add_split(split);
            }
            adding.complete();
        }
    });
    Builder::new()
        .every(5)
        .source("in", 2, source)
        .sink("out", 1, &[0], MemorySink::two_phase(&store))
        .finish()
        .await;
    added.await.unwrap();
    assert_eq!(store.rows().len(), 80);
}
