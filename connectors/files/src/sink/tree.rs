//! Walks over local folders: what is there, and what is removed. Links are never followed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use seatun_api::Result;

use super::failure;

struct Entry {
    path: PathBuf,
    name: String,
    is_folder: bool,
}

/// What is in a folder; nothing if there is none.
fn entries(folder: &Path) -> Result<Vec<Entry>> {
    let failed = |error| failure::write(&folder.display().to_string(), error);
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry.map_err(failed)?;
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        let name = entry.file_name().to_string_lossy().into_owned();
        entries.push(Entry { path: entry.path(), name, is_folder });
    }
    Ok(entries)
}

/// The files below a base whose names are wanted, as paths relative to the base.
pub(crate) fn find(base: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![(base.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in entries(&folder)? {
            if entry.is_folder && !entry.name.starts_with('.') {
                folders.push((entry.path, format!("{prefix}{}/", entry.name)));
            } else if !entry.is_folder && wanted(&entry.name) {
                found.push(format!("{prefix}{}", entry.name));
            }
        }
    }
    Ok(found)
}

/// Whether a folder or one below has a file that readers would see.
pub(crate) fn has_data(folder: &Path) -> Result<bool> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in entries(&folder)? {
            if entry.name.starts_with(['.', '_']) {
                continue;
            }
            if !entry.is_folder {
                return Ok(true);
            }
            folders.push(entry.path);
        }
    }
    Ok(false)
}

/// Removes everything in a folder whose name does not begin with a dot; the folder itself stays. Hidden
/// things are not data: state of jobs, files in progress, what version control keeps.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    for entry in entries(folder)? {
        if entry.name.starts_with('.') {
            continue;
        }
        if entry.is_folder {
            clear(&entry.path)?;
            remove_if_empty(&entry.path)?;
        } else {
            remove_file(&entry.path)?;
        }
    }
    Ok(())
}

fn remove_if_empty(folder: &Path) -> Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => {
            Err(failure::write(&folder.display().to_string(), error))
        }
        _ => Ok(()),
    }
}

/// Removes a file; that it is gone already is no error.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failure::write(&path.display().to_string(), error))
        }
        _ => Ok(()),
    }
}
