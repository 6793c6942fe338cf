//! Two processes on one job, state that is gone, and state that is damaged: seatun stops rather than lose or
//! double a row.

use std::time::Duration;

use rstest::rstest;

use crate::pairs::{Pair, Sample};
use crate::process::PATIENCE;

const FENCED: i32 = 4;
const USER_ERROR: i32 = 1;

/// What the older process does while the younger one takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Older {
    /// Runs on.
    Awake,
    /// Is stopped, and wakes up while the younger one runs.
    Asleep,
    /// Is stopped, and wakes up when the younger one has ended the job.
    AsleepToTheEnd,
}

#[rstest]
fn of_two_processes_the_older_one_stops(
    #[values(Pair::FakeToFile, Pair::FakeToTwoSinks)] pair: Pair,
    #[values(Older::Awake, Older::Asleep, Older::AsleepToTheEnd)] older: Older,
) {
    let sample = Sample::new(pair, 2, 20_000);
    sample.set_rate(Some(1_000));
    let mut first = sample.start_and_commit();
    if older != Older::Awake {
        first.signal("STOP");
    }
    if older == Older::AsleepToTheEnd {
        sample.set_rate(None);
        sample.job.finish();
        first.signal("CONT");
        first.expect_exit(FENCED, PATIENCE);
        // What it was writing stays hidden until the job is started again.
        sample.assert_exactly_once_beside_leftovers();
        return;
    }
    let mut second = sample.start();
    let seen = sample.committed_files();
    second.wait_until("a commit", PATIENCE, |_| sample.committed_files() > seen);
    first.signal("CONT");
    first.expect_exit(FENCED, PATIENCE);
    let seen = sample.committed_files();
    second.wait_until("another commit", PATIENCE, |_| sample.committed_files() > seen);
    second.signal("TERM");
    second.expect_exit(0, Duration::from_secs(5));
    sample.finish_and_assert();
}

#[test]
fn a_lost_state_is_noticed_and_fresh_begins_again() {
    let sample = Sample::new(Pair::FakeToFile, 1, 20_000).with_emptied_targets();
    sample.set_rate(Some(1_000));
    sample.start_and_commit().kill();
    std::fs::remove_dir_all(sample.job.state()).expect("the state is removed");
    let before = sample.committed_files();

    let mut refused = sample.job.start();
    refused.expect_exit(USER_ERROR, PATIENCE);
    assert!(refused.log().contains("--fresh"), "the way out is named:\n{}", refused.log());
    assert_eq!(sample.committed_files(), before, "a refused start changes nothing");

    sample.set_rate(None);
    let mut fresh = sample.job.start_with(&["--fresh"], &[]);
    fresh.expect_exit(0, PATIENCE);
    sample.assert_exactly_once();
}

#[test]
fn a_damaged_manifest_is_named_and_not_skipped() {
    let sample = Sample::new(Pair::FakeToFile, 1, 20_000);
    sample.set_rate(Some(1_000));
    sample.start_and_commit().kill();
    let manifest = sample.newest_manifest();
    let name = manifest.file_name().expect("a name").to_string_lossy().into_owned();
    let whole = std::fs::read(&manifest).expect("the manifest");
    let committed = sample.committed_files();

    let mut damaged: Vec<Vec<u8>> = Vec::new();
    for part in [0, 1, 3, 5, 7] {
        let mut flipped = whole.clone();
        flipped[(whole.len() - 1) * part / 7] ^= 0x04;
        damaged.push(flipped);
        damaged.push(whole[..whole.len() * part / 8].to_vec());
    }
    for bytes in damaged {
        std::fs::write(&manifest, &bytes).expect("the manifest is damaged");
        let mut refused = sample.job.start();
        let status = refused.wait(PATIENCE).expect("a damaged state ends the start");
        let log = refused.log();
        assert!(status.code().is_some_and(|code| code != 0), "started on a damaged manifest:\n{log}");
        assert!(log.contains(&name) && log.contains("ST-03"), "the file is named with a code:\n{log}");
        assert!(!log.contains("panicked"), "{log}");
        assert_eq!(sample.committed_files(), committed, "a refused start commits nothing");
    }
    std::fs::write(&manifest, &whole).expect("the manifest is mended");
    sample.finish_and_assert();
}
