//! The protocol over a bucket whose answers lie.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use seatun_api::{Blame, Retry};
use seatun_state::{Backoff, Created, ObjectStateStore, StateStore, codes};

use crate::fixtures::{commit, commit_with_file, exact, first_run, resume, rows_of};

/// What happens to a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// It succeeds, and the answer is lost.
    LostSuccess,
    /// It fails before anything is written.
    Failed,
    /// Another put of the object is under way (409), which then comes to nothing.
    Conflict,
    /// Nobody may write here.
    Denied,
    /// The service has no conditional puts.
    NotImplemented,
}

#[derive(Debug, Default)]
struct LyingBucket {
    inner: InMemory,
    answers: Mutex<VecDeque<Answer>>,
}

impl fmt::Display for LyingBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lying bucket")
    }
}

fn generic() -> Error {
    Error::Generic { store: "test", source: "connection reset".into() }
}

#[async_trait]
impl ObjectStore for LyingBucket {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let answer = self.answers.lock().unwrap().pop_front();
        let (path, source) = (location.to_string(), "by order".into());
        match answer {
            None => self.inner.put_opts(location, payload, opts).await,
            Some(Answer::LostSuccess) => {
                self.inner.put_opts(location, payload, opts).await?;
                Err(generic())
            }
            Some(Answer::Failed) => Err(generic()),
            Some(Answer::Conflict) => Err(Error::AlreadyExists { path, source }),
            Some(Answer::Denied) => Err(Error::PermissionDenied { path, source }),
            Some(Answer::NotImplemented) => {
                Err(Error::NotImplemented { operation: "put".to_owned(), implementer: path })
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

fn bucket(prefix: &str) -> (Arc<LyingBucket>, Arc<dyn StateStore>) {
    let bucket = Arc::new(LyingBucket::default());
    let backoff = Backoff { tries: 4, first: Duration::from_millis(1), longest: Duration::from_millis(2) };
    let objects: Arc<dyn ObjectStore> = Arc::<LyingBucket>::clone(&bucket);
    let store = ObjectStateStore::new(objects, Path::from(prefix), "s3://test".to_owned(), backoff);
    (bucket, Arc::new(store))
}

fn answers(bucket: &LyingBucket, answers: &[Answer]) {
    *bucket.answers.lock().unwrap() = answers.iter().copied().collect();
}

#[tokio::test]
async fn a_bucket_keeps_what_it_was_given_under_its_prefix() {
    for prefix in ["", "team/state"] {
        let (_, store) = bucket(prefix);
        for path in ["a%20b/epochs/2.json", "a%20b/epochs/1.json", "a%20b-c/epochs/1.json"] {
            assert_eq!(store.create(path, Bytes::from(path)).await.unwrap(), Created::Now);
        }
        let listed = ["a%20b/epochs/1.json", "a%20b/epochs/2.json"];
        assert_eq!(store.list("a%20b").await.unwrap(), listed);
        assert_eq!(store.list("").await.unwrap().len(), 3);
        assert_eq!(store.get("a%20b/epochs/1.json").await.unwrap().unwrap(), listed[0]);
        assert!(store.get_at_most("a%20b/epochs/1.json", 3).await.is_err());
        assert_eq!(store.get("none").await.unwrap(), None);
        let there = Created::AlreadyThere(Bytes::from(listed[0]));
        assert_eq!(store.create(listed[0], Bytes::from_static(b"x")).await.unwrap(), there);
        store.delete(listed[0]).await.unwrap();
        store.delete(listed[0]).await.unwrap();
        assert_eq!(store.list("a%20b").await.unwrap(), listed[1..]);
        assert!(store.get("../x").await.is_err());
    }
}

#[tokio::test]
async fn answers_that_lie_are_seen_through() {
    use Answer::{Conflict, Failed, LostSuccess};
    let own = || Created::AlreadyThere(Bytes::from_static(b"own"));
    let table = [
        (vec![LostSuccess], own()),
        (vec![Failed], Created::Now),
        (vec![Failed, LostSuccess], own()),
        (vec![Conflict], Created::Now),
        (vec![Conflict, Failed, Conflict], Created::Now),
    ];
    for (order, expected) in table {
        let (bucket, store) = bucket("x");
        answers(&bucket, &order);
        assert_eq!(store.create("j/1", Bytes::from_static(b"own")).await.unwrap(), expected, "{order:?}");
        assert_eq!(store.get("j/1").await.unwrap().unwrap(), "own");
        answers(&bucket, &[]);
        assert_eq!(store.create("j/1", Bytes::from_static(b"other")).await.unwrap(), own());
        store.put_file("j/1", Bytes::from_static(b"own")).await.unwrap();
    }
}

#[tokio::test]
async fn a_bucket_that_stays_away_or_refuses_is_told_as_such() {
    use Answer::{Conflict, Denied, Failed, NotImplemented};
    let table = [
        (vec![Failed; 4], codes::STORE_IO, Blame::External, Retry::Backoff),
        (vec![Conflict; 4], codes::STORE_IO, Blame::External, Retry::Backoff),
        (vec![Denied], codes::STORE_DENIED, Blame::External, Retry::Never),
        (vec![NotImplemented], codes::STORE_URI, Blame::User, Retry::Never),
    ];
    for (order, code, blame, retry) in table {
        let (bucket, store) = bucket("x");
        answers(&bucket, &order);
        let error = store.create("j/1", Bytes::from_static(b"own")).await.unwrap_err();
        assert_eq!((error.code(), error.blame(), error.retry()), (code, blame, retry), "{order:?}");
        assert!(bucket.answers.lock().unwrap().is_empty(), "as many tries as are allowed: {order:?}");
    }
}

#[tokio::test]
async fn a_job_runs_over_a_bucket_that_loses_answers_all_the_time() {
    let (bucket, store) = bucket("team/state");
    let mut run = first_run(&store).await;
    for rows in 1..20 {
        answers(&bucket, &[Answer::LostSuccess, Answer::Conflict, Answer::LostSuccess]);
        commit_with_file(&mut run, rows).await;
        run.collect_garbage(2).await.unwrap();
    }
    answers(&bucket, &[Answer::LostSuccess, Answer::LostSuccess]);
    let (mut young, recovery) = resume(&store).await;
    assert_eq!(rows_of(&recovery), 19);
    young.take_over(exact(19)).await.unwrap();
    answers(&bucket, &[]);
    commit(&mut young, exact(20)).await;
    let late =
        run.publish(run.last_epoch().next(), seatun_state::ManifestKind::Checkpoint, 0, exact(21)).await;
    assert_eq!(late.unwrap_err().blame(), Blame::Fenced);
}
