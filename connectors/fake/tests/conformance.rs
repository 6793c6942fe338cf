//! The promises of a source, tried on every kind of rows.

use seatun_api::config::Value;
use seatun_api::registry::PluginContext;
use seatun_api::{JobMode, Source, SourceEntry};
use seatun_connector_common::json_parse::parse;
use seatun_connector_fake::FakeSource;
use seatun_testkit::{SourceExpectation, source_conformance};

fn source(options: &Value, mode: JobMode) -> Box<dyn Source> {
    let context = PluginContext {
        node: "fake".to_owned(),
        mode,
        parallelism: 2,
        config_dir: ".".into(),
        inputs: Vec::new(),
        output: Some("fake".to_owned()),
    };
    let entry = SourceEntry::of::<FakeSource>("");
    (entry.build)(options, &context).unwrap_or_else(|problems| panic!("{problems:?}"))
}

async fn conforms(options: &str, mode: JobMode, expect: SourceExpectation) {
    let options = parse(options).unwrap_or_else(|error| panic!("{error:?}"));
    source_conformance(|| source(&options, mode), &expect).await;
}

#[tokio::test]
async fn random_rows_of_every_type() {
    conforms(
        r#"{"row.num": 40, "split.num": 3, "date.year.template": [2024], "schema": {"fields": {
            "c_string": "string", "c_boolean": "boolean", "c_tinyint": "tinyint", "c_smallint": "smallint",
            "c_int": "int", "c_bigint": "bigint", "c_float": "float", "c_double": "double",
            "c_decimal": "decimal(38, 18)", "c_null": "null", "c_bytes": "bytes", "c_date": "date",
            "c_time": "time", "c_timestamp": "timestamp", "c_timestamp_tz": "timestamp_tz",
            "c_array": "array<string>", "c_map": "map<boolean, array<int>>", "v1": "float_vector",
            "v2": "float16_vector", "v3": "bfloat16_vector", "v4": "binary_vector", "v5": "sparse_float_vector",
            "c_row": {"a": "int", "b": {"c": "map<string, date>"}}}}}"#,
        JobMode::Batch,
        SourceExpectation { batch_rows: 7, ..Default::default() },
    )
    .await;
}

#[tokio::test]
async fn written_rows() {
    let once = ["-U 1|A", "+U 1|B", "-D 2|∅", "+I 3|C"].map(str::to_owned);
    conforms(
        r#"{"schema": {"fields": {"id": "int", "name": "string"}}, "rows": [
            {"kind": "UPDATE_BEFORE", "fields": [1, "A"]},
            {"kind": "update_after", "fields": {"name": "B", "id": 1}},
            {"kind": "DELETE", "fields": [2]},
            {"fields": [3, "C"]}]}"#,
        JobMode::Batch,
        SourceExpectation {
            rows: Some([once.clone(), once].concat()),
            batch_rows: 1000,
            ..Default::default()
        },
    )
    .await;
}

#[tokio::test]
async fn verifiable_rows_of_several_tables() {
    conforms(
        r#"{"tables_configs": [
            {"sequence": true, "row.num": 30, "split.num": 2, "payload.max": 100},
            {"sequence": true, "row.num": 10, "schema": {"table": "db.b", "fields": {"seq": "bigint", "x": "int"}}}
        ]}"#,
        JobMode::Batch,
        SourceExpectation::default(),
    )
    .await;
}

#[tokio::test]
async fn rows_without_end() {
    conforms(
        r#"{"sequence": true, "row.num": -1, "payload.max": 50}"#,
        JobMode::Streaming,
        SourceExpectation { max_rows: 500, batch_rows: 20, ..Default::default() },
    )
    .await;
}

#[tokio::test]
async fn a_streaming_job_goes_on_after_the_last_row() {
    conforms(
        r#"{"row.num": 20, "schema": {"fields": {"id": "int"}}}"#,
        JobMode::Streaming,
        SourceExpectation::default(),
    )
    .await;
}
