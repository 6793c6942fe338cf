//! Damaged state is found, named, and never passed over where that could lose or double a row.

use std::sync::Arc;

use bytes::Bytes;
use seatun_api::{Blame, Delivery, Epoch};
use seatun_state::{JobState, ManifestBody, Recovery, Start, StateStore, codes};

use crate::fixtures::{
    body, commit, commit_with_file, exact, first_run, memory, open, overwrite, paths, publish, refused,
    resume, rows_of,
};

async fn damage_newest(store: &Arc<dyn StateStore>) -> String {
    let manifests = paths(store, ".json").await.into_iter().filter(|path| path.contains("/epochs/"));
    let newest = manifests.max().unwrap();
    let bytes = store.get(&newest).await.unwrap().unwrap();
    overwrite(store, &newest, bytes.slice(..bytes.len() / 2)).await;
    newest
}

#[tokio::test]
async fn a_damaged_newest_manifest_stops_a_job_with_exact_sinks() {
    for committed in [true, false] {
        let store = memory();
        let mut run = first_run(&store).await;
        commit(&mut run, exact(10)).await;
        let epoch = publish(&mut run, exact(20)).await;
        if committed {
            run.mark_committed(epoch).await.unwrap();
        }
        let path = damage_newest(&store).await;
        let error = refused(&store, &Start::Resume).await;
        assert_eq!((error.code(), error.blame()), (codes::MANIFEST_DAMAGED, Blame::User));
        assert!(error.chain().contains(&path), "{}", error.chain());
        assert!(error.hint().unwrap().contains(if committed { "is committed" } else { "may have" }));
    }
}

#[tokio::test]
async fn it_is_passed_over_where_no_sink_has_a_commit_phase_and_no_source_was_told() {
    let store = memory();
    let mut run = first_run(&store).await;
    commit(&mut run, body(10, Delivery::Idempotent, 0)).await;
    publish(&mut run, body(20, Delivery::Idempotent, 0)).await;
    damage_newest(&store).await;
    let (mut run, recovery) = resume(&store).await;
    assert_eq!(rows_of(&recovery), 10);
    assert_eq!(
        run.take_over(ManifestBody::default()).await.unwrap(),
        Some(Epoch(4)),
        "no number is used twice"
    );
}

#[tokio::test]
async fn it_is_not_passed_over_after_its_marker() {
    let store = memory();
    let mut run = first_run(&store).await;
    commit(&mut run, body(10, Delivery::AtLeastOnce, 0)).await;
    commit(&mut run, body(20, Delivery::AtLeastOnce, 0)).await;
    damage_newest(&store).await;
    assert_eq!(refused(&store, &Start::Resume).await.code(), codes::MANIFEST_DAMAGED);
}

#[tokio::test]
async fn a_takeover_without_named_sinks_proves_nothing() {
    let store = memory();
    let mut run = first_run(&store).await;
    publish(&mut run, body(20, Delivery::AtLeastOnce, 0)).await;
    damage_newest(&store).await;
    assert_eq!(refused(&store, &Start::Resume).await.code(), codes::MANIFEST_DAMAGED);
}

#[tokio::test]
async fn a_person_can_go_back_to_a_savepoint_or_begin_again() {
    let store = memory();
    let mut run = first_run(&store).await;
    let epoch = commit(&mut run, exact(10)).await;
    run.create_savepoint("good", epoch).await.unwrap();
    commit(&mut run, exact(20)).await;
    damage_newest(&store).await;
    let (run, recovery) = open(&store, &Start::Restore("good".to_owned())).await.unwrap();
    assert_eq!((rows_of(&recovery), run.last_epoch()), (10, Epoch(3)));
    let (mut run, recovery) = open(&store, &Start::Fresh).await.unwrap();
    assert_eq!(recovery, Recovery::Fresh { last_epoch: Epoch(3), had_state: true });
    assert_eq!(run.take_over(ManifestBody::default()).await.unwrap(), Some(Epoch(4)));
    assert_eq!(refused(&store, &Start::Restore("goo".into())).await.code(), codes::SAVEPOINT_MISSING);
}

#[tokio::test]
async fn a_manifest_under_another_number_is_damage() {
    let store = memory();
    let mut run = first_run(&store).await;
    commit(&mut run, exact(10)).await;
    let path = paths(&store, "epochs/0000000002.json").await.remove(0);
    let bytes = store.get(&path).await.unwrap().unwrap();
    overwrite(&store, &path.replace("02.json", "03.json"), bytes).await;
    assert_eq!(refused(&store, &Start::Resume).await.code(), codes::MANIFEST_DAMAGED);
}

#[tokio::test]
async fn a_missing_state_file_is_found_at_the_start() {
    let store = memory();
    let mut run = first_run(&store).await;
    let (_, file) = commit_with_file(&mut run, 10).await;
    store.delete(&file).await.unwrap();
    let error = refused(&store, &Start::Resume).await;
    assert_eq!((error.code(), error.blame()), (codes::STATE_FILE_DAMAGED, Blame::User));
    assert!(error.chain().contains(&file), "{}", error.chain());
}

#[tokio::test]
async fn a_damaged_state_file_is_found_when_it_is_read() {
    let store = memory();
    let run: JobState = first_run(&store).await;
    let content = Bytes::from_static(b"rows of state");
    let file = run.put_state_file(Epoch(2), "totals", content.clone()).await.unwrap();
    assert_eq!(run.read_state_file(&file).await.unwrap(), content);
    for damaged in ["", "rows of stat", "rows of statE", "rows of state and more"] {
        overwrite(&store, &file.path, damaged).await;
        let error = run.read_state_file(&file).await.unwrap_err();
        assert_eq!(error.code(), codes::STATE_FILE_DAMAGED, "{damaged}");
        assert!(error.chain().contains(&file.path), "{}", error.chain());
    }
    store.delete(&file.path).await.unwrap();
    assert_eq!(run.read_state_file(&file).await.unwrap_err().code(), codes::STATE_FILE_DAMAGED);
    let mut elsewhere = file;
    elsewhere.path = "other job/data/000001/0000000001/x".to_owned();
    assert_eq!(run.read_state_file(&elsewhere).await.unwrap_err().code(), codes::STATE_FILE_DAMAGED);
}
