//! Values of job files and JSON texts to Arrow and back, for every type.

#![allow(clippy::unwrap_used, reason = "the helpers of tests panic too")]

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use proptest::prelude::*;
use seatun_api::config::{Value, ValueKind};
use seatun_connector_common::json_parse::parse;
use seatun_connector_common::json_text::row_text;
use seatun_connector_common::json_value::{JsonRows, compact_text, single};
use seatun_connector_common::print;
use seatun_connector_common::types::parse_type;

fn schema(columns: &[(&str, &str)]) -> SchemaRef {
    let fields: Vec<Field> =
        columns.iter().map(|(name, ty)| Field::new(*name, parse_type(ty).unwrap(), true)).collect();
    Arc::new(Schema::new(fields))
}

fn json(text: &str) -> Value {
    parse(text).unwrap()
}

fn batch(schema: &SchemaRef, rows: &[&str]) -> RecordBatch {
    let mut builder = JsonRows::new(Arc::clone(schema), rows.len()).unwrap();
    for row in rows {
        builder.append(&json(row)).unwrap();
    }
    builder.finish().unwrap()
}

fn error_of(ty: &str, value: &str) -> String {
    let mut builder = JsonRows::new(schema(&[("c", ty)]), 1).unwrap();
    let error = builder.append(&json(&format!("[{value}]"))).unwrap_err();
    assert!(builder.is_empty());
    format!("{error}")
}

#[test]
fn every_type_goes_in_and_comes_out() {
    for (ty, value, written) in [
        ("string", "\"a\\n\\\"b\"", "\"a\\n\\\"b\""),
        ("string", "{\"k\": [1, 2.50, null]}", "\"{\\\"k\\\":[1,2.50,null]}\""),
        ("string", "12", "\"12\""),
        ("string", "true", "\"true\""),
        ("boolean", "true", "true"),
        ("boolean", "\" TRUE \"", "true"),
        ("boolean", "\"yes\"", "false"),
        ("tinyint", "-128", "-128"),
        ("smallint", "\" 32767 \"", "32767"),
        ("int", "\"+5\"", "5"),
        ("int", "5.0", "5"),
        ("bigint", "9223372036854775807", "9223372036854775807"),
        ("float", "3.1", "3.1"),
        ("double", "\"1e300\"", "1e300"),
        ("double", "\"NaN\"", "\"NaN\""),
        ("double", "\"-inf\"", "\"-Infinity\""),
        ("decimal(10, 2)", "\"-12.5\"", "-12.50"),
        (
            "decimal(38, 18)",
            "\"12345678901234567890.123456789012345678\"",
            "12345678901234567890.123456789012345678",
        ),
        ("null", "null", "null"),
        ("bytes", "\"aGk=\"", "\"aGk=\""),
        ("date", "\"2024/1/2\"", "\"2024-01-02\""),
        ("time", "\"22:45\"", "\"22:45:00\""),
        ("time", "\"22:45:00.000000001\"", "\"22:45:00.000000001\""),
        ("timestamp", "\"2022-09-24 22:45:00\"", "\"2022-09-24T22:45:00\""),
        ("timestamp", "\"2022-09-24 22:45:00.5\"", "\"2022-09-24T22:45:00.500\""),
        ("timestamp", "\"1969-12-31 23:59:59.999999\"", "\"1969-12-31T23:59:59.999999\""),
        ("timestamp_tz", "\"2022-09-24T22:45:00+08:00\"", "\"2022-09-24T14:45:00Z\""),
        ("array<int>", "[1, null, \"3\"]", "[1,null,3]"),
        ("array<array<string>>", "[[\"a\"], [], null]", "[[\"a\"],[],null]"),
        ("map<string, int>", "{\"b\": 1, \"a\": null}", "{\"b\":1,\"a\":null}"),
        ("map<int, date>", "{\"7\": \"2024-01-02\"}", "{\"7\":\"2024-01-02\"}"),
        ("map<date, int>", "{\"2024-01-02\": 1}", "{\"2024-01-02\":1}"),
        (
            "{a = int, b = array<{c = string}>}",
            "{\"a\": 1, \"b\": [{\"c\": \"x\"}, {}]}",
            "{\"a\":1,\"b\":[{\"c\":\"x\"},{\"c\":null}]}",
        ),
        ("{a = int, b = string}", "[1]", "{\"a\":1,\"b\":null}"),
        ("{a = int}", "null", "null"),
        ("float_vector", "[0.5, 1]", "[0.5,1.0]"),
        ("binary_vector", "\"/w==\"", "\"/w==\""),
        ("sparse_float_vector", "{\"3\": 0.5}", "{\"3\":0.5}"),
    ] {
        let schema = schema(&[("c", ty)]);
        let rows = batch(&schema, &[&format!("{{\"c\": {value}}}"), "{}"]);
        assert_eq!(row_text(&rows, 0), format!("{{\"c\":{written}}}"), "{ty} {value}");
        assert_eq!(row_text(&rows, 1), "{\"c\":null}", "{ty} missing");
        // What is written reads as the same value.
        let again = batch(&schema, &[&row_text(&rows, 0), "[null]"]);
        assert_eq!(again, rows, "{ty} {value}");
    }
}

#[test]
fn values_that_do_not_fit_are_named_by_column_and_type_only() {
    for (ty, value, expected) in [
        ("int", "1.5", "ST-0704: column `c` of type int: the number is not whole"),
        ("int", "2147483648", "ST-0704: column `c` of type int: the number is outside the type's range"),
        ("tinyint", "\"128\"", "ST-0704: column `c` of type tinyint: the number is outside the type's range"),
        ("int", "\"secret\"", "ST-0703: column `c` of type int: the text is not a number"),
        ("int", "true", "ST-0703: column `c` of type int: expected a whole number, found a boolean"),
        ("int", "[1]", "ST-0703: column `c` of type int: expected a whole number, found a list"),
        ("float", "1e39", "ST-0704: column `c` of type float: the number is too great for a float"),
        ("double", "\"1e309\"", "ST-0704: column `c` of type double: the number is too great for a double"),
        ("boolean", "1", "ST-0703: column `c` of type boolean: expected true or false, found a number"),
        (
            "decimal(4, 2)",
            "\"1.234\"",
            "ST-0704: column `c` of type decimal(4, 2): the number has more digits after the point than the \
             type; it is not rounded",
        ),
        (
            "decimal(4, 2)",
            "100",
            "ST-0704: column `c` of type decimal(4, 2): the number has more digits than the type",
        ),
        ("bytes", "\"!\"", "ST-0703: column `c` of type bytes: the text is not base64"),
        ("date", "\"01-02-2024\"", "ST-0703: column `c` of type date: the text is not in a form of a date"),
        (
            "timestamp",
            "\"2024-01-01 00:00:00.1234567\"",
            "ST-0704: column `c` of type timestamp: the timestamp has more than six digits of a second; it is \
             not cut",
        ),
        (
            "timestamp_tz",
            "\"2024-01-01 00:00:00\"",
            "ST-0703: column `c` of type timestamp_tz: the text is not in a form of a timestamp with its offset",
        ),
        ("null", "1", "ST-0703: column `c` of type null: expected null, found a number"),
        ("array<int>", "[1, \"x\"]", "ST-0703: column `c[1]` of type array<int>: the text is not a number"),
        ("array<int>", "{}", "ST-0703: column `c` of type array<int>: expected a list, found an object"),
        (
            "map<int, int>",
            "{\"x\": 1}",
            "ST-0703: column `c.key` of type map<int, int>: the text is not a number",
        ),
        (
            "map<int, {a = int}>",
            "{\"1\": {\"a\": \"x\"}}",
            "ST-0703: column `c.value.a` of type map<int, {a = int}>: the text is not a number",
        ),
        (
            "{a = int}",
            "[1, 2]",
            "ST-0703: column `c` of type {a = int}: expected an object, or a list of at most as many values as \
             the row has fields, found a list",
        ),
    ] {
        assert_eq!(error_of(ty, value), expected);
    }
}

#[test]
fn a_bad_row_leaves_the_rows_around_it_whole() {
    let schema = schema(&[
        ("id", "int"),
        ("more", "{tags = array<map<string, int>>, when = date}"),
        ("name", "string"),
    ]);
    let good = r#"{"id": 1, "more": {"tags": [{"a": 1}, {"b": 2}], "when": "2024-01-02"}, "name": "x"}"#;
    let mut rows = JsonRows::new(Arc::clone(&schema), 8).unwrap();
    for bad in [
        r#"{"id": 2, "more": {"tags": [{"a": 1}, {"b": "bad"}], "when": "2024-01-02"}, "name": "y"}"#,
        r#"{"id": "bad"}"#,
        r#"{"id": 3, "more": {"when": "bad"}}"#,
        r#"[1, 2, 3, 4]"#,
        r#""text""#,
    ] {
        rows.append(&json(good)).unwrap();
        rows.append(&json(bad)).unwrap_err();
    }
    rows.append(&json(good)).unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows.finish().unwrap(), batch(&schema, &[good; 6]));
    assert_eq!(rows.finish().unwrap().num_rows(), 0);
}

#[test]
fn missing_columns_and_nulls_can_be_refused() {
    let strict = Arc::new(Schema::new(vec![Field::new("a", DataType::Int32, false)]));
    let mut rows = JsonRows::new(strict, 1).unwrap();
    let error = rows.append(&json("{}")).unwrap_err();
    assert_eq!(error.message(), "column `a` of type int: it must not be null");
    let mut rows = JsonRows::new(schema(&[("a", "int")]), 1).unwrap().fail_on_missing(true);
    rows.append(&json("{\"a\": null}")).unwrap();
    let error = rows.append(&json("{\"b\": 1}")).unwrap_err();
    assert_eq!(error.message(), "column `a` of type int: the row does not have it");
}

#[test]
fn numbers_of_a_job_file_keep_their_digits() {
    let field = Field::new("d", parse_type("decimal(38, 18)").unwrap(), true);
    let digits = "12345678901234567890.123456789012345678";
    let value = Value::of(ValueKind::Number(digits.to_owned()));
    let array = single(&value, &field).unwrap();
    let rows = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap();
    assert_eq!(row_text(&rows, 0), format!("{{\"d\":{digits}}}"));
    assert_eq!(compact_text(&value), digits);
}

#[test]
fn foreign_arrow_types_take_the_same_literals() {
    for (data_type, literal, written) in [
        (DataType::LargeUtf8, "\"a\"", "\"a\""),
        (DataType::Utf8View, "\"a\"", "\"a\""),
        (DataType::UInt8, "255", "255"),
        (DataType::UInt64, "18446744073709551615", "18446744073709551615"),
        (DataType::Decimal256(40, 2), "1.50", "1.50"),
        (
            DataType::Timestamp(TimeUnit::Millisecond, None),
            "\"2024-01-02 03:04:05.678\"",
            "\"2024-01-02T03:04:05.678\"",
        ),
        (
            DataType::Timestamp(TimeUnit::Nanosecond, Some("+08:00".into())),
            "\"2024-01-02T03:04:05Z\"",
            "\"2024-01-02T03:04:05Z\"",
        ),
        (DataType::Time32(TimeUnit::Second), "\"03:04:05\"", "\"03:04:05\""),
        (DataType::Date64, "\"2024-01-02\"", "\"2024-01-02\""),
        (DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), "\"a\"", "\"a\""),
        (
            DataType::LargeList(Arc::new(Field::new("element", DataType::Utf8View, true))),
            "[\"a\"]",
            "[\"a\"]",
        ),
    ] {
        let field = Field::new("c", data_type.clone(), true);
        let array = single(&json(literal), &field).unwrap();
        assert_eq!(array.data_type(), &data_type);
        let rows = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array]).unwrap();
        assert_eq!(row_text(&rows, 0), format!("{{\"c\":{written}}}"), "{data_type}");
    }
}

#[test]
fn rows_are_printed_in_seatunnels_form_and_cannot_command_a_terminal() {
    let schema = schema(&[
        ("s", "string"),
        ("n", "int"),
        ("f", "double"),
        ("b", "bytes"),
        ("a", "array<string>"),
        ("m", "map<string, string>"),
        ("r", "{x = int, y = {z = date}}"),
        ("t", "timestamp"),
    ]);
    let rows = batch(
        &schema,
        &[r#"["a\u001b[31m\n\u202eb", null, 1, "Af8=", ["x", null], {"k": "\u0007"}, [1, ["2024-01-02"]],
            "2024-01-02 03:04:05"]"#],
    );
    let mut line = String::new();
    print::write_row(&mut line, &rows, 0);
    assert_eq!(
        line,
        "a\\u001b[31m\\n\\u202eb, null, 1.0, [1, -1], [x, null], {\"k\":\"\\u0007\"}, [1, [2024-01-02]], \
         2024-01-02T03:04:05"
    );
}

proptest! {
    #[test]
    fn any_text_survives_the_way_to_json_and_back(text in any::<String>()) {
        let rows = RecordBatch::try_from_iter([("c", Arc::new(StringArray::from(vec![text.clone()])) as _)]).unwrap();
        let parsed: serde_json::Value = serde_json::from_str(&row_text(&rows, 0)).unwrap();
        prop_assert_eq!(parsed["c"].as_str(), Some(text.as_str()));
        let parsed = json(&row_text(&rows, 0));
        prop_assert_eq!(parsed.get("c").and_then(Value::as_text), Some(text.as_str()));
    }

    #[test]
    fn any_decimal_survives_the_way_to_text_and_back(value in -10_i128.pow(38) + 1..10_i128.pow(38), scale in 0_i8..=38) {
        let text = arrow_array::types::Decimal128Type::format(value, scale);
        prop_assert_eq!(seatun_connector_common::decimal::parse_decimal(&text, 38, scale), Ok(value));
    }
}

trait Format {
    fn format(value: i128, scale: i8) -> String;
}

impl Format for arrow_array::types::Decimal128Type {
    fn format(value: i128, scale: i8) -> String {
        let array =
            arrow_array::Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap();
        assert_eq!(array.len(), 1);
        array.value_as_string(0)
    }
}
