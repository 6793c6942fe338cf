//! One value of a column, whatever the column's Arrow type: for the places that go value by value (texts
//! for people, dead letters, assertions).

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTemporalType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, StructArray};
use arrow_cast::display::array_value_to_string;
use arrow_schema::{DataType, TimeUnit};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A value.
#[derive(Clone, Debug)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of any width.
    Whole(i128),
    /// A float.
    Float(f32),
    /// A double.
    Double(f64),
    /// A decimal with all digits of its scale.
    Decimal(String),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A date.
    Date(NaiveDate),
    /// A time of day.
    Time(NaiveTime),
    /// A wall clock's timestamp.
    Timestamp(NaiveDateTime),
    /// An instant, in UTC.
    Instant(NaiveDateTime),
    /// A list's items.
    List(ArrayRef),
    /// A map's entries: a column of keys and one of values.
    Map(StructArray),
    /// A row: the column of rows and the row's number in it.
    Row(&'a StructArray, usize),
    /// A value of a type that has no SeaTunnel name, as Arrow prints it.
    Other(String),
}

/// The value of a column in a row. The row must be within the column.
#[must_use]
pub fn cell(array: &dyn Array, row: usize) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Null;
    }
    match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Boolean => Cell::Bool(array.as_boolean().value(row)),
        DataType::Int8 => whole::<Int8Type>(array, row),
        DataType::Int16 => whole::<Int16Type>(array, row),
        DataType::Int32 => whole::<Int32Type>(array, row),
        DataType::Int64 => whole::<Int64Type>(array, row),
        DataType::UInt8 => whole::<UInt8Type>(array, row),
        DataType::UInt16 => whole::<UInt16Type>(array, row),
        DataType::UInt32 => whole::<UInt32Type>(array, row),
        DataType::UInt64 => whole::<UInt64Type>(array, row),
        DataType::Float16 => Cell::Float(array.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => Cell::Float(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Cell::Double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal32(..) => decimal::<Decimal32Type>(array, row),
        DataType::Decimal64(..) => decimal::<Decimal64Type>(array, row),
        DataType::Decimal128(..) => decimal::<Decimal128Type>(array, row),
        DataType::Decimal256(..) => decimal::<Decimal256Type>(array, row),
        DataType::Utf8 => Cell::Text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Cell::Text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Cell::Text(array.as_string_view().value(row)),
        DataType::Binary => Cell::Bytes(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Cell::Bytes(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Cell::Bytes(array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => Cell::Bytes(array.as_fixed_size_binary().value(row)),
        DataType::List(_) => Cell::List(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Cell::List(array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => Cell::List(array.as_fixed_size_list().value(row)),
        DataType::Map(..) => Cell::Map(array.as_map().value(row)),
        DataType::Struct(_) => Cell::Row(array.as_struct(), row),
        _ => temporal_cell(array, row).unwrap_or_else(|| other(array, row)),
    }
}

fn temporal_cell(array: &dyn Array, row: usize) -> Option<Cell<'_>> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    match array.data_type() {
        DataType::Date32 => datetime::<Date32Type>(array, row).map(|at| Cell::Date(at.date())),
        DataType::Date64 => datetime::<Date64Type>(array, row).map(|at| Cell::Date(at.date())),
        DataType::Time32(Second) => time::<Time32SecondType>(array, row),
        DataType::Time32(_) => time::<Time32MillisecondType>(array, row),
        DataType::Time64(Microsecond) => time::<Time64MicrosecondType>(array, row),
        DataType::Time64(_) => time::<Time64NanosecondType>(array, row),
        DataType::Timestamp(unit, zone) => {
            let at = match unit {
                Second => datetime::<TimestampSecondType>(array, row),
                Millisecond => datetime::<TimestampMillisecondType>(array, row),
                Microsecond => datetime::<TimestampMicrosecondType>(array, row),
                Nanosecond => datetime::<TimestampNanosecondType>(array, row),
            };
            at.map(|at| if zone.is_some() { Cell::Instant(at) } else { Cell::Timestamp(at) })
        }
        _ => None,
    }
}

fn whole<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Cell<'_>
where
    T::Native: Into<i128>,
{
    Cell::Whole(array.as_primitive::<T>().value(row).into())
}

fn decimal<T: DecimalType>(array: &dyn Array, row: usize) -> Cell<'_> {
    Cell::Decimal(array.as_primitive::<T>().value_as_string(row))
}

fn datetime<T: ArrowTemporalType>(array: &dyn Array, row: usize) -> Option<NaiveDateTime>
where
    i64: From<T::Native>,
{
    array.as_primitive::<T>().value_as_datetime(row)
}

fn time<T: ArrowTemporalType>(array: &dyn Array, row: usize) -> Option<Cell<'_>>
where
    i64: From<T::Native>,
{
    array.as_primitive::<T>().value_as_time(row).map(Cell::Time)
}

/// Dictionaries, runs, intervals, unions, and instants outside the calendar.
fn other(array: &dyn Array, row: usize) -> Cell<'_> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let key = dictionary.normalized_keys()[row];
        return cell(dictionary.values().as_ref(), key);
    }
    Cell::Other(array_value_to_string(array, row).unwrap_or_else(|_| "?".to_owned()))
}
