//! State in a local folder.
//!
//! A file is written under a temporary name, synced, given its name by a hard link (which never replaces
//! anything), and its folder is synced: after a crash of the machine it is there whole or not at all. What
//! [`StateStore::list`] shows is synced before it is shown, so that nobody builds on a name that a crash
//! can still take away. Files have mode 0600 and folders 0700, whatever the umask.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use seatun_api::{Error, Result, error, failpoint};

use super::{Created, StateStore};
use crate::codes;

/// What temporary names begin with. No job's folder does.
const TEMPORARY: &str = ".tmp-";

/// A temporary file this old belongs to a write that was cut off.
const LEFTOVER_AGE: Duration = Duration::from_secs(3600);

/// Keeps files in a folder.
#[derive(Clone, Debug)]
pub struct LocalStore {
    disk: Arc<Disk>,
}

impl LocalStore {
    /// A store in this folder, which is made when it is first written to. A relative path starts at the
    /// working directory of now.
    ///
    /// # Errors
    /// If the working directory is gone.
    pub fn new(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let base = std::path::absolute(folder).map_err(|source| failed("find", folder, source))?;
        Ok(Self { disk: Arc::new(Disk { base, synced: Mutex::default(), write: write_all }) })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let disk = Arc::clone(&self.disk);
        tokio::task::spawn_blocking(move || work(&disk)).await.map_err(|source| {
            Error::internal(error::codes::INTERNAL, "a task of the state store died").with_source(source)
        })?
    }
}

#[async_trait]
impl StateStore for LocalStore {
    async fn get_at_most(&self, path: &str, limit: u64) -> Result<Option<Bytes>> {
        let path = path.to_owned();
        self.run(move |disk| disk.read(&path, limit)).await
    }

    async fn create(&self, path: &str, bytes: Bytes) -> Result<Created> {
        let path = path.to_owned();
        self.run(move |disk| disk.create(&path, &bytes)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let prefix = prefix.to_owned();
        self.run(move |disk| disk.list(&prefix)).await
    }

    async fn delete(&self, path: &str) -> Result<()> {
        let path = path.to_owned();
        self.run(move |disk| disk.delete(&path)).await
    }

    async fn sweep_leftovers(&self, prefix: &str) -> Result<()> {
        let prefix = prefix.to_owned();
        self.run(move |disk| disk.sweep_leftovers(&prefix)).await
    }

    fn uri(&self) -> String {
        format!("file://{}", self.disk.base.display())
    }
}

/// The blocking side.
#[derive(Debug)]
struct Disk {
    base: PathBuf,
    /// Folders that this process has made or found, and whose names are synced.
    synced: Mutex<HashSet<PathBuf>>,
    /// Writes a file's bytes; another in tests of a full disk.
    write: fn(&mut File, &[u8]) -> io::Result<()>,
}

fn write_all(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}

impl Disk {
    fn locate(&self, path: &str) -> Result<PathBuf> {
        let relative = Path::new(path);
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
        if !plain || path.is_empty() || path.contains('\0') {
            return Err(Error::internal(
                error::codes::INTERNAL,
                "a path of the state store leaves its folder",
            )
            .with("path", path));
        }
        Ok(self.base.join(relative))
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Bytes>> {
        let place = self.locate(path)?;
        let mut file = match File::open(&place) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", &place, error)),
        };
        let length = file.metadata().map_err(|error| failed("read", &place, error))?.len();
        if length > limit {
            return Err(super::too_large(path, length));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| failed("read", &place, error))?;
        Ok(Some(Bytes::from(bytes)))
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<Created> {
        const TRIES: usize = 3;
        let place = self.locate(path)?;
        let folder = place.parent().unwrap_or(&self.base).to_owned();
        // A folder may be removed as empty, and a file by clean-up, between two of our steps.
        for _ in 0..TRIES {
            self.ensure_folder(&folder)?;
            let temporary = match self.write_temporary(&folder, path, bytes) {
                Ok(temporary) => temporary,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.synced().remove(&folder);
                    continue;
                }
                Err(error) => return Err(failed("write", &place, error)),
            };
            let linked = fs::hard_link(&temporary.path, &place);
            drop(temporary);
            match linked {
                Ok(()) => {
                    sync_folder(&folder).map_err(|error| failed("sync", &folder, error))?;
                    return Ok(Created::Now);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    sync_folder(&folder).map_err(|error| failed("sync", &folder, error))?;
                    if let Some(there) = self.read(path, u64::MAX)? {
                        return Ok(Created::AlreadyThere(there));
                    }
                }
                Err(error) => {
                    return Err(failed("name", &place, error).with_hint(
                        "the state needs a file system with hard links, which FAT and some mounts lack",
                    ));
                }
            }
        }
        Err(failed("create", &place, io::Error::other("it or its folder vanishes again and again")))
    }

    fn write_temporary(&self, folder: &Path, path: &str, bytes: &[u8]) -> io::Result<Temporary> {
        let name = format!("{TEMPORARY}{}", uuid::Uuid::new_v4());
        let temporary = Temporary { path: folder.join(name) };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary.path)?;
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        (self.write)(&mut file, bytes)?;
        if path.ends_with(".json") && path.contains("/epochs/") {
            failpoint::hit(failpoint::MANIFEST_NOT_SYNCED);
        }
        file.sync_all()?;
        Ok(temporary)
    }

    /// Makes a folder and those above it, and syncs their names once.
    fn ensure_folder(&self, folder: &Path) -> Result<()> {
        let is_ours = folder != self.base && folder.starts_with(&self.base);
        if self.synced().contains(folder) || (!is_ours && folder.is_dir()) {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.ensure_folder(above)?;
            make_folder(folder).map_err(|error| failed("make", folder, error))?;
            sync_folder(above).map_err(|error| failed("sync", above, error))?;
        }
        self.synced().insert(folder.to_owned());
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>> {
        let top = self.folder_of(prefix)?;
        match sync_folder(&top) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("sync", &top, error)),
            _ => {}
        }
        let mut paths = Vec::new();
        for place in files_below(&top).map_err(|error| failed("list", &top, error))? {
            let Ok(relative) = place.strip_prefix(&self.base) else { continue };
            if let Some(path) = relative.to_str()
                && !is_temporary(&place)
            {
                paths.push(path.replace(std::path::MAIN_SEPARATOR, "/"));
            }
        }
        paths.sort_unstable();
        Ok(paths)
    }

    fn folder_of(&self, prefix: &str) -> Result<PathBuf> {
        match prefix.trim_end_matches('/') {
            "" => Ok(self.base.clone()),
            prefix => self.locate(prefix),
        }
    }

    fn delete(&self, path: &str) -> Result<()> {
        let place = self.locate(path)?;
        match fs::remove_file(&place) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("remove", &place, error)),
        }
        self.remove_empty_folders(&place);
        Ok(())
    }

    /// Removes the folders of one run and one epoch when they have become empty; those of the job and its
    /// parts stay.
    fn remove_empty_folders(&self, place: &Path) {
        const KEPT_DEPTH: usize = 2;
        let mut folder = place.parent();
        while let Some(here) = folder {
            let depth = here.strip_prefix(&self.base).map_or(0, |relative| relative.components().count());
            if depth <= KEPT_DEPTH || fs::remove_dir(here).is_err() {
                return;
            }
            self.synced().remove(here);
            folder = here.parent();
        }
    }

    fn sweep_leftovers(&self, prefix: &str) -> Result<()> {
        let top = self.folder_of(prefix)?;
        for place in files_below(&top).map_err(|error| failed("list", &top, error))? {
            let is_old = || {
                let age = fs::metadata(&place).and_then(|data| data.modified()).map(|time| time.elapsed());
                matches!(age, Ok(Ok(age)) if age > LEFTOVER_AGE)
            };
            if is_temporary(&place) && is_old() {
                match fs::remove_file(&place) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(failed("remove", &place, error));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn synced(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A temporary file, removed when it is dropped: by then it has its name or will never get one.
struct Temporary {
    path: PathBuf,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed now is removed as a leftover.
        let _ = fs::remove_file(&self.path);
    }
}

fn is_temporary(place: &Path) -> bool {
    place.file_name().is_some_and(|name| name.to_string_lossy().starts_with(TEMPORARY))
}

fn files_below(top: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            // Clean-up of another process may run.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) => files.push(entry.path()),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(files)
}

/// Makes one folder that only this user can enter. Leaves the mode of one that exists alone.
fn make_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(_) if folder.is_dir() => return Ok(()),
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

/// Makes the names in a folder durable. Some file systems know no sync of folders and say so.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        outcome => outcome,
    }
}

fn failed(what: &str, place: &Path, source: io::Error) -> Error {
    let error = match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::exhausted(codes::STORE_FULL, "the disk of the state store is full")
                .with_hint("free some space: the job goes on by itself")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Error::external_permanent(codes::STORE_DENIED, format!("the state store may not {what} this"))
        }
        _ => Error::external(codes::STORE_IO, format!("the state store cannot {what} this")),
    };
    error.with("path", place.display()).with_source(source)
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
