//! Asks the independent reader whether every row was committed once, unchanged and in order.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::rows::csv_row;

/// The Python that `tests/setup.sh` has made, with DuckDB.
fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let setup = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/setup.sh");
        let output = Command::new(setup).arg("--print").output().expect("tests/setup.sh runs");
        assert!(output.status.success(), "tests/setup.sh: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    })
}

/// The rows that must come out: 1 to `rows` of each of the writers, with their payloads (`file` or `fake:MAX`).
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// What the payloads are.
    pub payload: &'static str,
    /// How many writers.
    pub writers: u64,
    /// How many rows each of them has.
    pub rows: u64,
    /// Whether hidden files may be left over.
    pub leftovers: bool,
}

/// Panics if what is committed in a folder is not exactly what is due.
#[track_caller]
pub fn assert_exactly_once(folder: &Path, format: &str, due: Due) {
    match verify(folder, format, due) {
        Ok(report) => println!("{}", report.trim_end()),
        Err(report) => panic!("{} is not what is due:\n{report}", folder.display()),
    }
}

/// The independent reader's report, which is an error if anything is wrong.
fn verify(folder: &Path, format: &str, due: Due) -> Result<String, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify.py");
    let output = Command::new(python())
        .arg(script)
        .arg(folder)
        .args([format, due.payload, &due.writers.to_string(), &due.rows.to_string()])
        .args(due.leftovers.then_some("--leftovers"))
        .output()
        .expect("python runs");
    let report = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(report.into_owned()) } else { Err(report.into_owned()) }
}

/// How many committed files a folder shows.
pub fn committed_files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let visible =
        entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with(['.', '_']));
    visible.count()
}

#[test]
fn whatever_is_wrong_is_found() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let due = Due { payload: "file", writers: 1, rows: 4, leftovers: false };
    let path = |name: &str| folder.path().join(name);
    let first = path("T_job_0123456789_0_7.csv");
    let rows: Vec<String> = (1..=4).map(|seq| csv_row(0, seq)).collect();
    let whole = rows.concat();
    let tail = rows[1..].concat();
    std::fs::write(&first, &whole).expect("the rows");
    let report = verify(folder.path(), "csv", due).expect("all is well");
    assert!(report.starts_with("due 4, rows 4, lost 0, doubled 0, unknown 0, corrupt 0,"), "{report}");

    for (wrong, text) in [
        ("lost 1", tail.clone()),
        ("doubled 1", format!("{}{whole}", rows[0])),
        ("out of order 1", format!("{tail}{}", rows[0])),
        ("corrupt 1", whole.replacen("w0-9e3779b1", "w0-9e3779b2", 1)),
        ("unknown 1", format!("{whole}{}", csv_row(1, 1))),
        ("unknown 1", format!("{whole}{}", csv_row(0, 5))),
    ] {
        std::fs::write(&first, text).expect("the rows are changed");
        let report = verify(folder.path(), "csv", due).expect_err(wrong);
        assert!(report.contains(wrong), "{wrong} is not in: {report}");
    }

    // Rows of an earlier epoch must come before those of a later one.
    std::fs::write(&first, tail).expect("the rows are changed");
    std::fs::write(path("T_job_0123456789_0_8.csv"), &rows[0]).expect("a second file");
    let report = verify(folder.path(), "csv", due).expect_err("out of order");
    assert!(report.contains("lost 0") && report.contains("out of order 1"), "{report}");

    std::fs::write(path(".seatun-job.inprogress"), "").expect("a hidden file");
    let report = verify(folder.path(), "csv", due).expect_err("left over");
    assert!(report.contains("left over 1"), "{report}");
}
