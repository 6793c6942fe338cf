//! JSON objects, one per line.
//!
//! A chunk of lines whose columns are all scalar is read by arrow-json as texts, which the column builders
//! then understand: quick, and exact where arrow-json alone would round. Whatever that way does not take,
//! be it nested columns, an object in a text column or a bad line, goes line by line through the rules of
//! `seatun-connector-common`, which have the last word.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use memchr::memmem::Finder;
use seatun_api::{Error, Result};
use seatun_connector_common::json_value::JsonRows;

use super::column::{Cells, Columns, Rules};
use super::json_node;
use super::{BadRow, Chunk, LineDecoder};
use crate::codes;

/// Decodes lines of JSON.
pub struct JsonLines {
    schema: SchemaRef,
    terminator: Finder<'static>,
    /// The columns as texts, if all are scalar.
    texts: Option<SchemaRef>,
    rules: Rules,
    lines: Vec<(usize, usize)>,
}

impl JsonLines {
    /// A decoder for columns.
    ///
    /// # Errors
    /// Names the column whose type has no JSON form.
    pub fn new(schema: SchemaRef, terminator: &[u8]) -> Result<Self> {
        JsonRows::new(Arc::clone(&schema), 0)?;
        let scalar = schema.fields().iter().all(|field| is_scalar(field.data_type()));
        let texts = scalar.then(|| {
            let fields = schema.fields().iter().map(|field| Field::new(field.name(), DataType::Utf8, true));
            Arc::new(Schema::new(fields.collect::<Vec<_>>()))
        });
        let terminator = Finder::new(terminator).into_owned();
        Ok(Self { schema, terminator, texts, rules: Rules::default(), lines: Vec::new() })
    }

    /// Finds the lines that are not blank; gives the bytes that they take.
    fn split(&mut self, window: &[u8], ended: bool, most: usize) -> usize {
        self.lines.clear();
        let mut start = 0;
        while self.lines.len() < most && start < window.len() {
            let (end, next) = match self.terminator.find(&window[start..]) {
                Some(length) => (start + length, start + length + self.terminator.needle().len()),
                None if ended => (window.len(), window.len()),
                None => break,
            };
            let line = window[start..end].trim_ascii_end();
            if !line.is_empty() {
                self.lines.push((start, start + line.len()));
            }
            start = next;
        }
        start
    }

    /// All lines at once; `None` if any of them needs a closer look.
    fn all_at_once(&self, window: &[u8], bytes: usize) -> Result<Option<RecordBatch>> {
        let Some(texts) = &self.texts else { return Ok(None) };
        // One object per line: then the objects that arrow-json finds are the lines.
        let whole = |&(start, end): &(usize, usize)| {
            matches!(window[start..end].trim_ascii_start(), [b'{', .., b'}'])
        };
        if texts.fields().is_empty() || !self.lines.iter().all(whole) {
            return Ok(None);
        }
        let decoder = arrow_json::ReaderBuilder::new(Arc::clone(texts))
            .with_coerce_primitive(true)
            .with_batch_size(self.lines.len() + 1)
            .build_decoder();
        let Ok(mut decoder) = decoder else { return Ok(None) };
        match decoder.decode(&window[..bytes]) {
            Ok(taken) if taken == bytes => {}
            _ => return Ok(None),
        }
        let Ok(Some(batch)) = decoder.flush() else { return Ok(None) };
        if batch.num_rows() != self.lines.len() {
            return Ok(None);
        }
        let mut flaws = Vec::new();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        for (index, (field, array)) in self.schema.fields().iter().zip(batch.columns()).enumerate() {
            if field.data_type() == &DataType::Utf8 && (field.is_nullable() || array.null_count() == 0) {
                arrays.push(Arc::clone(array));
                continue;
            }
            let cells = Texts(array.as_string());
            let mut columns = Columns { rules: &self.rules, column: index, flaws: &mut flaws };
            arrays.push(columns.build(&cells, field, 0)?);
            if !flaws.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), arrays)?))
    }

    fn line_by_line(&self, window: &[u8]) -> Result<(RecordBatch, Vec<BadRow>)> {
        let mut rows = JsonRows::new(Arc::clone(&self.schema), self.lines.len())?;
        let mut bad = Vec::new();
        for &(start, end) in &self.lines {
            let result = match std::str::from_utf8(&window[start..end]) {
                Err(_) => Err(Error::user(codes::NOT_UTF8, "the record is not valid UTF-8")),
                Ok(line) => match json_node::parse(line) {
                    Some(node @ json_node::Node::Object(_)) => rows
                        .append(&node)
                        .map_err(|error| Error::user(codes::BAD_VALUE, error.message().to_owned())),
                    Some(_) => Err(Error::user(codes::BAD_RECORD, "the line is not a JSON object")),
                    None => Err(Error::user(codes::BAD_RECORD, "the line is not valid JSON")),
                },
            };
            if let Err(error) = result {
                bad.push(BadRow { start, end, error });
            }
        }
        Ok((rows.finish()?, bad))
    }
}

impl LineDecoder for JsonLines {
    fn decode(&mut self, window: &[u8], ended: bool, most: usize) -> Result<Chunk> {
        let bytes = self.split(window, ended, most);
        if self.lines.is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(0));
            let rows = RecordBatch::new_empty(Arc::clone(&self.schema)).columns().to_vec();
            let rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), rows, &options)?;
            return Ok(Chunk { bytes, rows, bad: Vec::new() });
        }
        if let Some(rows) = self.all_at_once(window, bytes)? {
            return Ok(Chunk { bytes, rows, bad: Vec::new() });
        }
        let (rows, bad) = self.line_by_line(window)?;
        Ok(Chunk { bytes, rows, bad })
    }
}

fn is_scalar(data_type: &DataType) -> bool {
    // Bytes are base64 in JSON and a null column takes anything but a value: both go line by line.
    matches!(
        data_type,
        DataType::Utf8
            | DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal128(_, 0..)
            | DataType::Date32
            | DataType::Time64(_)
            | DataType::Timestamp(_, _)
    )
}

/// A column of texts.
struct Texts<'a>(&'a StringArray);

impl Cells for Texts<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn cell<'a>(&'a self, row: usize, _: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        self.0.is_valid(row).then(|| self.0.value(row).as_bytes())
    }
}
