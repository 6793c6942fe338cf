//! Operator state through checkpoints, restarts and another parallelism.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use seatun_api::transform::OperatorContext;
use seatun_api::{
    Batch, Epoch, Operator, OperatorState, Output, Result, SchemaChange, StateTable, TableSchema, Transform,
    TransformKind,
};
use seatun_runtime::job::NodeKind;
use seatun_runtime::run::Outcome;
use seatun_testkit::Gate;
use seatun_testkit::batches::{numbers, numbers_table};
use seatun_testkit::memory::{MemorySink, MemorySource, MemoryStore, ScriptedSplit, Step};

use crate::harness::{Builder, until};

/// Passes on the first row of each key only: needs to remember the keys it has seen.
struct Distinct;

#[derive(Default)]
struct Seen(BTreeMap<i64, u16>);

const KEY: usize = 0;

impl Transform for Distinct {
    fn kind(&self) -> TransformKind {
        TransformKind::Stateful { keys: vec![numbers_table("t").arrow.field(KEY).name().clone()] }
    }

    fn output_tables(&self, inputs: &[Vec<Arc<TableSchema>>]) -> Result<Vec<TableSchema>> {
        Ok(inputs[0].iter().map(|table| (**table).clone()).collect())
    }

    fn operator(&self, context: OperatorContext) -> Result<Box<dyn Operator>> {
        let mut seen = Seen::default();
        for table in context.restored.unwrap_or_default().tables {
            for batch in table.batches {
                for key in ints(batch.column(0)) {
                    seen.0.insert(key, table.key_group);
                }
            }
        }
        Ok(Box::new(seen))
    }
}

fn ints(column: &ArrayRef) -> Vec<i64> {
    column.as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec()
}

#[async_trait::async_trait]
impl Operator for Seen {
    async fn on_batch(&mut self, _: usize, batch: Batch, out: &mut dyn Output) -> Result<()> {
        let groups = seatun_runtime::key_groups(&batch, &[KEY])?;
        let keys = ints(batch.column(KEY));
        let new: arrow_array::BooleanArray =
            keys.iter().zip(groups).map(|(key, group)| Some(self.0.insert(*key, group).is_none())).collect();
        out.batch(batch.filter(&new)?).await
    }

    async fn on_schema_change(&mut self, _: usize, _: Arc<SchemaChange>, _: &mut dyn Output) -> Result<()> {
        Ok(())
    }

    fn snapshot(&mut self, _: Epoch) -> Result<OperatorState> {
        let mut groups: BTreeMap<u16, Vec<i64>> = BTreeMap::new();
        for (key, group) in &self.0 {
            groups.entry(*group).or_default().push(*key);
        }
        let tables = groups
            .into_iter()
            .map(|(key_group, keys)| {
                let column: ArrayRef = Arc::new(Int64Array::from(keys));
                let batches = vec![RecordBatch::try_from_iter([("key", column)]).unwrap()];
                StateTable { name: "seen".into(), version: 1, key_group, batches }
            })
            .collect();
        Ok(OperatorState { small: Vec::new(), tables })
    }
}

#[tokio::test]
async fn keyed_state_survives_a_restart_at_another_parallelism() {
    for (before, after) in [(1, 1), (1, 3), (3, 2), (4, 1)] {
        let table = numbers_table("t");
        let visible = MemoryStore::new();
        let gate = Gate::closed();
        let script = |shift: i64| {
            let mut steps = vec![Step::Batch(numbers(&table, shift..shift + 100))];
            steps.push(Step::Wait(gate.clone()));
            steps.push(Step::Batch(numbers(&table, shift + 50..shift + 150)));
            steps
        };
        let splits = vec![ScriptedSplit::new("a", script(0)), ScriptedSplit::new("b", script(20))];
        let source = MemorySource::bounded(&table, splits).with_splits_per_reader(None);
        let build = |parallelism| {
            Builder::new()
                .every(5)
                .source("in", 2, source.clone())
                .node("distinct", parallelism, &[0], NodeKind::Transform(Arc::new(Distinct)))
                .sink("out", 2, &[1], MemorySink::two_phase(&visible))
        };
        let first = build(before);
        let (control, store) = (first.control.clone(), Arc::clone(&first.store));
        let running = tokio::spawn(first.run());
        until("the first keys are committed", || visible.rows().len() == 120).await;
        control.stop();
        let (result, _) = running.await.unwrap();
        assert!(matches!(result, Ok(Outcome::Stopped { resumable: true, .. })), "{result:?}");
        gate.open();
        build(after).with_store(&store).finish().await;
        assert_eq!(visible.rows().len(), 170, "{before} to {after}: each key once");
    }
}
