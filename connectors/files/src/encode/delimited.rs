//! CSV (RFC 4180) and SeaTunnel's `text`: one line per row, fields between delimiters.
//!
//! CSV quotes what needs it, so every text can be written; an empty text is `""` and null is nothing, so
//! that the two can be told apart. `text` has no quotes: a row whose text holds a separator is refused
//! rather than written as two fields or two rows, as SeaTunnel does.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Schema};
use memchr::{memchr, memchr3, memmem};
use seatun_api::Result;

use super::nested::{self, nested};
use super::scalar::{Kind, Patterns, Render, Unwritable, is_scalar, kind_of, scalar};

/// When CSV fields stand in quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    /// Where a field needs it.
    Minimal,
    /// Always, but for nulls.
    All,
    /// Never: a row that would need them is refused.
    None,
}

/// How lines are made.
#[derive(Clone, Debug)]
pub(crate) struct Delimited {
    pub(crate) field_delimiter: Vec<u8>,
    pub(crate) row_delimiter: Vec<u8>,
    /// Stands for null.
    pub(crate) null: Vec<u8>,
    /// `None` for the format `text`.
    pub(crate) quotes: Option<Quotes>,
    pub(crate) header: bool,
    pub(crate) patterns: Patterns,
}

/// Whether the format can hold the type.
pub(super) fn holds(data_type: &DataType) -> bool {
    is_scalar(data_type) || nested::holds(data_type)
}

impl Delimited {
    /// The line of column names.
    pub(super) fn append_header(&self, schema: &Schema, out: &mut Vec<u8>) {
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(&self.field_delimiter);
            }
            let start = out.len();
            out.extend_from_slice(field.name().as_bytes());
            if self.quotes.is_some() && (self.must_quote(&out[start..]) || out.len() == start) {
                quote(start, out);
            }
        }
        out.extend_from_slice(&self.row_delimiter);
    }

    fn must_quote(&self, field: &[u8]) -> bool {
        self.has_separator(field) || memchr3(b'"', b'\n', b'\r', field).is_some()
    }

    fn has_separator(&self, field: &[u8]) -> bool {
        contains(field, &self.field_delimiter) || contains(field, &self.row_delimiter)
    }

    /// Whether digits, signs and the letters of dates could be taken for a separator.
    fn separates_bare_values(&self) -> bool {
        let bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.:/ ".contains(byte);
        self.field_delimiter.iter().all(bare) || self.row_delimiter.iter().all(bare)
    }

    /// Makes the text from `start` on a field, or finds that it cannot be one.
    fn protect(&self, start: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let field = &out[start..];
        let refused = match self.quotes {
            None => self.has_separator(field),
            Some(Quotes::None) => {
                self.has_separator(field)
                    || memchr(b'\n', field).is_some()
                    || memchr(b'\r', field).is_some()
                    || field.first() == Some(&b'"')
            }
            Some(Quotes::Minimal) => {
                if field == self.null.as_slice() || field.is_empty() || self.must_quote(field) {
                    quote(start, out);
                }
                false
            }
            Some(Quotes::All) => {
                quote(start, out);
                false
            }
        };
        if refused { Err(Unwritable::Separator) } else { Ok(()) }
    }
}

fn contains(text: &[u8], separator: &[u8]) -> bool {
    match separator {
        [byte] => memchr(*byte, text).is_some(),
        _ => memmem::find(text, separator).is_some(),
    }
}

/// Puts the text from `start` on in quotes and doubles the quotes in it.
fn quote(start: usize, out: &mut Vec<u8>) {
    if memchr(b'"', &out[start..]).is_none() {
        out.insert(start, b'"');
        out.push(b'"');
        return;
    }
    let field = out.split_off(start);
    out.push(b'"');
    for byte in field {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// The rows of a batch as lines.
pub(super) struct Lines<'a> {
    style: &'a Delimited,
    fields: Vec<FieldText<'a>>,
}

struct FieldText<'a> {
    nulls: Option<&'a NullBuffer>,
    always_null: bool,
    render: Box<dyn Render + 'a>,
    /// Whether the text may need quotes.
    checked: bool,
    nested: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn new(columns: &'a [ArrayRef], batch: &RecordBatch, style: &'a Delimited) -> Result<Self> {
        let check_all = style.quotes == Some(Quotes::All) || style.separates_bare_values();
        let mut fields = Vec::with_capacity(columns.len());
        for (column, field) in columns.iter().zip(batch.schema_ref().fields()) {
            let kind = kind_of(column.data_type());
            let render = match scalar(column, &style.patterns) {
                Some(render) => render,
                None => nested(column, &style.patterns).ok_or_else(|| {
                    super::internal(format!("lines have no form for {}", field.data_type()))
                })?,
            };
            let checked = check_all || !matches!(kind, Some(Kind::Bare | Kind::Float));
            let always_null = matches!(column.data_type(), DataType::Null);
            let nested = column.data_type().is_nested();
            fields.push(FieldText { nulls: column.nulls(), always_null, render, checked, nested });
        }
        Ok(Self { style, fields })
    }

    /// Appends one row's line, without its end. On failure says which column.
    pub(super) fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), (usize, Unwritable)> {
        let line = out.len();
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(&self.style.field_delimiter);
            }
            if field.always_null || field.nulls.is_some_and(|nulls| nulls.is_null(row)) {
                out.extend_from_slice(&self.style.null);
                continue;
            }
            let start = out.len();
            field.render.append(row, out).map_err(|why| (index, why))?;
            // An empty list or map cannot be told from null, and quotes would make a text of it.
            if field.checked && !(field.nested && out.len() == start) {
                self.style.protect(start, out).map_err(|why| (index, why))?;
            }
        }
        match self.style.quotes {
            // Readers take a return before the line feed for a part of the line's end.
            None | Some(Quotes::None) if out[line..].ends_with(b"\r") => {
                Err((self.fields.len().saturating_sub(1), Unwritable::Separator))
            }
            // Readers skip an empty line, but a row of one null is a row.
            Some(Quotes::Minimal | Quotes::All) if out.len() == line => {
                out.extend_from_slice(b"\"\"");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
