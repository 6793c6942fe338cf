//! Rows of an input on their way to the plan: first in, first out, in memory while there is room, then in
//! files.
//!
//! Guarantees: a batch comes out once and in order; a file is removed when it has been read or when its
//! spool is dropped; adding rows never waits.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::disk_manager::{DiskManager, RefCountedTempFile};
use tokio::sync::Notify;

/// A file is handed to the reader at this size, so that it can be removed early.
const FILE_BYTES: usize = 64 << 20;

/// Memory that all spools of a query share.
pub(super) struct Budget {
    left: AtomicUsize,
    /// Told whenever a reader has made room or waits for rows.
    pub changed: Notify,
}

impl Budget {
    pub(super) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(bytes), changed: Notify::new() })
    }

    fn take(&self, bytes: usize) -> bool {
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(bytes)).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::AcqRel);
        self.changed.notify_waiters();
    }
}

/// What the writing and the reading side share.
pub(super) struct Spool {
    schema: SchemaRef,
    budget: Arc<Budget>,
    state: Mutex<State>,
    readable: Notify,
}

#[derive(Default)]
struct State {
    /// With the bytes taken from the budget.
    memory: VecDeque<(RecordBatch, usize)>,
    /// Complete files; younger than what is in memory.
    files: VecDeque<RefCountedTempFile>,
    /// The reader is in the middle of a file.
    reading_file: bool,
    ended: bool,
    waiting: bool,
    abandoned: bool,
}

impl Spool {
    pub(super) fn new(schema: SchemaRef, budget: Arc<Budget>) -> Arc<Self> {
        Arc::new(Self { schema, budget, state: Mutex::default(), readable: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves the queue itself whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the plan waits for rows of this spool.
    pub(super) fn is_waiting(&self) -> bool {
        let state = self.state();
        state.waiting && !state.ended && !state.abandoned
    }

    /// The plan needs no more rows of this spool.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.abandoned = true;
        state.files.clear();
        let bytes: usize = state.memory.drain(..).map(|(_, bytes)| bytes).sum();
        drop(state);
        self.budget.give_back(bytes);
    }

    /// The reading side.
    pub(super) fn reader(self: &Arc<Self>) -> SpoolReader {
        SpoolReader { spool: Arc::clone(self), file: None }
    }
}

/// The writing side of a spool.
pub(super) struct Feed {
    pub spool: Arc<Spool>,
    disk: Arc<DiskManager>,
    file: Option<SpillFile>,
}

struct SpillFile {
    writer: StreamWriter<BufWriter<File>>,
    file: RefCountedTempFile,
    bytes: usize,
}

impl Feed {
    pub(super) fn new(spool: Arc<Spool>, disk: Arc<DiskManager>) -> Self {
        Self { spool, disk, file: None }
    }

    /// Puts rows into memory. False if there is no room, or if older rows are still in files.
    pub(super) fn offer(&self, rows: &RecordBatch, bytes: usize) -> bool {
        let mut state = self.spool.state();
        if state.abandoned {
            return true;
        }
        if self.file.is_some() || state.reading_file || !state.files.is_empty() {
            return false;
        }
        let taken = match self.spool.budget.take(bytes) {
            true => bytes,
            // A batch greater than all the memory must pass too, alone.
            false if state.memory.is_empty() && state.waiting => 0,
            false => return false,
        };
        state.memory.push_back((rows.clone(), taken));
        state.waiting = false;
        drop(state);
        self.spool.readable.notify_one();
        true
    }

    /// Puts rows into a file.
    pub(super) async fn spill(&mut self, rows: RecordBatch, bytes: usize) -> Result<()> {
        let current = self.file.take();
        let schema = Arc::clone(&self.spool.schema);
        let disk = Arc::clone(&self.disk);
        let file = blocking(move || {
            let mut file = match current {
                Some(file) => file,
                None => SpillFile::create(&disk, &schema)?,
            };
            file.writer.write(&rows)?;
            file.bytes += bytes;
            Ok(file)
        })
        .await?;
        let full = file.bytes >= FILE_BYTES;
        self.file = Some(file);
        if full {
            self.hand_over().await?;
        }
        Ok(())
    }

    /// Lets the reader have what is in the file that is being written.
    pub(super) async fn hand_over(&mut self) -> Result<()> {
        let Some(SpillFile { mut writer, file, .. }) = self.file.take() else { return Ok(()) };
        blocking(move || Ok(writer.finish()?)).await?;
        let mut state = self.spool.state();
        if !state.abandoned {
            state.files.push_back(file);
            state.waiting = false;
        }
        drop(state);
        self.spool.readable.notify_one();
        Ok(())
    }

    /// No more rows will come.
    pub(super) async fn end(&mut self) -> Result<()> {
        self.hand_over().await?;
        self.spool.state().ended = true;
        self.spool.readable.notify_one();
        Ok(())
    }
}

impl SpillFile {
    fn create(disk: &Arc<DiskManager>, schema: &SchemaRef) -> Result<Self> {
        let file = disk.create_tmp_file("rows of an input")?;
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
        let target = BufWriter::new(file.inner().reopen()?);
        let writer = StreamWriter::try_new_with_options(target, schema, options)?;
        Ok(Self { writer, file, bytes: 0 })
    }
}

type FileReader = StreamReader<BufReader<File>>;

/// The reading side of a spool.
pub(super) struct SpoolReader {
    spool: Arc<Spool>,
    /// Keeps the file until it has been read.
    file: Option<(FileReader, RefCountedTempFile)>,
}

enum Next {
    Rows(RecordBatch),
    File(RefCountedTempFile),
    End,
    Wait,
}

impl SpoolReader {
    /// The next rows, `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(rows) = self.next_of_file().await? {
                return Ok(Some(rows));
            }
            match self.poll() {
                Next::Rows(rows) => return Ok(Some(rows)),
                Next::File(file) => {
                    let source = BufReader::new(file.inner().reopen()?);
                    self.file = Some((StreamReader::try_new(source, None)?, file));
                }
                Next::End => return Ok(None),
                // A permit is kept if the rows came in between.
                Next::Wait => self.spool.readable.notified().await,
            }
        }
    }

    async fn next_of_file(&mut self) -> Result<Option<RecordBatch>> {
        let Some((mut reader, file)) = self.file.take() else { return Ok(None) };
        let (rows, reader) = blocking(move || Ok((reader.next().transpose()?, reader))).await?;
        match rows {
            Some(rows) => {
                self.file = Some((reader, file));
                Ok(Some(rows))
            }
            None => {
                self.spool.state().reading_file = false;
                Ok(None)
            }
        }
    }

    fn poll(&self) -> Next {
        let mut state = self.spool.state();
        if let Some((rows, bytes)) = state.memory.pop_front() {
            drop(state);
            self.spool.budget.give_back(bytes);
            return Next::Rows(rows);
        }
        if let Some(file) = state.files.pop_front() {
            state.reading_file = true;
            return Next::File(file);
        }
        if state.ended {
            return Next::End;
        }
        state.waiting = true;
        drop(state);
        self.spool.budget.changed.notify_waiters();
        Next::Wait
    }
}

impl Drop for SpoolReader {
    fn drop(&mut self) {
        self.spool.abandon();
    }
}

/// Reads or writes a file away from the tasks that must not wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| datafusion::error::DataFusionError::ExecutionJoin(Box::new(error)))?
}
