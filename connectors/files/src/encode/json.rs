//! JSON lines: one object per row, by SeaTunnel's rules (nulls are written, dates and times in ISO form,
//! decimals as numbers with all their digits, bytes in base64, map keys as strings).

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, RecordBatch, StructArray};
use arrow_buffer::NullBuffer;
use arrow_cast::base64::{BASE64_STANDARD, Engine};
use arrow_schema::DataType;
use bytes::Bytes;
use seatun_api::Result;

use super::pattern::Pattern;
use super::scalar::{Kind, Patterns, Render, Unwritable, is_scalar, kind_of, plain, scalar};

/// ISO forms with as many digits of a fraction as a value has. The formats are constant, so compiling
/// them cannot fail; a failure would show in every test.
pub(super) fn iso_patterns() -> Result<Patterns, String> {
    Ok(Patterns {
        date: Pattern::parse("yyyy-MM-dd")?,
        time: Pattern::lossless("HH:mm:ss")?,
        datetime: Pattern::lossless("yyyy-MM-dd'T'HH:mm:ss")?,
    })
}

/// Whether JSON can hold the type.
pub(super) fn holds(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => holds(item.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| holds(field.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => match fields.iter().as_slice() {
                [key, value] => is_scalar(key.data_type()) && holds(value.data_type()),
                _ => false,
            },
            _ => false,
        },
        other => is_scalar(other),
    }
}

/// The rows of a batch as lines.
pub(super) struct Lines<'a> {
    row: Object<'a>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(
        columns: &'a [ArrayRef],
        batch: &'a RecordBatch,
        patterns: &'a Patterns,
    ) -> Result<Self> {
        let names = batch.schema_ref().fields().iter().map(|field| field.name().as_str());
        Ok(Self { row: Object::new(names, columns, patterns)? })
    }

    /// Appends one row's object, without a line end.
    pub(super) fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        self.row.append(row, out)
    }
}

/// One row as a JSON object, for a dead letter.
///
/// # Errors
/// If the row has a type that JSON has no form for.
pub(crate) fn row_as_json(batch: &RecordBatch, row: usize) -> Result<Bytes> {
    let patterns = iso_patterns().map_err(super::internal)?;
    let one = batch.slice(row, 1);
    let columns = one.columns().iter().map(plain).collect::<Result<Vec<_>>>()?;
    let mut out = Vec::new();
    Lines::new(&columns, &one, &patterns)?
        .append(0, &mut out)
        .map_err(|_| super::internal("a JSON value was refused".to_owned()))?;
    Ok(out.into())
}

/// The renderer of a column of any type that [`holds`] passes.
fn value<'a>(array: &'a ArrayRef, patterns: &'a Patterns) -> Result<Box<dyn Render + 'a>> {
    let data_type = array.data_type();
    if let (Some(kind), Some(text)) = (kind_of(data_type), scalar(array, patterns)) {
        return Ok(match kind {
            Kind::Bare => text,
            Kind::Float => Box::new(Number(text)),
            Kind::Moment => Box::new(Quoted(text)),
            Kind::Text => Box::new(Text(array.as_string::<i32>())),
            Kind::Bytes => Box::new(Base64(array.as_binary::<i32>())),
        });
    }
    Ok(match data_type {
        DataType::Null => Box::new(Quoted(Box::new(Nothing))),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            Box::new(List { offsets: list, items: Value::new(list.values(), patterns)? })
        }
        DataType::Struct(_) => Box::new(of_struct(array.as_struct(), patterns)?),
        DataType::Map(_, _) => {
            let map = array.as_map();
            let keys = scalar(map.keys(), patterns)
                .ok_or_else(|| super::internal("a map's keys have no text".to_owned()))?;
            Box::new(Map { map, keys, values: Value::new(map.values(), patterns)? })
        }
        other => return Err(super::internal(format!("JSON has no form for {other}"))),
    })
}

fn of_struct<'a>(array: &'a StructArray, patterns: &'a Patterns) -> Result<Object<'a>> {
    let names = array.fields().iter().map(|field| field.name().as_str());
    Object::new(names, array.columns(), patterns)
}

/// A column whose values may be null.
struct Value<'a> {
    nulls: Option<&'a NullBuffer>,
    always_null: bool,
    render: Box<dyn Render + 'a>,
}

impl<'a> Value<'a> {
    fn new(array: &'a ArrayRef, patterns: &'a Patterns) -> Result<Self> {
        let always_null = matches!(array.data_type(), DataType::Null);
        Ok(Self { nulls: array.nulls(), always_null, render: value(array, patterns)? })
    }

    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        if self.always_null || self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        self.render.append(row, out)
    }
}

/// Columns as an object: each name is escaped once.
struct Object<'a> {
    fields: Vec<(Vec<u8>, Value<'a>)>,
}

impl<'a> Object<'a> {
    fn new(
        names: impl Iterator<Item = &'a str> + Clone,
        columns: &'a [ArrayRef],
        patterns: &'a Patterns,
    ) -> Result<Self> {
        let mut fields = Vec::with_capacity(columns.len());
        for (name, column) in names.zip(columns) {
            let mut prefix = Vec::with_capacity(name.len() + 4);
            prefix.push(if fields.is_empty() { b'{' } else { b',' });
            append_string(name.as_bytes(), &mut prefix);
            prefix.push(b':');
            fields.push((prefix, Value::new(column, patterns)?));
        }
        Ok(Self { fields })
    }
}

impl Render for Object<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        if self.fields.is_empty() {
            out.push(b'{');
        }
        for (prefix, value) in &self.fields {
            out.extend_from_slice(prefix);
            value.append(row, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

struct List<'a> {
    offsets: &'a ListArray,
    items: Value<'a>,
}

impl Render for List<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        out.push(b'[');
        let (start, end) = range(self.offsets.value_offsets(), row);
        for item in start..end {
            if item > start {
                out.push(b',');
            }
            self.items.append(item, out)?;
        }
        out.push(b']');
        Ok(())
    }
}

struct Map<'a> {
    map: &'a MapArray,
    keys: Box<dyn Render + 'a>,
    values: Value<'a>,
}

impl Render for Map<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        out.push(b'{');
        let mut key = Vec::new();
        let (start, end) = range(self.map.value_offsets(), row);
        for entry in start..end {
            if entry > start {
                out.push(b',');
            }
            key.clear();
            self.keys.append(entry, &mut key)?;
            append_string(&key, out);
            out.push(b':');
            self.values.append(entry, out)?;
        }
        out.push(b'}');
        Ok(())
    }
}

/// The children of a row, by the offsets of a list or map.
pub(super) fn range(offsets: &[i32], row: usize) -> (usize, usize) {
    let at = |index: usize| offsets.get(index).and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
    (at(row), at(row + 1))
}

/// A number, or in quotes a word that JSON has no number for, as Jackson writes it.
struct Number<'a>(Box<dyn Render + 'a>);

impl Render for Number<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let start = out.len();
        self.0.append(row, out)?;
        if out[start..].iter().any(|byte| matches!(byte, b'N' | b'I')) {
            out.insert(start, b'"');
            out.push(b'"');
        }
        Ok(())
    }
}

/// A text that needs no escapes.
struct Quoted<'a>(Box<dyn Render + 'a>);

impl Render for Quoted<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        out.push(b'"');
        self.0.append(row, out)?;
        out.push(b'"');
        Ok(())
    }
}

struct Nothing;

impl Render for Nothing {
    fn append(&self, _: usize, _: &mut Vec<u8>) -> Result<(), Unwritable> {
        Ok(())
    }
}

struct Text<'a>(&'a arrow_array::StringArray);

impl Render for Text<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        append_string(self.0.value(row).as_bytes(), out);
        Ok(())
    }
}

struct Base64<'a>(&'a arrow_array::BinaryArray);

impl Render for Base64<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        out.push(b'"');
        out.extend_from_slice(BASE64_STANDARD.encode(self.0.value(row)).as_bytes());
        out.push(b'"');
        Ok(())
    }
}

/// Appends a JSON string.
fn append_string(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut copied = 0;
    for (at, byte) in text.iter().enumerate() {
        let short = match byte {
            b'"' | b'\\' => *byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f => 0,
            _ => continue,
        };
        out.extend_from_slice(&text[copied..at]);
        copied = at + 1;
        if short == 0 {
            out.extend_from_slice(b"\\u00");
            out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        } else {
            out.extend([b'\\', short]);
        }
    }
    out.extend_from_slice(&text[copied..]);
    out.push(b'"');
}
