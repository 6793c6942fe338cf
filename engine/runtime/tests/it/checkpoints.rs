//! Epochs, stopping and going on.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use seatun_runtime::run::Outcome;
use seatun_state::Start;
use seatun_testkit::Gate;
use seatun_testkit::batches::{numbers, numbers_table};
use seatun_testkit::memory::{MemorySink, MemorySource, MemoryStore, ScriptedSplit, Step};

use crate::harness::{Builder, until};

fn steps(from: i64, to: i64) -> Vec<Step> {
    let table = numbers_table("t");
    (from..to).map(|n| Step::Batch(numbers(&table, n * 10..n * 10 + 10))).collect()
}

#[tokio::test]
async fn a_stopped_job_goes_on_where_it_was() {
    let table = numbers_table("t");
    let visible = MemoryStore::new();
    let gate = Gate::closed();
    let mut script = steps(0, 5);
    script.push(Step::Wait(gate.clone()));
    script.extend(steps(5, 8));
    let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("s", script)]);

    let first = Builder::new().every(5).source("in", 1, source.clone()).sink(
        "out",
        1,
        &[0],
        MemorySink::two_phase(&visible),
    );
    let (control, store) = (first.control.clone(), Arc::clone(&first.store));
    let running = tokio::spawn(first.run());
    until("the first rows are committed", || visible.rows().len() == 50).await;
    control.stop();
    let (result, stats) = running.await.unwrap();
    assert!(matches!(result, Ok(Outcome::Stopped { resumable: true, epoch: Some(_) })), "{result:?}");
    assert!(stats.balance().holds());

    gate.open();
    Builder::new()
        .with_store(&store)
        .source("in", 1, source.clone())
        .sink("out", 1, &[0], MemorySink::two_phase(&visible))
        .finish()
        .await;
    assert_eq!(visible.rows().len(), 80);
    assert_eq!(source.readers_opened(), 2);
    assert_eq!(visible.initialized(), 1, "a sink is initialised once in a job's life");
}

#[tokio::test]
async fn a_finished_batch_job_runs_again_from_the_beginning_with_new_epochs() {
    let table = numbers_table("t");
    let visible = MemoryStore::new();
    let build = || {
        Builder::new()
            .source("in", 1, MemorySource::bounded(&table, vec![ScriptedSplit::new("s", steps(0, 2))]))
            .sink("out", 1, &[0], MemorySink::two_phase(&visible))
    };
    let first = build();
    let store = Arc::clone(&first.store);
    first.finish().await;
    build().with_store(&store).finish().await;
    assert_eq!(visible.rows().len(), 40);
    let epochs = visible.epochs("out");
    assert!(epochs.len() == 2 && epochs[0].0 < epochs[1].0, "{epochs:?}");
}

#[tokio::test]
async fn the_source_is_told_of_positions_only_after_the_commit() {
    let table = numbers_table("t");
    let visible = MemoryStore::new();
    visible.fail_commits(3);
    let source = MemorySource::bounded(&table, vec![ScriptedSplit::endless("s", steps(0, 3))]);
    let builder = Builder::new().every(5).source("in", 1, source.clone()).sink(
        "out",
        1,
        &[0],
        MemorySink::two_phase(&visible),
    );
    let control = builder.control.clone();
    let running = tokio::spawn(builder.run());
    until("the source is told", || !source.committed().is_empty()).await;
    assert!(visible.commits() >= 4, "told after {} tries", visible.commits());
    until("all rows are visible", || visible.rows().len() == 30).await;
    control.stop();
    let (result, stats) = running.await.unwrap();
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(stats.restarts.get(), 0, "a failing commit does not restart the job");
    assert!(stats.checkpoints.failed.get() >= 3);
    let positions: Vec<String> =
        source.committed().iter().flat_map(|(_, map)| map.values().map(ToString::to_string)).collect();
    assert!(positions.is_sorted(), "{positions:?}");
}

#[tokio::test]
async fn a_slow_sink_delays_a_checkpoint_but_never_fails_the_job() {
    let table = numbers_table("t");
    let visible = MemoryStore::new();
    let gate = Gate::closed();
    let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("s", steps(0, 4))]);
    let mut builder = Builder::new().every(5).source("in", 1, source).sink(
        "out",
        1,
        &[0],
        MemorySink::two_phase(&visible).with_gate(&gate),
    );
    builder.job.checkpoint.slow_after = Duration::from_millis(10);
    let running = tokio::spawn(builder.finish());
    tokio::time::sleep(Duration::from_millis(60)).await; // the slowness is the fault under test
    gate.open();
    let stats = running.await.unwrap();
    assert_eq!(visible.rows().len(), 40);
    assert_eq!((stats.restarts.get(), stats.checkpoints.failed.get()), (0, 0));
    assert!(stats.checkpoints.duration_millis.load(Ordering::Relaxed) < 60_000);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_blocked_sink() {
    let table = numbers_table("t");
    let visible = MemoryStore::new();
    let gate = Gate::closed();
    let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("s", steps(0, 4))]);
    let build = || {
        let sink = MemorySink::two_phase(&visible).with_gate(&gate);
        let mut builder = Builder::new().every(5).source("in", 1, source.clone()).sink("out", 1, &[0], sink);
        builder.job.checkpoint.stop_within = Duration::from_millis(50);
        builder
    };
    let blocked = build();
    let (control, store) = (blocked.control.clone(), Arc::clone(&blocked.store));
    let running = tokio::spawn(blocked.run());
    until("the source is read", || source.readers_opened() == 1).await;
    control.stop();
    let (result, _) = running.await.unwrap();
    assert!(matches!(result, Ok(Outcome::Stopped { resumable: true, .. })), "{result:?}");
    gate.open();
    build().with_store(&store).finish().await;
    assert_eq!(visible.rows().len(), 40);
}

#[tokio::test]
async fn a_savepoint_can_be_gone_back_to() {
    let table = numbers_table("t");
    let visible = MemoryStore::new();
    let gate = Gate::closed();
    let mut script = steps(0, 2);
    script.push(Step::Wait(gate.clone()));
    script.extend(steps(2, 4));
    let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("s", script)]);
    let build = || {
        Builder::new().every(5).source("in", 1, source.clone()).sink(
            "out",
            1,
            &[0],
            MemorySink::two_phase(&visible),
        )
    };
    let first = build();
    let (control, store) = (first.control.clone(), Arc::clone(&first.store));
    let running = tokio::spawn(first.run());
    until("the first rows are committed", || visible.rows().len() == 20).await;
    control.stop();
    running.await.unwrap().0.unwrap();
    seatun_state::savepoint_from_latest(&*store, "test", "before").await.unwrap();

    gate.open();
    build().with_store(&store).finish().await;
    assert_eq!(visible.rows().len(), 40);
    let mut again = build().with_store(&store);
    again.start = Start::Restore("before".into());
    again.finish().await;
    assert_eq!(visible.rows().len(), 60, "the rows after the savepoint are written once more");
}
