//! Records of fields between delimiters: csv and text.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use seatun_api::{Error, Result};
use seatun_connector_common::types::type_name;

use super::column::{Cells, Columns, Rules};
use super::flaw::FlawAt;
use super::records::{Records, Span, Syntax, unescape};
use super::{BadRow, Chunk, LineDecoder};
use crate::codes;

/// What stands for null, beside a field that is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nulls {
    /// Whether an empty field is null.
    pub empty: bool,
    /// Whether a field of blanks is null.
    pub blank: bool,
    /// A text that is null.
    pub text: Option<Vec<u8>>,
}

/// Decodes delimited records.
pub struct Delimited {
    syntax: Syntax,
    nulls: Nulls,
    rules: Arc<Rules>,
    /// The columns that are built, in the order of the slots.
    schema: SchemaRef,
    /// For each field of a record its slot.
    slots: Vec<usize>,
    records: Records,
    flaws: Vec<FlawAt>,
}

impl Delimited {
    /// A decoder for columns; `slots[i]` is the number of the column that field `i` of a record belongs to.
    pub fn new(
        syntax: Syntax,
        nulls: Nulls,
        rules: Arc<Rules>,
        schema: SchemaRef,
        slots: Vec<usize>,
    ) -> Self {
        Self { syntax, nulls, rules, schema, slots, records: Records::default(), flaws: Vec::new() }
    }

    fn columns(&mut self, data: &[u8], given_up: Option<&[bool]>) -> Result<Vec<ArrayRef>> {
        let mut arrays = Vec::with_capacity(self.schema.fields().len());
        for (slot, field) in self.schema.fields().iter().enumerate() {
            let cells = Fields {
                data,
                records: &self.records,
                slot,
                quote: self.syntax.quote.unwrap_or_default(),
                keep_quoted_blank: self.syntax.keep_quoted_blank,
                nulls: &self.nulls,
                given_up,
            };
            let mut columns = Columns { rules: &self.rules, column: slot, flaws: &mut self.flaws };
            arrays.push(columns.build(&cells, field, 0)?);
        }
        Ok(arrays)
    }

    /// The records that cannot be decoded at all.
    fn broken(&self, data: &[u8]) -> Vec<(usize, Error)> {
        let mut broken = Vec::new();
        if std::str::from_utf8(data).is_err() {
            for (row, record) in self.records.records.iter().enumerate() {
                if std::str::from_utf8(&data[record.start..record.end]).is_err() {
                    broken.push((row, Error::user(codes::NOT_UTF8, "the record is not valid UTF-8")));
                }
            }
        }
        if let Some(last) = self.records.records.last().filter(|last| last.unterminated) {
            let row = self.records.records.len() - 1;
            if broken.last().is_none_or(|(other, _)| *other != row) {
                let error = Error::user(codes::BAD_RECORD, "a quote is opened and never closed")
                    .with("record_bytes", last.end - last.start);
                broken.push((row, error));
            }
        }
        broken
    }

    fn flaw_errors(&mut self) -> Vec<(usize, Error)> {
        self.flaws.sort_by_key(|flaw| (flaw.row, flaw.column));
        self.flaws.dedup_by_key(|flaw| flaw.row);
        let error = |at: &FlawAt| {
            let field = self.schema.field(at.column);
            let name = type_name(field.data_type());
            Error::user(codes::BAD_VALUE, format!("column `{}` of type {name}: {}", field.name(), at.flaw))
        };
        self.flaws.iter().map(|at| (at.row, error(at))).collect()
    }
}

impl LineDecoder for Delimited {
    fn decode(&mut self, window: &[u8], ended: bool, most: usize) -> Result<Chunk> {
        let width = self.schema.fields().len();
        let bytes = self.records.scan(window, &self.syntax, &self.slots, width, ended, most);
        let data = &window[..bytes];
        let count = self.records.records.len();
        let mut bad = self.broken(data);
        let given_up = marks(&bad, count);
        self.flaws.clear();
        let arrays = self.columns(data, (!bad.is_empty()).then_some(given_up.as_slice()))?;
        bad.extend(self.flaw_errors());
        bad.sort_by_key(|(row, _)| *row);

        let schema = nullable(&self.schema, bad.is_empty());
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let mut rows = RecordBatch::try_new_with_options(schema, arrays, &options)?;
        if !bad.is_empty() {
            let keep: BooleanArray = marks(&bad, count).into_iter().map(|bad| Some(!bad)).collect();
            let kept = filter_record_batch(&rows, &keep)?;
            let options = RecordBatchOptions::new().with_row_count(Some(kept.num_rows()));
            let columns = kept.columns().to_vec();
            rows = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        }
        let bad = bad
            .into_iter()
            .map(|(row, error)| {
                let record = self.records.records[row];
                BadRow { start: record.start, end: record.end, error }
            })
            .collect();
        Ok(Chunk { bytes, rows, bad })
    }
}

fn marks(bad: &[(usize, Error)], count: usize) -> Vec<bool> {
    if bad.is_empty() {
        return Vec::new();
    }
    let mut marks = vec![false; count];
    for (row, _) in bad {
        if let Some(mark) = marks.get_mut(*row) {
            *mark = true;
        }
    }
    marks
}

/// The schema as it is, or with all columns nullable while rows that will be cut out still have nulls.
fn nullable(schema: &SchemaRef, clean: bool) -> SchemaRef {
    if clean || schema.fields().iter().all(|field| field.is_nullable()) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(arrow_schema::Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()))
}

/// One column of the records.
struct Fields<'a> {
    data: &'a [u8],
    records: &'a Records,
    slot: usize,
    quote: u8,
    keep_quoted_blank: bool,
    nulls: &'a Nulls,
    given_up: Option<&'a [bool]>,
}

impl Fields<'_> {
    #[inline]
    fn is_null(&self, span: Span, text: &[u8]) -> bool {
        let nothing = match text.first() {
            None => self.nulls.empty,
            Some(first) => self.nulls.blank && first.is_ascii_whitespace() && text.trim_ascii().is_empty(),
        };
        if nothing {
            return !(self.keep_quoted_blank && span.is_quoted());
        }
        self.nulls.text.as_deref().is_some_and(|null| null == text)
    }
}

impl Cells for Fields<'_> {
    fn count(&self) -> usize {
        self.records.records.len()
    }

    #[inline]
    fn cell<'a>(&'a self, row: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        if self.given_up(row) {
            return None;
        }
        let span = self.records.span(row, self.slot);
        let field = span.of(self.data)?;
        let text = match span.is_escaped() {
            false => field,
            true => {
                unescape(field, self.quote, scratch);
                scratch.as_slice()
            }
        };
        (!self.is_null(span, text)).then_some(text)
    }

    #[inline]
    fn given_up(&self, row: usize) -> bool {
        self.given_up.is_some_and(|marks| marks.get(row).copied().unwrap_or(false))
    }
}
