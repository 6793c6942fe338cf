//! The cases of the suite for sinks, one function for each promise.

use std::sync::Arc;

use arrow_array::{Int64Array, StringArray};
use seatun_api::{ColumnChange, Epoch, Generation, SchemaChange};

use super::{Run, SinkBench, assert_coded, assert_visible, single_column};
use crate::batches;

pub(super) async fn rows_become_visible_by_commit(bench: &dyn SinkBench, two_phase: bool) {
    let case = "commit";
    let table = batches::numbers_table("t");
    let (first, second) = (batches::numbers(&table, 0..10), batches::numbers(&table, 10..25));
    let mut run = Run::open(bench, case, 1, 1, &table).await;
    if let Some(committer) = &mut run.committer {
        let last = committer.last_committed().await.expect("the target is asked");
        assert_eq!(last, None, "{case}: a fresh target shows no committed epoch");
    }
    run.write(0, &first).await;
    let (items, _) = run.prepare(1).await;
    if two_phase {
        assert!(!items.is_empty(), "{case}: rows were prepared, so there is something to commit");
        assert_visible(bench, case, "prepared rows are not visible", &[]).await;
    }
    run.commit(1, &items).await;
    assert_visible(bench, case, "committed rows are visible", &[&first]).await;
    run.commit(1, &items).await;
    assert_visible(bench, case, "a second commit changes nothing", &[&first]).await;
    if let Some(committer) = &mut run.committer {
        let last = committer.last_committed().await.expect("the target is asked");
        assert!(last.is_none_or(|last| last == Epoch(1)), "{case}: epoch 1 is committed, not {last:?}");
    }
    run.write(0, &second).await;
    let (items, _) = run.prepare(2).await;
    run.commit(2, &items).await;
    assert_visible(bench, case, "the next epoch is visible too", &[&first, &second]).await;
    if let Some(committer) = &mut run.committer {
        committer.finish().await.expect("the end of the job is told");
    }
    assert_visible(bench, case, "the end of the job changes nothing", &[&first, &second]).await;
}

pub(super) async fn another_process_commits(bench: &dyn SinkBench) {
    let case = "another_process";
    let table = batches::numbers_table("t");
    let (first, second) = (batches::numbers(&table, 0..10), batches::numbers(&table, 10..20));
    let mut run = Run::open(bench, case, 1, 2, &table).await;
    run.write(0, &first.slice(0, 6)).await;
    run.write(1, &first.slice(6, 4)).await;
    let (items, states) = run.prepare(1).await;
    drop(run);
    let mut other = Run::open_restored(bench, case, 2, 2, &table, states).await;
    assert_visible(bench, case, "opening the sink again shows nothing", &[]).await;
    other.commit(1, &items).await;
    assert_visible(bench, case, "another process commits what was prepared", &[&first]).await;
    drop(other);
    let mut third = Run::open(bench, case, 3, 1, &table).await;
    third.commit(1, &items).await;
    assert_visible(bench, case, "a third process commits it again", &[&first]).await;
    third.write(0, &second).await;
    let (items, _) = third.prepare(2).await;
    third.commit(2, &items).await;
    assert_visible(bench, case, "and goes on", &[&first, &second]).await;
}

pub(super) async fn several_epochs_are_committed_by_a_restart(bench: &dyn SinkBench) {
    let case = "several_epochs";
    let table = batches::numbers_table("t");
    let epochs: Vec<_> = (0..3).map(|n| batches::numbers(&table, n * 5..n * 5 + 5)).collect();
    let mut run = Run::open(bench, case, 1, 1, &table).await;
    let mut prepared = Vec::new();
    for (epoch, batch) in (1..).zip(&epochs) {
        run.write(0, batch).await;
        prepared.push((epoch, run.prepare(epoch).await.0));
    }
    drop(run);
    let mut other = Run::open(bench, case, 2, 1, &table).await;
    for (epoch, items) in &prepared {
        other.commit(*epoch, items).await;
    }
    assert_visible(
        bench,
        case,
        "epochs prepared before are committed in order",
        &epochs.iter().collect::<Vec<_>>(),
    )
    .await;
}

pub(super) async fn an_empty_epoch_prepares_nothing(bench: &dyn SinkBench) {
    let case = "empty_epoch";
    let table = batches::numbers_table("t");
    let rows = batches::numbers(&table, 0..3);
    let mut run = Run::open(bench, case, 1, 2, &table).await;
    let (items, _) = run.prepare(1).await;
    assert!(items.is_empty(), "{case}: an epoch without rows prepares nothing, not {items:?}");
    run.commit(1, &items).await;
    run.commit(1, &items).await;
    assert_visible(bench, case, "an empty epoch shows nothing", &[]).await;
    run.write(0, &rows).await;
    let (items, _) = run.prepare(2).await;
    run.commit(2, &items).await;
    let (items, _) = run.prepare(3).await;
    assert!(items.is_empty(), "{case}: rows of the epoch before are not prepared again");
    run.commit(3, &items).await;
    assert_visible(bench, case, "an empty epoch after one with rows changes nothing", &[&rows]).await;
}

pub(super) async fn an_oversize_batch_is_written(bench: &dyn SinkBench) {
    let case = "oversize";
    let table = batches::numbers_table("t");
    let many = batches::numbers(&table, 0..bench.oversize_rows());
    let long = "x".repeat(1 << 20);
    let wide = batches::batch(
        &table,
        vec![
            Arc::new(Int64Array::from(vec![Some(-1), None])),
            Arc::new(StringArray::from(vec![Some(long.as_str()), Some("short")])),
        ],
    );
    let mut run = Run::open(bench, case, 1, 1, &table).await;
    run.write(0, &many).await;
    run.write(0, &wide).await;
    let (items, _) = run.prepare(1).await;
    run.commit(1, &items).await;
    assert_visible(bench, case, "a large batch and a large row", &[&many, &wide]).await;
}

pub(super) async fn several_writers_write_one_epoch(bench: &dyn SinkBench) {
    let case = "several_writers";
    let table = batches::numbers_table("t");
    let mut all = Vec::new();
    let mut run = Run::open(bench, case, 1, 3, &table).await;
    for epoch in 1..=2 {
        for writer in 0..3 {
            // The third writer has no rows in the second epoch.
            if epoch == 2 && writer == 2 {
                continue;
            }
            let start = i64::try_from(epoch * 100 + u64::try_from(writer).unwrap_or(0) * 10).unwrap_or(0);
            let batch = batches::numbers(&table, start..start + 10);
            run.write(writer, &batch).await;
            all.push(batch);
        }
        let (items, _) = run.prepare(epoch).await;
        run.commit(epoch, &items).await;
    }
    assert_visible(bench, case, "rows of all writers", &all.iter().collect::<Vec<_>>()).await;
}

pub(super) async fn every_type_is_written_or_refused(bench: &dyn SinkBench) {
    for (name, array) in batches::contract_columns().into_iter().chain(batches::further_columns()) {
        let case = format!("type_{name}");
        let batch = single_column(name, array);
        if let Err(error) = bench.make(&case).accepts(&[Arc::clone(batch.table())]) {
            assert_coded(&error, &case);
            continue;
        }
        let mut run = Run::open(bench, &case, 1, 1, batch.table()).await;
        run.write(0, &batch).await;
        let (items, _) = run.prepare(1).await;
        run.commit(1, &items).await;
        assert_visible(bench, &case, "values come back as they were written", &[&batch]).await;
    }
}

pub(super) async fn a_column_is_added_between_epochs(bench: &dyn SinkBench) {
    let case = "schema_change";
    let before = batches::numbers_table("t");
    let after = batches::with_added_column(&before, "more");
    let steps = vec![ColumnChange::Add { name: "more".to_owned() }];
    let change = Arc::new(SchemaChange { before: Arc::clone(&before), after: Arc::clone(&after), steps });
    let (narrow, wide) = (batches::numbers(&before, 0..4), batches::wide_numbers(&after, 4..8));
    let mut run = Run::open(bench, case, 1, 1, &before).await;
    run.write(0, &narrow).await;
    let (items, _) = run.prepare(1).await;
    let changed = run.writers[0].schema_change(Arc::clone(&change)).await;
    if !bench.takes_added_columns() {
        assert_coded(&changed.expect_err("the sink refuses another schema"), case);
        return;
    }
    changed.expect("the writer takes the new schema");
    // Twice, as after a lost answer: the change must be recognised as made.
    for _ in 0..2 {
        if let Some(committer) = &mut run.committer {
            committer
                .commit(Epoch(1), items.clone(), vec![Arc::clone(&change)])
                .await
                .expect("the epoch is committed with its schema change");
        }
    }
    assert_visible(bench, case, "rows before the change", &[&narrow]).await;
    run.write(0, &wide).await;
    let (items, _) = run.prepare(2).await;
    run.commit(2, &items).await;
    assert_visible(bench, case, "rows before and after the change", &[&narrow, &wide]).await;
}

pub(super) async fn leftovers_are_discarded(bench: &dyn SinkBench) {
    let case = "leftovers";
    let table = batches::numbers_table("t");
    let (kept, lost, own) =
        (batches::numbers(&table, 0..10), batches::numbers(&table, 10..20), batches::numbers(&table, 20..30));
    let mut first = Run::open(bench, case, 1, 2, &table).await;
    first.write(0, &kept).await;
    let (items, _) = first.prepare(1).await;
    first.commit(1, &items).await;
    // Prepared and never published, and written and never prepared.
    first.write(0, &lost.slice(0, 5)).await;
    first.prepare(2).await;
    first.write(1, &lost.slice(5, 5)).await;
    drop(first);

    let mut second = Run::open(bench, case, 2, 2, &table).await;
    second.write(0, &own).await;
    let (own_items, _) = second.prepare(3).await;
    for round in ["the first time", "again"] {
        if let Some(committer) = &mut second.committer {
            committer
                .discard_leftovers(Generation(2), Epoch(1))
                .await
                .unwrap_or_else(|error| panic!("{case}: leftovers are discarded {round}: {error:?}"));
        }
        assert_visible(bench, case, "what is committed stays", &[&kept]).await;
    }
    second.commit(3, &own_items).await;
    assert_visible(bench, case, "what the own generation prepared stays", &[&kept, &own]).await;
    assert_eq!(bench.leftovers(case).await, 0, "{case}: nothing invisible is left");
}
