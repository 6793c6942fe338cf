//! The source over a store that is no file system: nothing but listing and ranged reads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::{ObjectStore, PutPayload};
use seatun_api::JobMode;
use seatun_api::config::{Value, ValueKind, options};
use seatun_api::registry::PluginContext;
use seatun_api::source::PlanRequest;
use seatun_testkit::{ReadOptions, SourceRecorder, read_all};
use tokio::sync::OnceCell;

use super::planner::Discovery;
use super::table::{Table, TablePlan};
use super::{FileSource, FileSourceConfig, Source};
use crate::store::{Location, object_path};

async fn bucket(files: &[(&str, &str)]) -> Arc<dyn ObjectStore> {
    let store = InMemory::new();
    for (path, content) in files {
        put(&store, path, content).await;
    }
    Arc::new(store)
}

async fn put(store: &dyn ObjectStore, path: &str, content: &str) {
    let payload = PutPayload::from(content.as_bytes().to_vec());
    store.put_opts(&object_path(path).unwrap(), payload, Default::default()).await.unwrap();
}

fn source(store: &Arc<dyn ObjectStore>, path: &str, format: &str, split_size: u64) -> FileSource {
    let text = |text: &str| Value::string(text);
    let map = |entries: Vec<(&str, Value)>| {
        Value::of(ValueKind::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
    };
    let config: FileSourceConfig = options(&map(vec![
        ("path", text(path)),
        ("file_format_type", text(format)),
        ("schema", map(vec![("fields", map(vec![("id", text("int"))]))])),
    ]))
    .unwrap();
    let context = PluginContext {
        node: "files".to_owned(),
        mode: JobMode::Batch,
        parallelism: 1,
        config_dir: PathBuf::new(),
        inputs: Vec::new(),
        output: None,
    };
    let location = Location {
        store: Arc::clone(store),
        path: path.to_owned(),
        prefix: "memory://bucket/".to_owned(),
        local: false,
    };
    let plan = TablePlan::new(&config, &context).unwrap();
    FileSource {
        tables: vec![Table { plan, location }],
        declared: None,
        discovery: Discovery { mode: JobMode::Batch, split_size, max_files: 0, min_age: 0, max_age: 0 },
        interval: Duration::from_secs(1),
        resolved: OnceCell::new(),
    }
}

#[tokio::test]
async fn folders_patterns_partitions_and_parts_are_those_of_a_file_system() {
    let lines: String = (0..50).map(|n| format!("{{\"id\": {n}}}\n")).collect();
    let store = bucket(&[
        ("in/day=1/a.json", &lines),
        ("in/day=2/b.json", "{\"id\": 50}\n"),
        ("in/_tmp/c.json", "x"),
        ("in/day=1/.d.json", "x"),
        ("other.json", "x"),
    ])
    .await;
    let mut expected: Vec<String> = (0..50).map(|n| format!("{n}|1")).collect();
    expected.push("50|2".to_owned());
    for path in ["in", "in/day=*", "in/**/[ab].json"] {
        let source = source(&store, path, "json", 64);
        let reading = read_all(&source, &ReadOptions::default()).await;
        assert_eq!(reading.rows(), expected, "{path}");
        assert!(reading.splits.len() > 5, "json is cut by ranged reads");
        assert_eq!(source.probe().await.unwrap(), format!("2 files, {} bytes", lines.len() + 11));
    }
    let one = read_all(&source(&store, "in/day=2/b.json", "json", 0), &ReadOptions::default()).await;
    assert_eq!(one.rows(), ["50|2"]);
}

#[tokio::test]
async fn csv_with_quotes_is_not_looked_through_from_afar() {
    let content = "1\n\"2\"\n3\n".repeat(20);
    let store = bucket(&[("a.csv", &content)]).await;
    let reading = read_all(&source(&store, "a.csv", "csv", 8), &ReadOptions::default()).await;
    assert_eq!(reading.splits.len(), 1);
    assert_eq!(reading.recorder.num_rows(), 60);
}

#[tokio::test]
async fn an_object_that_was_replaced_is_refused_and_nothing_there_is_an_error() {
    let store = bucket(&[("a.csv", "1\n2\n")]).await;
    let source_of_a = source(&store, "a.csv", "csv", 0);
    let active = BTreeMap::new();
    let request = || PlanRequest { state: None, active: &active };
    let splits = source_of_a.plan(request()).await.unwrap().add;
    put(store.as_ref(), "a.csv", "3\n4\n").await;
    let mut reader = source_of_a.reader(ReadOptions::default().context(0)).await.unwrap();
    reader.add_splits(splits).await.unwrap();
    let error = reader.next(&mut SourceRecorder::new()).await.unwrap_err();
    assert_eq!(error.code().0, "ST-0603");
    let nothing = source(&store, "nowhere/", "csv", 0);
    assert_eq!(nothing.plan(request()).await.unwrap_err().code().0, "ST-0600");
}
