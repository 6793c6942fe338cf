//! Files in local folders.
//!
//! A file is written under a hidden name in the folder where it will stand, synced when it is sealed, and
//! renamed by the commit without replacing anything; folders are synced before an epoch counts as prepared
//! and after it is committed. So a crash, also of the machine, leaves a file either hidden or whole.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use seatun_api::{Error, Result};

use super::{Place, Sealed, Staged, StagedFile, Target, Wanted};
use crate::codes;
use crate::sink::{drop_guard, failure, publish, tree};

/// A local base folder.
pub(crate) struct LocalTarget {
    base: PathBuf,
    /// Folders with names that are not durable yet.
    unsynced: Mutex<BTreeSet<PathBuf>>,
}

impl LocalTarget {
    pub(crate) fn new(base: PathBuf) -> Self {
        Self { base, unsynced: Mutex::new(BTreeSet::new()) }
    }

    fn resolve(&self, path: &str) -> Result<PathBuf> {
        below(&self.base, path)
    }

    /// Makes a folder, remembers which folders must be synced, and checks that no link leads out.
    fn open_folder(&self, folder: &Path) -> io::Result<()> {
        // All folders up to the base, not only the new ones: an earlier process may have made one and
        // ended before its name was durable.
        let own = folder.ancestors().take_while(|path| path.starts_with(&self.base));
        let mut changed: Vec<PathBuf> = own.map(Path::to_owned).collect();
        let missing = folder.ancestors().take_while(|path| !path.is_dir());
        changed.extend(missing.filter_map(Path::parent).map(Path::to_owned));
        fs::create_dir_all(folder)?;
        if !folder.canonicalize()?.starts_with(self.base.canonicalize()?) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "a link in the path leads out of the sink's folder",
            ));
        }
        // A poisoned lock only means that another insert was cut short; the set is still a set.
        self.unsynced.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).extend(changed);
        Ok(())
    }
}

/// The path of a part of the base folder.
///
/// # Errors
/// Refuses a path that could lead elsewhere: it comes from a checkpoint, which is only a file.
fn below(base: &Path, path: &str) -> Result<PathBuf> {
    let harmless = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if !harmless || path.contains('\0') {
        return Err(Error::user(codes::STAGED_FILE_LOST, "a stored path leads out of the sink's folder")
            .with("path", path.escape_debug()));
    }
    Ok(base.join(path))
}

/// Runs file system calls that may take long off the runtime's own threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(failure::task)?
}

#[async_trait]
impl Target for LocalTarget {
    fn shown(&self, path: &str) -> String {
        self.base.join(path).display().to_string()
    }

    async fn create(&self, folder: &str, name: &str) -> Result<Option<Box<dyn Staged>>> {
        let relative = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        let folder = self.resolve(folder)?;
        let path = self.resolve(&relative)?;
        let shown = path.display().to_string();
        self.open_folder(&folder).map_err(|error| failure::write(&folder.display().to_string(), error))?;
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => Ok(Some(Box::new(LocalFile {
                file: Some(file),
                path,
                shown,
                relative,
                bytes: 0,
                crc32c: 0,
                kept: false,
            }))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(failure::write(&shown, error)),
        }
    }

    async fn settle(&self) -> Result<()> {
        let folders =
            std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        blocking(move || publish::sync_folders(&folders)).await
    }

    async fn is_free(&self, path: &str) -> Result<bool> {
        let path = self.resolve(path)?;
        match fs::symlink_metadata(&path) {
            Ok(_) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(failure::write(&path.display().to_string(), error)),
        }
    }

    async fn commit(&self, files: Vec<StagedFile>) -> Result<()> {
        let mut moves = Vec::with_capacity(files.len());
        for file in files {
            let Place::Temporary(temporary) = &file.place;
            moves.push(publish::Move {
                from: self.resolve(temporary)?,
                to: self.resolve(&file.path)?,
                bytes: file.bytes,
                crc32c: file.crc32c,
            });
        }
        blocking(move || publish::publish(&moves)).await
    }

    async fn find(&self, wanted: Wanted) -> Result<Vec<String>> {
        let base = self.base.clone();
        blocking(move || tree::find(&base, wanted.as_ref())).await
    }

    async fn remove(&self, paths: Vec<String>) -> Result<()> {
        let paths = paths.iter().map(|path| self.resolve(path)).collect::<Result<Vec<_>>>()?;
        blocking(move || paths.iter().try_for_each(|path| tree::remove_file(path))).await
    }

    async fn has_folder(&self, folder: &str) -> Result<bool> {
        Ok(self.resolve(folder)?.is_dir())
    }

    async fn has_data(&self, folder: &str) -> Result<bool> {
        let folder = self.resolve(folder)?;
        blocking(move || tree::has_data(&folder)).await
    }

    async fn make_folder(&self, folder: &str) -> Result<()> {
        let folder = self.resolve(folder)?;
        self.open_folder(&folder).map_err(|error| failure::write(&folder.display().to_string(), error))?;
        self.settle().await
    }

    async fn clear(&self, folder: &str) -> Result<()> {
        let folder = self.resolve(folder)?;
        drop_guard::check(&folder)?;
        blocking(move || tree::clear(&folder)).await
    }
}

/// A hidden file that is being written.
struct LocalFile {
    /// `None` when it is sealed.
    file: Option<File>,
    path: PathBuf,
    shown: String,
    relative: String,
    bytes: u64,
    crc32c: u32,
    kept: bool,
}

impl Write for LocalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.file else { return Err(io::Error::other("the file is sealed")) };
        let count = file.write(bytes)?;
        self.crc32c = crc32c::crc32c_append(self.crc32c, &bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Staged for LocalFile {
    fn path(&self) -> &str {
        &self.shown
    }

    fn written(&self) -> u64 {
        self.bytes
    }

    async fn seal(&mut self) -> Result<Sealed> {
        if let Some(file) = self.file.take() {
            let shown = self.shown.clone();
            blocking(move || file.sync_all().map_err(|error| failure::write(&shown, error))).await?;
        }
        Ok(Sealed { place: Place::Temporary(self.relative.clone()), bytes: self.bytes, crc32c: self.crc32c })
    }

    fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // What remains is hidden and is swept at the next start, so a failure here is only worth a note.
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.shown, %error, "cannot remove an unfinished file");
        }
    }
}
