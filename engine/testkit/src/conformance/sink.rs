//! What every sink promises.
//!
//! * Rows are visible after the commit of their epoch and not before (a sink without committer: after
//!   `prepare`).
//! * A commit can be repeated, by the same and by another process, from the JSON form of what was prepared.
//! * An epoch without rows prepares nothing and can be committed.
//! * Leftovers of earlier generations are removed; what is committed, and what the own generation has
//!   prepared, stays.
//! * Every type is written, or refused by `accepts` with a coded error.
//! * A batch of any size, several writers, a column added between two epochs.

use std::sync::Arc;

use arrow_array::ArrayRef;
use async_trait::async_trait;
use seatun_api::{
    Batch, Committer, Delivery, Epoch, Error, Generation, JobMode, Prepared, Sink, SinkContext, TableSchema,
    Versioned, Writer, WriterContext,
};

use crate::recorder::SinkRecorder;
use crate::{batches, rows};

mod cases;

/// A sink under test and a way to see what it has made visible.
#[async_trait]
pub trait SinkBench: Send + Sync {
    /// A fresh instance, as another process would build it, on the target of this case: each case has a
    /// target of its own, and the instances of one case share it.
    fn make(&self, case: &str) -> Box<dyn Sink>;

    /// The rows that a reader of the case's target sees, as [`rows::text`] gives them, in any order. Must
    /// not use the sink's own code.
    async fn visible(&self, case: &str) -> Vec<String>;

    /// A row as [`visible`](Self::visible) shows it. To be changed where the target has no types and a value
    /// comes back in another form.
    fn expected(&self, batch: &Batch) -> Vec<String> {
        rows::text(batch.rows())
    }

    /// How many things the case's target holds that no reader sees: temporary files, open uploads. They
    /// must be gone after `discard_leftovers`.
    async fn leftovers(&self, _case: &str) -> usize {
        0
    }

    /// Whether a column may be added while the sink is written. If not, the sink must refuse with a coded
    /// error.
    fn takes_added_columns(&self) -> bool {
        true
    }

    /// How many rows the oversize batch has.
    fn oversize_rows(&self) -> i64 {
        100_000
    }
}

/// Tries every promise, each case on its own target.
///
/// # Panics
/// If a promise is not kept; the text says which.
pub async fn sink_conformance(bench: &dyn SinkBench) {
    let two_phase = {
        let run = Run::open(bench, "opens", 1, 1, &batches::numbers_table("t")).await;
        assert_eq!(
            run.committer.is_some(),
            run.sink.delivery() == Delivery::ExactlyOnce || run.committer.is_some(),
            "a sink that is exactly once has a committer"
        );
        run.committer.is_some()
    };
    cases::rows_become_visible_by_commit(bench, two_phase).await;
    cases::an_empty_epoch_prepares_nothing(bench).await;
    cases::an_oversize_batch_is_written(bench).await;
    cases::several_writers_write_one_epoch(bench).await;
    cases::every_type_is_written_or_refused(bench).await;
    cases::a_column_is_added_between_epochs(bench).await;
    if !two_phase {
        return;
    }
    cases::another_process_commits(bench).await;
    cases::several_epochs_are_committed_by_a_restart(bench).await;
    cases::leftovers_are_discarded(bench).await;
}

/// A sink of one process: its writers and its committer.
struct Run {
    sink: Box<dyn Sink>,
    writers: Vec<Box<dyn Writer>>,
    committer: Option<Box<dyn Committer>>,
    output: SinkRecorder,
}

impl Run {
    /// Opens the sink of a case as a process of this generation does; generation 1 initialises the target.
    async fn open(
        bench: &dyn SinkBench,
        case: &str,
        generation: u64,
        parallelism: u32,
        table: &Arc<TableSchema>,
    ) -> Self {
        Self::open_restored(bench, case, generation, parallelism, table, Vec::new()).await
    }

    async fn open_restored(
        bench: &dyn SinkBench,
        case: &str,
        generation: u64,
        parallelism: u32,
        table: &Arc<TableSchema>,
        states: Vec<Option<Versioned>>,
    ) -> Self {
        let sink = bench.make(case);
        let context = SinkContext {
            job: "testkit".to_owned(),
            node: "sink".to_owned(),
            generation: Generation(generation),
            mode: JobMode::Streaming,
            tables: vec![Arc::clone(table)],
        };
        sink.accepts(&context.tables).expect("the sink accepts the table");
        if generation == 1 {
            sink.initialize(&context).await.expect("the target is initialised");
        }
        let mut writers = Vec::new();
        for subtask in 0..parallelism {
            let own = |(index, _): &(usize, &Option<Versioned>)| *index as u32 % parallelism == subtask;
            let restored =
                states.iter().enumerate().filter(own).filter_map(|(_, state)| state.clone()).collect();
            let context = WriterContext { sink: context.clone(), subtask, parallelism, restored };
            writers.push(sink.writer(context).await.expect("the writer opens"));
        }
        let committer = sink.committer(context).await.expect("the committer opens");
        Self { sink, writers, committer, output: SinkRecorder::default() }
    }

    async fn write(&mut self, writer: usize, batch: &Batch) {
        self.writers[writer].write(batch.clone(), &mut self.output).await.expect("rows are written");
        assert!(self.output.rejects.is_empty(), "a good row was given up: {:?}", self.output.rejects);
    }

    /// Prepares an epoch at every writer; gives the committables and the writers' states as another process
    /// reads them.
    async fn prepare(&mut self, epoch: u64) -> (Vec<Versioned>, Vec<Option<Versioned>>) {
        let mut items = Vec::new();
        let mut states = Vec::new();
        for writer in &mut self.writers {
            let prepared: Prepared =
                writer.prepare(Epoch(epoch), &mut self.output).await.expect("the epoch is prepared");
            items.extend(prepared.committables.iter().map(from_json));
            states.push(prepared.state.as_ref().map(from_json));
        }
        assert!(self.output.rejects.is_empty(), "a good row was given up: {:?}", self.output.rejects);
        (items, states)
    }

    /// Commits, where there is a committer.
    async fn commit(&mut self, epoch: u64, items: &[Versioned]) {
        let Some(committer) = &mut self.committer else { return };
        committer.commit(Epoch(epoch), items.to_vec(), Vec::new()).await.expect("the epoch is committed");
        if let Some(last) = committer.last_committed().await.expect("the target is asked") {
            assert!(last <= Epoch(epoch), "the target shows epoch {last} which was never committed");
        }
    }
}

fn from_json(value: &Versioned) -> Versioned {
    let text = serde_json::to_string(value).expect("a JSON form");
    serde_json::from_str(&text).expect("a value from its JSON form")
}

async fn assert_visible(bench: &dyn SinkBench, case: &str, what: &str, expected: &[&Batch]) {
    let expected: Vec<String> = expected.iter().flat_map(|batch| bench.expected(batch)).collect();
    let actual = bench.visible(case).await;
    rows::assert_same_unordered(&format!("{case}: {what}"), &padded(actual), &padded(expected));
}

/// Rows of an earlier schema may be shown with nulls for the columns added since.
fn padded(rows: Vec<String>) -> Vec<String> {
    let suffix = format!("|{}", rows::NULL);
    rows.into_iter()
        .map(|mut row| {
            while row.ends_with(&suffix) {
                row.truncate(row.len() - suffix.len());
            }
            row
        })
        .collect()
}

fn single_column(name: &'static str, array: ArrayRef) -> Batch {
    let id = batches::int64([Some(0), Some(1), Some(2), Some(3), Some(4)]);
    batches::of_columns("types", vec![("id", id), (name, array)])
}

fn assert_coded(error: &Error, what: &str) {
    let code = error.code().0;
    assert!(code.starts_with("ST-") && code != "ST-0001" && code != "ST-0002", "{what}: {error:?}");
}
