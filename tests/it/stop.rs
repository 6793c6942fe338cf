//! Stopping: SIGTERM takes a last checkpoint and ends in good order, a second signal ends at once, and
//! neither loses or doubles anything.

use std::time::{Duration, Instant};

use rstest::rstest;

use crate::pairs::{Pair, Sample};
use crate::random::Random;

const STOPS: u32 = 8;
/// What the documentation promises.
const GRACE: Duration = Duration::from_secs(5);

#[rstest]
fn stopped_at_random_times_the_next_start_goes_on(
    #[values(Pair::FakeToFile, Pair::FileToFile, Pair::FakeToTwoSinks)] pair: Pair,
    #[values("TERM", "INT")] signal: &str,
) {
    let mut random = Random::new();
    let sample = Sample::new(pair, 2, 40_000);
    sample.set_rate(Some(1_000));
    for stop in 0..STOPS {
        let mut running = sample.start();
        let delay = Duration::from_millis(random.below(800));
        let ended = running.wait(delay);
        assert!(ended.is_none(), "run {stop} ended by itself ({ended:?}):\n{}", running.log());
        let asked = Instant::now();
        running.signal(signal);
        running.expect_exit(0, GRACE);
        println!("stopped {:?} after SIG{signal}", asked.elapsed());
    }
    assert!(sample.committed_files() > 0, "the runs that were stopped have committed nothing");
    sample.finish_and_assert();
}

#[test]
fn a_second_signal_ends_at_once_and_loses_nothing() {
    let sample = Sample::new(Pair::FakeToFile, 1, 20_000);
    sample.set_rate(Some(1_000));
    for signal in ["TERM", "INT"] {
        let mut running = sample.start_and_commit();
        running.signal(signal);
        running.signal(signal);
        let status = running.wait(Duration::from_secs(2));
        let code = status.and_then(|status| status.code());
        // The last checkpoint may be done before the second signal arrives.
        assert!(matches!(code, Some(0 | 130)), "ended with {status:?}:\n{}", running.log());
    }
    sample.finish_and_assert();
}
