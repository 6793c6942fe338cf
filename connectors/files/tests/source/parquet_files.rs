//! Parquet: types, projection, files of different columns, row groups.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder, StringDictionaryBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    Time64MicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use seatun_connector_common::types::type_name;
use serde_json::json;

use crate::support::{Folder, lines, schema, with};

pub fn write_batch(folder: &Folder, name: &str, batch: &RecordBatch, group: usize) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    folder.write(name, bytes);
}

/// A file of columns `id` and `name`.
pub fn write_parquet(folder: &Folder, name: &str, ids: Range<i32>, group: usize) {
    let names: StringArray = ids.clone().map(|n| Some(format!("name {n}"))).collect();
    let batch = RecordBatch::try_from_iter([
        ("id", Arc::new(Int32Array::from_iter_values(ids)) as ArrayRef),
        ("name", Arc::new(names) as ArrayRef),
    ]);
    write_batch(folder, name, &batch.unwrap(), group);
}

fn columns(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

#[tokio::test]
async fn types_are_those_that_the_rest_knows() {
    let folder = Folder::new();
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    dictionary.append_value("d");
    let mut list = ListBuilder::new(Int32Builder::new());
    list.append_value([Some(1), None]);
    let batch = columns(vec![
        ("large", Arc::new(LargeStringArray::from(vec!["l"]))),
        ("view", Arc::new(StringViewArray::from(vec!["v"]))),
        ("dictionary", Arc::new(dictionary.finish())),
        ("millis", Arc::new(TimestampMillisecondArray::from(vec![1]).with_timezone("UTC"))),
        ("nanos", Arc::new(TimestampNanosecondArray::from(vec![1]))),
        ("time", Arc::new(Time64MicrosecondArray::from(vec![1]))),
        ("unsigned", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        ("list", Arc::new(list.finish())),
    ]);
    write_batch(&folder, "x.parquet", &batch, 10);
    let options = json!({"path": "x.parquet", "file_format_type": "parquet"});
    let source = folder.source(options.clone());
    assert!(source.declared_tables().is_none());
    let tables = source.tables().await.unwrap();
    let types: Vec<String> = tables[0].arrow.fields().iter().map(|f| f.data_type().to_string()).collect();
    assert_eq!(
        types,
        [
            "Utf8",
            "Utf8",
            "Utf8",
            "Timestamp(ms, \"UTC\")",
            "Timestamp(ns)",
            "Time64(ns)",
            "UInt64",
            "List(Int32)"
        ]
    );
    assert!(!type_name(tables[0].arrow.field(7).data_type()).is_empty());
    assert_eq!(
        folder.rows(options).await,
        [
            "l|v|d|1970-01-01T00:00:00.001Z|1970-01-01T00:00:00.000000001|00:00:00.000001|18446744073709551615|[1, ∅]"
        ]
    );
}

#[tokio::test]
async fn only_the_wanted_columns_in_their_order() {
    let folder = Folder::new();
    write_parquet(&folder, "x.parquet", 0..3, 2);
    let options = json!({"path": "x.parquet", "file_format_type": "parquet"});
    let rows = folder.rows(with(options.clone(), json!({"read_columns": ["name", "id"]}))).await;
    assert_eq!(rows, ["name 0|0", "name 1|1", "name 2|2"]);
    assert_eq!(folder.rows(with(options.clone(), json!({"read_columns": ["name"]}))).await[0], "name 0");
    let source = folder.source(with(options, json!({"read_columns": ["nmae"]})));
    let error = source.tables().await.unwrap_err();
    assert_eq!(error.hint(), Some("did you mean `name`?"));
}

#[tokio::test]
async fn files_of_other_columns_fit_or_are_named() {
    let first = columns(vec![
        ("id", Arc::new(Int64Array::from(vec![1]))),
        ("name", Arc::new(StringArray::from(vec!["a"]))),
    ]);
    let cases: Vec<(RecordBatch, Result<&str, &str>)> = vec![
        (columns(vec![("id", Arc::new(Int64Array::from(vec![2])))]), Ok("2|∅")),
        (
            columns(vec![
                ("name", Arc::new(LargeStringArray::from(vec!["b"]))),
                ("id", Arc::new(Int32Array::from(vec![2]))),
            ]),
            Ok("2|b"),
        ),
        (
            columns(vec![("id", Arc::new(StringArray::from(vec!["2"])))]),
            Err("`id` is string in the file and bigint"),
        ),
        (columns(vec![("id", Arc::new(UInt64Array::from(vec![2])))]), Err("`id` is")),
        (
            columns(vec![("more", Arc::new(Int32Array::from(vec![2])))]),
            Err("`more` is not in the table's first file"),
        ),
    ];
    for (second, expected) in cases {
        let folder = Folder::new();
        write_batch(&folder, "a.parquet", &first, 10);
        write_batch(&folder, "b.parquet", &second, 10);
        let options = json!({"path": "./", "file_format_type": "parquet"});
        match expected {
            Ok(row) => assert_eq!(folder.rows(options).await, lines(&["1|a", row])),
            Err(text) => {
                let error = folder.error(options).await;
                assert_eq!(error.code().0, "ST-0609");
                assert!(
                    error.chain().contains(text) && error.chain().contains("b.parquet"),
                    "{}",
                    error.chain()
                );
            }
        }
    }
}

#[tokio::test]
async fn a_schema_is_what_files_are_brought_to() {
    let folder = Folder::new();
    write_parquet(&folder, "x.parquet", 0..2, 10);
    let options = json!({
        "path": "x.parquet", "file_format_type": "parquet",
        "schema": with(schema(&[("name", "string"), ("id", "bigint"), ("later", "date")]), json!({"table": "db.t"}))
    });
    let source = folder.source(options.clone());
    assert_eq!(source.declared_tables().unwrap(), source.tables().await.unwrap());
    assert_eq!(folder.rows(options).await, ["name 0|0|∅", "name 1|1|∅"]);
    let named = json!({"path": "x.parquet", "file_format_type": "parquet", "schema": {"table": "db.t"}});
    assert_eq!(folder.source(named).tables().await.unwrap()[0].id.to_string(), "db.t");
}

#[tokio::test]
async fn row_groups_are_parts() {
    let folder = Folder::new();
    write_parquet(&folder, "x.parquet", 0..100, 10);
    let expected: Vec<String> = (0..100).map(|n| format!("{n}|name {n}")).collect();
    for (size, parts) in [(0, 1), (1, 10), (1 << 30, 1)] {
        let options = json!({"path": "x.parquet", "file_format_type": "parquet", "split.size": size});
        let reading = folder.read(options, 7).await;
        assert_eq!(reading.splits.len(), parts);
        assert_eq!(reading.rows(), expected);
    }
}

#[tokio::test]
async fn a_folder_without_files_cannot_tell_its_columns() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("in")).unwrap();
    let source = folder.source(json!({"path": "in", "file_format_type": "parquet"}));
    assert_eq!(source.tables().await.unwrap_err().code().0, "ST-0600");
}
