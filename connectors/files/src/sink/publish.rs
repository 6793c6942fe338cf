//! Giving hidden files their names: never replacing anything, and the same result however often it is done.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use seatun_api::{Error, Result};

use super::failure;
use crate::codes;

/// A file that is to get its name.
#[derive(Debug)]
pub(crate) struct Move {
    pub(crate) from: PathBuf,
    pub(crate) to: PathBuf,
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
}

/// Gives all files their names and makes the names durable.
pub(crate) fn publish(moves: &[Move]) -> Result<()> {
    let mut folders = BTreeSet::new();
    for file in moves {
        publish_one(file)?;
        folders.extend(file.to.parent().map(Path::to_owned));
    }
    sync_folders(&folders)
}

/// Makes the names in folders durable.
pub(crate) fn sync_folders(folders: &BTreeSet<PathBuf>) -> Result<()> {
    for folder in folders {
        File::open(folder)
            .and_then(|opened| opened.sync_all())
            .map_err(|error| failure::write(&folder.display().to_string(), error))?;
    }
    Ok(())
}

fn publish_one(file: &Move) -> Result<()> {
    match fs::symlink_metadata(&file.from) {
        Ok(found) if found.len() != file.bytes => {
            return Err(lost("a prepared file has another length than it was prepared with", file)
                .with("expected_bytes", file.bytes)
                .with("found_bytes", found.len()));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return find_published(file),
        Err(error) => return Err(failure::write(&shown(&file.from), error)),
    }
    match rename(&file.from, &file.to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            find_published(file)?;
            // The file got its name by a link, and its hidden name was left.
            super::tree::remove_file(&file.from)
        }
        Err(error) => Err(failure::write(&shown(&file.to), error)),
    }
}

/// Passes if the file has its name already.
fn find_published(file: &Move) -> Result<()> {
    let found = match fs::symlink_metadata(&file.to) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(lost("a prepared file is gone before it was committed", file));
        }
        Err(error) => return Err(failure::write(&shown(&file.to), error)),
    };
    let same = found.is_file() && found.len() == file.bytes && crc32c_of(&file.to)? == file.crc32c;
    if same {
        return Ok(());
    }
    Err(Error::user(codes::COMMIT_CONFLICT, "another file has the name that a prepared file was to get")
        .with("path", shown(&file.to))
        .with("prepared", shown(&file.from))
        .with_hint("move the other file away and start the job again"))
}

fn lost(message: &str, file: &Move) -> Error {
    Error::external_permanent(codes::STAGED_FILE_LOST, message)
        .with("prepared", shown(&file.from))
        .with("path", shown(&file.to))
        .with_hint("bring the file back from a backup; rows of this epoch are in it and nowhere else")
}

/// Renames without replacing.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // File systems that do not know the flag: a link does not replace anything either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        Err(errno) => Err(errno.into()),
    }
}

fn crc32c_of(path: &Path) -> Result<u32> {
    let failed = |error| failure::write(&shown(path), error);
    let mut file = File::open(path).map_err(failed)?;
    let mut buffer = vec![0; 1 << 20];
    let mut crc32c = 0;
    loop {
        let count = file.read(&mut buffer).map_err(failed)?;
        if count == 0 {
            return Ok(crc32c);
        }
        crc32c = crc32c::crc32c_append(crc32c, &buffer[..count]);
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
