//! Where files go: what a store must be able to do so that a file is written, sealed, and made visible
//! later by another process.
//!
//! A local folder is one such store ([`local`]). An object store can be another: a file is a multipart
//! upload whose parts [`Staged::drain`] sends, sealing sends the last one, and committing completes the
//! upload. Its key is fixed when the upload begins, before the epoch is known, so such a store would name
//! files by generation and keep the last committed epoch in an object of its own.

pub(crate) mod local;

use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use seatun_api::{Result, Versioned};
use serde::{Deserialize, Serialize};

/// Takes the bytes of one file that nobody sees yet. Dropped, it leaves nothing behind unless it was told
/// to [`keep`](Staged::keep) them.
#[async_trait]
pub(crate) trait Staged: Write + Send + Sync {
    /// Where it is, for messages.
    fn path(&self) -> &str;

    /// Bytes taken so far.
    fn written(&self) -> u64;

    /// Sends on what this store sends in larger parts than it is given. Called between batches.
    async fn drain(&mut self) -> Result<()> {
        Ok(())
    }

    /// Makes the bytes durable; nothing can be written any more.
    async fn seal(&mut self) -> Result<Sealed>;

    /// The bytes were promised to a checkpoint: from now on only its committer disposes of them.
    fn keep(&mut self);
}

/// A file whose bytes are durable and that nobody sees yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) place: Place,
    pub(crate) bytes: u64,
    pub(crate) crc32c: u32,
}

/// Where the bytes wait. Paths are relative to the sink's base folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// In a hidden file of the same folder.
    Temporary(String),
}

/// What is stored in a checkpoint for each prepared file: enough for any process to make it visible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StagedFile {
    /// Where the bytes wait.
    pub(crate) place: Place,
    /// The path that the file will have, relative to the sink's base folder.
    pub(crate) path: String,
    /// Length of the file.
    pub(crate) bytes: u64,
    /// Rows in the file.
    pub(crate) rows: u64,
    /// Checksum of the file's bytes.
    pub(crate) crc32c: u32,
}

impl StagedFile {
    const KIND: &'static str = "files.staged";
    const VERSION: u32 = 1;

    pub(crate) fn encode(&self) -> Result<Versioned> {
        Versioned::encode(Self::KIND, Self::VERSION, self)
    }

    pub(crate) fn decode(value: &Versioned) -> Result<Self> {
        value.decode(Self::KIND, Self::VERSION)
    }
}

/// Says of a file's name whether it is wanted.
pub(crate) type Wanted = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// A store that files are written to. All paths are relative to the sink's base folder, with `/` between
/// their parts; the empty path is the base itself.
#[async_trait]
pub(crate) trait Target: Send + Sync {
    /// The store's own name of a path, for messages.
    fn shown(&self, path: &str) -> String;

    /// Opens a file that nobody sees, in a folder that is made if need be. `Ok(None)` if the name is
    /// taken.
    async fn create(&self, folder: &str, name: &str) -> Result<Option<Box<dyn Staged>>>;

    /// Makes the names of all files that were sealed so far durable.
    async fn settle(&self) -> Result<()>;

    /// Whether nothing has this path.
    async fn is_free(&self, path: &str) -> Result<bool>;

    /// Makes files visible, all that are not yet. A file that is visible already, with the same bytes, is
    /// done. Nothing is ever replaced.
    async fn commit(&self, files: Vec<StagedFile>) -> Result<()>;

    /// The paths of all files whose names are wanted, in all folders that are not hidden.
    async fn find(&self, wanted: Wanted) -> Result<Vec<String>>;

    /// Removes files; one that is gone already is no error.
    async fn remove(&self, paths: Vec<String>) -> Result<()>;

    /// Whether a folder exists.
    async fn has_folder(&self, folder: &str) -> Result<bool>;

    /// Whether a folder, or one below it, has a file that is not hidden.
    async fn has_data(&self, folder: &str) -> Result<bool>;

    /// Makes a folder and those above it.
    async fn make_folder(&self, folder: &str) -> Result<()>;

    /// Removes everything in a folder that is not hidden, after checking that it may be emptied.
    async fn clear(&self, folder: &str) -> Result<()>;
}
