//! The files that a writer has open: bounded in number and in memory, closed when they are full.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use seatun_api::{Generation, Result};

use super::name::Owner;
use super::plan::FileSinkPlan;
use super::target::{Sealed, Staged, Target};
use crate::encode::{Encoder, Refused};

/// Rows that are encoded in one go; sizes and memory are looked at in between.
const STEP_ROWS: usize = 8192;

/// Which file: the layout that it belongs to, and its folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileKey {
    pub(crate) layout: usize,
    pub(crate) folder: Arc<str>,
}

struct OpenFile {
    encoder: Box<dyn Encoder>,
    rows: u64,
    opened: Instant,
    used: u64,
    /// Memory that the encoder had in use when it was last looked at.
    buffered: usize,
}

/// A file whose bytes are durable, waiting for the end of the epoch. Dropped before that, it is removed.
pub(crate) struct ClosedFile {
    pub(crate) key: FileKey,
    pub(crate) rows: u64,
    pub(crate) sealed: Sealed,
    pub(crate) staged: Box<dyn Staged>,
}

/// The open files of one writer.
pub(crate) struct OpenFiles {
    plan: Arc<FileSinkPlan>,
    target: Arc<dyn Target>,
    owner: Owner,
    generation: Generation,
    subtask: u32,
    files: HashMap<FileKey, OpenFile>,
    closed: Vec<ClosedFile>,
    /// Sum of `buffered` over the open files.
    waiting: usize,
    uses: u64,
    created: u64,
}

impl OpenFiles {
    pub(crate) fn new(
        plan: Arc<FileSinkPlan>,
        target: Arc<dyn Target>,
        owner: Owner,
        generation: Generation,
        subtask: u32,
    ) -> Self {
        Self {
            plan,
            target,
            owner,
            generation,
            subtask,
            files: HashMap::new(),
            closed: Vec::new(),
            waiting: 0,
            uses: 0,
            created: 0,
        }
    }

    /// Writes rows of one folder; gives those that the format cannot hold, by their number in `rows`.
    pub(crate) async fn write(
        &mut self,
        key: &FileKey,
        schema: &SchemaRef,
        rows: &RecordBatch,
    ) -> Result<Vec<Refused>> {
        let mut refused = Vec::new();
        let mut start = 0;
        while start < rows.num_rows() {
            let room = self.room(key);
            let length = (rows.num_rows() - start).min(STEP_ROWS).min(room);
            let step = self.write_step(key, schema, &rows.slice(start, length)).await?;
            refused.extend(step.into_iter().map(|row| Refused { row: row.row + start, ..row }));
            start += length;
        }
        Ok(refused)
    }

    /// How many rows the file may still take before it rolls.
    fn room(&self, key: &FileKey) -> usize {
        let Some(limit) = self.plan.roll.rows else { return usize::MAX };
        let rows = self.files.get(key).map_or(0, |file| file.rows);
        usize::try_from(limit.saturating_sub(rows)).unwrap_or(usize::MAX).max(1)
    }

    async fn write_step(
        &mut self,
        key: &FileKey,
        schema: &SchemaRef,
        rows: &RecordBatch,
    ) -> Result<Vec<Refused>> {
        self.uses += 1;
        let uses = self.uses;
        let mut file = match self.take(key) {
            Some(file) => file,
            None => self.open(key, schema).await?,
        };
        file.used = uses;
        let refused = file.encoder.write(rows)?;
        file.encoder.staged().drain().await?;
        file.rows += (rows.num_rows() - refused.len()) as u64;
        if self.is_full(&file) {
            self.close(key.clone(), file).await?;
        } else {
            file.buffered = file.encoder.buffered();
            self.waiting += file.buffered;
            self.files.insert(key.clone(), file);
            self.bound_memory().await?;
        }
        Ok(refused)
    }

    /// Opens a file, after closing the one that was not used for longest if there are too many.
    async fn open(&mut self, key: &FileKey, schema: &SchemaRef) -> Result<OpenFile> {
        while self.files.len() >= self.plan.max_open_files {
            let oldest = self.files.iter().min_by_key(|(_, file)| file.used).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            self.close_one(oldest).await?;
        }
        let staged = loop {
            let name = self.owner.in_progress(self.generation, self.subtask, self.created);
            self.created += 1;
            // A name can only be taken by what another life of the job has left behind.
            if let Some(staged) = self.target.create(&key.folder, &name).await? {
                break staged;
            }
        };
        let encoder = self.plan.encoding.open(schema, staged)?;
        Ok(OpenFile { encoder, rows: 0, opened: Instant::now(), used: self.uses, buffered: 0 })
    }

    fn is_full(&self, file: &OpenFile) -> bool {
        let roll = &self.plan.roll;
        roll.rows.is_some_and(|limit| file.rows >= limit)
            || roll.bytes.is_some_and(|limit| file.encoder.size() >= limit)
            || self.is_old(file)
    }

    fn is_old(&self, file: &OpenFile) -> bool {
        self.plan.roll.interval.is_some_and(|limit| file.opened.elapsed() >= limit)
    }

    fn take(&mut self, key: &FileKey) -> Option<OpenFile> {
        let file = self.files.remove(key)?;
        self.waiting -= file.buffered;
        Some(file)
    }

    /// Writes out the fullest files until what waits in memory is within its bound.
    async fn bound_memory(&mut self) -> Result<()> {
        while self.waiting > self.plan.buffer_bytes {
            let Some(file) = self.files.values_mut().max_by_key(|file| file.buffered) else { return Ok(()) };
            file.encoder.flush()?;
            file.encoder.staged().drain().await?;
            let before = std::mem::replace(&mut file.buffered, file.encoder.buffered());
            self.waiting = self.waiting - before + file.buffered;
            if file.buffered >= before {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Closes the files that are older than they may get.
    pub(crate) async fn close_old(&mut self) -> Result<()> {
        let old = self.files.iter().filter(|(_, file)| self.is_old(file)).map(|(key, _)| key.clone());
        for key in old.collect::<Vec<_>>() {
            self.close_one(key).await?;
        }
        Ok(())
    }

    /// Closes the files of one layout.
    pub(crate) async fn close_layout(&mut self, layout: usize) -> Result<()> {
        let keys: Vec<_> = self.files.keys().filter(|key| key.layout == layout).cloned().collect();
        for key in keys {
            self.close_one(key).await?;
        }
        Ok(())
    }

    /// Closes all files and gives what was closed since the last call, by folder.
    pub(crate) async fn close_all(&mut self) -> Result<Vec<ClosedFile>> {
        let keys: Vec<_> = self.files.keys().cloned().collect();
        for key in keys {
            self.close_one(key).await?;
        }
        let mut closed = std::mem::take(&mut self.closed);
        closed.sort_by(|a, b| (&a.key.folder, a.key.layout).cmp(&(&b.key.folder, b.key.layout)));
        Ok(closed)
    }

    async fn close_one(&mut self, key: FileKey) -> Result<()> {
        match self.take(&key) {
            Some(file) => self.close(key, file).await,
            None => Ok(()),
        }
    }

    async fn close(&mut self, key: FileKey, file: OpenFile) -> Result<()> {
        // All its rows were refused: dropping it removes it.
        if file.rows == 0 {
            return Ok(());
        }
        self.seal(key, file).await
    }

    async fn seal(&mut self, key: FileKey, file: OpenFile) -> Result<()> {
        let mut staged = file.encoder.finish()?;
        staged.drain().await?;
        let sealed = staged.seal().await?;
        self.closed.push(ClosedFile { key, rows: file.rows, sealed, staged });
        Ok(())
    }
}
