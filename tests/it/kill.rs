//! SIGKILL at every failpoint and at random times: afterwards nothing is lost, nothing is doubled, and each
//! split is in order, as an independent reader of the committed files sees it.

use std::time::Duration;

use rstest::rstest;
use seatun_api::failpoint;

use crate::pairs::{Pair, Sample};
use crate::process::PATIENCE;
use crate::random::Random;

/// Of each of six jobs.
const KILLS: u32 = 30;
/// A run lives at most so long. Half of it is spent on starting, so that early deaths are as frequent.
const LONGEST_RUN_MS: u64 = 1_200;
/// So slow, and with so many rows, that no job ends before it was killed often enough.
const SLOW: u64 = 1_500;
const ROWS: u64 = 120_000;

#[rstest]
fn killed_at_random_times_nothing_is_lost_or_doubled(
    #[values(Pair::FakeToFile, Pair::FileToFile, Pair::FakeToTwoSinks)] pair: Pair,
    #[values(1, 2)] parallelism: u32,
) {
    let mut random = Random::new();
    let sample = Sample::new(pair, parallelism, ROWS);
    sample.set_rate(Some(SLOW / u64::from(parallelism)));
    for kill in 0..KILLS {
        let delay = Duration::from_millis(20 + random.below(LONGEST_RUN_MS));
        let mut running = sample.job.start();
        let ended = running.kill_after(delay);
        assert!(ended.is_none(), "run {kill} of {pair:?} ended by itself ({ended:?}):\n{}", running.log());
    }
    assert!(sample.committed_files() > 0, "the runs that were killed have committed nothing");
    sample.finish_and_assert();
}

#[rstest]
fn killed_at_every_failpoint_nothing_is_lost_or_doubled(
    #[values(Pair::FakeToFile, Pair::FileToFile, Pair::FakeToTwoSinks)] pair: Pair,
) {
    let sample = Sample::new(pair, 2, ROWS);
    sample.set_rate(Some(SLOW));
    // The first time is that of the takeover or of a replayed commit, so a death in recovery follows each
    // death at work.
    for nth in [3, 1] {
        for name in failpoint::ALL {
            let mut running = sample.job.start_to_die_at(name, nth);
            running.expect_killed(&format!("{name}:{nth}"), PATIENCE);
        }
    }
    assert!(sample.committed_files() > 0, "the runs that were killed have committed nothing");
    sample.finish_and_assert();
}

/// The commit of the last epoch of a job that ends is repeated as well.
#[rstest]
fn killed_while_ending_the_job_ends_at_the_next_start(
    #[values(
        failpoint::BEFORE_PREPARE,
        failpoint::MANIFEST_WRITTEN,
        failpoint::SOME_SINKS_COMMITTED,
        failpoint::BEFORE_MARKER
    )]
    name: &str,
) {
    // So few rows that the first epoch with rows is the last one.
    let sample = Sample::new(Pair::FakeToTwoSinks, 1, 40);
    let mut running = sample.job.start_to_die_at(name, 1);
    running.expect_killed(name, PATIENCE);
    sample.finish_and_assert();
}
