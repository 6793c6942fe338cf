//! State in a bucket, by conditional puts (`If-None-Match: *`).
//!
//! Two answers of a bucket do not mean what they say. "Exists already" may be the echo of our own put
//! whose answer was lost, or of another put that is still under way; so the object is read back, and where
//! there is none the put is tried again. An error may hide a success; so the put is tried again too, and
//! then finds its own bytes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use seatun_api::{Error, Result, Retry, error};

use super::{Created, StateStore};
use crate::codes;

/// How often a request is tried, and how long it waits between.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Tries in all.
    pub tries: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { tries: 7, first: Duration::from_millis(100), longest: Duration::from_secs(3) }
    }
}

impl Backoff {
    async fn pause(&self, tried: u32) {
        let pause = self.first.saturating_mul(1 << tried.min(16)).min(self.longest);
        tokio::time::sleep(pause).await;
    }
}

/// Keeps files in a bucket, under a prefix.
#[derive(Debug)]
pub struct ObjectStateStore {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    uri: String,
    backoff: Backoff,
}

impl ObjectStateStore {
    /// Over any object store that has conditional puts. `uri` is for people.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>, prefix: Path, uri: String, backoff: Backoff) -> Self {
        Self { objects, prefix, uri, backoff }
    }

    /// `s3://bucket/prefix`. Credentials, region and endpoint come from the environment (`AWS_*`).
    pub(super) fn s3(uri: &str) -> Result<Self> {
        let refuse = |why: &str| Error::user(codes::STORE_URI, format!("the address of the state {why}"));
        let address = url::Url::parse(uri).map_err(|_| refuse("is not a valid s3 address"))?;
        if !address.username().is_empty() || address.password().is_some() {
            return Err(refuse("must not hold credentials")
                .with_hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"));
        }
        let bucket = address.host_str().ok_or_else(|| refuse("names no bucket"))?;
        let prefix = Path::from_url_path(address.path())
            .map_err(|_| refuse("has a prefix that no object can have"))?;
        let objects = object_store::aws::AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .build()
            .map_err(|source| refuse("cannot be used").with_source(source))?;
        let uri = format!("s3://{bucket}/{prefix}");
        Ok(Self::new(Arc::new(objects), prefix, uri, Backoff::default()))
    }

    /// Tries a request until it passes, fails for good, or was tried often enough.
    async fn retried<T, F>(&self, request: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut tried = 0;
        loop {
            match request().await {
                Ok(outcome) => return Ok(outcome),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again(error)) if tried + 1 >= self.backoff.tries => return Err(error),
                Err(Failure::Again(error)) => {
                    tracing::debug!(error = %error.chain(), "a request to the state store is tried again");
                }
            }
            self.backoff.pause(tried).await;
            tried += 1;
        }
    }

    fn locate(&self, path: &str) -> Result<Path> {
        let full =
            if self.prefix.as_ref().is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) };
        Path::parse(full).map_err(|source| {
            Error::internal(error::codes::INTERNAL, "a path of the state store is malformed")
                .with_source(source)
        })
    }

    async fn read(&self, path: &str, limit: u64) -> Result<Option<Bytes>, Failure> {
        let place = self.locate(path).map_err(Failure::Final)?;
        let found = match self.objects.get(&place).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failure("read", path, error)),
        };
        if found.meta.size > limit {
            return Err(Failure::Final(super::too_large(path, found.meta.size)));
        }
        found.bytes().await.map(Some).map_err(|error| self.failure("read", path, error))
    }

    async fn put(&self, path: &str, bytes: &Bytes) -> Result<Created, Failure> {
        let place = self.locate(path).map_err(Failure::Final)?;
        let create = PutOptions::from(PutMode::Create);
        match self.objects.put_opts(&place, bytes.clone().into(), create).await {
            Ok(_) => Ok(Created::Now),
            Err(error @ object_store::Error::AlreadyExists { .. }) => {
                match self.read(path, u64::MAX).await? {
                    Some(there) => Ok(Created::AlreadyThere(there)),
                    None => Err(Failure::Again(self.error("write", path, error))),
                }
            }
            Err(error) => Err(self.failure("write", path, error)),
        }
    }

    async fn list_once(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let place = match prefix.trim_end_matches('/') {
            "" => self.prefix.clone(),
            prefix => self.locate(prefix).map_err(Failure::Final)?,
        };
        let found: Vec<_> = self
            .objects
            .list(Some(&place))
            .try_collect()
            .await
            .map_err(|error| self.failure("list", prefix, error))?;
        let own = self.prefix.as_ref();
        let mut paths: Vec<String> = found
            .iter()
            .filter_map(|object| object.location.as_ref().strip_prefix(own))
            .map(|path| path.trim_start_matches('/').to_owned())
            .collect();
        paths.sort_unstable();
        Ok(paths)
    }

    async fn delete_once(&self, path: &str) -> Result<(), Failure> {
        let place = self.locate(path).map_err(Failure::Final)?;
        match self.objects.delete(&place).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failure("remove", path, error)),
        }
    }

    fn failure(&self, what: &str, path: &str, source: object_store::Error) -> Failure {
        let error = self.error(what, path, source);
        if error.retry() == Retry::Backoff { Failure::Again(error) } else { Failure::Final(error) }
    }

    fn error(&self, what: &str, path: &str, source: object_store::Error) -> Error {
        use object_store::Error as Cause;
        let error = match &source {
            Cause::PermissionDenied { .. } | Cause::Unauthenticated { .. } => {
                Error::external_permanent(codes::STORE_DENIED, format!("the bucket lets nobody {what} this"))
            }
            Cause::NotFound { .. } => Error::external_permanent(codes::STORE_IO, "there is no such bucket"),
            Cause::NotImplemented { .. } | Cause::NotSupported { .. } => Error::user(
                codes::STORE_URI,
                "the bucket's service has no conditional puts, without which state is not safe",
            )
            .with_hint("keep the state in a folder, or on a service that supports If-None-Match"),
            _ => Error::external(codes::STORE_IO, format!("the bucket of the state cannot {what} this")),
        };
        error.with("object", path).with("store", &self.uri).with_source(source)
    }
}

/// A failed request.
enum Failure {
    /// It may pass.
    Again(Error),
    /// It will fail again.
    Final(Error),
}

#[async_trait]
impl StateStore for ObjectStateStore {
    async fn get_at_most(&self, path: &str, limit: u64) -> Result<Option<Bytes>> {
        self.retried(|| self.read(path, limit)).await
    }

    async fn create(&self, path: &str, bytes: Bytes) -> Result<Created> {
        self.retried(|| self.put(path, &bytes)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        self.retried(|| self.list_once(prefix)).await
    }

    async fn delete(&self, path: &str) -> Result<()> {
        self.retried(|| self.delete_once(path)).await
    }

    fn uri(&self) -> String {
        self.uri.clone()
    }
}
