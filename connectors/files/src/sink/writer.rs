//! The writer: rows into hidden files, one set of files per epoch.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;
use async_trait::async_trait;
use seatun_api::{
    Batch, ChangeKind, Epoch, Error, Prepared, Reject, Result, SchemaChange, SinkOutput, TableId,
    TableSchema, Writer, WriterContext,
};

use super::layout::{self, Layout};
use super::name::Owner;
use super::open::{FileKey, OpenFiles};
use super::options::ChangeKinds;
use super::partition::Part;
use super::plan::FileSinkPlan;
use super::target::{StagedFile, Target};
use crate::codes;
use crate::encode::{Refused, Unwritable, row_as_json};

/// Writes the rows of one subtask.
pub(crate) struct FileWriter {
    plan: Arc<FileSinkPlan>,
    target: Arc<dyn Target>,
    owner: Owner,
    subtask: u32,
    /// Every version of every table that rows came of; keys of open files are indices of it.
    layouts: Vec<Layout>,
    /// The layout of each table's present version.
    current: HashMap<TableId, usize>,
    files: OpenFiles,
}

impl FileWriter {
    pub(crate) fn new(plan: Arc<FileSinkPlan>, target: Arc<dyn Target>, context: &WriterContext) -> Self {
        let owner = Owner::new(&context.sink.job, &context.sink.node);
        Self {
            files: OpenFiles::new(
                Arc::clone(&plan),
                Arc::clone(&target),
                owner.clone(),
                context.sink.generation,
                context.subtask,
            ),
            plan,
            target,
            owner,
            subtask: context.subtask,
            layouts: Vec::new(),
            current: HashMap::new(),
        }
    }

    /// The layout of a table's version; files of the version before are closed.
    async fn layout(&mut self, table: &Arc<TableSchema>) -> Result<usize> {
        let known = self.current.get(&table.id).copied();
        if let Some(index) = known {
            // invariant: `current` holds indices of `layouts`, which only grows.
            let before = &self.layouts[index].table;
            if Arc::ptr_eq(before, table) || before == table {
                return Ok(index);
            }
            self.files.close_layout(index).await?;
        }
        let new = Layout::new(&self.plan, table)?;
        let others = self.current.iter().filter(|(id, _)| **id != table.id);
        layout::check_apart(others.map(|(_, &index)| &self.layouts[index]).chain([&new]))?;
        self.layouts.push(new);
        let index = self.layouts.len() - 1;
        self.current.insert(table.id.clone(), index);
        Ok(index)
    }

    /// Splits rows by folder and writes them.
    async fn write_rows(&mut self, batch: &Batch, out: &mut dyn SinkOutput) -> Result<()> {
        let index = self.layout(batch.table()).await?;
        // invariant: `layout` gives an index of `layouts`.
        let layout = &mut self.layouts[index];
        let rows = layout.project(batch)?;
        let schema = Arc::clone(&layout.schema);
        let parts = match &mut layout.partitioner {
            Some(partitioner) => partitioner.split(batch.rows())?,
            None => vec![Part { folder: Ok(Arc::clone(&layout.folder)), rows: None }],
        };
        for part in parts {
            let folder = match part.folder {
                Ok(folder) => folder,
                Err(why) => {
                    let numbers = part.rows.map_or_else(
                        || (0..batch.num_rows()).collect(),
                        |rows| rows.values().iter().map(|&row| row as usize).collect::<Vec<_>>(),
                    );
                    reject(batch, &numbers, out, |_| why.error()).await?;
                    continue;
                }
            };
            let of_folder = match &part.rows {
                Some(numbers) => take_record_batch(&rows, numbers)?,
                None => rows.clone(),
            };
            let key = FileKey { layout: index, folder };
            let refused = self.files.write(&key, &schema, &of_folder).await?;
            if !refused.is_empty() {
                self.reject_refused(batch, &of_folder, part.rows.as_ref(), refused, out).await?;
            }
        }
        Ok(())
    }

    /// Gives up what the format cannot hold. (`&mut`, here and below: a writer is `Send` but not `Sync`.)
    async fn reject_refused(
        &mut self,
        batch: &Batch,
        written: &RecordBatch,
        numbers: Option<&UInt32Array>,
        refused: Vec<Refused>,
        out: &mut dyn SinkOutput,
    ) -> Result<()> {
        for row in refused {
            let number = numbers.map_or(row.row, |numbers| numbers.value(row.row) as usize);
            let schema = written.schema_ref();
            let column = schema.fields().get(row.column).map_or("?", |field| field.name().as_str());
            let why = match row.why {
                Unwritable::NotText => "holds bytes that are not text",
                Unwritable::Separator => "holds a text with a separator in it",
                Unwritable::EmptyKey => "holds a map with an empty key",
            };
            let format = self.plan.encoding.format.name();
            let message = format!("column `{column}` {why}, which {format} cannot hold");
            reject(batch, &[number], out, |_| {
                Error::user(codes::VALUE_UNWRITABLE, message.clone())
                    .with("table", &batch.table().id)
                    .with_hint("use csv with csv_string_quote_mode = MINIMAL, json or parquet")
            })
            .await?;
        }
        Ok(())
    }

    /// The path of a file, free at this time: a job that began anew (`--fresh`) counts its epochs from 1
    /// again, and must not meet the files of its former life.
    async fn free_path(&mut self, key: &FileKey, epoch: Epoch, number: &mut u64) -> Result<String> {
        loop {
            // invariant: keys of files hold indices of `layouts`.
            let layout = &self.layouts[key.layout];
            let name = layout.file_name(&self.plan, &self.owner, self.subtask, epoch, *number);
            *number += 1;
            let path = match key.folder.is_empty() {
                true => name,
                false => format!("{}/{name}", key.folder),
            };
            if self.target.is_free(&path).await? {
                return Ok(path);
            }
        }
    }
}

/// Gives up rows of a batch.
async fn reject(
    batch: &Batch,
    rows: &[usize],
    out: &mut dyn SinkOutput,
    error: impl Fn(usize) -> Error,
) -> Result<()> {
    for &row in rows {
        out.reject(Reject {
            table: Some(batch.table().id.clone()),
            raw: row_as_json(batch.rows(), row)?,
            origin: batch.origin().map(|origin| origin.as_ref().clone()),
            error: error(row),
        })
        .await?;
    }
    Ok(())
}

/// Refuses rows whose values are not all there.
fn check_whole(batch: &Batch) -> Result<()> {
    for (column, marks) in batch.unchanged() {
        if marks.true_count() > 0 {
            let schema = batch.schema();
            let name = schema.fields().get(*column).map_or("?", |field| field.name().as_str());
            return Err(Error::user(
                codes::PARTIAL_ROW,
                format!("the source did not send all values of column `{name}`"),
            )
            .with("table", &batch.table().id)
            .with_hint("let the source send whole rows (PostgreSQL: replica identity full)"));
        }
    }
    Ok(())
}

#[async_trait]
impl Writer for FileWriter {
    async fn write(&mut self, batch: Batch, out: &mut dyn SinkOutput) -> Result<()> {
        check_whole(&batch)?;
        let mut batch = batch;
        if self.plan.change_kinds == ChangeKinds::Fail
            && let Some(kinds) = batch.kinds().cloned()
        {
            let (inserts, others): (Vec<usize>, Vec<usize>) =
                (0..batch.num_rows()).partition(|&row| batch.kind(row) == ChangeKind::Insert);
            reject(&batch, &others, out, |row| {
                let kind = batch.kind(row).full();
                Error::user(codes::CHANGE_REFUSED, format!("a row of kind {kind} came to a sink of inserts"))
                    .with("table", &batch.table().id)
                    .with_hint("set change_kinds = append or column")
            })
            .await?;
            let keep: BooleanArray =
                kinds.values().iter().map(|&kind| Some(kind == ChangeKind::Insert as u8)).collect();
            if inserts.len() < batch.num_rows() {
                batch = batch.filter(&keep)?;
            }
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.write_rows(&batch, out).await
    }

    async fn prepare(&mut self, epoch: Epoch, _out: &mut dyn SinkOutput) -> Result<Prepared> {
        let mut closed = self.files.close_all().await?;
        self.target.settle().await?;
        let mut prepared = Prepared::default();
        let mut last: Option<(Arc<str>, u64)> = None;
        for file in &closed {
            // Files are numbered within their folder.
            let mut number = match &last {
                Some((folder, next)) if *folder == file.key.folder => *next,
                _ => 0,
            };
            let path = self.free_path(&file.key, epoch, &mut number).await?;
            last = Some((Arc::clone(&file.key.folder), number));
            let staged = StagedFile {
                path,
                place: file.sealed.place.clone(),
                bytes: file.sealed.bytes,
                rows: file.rows,
                crc32c: file.sealed.crc32c,
            };
            prepared.bytes += staged.bytes;
            prepared.committables.push(staged.encode()?);
        }
        closed.iter_mut().for_each(|file| file.staged.keep());
        Ok(prepared)
    }

    async fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<()> {
        self.layout(&change.after).await.map(drop)
    }

    async fn tick(&mut self, _out: &mut dyn SinkOutput) -> Result<()> {
        self.files.close_old().await
    }
}
