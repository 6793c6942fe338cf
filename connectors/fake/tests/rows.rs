//! What the rows of a source are, by its options.

#![allow(clippy::unwrap_used, reason = "the helpers of tests panic too")]

use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_array::{Array, RecordBatch};
use async_trait::async_trait;
use seatun_api::config::Problem;
use seatun_api::registry::PluginContext;
use seatun_api::source::PlanRequest;
use seatun_api::{
    Batch, JobMode, PositionDelta, Reject, Result, SchemaChange, Source, SourceEntry, SourceOutput, SplitId,
    Watermark,
};
use seatun_connector_common::json_parse::parse;
use seatun_connector_common::json_text::row_text;
use seatun_connector_fake::{FakeSource, sequence};
use seatun_testkit::{ReadOptions, read_all, read_splits, rows};

fn build(options: &str, mode: JobMode, parallelism: u32) -> Result<Box<dyn Source>, Vec<Problem>> {
    let context = PluginContext {
        node: "fake".to_owned(),
        mode,
        parallelism,
        config_dir: ".".into(),
        inputs: Vec::new(),
        output: Some("fake".to_owned()),
    };
    (SourceEntry::of::<FakeSource>("").build)(&parse(options).unwrap(), &context)
}

async fn batches(options: &str, parallelism: u32) -> Vec<Batch> {
    let source =
        build(options, JobMode::Batch, parallelism).unwrap_or_else(|problems| panic!("{problems:?}"));
    let reading = read_all(source.as_ref(), &ReadOptions::default()).await;
    reading.recorder.batches().cloned().collect()
}

async fn one_batch(options: &str) -> RecordBatch {
    let batches = batches(options, 1).await;
    let rows: Vec<&RecordBatch> = batches.iter().map(Batch::rows).collect();
    arrow_select::concat::concat_batches(&rows[0].schema(), rows).unwrap()
}

fn problem(options: &str, mode: JobMode) -> String {
    let problems = build(options, mode, 1).err().unwrap_or_else(|| panic!("accepted: {options}"));
    assert_eq!(problems.len(), 1, "{problems:?}");
    format!("{} {}", problems[0].code, problems[0].message)
}

#[tokio::test]
async fn values_stay_in_their_ranges() {
    let rows = one_batch(
        r#"{"row.num": 2000, "string.length": 9, "bytes.length": 3, "array.size": 2,
            "tinyint.min": -3, "tinyint.max": 3, "smallint.min": 10, "smallint.max": 12,
            "int.min": -2147483648, "bigint.min": 7, "bigint.max": 7,
            "float.min": 40.0, "float.max": 43.0, "double.min": -1e308, "double.max": 1e308,
            "date.year.template": [2023, 2024], "date.month.template": [2], "date.day.template": [31],
            "schema": {"columns": [
                {"name": "t", "type": "tinyint"}, {"name": "s", "type": "smallint"},
                {"name": "i", "type": "int"}, {"name": "b", "type": "bigint"},
                {"name": "f", "type": "float"}, {"name": "d", "type": "double"},
                {"name": "text", "type": "string"}, {"name": "short", "type": "string", "columnLength": 2},
                {"name": "bytes", "type": "bytes"}, {"name": "dec", "type": "decimal(5, 2)"},
                {"name": "date", "type": "date"}, {"name": "list", "type": "array<tinyint>"},
                {"name": "r", "type": "float", "columnScale": 1},
                {"name": "def", "type": "decimal(5, 2)", "defaultValue": 1.5}
            ]}}"#,
    )
    .await;
    assert_eq!(rows.num_rows(), 2000);
    let column = |name: &str| rows.column_by_name(name).unwrap();
    let mut tiny: Vec<i8> = column("t").as_primitive::<Int8Type>().values().to_vec();
    tiny.sort_unstable();
    tiny.dedup();
    assert_eq!(tiny, [-3, -2, -1, 0, 1, 2], "from min to below max");
    assert!(column("s").as_primitive::<Int16Type>().values().iter().all(|v| (10..12).contains(v)));
    let ints = column("i").as_primitive::<Int32Type>().values();
    assert!(ints.iter().any(|v| *v < -1_000_000_000) && ints.iter().any(|v| *v > 1_000_000_000));
    assert!(column("b").as_primitive::<Int64Type>().values().iter().all(|v| *v == 7));
    assert!(column("f").as_primitive::<Float32Type>().values().iter().all(|v| (40.0..43.0).contains(v)));
    assert!(column("d").as_primitive::<Float64Type>().values().iter().all(|v| v.is_finite()));
    assert!(column("text").as_string::<i32>().iter().all(|v| v.unwrap().len() == 9));
    assert!(column("short").as_string::<i32>().iter().all(|v| v.unwrap().len() == 2));
    assert!(column("bytes").as_binary::<i32>().iter().all(|v| v.unwrap().len() == 3));
    assert!(column("dec").as_primitive::<Decimal128Type>().values().iter().all(|v| (0..100_000).contains(v)));
    let mut days: Vec<i32> = column("date").as_primitive::<Date32Type>().values().to_vec();
    days.sort_unstable();
    days.dedup();
    assert_eq!(days, [19_416, 19_782], "2023-02-28 and 2024-02-29");
    assert!(column("list").as_list::<i32>().iter().all(|v| v.unwrap().len() == 2));
    for value in column("r").as_primitive::<Float32Type>().values() {
        assert!(value.is_finite());
    }
    assert_eq!(column("def").as_primitive::<Decimal128Type>().value_as_string(1999), "1.50");
    assert_eq!(rows.columns().iter().map(|column| column.null_count()).sum::<usize>(), 0);
}

#[tokio::test]
async fn templates_are_picked_from_with_and_without_the_mode() {
    let rows = one_batch(
        r#"{"row.num": 300, "string": {"fake": {"mode": "TEMPLATE"}, "template": "a, b"},
            "int.template": [1, 2], "double.template": [0.5], "time.hour.template": [4],
            "time.minute.template": [5], "time.second.template": [6],
            "schema.fields": {"s": "string", "i": "int", "d": "double", "t": "time"}}"#,
    )
    .await;
    let mut texts: Vec<String> = (0..300).map(|row| row_text(&rows, row)).collect();
    texts.sort();
    texts.dedup();
    let row = |s: &str, i: u8| format!(r#"{{"s":"{s}","i":{i},"d":0.5,"t":"04:05:06"}}"#);
    assert_eq!(texts, [row("a", 1), row("a", 2), row("b", 1), row("b", 2)]);
}

#[tokio::test]
async fn map_keys_are_different() {
    let rows = one_batch(
        r#"{"row.num": 200, "map.size": 4, "tinyint.max": 3,
            "schema": {"fields": {"m": "map<tinyint, string>", "wide": "map<string, int>"}}}"#,
    )
    .await;
    let sizes: Vec<usize> = rows.column(0).as_map().iter().map(|entries| entries.unwrap().len()).collect();
    assert!(sizes.iter().all(|size| (1..=3).contains(size)), "{sizes:?}");
    assert!(rows.column(1).as_map().iter().all(|entries| entries.unwrap().len() == 4));
}

#[tokio::test]
async fn rows_depend_on_seed_and_split_and_on_nothing_else() {
    let options = |seed: &str| {
        format!(
            r#"{{"row.num": 50, "split.num": 2{seed}, "schema": {{"fields": {{"a": "string", "b": "bigint"}}}}}}"#
        )
    };
    let text = |batches: Vec<Batch>| rows::batches_text(&batches);
    let first = text(batches(&options(""), 2).await);
    assert_eq!(first, text(batches(&options(""), 2).await));
    assert_ne!(first, text(batches(&options(r#", "seed": 1"#), 2).await));
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 100, "no split repeats another");
    let cut = text(batches(&options(r#", "batch.rows": 3"#), 2).await);
    assert_eq!(first, cut, "however the rows are cut into batches");
}

#[tokio::test]
async fn verifiable_rows_can_be_computed_again() {
    let rows = one_batch(
        r#"{"sequence": true, "row.num": 500, "split.num": 2, "payload.max": 300,
            "schema": {"fields": {"crc": "bigint", "more": "int"}}}"#,
    )
    .await;
    let names: Vec<&str> = rows.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["crc", "more", "writer", "seq", "payload"]);
    let writers = rows["writer"].as_primitive::<Int32Type>();
    let seqs = rows["seq"].as_primitive::<Int64Type>();
    for row in 0..500 {
        let (writer, seq) = (writers.value(row), seqs.value(row));
        assert_eq!((writer, seq), ((row / 250) as i32, (row % 250) as i64 + 1));
        let payload = sequence::payload(writer, seq, 300);
        assert_eq!(rows["payload"].as_string::<i32>().value(row), payload);
        assert_eq!(rows["crc"].as_primitive::<Int64Type>().value(row), sequence::crc(&payload));
    }
}

#[tokio::test]
async fn a_key_counts_up_over_all_splits() {
    let batches = batches(
        r#"{"row.num": 10, "split.num": 3, "auto.increment.enabled": true, "auto.increment.start": 5,
            "schema": {"fields": {"x": "string", "id": "smallint"}, "primaryKey": {"columnNames": ["id"]}}}"#,
        2,
    )
    .await;
    let mut keys: Vec<i16> = batches
        .iter()
        .flat_map(|batch| batch.column(1).as_primitive::<Int16Type>().values().to_vec())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, (5..25).collect::<Vec<i16>>());
}

#[tokio::test]
async fn current_times_are_those_of_the_plan_and_stay_the_same() {
    let options = r#"{"schema": {"fields": {"d": "date", "t": "time", "ts": "timestamp", "tz": "timestamp_tz",
            "s": "string", "y": "timestamp"}},
        "rows": [{"fields": ["CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP",
            "CURRENT_DATE", "2020-01-01 00:00:00"]}]}"#;
    let source = build(options, JobMode::Batch, 1).unwrap();
    let none = std::collections::BTreeMap::new();
    let plan = source.plan(PlanRequest { state: None, active: &none }).await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let later = build(options, JobMode::Batch, 1).unwrap();
        seen.push(read_splits(later.as_ref(), plan.add.clone(), &ReadOptions::default()).await.rows());
    }
    assert_eq!(seen[0], seen[1]);
    let now = chrono::Utc::now();
    let year = now.format("%Y").to_string();
    let parts: Vec<&str> = seen[0][0].split('|').collect();
    assert!(parts[3].starts_with(&year) || now.timestamp() % 86_400 < 60, "{parts:?}");
    assert_eq!(parts[4], "CURRENT_DATE", "a text column keeps the text");
}

struct Counting {
    rows: usize,
}

#[async_trait]
impl SourceOutput for Counting {
    async fn emit(&mut self, batch: Batch, _: PositionDelta) -> Result<()> {
        self.rows += batch.num_rows();
        Ok(())
    }

    async fn advance(&mut self, _: PositionDelta) -> Result<()> {
        Ok(())
    }

    async fn reject(&mut self, reject: Reject) -> Result<()> {
        Err(reject.error)
    }

    async fn schema_change(&mut self, _: SchemaChange, _: PositionDelta) -> Result<()> {
        Ok(())
    }

    async fn watermark(&mut self, _: &SplitId, _: Watermark) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn rows_are_not_faster_than_the_rate() {
    let options = r#"{"row.num": -1, "rate": 2000, "schema": {"fields": {"id": "int"}}}"#;
    let source = build(options, JobMode::Streaming, 2).unwrap();
    let none = std::collections::BTreeMap::new();
    let plan = source.plan(PlanRequest { state: None, active: &none }).await.unwrap();
    let read = ReadOptions { parallelism: 2, ..ReadOptions::default() };
    let mut reader = source.reader(read.context(0)).await.unwrap();
    reader.add_splits(plan.add[..1].to_vec()).await.unwrap();
    let mut out = Counting { rows: 0 };
    let started = std::time::Instant::now();
    while out.rows < 300 {
        reader.next(&mut out).await.unwrap();
    }
    // Each of two readers has half of the rate, and is ahead of it by one batch: a tenth of a second.
    let most = (started.elapsed() + Duration::from_millis(100)).as_secs_f64() * 1000.0 + 1.0;
    assert!(out.rows as f64 <= most, "{} rows where {most} are due", out.rows);
}

#[test]
fn wrong_options_are_named() {
    let schema = r#""schema": {"fields": {"id": "int", "name": "string"}}"#;
    for (options, message) in [
        ("{}".to_owned(), "ST-0103 option `schema` is required"),
        (format!(r#"{{{schema}, "row.num": -2}}"#), "ST-0104 option `row.num`: must be 0 or more, or -1"),
        (
            format!(r#"{{{schema}, "row.num": -1}}"#),
            "ST-0104 option `row.num`: rows without end need a streaming job",
        ),
        (format!(r#"{{{schema}, "split.num": 0}}"#), "ST-0104 option `split.num`: must be 1 or more"),
        (format!(r#"{{{schema}, "rate": 0}}"#), "ST-0104 option `rate`: must be above 0"),
        (
            format!(r#"{{{schema}, "int.min": 5, "int.max": 4}}"#),
            "ST-0104 option `int.max`: `int.min` is 5 but `int.max` is 4",
        ),
        (
            format!(r#"{{{schema}, "string.fake.mode": "template"}}"#),
            "ST-0104 option `string.fake.mode`: the mode `template` needs `string.template`",
        ),
        (
            format!(r#"{{{schema}, "string.length": 4000000000}}"#),
            "ST-0104 a row would take 4000000012 bytes, more than 67108864",
        ),
        (
            format!(r#"{{{schema}, "rows": [{{"fields": [1, "a"]}}, {{"fields": ["x", "a"]}}]}}"#),
            "ST-0703 option `rows[1].fields`: column `id` of type int: the text is not a number",
        ),
        (
            format!(r#"{{{schema}, "auto.increment.enabled": true}}"#),
            "ST-0104 option `auto.increment.enabled`: needs a primary key of one column of type tinyint, smallint, \
             int or bigint",
        ),
        (
            r#"{"sequence": true, "schema": {"fields": {"seq": "int"}}}"#.to_owned(),
            "ST-0104 option `schema`: `sequence` needs column `seq` to be bigint",
        ),
        (
            r#"{"schema": {"fields": {"d": "date"}}, "date.month.template": [13]}"#.to_owned(),
            "ST-0104 option `date.month.template`: each must be from 1 to 12",
        ),
        (
            r#"{"schema": {"columns": [{"name": "d", "type": "int", "defaultValue": "x"}]}}"#.to_owned(),
            "ST-0703 option `schema.columns`: column `d` of type int: the text is not a number",
        ),
        (
            r#"{"schema": {"fields": {"d": "int"}, "primaryKey": {"columnNames": ["e"]}}}"#.to_owned(),
            "ST-0004 option `schema.primaryKey.columnNames`: table fake has no column `e`",
        ),
        (
            format!(r#"{{"tables_configs": [{{{schema}}}, {{{schema}}}]}}"#),
            "ST-0104 option `tables_configs`: table fake is there twice",
        ),
        (
            format!(r#"{{"tables_configs": [{{{schema}, "int.max": -1}}]}}"#),
            "ST-0104 option `tables_configs[0].int.max`: `int.min` is 0 but `int.max` is -1",
        ),
        (
            format!(r#"{{"tables_configs": [{{{schema}}}], "row.num": 7}}"#),
            "ST-0104 option `row.num`: has no effect beside `tables_configs`",
        ),
    ] {
        assert_eq!(problem(&options, JobMode::Batch), message, "{options}");
    }
}

#[test]
fn the_options_have_a_json_schema_with_documentation() {
    let schema = serde_json::to_value((SourceEntry::of::<FakeSource>("").schema)()).unwrap();
    let option = &schema["properties"]["row.num"];
    assert!(option["description"].as_str().unwrap().contains("Default: 5"), "{option}");
}
