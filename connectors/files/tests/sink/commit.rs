//! Exactly once: what is prepared can be committed by anybody, at any time, once.

use std::fs;
use std::sync::Arc;

use seatun_api::{Batch, Epoch, Generation, Retry};
use seatun_testkit::batches;
use serde_json::json;

use super::bench::Bench;

fn numbers(range: std::ops::Range<i64>) -> Batch {
    batches::numbers(&batches::numbers_table("t"), range)
}

fn parquet() -> Bench {
    Bench::new(json!({"file_format_type": "parquet"}))
}

#[tokio::test]
async fn a_reader_sees_nothing_before_the_commit_and_whole_files_after() {
    let bench = parquet();
    let batch = numbers(0..1000);
    let mut run = bench.open(bench.context(&[&batch])).await;
    run.write(&batch).await.unwrap();
    assert!(bench.files().is_empty());
    let prepared = run.prepare().await.unwrap();
    assert!(bench.files().is_empty());
    assert_eq!(bench.hidden().len(), 1);
    let bytes = fs::metadata(bench.out().join(&bench.hidden()[0])).unwrap().len();
    assert_eq!(prepared.bytes, bytes);
    run.commit(prepared.committables).await.unwrap();
    assert_eq!(bench.parquet_counts(), [1000]);
    assert!(bench.hidden().is_empty());
}

#[tokio::test]
async fn a_lost_prepared_file_is_named_and_never_skipped() {
    let bench = parquet();
    let batch = numbers(0..10);
    let mut run = bench.open(bench.context(&[&batch])).await;
    run.write(&batch).await.unwrap();
    let items = run.prepare().await.unwrap().committables;
    let hidden = bench.out().join(&bench.hidden()[0]);
    let bytes = fs::read(&hidden).unwrap();

    fs::remove_file(&hidden).unwrap();
    let error = run.commit(items.clone()).await.unwrap_err();
    assert_eq!((error.code().0, error.retry()), ("ST-0653", Retry::Never));
    assert!(error.chain().contains(hidden.to_str().unwrap()), "{error:?}");

    fs::write(&hidden, &bytes[1..]).unwrap();
    assert_eq!(run.commit(items.clone()).await.unwrap_err().code().0, "ST-0653");

    fs::write(&hidden, &bytes).unwrap();
    run.commit(items).await.unwrap();
    assert_eq!(bench.parquet_counts(), [10]);
}

#[tokio::test]
async fn a_foreign_file_is_never_replaced() {
    let bench = parquet();
    let batch = numbers(0..10);
    let mut run = bench.open(bench.context(&[&batch])).await;
    run.write(&batch).await.unwrap();
    let items = run.prepare().await.unwrap().committables;
    let path = items[0].body["path"].as_str().unwrap().to_owned();
    // The same length, so that only the checksum tells.
    let length = items[0].body["bytes"].as_u64().unwrap();
    let foreign = vec![b'x'; usize::try_from(length).unwrap()];
    fs::write(bench.out().join(&path), &foreign).unwrap();
    let error = run.commit(items.clone()).await.unwrap_err();
    assert_eq!(error.code().0, "ST-0654");
    assert_eq!(fs::read(bench.out().join(&path)).unwrap(), foreign);

    fs::remove_file(bench.out().join(&path)).unwrap();
    run.commit(items).await.unwrap();
    assert_eq!(bench.parquet_counts(), [10]);
}

#[tokio::test]
async fn a_commit_that_was_cut_short_is_finished() {
    let bench = parquet();
    let batch = numbers(0..10);
    let mut run = bench.open(bench.context(&[&batch])).await;
    run.write(&batch).await.unwrap();
    let items = run.prepare().await.unwrap().committables;
    // As a crash between linking and unlinking leaves it.
    let hidden = bench.out().join(&bench.hidden()[0]);
    fs::hard_link(&hidden, bench.out().join(items[0].body["path"].as_str().unwrap())).unwrap();
    run.commit(items).await.unwrap();
    assert_eq!(bench.parquet_counts(), [10]);
    assert!(bench.hidden().is_empty());
}

#[tokio::test]
async fn a_checkpoint_cannot_lead_out_of_the_folder() {
    let bench = parquet();
    let batch = numbers(0..10);
    let mut run = bench.open(bench.context(&[&batch])).await;
    run.write(&batch).await.unwrap();
    let items = run.prepare().await.unwrap().committables;
    for path in ["../stolen.parquet", "/tmp/stolen.parquet", "a/../../stolen", ""] {
        let mut changed = items.clone();
        changed[0].body["path"] = json!(path);
        let error = run.commit(changed).await.unwrap_err();
        assert!(error.code().0.starts_with("ST-06"), "{path}: {error:?}");
    }
    assert!(!bench.folder.path().join("stolen.parquet").exists());
}

#[tokio::test]
async fn only_own_leftovers_of_older_runs_are_removed() {
    let bench = parquet();
    let batch = numbers(0..10);
    let tables = vec![Arc::clone(batch.table())];
    for (job, generation) in [("job", 1), ("job", 2), ("other", 1), ("job", 3)] {
        let mut run = bench.open(bench.context_of(job, generation, tables.clone())).await;
        run.write(&batch).await.unwrap();
        run.prepare().await.unwrap();
    }
    assert_eq!(bench.hidden().len(), 4);
    let mut run = bench.open(bench.context_of("job", 3, tables)).await;
    run.committer.discard_leftovers(Generation(3), Epoch(0)).await.unwrap();
    let left = bench.hidden();
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left.iter().any(|name| name.contains("-g3-")), "{left:?}");
    assert!(left.iter().any(|name| name.contains("-other-")), "{left:?}");
}

#[tokio::test]
async fn what_is_not_prepared_leaves_nothing_behind() {
    let bench = Bench::new(json!({"file_format_type": "parquet", "roll.rows": 4}));
    let batch = numbers(0..10);
    let mut run = bench.open(bench.context(&[&batch])).await;
    run.write(&batch).await.unwrap();
    assert_eq!(bench.hidden().len(), 3);
    drop(run);
    assert!(bench.hidden().is_empty());
}

#[tokio::test]
async fn the_folder_tells_which_epoch_was_committed_last() {
    for options in [json!({}), json!({"custom_filename": true, "file_name_expression": "sales_${now}"})] {
        let bench = Bench::new(options);
        let batch = numbers(0..10);
        let mut run = bench.open(bench.context(&[&batch])).await;
        assert_eq!(run.committer.last_committed().await.unwrap(), None);
        for _ in 0..11 {
            run.write(&batch).await.unwrap();
            run.commit_epoch().await;
        }
        let tables = vec![Arc::clone(batch.table())];
        for (job, last) in [("job", Some(Epoch(11))), ("another", None)] {
            let mut fresh = bench.open(bench.context_of(job, 1, tables.clone())).await;
            assert_eq!(fresh.committer.last_committed().await.unwrap(), last, "{job}");
        }
    }
}

#[tokio::test]
async fn a_job_that_begins_anew_keeps_the_files_of_its_former_life() {
    let bench = parquet();
    bench.write(&[&numbers(0..10)]).await;
    bench.write(&[&numbers(10..30)]).await;
    assert_eq!(bench.parquet_counts(), [10, 20]);
}
