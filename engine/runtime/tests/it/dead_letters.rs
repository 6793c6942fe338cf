//! Rows that are given up.

use bytes::Bytes;
use seatun_api::error::codes::INTERNAL;
use seatun_api::{Error, Reject};
use seatun_runtime::codes;
use seatun_testkit::batches::{numbers, numbers_table};
use seatun_testkit::memory::{MemorySink, MemorySource, MemoryStore, ScriptedSplit, Step};

use crate::harness::Builder;

fn bad_row() -> Reject {
    let error = Error::user(INTERNAL, "not a number");
    Reject { table: None, raw: Bytes::from_static(b"1,x"), origin: None, error }
}

fn script(bad: usize) -> Vec<Step> {
    let table = numbers_table("t");
    let mut steps: Vec<Step> = (0..4).map(|n| Step::Batch(numbers(&table, n * 10..n * 10 + 10))).collect();
    for n in 0..bad {
        steps.insert(n, Step::Reject(bad_row));
    }
    steps
}

fn job(visible: &MemoryStore, bad: usize) -> Builder {
    let table = numbers_table("t");
    let splits = vec![ScriptedSplit::new("a", script(bad)), ScriptedSplit::new("b", script(bad))];
    Builder::new().every(2).source("in", 2, MemorySource::bounded(&table, splits)).sink(
        "out",
        2,
        &[0],
        MemorySink::two_phase(visible),
    )
}

#[tokio::test]
async fn without_a_dead_letter_sink_the_first_bad_row_stops_the_job() {
    let visible = MemoryStore::new();
    let (result, _) = job(&visible, 1).run().await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), codes::ROW_GIVEN_UP);
    assert!(error.chain().contains("not a number") && !error.chain().contains("1,x"), "{error:?}");
}

#[tokio::test]
async fn bad_rows_go_to_the_dead_letter_sink_and_good_ones_on() {
    let (visible, letters) = (MemoryStore::new(), MemoryStore::new());
    let stats = job(&visible, 3).dead_letters(MemorySink::two_phase(&letters), None).finish().await;
    assert_eq!((visible.rows().len(), letters.rows().len()), (80, 6));
    let balance = stats.balance();
    assert_eq!((balance.read, balance.written, balance.dead_lettered), (86, 80, 6));
    let record = letters.batches().remove(0);
    assert_eq!(record.table().id.to_string(), "dead_letters");
    let text = letters.rows().remove(0);
    for part in ["test", "in", "ST-0001", "not a number"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn rows_given_up_by_a_writer_are_dead_letters_too() {
    let (visible, letters) = (MemoryStore::new(), MemoryStore::new());
    let table = numbers_table("t");
    let refuse_second = |batch: &seatun_api::Batch| {
        let first = batch.column(0).to_data().buffers()[0].typed_data::<i64>().first().copied();
        if first == Some(10) { (0..batch.num_rows()).map(|_| bad_row()).collect() } else { Vec::new() }
    };
    let splits = vec![ScriptedSplit::new("a", script(0))];
    let stats = Builder::new()
        .source("in", 1, MemorySource::bounded(&table, splits))
        .sink("out", 1, &[0], MemorySink::two_phase(&visible).with_rejects(refuse_second))
        .dead_letters(MemorySink::two_phase(&letters), None)
        .finish()
        .await;
    assert_eq!((visible.rows().len(), letters.rows().len()), (30, 10));
    assert_eq!(stats.balance().dead_lettered, 10);
}

#[tokio::test]
async fn more_dead_letters_than_allowed_stop_the_job() {
    let (visible, letters) = (MemoryStore::new(), MemoryStore::new());
    let (result, _) = job(&visible, 3).dead_letters(MemorySink::two_phase(&letters), Some(4)).run().await;
    assert_eq!(result.unwrap_err().code(), codes::TOO_MANY_DEAD_LETTERS);
}

#[tokio::test]
async fn a_ratio_is_held_against_the_rows_up_to_the_checkpoint() {
    let table = numbers_table("t");
    for (bad, passes) in [(9, true), (30, false)] {
        let (visible, letters) = (MemoryStore::new(), MemoryStore::new());
        let mut steps: Vec<Step> = (0..bad).map(|_| Step::Reject(bad_row)).collect();
        steps.push(Step::Batch(numbers(&table, 0..1000)));
        let source = MemorySource::bounded(&table, vec![ScriptedSplit::new("a", steps)]);
        let mut job = Builder::new()
            .source("in", 1, source)
            .sink("out", 1, &[0], MemorySink::two_phase(&visible))
            .dead_letters(MemorySink::two_phase(&letters), None);
        if let Some(letters) = &mut job.job.dead_letter {
            letters.max_ratio = Some(0.01);
        }
        let (result, _) = job.run().await;
        match passes {
            true => assert!(result.is_ok(), "{result:?}"),
            false => assert_eq!(result.unwrap_err().code(), codes::TOO_MANY_DEAD_LETTERS),
        }
    }
}
