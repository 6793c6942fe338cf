//! A full disk pauses the job; when there is room again it goes on by itself, and nothing is lost or doubled.

use std::time::{Duration, Instant};

use crate::pairs::{Pair, Sample};
use crate::process::PATIENCE;
use crate::volume::Volume;

/// For so long the disk stays full.
const FULL: Duration = Duration::from_secs(3);
/// After so long at most the job goes on.
const RESUMES: Duration = Duration::from_secs(20);

#[test]
fn a_full_target_pauses_the_job() {
    let Some(volume) = Volume::small("disk_full::a_full_target_pauses_the_job") else { return };
    let sample = Sample::new(Pair::FakeToFile, 1, 20_000).with_target(volume.path().to_owned());
    fill_and_release(&sample, &volume, &[]);
}

#[test]
fn a_full_state_folder_pauses_the_job() {
    let Some(volume) = Volume::small("disk_full::a_full_state_folder_pauses_the_job") else { return };
    let sample = Sample::new(Pair::FakeToFile, 1, 20_000);
    let state = volume.path().to_string_lossy().into_owned();
    fill_and_release(&sample, &volume, &[("SEATUN_STATE_DIR", &state)]);
}

#[test]
fn a_full_disk_that_holds_both_pauses_the_job() {
    let Some(volume) = Volume::small("disk_full::a_full_disk_that_holds_both_pauses_the_job") else { return };
    let target = volume.path().join("target");
    std::fs::create_dir(&target).expect("a folder on the volume");
    let sample = Sample::new(Pair::FakeToFile, 1, 20_000).with_target(target);
    let state = volume.path().join("state").to_string_lossy().into_owned();
    fill_and_release(&sample, &volume, &[("SEATUN_STATE_DIR", &state)]);
}

fn fill_and_release(sample: &Sample, volume: &Volume, environment: &[(&str, &str)]) {
    sample.set_rate(Some(2_000));
    let mut running = sample.job.start_with(&[], environment);
    running.wait_until("a commit", PATIENCE, |_| sample.committed_files() > 0);
    let ballast = volume.fill();
    // What was on its way when the disk got full may still arrive.
    let ended = running.wait(FULL / 2);
    assert!(ended.is_none(), "a full disk ended the job ({ended:?}):\n{}", running.log());
    let stalled_at = sample.committed_files();
    let ended = running.wait(FULL / 2);
    assert!(ended.is_none(), "a full disk ended the job ({ended:?}):\n{}", running.log());
    assert_eq!(
        sample.committed_files(),
        stalled_at,
        "rows were committed on a full disk:\n{}",
        running.log()
    );
    ballast.release();
    let released = Instant::now();
    running.wait_until("a commit after room was made", RESUMES, |_| sample.committed_files() > stalled_at);
    println!("went on {:?} after room was made", released.elapsed());
    running.expect_exit(0, PATIENCE);
    sample.assert_exactly_once();
}
