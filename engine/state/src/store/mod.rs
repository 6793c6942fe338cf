//! Where state is kept: five calls, none of which overwrites anything.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use seatun_api::{Error, Result};

use crate::codes;

mod local;
mod memory;
mod object;

pub use local::LocalStore;
pub use memory::MemoryStore;
pub use object::{Backoff, ObjectStateStore};

/// A place for state. Paths are relative, their parts joined by `/`. A file appears whole or not at all,
/// and what a call has reported as done survives a crash of the machine.
#[async_trait]
pub trait StateStore: Send + Sync + Debug {
    /// The bytes of a file, `None` if there is none. Refuses a file of more than `limit` bytes without
    /// reading it, so that a planted file cannot exhaust the memory.
    async fn get_at_most(&self, path: &str, limit: u64) -> Result<Option<Bytes>>;

    /// The bytes of a file, `None` if there is none.
    async fn get(&self, path: &str) -> Result<Option<Bytes>> {
        self.get_at_most(path, u64::MAX).await
    }

    /// Creates a file if the path is free, else gives the bytes that are there. Of any number of racing
    /// calls one is answered [`Created::Now`], with one exception: a store whose answer was lost on the way
    /// may find its own bytes and report them as [`Created::AlreadyThere`]. A caller that must know puts
    /// something of its own into the bytes and compares.
    async fn create(&self, path: &str, bytes: Bytes) -> Result<Created>;

    /// Writes a file at a path that nobody has used before. The same bytes may be there already.
    async fn put_file(&self, path: &str, bytes: Bytes) -> Result<()> {
        match self.create(path, bytes.clone()).await? {
            Created::Now => Ok(()),
            Created::AlreadyThere(there) if there == bytes => Ok(()),
            Created::AlreadyThere(_) => {
                Err(Error::external(codes::OUTCOME_DIFFERS, "a state file exists with other contents")
                    .with("file", path)
                    .with("store", self.uri()))
            }
        }
    }

    /// The paths of all files below a folder, sorted. An empty prefix means everything.
    async fn list(&self, prefix: &str) -> Result<Vec<String>>;

    /// Removes a file; it need not exist.
    async fn delete(&self, path: &str) -> Result<()>;

    /// Removes what writes that were cut off by a crash have left below a folder, if the store knows such
    /// leftovers. Never touches what [`list`](Self::list) shows.
    async fn sweep_leftovers(&self, _prefix: &str) -> Result<()> {
        Ok(())
    }

    /// Where it is, for people. Holds no credentials.
    fn uri(&self) -> String;
}

/// The outcome of [`StateStore::create`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The file is there now, with the given bytes.
    Now,
    /// There was a file already, with these bytes.
    AlreadyThere(Bytes),
}

/// Opens a store by its address.
///
/// | address | store |
/// |---|---|
/// | `file:///var/lib/seatun`, `/var/lib/seatun`, `.seatun/state` | a folder, made when first written to |
/// | `s3://bucket/prefix` (also `s3a`, `s3n`) | an S3 bucket; credentials, region and endpoint from `AWS_*` |
/// | `memory:` | memory of this process, a new one each time |
///
/// # Errors
/// Refuses an unknown scheme and an address with credentials in it.
pub fn open_store(uri: &str) -> Result<Arc<dyn StateStore>> {
    if uri == "memory:" {
        return Ok(Arc::new(MemoryStore::default()));
    }
    let Some((scheme, rest)) = uri.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return local(uri);
    };
    match scheme.to_ascii_lowercase().as_str() {
        "file" => local(&file_path(rest)?),
        "s3" | "s3a" | "s3n" => Ok(Arc::new(ObjectStateStore::s3(uri)?)),
        _ => {
            Err(Error::user(codes::STORE_URI, format!("state cannot be kept in a place of kind `{scheme}`"))
                .with_hint("use a folder, file:///folder, s3://bucket/prefix or memory:"))
        }
    }
}

fn local(path: &str) -> Result<Arc<dyn StateStore>> {
    if path.is_empty() || path.contains('\0') {
        return Err(Error::user(codes::STORE_URI, "the place of the state is empty or holds a zero byte"));
    }
    Ok(Arc::new(LocalStore::new(path)?))
}

/// A single letter before the colon is a drive, not a scheme.
fn is_scheme(text: &str) -> bool {
    text.len() > 1 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn file_path(rest: &str) -> Result<String> {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(authority) if authority.starts_with('/') => authority,
        Some(authority) => {
            authority.strip_prefix("localhost").filter(|path| path.starts_with('/')).ok_or_else(|| {
                Error::user(codes::STORE_URI, "a file address must name a folder of this machine")
                    .with_hint("write three slashes: file:///var/lib/seatun")
            })?
        }
    };
    crate::layout::unescape(path)
        .ok_or_else(|| Error::user(codes::STORE_URI, "a file address holds a broken percent escape"))
}

fn too_large(path: &str, bytes: u64) -> Error {
    Error::user(codes::STATE_FILE_DAMAGED, "a state file is larger than it can rightly be")
        .with("file", path)
        .with("bytes", bytes)
}
