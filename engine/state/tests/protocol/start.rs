//! How a job starts: where it stopped, afresh, from a savepoint; and when it is refused.

use std::sync::Arc;

use seatun_api::{Blame, Delivery, Epoch, Generation};
use seatun_state::{
    Fingerprint, JobState, ManifestBody, ManifestKind, Recovery, Role, Start, StateStore, codes, last_run,
    list_jobs, open_store,
};

use crate::fixtures::{
    JOB, body, commit, commit_with_file, exact, first_run, memory, nodes, open, overwrite, paths, publish,
    refused, resume, rows_of, versioned,
};

/// A job with epoch 2 committed and, if wanted, epoch 3 published and not committed.
async fn stopped_job(pending: bool) -> Arc<dyn StateStore> {
    let store = memory();
    let mut run = first_run(&store).await;
    commit(&mut run, exact(20)).await;
    if pending {
        publish(&mut run, exact(30)).await;
    }
    store
}

#[tokio::test]
async fn a_new_job_starts_at_epoch_one_and_resumes_where_it_stopped() {
    let store = stopped_job(false).await;
    let (mut run, recovery) = resume(&store).await;
    let Recovery::Resume(manifest) = recovery else { panic!("{recovery:?}") };
    assert_eq!((manifest.epoch, manifest.body.rows_read), (Epoch(2), 20));
    assert!(!manifest.needs_commit(), "what is committed is not shown again");
    assert_eq!(run.generation(), Generation(2));
    assert_eq!(run.take_over(manifest.body).await.unwrap(), Some(Epoch(3)));
    assert_eq!(commit(&mut run, exact(40)).await, Epoch(4));
}

#[tokio::test]
async fn a_pending_commit_is_replayed_before_the_job_goes_on() {
    let store = stopped_job(true).await;
    let (mut run, recovery) = resume(&store).await;
    let Recovery::ReplayCommitThenResume(manifest) = recovery else { panic!("{recovery:?}") };
    assert_eq!((manifest.epoch, manifest.body.rows_read), (Epoch(3), 30));
    assert_eq!(manifest.body, exact(30));
    run.mark_committed(manifest.epoch).await.unwrap();
    run.take_over(manifest.body).await.unwrap();
    let (_, recovery) = resume(&store).await;
    let Recovery::Resume(manifest) = recovery else { panic!("{recovery:?}") };
    assert_eq!((manifest.kind, manifest.epoch), (ManifestKind::Takeover, Epoch(4)));
    assert_eq!(rows_of(&Recovery::Resume(manifest)), 30);
}

#[tokio::test]
async fn a_batch_job_that_is_over_runs_again_and_one_that_was_killed_ends_first() {
    let store = stopped_job(false).await;
    let (mut run, _) = resume(&store).await;
    run.take_over(exact(20)).await.unwrap();
    run.publish(Epoch(4), ManifestKind::Final, 0, exact(50)).await.unwrap();
    let (mut killed, recovery) = resume(&store).await;
    let Recovery::ReplayCommitThenResume(manifest) = recovery else { panic!("{recovery:?}") };
    assert_eq!(manifest.kind, ManifestKind::Final);
    killed.mark_committed(manifest.epoch).await.unwrap();
    let (again, recovery) = resume(&store).await;
    assert_eq!(recovery, Recovery::Fresh { last_epoch: Epoch(4), had_state: true });
    assert_eq!(again.last_epoch(), Epoch(4));
}

#[tokio::test]
async fn fresh_forgets_positions_but_neither_epochs_nor_a_pending_commit() {
    let (run, recovery) = open(&stopped_job(false).await, &Start::Fresh).await.unwrap();
    assert_eq!(recovery, Recovery::Fresh { last_epoch: Epoch(2), had_state: true });
    assert_eq!(run.last_epoch(), Epoch(2));

    let store = stopped_job(true).await;
    let (mut run, recovery) = open(&store, &Start::Fresh).await.unwrap();
    let Recovery::ReplayCommitThenResume(manifest) = recovery else { panic!("{recovery:?}") };
    assert_eq!(manifest.epoch, Epoch(3));
    assert!(manifest.body.sources.is_empty() && manifest.body.rows_read == 0);
    let sink = &manifest.body.sinks["lake"];
    assert_eq!((sink.committables.len(), sink.initialized, sink.writers.len()), (2, false, 0));
    run.mark_committed(Epoch(3)).await.unwrap();
    assert_eq!(run.take_over(manifest.body).await.unwrap(), Some(Epoch(4)));
}

#[tokio::test]
async fn restore_goes_back_to_the_savepoint_and_on_from_the_newest_epoch() {
    let store = memory();
    let mut run = first_run(&store).await;
    let (epoch, file) = commit_with_file(&mut run, 20).await;
    run.create_savepoint("before/upgrade", epoch).await.unwrap();
    commit(&mut run, exact(30)).await;
    let restore = Start::Restore("before/upgrade".to_owned());

    let (_, recovery) = open(&store, &restore).await.unwrap();
    let Recovery::Resume(manifest) = recovery else { panic!("{recovery:?}") };
    assert_eq!((manifest.body.rows_read, manifest.needs_commit()), (20, false));
    assert_eq!(manifest.body.files().map(|file| file.path.clone()).collect::<Vec<_>>(), [file]);

    publish(&mut run, exact(40)).await;
    let (mut run, recovery) = open(&store, &restore).await.unwrap();
    let Recovery::ReplayCommitThenResume(manifest) = recovery else { panic!("{recovery:?}") };
    assert_eq!((manifest.epoch, manifest.body.rows_read), (Epoch(4), 20));
    let sink = &manifest.body.sinks["lake"];
    assert_eq!((sink.committables.len(), &sink.writers[&0]), (2, &versioned("files.writer", 20)));
    run.mark_committed(manifest.epoch).await.unwrap();
    assert_eq!(run.take_over(manifest.body).await.unwrap(), Some(Epoch(5)));
    let (_, recovery) = resume(&store).await;
    assert_eq!(rows_of(&recovery), 20);
}

#[tokio::test]
async fn a_savepoint_that_does_not_exist_is_named_with_the_ones_that_do() {
    let store = memory();
    let mut run = first_run(&store).await;
    let epoch = commit(&mut run, exact(20)).await;
    run.create_savepoint("tuesday", epoch).await.unwrap();
    let error = refused(&store, &Start::Restore("tusday".to_owned())).await;
    assert_eq!((error.code(), error.hint()), (codes::SAVEPOINT_MISSING, Some("did you mean `tuesday`?")));
    let error = refused(&memory(), &Start::Restore("x".to_owned())).await;
    assert_eq!(error.code(), codes::SAVEPOINT_MISSING);
}

#[tokio::test]
async fn state_is_never_dropped_in_silence_when_the_job_file_has_changed() {
    let store = memory();
    let mut run = first_run(&store).await;
    commit_with_file(&mut run, 20).await;
    publish(&mut run, exact(30)).await;
    let others =
        || Fingerprint::new().node(Role::Transform, "totals", "Window").node(Role::Sink, "lake", "LocalFile");
    let renamed = others().node(Role::Source, "order", "FakeSource");
    let other_plugin = others().node(Role::Source, "orders", "Kafka");
    let sink_lost = Fingerprint::new().node(Role::Source, "orders", "FakeSource");
    let one_more = nodes().node(Role::Sink, "second", "Console");
    let resume = || Start::Resume;
    let table = [
        (renamed.to_string(), resume(), Some("source `orders`")),
        (other_plugin.to_string(), resume(), Some("was plugin FakeSource and is plugin Kafka now")),
        (sink_lost.to_string(), resume(), Some("sink `lake`, which has 2 prepared writes to commit")),
        (sink_lost.to_string(), Start::Fresh, Some("sink `lake`, which has 2 prepared writes to commit")),
        ("9f86d081".to_owned(), resume(), Some("not the job that the stored state belongs to")),
        (renamed.to_string(), Start::Fresh, None),
        (one_more.to_string(), resume(), None),
        (nodes().to_string(), resume(), None),
    ];
    for (fingerprint, start, refusal) in table {
        let opened = JobState::open(Arc::clone(&store), JOB, &fingerprint, &start).await;
        match (opened, refusal) {
            (Ok(_), None) => {}
            (Err(error), Some(text)) => {
                assert_eq!((error.code(), error.blame()), (codes::JOB_CHANGED, Blame::User));
                assert!(error.message().contains(text), "{error}");
            }
            (outcome, _) => panic!("{fingerprint} {start:?}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_node_without_state_may_go_and_an_operator_with_state_may_not() {
    let store = memory();
    let mut run = first_run(&store).await;
    commit(&mut run, body(10, Delivery::AtLeastOnce, 0)).await;
    let no_window = Fingerprint::new().node(Role::Source, "orders", "FakeSource").to_string();
    JobState::open(Arc::clone(&store), JOB, &no_window, &Start::Resume).await.unwrap();
    let (mut run, _) = resume(&store).await;
    run.take_over(ManifestBody::default()).await.unwrap();
    commit_with_file(&mut run, 20).await;
    let error = JobState::open(Arc::clone(&store), JOB, &no_window, &Start::Resume).await.unwrap_err();
    assert!(error.message().contains("transform `totals`"), "{error}");
}

#[tokio::test]
async fn a_refused_start_claims_nothing_and_disturbs_nobody() {
    let store = memory();
    let mut run = first_run(&store).await;
    commit(&mut run, exact(20)).await;
    JobState::open(Arc::clone(&store), JOB, "another job", &Start::Resume).await.unwrap_err();
    assert_eq!(paths(&store, "/runs/").await.len(), 1);
    commit(&mut run, exact(30)).await;
}

#[tokio::test]
async fn state_of_another_job_in_the_folder_is_refused() {
    let store = memory();
    let mut run = first_run(&store).await;
    commit(&mut run, exact(20)).await;
    let stolen = store.get(&paths(&store, "epochs/0000000002.json").await[0]).await.unwrap().unwrap();
    overwrite(&store, "mine/epochs/0000000002.json", stolen).await;
    for start in [Start::Resume, Start::Fresh] {
        let error = JobState::open(Arc::clone(&store), "mine", "", &start).await.unwrap_err();
        assert_eq!((error.code(), error.blame()), (codes::FOREIGN_STATE, Blame::User));
    }
}

#[tokio::test]
async fn epochs_go_on_from_what_a_sink_knows_or_a_marker_shows() {
    let store = memory();
    let (mut run, _) = open(&store, &Start::Fresh).await.unwrap();
    run.advance_to(Epoch(70));
    run.advance_to(Epoch(7));
    assert_eq!(run.take_over(ManifestBody::default()).await.unwrap(), Some(Epoch(71)));
    let epoch = commit(&mut run, exact(1)).await;
    store.delete(&paths(&store, "0000000072.json").await[0]).await.unwrap();
    let lost = open(&store, &Start::Resume).await.err().unwrap();
    assert_eq!(
        lost.code(),
        codes::MANIFEST_DAMAGED,
        "a committed manifest that is gone is never passed over"
    );
    assert!(format!("{lost:?}").contains("0000000072.json"), "{lost:?}");
    let (run, _) = open(&store, &Start::Fresh).await.unwrap();
    assert_eq!(run.last_epoch(), epoch, "a number whose marker is there is used up");
}

#[tokio::test]
async fn stores_are_found_by_their_address() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a b").display().to_string();
    for address in [format!("file://{}", place.replace(' ', "%20")), place.clone(), format!("file:{place}")] {
        let store = open_store(&address).unwrap();
        assert_eq!(store.uri(), format!("file://{place}"));
        let (run, _) = resume(&store).await;
        assert_eq!(last_run(&*store, JOB).await.unwrap().unwrap().generation, run.generation());
    }
    assert_eq!(list_jobs(&*open_store(&place).unwrap()).await.unwrap(), [JOB]);
    assert_eq!(open_store("memory:").unwrap().uri(), "memory:");
    assert_eq!(open_store("s3a://bucket/some/where").unwrap().uri(), "s3://bucket/some/where");
    for bad in ["hdfs://host/x", "s3://key:secret@bucket/x", "file://host/x", "", "s3://"] {
        let error = open_store(bad).unwrap_err();
        assert_eq!((error.code(), error.blame()), (codes::STORE_URI, Blame::User), "{bad}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}
