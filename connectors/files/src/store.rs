//! From a path or URL of a job file to an object store, and ranged reads of one file of it.
//!
//! Local folders and buckets are the same to everything above: `/data/in`, `file:///data/in` and
//! `s3://bucket/in` differ in the store that [`Location::open`] gives, nowhere else. A file that is read
//! through [`StoredFile`] is the file that was listed: each read carries the tag of the listing, and a file
//! that was replaced or rewritten in between is refused instead of giving mixed data.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore};
use seatun_api::{Error, Result};
use url::Url;

use crate::codes;

/// A store, and a path in it.
#[derive(Clone, Debug)]
pub struct Location {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// The path within the store, without a slash at its ends: a file, a folder, or a pattern.
    pub path: String,
    /// What stands before a path of the store in messages: `/` or `s3://bucket/`.
    pub prefix: String,
    /// Whether the store is this machine's file system.
    pub local: bool,
}

impl Location {
    /// Opens the store of a path or URL. A local path that is not absolute begins at `base`, which is the
    /// folder of the job file. `options` are the store's own (`access_key_id`, `endpoint`, `region`, ... as
    /// object_store names them) and mean nothing to a local path. Does no I/O.
    ///
    /// # Errors
    /// If the URL's scheme is not known or the store's options are not accepted.
    pub fn open(text: &str, options: &BTreeMap<String, String>, base: &FilePath) -> Result<Self> {
        match text.split_once("://") {
            None => Self::local(FilePath::new(text), base),
            Some(("file", path)) => Self::local(FilePath::new(path), base),
            Some((scheme, rest)) => Self::remote(scheme, rest, options),
        }
    }

    fn local(path: &FilePath, base: &FilePath) -> Result<Self> {
        let absolute = std::path::absolute(base.join(path))
            .map_err(|error| open_error("the path has no absolute form").with_source(error))?;
        let clean = without_dots(&absolute);
        let text = clean.to_str().ok_or_else(|| open_error("the path is not valid UTF-8"))?;
        Ok(Self {
            store: Arc::new(LocalFileSystem::new()),
            path: text.trim_matches('/').to_owned(),
            prefix: "/".to_owned(),
            local: true,
        })
    }

    fn remote(scheme: &str, rest: &str, options: &BTreeMap<String, String>) -> Result<Self> {
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = format!("{scheme}://{bucket}/");
        let url = Url::parse(&prefix)
            .map_err(|error| open_error("not a path and not a URL of a store").with_source(error))?;
        let (store, _) = object_store::parse_url_opts(&url, options).map_err(|error| {
            open_error(format!("no store can be opened for `{scheme}://`")).with_source(error)
        })?;
        Ok(Self { store: Arc::from(store), path: path.trim_matches('/').to_owned(), prefix, local: false })
    }

    /// A path of the store as the user would write it.
    #[must_use]
    pub fn display(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

fn open_error(message: impl Into<String>) -> Error {
    Error::user(codes::STORE, message).at_option("path")
}

/// Removes `.` and resolves `..` by the text alone.
fn without_dots(path: &FilePath) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

/// A path of a store from its text, taken as it stands.
///
/// # Errors
/// Refuses empty and dotted parts.
pub fn object_path(text: &str) -> Result<Path> {
    Path::parse(text).map_err(|error| Error::user(codes::STORE, "not a path of a store").with_source(error))
}

/// What a failing call to a store means: `action` completes "cannot ...".
#[must_use]
pub fn store_error(action: &str, path: &str, error: object_store::Error) -> Error {
    let message = format!("cannot {action}");
    let seatun = match &error {
        object_store::Error::Precondition { .. } => return changed(path).with_source(error),
        object_store::Error::NotFound { .. }
        | object_store::Error::PermissionDenied { .. }
        | object_store::Error::Unauthenticated { .. }
        | object_store::Error::InvalidPath { .. }
        | object_store::Error::NotSupported { .. }
        | object_store::Error::NotImplemented { .. } => Error::external_permanent(codes::STORE, message),
        _ => Error::external(codes::STORE, message),
    };
    seatun.with("path", path).with_source(error)
}

/// The error of a file that is not the one that was planned.
#[must_use]
pub fn changed(path: &str) -> Error {
    Error::user(codes::FILE_CHANGED, "the file has changed since it was listed").with("path", path).with_hint(
        "write files under a hidden name (`.` or `_` first) and rename them when they are complete",
    )
}

/// Reads ranges of one file.
#[async_trait]
pub trait RangedRead: Send + Sync {
    /// How many bytes the file has.
    fn size(&self) -> u64;

    /// The path, for messages.
    fn path(&self) -> &str;

    /// The bytes of a range that lies within the file.
    async fn read(&self, range: Range<u64>) -> Result<Bytes>;
}

/// One version of a file of a store.
#[derive(Clone, Debug)]
pub struct StoredFile {
    store: Arc<dyn ObjectStore>,
    path: Path,
    shown: String,
    size: u64,
    tag: Option<String>,
}

impl StoredFile {
    /// The file of a path in a location's store, with the size and the tag that it was listed with.
    ///
    /// # Errors
    /// If the text is no path of a store.
    pub fn new(location: &Location, path: &str, size: u64, tag: Option<String>) -> Result<Self> {
        Ok(Self {
            store: Arc::clone(&location.store),
            path: object_path(path)?,
            shown: location.display(path),
            size,
            tag,
        })
    }
}

#[async_trait]
impl RangedRead for StoredFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn path(&self) -> &str {
        &self.shown
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let wanted = range.end - range.start;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: self.tag.clone(),
            ..GetOptions::default()
        };
        let failed = |error| store_error("read the file", &self.shown, error);
        let answer = self.store.get_opts(&self.path, options).await.map_err(failed)?;
        if answer.meta.size != self.size {
            return Err(changed(&self.shown));
        }
        let bytes = answer.bytes().await.map_err(failed)?;
        if bytes.len() as u64 != wanted {
            return Err(changed(&self.shown));
        }
        Ok(bytes)
    }
}
