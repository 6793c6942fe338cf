//! Publishing, and what happens to a process that another one has replaced.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use seatun_api::{Blame, Epoch, Retry};
use seatun_state::{JobState, ManifestBody, ManifestKind, Recovery, StateStore, codes};

use crate::fixtures::{Fault, Faulty, commit, exact, first_run, memory, paths, publish, resume, rows_of};

const KIND: ManifestKind = ManifestKind::Checkpoint;

#[tokio::test]
async fn the_older_of_two_processes_is_fenced_when_it_publishes() {
    let store = memory();
    let mut old = first_run(&store).await;
    commit(&mut old, exact(10)).await;
    let (mut young, recovery) = resume(&store).await;
    let Recovery::Resume(manifest) = recovery else { panic!("{recovery:?}") };
    young.take_over(manifest.body).await.unwrap();
    let error = old.publish(Epoch(3), KIND, 0, exact(20)).await.unwrap_err();
    assert_eq!((error.code(), error.blame()), (codes::FENCED, Blame::Fenced));
    assert!(error.chain().contains("its generation=2"), "{}", error.chain());
    assert_eq!(commit(&mut young, exact(30)).await, Epoch(4));
}

#[tokio::test]
async fn a_process_that_slept_through_many_epochs_finds_its_number_free_and_is_fenced_all_the_same() {
    let store = memory();
    let mut old = first_run(&store).await;
    let (mut young, _) = resume(&store).await;
    young.take_over(ManifestBody::default()).await.unwrap();
    for rows in 0..5 {
        commit(&mut young, exact(rows)).await;
    }
    young.collect_garbage(1).await.unwrap();
    assert!(paths(&store, "epochs/0000000002").await.is_empty(), "the old process's next number is free");
    let error = old.publish(Epoch(2), KIND, 0, exact(99)).await.unwrap_err();
    assert_eq!(error.blame(), Blame::Fenced);
    assert_eq!(old.collect_garbage(1).await.unwrap_err().blame(), Blame::Fenced);
    let (_, recovery) = resume(&store).await;
    assert_eq!(rows_of(&recovery), 4, "its late manifest changes nothing");
}

#[tokio::test]
async fn a_start_that_an_older_process_overtakes_starts_over() {
    let store = memory();
    let mut old = first_run(&store).await;
    let (mut young, _) = resume(&store).await;
    publish(&mut old, exact(10)).await;
    assert_eq!(young.take_over(ManifestBody::default()).await.unwrap(), None);
    let (mut young, recovery) = resume(&store).await;
    assert!(matches!(recovery, Recovery::ReplayCommitThenResume(_)));
    young.mark_committed(Epoch(2)).await.unwrap();
    assert_eq!(young.take_over(exact(10)).await.unwrap(), Some(Epoch(3)));
    let error = old.publish(Epoch(3), KIND, 0, exact(20)).await.unwrap_err();
    assert_eq!(error.blame(), Blame::Fenced);
}

#[tokio::test]
async fn of_two_that_start_at_once_the_older_stops() {
    let store = memory();
    let (mut first, _) = resume(&store).await;
    let (mut second, _) = resume(&store).await;
    second.take_over(ManifestBody::default()).await.unwrap();
    assert_eq!(first.take_over(ManifestBody::default()).await.unwrap_err().blame(), Blame::Fenced);
}

#[tokio::test]
async fn of_two_that_finish_one_commit_the_older_stops() {
    let store = memory();
    let mut dead = first_run(&store).await;
    let epoch = publish(&mut dead, exact(10)).await;
    let (mut first, _) = resume(&store).await;
    let (mut second, _) = resume(&store).await;
    second.mark_committed(epoch).await.unwrap();
    second.mark_committed(epoch).await.unwrap();
    assert_eq!(first.mark_committed(epoch).await.unwrap_err().blame(), Blame::Fenced);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_start_claims_a_generation_of_its_own() {
    let store = memory();
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let store = Arc::clone(&store);
        starts.spawn(async move { resume(&store).await.0.generation().0 });
    }
    let mut generations = starts.join_all().await;
    generations.sort_unstable();
    generations.dedup();
    assert_eq!(generations.len(), 12);
}

#[tokio::test]
async fn nothing_is_published_before_the_takeover_or_twice() {
    let store = memory();
    let (mut run, _) = resume(&store).await;
    assert_eq!(run.publish(Epoch(1), KIND, 0, exact(1)).await.unwrap_err().blame(), Blame::Internal);
    assert_eq!(run.collect_garbage(3).await.unwrap_err().blame(), Blame::Internal);
    let mut run = first_run(&memory()).await;
    assert_eq!(run.publish(Epoch(1), KIND, 0, exact(1)).await.unwrap_err().blame(), Blame::Internal);
}

async fn faulty_run() -> (Arc<Faulty>, Arc<dyn StateStore>, JobState) {
    let faulty = Arc::new(Faulty::default());
    let store: Arc<dyn StateStore> = Arc::clone(&faulty) as Arc<dyn StateStore>;
    let run = first_run(&store).await;
    (faulty, store, run)
}

/// A second try is stamped with another time than the first.
fn until_the_clock_has_moved() {
    let before = SystemTime::now();
    while before.elapsed().unwrap() < Duration::from_millis(2) {
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_failed_publication_can_be_tried_again() {
    for fault in [Fault::Refuse(codes::STORE_FULL), Fault::LoseAnswer(codes::STORE_IO)] {
        let (faulty, store, mut run) = faulty_run().await;
        faulty.order("epochs/0000000002.json", fault);
        let error = run.publish(Epoch(2), KIND, 5, exact(10)).await.unwrap_err();
        assert_eq!((error.blame(), error.retry()), (Blame::External, Retry::Backoff));
        assert_eq!(run.last_epoch(), Epoch(1));
        until_the_clock_has_moved();
        run.publish(Epoch(2), KIND, 5, exact(10)).await.unwrap();
        run.mark_committed(Epoch(2)).await.unwrap();
        assert_eq!(rows_of(&resume(&store).await.1), 10);
        assert_eq!(faulty.met.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_publication_whose_answer_was_lost_is_not_replaced_by_another_cut() {
    let (faulty, store, mut run) = faulty_run().await;
    faulty.order("epochs/0000000002.json", Fault::LoseAnswer(codes::STORE_IO));
    run.publish(Epoch(2), KIND, 5, exact(10)).await.unwrap_err();
    let error = run.publish(Epoch(2), KIND, 6, exact(20)).await.unwrap_err();
    assert_eq!((error.code(), error.retry()), (codes::OUTCOME_DIFFERS, Retry::Backoff));
    assert_eq!(rows_of(&resume(&store).await.1), 10, "the restart goes on from the cut that was published");
}

#[tokio::test]
async fn a_takeover_whose_answer_was_lost_can_be_tried_again() {
    let faulty = Arc::new(Faulty::default());
    let store: Arc<dyn StateStore> = Arc::clone(&faulty) as Arc<dyn StateStore>;
    let (mut run, _) = resume(&store).await;
    faulty.order("epochs/", Fault::LoseAnswer(codes::STORE_IO));
    run.take_over(ManifestBody::default()).await.unwrap_err();
    assert_eq!(run.take_over(ManifestBody::default()).await.unwrap(), Some(Epoch(1)));
}
