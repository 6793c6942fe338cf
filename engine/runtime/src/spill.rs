//! Where blocking transforms spill: a folder of this process alone, gone when the job has ended.

use std::path::{Path, PathBuf};

const PREFIX: &str = "seatun-spill-";

/// A folder for spilled data; removed when dropped. Operators create it when they need it.
pub(crate) struct SpillDir(PathBuf);

impl SpillDir {
    /// Names this process's folder below `base`, and removes those of processes that were killed.
    pub fn below(base: &Path) -> Self {
        remove_orphans(base);
        Self(base.join(format!("{PREFIX}{}", std::process::id())))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SpillDir {
    fn drop(&mut self) {
        // Most jobs never spill: then there is nothing to remove.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Removes folders whose process is gone. What cannot be removed is another user's.
fn remove_orphans(base: &Path) {
    let Ok(entries) = std::fs::read_dir(base) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if process.is_some_and(|process| Path::new("/proc/self").exists() && !is_alive(process)) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn is_alive(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_killed_processes_are_removed_and_others_are_not() {
        let base = tempfile::tempdir().unwrap();
        let dead = base.path().join(format!("{PREFIX}{}", u32::MAX));
        let alive = base.path().join(format!("{PREFIX}1"));
        let other = base.path().join("other");
        for folder in [&dead, &alive, &other] {
            std::fs::create_dir(folder).unwrap();
        }
        let own = SpillDir::below(base.path());
        assert_eq!([dead.exists(), alive.exists(), other.exists()], [false, true, true]);
        std::fs::create_dir(own.path()).unwrap();
        let path = own.path().to_owned();
        drop(own);
        assert!(!path.exists());
    }
}
