//! A local folder keeps what it was given through a full disk, races and odd paths.

use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;

use seatun_api::{Blame, Retry};
use tempfile::TempDir;

use super::*;

fn store_in(folder: &TempDir) -> LocalStore {
    LocalStore::new(folder.path().join("state")).unwrap()
}

/// Every file below, temporary ones too.
fn names_below(folder: &Path) -> Vec<String> {
    let name = |path: &PathBuf| path.strip_prefix(folder).unwrap().display().to_string();
    let mut names: Vec<String> = files_below(folder).unwrap().iter().map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_created_can_be_read_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    assert_eq!(store.get("j/epochs/1.json").await.unwrap(), None);
    assert_eq!(store.list("j").await.unwrap(), Vec::<String>::new());
    for path in ["j/epochs/2.json", "j/epochs/1.json", "j/data/1/2/a.arrow", "k/epochs/1.json"] {
        assert_eq!(store.create(path, Bytes::from(path)).await.unwrap(), Created::Now);
    }
    let listed = ["j/data/1/2/a.arrow", "j/epochs/1.json", "j/epochs/2.json"];
    assert_eq!(store.list("j").await.unwrap(), listed);
    assert_eq!(store.list("j/epochs").await.unwrap(), listed[1..]);
    assert_eq!(store.list("").await.unwrap().len(), 4);
    assert_eq!(store.get("j/epochs/1.json").await.unwrap().unwrap(), "j/epochs/1.json");
    assert!(store.get_at_most("j/epochs/1.json", 3).await.is_err());
    store.delete("j/data/1/2/a.arrow").await.unwrap();
    store.delete("j/data/1/2/a.arrow").await.unwrap();
    assert_eq!(store.list("j/data").await.unwrap(), Vec::<String>::new());
    assert!(folder.path().join("state/j/data").is_dir(), "the job's own folders stay");
    assert!(!folder.path().join("state/j/data/1").exists(), "those of one run do not");
    assert_eq!(store.create("j/data/1/2/b.arrow", Bytes::new()).await.unwrap(), Created::Now);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_eight_that_create_one_file_one_wins_and_the_others_see_it() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..30 {
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8 {
            let store = store_in(&folder);
            let bytes = Bytes::from(format!("{number}").repeat(5000));
            tasks.spawn(async move {
                let created = store.create(&format!("j/epochs/{round}.json"), bytes.clone()).await.unwrap();
                (bytes, created)
            });
        }
        let outcomes = tasks.join_all().await;
        let winners: Vec<&Bytes> =
            outcomes.iter().filter(|(_, created)| *created == Created::Now).map(|(bytes, _)| bytes).collect();
        assert_eq!(winners.len(), 1);
        for (_, created) in &outcomes {
            assert!(matches!(created, Created::Now) || *created == Created::AlreadyThere(winners[0].clone()));
        }
    }
    assert_eq!(names_below(folder.path()).len(), 30, "no temporary file is left");
}

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let half_then_full = |file: &mut File, bytes: &[u8]| {
        file.write_all(&bytes[..bytes.len() / 2])?;
        Err(io::Error::from(ErrorKind::StorageFull))
    };
    let base = folder.path().join("state");
    let disk = Disk { base: base.clone(), synced: Mutex::default(), write: half_then_full };
    let full = LocalStore { disk: Arc::new(disk) };
    let error = full.create("j/epochs/1.json", Bytes::from_static(b"manifest")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.blame(), error.retry()),
        (codes::STORE_FULL, Blame::External, Retry::Pause)
    );
    assert_eq!(names_below(&base), Vec::<String>::new());
    let roomy = LocalStore::new(&base).unwrap();
    assert_eq!(roomy.create("j/epochs/1.json", Bytes::from_static(b"manifest")).await.unwrap(), Created::Now);
}

#[tokio::test]
async fn only_the_user_can_read_files_and_enter_folders() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    store.create("j/data/1/2/a.arrow", Bytes::from_static(b"x")).await.unwrap();
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o7777;
    for made in ["state", "state/j", "state/j/data", "state/j/data/1", "state/j/data/1/2"] {
        assert_eq!(mode(made), 0o700, "{made}");
    }
    assert_eq!(mode("state/j/data/1/2/a.arrow"), 0o600);
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    for path in ["../x", "/etc/passwd", "j/../../x", "./x", "", "j/\0"] {
        assert!(store.get(path).await.is_err(), "{path:?}");
        assert!(store.create(path, Bytes::new()).await.is_err(), "{path:?}");
        assert!(store.delete(path).await.is_err(), "{path:?}");
    }
}

#[tokio::test]
async fn writes_that_were_cut_off_are_never_shown_and_removed_when_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    store.create("j/epochs/1.json", Bytes::new()).await.unwrap();
    let epochs = folder.path().join("state/j/epochs");
    let old = File::create(epochs.join(".tmp-old")).unwrap();
    old.set_modified(SystemTime::now() - 2 * LEFTOVER_AGE).unwrap();
    File::create(epochs.join(".tmp-of-a-live-process")).unwrap();
    assert_eq!(store.list("j").await.unwrap(), ["j/epochs/1.json"]);
    store.sweep_leftovers("j").await.unwrap();
    assert_eq!(names_below(&epochs), [".tmp-of-a-live-process", "1.json"]);
}

#[test]
fn io_errors_tell_who_can_mend_them() {
    let table = [
        (28, codes::STORE_FULL, Retry::Pause),
        (122, codes::STORE_FULL, Retry::Pause),
        (13, codes::STORE_DENIED, Retry::Never),
        (30, codes::STORE_DENIED, Retry::Never),
        (5, codes::STORE_IO, Retry::Backoff),
    ];
    for (os_error, code, retry) in table {
        let error = failed("write", Path::new("x"), io::Error::from_raw_os_error(os_error));
        assert_eq!(
            (error.code(), error.blame(), error.retry()),
            (code, Blame::External, retry),
            "{os_error}"
        );
    }
}

/// On a real small disk: `SEATUN_TEST_SMALL_DISK` names a folder on it, for example a tmpfs of 1 MB.
#[tokio::test]
async fn a_small_disk_that_fills_up_keeps_every_file_whole_and_goes_on_when_there_is_room() {
    let Some(folder) = std::env::var_os("SEATUN_TEST_SMALL_DISK") else {
        eprintln!("skipped: SEATUN_TEST_SMALL_DISK is not set");
        return;
    };
    let store = LocalStore::new(Path::new(&folder).join("state")).unwrap();
    let bytes = Bytes::from(vec![b'x'; 50_000]);
    let path = |number: u32| format!("j/epochs/{number}.json");
    let mut number = 0;
    let error = loop {
        match store.create(&path(number), bytes.clone()).await {
            Ok(_) => number += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), error.retry()), (codes::STORE_FULL, Retry::Pause));
    assert_eq!(store.list("j").await.unwrap().len(), number as usize);
    assert_eq!(names_below(Path::new(&folder)).len(), number as usize, "no half-written file is left");
    store.delete(&path(0)).await.unwrap();
    assert_eq!(store.create(&path(number), bytes.clone()).await.unwrap(), Created::Now);
    for number in 1..=number {
        assert_eq!(store.get(&path(number)).await.unwrap().unwrap(), bytes);
    }
}
