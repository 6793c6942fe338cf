//! What users rely on: which columns come out, in which order, and that nothing else of a row is lost.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{
    Array, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt8Array,
};
use arrow_schema::{DataType, Field, Schema};
use seatun_api::config::{Value, ValueKind};
use seatun_api::registry::PluginContext;
use seatun_api::{
    Batch, ChangeKind, ColumnChange, JobMode, Map, SchemaChange, SchemaVersion, TableId, TableSchema,
    Transform,
};
use seatun_transforms::TRANSFORMS;
use serde_json::json;

fn value(json: serde_json::Value) -> Value {
    Value::of(match json {
        serde_json::Value::Null => ValueKind::Null,
        serde_json::Value::Bool(value) => ValueKind::Bool(value),
        serde_json::Value::Number(number) => ValueKind::Number(number.to_string()),
        serde_json::Value::String(text) => ValueKind::String(text),
        serde_json::Value::Array(list) => ValueKind::List(list.into_iter().map(value).collect()),
        serde_json::Value::Object(map) => {
            ValueKind::Map(map.into_iter().map(|(key, entry)| (key, value(entry))).collect())
        }
    })
}

/// The block of a `FieldMapper`, its entries in this order.
fn mapper(entries: &[(&str, &str)]) -> Value {
    let entries = entries.iter().map(|(old, new)| ((*old).to_owned(), value(json!(new)))).collect();
    let block = [("field_mapper".to_owned(), Value::of(ValueKind::Map(entries)))];
    Value::of(ValueKind::Map(block.into_iter().collect()))
}

fn build(plugin: &str, options: Value) -> Result<Box<dyn Transform>, String> {
    let context = PluginContext {
        node: plugin.to_owned(),
        mode: JobMode::Streaming,
        parallelism: 1,
        config_dir: PathBuf::new(),
        inputs: vec!["in".into()],
        output: None,
    };
    let entry = TRANSFORMS.iter().find(|entry| entry.is_named(plugin)).unwrap();
    (entry.build)(&options, &context).map_err(|problems| {
        let texts: Vec<String> =
            problems.iter().map(|problem| format!("{} {}", problem.code, problem.message)).collect();
        texts.join("; ")
    })
}

fn users() -> Arc<TableSchema> {
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::Utf8, true),
        Field::new("card", DataType::Utf8, true),
    ]);
    let table = TableSchema::new(TableId::parse("shop.users", false), Arc::new(schema));
    Arc::new(table.with_primary_key(&["id"]).unwrap())
}

fn rows(table: &Arc<TableSchema>) -> Batch {
    let columns = RecordBatch::try_new(
        Arc::clone(&table.arrow),
        vec![
            Arc::new(Int64Array::from(vec![1, 2, 3])),
            Arc::new(StringArray::from(vec!["ann", "bob", "cid"])),
            Arc::new(StringArray::from(vec![Some("4000"), None, Some("4002")])),
        ],
    )
    .unwrap();
    let kinds = [ChangeKind::Insert, ChangeKind::UpdateAfter, ChangeKind::Delete].map(|kind| kind as u8);
    let sequence = FixedSizeBinaryArray::try_from_iter((0..3_u8).map(|row| [row; 16])).unwrap();
    Batch::new(Arc::clone(table), columns)
        .unwrap()
        .with_kinds(UInt8Array::from(kinds.to_vec()))
        .unwrap()
        .with_event_time(Int64Array::from(vec![10, 20, 30]))
        .unwrap()
        .with_sequence(sequence)
        .unwrap()
        .with_unchanged(vec![(2, BooleanArray::from(vec![false, true, false]))])
        .unwrap()
}

fn map_all(map: &mut dyn Map, batch: Batch) -> Batch {
    let mut rejects = Vec::new();
    let output = map.map(batch, &mut rejects).unwrap().unwrap();
    assert!(rejects.is_empty());
    output
}

fn columns(table: &TableSchema) -> Vec<&str> {
    table.arrow.fields().iter().map(|field| field.name().as_str()).collect()
}

#[test]
fn columns_are_chosen_ordered_and_renamed() {
    let cases = [
        ("FieldMapper", mapper(&[("name", "n"), ("card", "c"), ("id", "i")]), "n,c,i"),
        ("Filter", value(json!({"include_fields": ["name", "id"]})), "name,id"),
        ("Filter", value(json!({"fields": ["name"]})), "name"),
        ("filter", value(json!({"exclude_fields": "name, card"})), "id"),
    ];
    for (plugin, options, expected) in cases {
        let transform = build(plugin, options).unwrap();
        let declared = transform.output_tables(&[vec![users()]]).unwrap();
        assert_eq!(columns(&declared[0]).join(","), expected, "{plugin} {expected}");
        let output = map_all(transform.map().unwrap().as_mut(), rows(&users()));
        assert_eq!(**output.table(), declared[0], "{plugin} {expected}");
        assert_eq!(output.num_rows(), 3);
    }
}

#[test]
fn what_belongs_to_a_row_stays_with_it() {
    let swap = mapper(&[("card", "name"), ("name", "card"), ("id", "key")]);
    let transform = build("FieldMapper", swap).unwrap();
    let before = rows(&users());
    let after = map_all(transform.map().unwrap().as_mut(), before.clone());
    assert_eq!(after.kinds(), before.kinds());
    assert_eq!(after.event_time(), before.event_time());
    assert_eq!(after.sequence(), before.sequence());
    assert_eq!(after.column(0), before.column(2));
    assert_eq!(after.unchanged().len(), 1);
    assert_eq!(after.unchanged()[0].0, 0, "the mark follows the column, not the name");
    assert_eq!(after.table().primary_key, [2]);
    assert_eq!(after.table().field_ids, [3, 2, 1]);
}

#[test]
fn the_key_goes_when_one_of_its_columns_goes() {
    let transform = build("Filter", value(json!({"exclude_fields": ["id"]}))).unwrap();
    let declared = transform.output_tables(&[vec![users()]]).unwrap();
    assert!(declared[0].primary_key.is_empty());
}

#[test]
fn a_batch_without_rows_keeps_its_columns() {
    let transform = build("Filter", value(json!({"include_fields": ["name"]}))).unwrap();
    let output = map_all(transform.map().unwrap().as_mut(), rows(&users()).slice(0, 0));
    assert_eq!((output.num_rows(), output.column(0).len()), (0, 0));
}

#[test]
fn several_tables_are_each_mapped_by_their_own_columns() {
    let other =
        Schema::new(vec![Field::new("x", DataType::Int64, true), Field::new("id", DataType::Int64, true)]);
    let other = Arc::new(TableSchema::new(TableId::new("other"), Arc::new(other)));
    let transform = build("Filter", value(json!({"include_fields": ["id"]}))).unwrap();
    let declared = transform.output_tables(&[vec![users(), Arc::clone(&other)]]).unwrap();
    assert_eq!(declared.len(), 2);
    let columns = RecordBatch::try_new(
        Arc::clone(&other.arrow),
        vec![Arc::new(Int64Array::from(vec![7])), Arc::new(Int64Array::from(vec![8]))],
    )
    .unwrap();
    let mut map = transform.map().unwrap();
    let users = map_all(map.as_mut(), rows(&users()));
    let other = map_all(map.as_mut(), Batch::new(other, columns).unwrap());
    assert_eq!(users.table().id.to_string(), "shop.users");
    assert_eq!(other.column(0).as_ref(), &Int64Array::from(vec![8]) as &dyn Array);
}

#[test]
fn mistakes_are_named_with_their_place() {
    let cases = [
        (
            "Filter",
            json!({"include_fields": ["id"], "exclude_fields": ["name"]}),
            "ST-0104 option `exclude_fields`",
        ),
        ("Filter", json!({}), "ST-0104 one of `include_fields` and `exclude_fields`"),
        ("Filter", json!({"include": ["id"]}), "ST-0102 unknown option `include`"),
        ("FieldMapper", json!({}), "ST-0103 option `field_mapper` is required"),
    ];
    for (plugin, options, expected) in cases {
        let text = build(plugin, value(options)).err().unwrap();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_does_not_fit_the_table_is_named() {
    let cases = [
        ("Filter", json!({"include_fields": ["id", "nmae"]}), "ST-0004", "include_fields[1]"),
        ("Filter", json!({"exclude_fields": ["id", "name", "card"]}), "ST-0500", "exclude_fields"),
        ("Filter", json!({"include_fields": ["id", "id"]}), "ST-0501", "include_fields"),
        ("FieldMapper", json!({"field_mapper": {"nam": "x"}}), "ST-0004", "field_mapper.nam"),
        ("FieldMapper", json!({"field_mapper": {"id": "x", "name": "x"}}), "ST-0501", "field_mapper"),
    ];
    for (plugin, options, code, option) in cases {
        let error = build(plugin, value(options)).unwrap().output_tables(&[vec![users()]]).unwrap_err();
        assert_eq!((error.code().0, error.option()), (code, Some(option)), "{error}");
    }
    let error = build("Filter", value(json!({"include_fields": ["nmae"]})))
        .unwrap()
        .output_tables(&[vec![users()]])
        .unwrap_err();
    assert_eq!(error.hint(), Some("did you mean `name`?"));
}

fn next_version(fields: Vec<Field>, field_ids: Vec<i32>) -> Arc<TableSchema> {
    let table = users();
    Arc::new(TableSchema {
        version: SchemaVersion(1),
        arrow: Arc::new(Schema::new(fields)),
        field_ids,
        ..TableSchema::clone(&table)
    })
}

#[test]
fn a_schema_change_shows_only_if_a_kept_column_changes() {
    let id = Field::new("id", DataType::Int64, false);
    let name = Field::new("name", DataType::Utf8, true);
    let cases = [
        // A column that is not kept goes.
        (next_version(vec![id.clone(), name.clone()], vec![1, 2]), None),
        // A kept column changes its type.
        (
            next_version(vec![id.clone(), Field::new("name", DataType::LargeUtf8, true)], vec![1, 2]),
            Some(ColumnChange::Retype { name: "label".into() }),
        ),
    ];
    for (after, expected) in cases {
        let transform =
            build("FieldMapper", value(json!({"field_mapper": {"id": "id", "name": "label"}}))).unwrap();
        let mut map = transform.map().unwrap();
        map_all(map.as_mut(), rows(&users()));
        let change = Arc::new(SchemaChange { before: users(), after: Arc::clone(&after), steps: vec![] });
        let shown = map.schema_change(change).unwrap();
        assert_eq!(shown.as_ref().map(|change| change.steps[0].clone()), expected);
        let empty = Batch::new(Arc::clone(&after), RecordBatch::new_empty(Arc::clone(&after.arrow))).unwrap();
        let version = map_all(map.as_mut(), empty).table().version;
        assert_eq!(version, SchemaVersion(u32::from(expected.is_some())));
    }
}

#[test]
fn a_schema_change_that_drops_a_kept_column_is_refused() {
    let transform = build("Filter", value(json!({"include_fields": ["name"]}))).unwrap();
    let after = next_version(vec![Field::new("id", DataType::Int64, false)], vec![1]);
    let change = Arc::new(SchemaChange { before: users(), after, steps: vec![] });
    let error = transform.map().unwrap().schema_change(change).unwrap_err();
    assert_eq!(error.option(), Some("include_fields[0]"));
}
