//! Schema changes in band.

use std::sync::Arc;

use seatun_api::{ColumnChange, SchemaChange};
use seatun_testkit::batches::{numbers, numbers_table, wide_numbers, with_added_column};
use seatun_testkit::memory::{MemorySink, MemorySource, MemoryStore, ScriptedSplit, Step};

use crate::harness::Builder;

#[tokio::test]
async fn a_schema_change_ends_the_epoch_of_the_rows_before_it() {
    let before = numbers_table("t");
    let after = with_added_column(&before, "extra");
    let change = SchemaChange {
        before: Arc::clone(&before),
        after: Arc::clone(&after),
        steps: vec![ColumnChange::Add { name: "extra".into() }],
    };
    let steps = vec![
        Step::Batch(numbers(&before, 0..10)),
        Step::SchemaChange(change),
        Step::Batch(wide_numbers(&after, 10..15)),
    ];
    let other: Vec<Step> = (0..20).map(|n| Step::Batch(numbers(&numbers_table("u"), n..n + 1))).collect();
    let visible = MemoryStore::new();
    let source = MemorySource::bounded(
        &before,
        vec![ScriptedSplit::new("changing", steps), ScriptedSplit::new("other", other)],
    )
    .with_tables(vec![(*before).clone(), (*numbers_table("u")).clone()]);
    Builder::new()
        .source("in", 2, source)
        .sink("out", 2, &[0], MemorySink::two_phase(&visible))
        .finish()
        .await;
    assert_eq!(visible.rows().len(), 35);
    let changes = visible.schema_changes();
    assert_eq!(changes.len(), 1, "once, however many subtasks carry it");
    let changed_in = changes[0].0;
    let epochs = visible.epochs("out");
    assert!(epochs.len() == 2 && epochs[0].0 == changed_in, "{epochs:?}");
}
