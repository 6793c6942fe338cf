//! From Arrow columns to JSON texts, by SeaTunnel's rules: the way back of [`crate::json_value`].
//!
//! A date is `2022-09-24`, a time `22:45:00`, a timestamp `2022-09-24T22:45:00` with 3, 6 or 9 digits of a
//! second if it has any, an instant the same with `Z`. A decimal is a number with all digits of its scale.
//! Bytes are base64. Nulls are written. A map's keys are texts. A float that is no number is a text.

use std::fmt::Write as _;

use arrow_array::{Array, RecordBatch, StructArray};
use base64::Engine as _;

use crate::cell::{Cell, cell};
use crate::json_value::write_quoted;

/// A row as a JSON object. The row must be within the batch.
#[must_use]
pub fn row_text(rows: &RecordBatch, row: usize) -> String {
    let mut out = String::new();
    let fields = rows.schema_ref().fields();
    out.push('{');
    for (index, (field, column)) in fields.iter().zip(rows.columns()).enumerate() {
        write_entry(&mut out, index, field.name(), column.as_ref(), row);
    }
    out.push('}');
    out
}

/// Adds the JSON text of a column's value. The row must be within the column.
pub fn write_value(out: &mut String, column: &dyn Array, row: usize) {
    // Writing to a String cannot fail.
    let _ = match cell(column, row) {
        Cell::Null => write!(out, "null"),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Whole(value) => write!(out, "{value}"),
        Cell::Float(value) if value.is_finite() => write!(out, "{value:?}"),
        Cell::Float(value) => write!(out, "\"{}\"", not_finite(f64::from(value))),
        Cell::Double(value) if value.is_finite() => write!(out, "{value:?}"),
        Cell::Double(value) => write!(out, "\"{}\"", not_finite(value)),
        Cell::Decimal(digits) => write!(out, "{digits}"),
        Cell::Date(date) => write!(out, "\"{date}\""),
        Cell::Time(time) => write!(out, "\"{time:?}\""),
        Cell::Timestamp(at) => write!(out, "\"{at:?}\""),
        Cell::Instant(at) => write!(out, "\"{at:?}Z\""),
        Cell::Bytes(bytes) => {
            write!(out, "\"{}\"", base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        Cell::Text(text) => {
            write_quoted(out, text);
            Ok(())
        }
        Cell::Other(text) => {
            write_quoted(out, &text);
            Ok(())
        }
        Cell::List(items) => {
            write_list(out, items.as_ref());
            Ok(())
        }
        Cell::Map(entries) => {
            write_map(out, &entries);
            Ok(())
        }
        Cell::Row(rows, row) => {
            write_row(out, rows, row);
            Ok(())
        }
    };
}

fn not_finite(value: f64) -> &'static str {
    match value {
        value if value.is_nan() => "NaN",
        value if value > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

fn write_list(out: &mut String, items: &dyn Array) {
    out.push('[');
    for item in 0..items.len() {
        out.push_str(if item == 0 { "" } else { "," });
        write_value(out, items, item);
    }
    out.push(']');
}

fn write_row(out: &mut String, rows: &StructArray, row: usize) {
    out.push('{');
    for (index, (field, column)) in rows.fields().iter().zip(rows.columns()).enumerate() {
        write_entry(out, index, field.name(), column.as_ref(), row);
    }
    out.push('}');
}

fn write_entry(out: &mut String, index: usize, name: &str, column: &dyn Array, row: usize) {
    out.push_str(if index == 0 { "" } else { "," });
    write_quoted(out, name);
    out.push(':');
    write_value(out, column, row);
}

pub(crate) fn write_map(out: &mut String, entries: &StructArray) {
    let [keys, values] = entries.columns() else { return };
    out.push('{');
    for entry in 0..entries.len() {
        out.push_str(if entry == 0 { "" } else { "," });
        match cell(keys.as_ref(), entry) {
            Cell::Text(text) => write_quoted(out, text),
            _ => write_key(out, keys.as_ref(), entry),
        }
        out.push(':');
        write_value(out, values.as_ref(), entry);
    }
    out.push('}');
}

/// A key that is no text: its JSON text in quotes, unless it has them.
fn write_key(out: &mut String, keys: &dyn Array, entry: usize) {
    let mut key = String::new();
    write_value(&mut key, keys, entry);
    match key.starts_with('"') {
        true => out.push_str(&key),
        false => {
            let _ = write!(out, "\"{key}\"");
        }
    }
}
