//! Dead letters: rows that were given up, as records of a table of their own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::builder::{BinaryBuilder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use seatun_api::{Barrier, Batch, Code, Element, Error, Reject, Result, TableId, TableSchema};

use crate::channel::Sender;
use crate::codes;

/// Rows read before `max_ratio` is looked at.
const RATIO_AFTER_ROWS: u64 = 1000;
const FLUSH_ROWS: usize = 1024;
const FLUSH_BYTES: usize = 1 << 20;

/// The table that a dead-letter sink is given.
///
/// Columns: `job`, `node` (which gave the row up), `table`, `code`, `message` (never values), `raw` (the row
/// as it came, bytes), `split`, `position` (where its batch ends in the source), `time` (UTC).
#[must_use]
pub fn schema() -> TableSchema {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let columns = vec![
        text("job"),
        text("node"),
        text("table"),
        text("code"),
        text("message"),
        Field::new("raw", DataType::Binary, true),
        text("split"),
        text("position"),
        Field::new("time", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
    ];
    TableSchema::new(TableId::new("dead_letters"), Arc::new(Schema::new(columns)))
}

/// What all tasks of a job share about dead letters: the limits and the counts they are held against.
#[derive(Debug)]
pub(crate) struct Limits {
    pub job: String,
    pub max_records: Option<u64>,
    pub max_ratio: Option<f64>,
    /// Given up so far, over all runs of the job.
    pub given_up: AtomicU64,
    /// The last row that was given up.
    pub last: Mutex<Option<LastReject>>,
}

impl Limits {
    fn check(&self, node: &str, reject: &Reject) -> Result<()> {
        let given_up = self.given_up.fetch_add(1, Ordering::Relaxed) + 1;
        *self.last() = Some(LastReject::of(node, reject));
        if self.max_records.is_some_and(|most| given_up > most) {
            return Err(self.exceeded("max_records", given_up, None));
        }
        Ok(())
    }

    /// Holds the rows given up against the rows read, both up to the same checkpoint. Rows are given up
    /// before the batch that they were cut from is counted, so a ratio between checkpoints means nothing.
    ///
    /// # Errors
    /// If `max_ratio` is passed.
    pub fn check_ratio(&self, given_up: u64, read: u64) -> Result<()> {
        let over = self.max_ratio.is_some_and(|most| given_up as f64 > most * read as f64);
        if over && read >= RATIO_AFTER_ROWS {
            return Err(self.exceeded("max_ratio", given_up, Some(read)));
        }
        Ok(())
    }

    fn last(&self) -> MutexGuard<'_, Option<LastReject>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn exceeded(&self, limit: &'static str, given_up: u64, read: Option<u64>) -> Error {
        let of = read.map(|read| format!(" of {read}")).unwrap_or_default();
        let message =
            format!("rows given up: {given_up}{of}, more than `{limit}` of the dead letters allows");
        let mut error = Error::user(codes::TOO_MANY_DEAD_LETTERS, message)
            .with_hint(
                "mend the data or the job, or raise the limit; rows given up since the last checkpoint are \
                 not in the dead letters, so the last one is named here",
            )
            .at_option(limit);
        if let Some(last) = self.last().take() {
            error = error.with("given_up_by", last.node).with("code", last.code).with("last", last.message);
            if let Some(place) = last.place {
                error = error.with("place", place);
            }
        }
        error
    }
}

/// What an error says of the last row that was given up. Never its values.
#[derive(Debug)]
pub(crate) struct LastReject {
    node: String,
    code: Code,
    message: String,
    place: Option<String>,
}

impl LastReject {
    fn of(node: &str, reject: &Reject) -> Self {
        Self {
            node: node.to_owned(),
            code: reject.error.code(),
            message: reject.error.chain(),
            place: reject.origin.as_ref().map(|origin| format!("{} up to {}", origin.split, origin.to)),
        }
    }
}

/// Where one task puts the rows that are given up.
pub(crate) enum Port {
    /// There is no dead-letter sink: the first row stops the job.
    Stop,
    /// To the dead-letter sink.
    Send(Box<Letters>),
}

/// Dead letters of one task, gathered into batches.
pub(crate) struct Letters {
    sender: Sender,
    limits: Arc<Limits>,
    table: Arc<TableSchema>,
    pending: Pending,
}

#[derive(Default)]
struct Pending {
    rows: usize,
    bytes: usize,
    nodes: StringBuilder,
    tables: StringBuilder,
    codes: StringBuilder,
    messages: StringBuilder,
    raws: BinaryBuilder,
    splits: StringBuilder,
    positions: StringBuilder,
    times: TimestampMicrosecondBuilder,
}

impl Port {
    pub fn new(sender: Option<Sender>, limits: &Arc<Limits>) -> Self {
        match sender {
            None => Self::Stop,
            Some(sender) => Self::Send(Box::new(Letters {
                sender,
                limits: Arc::clone(limits),
                table: Arc::new(schema()),
                pending: Pending::default(),
            })),
        }
    }

    /// Gives a row up. Fails if there is nowhere to put it or a limit is passed.
    pub async fn reject(&mut self, node: &str, reject: Reject) -> Result<()> {
        let letters = match self {
            Self::Send(letters) => letters,
            Self::Stop => return Err(no_dead_letter_sink(node, reject)),
        };
        letters.limits.check(node, &reject)?;
        letters.pending.push(node, &reject);
        if letters.pending.rows >= FLUSH_ROWS || letters.pending.bytes >= FLUSH_BYTES {
            letters.flush().await?;
        }
        Ok(())
    }

    /// Ends the epoch.
    pub async fn barrier(&mut self, barrier: Barrier) -> Result<()> {
        if let Self::Send(letters) = self {
            letters.flush().await?;
            letters.sender.send(Element::Barrier(barrier)).await;
        }
        Ok(())
    }

    /// No row will be given up any more.
    pub async fn end(&mut self) -> Result<()> {
        if let Self::Send(letters) = self {
            letters.flush().await?;
            letters.sender.send(Element::EndOfInput).await;
        }
        Ok(())
    }
}

fn no_dead_letter_sink(node: &str, reject: Reject) -> Error {
    let mut error =
        Error::user(codes::ROW_GIVEN_UP, "a row was given up and the job has no dead-letter sink")
            .with_hint("mend the row, or add `env { dead_letter { plugin_name = LocalFile, path = ... } }`")
            .with("node", node)
            .with("code", reject.error.code());
    if let Some(table) = &reject.table {
        error = error.with("table", table);
    }
    if let Some(origin) = &reject.origin {
        error = error.with("split", &origin.split).with("position", &origin.to);
    }
    error.with_source(reject.error)
}

impl Letters {
    async fn flush(&mut self) -> Result<()> {
        if self.pending.rows == 0 {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.pending).finish(&self.limits.job, &self.table)?;
        self.sender.send(Element::Batch(Batch::new(Arc::clone(&self.table), rows)?)).await;
        Ok(())
    }
}

impl Pending {
    fn push(&mut self, node: &str, reject: &Reject) {
        self.rows += 1;
        self.bytes += reject.raw.len();
        self.nodes.append_value(node);
        self.tables.append_option(reject.table.as_ref().map(ToString::to_string));
        self.codes.append_value(reject.error.code().0);
        self.messages.append_value(reject.error.chain());
        self.raws.append_value(&reject.raw);
        self.splits.append_option(reject.origin.as_ref().map(|origin| &*origin.split.0));
        self.positions.append_option(reject.origin.as_ref().map(|origin| &*origin.to.0));
        self.times.append_value(chrono::Utc::now().timestamp_micros());
    }

    fn finish(mut self, job: &str, table: &TableSchema) -> Result<RecordBatch> {
        let mut jobs = StringBuilder::new();
        for _ in 0..self.rows {
            jobs.append_value(job);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(jobs.finish()),
            Arc::new(self.nodes.finish()),
            Arc::new(self.tables.finish()),
            Arc::new(self.codes.finish()),
            Arc::new(self.messages.finish()),
            Arc::new(self.raws.finish()),
            Arc::new(self.splits.finish()),
            Arc::new(self.positions.finish()),
            Arc::new(self.times.finish().with_timezone("UTC")),
        ];
        Ok(RecordBatch::try_new(Arc::clone(&table.arrow), columns)?)
    }
}
