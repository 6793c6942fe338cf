//! What can be seen of a job's state from outside.

use seatun_api::Epoch;
use seatun_state::{JobStateView, ManifestKind, inspect, last_run, list_jobs, savepoint_from_latest};

use crate::fixtures::{JOB, commit_with_file, exact, first_run, memory, overwrite, paths, publish};

#[tokio::test]
async fn a_job_without_state_is_an_empty_view() {
    let store = memory();
    assert_eq!(list_jobs(&*store).await.unwrap(), Vec::<String>::new());
    assert_eq!(last_run(&*store, JOB).await.unwrap(), None);
    let view = inspect(&*store, JOB).await.unwrap();
    assert_eq!(view, JobStateView { job: JOB.to_owned(), ..JobStateView::default() });
}

#[tokio::test]
async fn runs_epochs_and_savepoints_are_shown() {
    let store = memory();
    let mut run = first_run(&store).await;
    let (epoch, file) = commit_with_file(&mut run, 10).await;
    publish(&mut run, exact(20)).await;
    savepoint_from_latest(&*store, JOB, "s").await.unwrap();
    let view = inspect(&*store, JOB).await.unwrap();
    assert_eq!(list_jobs(&*store).await.unwrap(), [JOB]);
    assert_eq!(view.runs, [last_run(&*store, JOB).await.unwrap().unwrap()]);
    assert_eq!(view.runs[0].pid, std::process::id());
    let shown: Vec<_> = view
        .epochs
        .iter()
        .map(|seen| (seen.epoch.0, seen.committed, seen.manifest.as_ref().map(|m| (m.kind, m.rows_read))))
        .collect();
    let (takeover, checkpoint) = (ManifestKind::Takeover, ManifestKind::Checkpoint);
    let expected = [
        (1, false, Some((takeover, 0))),
        (2, true, Some((checkpoint, 10))),
        (3, false, Some((checkpoint, 20))),
    ];
    assert_eq!(shown, expected);
    assert_eq!(view.epochs[1].manifest.as_ref().unwrap().state_bytes, 2);
    assert_eq!(view.savepoints[0].manifest.as_ref().unwrap().epoch, epoch);
    assert_eq!(view.problems, Vec::<String>::new());
    store.delete(&file).await.unwrap();
    assert_eq!(inspect(&*store, JOB).await.unwrap().problems.len(), 2, "the epoch and the savepoint miss it");
}

#[tokio::test]
async fn damage_is_told_and_hides_nothing_else() {
    let store = memory();
    let mut run = first_run(&store).await;
    commit_with_file(&mut run, 10).await;
    for part in ["epochs/0000000002.json", "runs/"] {
        let path = paths(&store, part).await.remove(0);
        overwrite(&store, &path, "rubbish").await;
    }
    let view = inspect(&*store, JOB).await.unwrap();
    assert_eq!((view.runs.len(), view.epochs.len(), view.problems.len()), (0, 2, 2));
    assert_eq!((view.epochs[1].epoch, &view.epochs[1].manifest), (Epoch(2), &None));
    assert!(view.problems[1].contains("epochs/0000000002.json"), "{:?}", view.problems);
}
