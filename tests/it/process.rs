//! A job in a folder of its own, and processes of the binary that run it: started, signalled, killed,
//! waited for.

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a healthy job of these tests may take for anything.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A folder with a job file; kept if the test fails, so that it can be looked at.
pub struct Job {
    folder: Option<TempDir>,
    path: PathBuf,
    runs: AtomicUsize,
}

impl Job {
    /// An empty folder.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("seatun-it-").tempdir().expect("a temporary folder");
        Self { path: folder.path().to_owned(), folder: Some(folder), runs: AtomicUsize::new(0) }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the job file; the next start uses it.
    pub fn write(&self, text: &str) {
        std::fs::write(self.path.join("job.conf"), text).expect("the job file is written");
    }

    /// The folder of the job's state.
    pub fn state(&self) -> PathBuf {
        self.path.join(".seatun/state")
    }

    /// Starts the job.
    pub fn start(&self) -> Running {
        self.start_with(&[], &[])
    }

    /// Starts the job, to be killed when it passes this failpoint for the n-th time.
    pub fn start_to_die_at(&self, failpoint: &str, nth: u32) -> Running {
        self.start_with(&[], &[("SEATUN_FAILPOINT", &format!("{failpoint}:{nth}"))])
    }

    /// Starts the job with more arguments and variables of the environment.
    pub fn start_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        let run = self.runs.fetch_add(1, Ordering::SeqCst);
        let log = self.path.join(format!("run-{run:03}.log"));
        let file = File::create(&log).expect("a log file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_seatun"));
        command
            .args(["run", "job.conf", "--progress", "none"])
            .args(arguments)
            .current_dir(&self.path)
            .env_remove("SEATUN_STATE_DIR")
            .env_remove("SEATUN_FAILPOINT")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a second handle"))
            .stderr(file);
        Running { child: command.spawn().expect("the binary starts"), log }
    }

    /// Starts the job and lets it run to its end.
    #[track_caller]
    pub fn finish(&self) {
        let mut running = self.start();
        running.expect_exit(0, PATIENCE);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            eprintln!("the job's folder is kept: {}", folder.keep().display());
        }
    }
}

/// A process that runs a job; killed when it is dropped.
pub struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    /// What the process has written so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal, named as in `kill -TERM`. A process that has just ended takes none.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args([&format!("-{name}"), &id]).stderr(Stdio::null()).status();
    }

    /// Waits for the end of the process; `None` if it goes on for longer.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return Some(status);
            }
            if started.elapsed() >= limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until a condition holds while the process runs.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, limit: Duration, condition: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !condition(self) {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                panic!("the process ended ({status}) before {what}:\n{}", self.log());
            }
            assert!(started.elapsed() < limit, "no {what} after {limit:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets it run for a while, then kills it. The status if it ended by itself before.
    pub fn kill_after(&mut self, delay: Duration) -> Option<ExitStatus> {
        let ended = self.wait(delay);
        if ended.is_none() {
            self.kill();
        }
        ended
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the end of the process and compares its exit code.
    #[track_caller]
    pub fn expect_exit(&mut self, code: i32, limit: Duration) {
        let Some(status) = self.wait(limit) else {
            self.signal("QUIT");
            panic!("the process still runs after {limit:?}:\n{}", self.log());
        };
        assert_eq!(status.code(), Some(code), "the process ended with {status}:\n{}", self.log());
    }

    /// Waits until the process is dead of SIGKILL.
    #[track_caller]
    pub fn expect_killed(&mut self, what: &str, limit: Duration) {
        let status = self.wait(limit);
        let killed = status.is_some_and(|status| status.signal() == Some(9));
        assert!(killed, "{what}: killed is due, not {status:?}:\n{}", self.log());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
