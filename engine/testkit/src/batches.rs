//! Tables and batches for tests.
//!
//! [`every_type`] has one column for each type that a job file can name, with a typical value, a null, both
//! ends of its range and an odd value; [`further_types`] has types that sources of other systems give.

use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, FixedSizeListBuilder, Float32Builder, Int32Builder, Int64Builder, ListBuilder,
    MapBuilder, MapFieldNames, StringBuilder, StructBuilder,
};
use arrow_array::types::Int64Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, DictionaryArray,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeBinaryArray,
    LargeStringArray, NullArray, RecordBatch, StringArray, StringViewArray, Time32MillisecondArray,
    Time32SecondArray, Time64MicrosecondArray, Time64NanosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt8Array, UInt16Array,
    UInt32Array, UInt64Array,
};
use arrow_buffer::i256;
use arrow_schema::{DataType, Field, Fields, Schema};
use seatun_api::{Batch, ChangeKind, SchemaVersion, TableId, TableSchema};

/// How many rows [`every_type`] and [`further_types`] have.
pub const TYPE_ROWS: usize = 5;

/// The first version of a table of nullable columns.
#[must_use]
pub fn table(name: &str, columns: &[(&str, DataType)]) -> Arc<TableSchema> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect();
    Arc::new(TableSchema::new(TableId::new(name), Arc::new(Schema::new(fields))))
}

/// Inserted rows of a table.
#[must_use]
pub fn batch(table: &Arc<TableSchema>, columns: Vec<ArrayRef>) -> Batch {
    let rows = RecordBatch::try_new(Arc::clone(&table.arrow), columns).expect("columns of the table");
    Batch::new(Arc::clone(table), rows).expect("rows of the table")
}

/// The same rows with these kinds.
#[must_use]
pub fn with_kinds(batch: Batch, kinds: &[ChangeKind]) -> Batch {
    let numbers: Vec<u8> = kinds.iter().map(|kind| *kind as u8).collect();
    batch.with_kinds(numbers.into()).expect("a kind for each row")
}

/// A column of 64-bit integers.
#[must_use]
pub fn int64<const N: usize>(values: [Option<i64>; N]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

/// A column of texts.
#[must_use]
pub fn utf8<const N: usize>(values: [Option<&str>; N]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// A table `id bigint, name string`.
#[must_use]
pub fn numbers_table(name: &str) -> Arc<TableSchema> {
    table(name, &[("id", DataType::Int64), ("name", DataType::Utf8)])
}

/// Rows `(n, "row n")` of a [`numbers_table`].
#[must_use]
pub fn numbers(table: &Arc<TableSchema>, range: std::ops::Range<i64>) -> Batch {
    let names: StringArray = range.clone().map(|n| Some(format!("row {n}"))).collect();
    batch(table, vec![Arc::new(Int64Array::from_iter_values(range)), Arc::new(names)])
}

/// The next version of a table, with one more nullable text column.
#[must_use]
pub fn with_added_column(table: &TableSchema, name: &str) -> Arc<TableSchema> {
    let mut fields: Vec<Field> = table.arrow.fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new(name, DataType::Utf8, true));
    let mut after = table.with_columns(Arc::new(Schema::new(fields)));
    after.version = SchemaVersion(table.version.0 + 1);
    Arc::new(after)
}

/// Rows `(n, "row n", "more n")` of a [`numbers_table`] with one more column.
#[must_use]
pub fn wide_numbers(table: &Arc<TableSchema>, range: std::ops::Range<i64>) -> Batch {
    let names: StringArray = range.clone().map(|n| Some(format!("row {n}"))).collect();
    let more: StringArray = range.clone().map(|n| Some(format!("more {n}"))).collect();
    batch(table, vec![Arc::new(Int64Array::from_iter_values(range)), Arc::new(names), Arc::new(more)])
}

/// One table with a column of every type that a job file can name; [`TYPE_ROWS`] rows.
#[must_use]
pub fn every_type(name: &str) -> Batch {
    of_columns(name, contract_columns())
}

/// One table with columns of types that no job file names but that sources give: unsigned integers, wide
/// decimals, other units of time, large and dictionary texts; [`TYPE_ROWS`] rows.
#[must_use]
pub fn further_types(name: &str) -> Batch {
    of_columns(name, further_columns())
}

/// A table of the given columns.
#[must_use]
pub fn of_columns(name: &str, columns: Vec<(&'static str, ArrayRef)>) -> Batch {
    let types: Vec<(&str, DataType)> =
        columns.iter().map(|(name, array)| (*name, array.data_type().clone())).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    batch(&table(name, &types), arrays)
}

const MAX_DECIMAL: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;
/// 0001-01-01 and 9999-12-31 in days since 1970-01-01.
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;
const DAY_MICROS: i64 = 86_400_000_000;
const FIRST_MICRO: i64 = FIRST_DAY as i64 * DAY_MICROS;
const LAST_MICRO: i64 = (LAST_DAY as i64 + 1) * DAY_MICROS - 1;
/// 2024-02-29T12:34:56.123456Z in microseconds since 1970-01-01.
const TYPICAL_MICRO: i64 = 1_709_210_096_123_456;

/// By name of the type: a typical value, null, the least, the greatest, an odd one.
#[must_use]
pub fn contract_columns() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("c_string", Arc::new(StringArray::from(texts()))),
        (
            "c_boolean",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true), Some(false)])),
        ),
        ("c_tinyint", Arc::new(Int8Array::from(vec![Some(7), None, Some(i8::MIN), Some(i8::MAX), Some(0)]))),
        (
            "c_smallint",
            Arc::new(Int16Array::from(vec![Some(7), None, Some(i16::MIN), Some(i16::MAX), Some(-1)])),
        ),
        ("c_int", Arc::new(Int32Array::from(vec![Some(7), None, Some(i32::MIN), Some(i32::MAX), Some(-1)]))),
        (
            "c_bigint",
            Arc::new(Int64Array::from(vec![Some(7), None, Some(i64::MIN), Some(i64::MAX), Some(-1)])),
        ),
        (
            "c_float",
            Arc::new(Float32Array::from(vec![
                Some(1.5),
                None,
                Some(f32::MIN),
                Some(f32::MAX),
                Some(f32::NAN),
            ])),
        ),
        (
            "c_double",
            Arc::new(Float64Array::from(vec![
                Some(1.5),
                None,
                Some(f64::MIN),
                Some(f64::MAX),
                Some(f64::NEG_INFINITY),
            ])),
        ),
        (
            "c_decimal",
            decimal128(38, 10, [Some(12_345_678_901), None, Some(-MAX_DECIMAL), Some(MAX_DECIMAL), Some(1)]),
        ),
        ("c_money", decimal128(9, 2, [Some(12_345), None, Some(-999_999_999), Some(999_999_999), Some(-1)])),
        ("c_bytes", Arc::new(BinaryArray::from(bytes()))),
        (
            "c_date",
            Arc::new(Date32Array::from(vec![Some(19_782), None, Some(FIRST_DAY), Some(LAST_DAY), Some(-1)])),
        ),
        (
            "c_time",
            Arc::new(Time64NanosecondArray::from(vec![
                Some(45_296_123_456_000),
                None,
                Some(0),
                Some(86_399_999_999_999),
                Some(1),
            ])),
        ),
        ("c_timestamp", Arc::new(TimestampMicrosecondArray::from(micros()))),
        ("c_timestamp_tz", Arc::new(TimestampMicrosecondArray::from(micros()).with_timezone("UTC"))),
        ("c_array", int_lists()),
        ("c_text_array", text_lists()),
        ("c_map", maps()),
        ("c_row", structs()),
        ("c_null", Arc::new(NullArray::new(TYPE_ROWS))),
        ("c_float_vector", vectors()),
    ]
}

/// By name of the type: a typical value, null, the least, the greatest, an odd one.
#[must_use]
pub fn further_columns() -> Vec<(&'static str, ArrayRef)> {
    let dictionary: DictionaryArray<Int64Type> = texts().into_iter().collect();
    vec![
        ("f_uint8", Arc::new(UInt8Array::from(vec![Some(7), None, Some(0), Some(u8::MAX), Some(1)]))),
        ("f_uint16", Arc::new(UInt16Array::from(vec![Some(7), None, Some(0), Some(u16::MAX), Some(1)]))),
        ("f_uint32", Arc::new(UInt32Array::from(vec![Some(7), None, Some(0), Some(u32::MAX), Some(1)]))),
        ("f_uint64", Arc::new(UInt64Array::from(vec![Some(7), None, Some(0), Some(u64::MAX), Some(1)]))),
        ("f_decimal256", decimal256()),
        ("f_large_utf8", Arc::new(LargeStringArray::from(texts()))),
        ("f_utf8_view", Arc::new(StringViewArray::from(texts()))),
        ("f_large_binary", Arc::new(LargeBinaryArray::from(bytes()))),
        ("f_fixed_binary", fixed_binaries()),
        ("f_dictionary", Arc::new(dictionary)),
        (
            "f_time32_s",
            Arc::new(Time32SecondArray::from(vec![Some(45_296), None, Some(0), Some(86_399), Some(1)])),
        ),
        (
            "f_time32_ms",
            Arc::new(Time32MillisecondArray::from(vec![
                Some(45_296_123),
                None,
                Some(0),
                Some(86_399_999),
                Some(1),
            ])),
        ),
        (
            "f_time64_us",
            Arc::new(Time64MicrosecondArray::from(vec![
                Some(45_296_123_456),
                None,
                Some(0),
                Some(86_399_999_999),
                Some(1),
            ])),
        ),
        ("f_timestamp_s", Arc::new(TimestampSecondArray::from(scaled(1_000_000)))),
        ("f_timestamp_ms", Arc::new(TimestampMillisecondArray::from(scaled(1_000)))),
        (
            "f_timestamp_ns",
            Arc::new(TimestampNanosecondArray::from(vec![
                Some(TYPICAL_MICRO * 1_000 + 789),
                None,
                Some(-9_223_372_036_000_000_000),
                Some(9_223_372_036_000_000_000),
                Some(-1),
            ])),
        ),
        (
            "f_timestamp_ms_zone",
            Arc::new(TimestampMillisecondArray::from(scaled(1_000)).with_timezone("Europe/Berlin")),
        ),
    ]
}

fn texts() -> Vec<Option<&'static str>> {
    vec![
        Some("plain text"),
        None,
        Some(""),
        Some("quotes \" and ' and \\, a comma; a tab\t, a break\r\n in it"),
        Some("\u{feff}naïve – 東京 👩‍👩‍👧 \u{202e}rtl"),
    ]
}

fn bytes() -> Vec<Option<&'static [u8]>> {
    vec![Some(b"plain"), None, Some(b""), Some(&[0xff; 32]), Some(&[0, 0x80, b'\n', 0xc3, 0x28])]
}

fn micros() -> Vec<Option<i64>> {
    vec![Some(TYPICAL_MICRO), None, Some(FIRST_MICRO), Some(LAST_MICRO), Some(-1)]
}

fn scaled(divisor: i64) -> Vec<Option<i64>> {
    micros().into_iter().map(|value| value.map(|micros| micros.div_euclid(divisor))).collect()
}

fn decimal128(precision: u8, scale: i8, values: [Option<i128>; TYPE_ROWS]) -> ArrayRef {
    let array = Decimal128Array::from(values.to_vec());
    Arc::new(array.with_precision_and_scale(precision, scale).expect("a valid precision"))
}

fn decimal256() -> ArrayRef {
    let greatest = i256::from_string(&"9".repeat(76)).expect("76 digits fit");
    let values = vec![
        Some(i256::from_i128(12_345)),
        None,
        Some(greatest.wrapping_neg()),
        Some(greatest),
        Some(i256::from_i128(-1)),
    ];
    Arc::new(Decimal256Array::from(values).with_precision_and_scale(76, 20).expect("a valid precision"))
}

fn fixed_binaries() -> ArrayRef {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(TYPE_ROWS, 16);
    for value in [Some([7; 16]), None, Some([0; 16]), Some([0xff; 16]), Some(*b"0123456789abcdef")] {
        match value {
            Some(value) => builder.append_value(value).expect("16 bytes"),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

fn int_lists() -> ArrayRef {
    let mut builder = ListBuilder::new(Int32Builder::new());
    builder.append_value([Some(1), Some(2)]);
    builder.append_null();
    builder.append_value([]);
    builder.append_value([Some(i32::MAX); 3]);
    builder.append_value([None, Some(0), None]);
    Arc::new(builder.finish())
}

fn text_lists() -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    builder.append_value([Some("a"), Some("b")]);
    builder.append_null();
    builder.append_value([] as [Option<&str>; 0]);
    builder.append_value([Some(""), Some("x, y")]);
    builder.append_value([None, Some("東京")]);
    Arc::new(builder.finish())
}

fn maps() -> ArrayRef {
    type Entries = &'static [(&'static str, Option<i64>)];
    let names =
        MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut builder = MapBuilder::new(Some(names), StringBuilder::new(), Int64Builder::new());
    let rows: [Option<Entries>; TYPE_ROWS] = [
        Some(&[("a", Some(1)), ("b", Some(2))]),
        None,
        Some(&[]),
        Some(&[("greatest", Some(i64::MAX))]),
        Some(&[("", None), ("東京", Some(0))]),
    ];
    for row in rows {
        for (key, value) in row.unwrap_or_default() {
            builder.keys().append_value(key);
            builder.values().append_option(*value);
        }
        builder.append(row.is_some()).expect("as many keys as values");
    }
    Arc::new(builder.finish())
}

/// Rows in rows: `{n: int, s: string, inner: {list: array<int>}}`.
fn structs() -> ArrayRef {
    let list = Field::new("list", DataType::List(Arc::new(Field::new("item", DataType::Int32, true))), true);
    let inner = Fields::from(vec![list]);
    let fields = Fields::from(vec![
        Field::new("n", DataType::Int32, true),
        Field::new("s", DataType::Utf8, true),
        Field::new("inner", DataType::Struct(inner), true),
    ]);
    let mut builder = StructBuilder::from_fields(fields, TYPE_ROWS);
    for (row, present) in [true, false, true, true, true].into_iter().enumerate() {
        let filled = present && row != 2;
        let number = filled.then_some(i32::MAX - 4 + i32::try_from(row).unwrap_or(0));
        builder.field_builder::<Int32Builder>(0).expect("n").append_option(number);
        builder.field_builder::<StringBuilder>(1).expect("s").append_option(filled.then_some("in a row"));
        let inner = builder.field_builder::<StructBuilder>(2).expect("inner");
        let list =
            inner.field_builder::<ListBuilder<Box<dyn arrow_array::builder::ArrayBuilder>>>(0).expect("list");
        if filled {
            let items = list.values().as_any_mut().downcast_mut::<Int32Builder>().expect("integers");
            items.append_value(1);
            items.append_null();
        }
        list.append(filled);
        inner.append(filled);
        builder.append(present);
    }
    Arc::new(builder.finish())
}

fn vectors() -> ArrayRef {
    let mut builder = FixedSizeListBuilder::new(Float32Builder::new(), 3);
    for value in [Some([0.25, 0.5, 1.0]), None, Some([0.0; 3]), Some([f32::MAX; 3]), Some([-1.5, -0.0, 2.0])]
    {
        match value {
            Some(value) => builder.values().append_slice(&value),
            None => builder.values().append_nulls(3),
        }
        builder.append(value.is_some());
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    #[test]
    fn every_type_can_be_built_and_shown() {
        for batch in [every_type("t"), further_types("t")] {
            assert_eq!(batch.num_rows(), TYPE_ROWS);
            let text = rows::batch_text(&batch);
            assert_eq!(text.len(), TYPE_ROWS);
            assert!(text[1].chars().all(|c| c == '∅' || c == '|'), "the second row is null: {}", text[1]);
        }
        let every = every_type("t");
        let dates = rows::text(&every.rows().project(&[11, 13, 14]).unwrap());
        assert_eq!(dates[0], "2024-02-29|2024-02-29T12:34:56.123456|2024-02-29T12:34:56.123456Z");
        assert_eq!(dates[2], "0001-01-01|0001-01-01T00:00:00|0001-01-01T00:00:00Z");
        assert_eq!(dates[3], "9999-12-31|9999-12-31T23:59:59.999999|9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn an_added_column_is_a_later_version() {
        let before = numbers_table("t");
        let after = with_added_column(&before, "more");
        assert!(after.version > before.version);
        assert_eq!(after.field_ids, [1, 2, 3]);
        assert_eq!(rows::batch_text(&wide_numbers(&after, 1..2)), ["1|row 1|more 1"]);
    }
}
