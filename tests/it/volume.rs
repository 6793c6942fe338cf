//! A small volume that can be filled.
//!
//! A tmpfs of a few megabytes is mounted. Who may not mount does it in a user namespace: the test runs
//! itself again in one. Where that is forbidden too, as in many containers, their small `/dev/shm` serves.
//! If nothing of that is possible the test fails and says what it needs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const SIZE: &str = "size=16m";
const MARK: &str = "SEATUN_TEST_IN_NAMESPACE";
/// A `/dev/shm` of more than this is not filled: others may need it.
const LARGEST_SHM_KB: u64 = 256 << 10;

/// A volume of its own, gone when it is dropped.
pub struct Volume {
    folder: TempDir,
    mounted: bool,
}

impl Volume {
    /// Makes one, or runs the calling test again where one can be made; `None` if that was done.
    pub fn small(test: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("seatun-volume-").tempdir().expect("a temporary folder");
        if succeeds(Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(folder.path())) {
            return Some(Self { folder, mounted: true });
        }
        if std::env::var_os(MARK).is_none() && succeeds(&mut namespace("true")) {
            let own = std::env::current_exe().expect("the test's own path");
            let status = namespace(own).args([test, "--exact", "--nocapture"]).env(MARK, "1").status();
            assert!(status.expect("unshare runs").success(), "{test} failed in a namespace of its own");
            return None;
        }
        let size = shm_kilobytes();
        assert!(
            size.is_some_and(|size| size <= LARGEST_SHM_KB),
            "this test fills a small volume: it needs the right to mount a tmpfs (root), or `unshare \
             --user --mount`, or a /dev/shm of at most {} MB",
            LARGEST_SHM_KB >> 10
        );
        let folder = tempfile::Builder::new().prefix("seatun-volume-").tempdir_in("/dev/shm");
        Some(Self { folder: folder.expect("a folder in /dev/shm"), mounted: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the room there is; what is returned gives it back.
    pub fn fill(&self) -> Ballast {
        let path = self.path().join(".ballast");
        let mut file = std::fs::File::create(&path).expect("a file on the volume");
        for size in [64 << 10, 4 << 10, 512, 1] {
            let piece = vec![0_u8; size];
            while file.write_all(&piece).is_ok() {}
        }
        Ballast(path)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.mounted {
            succeeds(Command::new("umount").arg("-l").arg(self.path()));
        }
    }
}

/// What fills a volume.
pub struct Ballast(PathBuf);

impl Ballast {
    /// Makes room again.
    pub fn release(self) {
        std::fs::remove_file(&self.0).expect("the ballast is removed");
    }
}

fn namespace(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount"]).arg(program);
    command
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn shm_kilobytes() -> Option<u64> {
    let output = Command::new("df").args(["-k", "--output=size", "/dev/shm"]).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().nth(1)?.trim().parse().ok()
}
