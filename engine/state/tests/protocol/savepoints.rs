//! Savepoints pin what is committed.

use bytes::Bytes;
use seatun_api::{Blame, Epoch};
use seatun_state::{Start, codes, savepoint_from_latest};

use crate::fixtures::{JOB, commit, exact, first_run, memory, open, publish, rows_of};

#[tokio::test]
async fn only_a_committed_epoch_can_be_pinned() {
    let store = memory();
    let mut run = first_run(&store).await;
    let epoch = publish(&mut run, exact(10)).await;
    let error = run.create_savepoint("s", epoch).await.unwrap_err();
    assert_eq!((error.code(), error.blame()), (codes::NOTHING_TO_SAVE, Blame::User));
    run.mark_committed(epoch).await.unwrap();
    run.create_savepoint("s", epoch).await.unwrap();
    run.create_savepoint("s", epoch).await.unwrap();
    let later = commit(&mut run, exact(20)).await;
    assert_eq!(run.create_savepoint("s", later).await.unwrap_err().code(), codes::SAVEPOINT_EXISTS);
    assert_eq!(run.create_savepoint("t", Epoch(99)).await.unwrap_err().code(), codes::NOTHING_TO_SAVE);
}

#[tokio::test]
async fn one_can_be_made_from_outside_of_the_newest_committed_epoch() {
    let store = memory();
    let error = savepoint_from_latest(&*store, JOB, "s").await.unwrap_err();
    assert_eq!(error.code(), codes::NOTHING_TO_SAVE);
    let mut run = first_run(&store).await;
    commit(&mut run, exact(10)).await;
    publish(&mut run, exact(20)).await;
    assert_eq!(savepoint_from_latest(&*store, JOB, "s").await.unwrap(), Epoch(2));
    let (_, recovery) = open(&store, &Start::Restore("s".to_owned())).await.unwrap();
    assert_eq!(rows_of(&recovery), 10);
}

#[tokio::test]
async fn odd_names_make_one_file_in_the_folder_of_savepoints() {
    let store = memory();
    let mut run = first_run(&store).await;
    let epoch = commit(&mut run, exact(10)).await;
    for name in ["../../../etc/x", "a/b", "ü", "."] {
        run.create_savepoint(name, epoch).await.unwrap();
        open(&store, &Start::Restore(name.to_owned())).await.unwrap();
    }
    assert_eq!(run.create_savepoint("", epoch).await.unwrap_err().code(), codes::BAD_NAME);
    let file = run.put_state_file(Epoch(3), "../../x", Bytes::new()).await.unwrap();
    assert_eq!(file.path.split('/').count(), 5, "{}", file.path);
}
