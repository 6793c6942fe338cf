//! Lists, maps and rows inside a delimited field, by SeaTunnel's separators: the elements of a list, the
//! entries of a map and the fields of a row are separated by one control character per level, from
//! `\u0002` on; a map's key and value by the next one. Readers take an empty part for null, so null is
//! written as nothing there, whatever stands for null in a field of its own.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::json::range;
use super::scalar::{Patterns, Render, Unwritable, is_scalar, scalar};

/// Separators of level 1 and more; level 0 is the field delimiter.
const LEVELS: [u8; 6] = [0x02, 0x03, 0x04, 0x05, 0x06, 0x07];

/// Whether a nested type can be written: within the levels that there are separators for.
pub(super) fn holds(data_type: &DataType) -> bool {
    levels(data_type).is_some_and(|levels| levels <= LEVELS.len())
}

/// How many levels of separators a type needs; `None` if a part of it has no text.
fn levels(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => Some(levels(item.data_type())? + 1),
        DataType::Struct(fields) => {
            let mut deepest = 0;
            for field in fields {
                deepest = deepest.max(levels(field.data_type())?);
            }
            Some(deepest + 1)
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => match fields.iter().as_slice() {
                [key, value] if is_scalar(key.data_type()) => Some(levels(value.data_type())? + 2),
                _ => None,
            },
            _ => None,
        },
        other => is_scalar(other).then_some(0),
    }
}

/// The renderer of a nested column; `None` if [`holds`] refuses its type.
pub(super) fn nested<'a>(array: &'a ArrayRef, patterns: &'a Patterns) -> Option<Box<dyn Render + 'a>> {
    at_level(array, patterns, 0)
}

fn at_level<'a>(array: &'a ArrayRef, patterns: &'a Patterns, level: usize) -> Option<Box<dyn Render + 'a>> {
    if let Some(text) = scalar(array, patterns) {
        return Some(Box::new(Unseparated(text)));
    }
    let separator = *LEVELS.get(level)?;
    Some(match array.data_type() {
        DataType::Null => Box::new(Nothing),
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            Box::new(List { list, separator, items: Part::new(list.values(), patterns, level + 1)? })
        }
        DataType::Struct(_) => {
            let columns = array.as_struct().columns().iter();
            let fields = columns.map(|column| Part::new(column, patterns, level + 1));
            Box::new(Row { separator, fields: fields.collect::<Option<_>>()? })
        }
        DataType::Map(_, _) => {
            let map = array.as_map();
            Box::new(Entries {
                map,
                separator,
                between: *LEVELS.get(level + 1)?,
                keys: Part::new(map.keys(), patterns, level + 2)?,
                values: Part::new(map.values(), patterns, level + 2)?,
            })
        }
        _ => return None,
    })
}

/// A child whose values may be null.
struct Part<'a> {
    nulls: Option<&'a NullBuffer>,
    render: Box<dyn Render + 'a>,
}

impl<'a> Part<'a> {
    fn new(array: &'a ArrayRef, patterns: &'a Patterns, level: usize) -> Option<Self> {
        Some(Self { nulls: array.nulls(), render: at_level(array, patterns, level)? })
    }

    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(());
        }
        self.render.append(row, out)
    }
}

/// A text inside a nested value: it may hold no separator of any level.
struct Unseparated<'a>(Box<dyn Render + 'a>);

impl Render for Unseparated<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let start = out.len();
        self.0.append(row, out)?;
        if out[start..].iter().any(|byte| LEVELS.contains(byte)) {
            return Err(Unwritable::Separator);
        }
        Ok(())
    }
}

struct Nothing;

impl Render for Nothing {
    fn append(&self, _: usize, _: &mut Vec<u8>) -> Result<(), Unwritable> {
        Ok(())
    }
}

struct List<'a> {
    list: &'a ListArray,
    separator: u8,
    items: Part<'a>,
}

impl Render for List<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let (start, end) = range(self.list.value_offsets(), row);
        for item in start..end {
            if item > start {
                out.push(self.separator);
            }
            self.items.append(item, out)?;
        }
        Ok(())
    }
}

struct Row<'a> {
    separator: u8,
    fields: Vec<Part<'a>>,
}

impl Render for Row<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push(self.separator);
            }
            field.append(row, out)?;
        }
        Ok(())
    }
}

struct Entries<'a> {
    map: &'a MapArray,
    separator: u8,
    between: u8,
    keys: Part<'a>,
    values: Part<'a>,
}

impl Render for Entries<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let (start, end) = range(self.map.value_offsets(), row);
        for entry in start..end {
            if entry > start {
                out.push(self.separator);
            }
            let key = out.len();
            self.keys.append(entry, out)?;
            if out.len() == key {
                return Err(Unwritable::EmptyKey);
            }
            out.push(self.between);
            self.values.append(entry, out)?;
        }
        Ok(())
    }
}
