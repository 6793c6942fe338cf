//! Reads splits one after the other, each from its position on.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_schema::{DataType, SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use seatun_api::source::Lag;
use seatun_api::{
    Batch, Error, Position, PositionDelta, ReadStatus, Reader, Reject, Result, SourceOutput, Split, SplitId,
    TableSchema,
};

use super::header;
use super::partition;
use super::resolve::Resolved;
use super::split::{FileSplit, Part, offset};
use crate::codes;
use crate::config::{CompressCodec, FileFormat};
use crate::decode::LineDecoder;
use crate::decode::bytes::ByteStream;
use crate::decode::delimited::Delimited;
use crate::decode::json::JsonLines;
use crate::decode::parquet::{ParquetFile, ParquetRows};
use crate::store::{RangedRead, StoredFile};

/// A window is filled to this before records are taken off it.
const FULL_WINDOW: usize = 1 << 20;

/// The reader of the file source.
pub struct FileReader {
    tables: Arc<Vec<Resolved>>,
    batch_rows: usize,
    splits: VecDeque<Reading>,
}

/// A split and how far it is read.
struct Reading {
    id: SplitId,
    state: FileSplit,
    position: Option<Position>,
    open: Option<Open>,
    bytes_left: u64,
}

/// An open split.
struct Open {
    rows: Rows,
    table: Arc<TableSchema>,
    /// Values that all rows of the file have, behind the file's own columns.
    constants: Vec<Option<String>>,
    path: String,
}

enum Rows {
    Lines { stream: ByteStream, decoder: Box<dyn LineDecoder>, packed: bool, end: u64 },
    Parquet { rows: Box<ParquetRows>, next: u64, all: u64, first: u64, bytes: u64 },
}

/// Some rows and where they end.
struct Piece {
    rows: RecordBatch,
    rejects: Vec<Rejected>,
    to: u64,
}

struct Rejected {
    from: u64,
    to: u64,
    raw: Bytes,
    error: Error,
}

impl FileReader {
    /// A reader of these tables.
    pub fn new(tables: Arc<Vec<Resolved>>, batch_rows: usize) -> Self {
        Self { tables, batch_rows: batch_rows.max(1), splits: VecDeque::new() }
    }
}

#[async_trait]
impl Reader for FileReader {
    async fn next(&mut self, out: &mut dyn SourceOutput) -> Result<ReadStatus> {
        let Some(reading) = self.splits.front_mut() else { return Ok(ReadStatus::Idle) };
        if reading.open.is_none() {
            reading.open(&self.tables, self.batch_rows).await?;
        }
        let Some(open) = &mut reading.open else { return Ok(ReadStatus::Idle) };
        let Some(piece) = open.next(self.batch_rows).await? else {
            let finished = self.splits.pop_front().map(|reading| reading.id);
            return Ok(ReadStatus::SplitsFinished(finished.into_iter().collect()));
        };
        reading.bytes_left = open.bytes_left();
        let to = Position::from_u64(piece.to);
        let from = reading.position.replace(to.clone());
        let delta = PositionDelta { split: reading.id.clone(), from, to };
        for rejected in piece.rejects {
            let origin = PositionDelta {
                split: reading.id.clone(),
                from: Some(Position::from_u64(rejected.from)),
                to: Position::from_u64(rejected.to),
            };
            let error = rejected.error.with("path", &open.path).with("offset", rejected.from);
            let table = Some(open.table.id.clone());
            out.reject(Reject { table, raw: rejected.raw, origin: Some(origin), error }).await?;
        }
        match piece.rows.num_rows() {
            0 => out.advance(delta).await?,
            _ => out.emit(open.batch(piece.rows)?, delta).await?,
        }
        Ok(ReadStatus::More)
    }

    async fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in splits {
            let state = FileSplit::of(&split)?;
            let bytes_left = state.bytes();
            self.splits.push_back(Reading {
                id: split.id,
                state,
                position: split.position,
                open: None,
                bytes_left,
            });
        }
        Ok(())
    }

    fn lag(&self) -> Option<Lag> {
        let bytes = self.splits.iter().map(|reading| reading.bytes_left).sum();
        Some(Lag { bytes: Some(bytes), ..Lag::default() })
    }
}

impl Reading {
    async fn open(&mut self, tables: &[Resolved], batch_rows: usize) -> Result<()> {
        let table = tables.get(self.state.table).ok_or_else(|| {
            Error::user(
                seatun_api::error::codes::STATE_CODEC,
                "a stored split belongs to a table that the job no longer has",
            )
            .with_hint("keep the tables in their order, or start with --fresh")
        })?;
        let from = self.position.as_ref().map(offset).transpose()?;
        self.open = Some(Open::new(table, &self.state, from, batch_rows).await?);
        Ok(())
    }
}

impl Open {
    async fn new(table: &Resolved, split: &FileSplit, from: Option<u64>, batch_rows: usize) -> Result<Self> {
        let location = &table.table.location;
        let file: Arc<dyn RangedRead> =
            Arc::new(StoredFile::new(location, &split.path, split.size, split.tag.clone())?);
        let path = location.display(&split.path);
        let constants = table.constants(&partition::of_file(&split.path), &path)?;
        let rows = match &split.part {
            Part::Lines { start, end, header } => {
                lines(table, file, (*start, *end), header.as_deref(), from, table.table.codec_of(&split.path))
                    .await?
            }
            Part::RowGroups { first, end, row, bytes } => {
                let file = ParquetFile::open(file).await?;
                let groups = file.row_groups();
                let all = groups.iter().take(*end).skip(*first).map(|(rows, _)| rows).sum();
                let next = from.unwrap_or(*row);
                let rows = file.rows(
                    *first..*end,
                    next.saturating_sub(*row),
                    &table.columns,
                    table.strict,
                    batch_rows,
                )?;
                Rows::Parquet { rows: Box::new(rows), next, all, first: *row, bytes: *bytes }
            }
        };
        Ok(Self { rows, table: Arc::clone(&table.schema), constants, path })
    }

    async fn next(&mut self, most: usize) -> Result<Option<Piece>> {
        match &mut self.rows {
            Rows::Lines { stream, decoder, .. } => next_lines(stream, decoder.as_mut(), most).await,
            Rows::Parquet { rows, next, .. } => {
                let Some(batch) = rows.next().await? else { return Ok(None) };
                *next += batch.num_rows() as u64;
                Ok(Some(Piece { rows: batch, rejects: Vec::new(), to: *next }))
            }
        }
    }

    fn bytes_left(&self) -> u64 {
        match &self.rows {
            Rows::Lines { stream, packed: true, .. } => stream.unread(),
            Rows::Lines { stream, end, .. } => end.saturating_sub(stream.offset()),
            Rows::Parquet { next, all, first, bytes, .. } => {
                let left = (first + all).saturating_sub(*next);
                let part = u128::from(*bytes) * u128::from(left) / u128::from((*all).max(1));
                u64::try_from(part).unwrap_or(*bytes)
            }
        }
    }

    /// The file's rows with the columns that are the same for all of them.
    fn batch(&self, rows: RecordBatch) -> Result<Batch> {
        let count = rows.num_rows();
        let mut arrays = rows.columns().to_vec();
        for constant in &self.constants {
            let array: ArrayRef = match constant {
                Some(value) => Arc::new(StringArray::new_repeated(value, count)),
                None => new_null_array(&DataType::Utf8, count),
            };
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.table.arrow), arrays, &options)?;
        Batch::new(Arc::clone(&self.table), rows)
    }
}

async fn next_lines(
    stream: &mut ByteStream,
    decoder: &mut dyn LineDecoder,
    most: usize,
) -> Result<Option<Piece>> {
    loop {
        while stream.window().len() < FULL_WINDOW && !stream.ended() {
            stream.fill().await?;
        }
        if stream.window().is_empty() {
            return Ok(None);
        }
        let chunk = decoder.decode(stream.window(), stream.ended(), most)?;
        if chunk.bytes == 0 {
            if stream.ended() {
                return Ok(None);
            }
            stream.fill().await?;
            continue;
        }
        let (base, window) = (stream.offset(), stream.window());
        let rejects = chunk.bad.into_iter().map(|bad| Rejected {
            from: base + bad.start as u64,
            to: base + bad.end as u64,
            raw: Bytes::copy_from_slice(window.get(bad.start..bad.end).unwrap_or_default()),
            error: bad.error,
        });
        let rejects = rejects.collect();
        stream.consume(chunk.bytes);
        return Ok(Some(Piece { rows: chunk.rows, rejects, to: stream.offset() }));
    }
}

async fn lines(
    table: &Resolved,
    file: Arc<dyn RangedRead>,
    (start, end): (u64, u64),
    names: Option<&[String]>,
    from: Option<u64>,
    codec: CompressCodec,
) -> Result<Rows> {
    let plan = &table.table.plan;
    let path = file.path().to_owned();
    let packed = codec != CompressCodec::None;
    let plain = |from: u64| ByteStream::plain(Arc::clone(&file), from, end);
    let mut stream = match packed {
        true => ByteStream::unpacked(Arc::clone(&file), codec)?,
        false => plain(start),
    };
    let mut names = names.map(<[String]>::to_vec);
    if start == 0 && (plan.header || from.is_none()) {
        names = header::pass(&mut stream, plan, &path).await?;
    }
    match from {
        Some(from) if packed => stream.skip_to(from).await?,
        Some(from) if from != stream.offset() => stream = plain(from),
        _ => {}
    }
    Ok(Rows::Lines { stream, decoder: decoder(table, names.as_deref(), &path)?, packed, end })
}

fn decoder(table: &Resolved, names: Option<&[String]>, path: &str) -> Result<Box<dyn LineDecoder>> {
    let plan = &table.table.plan;
    let columns: SchemaRef = Arc::clone(&table.columns);
    if plan.format == FileFormat::Json {
        return Ok(Box::new(JsonLines::new(columns, &plan.syntax.terminator)?));
    }
    let declared = plan.declared.as_ref().ok_or_else(|| {
        Error::internal(codes::COLUMN_TYPE, "a table of lines without columns").with("path", path)
    })?;
    let slots = header::slots(names, &declared.arrow, &columns, path)?;
    let syntax = plan.syntax.clone();
    Ok(Box::new(Delimited::new(syntax, plan.nulls.clone(), Arc::clone(&plan.rules), columns, slots)))
}
