//! Failures and restarts: nothing lost, nothing doubled, no restart without end.

use std::sync::Arc;

use seatun_api::error::codes::INTERNAL;
use seatun_api::{Blame, Error};
use seatun_state::Start;
use seatun_testkit::Gate;
use seatun_testkit::batches::{numbers, numbers_table};
use seatun_testkit::memory::{MemorySink, MemorySource, MemoryStore, ScriptedSplit, Step};

use crate::flow::HoldBack;
use crate::harness::{Builder, until};

fn script(times: usize, error: fn() -> Error) -> Vec<Step> {
    let table = numbers_table("t");
    let mut steps: Vec<Step> = (0..6).map(|n| Step::Batch(numbers(&table, n * 10..n * 10 + 10))).collect();
    steps.insert(3, Step::Fail { times, error });
    steps
}

fn job(visible: &MemoryStore, script: Vec<Step>) -> Builder {
    let table = numbers_table("t");
    Builder::new()
        .every(2)
        .source("in", 2, MemorySource::bounded(&table, vec![ScriptedSplit::new("s", script)]))
        .sink("out", 2, &[0], MemorySink::two_phase(visible))
}

#[tokio::test]
async fn a_failure_that_passes_restarts_the_job_without_loss_or_doubles() {
    let visible = MemoryStore::new();
    let stats = job(&visible, script(3, || Error::external(INTERNAL, "connection lost"))).finish().await;
    let mut rows = visible.rows();
    assert_eq!(rows.len(), 60);
    rows.sort();
    rows.dedup();
    assert_eq!(rows.len(), 60);
    assert_eq!(stats.restarts.get(), 3);
}

#[tokio::test]
async fn restarts_end_when_the_budget_is_used_up() {
    let visible = MemoryStore::new();
    let (result, stats) =
        job(&visible, script(100, || Error::external(INTERNAL, "connection lost"))).run().await;
    let error = result.unwrap_err();
    assert_eq!((error.code(), error.blame()), (seatun_runtime::codes::RESTARTS_EXHAUSTED, Blame::External));
    assert!(error.chain().contains("connection lost"), "{error:?}");
    assert!(stats.restarts.get() >= 3);
}

#[tokio::test]
async fn an_exhausted_resource_is_waited_for_beyond_the_budget() {
    let visible = MemoryStore::new();
    let stats = job(&visible, script(5, || Error::exhausted(INTERNAL, "disk full"))).finish().await;
    assert_eq!((visible.rows().len(), stats.restarts.get()), (60, 5));
}

#[tokio::test]
async fn an_error_of_the_user_is_not_tried_again() {
    let visible = MemoryStore::new();
    let (result, stats) = job(&visible, script(1, || Error::user(INTERNAL, "no such column"))).run().await;
    assert_eq!(result.unwrap_err().blame(), Blame::User);
    assert_eq!(stats.restarts.get(), 0);
}

#[tokio::test]
async fn a_failing_writer_restarts_the_job_from_the_last_checkpoint() {
    let visible = MemoryStore::new();
    visible.fail_writes(2);
    let stats = job(&visible, script(0, || Error::internal(INTERNAL, "never"))).finish().await;
    assert_eq!((visible.rows().len(), stats.restarts.get()), (60, 2));
}

#[tokio::test]
async fn of_two_processes_the_older_one_stops_as_fenced() {
    let table = numbers_table("t");
    let visible = MemoryStore::new();
    let steps = || (0..5).map(|n| Step::Batch(numbers(&numbers_table("t"), n * 10..n * 10 + 10))).collect();
    let source = MemorySource::unbounded(&table, vec![ScriptedSplit::endless("s", steps())]);
    let build = || {
        let sink = MemorySink::two_phase(&visible);
        Builder::new().streaming().every(5).source("in", 1, source.clone()).sink("out", 1, &[0], sink)
    };
    let older = build();
    let store = Arc::clone(&older.store);
    let older = tokio::spawn(older.run());
    until("the first process has written", || visible.rows().len() == 50).await;
    let younger = build().with_store(&store);
    let control = younger.control.clone();
    let younger = tokio::spawn(younger.run());
    let error = older.await.unwrap().0.unwrap_err();
    assert_eq!(error.blame(), Blame::Fenced, "{error:?}");
    control.stop();
    let (result, _) = younger.await.unwrap();
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(visible.rows().len(), 50);
}

#[tokio::test]
async fn a_fresh_start_that_fails_after_publishing_does_not_begin_again() {
    let (table, visible, gate) = (numbers_table("t"), MemoryStore::new(), Gate::closed());
    visible.fail_commits(2);
    let steps = vec![
        Step::Batch(numbers(&table, 0..10)),
        Step::Wait(gate.clone()),
        Step::Fail { times: 1, error: || Error::external(INTERNAL, "connection lost") },
        Step::Batch(numbers(&table, 10..20)),
    ];
    let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("s", steps)]);
    let mut job = Builder::new().every(200).source("in", 1, source).sink(
        "out",
        1,
        &[0],
        MemorySink::two_phase(&visible),
    );
    job.start = Start::Fresh;
    let running = tokio::spawn(job.finish());
    until("a commit was tried", || visible.commits() >= 1).await;
    gate.open();
    let stats = running.await.unwrap();
    assert_eq!(visible.rows().len(), 20);
    assert_eq!(stats.balance().written, 20, "rows of the epoch that the restart committed count too");
}

#[tokio::test]
async fn a_blocking_job_whose_last_commit_is_pending_is_not_run_again() {
    let (table, visible) = (numbers_table("t"), MemoryStore::new());
    let build =
        || {
            let steps = vec![Step::Batch(numbers(&table, 0..10))];
            let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("s", steps)]);
            let mut job = Builder::new()
                .source("in", 1, source.clone())
                .transform("hold", &[0], HoldBack)
                .sink("out", 1, &[1], MemorySink::two_phase(&visible));
            job.job.checkpoint.stop_within = std::time::Duration::from_millis(20);
            (job, source)
        };
    visible.fail_commits(usize::MAX);
    let (first, _) = build();
    let (control, store) = (first.control.clone(), Arc::clone(&first.store));
    let running = tokio::spawn(first.run());
    until("a commit was tried", || visible.commits() >= 1).await;
    control.stop();
    let error = running.await.unwrap().0.unwrap_err();
    assert_eq!(error.code(), seatun_runtime::codes::COMMIT_PENDING);
    visible.fail_commits(0);
    let (second, source) = build();
    second.with_store(&store).finish().await;
    assert_eq!((visible.rows().len(), source.readers_opened()), (10, 0));
}

#[tokio::test]
async fn a_blocking_job_does_not_go_on_from_the_middle_of_its_input() {
    let (table, visible, gate) = (numbers_table("t"), MemoryStore::new(), Gate::closed());
    let steps = vec![
        Step::Batch(numbers(&table, 0..10)),
        Step::Wait(gate.clone()),
        Step::Batch(numbers(&table, 10..20)),
    ];
    let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("s", steps)]);
    let sink = || MemorySink::two_phase(&visible);
    let passing = Builder::new().every(5).source("in", 1, source.clone()).sink("out", 1, &[0], sink());
    let (control, store) = (passing.control.clone(), Arc::clone(&passing.store));
    let running = tokio::spawn(passing.run());
    until("the first rows are committed", || visible.rows().len() == 10).await;
    control.stop();
    running.await.unwrap().0.unwrap();
    gate.open();
    let blocking = Builder::new()
        .with_store(&store)
        .source("in", 1, source)
        .transform("hold", &[0], HoldBack)
        .sink("out", 1, &[1], sink());
    let error = blocking.run().await.0.unwrap_err();
    assert_eq!(error.code(), seatun_runtime::codes::BLOCKING_CANNOT_RESUME);
}

#[tokio::test]
async fn a_state_that_is_older_than_its_sink_is_refused_and_can_be_overruled() {
    let (table, visible) = (numbers_table("t"), MemoryStore::new());
    let build = || {
        let steps = (0..3).map(|n| Step::Batch(numbers(&table, n * 10..n * 10 + 10))).collect();
        let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("s", steps)]);
        Builder::new().source("in", 1, source).sink("out", 1, &[0], MemorySink::two_phase(&visible))
    };
    let old = build();
    let old_state = Arc::clone(&old.store);
    old.finish().await;
    // A second run on a copy of nothing but the target: its epochs are later than the first state knows.
    let mut newer = build();
    newer.start = Start::Fresh;
    newer.finish().await;
    assert_eq!(visible.rows().len(), 60);
    let error = build().with_store(&old_state).run().await.0.unwrap_err();
    assert_eq!(error.code(), seatun_runtime::codes::STATE_LOST);
    assert_eq!(visible.rows().len(), 60, "nothing was written");
    let mut overruled = build().with_store(&old_state);
    overruled.start = Start::Fresh;
    overruled.finish().await;
    assert_eq!(visible.rows().len(), 90);
}
