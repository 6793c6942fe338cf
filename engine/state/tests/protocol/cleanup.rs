//! Clean-up removes what is needed no more, and nothing else.

use std::sync::Arc;

use bytes::Bytes;
use seatun_api::{Epoch, Generation};
use seatun_state::{ManifestBody, Recovery, Start, StateStore, codes, delete_savepoint};

use crate::fixtures::{
    JOB, commit, commit_with_file, exact, first_run, memory, open, overwrite, paths, publish, refused,
    resume, rows_of,
};

#[tokio::test]
async fn the_newest_manifests_and_their_files_are_kept() {
    for (retain, manifests, files) in [(1, 1, 1), (3, 3, 3), (5, 5, 4), (100, 5, 4), (0, 1, 1)] {
        let store = memory();
        let mut run = first_run(&store).await;
        for rows in 1..=4 {
            commit_with_file(&mut run, rows).await;
        }
        run.collect_garbage(retain).await.unwrap();
        assert_eq!(paths(&store, ".json").await.iter().filter(|p| p.contains("epochs")).count(), manifests);
        assert_eq!(paths(&store, "/data/").await.len(), files, "retain {retain}");
        assert_eq!(paths(&store, ".committed").await.len(), files, "markers go with their manifests");
        assert_eq!(rows_of(&resume(&store).await.1), 4);
    }
}

#[tokio::test]
async fn a_file_that_a_kept_manifest_took_over_from_an_old_one_stays() {
    let store = memory();
    let mut run = first_run(&store).await;
    let (epoch, file) = commit_with_file(&mut run, 1).await;
    let old = resume_body(&store).await;
    assert_eq!(epoch, Epoch(2));
    let (mut run, _) = resume(&store).await;
    run.take_over(old.clone()).await.unwrap();
    for _ in 0..4 {
        commit(&mut run, old.clone()).await;
        run.collect_garbage(1).await.unwrap();
    }
    assert_eq!(paths(&store, "/data/").await, [file]);
    assert_eq!(paths(&store, "/epochs/").await.len(), 2);
}

async fn resume_body(store: &Arc<dyn StateStore>) -> ManifestBody {
    match resume(store).await.1 {
        Recovery::Resume(manifest) => manifest.body,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_savepoint_keeps_its_files_until_it_is_deleted() {
    let store = memory();
    let mut run = first_run(&store).await;
    let (epoch, file) = commit_with_file(&mut run, 1).await;
    run.create_savepoint("keep", epoch).await.unwrap();
    for rows in 2..=4 {
        commit_with_file(&mut run, rows).await;
    }
    run.collect_garbage(1).await.unwrap();
    assert!(paths(&store, "/data/").await.contains(&file));
    let (_, recovery) = open(&store, &Start::Restore("keep".to_owned())).await.unwrap();
    assert_eq!(rows_of(&recovery), 1);
    assert!(delete_savepoint(&*store, JOB, "keep").await.unwrap());
    assert!(!delete_savepoint(&*store, JOB, "keep").await.unwrap());
    run.collect_garbage(1).await.unwrap();
    assert!(!paths(&store, "/data/").await.contains(&file));
}

#[tokio::test]
async fn files_of_a_dead_run_without_a_manifest_are_swept_and_those_to_come_are_not() {
    let store = memory();
    let dead = first_run(&store).await;
    let orphan = dead.put_state_file(Epoch(2), "totals", Bytes::from_static(b"x")).await.unwrap();
    let (mut run, _) = resume(&store).await;
    run.take_over(ManifestBody::default()).await.unwrap();
    let coming = run.put_state_file(Epoch(3), "totals", Bytes::from_static(b"y")).await.unwrap();
    run.collect_garbage(3).await.unwrap();
    let left = paths(&store, "/data/").await;
    assert!(!left.contains(&orphan.path) && left.contains(&coming.path), "{left:?}");
}

#[tokio::test]
async fn files_of_a_younger_run_are_not_touched() {
    let store = memory();
    let mut run = first_run(&store).await;
    let (young, _) = resume(&store).await;
    let file = young.put_state_file(Epoch(2), "totals", Bytes::from_static(b"y")).await.unwrap();
    commit_with_file(&mut run, 1).await;
    run.collect_garbage(1).await.unwrap();
    assert!(paths(&store, "/data/").await.contains(&file.path));
}

#[tokio::test]
async fn an_unreadable_manifest_or_savepoint_stops_clean_up_before_anything_is_removed() {
    for damaged in ["epochs/0000000004.json", "savepoints/keep.json"] {
        let store = memory();
        let mut first = first_run(&store).await;
        let (epoch, _) = commit_with_file(&mut first, 1).await;
        first.create_savepoint("keep", epoch).await.unwrap();
        for rows in 2..=4 {
            commit_with_file(&mut first, rows).await;
        }
        let (mut run, _) = resume(&store).await;
        run.take_over(exact(4)).await.unwrap();
        let path = paths(&store, damaged).await.remove(0);
        overwrite(&store, &path, "rubbish").await;
        let before = paths(&store, "").await;
        let error = run.collect_garbage(3).await.unwrap_err();
        assert_eq!(error.code(), codes::CLEANUP_STOPPED);
        assert!(error.chain().contains(damaged), "{}", error.chain());
        assert_eq!(paths(&store, "").await, before);
        publish(&mut run, exact(5)).await;
    }
}

#[tokio::test]
async fn run_records_do_not_pile_up_and_the_newest_stays() {
    let store = memory();
    for _ in 0..30 {
        resume(&store).await;
    }
    let (mut run, _) = resume(&store).await;
    run.take_over(ManifestBody::default()).await.unwrap();
    run.collect_garbage(3).await.unwrap();
    assert_eq!(paths(&store, "/runs/").await.len(), 20);
    assert_eq!(resume(&store).await.0.generation(), Generation(32));
    assert_eq!(refused(&store, &Start::Restore("x".into())).await.code(), codes::SAVEPOINT_MISSING);
}
