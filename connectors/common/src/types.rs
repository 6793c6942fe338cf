//! SeaTunnel's type names and the Arrow types that stand for them.
//!
//! Every type that [`parse_type`] reads is written back by [`type_name`] in a form that reads as the same
//! type. Arrow types that no name stands for are written as the nearest name that a reader will understand.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};
use seatun_api::error::nearest_hint;
use seatun_api::table::NATIVE_TYPE;
use seatun_api::{Error, Result};

use crate::codes;

pub use crate::types_de::{FieldList, FieldType};

/// Largest number of digits of a decimal.
pub const MAX_PRECISION: u8 = 38;

/// Types within types at most: a guard against texts made to exhaust the stack.
const MAX_DEPTH: usize = 32;

const NAMES: &[&str] = &[
    "string",
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal",
    "null",
    "bytes",
    "date",
    "time",
    "timestamp",
    "timestamp_tz",
    "array",
    "map",
    "float_vector",
    "float16_vector",
    "bfloat16_vector",
    "binary_vector",
    "sparse_float_vector",
];

/// The time zone of `timestamp_tz`: instants are kept in UTC.
pub const UTC: &str = "UTC";

/// The Arrow type of `timestamp`.
#[must_use]
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// The Arrow type of `timestamp_tz`.
#[must_use]
pub fn timestamp_tz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// The Arrow type of `array<item>`.
#[must_use]
pub fn array_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// The Arrow type of `map<key, value>`.
#[must_use]
pub fn map_of(key: DataType, value: DataType) -> DataType {
    let entries = Fields::from(vec![Field::new("keys", key, false), Field::new("values", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

/// Why a text names no type, and what may have been meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TypeFault {
    pub message: String,
    pub hint: String,
}

impl TypeFault {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

/// The Arrow type of a type's text, in any case: `int`, `decimal(10, 2)`, `map<string, array<int>>`,
/// `{a = int, b = {c = string}}`.
///
/// # Errors
/// Says what is wrong with the text, with the nearest name as hint.
pub fn parse_type(text: &str) -> Result<DataType> {
    parse(text).map_err(|fault| Error::user(codes::UNKNOWN_TYPE, fault.message).with_hint(fault.hint))
}

pub(crate) fn parse(text: &str) -> Result<DataType, TypeFault> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let data_type = parser.data_type()?;
    parser.skip_blank();
    match parser.rest() {
        "" => Ok(data_type),
        rest => Err(TypeFault::new(format!("`{rest}` is left over after the type"), "")),
    }
}

/// The vector that a type's text names, if it names one: it is kept beside the column's Arrow type, which
/// does not tell a vector from an array.
#[must_use]
pub fn vector_name(text: &str) -> Option<&'static str> {
    let text = text.trim();
    NAMES.iter().find(|name| name.ends_with("_vector") && name.eq_ignore_ascii_case(text)).copied()
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_blank();
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char, within: &str) -> Result<(), TypeFault> {
        if self.eat(wanted) {
            return Ok(());
        }
        let found = self.peek().map_or_else(|| "the end".to_owned(), |found| format!("`{found}`"));
        Err(TypeFault::new(format!("expected `{wanted}` in {within}, found {found}"), ""))
    }

    fn word(&mut self) -> &'a str {
        self.skip_blank();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn quoted(&mut self) -> Result<String, TypeFault> {
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => {
                    self.at += offset + 1;
                    return Ok(text);
                }
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                _ => text.push(character),
            }
        }
        Err(TypeFault::new("a quote is not closed", ""))
    }

    fn data_type(&mut self) -> Result<DataType, TypeFault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(TypeFault::new(format!("more than {MAX_DEPTH} types within each other"), ""));
        }
        self.skip_blank();
        let data_type = match self.peek() {
            Some('{') => self.row()?,
            Some('"') => {
                let inner = self.quoted()?;
                let mut parser = Parser { text: &inner, at: 0, depth: self.depth };
                parser.data_type()?
            }
            _ => self.named()?,
        };
        self.depth -= 1;
        Ok(data_type)
    }

    fn named(&mut self) -> Result<DataType, TypeFault> {
        let word = self.word();
        if word.is_empty() {
            return Err(TypeFault::new("a type is missing", format!("known: {}", NAMES.join(", "))));
        }
        match word.to_ascii_lowercase().as_str() {
            "decimal" => self.decimal(),
            "array" => {
                self.expect('<', "`array<..>`")?;
                let item = self.data_type()?;
                self.expect('>', "`array<..>`")?;
                Ok(array_of(item))
            }
            "map" => self.map(),
            name => scalar(name)
                .ok_or_else(|| TypeFault::new(format!("`{word}` is not a type"), nearest_hint(word, NAMES))),
        }
    }

    fn decimal(&mut self) -> Result<DataType, TypeFault> {
        const HINT: &str = "write decimal(precision, scale), for example decimal(10, 2)";
        let fault = |message: &str| TypeFault::new(message, HINT);
        if !self.eat('(') {
            return Err(fault("a decimal needs its precision and scale"));
        }
        let precision: u8 =
            self.word().parse().map_err(|_| fault("the precision of a decimal is not a number"))?;
        if !self.eat(',') {
            return Err(fault("a decimal needs its precision and scale"));
        }
        let scale: u8 = self.word().parse().map_err(|_| fault("the scale of a decimal is not a number"))?;
        if !self.eat(')') {
            return Err(fault("expected `)` after the scale of a decimal"));
        }
        if precision == 0 || precision > MAX_PRECISION {
            return Err(fault("the precision of a decimal is 1 to 38"));
        }
        if scale > precision {
            return Err(fault("the scale of a decimal is at most its precision"));
        }
        // invariant: scale <= 38, so it fits.
        Ok(DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(i8::MAX)))
    }

    fn map(&mut self) -> Result<DataType, TypeFault> {
        self.expect('<', "`map<..>`")?;
        let key = self.data_type()?;
        if key.is_nested() || key.is_null() {
            let text = format!("a map's key cannot be {}", type_name(&key));
            return Err(TypeFault::new(text, "keys are texts, numbers, booleans, dates or times"));
        }
        self.expect(',', "`map<..>`")?;
        let value = self.data_type()?;
        self.expect('>', "`map<..>`")?;
        Ok(map_of(key, value))
    }

    fn row(&mut self) -> Result<DataType, TypeFault> {
        self.expect('{', "a row")?;
        let mut fields: Vec<FieldRef> = Vec::new();
        while !self.eat('}') {
            let name = match self.peek() {
                Some('"') => self.quoted()?,
                _ => self.word().to_owned(),
            };
            if name.is_empty() {
                return Err(TypeFault::new("a row's field has no name", "write {name = type, ..}"));
            }
            if !self.eat('=') && !self.eat(':') && self.peek() != Some('{') {
                let text = format!("expected `=` after the row's field `{name}`");
                return Err(TypeFault::new(text, "write {name = type, ..}"));
            }
            if fields.iter().any(|field| field.name() == &name) {
                return Err(TypeFault::new(format!("a row has the field `{name}` twice"), ""));
            }
            fields.push(Arc::new(Field::new(name, self.data_type()?, true)));
            self.eat(',');
            if self.peek().is_none() {
                return Err(TypeFault::new("a row is not closed", "write {name = type, ..}"));
            }
        }
        if fields.is_empty() {
            return Err(TypeFault::new("a row has no fields", "write {name = type, ..}"));
        }
        Ok(DataType::Struct(fields.into()))
    }
}

fn scalar(name: &str) -> Option<DataType> {
    Some(match name {
        "string" => DataType::Utf8,
        "boolean" => DataType::Boolean,
        "tinyint" | "byte" => DataType::Int8,
        "smallint" | "short" => DataType::Int16,
        "int" => DataType::Int32,
        "bigint" | "long" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "null" => DataType::Null,
        "bytes" => DataType::Binary,
        "date" => DataType::Date32,
        "time" => DataType::Time64(TimeUnit::Nanosecond),
        "timestamp" => timestamp(),
        "timestamp_tz" => timestamp_tz(),
        "float_vector" => array_of(DataType::Float32),
        "float16_vector" | "bfloat16_vector" | "binary_vector" => DataType::Binary,
        "sparse_float_vector" => map_of(DataType::Int32, DataType::Float32),
        _ => return None,
    })
}

/// SeaTunnel's name of an Arrow type.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    let mut out = String::new();
    write_name(&mut out, data_type);
    out
}

/// SeaTunnel's name of a column's type; tells vectors from arrays.
#[must_use]
pub fn field_type_name(field: &Field) -> String {
    field
        .metadata()
        .get(NATIVE_TYPE)
        .and_then(|native| vector_name(native))
        .map_or_else(|| type_name(field.data_type()), str::to_owned)
}

fn write_name(out: &mut String, data_type: &DataType) {
    let name = match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "int",
        DataType::Int64 | DataType::UInt32 => "bigint",
        DataType::UInt64 => "decimal(20, 0)",
        DataType::Float16 | DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Null => "null",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "bytes"
        }
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamp_tz",
        _ => return write_compound(out, data_type),
    };
    out.push_str(name);
}

fn write_compound(out: &mut String, data_type: &DataType) {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            let _ = write!(out, "decimal({precision}, {scale})");
        }
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => {
            out.push_str("array<");
            write_name(out, item.data_type());
            out.push('>');
        }
        DataType::Map(entries, _) => {
            out.push_str("map<");
            if let DataType::Struct(fields) = entries.data_type() {
                for (index, field) in fields.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    write_name(out, field.data_type());
                }
            }
            out.push('>');
        }
        DataType::Struct(fields) => {
            out.push('{');
            for (index, field) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_field_name(out, field.name());
                out.push_str(" = ");
                write_name(out, field.data_type());
            }
            out.push('}');
        }
        DataType::Dictionary(_, value) => write_name(out, value),
        DataType::RunEndEncoded(_, value) => write_name(out, value.data_type()),
        other => out.push_str(&other.to_string().to_lowercase()),
    }
}

fn write_field_name(out: &mut String, name: &str) {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if plain {
        out.push_str(name);
        return;
    }
    out.push('"');
    for character in name.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}
