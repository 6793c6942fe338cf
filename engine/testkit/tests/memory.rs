//! The conformance suites, tried on the memory connectors; and that they fail on connectors that break a
//! promise, so that a passing suite means something.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use seatun_api::source::PlanRequest;
use seatun_api::*;
use seatun_testkit::memory::{MemorySink, MemorySource, MemoryStore, ScriptedSplit, Step};
use seatun_testkit::{SinkBench, SourceExpectation, batches, sink_conformance, source_conformance};

fn script(table: &Arc<TableSchema>) -> Vec<ScriptedSplit> {
    let numbers = |range: std::ops::Range<i64>| Step::Batch(batches::numbers(table, range));
    let reject = || Reject {
        table: None,
        raw: bytes::Bytes::from_static(b"bad"),
        origin: None,
        error: Error::user(error::codes::WRONG_TYPE, "a bad row"),
    };
    vec![
        ScriptedSplit::new("a", vec![numbers(0..3), Step::Reject(reject), numbers(3..5), Step::Advance]),
        ScriptedSplit::new("b", vec![Step::Watermark(Watermark::At(7)), numbers(5..8), numbers(8..9)]),
        ScriptedSplit::new("c", vec![]),
    ]
}

#[tokio::test]
async fn the_memory_source_keeps_every_promise() {
    let table = batches::numbers_table("t");
    let rows = (0..9).map(|n| format!("{n}|row {n}")).collect();
    let expect = SourceExpectation { rows: Some(rows), rejects: 1, ..SourceExpectation::default() };
    source_conformance(|| Box::new(MemorySource::bounded(&table, script(&table))), &expect).await;
    source_conformance(|| Box::new(MemorySource::unbounded(&table, script(&table))), &expect).await;
}

/// Begins every split anew, wherever it was left.
struct Forgetful(MemorySource);

#[async_trait]
impl Source for Forgetful {
    fn boundedness(&self) -> Boundedness {
        self.0.boundedness()
    }

    fn declared_tables(&self) -> Option<Vec<TableSchema>> {
        self.0.declared_tables()
    }

    async fn probe(&self) -> Result<String> {
        self.0.probe().await
    }

    async fn plan(&self, request: PlanRequest<'_>) -> Result<SplitPlan> {
        self.0.plan(PlanRequest { state: None, active: &BTreeMap::new() }).await.map(|mut plan| {
            plan.add.retain(|split| !request.active.contains_key(&split.id));
            plan
        })
    }

    async fn reader(&self, context: ReaderContext) -> Result<Box<dyn Reader>> {
        self.0.reader(context).await
    }
}

#[tokio::test]
#[should_panic(expected = "was planned again while its splits are finished")]
async fn a_planner_that_forgets_is_found() {
    let table = batches::numbers_table("t");
    let make = || Box::new(Forgetful(MemorySource::bounded(&table, script(&table)))) as Box<dyn Source>;
    source_conformance(make, &SourceExpectation { rejects: 1, ..SourceExpectation::default() }).await;
}

struct Stores {
    stores: Mutex<BTreeMap<String, MemoryStore>>,
    make: fn(&MemoryStore) -> Box<dyn Sink>,
}

impl Stores {
    fn new(make: fn(&MemoryStore) -> Box<dyn Sink>) -> Self {
        Self { stores: Mutex::default(), make }
    }

    fn store(&self, case: &str) -> MemoryStore {
        self.stores.lock().expect("not poisoned").entry(case.to_owned()).or_default().clone()
    }
}

#[async_trait]
impl SinkBench for Stores {
    fn make(&self, case: &str) -> Box<dyn Sink> {
        (self.make)(&self.store(case))
    }

    async fn visible(&self, case: &str) -> Vec<String> {
        self.store(case).rows()
    }

    async fn leftovers(&self, case: &str) -> usize {
        self.store(case).staged()
    }
}

#[tokio::test]
async fn the_memory_sink_keeps_every_promise() {
    sink_conformance(&Stores::new(|store| Box::new(MemorySink::two_phase(store)))).await;
    sink_conformance(&Stores::new(|store| Box::new(MemorySink::at_least_once(store)))).await;
}

/// Says that it commits twice as well as once, and does not.
struct Doubling(MemoryStore);

#[async_trait]
impl Sink for Doubling {
    fn delivery(&self) -> Delivery {
        Delivery::ExactlyOnce
    }

    async fn probe(&self) -> Result<String> {
        Ok(String::new())
    }

    async fn writer(&self, context: WriterContext) -> Result<Box<dyn Writer>> {
        MemorySink::two_phase(&self.0).writer(context).await
    }

    async fn committer(&self, context: SinkContext) -> Result<Option<Box<dyn Committer>>> {
        let inner = MemorySink::two_phase(&self.0).committer(context).await?.expect("a two-phase sink");
        Ok(Some(Box::new(DoublingCommitter { inner, store: self.0.clone() })))
    }
}

struct DoublingCommitter {
    inner: Box<dyn Committer>,
    store: MemoryStore,
}

#[async_trait]
impl Committer for DoublingCommitter {
    async fn commit(
        &mut self,
        epoch: Epoch,
        items: Vec<Versioned>,
        schema: Vec<Arc<SchemaChange>>,
    ) -> Result<()> {
        if self.store.commits() > 0 {
            let again = batches::numbers(&batches::numbers_table("t"), 0..1);
            let context = WriterContext {
                sink: SinkContext {
                    job: "other".to_owned(),
                    node: "other".to_owned(),
                    generation: Generation(1),
                    mode: JobMode::Batch,
                    tables: Vec::new(),
                },
                subtask: 0,
                parallelism: 1,
                restored: Vec::new(),
            };
            let mut output = seatun_testkit::SinkRecorder::default();
            let mut writer = MemorySink::at_least_once(&self.store).writer(context).await?;
            writer.write(again, &mut output).await?;
            writer.prepare(epoch, &mut output).await?;
        }
        self.inner.commit(epoch, items, schema).await
    }

    async fn discard_leftovers(&mut self, own: Generation, last: Epoch) -> Result<()> {
        self.inner.discard_leftovers(own, last).await
    }
}

#[tokio::test]
#[should_panic(expected = "commit: a second commit changes nothing")]
async fn a_commit_that_doubles_rows_is_found() {
    sink_conformance(&Stores::new(|store| Box::new(Doubling(store.clone())))).await;
}
