//! Runs the binary in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The top of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder in which the binary runs, with a copy of the quickstart's job and data.
pub struct Place {
    pub dir: TempDir,
}

/// What a run has left behind.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("configs/data")).unwrap();
        for file in ["configs/quickstart.conf", "configs/data/earthquakes.csv"] {
            std::fs::copy(root().join(file), dir.path().join(file)).unwrap();
        }
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a job file.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seatun"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env_remove("SEATUN_STATE_DIR")
            .env_remove("SEATUN_LOG")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// Runs and expects an exit code.
    pub fn expect(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "seatun {arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }
}

impl Ran {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// Both outputs.
    pub fn all(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// A small job: `rows` rows from `FakeSource` to `Blackhole`.
pub fn small_job(rows: &str) -> String {
    format!(
        "env {{ job.name = small, job.mode = BATCH }}
source {{ FakeSource {{ plugin_output = a, row.num = {rows}, schema {{ fields {{ id = bigint, name = string }} }} }} }}
sink {{ Blackhole {{ plugin_input = a }} }}
"
    )
}

/// A job that runs until it is stopped.
pub const ENDLESS: &str = "env { job.name = endless, job.mode = STREAMING, checkpoint.interval = 200 }
source { FakeSource { plugin_output = a, row.num = -1, rate = 1000, schema { fields { id = bigint } } } }
sink { Blackhole { plugin_input = a } }
";
