//! From values of a job file or of JSON texts to Arrow columns, by SeaTunnel's rules.
//!
//! A row comes from an object by the exact names of its columns, or from a list by position; what is not
//! there is null. A value that its column's type cannot hold without loss is an error that names column and
//! type, never the value; the row is left out and the rows before and after it stay whole.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, SchemaRef};
use seatun_api::config::{Value, ValueKind};
use seatun_api::{Code, Error, Result};

use crate::codes;
use crate::columns::ColumnBuilder;
use crate::types::type_name;

/// A value in JSON's form, wherever it comes from.
pub trait JsonNode: Sized {
    /// What the value is.
    fn shape(&self) -> Shape<'_, Self>;
    /// The entry of an object.
    fn field(&self, name: &str) -> Option<&Self>;
    /// The entries of an object, in order; none of another value.
    fn entries(&self) -> Box<dyn Iterator<Item = (&str, &Self)> + '_>;
}

/// What a value in JSON's form is.
pub enum Shape<'a, N> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number in its own digits.
    Number(Cow<'a, str>),
    /// A text.
    Text(&'a str),
    /// A list.
    List(&'a [N]),
    /// An object.
    Object,
}

impl JsonNode for Value {
    fn shape(&self) -> Shape<'_, Self> {
        match &self.kind {
            ValueKind::Null => Shape::Null,
            ValueKind::Bool(value) => Shape::Bool(*value),
            ValueKind::Number(digits) => Shape::Number(Cow::Borrowed(digits)),
            ValueKind::String(text) => Shape::Text(text),
            ValueKind::List(list) => Shape::List(list),
            ValueKind::Map(_) => Shape::Object,
        }
    }

    fn field(&self, name: &str) -> Option<&Self> {
        self.as_map()?.get(name)
    }

    fn entries(&self) -> Box<dyn Iterator<Item = (&str, &Self)> + '_> {
        let entries = self.as_map().into_iter().flatten();
        Box::new(entries.map(|(name, value)| (name.as_str(), value)))
    }
}

/// A parsed JSON text. Its numbers have at most the 17 digits of a double unless they are whole: a reader
/// that must keep longer decimals does not go by way of this type.
impl JsonNode for serde_json::Value {
    fn shape(&self) -> Shape<'_, Self> {
        match self {
            Self::Null => Shape::Null,
            Self::Bool(value) => Shape::Bool(*value),
            Self::Number(number) => Shape::Number(Cow::Owned(number.to_string())),
            Self::String(text) => Shape::Text(text),
            Self::Array(list) => Shape::List(list),
            Self::Object(_) => Shape::Object,
        }
    }

    fn field(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    fn entries(&self) -> Box<dyn Iterator<Item = (&str, &Self)> + '_> {
        let entries = self.as_object().into_iter().flatten();
        Box::new(entries.map(|(name, value)| (name.as_str(), value)))
    }
}

/// The compact JSON text of a value, with numbers in their own digits and entries in their own order.
#[must_use]
pub fn compact_text<N: JsonNode>(node: &N) -> String {
    let mut out = String::new();
    write_compact(&mut out, node);
    out
}

fn write_compact<N: JsonNode>(out: &mut String, node: &N) {
    match node.shape() {
        Shape::Null => out.push_str("null"),
        Shape::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Shape::Number(digits) => out.push_str(&digits),
        Shape::Text(text) => write_quoted(out, text),
        Shape::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_compact(out, item);
            }
            out.push(']');
        }
        Shape::Object => {
            out.push('{');
            for (index, (name, value)) in node.entries().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_quoted(out, name);
                out.push(':');
                write_compact(out, value);
            }
            out.push('}');
        }
    }
}

/// A text in quotes, as JSON has it.
pub(crate) fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Why a value does not fit, and where below its column.
#[derive(Debug)]
pub(crate) struct Fault {
    pub code: Code,
    pub reason: String,
    /// From the innermost part outwards: `.name`, `[3]`.
    pub path: Vec<String>,
}

impl Fault {
    pub fn mismatch(reason: impl Into<String>) -> Self {
        Self { code: codes::VALUE_MISMATCH, reason: reason.into(), path: Vec::new() }
    }

    pub fn range(reason: impl Into<String>) -> Self {
        Self { code: codes::VALUE_RANGE, reason: reason.into(), path: Vec::new() }
    }

    pub fn below(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    pub fn into_error(self, field: &Field) -> Error {
        let path: String = self.path.into_iter().rev().collect();
        let ty = type_name(field.data_type());
        Error::user(self.code, format!("column `{}{path}` of type {ty}: {}", field.name(), self.reason))
    }
}

/// Builds batches of one schema from values.
pub struct JsonRows {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    keep: Vec<bool>,
    fail_on_missing: bool,
}

impl JsonRows {
    /// A builder with room for some rows.
    ///
    /// # Errors
    /// Names the column whose type has no JSON form.
    pub fn new(schema: SchemaRef, capacity: usize) -> Result<Self> {
        let columns = schema
            .fields()
            .iter()
            .map(|field| ColumnBuilder::new(field, capacity).map_err(|fault| fault.into_error(field)))
            .collect::<Result<_>>()?;
        Ok(Self { schema, columns, keep: Vec::with_capacity(capacity), fail_on_missing: false })
    }

    /// Whether a column that an object does not have is an error instead of null.
    #[must_use]
    pub fn fail_on_missing(mut self, fail: bool) -> Self {
        self.fail_on_missing = fail;
        self
    }

    /// How many good rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keep.iter().filter(|keep| **keep).count()
    }

    /// Whether there is no good row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Names the column that the row's value does not fit; the row is then not part of the batch.
    pub fn append<N: JsonNode>(&mut self, row: &N) -> Result<()> {
        let result = self.append_columns(row);
        self.keep.push(result.is_ok());
        result
    }

    /// Every column grows by one value in any case, so that a bad row can be cut out at the end.
    fn append_columns<N: JsonNode>(&mut self, row: &N) -> Result<()> {
        let list = match row.shape() {
            Shape::Object => None,
            Shape::List(list) if list.len() <= self.columns.len() => Some(list),
            other => {
                self.columns.iter_mut().for_each(ColumnBuilder::append_placeholder);
                return Err(self.no_row(&other));
            }
        };
        let mut first_error = None;
        for (index, (column, field)) in self.columns.iter_mut().zip(self.schema.fields()).enumerate() {
            let node = match list {
                Some(list) => list.get(index),
                None => row.field(field.name()),
            };
            if first_error.is_some() {
                column.append_placeholder();
            } else if node.is_none() && self.fail_on_missing {
                column.append_placeholder();
                first_error = Some(Fault::mismatch("the row does not have it").into_error(field));
            } else if let Err(fault) = column.append(node, field.is_nullable()) {
                first_error = Some(fault.into_error(field));
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    fn no_row<N>(&self, shape: &Shape<'_, N>) -> Error {
        let message = match shape {
            Shape::List(list) => {
                format!("a row has {} values for {} columns", list.len(), self.columns.len())
            }
            other => format!("a row must be an object or a list, found {}", other.name()),
        };
        Error::user(codes::VALUE_MISMATCH, message)
    }

    /// The good rows since the last call.
    ///
    /// # Errors
    /// Only if a column's foreign type cannot take a value that its SeaTunnel type can.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let keep = BooleanArray::from(std::mem::take(&mut self.keep));
        let all = keep.false_count() == 0;
        let columns = self
            .columns
            .iter_mut()
            .zip(self.schema.fields())
            .map(|(column, field)| {
                let array = column.finish(field.data_type())?;
                Ok(if all { array } else { arrow_select::filter::filter(&array, &keep)? })
            })
            .collect::<Result<Vec<ArrayRef>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(keep.true_count()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

/// The array of one value: a default, a literal to compare with.
///
/// # Errors
/// Names the column and why the value does not fit it.
pub fn single<N: JsonNode>(node: &N, field: &Field) -> Result<ArrayRef> {
    let mut column = ColumnBuilder::new(field, 1).map_err(|fault| fault.into_error(field))?;
    column.append(Some(node), field.is_nullable()).map_err(|fault| fault.into_error(field))?;
    column.finish(field.data_type())
}

impl<N> Shape<'_, N> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object => "an object",
        }
    }
}
