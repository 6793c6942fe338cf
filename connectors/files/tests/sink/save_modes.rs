//! What happens to the folder before the first row.

use std::fs;

use seatun_api::{Batch, Error};
use seatun_testkit::batches;
use serde_json::json;

use super::bench::{Bench, files};

fn numbers() -> Batch {
    batches::numbers(&batches::numbers_table("t"), 0..3)
}

async fn initialize(bench: &Bench) -> Result<(), Error> {
    bench.sink().initialize(&bench.context(&[&numbers()])).await
}

/// A folder with data, hidden things, a foreign folder and a link out of it.
fn fill(bench: &Bench) {
    let out = bench.out();
    fs::create_dir_all(out.join("k=a")).unwrap();
    fs::create_dir_all(out.join(".git")).unwrap();
    fs::create_dir_all(bench.folder.path().join("elsewhere")).unwrap();
    for file in ["a.csv", "k=a/b.csv", ".git/config", "_SUCCESS", "../elsewhere/kept"] {
        fs::write(out.join(file), b"x").unwrap();
    }
    std::os::unix::fs::symlink("../elsewhere", out.join("link")).unwrap();
}

#[tokio::test]
async fn data_save_modes() {
    let cases = [
        ("APPEND_DATA", vec![".git/config", "_SUCCESS", "a.csv", "k=a/b.csv", "link"], None),
        ("DROP_DATA", vec![".git/config"], None),
        (
            "ERROR_WHEN_DATA_EXISTS",
            vec![".git/config", "_SUCCESS", "a.csv", "k=a/b.csv", "link"],
            Some("ST-0655"),
        ),
    ];
    for (mode, left, code) in cases {
        let bench = Bench::new(json!({"data_save_mode": mode}));
        initialize(&bench).await.unwrap();
        assert!(bench.out().is_dir(), "{mode}: a folder that is not there has no data");
        fill(&bench);
        let result = initialize(&bench).await;
        assert_eq!(result.err().map(|error| error.code().0), code, "{mode}");
        assert_eq!(files(&bench.out()), left, "{mode}");
        assert!(bench.folder.path().join("elsewhere/kept").exists(), "{mode}: links are not followed");
    }
}

#[tokio::test]
async fn only_data_counts_as_data() {
    let bench = Bench::new(json!({"data_save_mode": "ERROR_WHEN_DATA_EXISTS"}));
    fs::create_dir_all(bench.out().join("k=a")).unwrap();
    fs::write(bench.out().join("_SUCCESS"), b"").unwrap();
    fs::write(bench.out().join(".hidden"), b"").unwrap();
    initialize(&bench).await.unwrap();
}

#[tokio::test]
async fn schema_save_modes() {
    let exists = |bench: &Bench| bench.out().is_dir();
    for (mode, code, made) in [
        ("CREATE_SCHEMA_WHEN_NOT_EXIST", None, true),
        ("ERROR_WHEN_SCHEMA_NOT_EXIST", Some("ST-0663"), false),
        ("IGNORE", None, false),
        ("RECREATE_SCHEMA", None, true),
    ] {
        let bench = Bench::new(json!({"schema_save_mode": mode}));
        let result = initialize(&bench).await;
        assert_eq!(result.err().map(|error| error.code().0), code, "{mode}");
        assert_eq!(exists(&bench), made, "{mode}");
        fill(&bench);
        initialize(&bench).await.unwrap();
        assert_eq!(bench.out().join("a.csv").exists(), mode != "RECREATE_SCHEMA", "{mode}");
    }
}

/// `/proc` stands for all folders that are refused: nothing in it can be removed should the guard fail.
#[tokio::test]
async fn a_folder_of_the_system_is_never_emptied() {
    for options in [json!({"data_save_mode": "DROP_DATA"}), json!({"schema_save_mode": "RECREATE_SCHEMA"})] {
        let bench = Bench::with_tables(options, "/proc");
        let error = initialize(&bench).await.unwrap_err();
        assert_eq!((error.code().0, error.option()), ("ST-0656", Some("path")));
    }
}

#[tokio::test]
async fn a_first_start_sweeps_what_an_earlier_life_left() {
    let bench = Bench::new(json!({}));
    let mut run = bench.open(bench.context(&[&numbers()])).await;
    run.write(&numbers()).await.unwrap();
    run.prepare().await.unwrap();
    drop(run);
    assert_eq!(bench.hidden().len(), 1);
    initialize(&bench).await.unwrap();
    assert!(bench.hidden().is_empty());
}

#[tokio::test]
async fn a_job_without_rows_leaves_a_file_if_asked_to() {
    let options = json!({"create_empty_file_when_no_data": true, "enable_header_write": true});
    let bench = Bench::new(options.clone());
    let mut run = bench.open(bench.context(&[&numbers()])).await;
    run.commit_epoch().await;
    assert!(bench.files().is_empty());
    for _ in 0..2 {
        run.committer.finish().await.unwrap();
        assert_eq!(bench.text(), "id,name\n");
        assert!(bench.hidden().is_empty());
    }
    assert_eq!(run.committer.last_committed().await.unwrap(), None);

    let bench = Bench::new(options);
    let mut run = bench.open(bench.context(&[&numbers()])).await;
    run.write(&numbers()).await.unwrap();
    run.commit_epoch().await;
    run.committer.finish().await.unwrap();
    assert_eq!(bench.files().len(), 1);
}
