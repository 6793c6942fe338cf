//! How a row is shown to a person: SeaTunnel's form, `v1, v2`, with lists, bytes and rows as `[a, b]`, maps
//! as JSON and nulls as `null`.
//!
//! What could make a terminal do something (control characters, escape sequences, marks that turn the
//! direction of writing) is shown as its code, and a row is always one line.

use std::fmt::Write as _;

use arrow_array::{Array, RecordBatch};

use crate::cell::{Cell, cell};
use crate::json_text::write_map;

/// Adds a row's values, separated by `, `. The row must be within the batch.
pub fn write_row(out: &mut String, rows: &RecordBatch, row: usize) {
    for (index, column) in rows.columns().iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        write_value(out, column.as_ref(), row);
    }
}

/// Adds a value. The row must be within the column.
pub fn write_value(out: &mut String, column: &dyn Array, row: usize) {
    // Writing to a String cannot fail.
    let _ = match cell(column, row) {
        Cell::Null => write!(out, "null"),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Whole(value) => write!(out, "{value}"),
        Cell::Float(value) => write!(out, "{value:?}"),
        Cell::Double(value) => write!(out, "{value:?}"),
        Cell::Decimal(digits) => write!(out, "{digits}"),
        Cell::Date(date) => write!(out, "{date}"),
        Cell::Time(time) => write!(out, "{time:?}"),
        Cell::Timestamp(at) => write!(out, "{at:?}"),
        Cell::Instant(at) => write!(out, "{at:?}Z"),
        Cell::Bytes(bytes) => {
            write_sequence(out, bytes.len(), |out, index| {
                // Bytes are signed numbers, as Java shows them.
                let _ = write!(out, "{}", bytes[index].cast_signed());
            });
            Ok(())
        }
        Cell::Text(text) => {
            write_escaped(out, text);
            Ok(())
        }
        Cell::Other(text) => {
            write_escaped(out, &text);
            Ok(())
        }
        Cell::List(items) => {
            write_sequence(out, items.len(), |out, item| write_value(out, items.as_ref(), item));
            Ok(())
        }
        Cell::Map(entries) => {
            let mut json = String::new();
            write_map(&mut json, &entries);
            write_escaped(out, &json);
            Ok(())
        }
        Cell::Row(rows, row) => {
            let columns = rows.columns();
            write_sequence(out, columns.len(), |out, index| write_value(out, columns[index].as_ref(), row));
            Ok(())
        }
    };
}

fn write_sequence(out: &mut String, length: usize, mut write: impl FnMut(&mut String, usize)) {
    out.push('[');
    for index in 0..length {
        out.push_str(if index == 0 { "" } else { ", " });
        write(out, index);
    }
    out.push(']');
}

/// Adds a text with everything that is not plain writing as its code.
pub fn write_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() || is_invisible_mark(control) => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
}

/// Line and paragraph separators, and the marks that change the direction of writing.
fn is_invisible_mark(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
