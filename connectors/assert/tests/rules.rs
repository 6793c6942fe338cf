//! Every rule, kept and broken.

#![allow(clippy::unwrap_used, reason = "the helpers of tests panic too")]

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array};
use async_trait::async_trait;
use seatun_api::config::{Problem, options};
use seatun_api::registry::PluginContext;
use seatun_api::{
    Batch, Code, Delivery, Epoch, Error, Generation, JobMode, Result, Sink, SinkContext, SinkEntry, TableId,
    TableSchema, Versioned, Writer, WriterContext,
};
use seatun_connector_assert::{Assert, codes};
use seatun_connector_common::json_parse::parse;
use seatun_connector_common::json_value::JsonRows;
use seatun_connector_common::schema::SchemaConfig;
use seatun_testkit::{SinkBench, SinkRecorder, batches, sink_conformance};

fn build(rules: &str) -> Result<Box<dyn Sink>, Vec<Problem>> {
    let context = PluginContext {
        node: "assert".to_owned(),
        mode: JobMode::Batch,
        parallelism: 1,
        config_dir: ".".into(),
        inputs: Vec::new(),
        output: None,
    };
    let block = parse(&format!(r#"{{"rules": {rules}}}"#)).unwrap();
    (SinkEntry::of::<Assert>("").build)(&block, &context)
}

fn table(schema: &str) -> Arc<TableSchema> {
    let config: SchemaConfig = options(&parse(schema).unwrap()).unwrap_or_else(|p| panic!("{p:?}"));
    Arc::new(config.to_table(TableId::new("t")).unwrap())
}

fn rows(table: &Arc<TableSchema>, values: &[&str]) -> Batch {
    let mut rows = JsonRows::new(Arc::clone(&table.arrow), values.len()).unwrap();
    for value in values {
        rows.append(&parse(value).unwrap()).unwrap();
    }
    Batch::new(Arc::clone(table), rows.finish().unwrap()).unwrap()
}

fn sink_context(tables: &[Arc<TableSchema>]) -> SinkContext {
    SinkContext {
        job: "job".to_owned(),
        node: "assert".to_owned(),
        generation: Generation(1),
        mode: JobMode::Batch,
        tables: tables.to_vec(),
    }
}

async fn writer(
    sink: &dyn Sink,
    tables: &[Arc<TableSchema>],
    subtask: u32,
    restored: Option<Versioned>,
) -> Box<dyn Writer> {
    let restored = restored.into_iter().collect();
    let context = WriterContext { sink: sink_context(tables), subtask, parallelism: 2, restored };
    sink.writer(context).await.unwrap()
}

/// Runs a whole job: batches go to two writers in turn, in one epoch.
async fn run(rules: &str, tables: &[Arc<TableSchema>], batches: &[Batch]) -> Result<()> {
    let sink = build(rules).unwrap_or_else(|problems| panic!("{problems:?}"));
    sink.accepts(tables)?;
    let mut writers =
        [writer(sink.as_ref(), tables, 0, None).await, writer(sink.as_ref(), tables, 1, None).await];
    let mut items = Vec::new();
    for (index, batch) in batches.iter().enumerate() {
        writers[index % 2].write(batch.clone(), &mut SinkRecorder::default()).await?;
    }
    for writer in &mut writers {
        items.extend(writer.prepare(Epoch(1), &mut SinkRecorder::default()).await?.committables);
    }
    let mut committer = sink.committer(sink_context(tables)).await?.unwrap();
    committer.commit(Epoch(1), items.clone(), Vec::new()).await?;
    committer.commit(Epoch(1), items, Vec::new()).await?;
    committer.finish().await
}

/// The outcome of one rule on one column of one type.
async fn field(ty: &str, values: &[&str], field_type: &str, rule: &str) -> Result<()> {
    let table = table(&format!(r#"{{"fields": {{"c": {ty}}}}}"#));
    let lines: Vec<String> = values.iter().map(|value| format!("[{value}]")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let batch = rows(&table, &lines);
    let rules = format!(
        r#"{{"field_rules": [{{"field_name": "c", "field_type": {field_type}, "field_value": [{rule}]}}]}}"#
    );
    run(&rules, std::slice::from_ref(batch.table()), std::slice::from_ref(&batch)).await
}

fn assert_breach(result: Result<()>, code: Code, message: &str) {
    let error = result.expect_err(message);
    assert_eq!((error.code(), error.message()), (code, message), "{error:?}");
}

#[tokio::test]
async fn every_value_rule_passes_and_fails() {
    let int = r#""int""#;
    let text = r#""string""#;
    for (ty, good, bad, rule, message) in [
        (int, "1", "null", r#"{"rule_type": "NOT_NULL"}"#, ""),
        (
            int,
            "null",
            "1",
            r#"{"rule_type": "null"}"#,
            "rule NULL of column `c`: row 2 of table t is `1`, expected null",
        ),
        (
            int,
            "3",
            "2",
            r#"{"rule_type": "MIN", "rule_value": 3}"#,
            "rule MIN of column `c`: row 2 of table t is `2`, expected at least 3",
        ),
        (
            r#""decimal(4, 2)""#,
            "3.50",
            "3.51",
            r#"{"rule_type": "MAX", "rule_value": 3.5}"#,
            "rule MAX of column `c`: row 2 of table t is `3.51`, expected at most 3.5",
        ),
        (
            text,
            "\"äöü\"",
            "\"äö\"",
            r#"{"rule_type": "MIN_LENGTH", "rule_value": 3}"#,
            "rule MIN_LENGTH of column `c`: row 2 of table t is `äö`, expected at least 3 characters",
        ),
        (
            r#""bigint""#,
            "12",
            "-12",
            r#"{"rule_type": "MAX_LENGTH", "rule_value": 2}"#,
            "rule MAX_LENGTH of column `c`: row 2 of table t is `-12`, expected at most 2 characters",
        ),
        (
            text,
            "\"x\"",
            "\"y\"",
            r#"{"equals_to": "x"}"#,
            "rule equals_to of column `c`: row 2 of table t is `y`, expected `x`",
        ),
        (
            r#""decimal(10, 2)""#,
            "1.5",
            "1.51",
            r#"{"equals_to": 1.50}"#,
            "rule equals_to of column `c`: row 2 of table t is `1.51`, expected `1.50`",
        ),
        (
            r#""bytes""#,
            "\"aGk=\"",
            "\"aGo=\"",
            r#"{"equals_to": "aGk="}"#,
            "rule equals_to of column `c`: row 2 of table t is `[104, 106]`, expected `[104, 105]`",
        ),
        (
            r#""timestamp""#,
            "\"2024-01-01 00:00:00\"",
            "\"2024-01-01 00:00:01\"",
            r#"{"equals_to": "2024-01-01T00:00:00"}"#,
            "rule equals_to of column `c`: row 2 of table t is `2024-01-01T00:00:01`, expected \
             `2024-01-01T00:00:00`",
        ),
        (
            r#""array<int>""#,
            "[1, null]",
            "[1, 2]",
            r#"{"equals_to": [1, null]}"#,
            "rule equals_to of column `c`: row 2 of table t is `[1, 2]`, expected `[1, null]`",
        ),
        (
            r#""map<string, int>""#,
            r#"{"b": 2, "a": 1}"#,
            r#"{"a": 1, "b": 3}"#,
            r#"{"equals_to": {"a": 1, "b": 2}}"#,
            r#"rule equals_to of column `c`: row 2 of table t is `{"a":1,"b":3}`, expected `{"a":1,"b":2}`"#,
        ),
        (
            r#"{"x": "int", "y": "array<map<string, date>>"}"#,
            r#"[1, [{"d": "2024-01-01"}]]"#,
            r#"[1, [{"d": "2024-01-02"}]]"#,
            r#"{"equals_to": {"x": 1, "y": [{"d": "20240101"}]}}"#,
            "rule equals_to of column `c`: row 2 of table t is `[1, [{\"d\":\"2024-01-02\"}]]`, expected \
             `[1, [{\"d\":\"2024-01-01\"}]]`",
        ),
    ] {
        field(ty, &[good, good], ty, rule).await.unwrap_or_else(|error| panic!("{rule}: {error:?}"));
        let result = field(ty, &[good, bad], ty, rule).await;
        match message {
            // A null is not of the type, whatever the rules say.
            "" => assert_breach(
                result,
                codes::FIELD_TYPE,
                "rule field_type of column `c`: row 2 of table t is `null`, expected a value of type int",
            ),
            message => assert_breach(result, codes::FIELD_VALUE, message),
        }
    }
}

#[tokio::test]
async fn types_are_compared_exactly_and_nulls_are_of_the_null_type() {
    for (ty, values, asserted, ok) in [
        (r#""int""#, &["1"][..], r#""INT""#, true),
        (r#""int""#, &["1"], r#""bigint""#, false),
        (r#""int""#, &["null"], r#""int""#, false),
        (r#""int""#, &["null", "null"], r#""null""#, true),
        (r#""int""#, &["null", "1"], r#""null""#, false),
        (r#""null""#, &["null"], r#""null""#, true),
        (r#""decimal(10, 2)""#, &["12.34"], r#""decimal(4, 2)""#, true),
        (r#""decimal(10, 2)""#, &["123.45"], r#""decimal(4, 2)""#, false),
        (r#""decimal(4, 2)""#, &["12.34"], r#""decimal(10, 2)""#, true),
        (r#""decimal(10, 2)""#, &["1"], r#""decimal(10, 1)""#, false),
        (r#""array<int>""#, &["[1]"], r#""array<int>""#, true),
        (r#""array<int>""#, &["[1]"], r#""array<bigint>""#, false),
        (r#""map<string, int>""#, &["{}"], r#""map<string,int>""#, true),
        (r#""map<string, int>""#, &["{}"], r#""map<string,string>""#, false),
        (r#"{"a": "int"}"#, &["[1]"], r#"{"a": "int"}"#, true),
        (r#"{"a": "int"}"#, &["[1]"], r#"{"b": "int"}"#, false),
        (r#""timestamp_tz""#, &["\"2024-01-01T00:00:00Z\""], r#""timestamp""#, false),
        (r#""float_vector""#, &["[1]"], r#""float_vector""#, true),
    ] {
        let result = field(ty, values, asserted, "").await;
        match ok {
            true => result.unwrap_or_else(|error| panic!("{ty} as {asserted}: {error:?}")),
            false => assert_eq!(result.expect_err(asserted).code(), codes::FIELD_TYPE, "{ty} as {asserted}"),
        }
    }
}

#[tokio::test]
async fn a_number_that_is_none_breaks_both_bounds() {
    let values: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.0), Some(f64::NAN)]));
    let batch = batches::of_columns("t", vec![("c", values)]);
    for rule in ["MIN", "MAX"] {
        let rules = format!(
            r#"{{"field_rules": [{{"field_name": "c", "field_type": "double",
                "field_value": [{{"rule_type": "{rule}", "rule_value": 1}}]}}]}}"#
        );
        let error =
            run(&rules, std::slice::from_ref(batch.table()), std::slice::from_ref(&batch)).await.unwrap_err();
        assert!(error.message().contains("row 2 of table t is `NaN`"), "{error:?}");
    }
}

#[tokio::test]
async fn rows_are_counted_over_all_writers() {
    let table = table(r#"{"fields": {"id": "int"}}"#);
    let batch = rows(&table, &["[1]", "[2]", "[3]"]);
    let batches = [batch.clone(), batch.clone(), batch];
    for (rule, bound, message) in [
        ("MAX_ROW", 9, ""),
        ("MIN_ROW", 9, ""),
        ("MAX_ROW", 8, "rule MAX_ROW: table t has 9 rows, expected at most 8"),
        ("MIN_ROW", 10, "rule MIN_ROW: table t has 9 rows, expected at least 10"),
    ] {
        let rules = format!(r#"{{"row_rules": [{{"rule_type": "{rule}", "rule_value": {bound}}}]}}"#);
        let result = run(&rules, std::slice::from_ref(&table), &batches).await;
        match message {
            "" => result.unwrap(),
            message => assert_breach(result, codes::ROW_COUNT, message),
        }
    }
    let rules = r#"{"row_rules": [{"rule_type": "MIN_ROW", "rule_value": 1}]}"#;
    let result = run(rules, &[table], &[]).await;
    assert_breach(result, codes::ROW_COUNT, "rule MIN_ROW: table t has 0 rows, expected at least 1");
}

#[tokio::test]
async fn counts_survive_a_restart_and_are_not_doubled_by_it() {
    let table = table(r#"{"fields": {"id": "int"}}"#);
    let tables = std::slice::from_ref(&table);
    let batch = rows(&table, &["[1]", "[2]", "[3]"]);
    let rules = r#"{"row_rules": [{"rule_type": "MIN_ROW", "rule_value": 6}, {"rule_type": "MAX_ROW", "rule_value": 6}]}"#;
    let mut out = SinkRecorder::default();
    let sink = build(rules).unwrap();
    let mut first = writer(sink.as_ref(), tables, 0, None).await;
    first.write(batch.clone(), &mut out).await.unwrap();
    let prepared = first.prepare(Epoch(1), &mut out).await.unwrap();
    first.write(batch.clone(), &mut out).await.unwrap();
    drop((first, sink));
    // The process dies; the rows after the checkpoint come again.
    for rows_after in [1, 0] {
        let sink = build(rules).unwrap();
        let mut again = writer(sink.as_ref(), tables, 0, prepared.state.clone()).await;
        let mut committer = sink.committer(sink_context(tables)).await.unwrap().unwrap();
        committer.commit(Epoch(1), prepared.committables.clone(), Vec::new()).await.unwrap();
        for _ in 0..rows_after {
            again.write(batch.clone(), &mut out).await.unwrap();
        }
        let last = again.prepare(Epoch(2), &mut out).await.unwrap();
        committer.commit(Epoch(2), last.committables, Vec::new()).await.unwrap();
        match rows_after {
            1 => committer.finish().await.unwrap(),
            _ => assert_breach(
                committer.finish().await,
                codes::ROW_COUNT,
                "rule MIN_ROW: table t has 3 rows, expected at least 6",
            ),
        }
    }
    // A committer that saw none of the earlier epochs still knows the whole.
    let sink = build(rules).unwrap();
    let mut again = writer(sink.as_ref(), tables, 0, prepared.state).await;
    again.write(batch.clone(), &mut out).await.unwrap();
    let last = again.prepare(Epoch(2), &mut out).await.unwrap();
    let mut committer = sink.committer(sink_context(tables)).await.unwrap().unwrap();
    committer.commit(Epoch(2), last.committables, Vec::new()).await.unwrap();
    committer.finish().await.unwrap();
    assert_breach(
        again.write(batch, &mut out).await,
        codes::ROW_COUNT,
        "rule MAX_ROW: table t has 9 rows, expected at most 6",
    );
}

#[tokio::test]
async fn tables_have_their_own_rules_and_must_be_those_named() {
    let [a, b] =
        ["db.a", "db.b"].map(|name| table(&format!(r#"{{"table": "{name}", "fields": {{"id": "int"}}}}"#)));
    let tables = [Arc::clone(&a), Arc::clone(&b)];
    let batches = [rows(&a, &["[1]"]), rows(&b, &["[5]", "[6]"])];
    let rules = |min: u8| {
        format!(
            r#"{{"table-names": ["db.b", "db.a"], "tables_configs": [
                {{"table_path": "db.a", "row_rules": [{{"rule_type": "MAX_ROW", "rule_value": 1}}]}},
                {{"table_path": "db.b", "field_rules": [{{"field_name": "id", "field_type": "int",
                    "field_value": [{{"rule_type": "MIN", "rule_value": {min}}}]}}]}}]}}"#
        )
    };
    run(&rules(5), &tables, &batches).await.unwrap();
    let result = run(&rules(6), &tables, &batches).await;
    let message = "rule MIN of column `id`: row 1 of table db.b is `5`, expected at least 6";
    assert_breach(result, codes::FIELD_VALUE, message);
    let result = run(&rules(5), &tables, &batches[..1]).await;
    let message = "rule table-names: rows came of db.a, expected db.a, db.b";
    assert_breach(result, codes::TABLE_NAMES, message);
    let missing = r#"{"tables_configs": [{"table_path": "db.c",
        "row_rules": [{"rule_type": "MIN_ROW", "rule_value": 1}]}]}"#;
    let message = "rule MIN_ROW: table db.c has 0 rows, expected at least 1";
    assert_breach(run(missing, &tables, &batches).await, codes::ROW_COUNT, message);
}

const DECLARED: &str = r#"{"table": "db.t", "columns": [
        {"name": "id", "type": "bigint", "nullable": false, "comment": "the key"},
        {"name": "code", "type": "string", "columnLength": 20, "defaultValue": "x"}],
    "primaryKey": {"name": "pk", "columnNames": ["id"]},
    "constraintKeys": [{"constraintName": "i", "constraintType": "UNIQUE_KEY",
        "constraintColumns": [{"columnName": "code", "sortType": "DESC"}]}]}"#;

#[tokio::test]
async fn a_table_is_declared_as_it_should_be() {
    let table = table(DECLARED);
    let tables = std::slice::from_ref(&table);
    let good = r#"{"catalog_table_rule": {
        "table_identifier_rule": {"catalog_name": "any", "table": "db.t"},
        "primary_key_rule": {"primary_key_name": "pk", "primary_key_columns": ["id"]},
        "constraint_key_rule": [{"constraint_key_name": "i", "constraint_key_type": "UNIQUE_KEY",
            "constraint_key_columns": [{"constraint_key_column_name": "code", "constraint_key_sort_type": "DESC"}]}],
        "column_rule": [
            {"name": "code", "type": "string", "column_length": 20, "default_value": "x"},
            {"name": "id", "type": "bigint", "nullable": false, "comment": "the key"}]}}"#;
    run(good, tables, &[]).await.unwrap();
    for (from, to, message) in [
        (r#""db.t""#, r#""db.u""#, "table db.t: the name should have db.u and has db.t instead"),
        (r#"["id"]"#, r#"["code"]"#, "table db.t: the primary key should have code and has id instead"),
        (r#""pk""#, r#""key""#, "table db.t: the primary key's name should have key and has pk instead"),
        (
            r#""UNIQUE_KEY""#,
            r#""INDEX_KEY""#,
            "table db.t: the keys should have i IndexKey (code Desc) and has i UniqueKey (code Desc) instead",
        ),
        (
            r#""column_length": 20"#,
            r#""column_length": 21"#,
            "table db.t: the columns should have code string length 21 default `x` and has code string length 20 \
             default `x` instead",
        ),
        (
            r#""nullable": false, "#,
            "",
            "table db.t: the columns should have id bigint comment `the key` and has id bigint not null comment \
             `the key` instead",
        ),
        (
            r#""default_value": "x""#,
            r#""default_value": 1"#,
            "table db.t: the columns should have code string length 20 default `1` and has code string length 20 \
             default `x` instead",
        ),
    ] {
        assert!(good.contains(from));
        assert_breach(run(&good.replacen(from, to, 1), tables, &[]).await, codes::CATALOG_TABLE, message);
    }
}

#[tokio::test]
async fn rules_that_make_no_sense_are_named_before_the_job_runs() {
    for (rules, message) in [
        ("{}", "option `rules`: there are no rules"),
        (r#"{"row_rules": [], "table-names": []}"#, "option `rules`: there are no rules"),
        (
            r#"{"row_rules": [{"rule_type": "MAX_ROWS", "rule_value": 1}]}"#,
            "option `rules.row_rules[0].rule_type`: unknown value `MAX_ROWS`; did you mean `MAX_ROW`?",
        ),
        (
            r#"{"tables_configs": [{"table_path": "a"}, {"table_path": "a"}]}"#,
            "option `rules.tables_configs[1].table_path`: table a has rules already",
        ),
        (
            r#"{"field_rules": [{"field_name": "c", "field_type": "itn"}]}"#,
            "option `rules.field_rules[0].field_type`: `itn` is not a type; did you mean `int`?",
        ),
    ] {
        let problems = build(rules).err().unwrap();
        assert_eq!(problems[0].message, message);
    }
    for (rule, message) in [
        (r#"{"rule_type": "MIN_LENGTH"}"#, "column `c`: rule MIN_LENGTH needs `rule_value`"),
        (r#"{"rule_type": "MIN", "rule_value": 1}"#, "column `c`: rule MIN needs numbers, it is string"),
        ("{}", "column `c`: a rule needs `rule_type` or `equals_to`"),
        (
            r#"{"rule_type": "MIN", "equals_to": 1}"#,
            "column `c`: a rule has `rule_type` or `equals_to`, not both",
        ),
    ] {
        assert_breach(field(r#""string""#, &[], r#""string""#, rule).await, codes::INVALID_RULE, message);
    }
    let error: Error = field(r#""int""#, &[], r#""int""#, r#"{"equals_to": "x"}"#).await.unwrap_err();
    assert_eq!(error.message(), "column `c` of type int: the text is not a number");
    let table = table(r#"{"fields": {"name": "int"}}"#);
    let rules = r#"{"field_rules": [{"field_name": "nam", "field_type": "int"}]}"#;
    let error = run(rules, &[table], &[]).await.unwrap_err();
    assert_eq!(
        (error.message(), error.hint()),
        ("table t has no column `nam`", Some("did you mean `name`?"))
    );
}

struct Bench;

#[async_trait]
impl SinkBench for Bench {
    fn make(&self, _: &str) -> Box<dyn Sink> {
        let rules = r#"{"row_rules": [{"rule_type": "MIN_ROW", "rule_value": 1}]}"#;
        let sink = build(rules).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(sink.delivery(), Delivery::ExactlyOnce);
        sink
    }

    async fn visible(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn expected(&self, _: &Batch) -> Vec<String> {
        Vec::new()
    }
}

#[tokio::test]
async fn it_keeps_the_promises_of_a_sink() {
    sink_conformance(&Bench).await;
}
