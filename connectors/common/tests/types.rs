//! Type names and schema blocks, as job files write them.

#![allow(clippy::unwrap_used, reason = "the helpers of tests panic too")]

use arrow_schema::DataType;
use seatun_api::TableId;
use seatun_api::config::{Value, options};
use seatun_api::table::COMMENT;
use seatun_connector_common::schema::{self, SchemaConfig, default_table_id};
use seatun_connector_common::types::{field_type_name, parse_type, type_name};

fn block(json: serde_json::Value) -> Value {
    serde_json::from_value(json).unwrap()
}

fn read(json: serde_json::Value) -> SchemaConfig {
    options(&block(json)).unwrap()
}

fn problems(json: serde_json::Value) -> Vec<String> {
    let problems = options::<SchemaConfig>(&block(json)).unwrap_err();
    problems.into_iter().map(|problem| problem.message).collect()
}

#[test]
fn every_type_name_reads_back_as_the_same_type() {
    for name in [
        "string",
        "boolean",
        "tinyint",
        "smallint",
        "int",
        "bigint",
        "float",
        "double",
        "decimal(38, 18)",
        "null",
        "bytes",
        "date",
        "time",
        "timestamp",
        "timestamp_tz",
        "array<int>",
        "map<string, array<map<int, double>>>",
        "{a = int, b = {c = decimal(1, 0)}}",
        "map<string, {c = int}>",
        "{\"a b\" = int, \"q\\\"\" = string}",
        "array<{x = timestamp_tz}>",
    ] {
        let data_type = parse_type(name).unwrap();
        assert_eq!(type_name(&data_type), name);
    }
}

#[test]
fn other_spellings_of_the_same_types() {
    for (text, name) in [
        ("INT", "int"),
        (" BigInt ", "bigint"),
        ("long", "bigint"),
        ("short", "smallint"),
        ("byte", "tinyint"),
        ("Decimal(10,2)", "decimal(10, 2)"),
        ("array<STRING>", "array<string>"),
        ("map < string , int >", "map<string, int>"),
        ("map<string,{c=int}>", "map<string, {c = int}>"),
        ("{\"a\":\"int\",\"b\":\"decimal(4,2)\"}", "{a = int, b = decimal(4, 2)}"),
        ("{a: int\n b {c = int}}", "{a = int, b = {c = int}}"),
        ("float_vector", "array<float>"),
        ("sparse_float_vector", "map<int, float>"),
        ("BFLOAT16_VECTOR", "bytes"),
    ] {
        assert_eq!(type_name(&parse_type(text).unwrap()), name, "{text}");
    }
}

#[test]
fn wrong_types_say_what_is_meant() {
    for (text, message, hint) in [
        ("bigin", "`bigin` is not a type", "did you mean `bigint`?"),
        ("decimal", "a decimal needs its precision and scale", "write decimal(precision, scale)"),
        ("decimal(10)", "a decimal needs its precision and scale", "write decimal(precision, scale)"),
        ("decimal(39, 2)", "the precision of a decimal is 1 to 38", ""),
        ("decimal(2, 3)", "the scale of a decimal is at most its precision", ""),
        ("array<int", "expected `>` in `array<..>`, found the end", ""),
        ("array", "expected `<` in `array<..>`, found the end", ""),
        ("map<array<int>, int>", "a map's key cannot be array<int>", ""),
        ("int int", "`int` is left over after the type", ""),
        ("{a = int, a = int}", "a row has the field `a` twice", ""),
        ("{}", "a row has no fields", ""),
        ("{a = int", "a row is not closed", ""),
        ("", "a type is missing", ""),
        ("\"int", "a quote is not closed", ""),
    ] {
        let error = parse_type(text).unwrap_err();
        assert_eq!(error.message(), message, "{text}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{text}: {:?}", error.hint());
    }
    let deep = "array<".repeat(100_000);
    assert!(parse_type(&deep).unwrap_err().message().contains("within each other"));
}

#[test]
fn a_block_of_fields_becomes_a_table_in_the_files_order() {
    let schema = read(serde_json::json!({
        "table": "shop.orders",
        "fields": {"id": "bigint", "name": "STRING", "more": {"b": "int", "a": "null"}, "v": "float_vector"},
        "primaryKey": {"name": "pk", "columns": ["name", "id"]},
    }));
    let table = schema.to_table(TableId::new("other")).unwrap();
    assert_eq!(table.id, TableId::parse("shop.orders", false));
    let columns: Vec<String> = table
        .arrow
        .fields()
        .iter()
        .map(|field| format!("{} {} {}", field.name(), field_type_name(field), field.is_nullable()))
        .collect();
    assert!(columns.contains(&"v float_vector true".to_owned()), "{columns:?}");
    assert_eq!(columns.len(), 4);
    let key: Vec<&str> = table.primary_key.iter().map(|&i| table.arrow.field(i).name().as_str()).collect();
    assert_eq!(key, ["name", "id"]);
    assert_eq!(table.arrow.metadata()[schema::PRIMARY_KEY_NAME], "pk");
}

#[test]
fn a_block_of_columns_keeps_what_arrow_has_no_place_for() {
    let schema = read(serde_json::json!({
        "schema_first": true,
        "comment": "all orders",
        "columns": [
            {"name": "id", "type": "bigint", "nullable": false, "defaultValue": 7, "comment": "the number"},
            {"name": "code", "type": "string", "columnLength": 20},
            {"name": "ratio", "type": "double", "columnScale": 3},
        ],
        "constraintKeys": [{"constraintName": "by_code", "constraintType": "index_key",
            "constraintColumns": [{"columnName": "code", "sortType": "desc"}]}],
    }));
    let table = schema.to_table(default_table_id(Some("db.fake"))).unwrap();
    assert_eq!(table.id.to_string(), "db.fake");
    let [id, code, ratio] = [0, 1, 2].map(|index| table.arrow.field(index).clone());
    assert!(!id.is_nullable() && code.is_nullable());
    assert_eq!(id.metadata()[schema::DEFAULT_VALUE], "7");
    assert_eq!(id.metadata()[COMMENT], "the number");
    assert_eq!(code.metadata()[schema::COLUMN_LENGTH], "20");
    assert_eq!(ratio.metadata()[schema::COLUMN_SCALE], "3");
    assert_eq!(ratio.data_type(), &DataType::Float64);
    assert_eq!(table.arrow.metadata()[schema::TABLE_COMMENT], "all orders");
    assert!(table.arrow.metadata()[schema::CONSTRAINT_KEYS].contains("INDEX_KEY"));
}

#[test]
fn a_table_without_a_name_is_called_after_the_output() {
    assert_eq!(default_table_id(Some("fake")).to_string(), "fake");
    assert_eq!(default_table_id(None).to_string(), "default.default.default");
}

#[test]
fn wrong_blocks_name_the_option() {
    assert_eq!(
        problems(serde_json::json!({"fields": {"id": "bigit", "n": {"x": null, "y": "int"}}})),
        [
            "option `fields.id`: `bigit` is not a type; did you mean `bigint`?",
            "option `fields.n.x`: a type is missing; write the null type as a text: \"null\"",
        ]
    );
    for (json, option, message) in [
        (serde_json::json!({}), None, "a schema needs its columns"),
        (serde_json::json!({"fields": {}}), None, "a schema needs at least one column"),
        (
            serde_json::json!({"fields": {"a": "int"}, "columns": [{"name": "a", "type": "int"}]}),
            Some("columns"),
            "a schema has either `fields` or `columns`, not both",
        ),
        (
            serde_json::json!({"columns": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]}),
            Some("columns[1].name"),
            "column `a` is there twice",
        ),
        (
            serde_json::json!({"fields": {"a": "int"}, "primaryKey": {"columnNames": ["b"]}}),
            Some("primaryKey.columnNames"),
            "table t has no column `b`",
        ),
        (
            serde_json::json!({"fields": {"a": "int"}, "primaryKey": {"columnNames": []}}),
            Some("primaryKey.columnNames"),
            "the primary key has no columns",
        ),
    ] {
        let error = read(json).to_table(TableId::new("t")).unwrap_err();
        assert_eq!((error.option(), error.message()), (option, message));
    }
}
