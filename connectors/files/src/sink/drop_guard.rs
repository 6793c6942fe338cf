//! Folders that no save mode empties, whatever a job file says.

use std::path::{Path, PathBuf};

use seatun_api::{Error, Result};

use crate::codes;

/// Folders of the system itself.
const SYSTEM: &[&str] = &[
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root",
    "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/var",
];

/// Passes a folder that may be emptied.
///
/// # Errors
/// Refuses the root, a folder of the system, the home folder, the working folder, and every folder that
/// one of the last two lies in.
pub(crate) fn check(folder: &Path) -> Result<()> {
    // A folder that does not exist is empty already.
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    let home = std::env::home_dir().unwrap_or_default();
    let working = std::env::current_dir().unwrap_or_default();
    check_against(&folder, &[home, working])
}

fn check_against(folder: &Path, kept: &[PathBuf]) -> Result<()> {
    let is_system = folder.parent().is_none() || SYSTEM.iter().any(|system| folder == Path::new(system));
    let holds_kept = kept.iter().any(|kept| !kept.as_os_str().is_empty() && kept.starts_with(folder));
    if !is_system && !holds_kept {
        return Ok(());
    }
    Err(Error::user(codes::DROP_REFUSED, "the save mode would empty a folder that is not for data alone")
        .with("path", folder.display())
        .at_option("path")
        .with_hint("write to a folder of its own below it, or use data_save_mode = APPEND_DATA"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_their_own_are_emptied() {
        let kept = [PathBuf::from("/home/ada"), PathBuf::from("/srv/jobs/nightly")];
        for refused in ["/", "/usr", "/tmp", "/home", "/home/ada", "/srv", "/srv/jobs", "/srv/jobs/nightly"] {
            let error = check_against(Path::new(refused), &kept).unwrap_err();
            assert_eq!(error.code(), codes::DROP_REFUSED, "{refused}");
        }
        for allowed in ["/data", "/tmp/out", "/home/ada/out", "/srv/jobs/nightly/out", "/srv/other"] {
            check_against(Path::new(allowed), &kept).unwrap();
        }
    }

    #[test]
    fn a_link_to_the_root_is_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("out");
        std::os::unix::fs::symlink("/", &link).unwrap();
        assert_eq!(check(&link).unwrap_err().code(), codes::DROP_REFUSED);
        check(&folder.path().join("not there")).unwrap();
    }
}
