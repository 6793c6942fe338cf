//! Parquet, straight from Arrow, one row group in memory at a time.
//!
//! Column names keep their case and columns their nullability (SeaTunnel lowers names and makes every
//! column optional). Times are microseconds or nanoseconds as they come, never shifted by a zone.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, IntervalUnit, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use seatun_api::Result;

use super::{Encoder, Refused, internal};
use crate::config::CompressCodec;
use crate::sink::failure;
use crate::sink::target::Staged;

/// Bounds of a row group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowGroups {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

/// Whether Parquet can hold the type.
pub(super) fn holds(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(_, _)
        | DataType::RunEndEncoded(_, _)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Interval(IntervalUnit::MonthDayNano) => false,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            holds(item.data_type())
        }
        DataType::Map(entries, _) => holds(entries.data_type()),
        // A group without fields has no columns, so nothing would say how many rows it has.
        DataType::Struct(fields) => !fields.is_empty() && fields.iter().all(|field| holds(field.data_type())),
        DataType::Dictionary(_, values) => holds(values),
        _ => true,
    }
}

/// The properties of a file.
pub(super) fn properties(groups: RowGroups, codec: CompressCodec, level: i32) -> Result<WriterProperties> {
    let compression = match codec {
        CompressCodec::Snappy => Compression::SNAPPY,
        CompressCodec::Lz4 => Compression::LZ4_RAW,
        CompressCodec::Gzip => Compression::GZIP(
            GzipLevel::try_new(level.unsigned_abs()).map_err(|error| internal(error.to_string()))?,
        ),
        CompressCodec::Zstd => {
            Compression::ZSTD(ZstdLevel::try_new(level).map_err(|error| internal(error.to_string()))?)
        }
        _ => Compression::UNCOMPRESSED,
    };
    Ok(WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(groups.rows))
        .set_max_row_group_bytes(Some(groups.bytes))
        // Pages end by their size: a limit of rows would make many small pages of narrow columns, which
        // pack worse and cost a compressor call each.
        .set_data_page_row_count_limit(usize::MAX)
        // Readers skip by row group; statistics of pages cost time in every column for what few use.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(concat!("seatun version ", env!("CARGO_PKG_VERSION")).to_owned())
        .build())
}

pub(super) struct ParquetEncoder {
    writer: ArrowWriter<Box<dyn Staged>>,
}

impl ParquetEncoder {
    pub(super) fn new(
        schema: &SchemaRef,
        properties: WriterProperties,
        out: Box<dyn Staged>,
    ) -> Result<Self> {
        let path = out.path().to_owned();
        let writer = ArrowWriter::try_new(out, SchemaRef::clone(schema), Some(properties))
            .map_err(|error| failed(&path, error))?;
        Ok(Self { writer })
    }

    fn failed(&self, error: ParquetError) -> seatun_api::Error {
        failed(self.writer.inner().path(), error)
    }
}

fn failed(path: &str, error: ParquetError) -> seatun_api::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(error) => failure::write(path, *error),
            Err(source) => {
                internal("cannot encode parquet".to_owned()).with("path", path).with_source(source)
            }
        },
        error => internal("cannot encode parquet".to_owned()).with("path", path).with_source(error),
    }
}

impl Encoder for ParquetEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<Vec<Refused>> {
        self.writer.write(batch).map_err(|error| self.failed(error))?;
        Ok(Vec::new())
    }

    fn size(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    fn buffered(&self) -> usize {
        self.writer.memory_size()
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.flush().map_err(|error| self.failed(error))
    }

    fn staged(&mut self) -> &mut dyn Staged {
        self.writer.inner_mut().as_mut()
    }

    fn finish(self: Box<Self>) -> Result<Box<dyn Staged>> {
        let path = self.writer.inner().path().to_owned();
        self.writer.into_inner().map_err(|error| failed(&path, error))
    }
}
