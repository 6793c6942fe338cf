//! Failures and restarts: nothing lost, nothing doubled, no restart without end.

use std::sync::Arc;

use seatun_api::error::codes::INTERNAL;
use seatun_api::{Blame, Error};
use seatun_testkit::batches::{numbers, numbers_table};
use seatun_testkit::memory::{MemorySink, MemorySource, MemoryStore, ScriptedSplit, Step};

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
    let stats = job(&visible, script(12, || Error::exhausted(INTERNAL, "disk full"))).finish().await;
    assert_eq!((visible.rows().len(), stats.restarts.get()), (60, 12));
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
