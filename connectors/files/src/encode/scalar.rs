//! Single values as text, column by column: a column is looked at once for each batch, a row then costs
//! one call.

use std::str;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, FieldRef, TimeUnit};
use seatun_api::Result;

use super::digits::{append_decimal, append_decimal256, append_f32, append_f64, append_i64, append_u64};
use super::pattern::{Moment, Pattern};

/// How dates and times are written.
#[derive(Clone, Debug)]
pub(crate) struct Patterns {
    pub(crate) date: Pattern,
    pub(crate) time: Pattern,
    pub(crate) datetime: Pattern,
}

/// Why one value cannot be written; the text names no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwritable {
    /// Bytes that are no text, in a format of text.
    NotText,
    /// The text has the format's own separator in it and the format has no quotes.
    Separator,
    /// A map has an empty key, which would be read as none.
    EmptyKey,
}

/// Appends the text of one value that is not null.
pub(super) trait Render {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable>;
}

/// What kind of text a column's values give: how they must be protected is the format's affair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Digits, signs, points, `true` and `false`.
    Bare,
    /// A float: a number, or one of three words that JSON does not have.
    Float,
    /// Dates and times: no letters but those of the pattern.
    Moment,
    /// Any text.
    Text,
    /// Bytes.
    Bytes,
}

/// The column in one of the types that are written directly; types that differ in layout only are cast.
pub(super) fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    let target = plain_type(array.data_type());
    if target == *array.data_type() {
        return Ok(Arc::clone(array));
    }
    Ok(arrow_cast::cast(array, &target)?)
}

fn plain_type(data_type: &DataType) -> DataType {
    let plain_field =
        |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(plain_type(field.data_type())));
    match data_type {
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => DataType::UInt64,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Nanosecond),
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, values) => plain_type(values),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(plain_field(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain_field).collect()),
        DataType::Map(entries, sorted) => DataType::Map(plain_field(entries), *sorted),
        other => other.clone(),
    }
}

/// Whether a type is a single value that has a text.
pub(super) fn is_scalar(data_type: &DataType) -> bool {
    kind_of(data_type).is_some() || matches!(data_type, DataType::Null)
}

/// The kind of text that a scalar type gives, after [`plain`] or before.
pub(super) fn kind_of(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Boolean => Kind::Bare,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Kind::Float,
        DataType::Date32 | DataType::Date64 | DataType::Time32(_) | DataType::Time64(_) => Kind::Moment,
        DataType::Timestamp(_, _) => Kind::Moment,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Kind::Bytes
        }
        DataType::Dictionary(_, values) => return kind_of(values),
        other if other.is_integer() || other.is_decimal() => Kind::Bare,
        _ => return None,
    })
}

/// The renderer of a scalar column in one of the types that [`plain`] gives; `None` for any other type.
pub(super) fn scalar<'a>(array: &'a ArrayRef, patterns: &'a Patterns) -> Option<Box<dyn Render + 'a>> {
    macro_rules! numbers {
        ($type:ty, $append:expr) => {{
            let values = array.as_primitive::<$type>().values();
            Box::new(Bare(move |row: usize, out: &mut Vec<u8>| {
                // invariant: callers ask for rows of this array only, and slices check it again.
                if let Some(value) = values.get(row) {
                    $append(*value, out);
                }
            }))
        }};
    }
    macro_rules! timestamps {
        ($type:ty, $units:expr, $zone:expr) => {{
            let zoned = $zone.is_some();
            let pattern = &patterns.datetime;
            numbers!($type, |value, out: &mut Vec<u8>| {
                pattern.append(Moment::of_timestamp(value, $units, zoned), out);
            })
        }};
    }
    Some(match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean();
            Box::new(Bare(move |row: usize, out: &mut Vec<u8>| {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            }))
        }
        DataType::Int8 => numbers!(Int8Type, |value, out| append_i64(i64::from(value), out)),
        DataType::Int16 => numbers!(Int16Type, |value, out| append_i64(i64::from(value), out)),
        DataType::Int32 => numbers!(Int32Type, |value, out| append_i64(i64::from(value), out)),
        DataType::Int64 => numbers!(Int64Type, append_i64),
        DataType::UInt64 => numbers!(UInt64Type, append_u64),
        DataType::Float32 => numbers!(Float32Type, append_f32),
        DataType::Float64 => numbers!(Float64Type, append_f64),
        DataType::Decimal128(_, scale) => {
            let scale = *scale;
            numbers!(Decimal128Type, |value, out| append_decimal(value, scale, out))
        }
        DataType::Decimal256(_, scale) => {
            let scale = *scale;
            numbers!(Decimal256Type, |value, out| append_decimal256(value, scale, out))
        }
        DataType::Date32 => {
            let pattern = &patterns.date;
            numbers!(Date32Type, |value, out| pattern.append(Moment::of_days(i64::from(value)), out))
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            let pattern = &patterns.time;
            numbers!(Time64NanosecondType, |value: i64, out| {
                pattern.append(Moment::of_nanos(value.unsigned_abs()), out);
            })
        }
        DataType::Timestamp(TimeUnit::Second, zone) => timestamps!(TimestampSecondType, 1, zone),
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            timestamps!(TimestampMillisecondType, 1_000, zone)
        }
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            timestamps!(TimestampMicrosecondType, 1_000_000, zone)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            timestamps!(TimestampNanosecondType, 1_000_000_000, zone)
        }
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            Box::new(Bare(move |row: usize, out: &mut Vec<u8>| {
                out.extend_from_slice(values.value(row).as_bytes());
            }))
        }
        DataType::Binary => Box::new(BytesAsText(array.as_binary::<i32>())),
        _ => return None,
    })
}

/// A value whose text is always writable.
struct Bare<F>(F);

impl<F: Fn(usize, &mut Vec<u8>)> Render for Bare<F> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        (self.0)(row, out);
        Ok(())
    }
}

/// Bytes that are written as the text that they are.
struct BytesAsText<'a>(&'a arrow_array::BinaryArray);

impl Render for BytesAsText<'_> {
    fn append(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        let bytes = self.0.value(row);
        str::from_utf8(bytes).map_err(|_| Unwritable::NotText)?;
        out.extend_from_slice(bytes);
        Ok(())
    }
}
