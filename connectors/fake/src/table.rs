//! One table of the source: what its rows are made of.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Int32Array, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema};
use seatun_api::error::codes::{INVALID_OPTION, MISSING_OPTION};
use seatun_api::{Batch, Error, Result, TableSchema};
use seatun_connector_common::schema::default_table_id;
use seatun_connector_common::types::type_name;

use crate::config::FakeConfig;
use crate::fixed::FixedRows;
use crate::generate::{self, Generator};
use crate::sequence::{self, CRC, DEFAULT_MAX_PAYLOAD, PAYLOAD, SEQ, WRITER};
use crate::split::{Shape, SplitState};

/// A row may take as many bytes at most.
const MAX_ROW_BYTES: u64 = 64 << 20;
/// A batch is made of as many rows as fit about so many bytes.
const BATCH_BYTES: u64 = 16 << 20;
/// Rows of each reader unless `row.num` says otherwise, as in SeaTunnel.
const DEFAULT_ROWS: i64 = 5;

/// A table and how its rows are made.
pub(crate) struct FakeTable {
    pub schema: Arc<TableSchema>,
    pub shape: Shape,
    pub content: Content,
    /// Rows of a batch at most.
    pub batch_rows: usize,
    /// Wait between two splits, in milliseconds.
    pub read_interval: u64,
}

/// What the rows of a table are.
pub(crate) enum Content {
    Fixed(FixedRows),
    Made(Vec<Column>),
}

/// How a column is made.
pub(crate) enum Column {
    Random(Box<dyn Generator>),
    Count { start: i64, data_type: DataType },
    Writer,
    Seq,
    Payload { max: usize },
    Crc { max: usize },
}

impl FakeTable {
    /// Reads the options of one table.
    ///
    /// # Errors
    /// Names the option that makes no sense.
    pub fn new(config: &FakeConfig, output: Option<&str>) -> Result<Self> {
        let rows = match config.row_num.unwrap_or(DEFAULT_ROWS) {
            -1 => None,
            rows => Some(u64::try_from(rows).map_err(|_| invalid("row.num", "must be 0 or more, or -1"))?),
        };
        if config.split_num == Some(0) {
            return Err(invalid("split.num", "must be 1 or more"));
        }
        if config.batch_rows == Some(0) {
            return Err(invalid("batch.rows", "must be 1 or more"));
        }
        let schema = Arc::new(table_schema(config, output)?);
        let mut shape = Shape {
            table: schema.id.to_string(),
            rows_per_reader: rows,
            splits_per_reader: config.split_num.unwrap_or(1),
            fixed_rows: None,
        };
        let mut batch_rows = config.batch_rows.unwrap_or(usize::MAX);
        let content = match &config.rows {
            Some(rows) => {
                check_no_random(config)?;
                let rows = FixedRows::new(rows.clone(), &schema)?;
                shape.fixed_rows = Some(rows.len());
                Content::Fixed(rows)
            }
            None => {
                let columns = columns(config, &schema)?;
                batch_rows = batch_rows.min(rows_of_weight(&columns)?);
                Content::Made(columns)
            }
        };
        let read_interval = config.split_read_interval.unwrap_or(0);
        Ok(Self { schema, shape, content, batch_rows, read_interval })
    }

    /// The rows of a range of a split.
    pub fn batch(&self, split: &SplitState, rows: Range<u64>) -> Result<Batch> {
        match &self.content {
            Content::Fixed(fixed) => {
                let all = fixed.batch(&self.schema, split.planned)?;
                let offset = usize::try_from(rows.start).unwrap_or(usize::MAX).min(all.num_rows());
                let end = usize::try_from(rows.end).unwrap_or(usize::MAX).min(all.num_rows());
                Ok(all.slice(offset, end.saturating_sub(offset)))
            }
            Content::Made(columns) => {
                let rows = made(columns, split, &rows, &self.schema)?;
                Batch::new(Arc::clone(&self.schema), rows)
            }
        }
    }
}

fn table_schema(config: &FakeConfig, output: Option<&str>) -> Result<TableSchema> {
    let id = default_table_id(output);
    let declared = match &config.schema {
        Some(schema) => schema.to_table(id).map_err(|error| {
            let option = match error.option() {
                Some(below) => format!("schema.{below}"),
                None => "schema".to_owned(),
            };
            error.at_option(option)
        })?,
        None if config.sequence => TableSchema::new(id, Arc::new(Schema::empty())),
        None => return Err(Error::user(MISSING_OPTION, "option `schema` is required")),
    };
    if !config.sequence {
        return Ok(declared);
    }
    let mut fields: Vec<Field> = declared.arrow.fields().iter().map(|field| field.as_ref().clone()).collect();
    for (name, data_type) in
        [(WRITER, DataType::Int32), (SEQ, DataType::Int64), (PAYLOAD, DataType::Utf8), (CRC, DataType::Int64)]
    {
        match fields.iter().find(|field| field.name() == name) {
            Some(field) if field.data_type() != &data_type => {
                let text = format!("`sequence` needs column `{name}` to be {}", type_name(&data_type));
                return Err(invalid("schema", text));
            }
            Some(_) => {}
            None => fields.push(Field::new(name, data_type, true)),
        }
    }
    let metadata = declared.arrow.metadata().clone();
    Ok(declared.with_columns(Arc::new(Schema::new_with_metadata(fields, metadata))))
}

fn check_no_random(config: &FakeConfig) -> Result<()> {
    if config.sequence {
        return Err(invalid("sequence", "makes its own rows and cannot be used with `rows`"));
    }
    if config.auto_increment_enabled {
        return Err(invalid("auto.increment.enabled", "makes keys and cannot be used with `rows`"));
    }
    Ok(())
}

fn columns(config: &FakeConfig, schema: &TableSchema) -> Result<Vec<Column>> {
    let count = if config.auto_increment_enabled { Some(counting_column(schema)?) } else { None };
    let max = config.payload_max.unwrap_or(DEFAULT_MAX_PAYLOAD);
    let fields = schema.arrow.fields().iter().enumerate();
    fields
        .map(|(index, field)| {
            Ok(match field.name().as_str() {
                WRITER if config.sequence => Column::Writer,
                SEQ if config.sequence => Column::Seq,
                PAYLOAD if config.sequence => Column::Payload { max },
                CRC if config.sequence => Column::Crc { max },
                _ if count == Some(index) => Column::Count {
                    start: config.auto_increment_start.unwrap_or(1),
                    data_type: field.data_type().clone(),
                },
                _ => Column::Random(generate::of_column(field, config)?),
            })
        })
        .collect()
}

fn counting_column(schema: &TableSchema) -> Result<usize> {
    match schema.primary_key.as_slice() {
        [key] if schema.arrow.field(*key).data_type().is_signed_integer() => Ok(*key),
        _ => Err(invalid(
            "auto.increment.enabled",
            "needs a primary key of one column of type tinyint, smallint, int or bigint",
        )),
    }
}

fn rows_of_weight(columns: &[Column]) -> Result<usize> {
    let weight = columns.iter().fold(0_u64, |sum, column| {
        sum.saturating_add(match column {
            Column::Random(generator) => generator.weight(),
            Column::Payload { max } => *max as u64,
            _ => 8,
        })
    });
    if weight > MAX_ROW_BYTES {
        let text = format!("a row would take {weight} bytes, more than {MAX_ROW_BYTES}");
        return Err(Error::user(INVALID_OPTION, text).with_hint("make the sizes and lengths smaller"));
    }
    Ok(usize::try_from(BATCH_BYTES / weight.max(1)).unwrap_or(usize::MAX).max(1))
}

fn made(
    columns: &[Column],
    split: &SplitState,
    rows: &Range<u64>,
    schema: &TableSchema,
) -> Result<RecordBatch> {
    let draw = split.draw();
    let year = split.planned.year();
    let mut payloads: Option<ArrayRef> = None;
    let arrays = (0..)
        .zip(columns)
        .map(|(index, column)| {
            Ok(match column {
                Column::Random(generator) => generator.fill(draw.child(index), rows.clone(), year)?,
                Column::Count { start, data_type } => counted(*start, data_type, split, rows)?,
                Column::Writer => {
                    let writers = rows.clone().map(|_| split.number.cast_signed());
                    Arc::new(Int32Array::from_iter_values(writers)) as ArrayRef
                }
                Column::Seq => Arc::new(Int64Array::from_iter_values(rows.clone().map(seq))),
                Column::Payload { max } => {
                    Arc::clone(payloads.get_or_insert_with(|| payload_column(split, rows, *max)))
                }
                Column::Crc { max } => {
                    let payloads = payloads.get_or_insert_with(|| payload_column(split, rows, *max));
                    let crcs = payloads.as_string::<i32>().iter().map(|text| text.map(sequence::crc));
                    Arc::new(crcs.collect::<Int64Array>())
                }
            })
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    let count = usize::try_from(rows.end - rows.start).unwrap_or(0);
    let options = RecordBatchOptions::new().with_row_count(Some(count));
    Ok(RecordBatch::try_new_with_options(Arc::clone(&schema.arrow), arrays, &options)?)
}

/// The number of a row within its split, from 1.
fn seq(row: u64) -> i64 {
    row.wrapping_add(1).cast_signed()
}

fn payload_column(split: &SplitState, rows: &Range<u64>, max: usize) -> ArrayRef {
    let mut builder = StringBuilder::new();
    let mut text = String::new();
    for row in rows.clone() {
        text.clear();
        sequence::write_payload(&mut text, split.number.cast_signed(), seq(row), max);
        builder.append_value(&text);
    }
    Arc::new(builder.finish())
}

fn counted(start: i64, data_type: &DataType, split: &SplitState, rows: &Range<u64>) -> Result<ArrayRef> {
    let numbers = rows.clone().map(|row| {
        let steps = split.count_from.wrapping_add(row.wrapping_mul(split.count_by));
        start.wrapping_add(steps.cast_signed())
    });
    let numbers = Int64Array::from_iter_values(numbers);
    let options = arrow_cast::CastOptions { safe: false, ..Default::default() };
    arrow_cast::cast_with_options(&numbers, data_type, &options).map_err(|_| {
        let text = format!("the keys have counted past the greatest {}", type_name(data_type));
        invalid("auto.increment.start", text).with_hint("give the key a wider type")
    })
}

fn invalid(option: &str, message: impl Into<String>) -> Error {
    Error::user(INVALID_OPTION, message).at_option(option)
}
