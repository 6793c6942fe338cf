//! A full disk: the job waits, nothing broken is ever visible, and it goes on when there is room.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use seatun_api::{Batch, Retry};
use seatun_testkit::batches;
use serde_json::json;

use super::bench::Bench;

/// Rows that take about `bytes` however they are packed.
fn noise(bytes: usize, seed: u64) -> Batch {
    let mut state = 88_172_645_463_325_252_u64 ^ seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.cast_signed()
    };
    let values: ArrayRef = Arc::new((0..bytes / 8).map(|_| next()).collect::<Int64Array>());
    batches::of_columns("t", vec![("n", values)])
}

/// Set in the child that may mount.
const INSIDE: &str = "SEATUN_TEST_MOUNT_NAMESPACE";

fn mount(folder: &Path) -> bool {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(folder).output();
    mounted.is_ok_and(|output| output.status.success())
}

/// Unmounts also when an assertion fails.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_waited_for_and_breaks_nothing() {
    let bench =
        Bench::new(json!({"file_format_type": "parquet", "compress_codec": "none", "roll.size": "600 KB"}));
    fs::create_dir_all(bench.out()).unwrap();
    if mount(&bench.out()) {
        let out = bench.out();
        let _mounted = Mounted(&out);
        return fill_and_go_on(&bench).await;
    }
    assert!(std::env::var_os(INSIDE).is_none(), "no small disk can be mounted in a namespace of its own");
    // Without the right to mount, a namespace of users gives it.
    let inside = Command::new("unshare")
        .arg("-Urm")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "disk_full::a_full_disk_is_waited_for_and_breaks_nothing"])
        .env(INSIDE, "1")
        .status();
    assert!(
        inside.is_ok_and(|status| status.success()),
        "this test needs a small disk: run it where `mount -t tmpfs` or `unshare -Urm` is allowed"
    );
}

async fn fill_and_go_on(bench: &Bench) {
    let small = noise(300_000, 1);
    let mut run = bench.open(bench.context(&[&small])).await;
    run.write(&small).await.unwrap();
    run.commit_epoch().await;
    let visible = bench.parquet_counts();

    let mut error = None;
    for seed in 2..20 {
        let step = run.write(&noise(300_000, seed)).await;
        let step = match step {
            Ok(()) => continue,
            Err(failed) => failed,
        };
        error = Some(step);
        break;
    }
    let error = error.expect("two megabytes are full");
    assert_eq!((error.code().0, error.retry()), ("ST-0651", Retry::Pause), "{error:?}");
    assert!(error.hint().is_some());
    drop(run);
    assert_eq!(bench.parquet_counts(), visible, "what was visible is whole");
    assert!(bench.hidden().is_empty(), "what was begun is gone, so there is room: {:?}", bench.hidden());

    // The runtime opens the writer again from the last checkpoint.
    let mut again = bench.open(bench.context_of("job", 2, vec![Arc::clone(small.table())])).await;
    again.epoch = 1;
    again.write(&noise(400_000, 2)).await.unwrap();
    again.commit_epoch().await;
    assert_eq!(bench.parquet_counts().iter().sum::<usize>(), (300_000 + 400_000) / 8);
}
