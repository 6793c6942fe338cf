//! Jobs, bodies and a store that fails on demand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use seatun_api::{Code, Delivery, Epoch, Error, Position, Result, Split, SplitId, Versioned};
use seatun_state::{
    Created, Fingerprint, JobState, ManifestBody, ManifestKind, MemoryStore, OperatorRecord, Recovery, Role,
    SinkState, SourceState, Start, StateFile, StateStore,
};

pub const JOB: &str = "orders to lake";

/// The nodes of the job that most tests run.
pub fn nodes() -> Fingerprint {
    Fingerprint::new()
        .node(Role::Source, "orders", "FakeSource")
        .node(Role::Transform, "totals", "Window")
        .node(Role::Sink, "lake", "LocalFile")
}

pub fn memory() -> Arc<dyn StateStore> {
    Arc::new(MemoryStore::default())
}

/// A state in which `rows` rows were read and written.
pub fn body(rows: u64, delivery: Delivery, commits: usize) -> ManifestBody {
    let split = Split {
        id: SplitId::new("s0"),
        position: Some(Position::from_u64(rows)),
        state: versioned("fake.split", 0),
    };
    let source = SourceState {
        plugin: "FakeSource".to_owned(),
        splits: BTreeMap::from([(split.id.clone(), split)]),
        ..SourceState::default()
    };
    let sink = SinkState {
        delivery,
        initialized: true,
        writers: BTreeMap::from([(0, versioned("files.writer", rows))]),
        committables: (0..commits as u64).map(|part| versioned("files.part", part)).collect(),
        schema_changes: Vec::new(),
    };
    ManifestBody {
        sources: BTreeMap::from([("orders".to_owned(), source)]),
        sinks: BTreeMap::from([("lake".to_owned(), sink)]),
        rows_read: rows,
        ..ManifestBody::default()
    }
}

/// A state with two prepared writes.
pub fn exact(rows: u64) -> ManifestBody {
    body(rows, Delivery::ExactlyOnce, 2)
}

pub fn versioned(kind: &str, number: u64) -> Versioned {
    Versioned { kind: kind.to_owned(), version: 1, body: number.into() }
}

pub async fn open(store: &Arc<dyn StateStore>, start: &Start) -> Result<(JobState, Recovery)> {
    JobState::open(Arc::clone(store), JOB, &nodes().to_string(), start).await
}

pub async fn resume(store: &Arc<dyn StateStore>) -> (JobState, Recovery) {
    open(store, &Start::Resume).await.unwrap()
}

pub async fn refused(store: &Arc<dyn StateStore>, start: &Start) -> Error {
    open(store, start).await.expect_err("the start is refused")
}

/// A run that has taken over a job without state.
pub async fn first_run(store: &Arc<dyn StateStore>) -> JobState {
    let (mut run, recovery) = resume(store).await;
    assert_eq!(recovery, Recovery::Fresh { last_epoch: Epoch(0), had_state: false });
    assert_eq!(run.take_over(ManifestBody::default()).await.unwrap(), Some(Epoch(1)));
    run
}

/// Publishes the next epoch without committing it.
pub async fn publish(run: &mut JobState, body: ManifestBody) -> Epoch {
    let epoch = run.last_epoch().next();
    run.publish(epoch, ManifestKind::Checkpoint, 0, body).await.unwrap();
    epoch
}

/// Publishes the next epoch and marks it.
pub async fn commit(run: &mut JobState, body: ManifestBody) -> Epoch {
    let epoch = publish(run, body).await;
    run.mark_committed(epoch).await.unwrap();
    epoch
}

/// A committed epoch with one state file.
pub async fn commit_with_file(run: &mut JobState, rows: u64) -> (Epoch, String) {
    let epoch = run.last_epoch().next();
    let file = run.put_state_file(epoch, "totals.arrow", Bytes::from(rows.to_string())).await.unwrap();
    let path = file.path.clone();
    let state = StateFile { table: "totals".to_owned(), version: 1, key_group: 0, file };
    let mut body = exact(rows);
    body.operators.insert("totals".to_owned(), OperatorRecord { small: BTreeMap::new(), files: vec![state] });
    (commit(run, body).await, path)
}

pub fn rows_of(recovery: &Recovery) -> u64 {
    match recovery {
        Recovery::Fresh { .. } => 0,
        Recovery::Resume(manifest) | Recovery::ReplayCommitThenResume(manifest) => manifest.body.rows_read,
    }
}

pub async fn paths(store: &Arc<dyn StateStore>, part: &str) -> Vec<String> {
    let all = store.list("").await.unwrap();
    all.into_iter().filter(|path| path.contains(part)).collect()
}

/// Replaces a file, which no part of the product ever does.
pub async fn overwrite(store: &Arc<dyn StateStore>, path: &str, bytes: impl Into<Bytes>) {
    store.delete(path).await.unwrap();
    assert_eq!(store.create(path, bytes.into()).await.unwrap(), Created::Now);
}

/// What a [`Faulty`] store does with the next creations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails before anything is written.
    Refuse(Code),
    /// It succeeds, and the answer is lost.
    LoseAnswer(Code),
}

/// A store in memory with faults to order.
#[derive(Debug, Default)]
pub struct Faulty {
    inner: MemoryStore,
    next: Mutex<Option<(String, Fault)>>,
    pub met: AtomicU32,
}

impl Faulty {
    /// The next creation of a path that contains `part` meets `fault`.
    pub fn order(&self, part: &str, fault: Fault) {
        *self.next.lock().unwrap() = Some((part.to_owned(), fault));
    }

    fn due(&self, path: &str) -> Option<Fault> {
        let mut next = self.next.lock().unwrap();
        let is_due = next.as_ref().is_some_and(|(part, _)| path.contains(part.as_str()));
        let fault = is_due.then(|| next.take()).flatten().map(|(_, fault)| fault);
        self.met.fetch_add(u32::from(fault.is_some()), Ordering::SeqCst);
        fault
    }
}

#[async_trait]
impl StateStore for Faulty {
    async fn get_at_most(&self, path: &str, limit: u64) -> Result<Option<Bytes>> {
        self.inner.get_at_most(path, limit).await
    }

    async fn create(&self, path: &str, bytes: Bytes) -> Result<Created> {
        match self.due(path) {
            Some(Fault::Refuse(code)) => Err(Error::external(code, "refused by order")),
            Some(Fault::LoseAnswer(code)) => {
                self.inner.create(path, bytes).await?;
                Err(Error::external(code, "the answer is lost by order"))
            }
            None => self.inner.create(path, bytes).await,
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>> {
        self.inner.list(prefix).await
    }

    async fn delete(&self, path: &str) -> Result<()> {
        self.inner.delete(path).await
    }

    fn uri(&self) -> String {
        "faulty:".to_owned()
    }
}
