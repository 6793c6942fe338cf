//! The examples that need no server and end by themselves run as they are, in a copy of the folder.

use std::path::Path;
use std::process::Command;

/// Options that name a system outside.
const OUTSIDE: &[&str] = &["s3a://", "s3://", "jdbc:", "bootstrap.servers", "http://", "https://"];

#[test]
fn every_example_that_needs_no_server_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut ran = 0;
    for entry in std::fs::read_dir(root.join("configs")).expect("the examples") {
        let path = entry.expect("a folder's entry").path();
        let text = match path.extension() {
            Some(extension) if extension == "conf" => std::fs::read_to_string(&path).expect("an example"),
            _ => continue,
        };
        let endless = text.lines().any(|line| line.contains("job.mode") && line.contains("STREAMING"));
        if endless || OUTSIDE.iter().any(|mark| text.contains(mark)) {
            continue;
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&root.join("configs"), &folder.path().join("configs"));
        let output = Command::new(env!("CARGO_BIN_EXE_seatun"))
            .arg("run")
            .arg(path.strip_prefix(root).expect("below the root"))
            .current_dir(folder.path())
            .env_remove("SEATUN_STATE_DIR")
            .output()
            .expect("the binary runs");
        assert!(
            output.status.success(),
            "seatun run {}: {}\n{}{}",
            path.display(),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        ran += 1;
    }
    assert!(ran > 0, "there is an example that needs no server");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder to copy") {
        let path = entry.expect("a folder's entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a file is copied");
        }
    }
}
