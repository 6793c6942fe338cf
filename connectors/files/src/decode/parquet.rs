//! Parquet files: their columns, their row groups, and their rows brought to a table's columns.
//!
//! A file's types are brought to those that the rest of seatun knows (one kind of text, of bytes, of list;
//! no dictionaries); timestamps keep their unit and zone. A file fits a table if each column that both have
//! is of the same type or of a narrower one that widens without loss; a column that the file lacks is null.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{
    AsyncFileReader, ParquetRecordBatchStream, ParquetRecordBatchStreamBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use seatun_api::{Error, Result};
use seatun_connector_common::types::type_name;

use crate::codes;
use crate::store::RangedRead;

/// Ranges this near to each other are read as one.
const NEAR: u64 = 1 << 20;

/// A Parquet file whose footer has been read.
pub struct ParquetFile {
    file: Arc<dyn RangedRead>,
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    /// Reads the footer.
    ///
    /// # Errors
    /// If the file cannot be read, has changed or is no Parquet file.
    pub async fn open(file: Arc<dyn RangedRead>) -> Result<Self> {
        let mut input = Input(Arc::clone(&file));
        let metadata = ArrowReaderMetadata::load_async(&mut input, ArrowReaderOptions::new())
            .await
            .map_err(|error| parquet_error(error, file.path()))?;
        Ok(Self { file, metadata })
    }

    /// The columns, in the types that the rest of seatun knows.
    pub fn schema(&self) -> SchemaRef {
        let fields = self.metadata.schema().fields().iter();
        let fields = fields.map(|field| Field::new(field.name(), known_type(field.data_type()), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The rows and bytes of each row group.
    pub fn row_groups(&self) -> Vec<(u64, u64)> {
        let size = |number: i64| u64::try_from(number).unwrap_or(0);
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(|group| (size(group.num_rows()), size(group.compressed_size()))).collect()
    }

    /// The rows of some row groups, without the first `skip` of them, brought to `target`. With `strict` the
    /// file may not have columns that the target lacks.
    ///
    /// # Errors
    /// Names the file and the column that does not fit.
    pub fn rows(
        &self,
        groups: Range<usize>,
        skip: u64,
        target: &SchemaRef,
        strict: bool,
        batch_rows: usize,
    ) -> Result<ParquetRows> {
        let columns = self.fit(target, strict)?;
        let roots: Vec<usize> = columns.iter().flatten().copied().collect();
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), roots.iter().copied());
        let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(
            Input(Arc::clone(&self.file)),
            self.metadata.clone(),
        );
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        let stream = builder
            .with_projection(mask)
            .with_row_groups(groups.collect())
            .with_offset(skip)
            .with_batch_size(batch_rows)
            .build()
            .map_err(|error| parquet_error(error, self.file.path()))?;
        // The projected batch has the file's order.
        let mut in_order = roots;
        in_order.sort_unstable();
        let places =
            columns.iter().map(|column| column.and_then(|root| in_order.binary_search(&root).ok())).collect();
        Ok(ParquetRows { stream, places, target: Arc::clone(target), path: self.file.path().to_owned() })
    }

    /// For each column of the target the file's column of that name.
    fn fit(&self, target: &SchemaRef, strict: bool) -> Result<Vec<Option<usize>>> {
        let own = self.schema();
        let unfit = |column: &str, what: String| {
            Error::user(codes::INCOMPATIBLE_FILE, format!("column `{column}` {what}"))
                .with("path", self.file.path())
        };
        let extra = own.fields().iter().find(|field| target.field_with_name(field.name()).is_err());
        if let Some(field) = extra.filter(|_| strict) {
            return Err(unfit(field.name(), "is not in the table's first file".to_owned())
                .with_hint("name the columns to read in `read_columns`, or all columns in `schema`"));
        }
        let mut columns = Vec::with_capacity(target.fields().len());
        for field in target.fields() {
            let Ok(index) = own.index_of(field.name()) else {
                if !field.is_nullable() {
                    return Err(unfit(field.name(), "allows no null and the file lacks it".to_owned()));
                }
                columns.push(None);
                continue;
            };
            let (from, to) = (own.field(index).data_type(), field.data_type());
            if !widens(from, to) {
                let (from, to) = (type_name(from), type_name(to));
                return Err(unfit(field.name(), format!("is {from} in the file and {to} in the table")));
            }
            columns.push(Some(index));
        }
        Ok(columns)
    }
}

/// Rows of a Parquet file in order.
pub struct ParquetRows {
    stream: ParquetRecordBatchStream<Input>,
    places: Vec<Option<usize>>,
    target: SchemaRef,
    path: String,
}

impl ParquetRows {
    /// The next rows, `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read, has changed or is damaged.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        match self.stream.next().await {
            None => Ok(None),
            Some(Err(error)) => Err(parquet_error(error, &self.path)),
            Some(Ok(batch)) => self.bring(&batch).map(Some),
        }
    }

    fn bring(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.places.len());
        for (field, place) in self.target.fields().iter().zip(&self.places) {
            let column = place.and_then(|place| batch.columns().get(place));
            arrays.push(match column {
                None => new_null_array(field.data_type(), batch.num_rows()),
                Some(array) if array.data_type() == field.data_type() => Arc::clone(array),
                Some(array) => cast_with_options(array, field.data_type(), &options).map_err(|error| {
                    Error::user(
                        codes::INCOMPATIBLE_FILE,
                        format!("column `{}` has a value beyond the table's type", field.name()),
                    )
                    .with("path", &self.path)
                    .with_source(WithoutValue(error.to_string().split(':').next().unwrap_or("").to_owned()))
                })?,
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.target), arrays, &options).map_err(|error| {
            Error::user(codes::INCOMPATIBLE_FILE, "the file has a null in a column that allows none")
                .with("path", &self.path)
                .with_source(error)
        })
    }
}

/// The kind of an Arrow error alone: its text may hold a value.
#[derive(Debug)]
struct WithoutValue(String);

impl std::fmt::Display for WithoutValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WithoutValue {}

/// The type that stands for a file's type in the rest of seatun.
pub fn known_type(data_type: &DataType) -> DataType {
    let item = |field: &FieldRef| Arc::new(Field::new("item", known_type(field.data_type()), true));
    match data_type {
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, values) => known_type(values),
        DataType::RunEndEncoded(_, values) => known_type(values.data_type()),
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Nanosecond),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field) => DataType::List(item(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(item(field), *size),
        DataType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .map(|field| Field::new(field.name(), known_type(field.data_type()), true))
                .collect(),
        ),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => known_map(pair),
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

fn known_map(pair: &Fields) -> DataType {
    let mut types = pair.iter().map(|field| known_type(field.data_type()));
    let mut next = || types.next().unwrap_or(DataType::Null);
    let (key, value) = (next(), next());
    seatun_connector_common::types::map_of(key, value)
}

/// Whether every value of one type is a value of another.
fn widens(from: &DataType, to: &DataType) -> bool {
    use DataType::*;
    if from == to {
        return true;
    }
    let bits = |data_type: &DataType| match data_type {
        Int8 => Some(7),
        Int16 => Some(15),
        Int32 => Some(31),
        Int64 => Some(63),
        UInt8 => Some(8),
        UInt16 => Some(16),
        UInt32 => Some(32),
        UInt64 => Some(64),
        _ => None,
    };
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    match (from, to) {
        (Null, _) => true,
        (Float32, Float64) => true,
        (_, Int8 | Int16 | Int32 | Int64) => bits(from) < bits(to) && bits(from).is_some(),
        (Decimal128(p, s), Decimal128(precision, scale)) => {
            scale >= s && i16::from(*precision) - i16::from(*scale) >= i16::from(*p) - i16::from(*s)
        }
        (Timestamp(from, from_zone), Timestamp(to, to_zone)) => {
            unit(from) <= unit(to) && from_zone.is_some() == to_zone.is_some()
        }
        (List(from), List(to)) => widens(from.data_type(), to.data_type()),
        (Struct(from), Struct(to)) => {
            from.len() == to.len()
                && from
                    .iter()
                    .zip(to)
                    .all(|(from, to)| from.name() == to.name() && widens(from.data_type(), to.data_type()))
        }
        _ => false,
    }
}

/// A file as the Parquet reader wants it.
struct Input(Arc<dyn RangedRead>);

impl AsyncFileReader for Input {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        let file = Arc::clone(&self.0);
        async move { file.read(range).await.map_err(|error| ParquetError::External(Box::new(error))) }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        let file = Arc::clone(&self.0);
        async move {
            object_store::coalesce_ranges(&ranges, |range| file.read(range), NEAR)
                .await
                .map_err(|error| ParquetError::External(Box::new(error)))
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        async move {
            let size = self.0.size();
            let metadata = ParquetMetaDataReader::new().load_and_finish(self, size).await?;
            Ok(Arc::new(metadata))
        }
        .boxed()
    }
}

fn parquet_error(error: ParquetError, path: &str) -> Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => *own,
            Err(inner) => damaged(path).with_source(inner),
        },
        other => damaged(path).with_source(other),
    }
}

fn damaged(path: &str) -> Error {
    Error::user(codes::DAMAGED_FILE, "the file is no Parquet file or is damaged").with("path", path)
}
