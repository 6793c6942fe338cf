//! What is printed, and the promises of a sink.

#![allow(clippy::unwrap_used, reason = "the helpers of tests panic too")]

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use async_trait::async_trait;
use seatun_api::config::options;
use seatun_api::registry::{PluginContext, SinkConnector};
use seatun_api::{Batch, ChangeKind, Delivery, Epoch, Generation, JobMode, Sink, SinkContext, WriterContext};
use seatun_connector_common::json_parse::parse;
use seatun_connector_common::print::write_row;
use seatun_connector_common::types::parse_type;
use seatun_connector_console::Console;
use seatun_testkit::{SinkBench, SinkRecorder, batches, sink_conformance};

#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn sink(config: &str, target: Box<dyn Write + Send>) -> Box<dyn Sink> {
    let context = PluginContext {
        node: "console".to_owned(),
        mode: JobMode::Batch,
        parallelism: 1,
        config_dir: ".".into(),
        inputs: Vec::new(),
        output: None,
    };
    let config = options(&parse(config).unwrap()).unwrap_or_else(|problems| panic!("{problems:?}"));
    Console::validate(config, &context).unwrap().into_sink(target)
}

fn writer_context(subtask: u32, batch: &Batch) -> WriterContext {
    let sink = SinkContext {
        job: "job".to_owned(),
        node: "console".to_owned(),
        generation: Generation(1),
        mode: JobMode::Batch,
        tables: vec![Arc::clone(batch.table())],
    };
    WriterContext { sink, subtask, parallelism: 2, restored: Vec::new() }
}

async fn print(config: &str, batch: &Batch, subtask: u32) -> Vec<String> {
    let screen = Screen::default();
    let sink = sink(config, Box::new(screen.clone()));
    let mut writer = sink.writer(writer_context(subtask, batch)).await.unwrap();
    writer.write(batch.clone(), &mut SinkRecorder::default()).await.unwrap();
    writer.prepare(Epoch(1), &mut SinkRecorder::default()).await.unwrap();
    screen.lines()
}

fn changes() -> Batch {
    let table = batches::table("db.users", &[("id", DataType::Int64), ("na\u{1b}me", DataType::Utf8)]);
    let rows = vec![batches::int64([Some(1), None]), batches::utf8([Some("a\u{1b}[2J\nb"), None])];
    batches::with_kinds(batches::batch(&table, rows), &[ChangeKind::UpdateAfter, ChangeKind::Delete])
}

#[tokio::test]
async fn rows_are_printed_in_seatunnels_form_with_control_characters_escaped() {
    assert_eq!(
        print("{}", &changes(), 0).await,
        [
            "output rowType: id<BIGINT>, na\\u001bme<STRING>",
            "subtaskIndex=0  rowIndex=1:  SeaTunnelRow#tableId=db.users SeaTunnelRow#kind=UPDATE_AFTER : \
             1, a\\u001b[2J\\nb",
            "subtaskIndex=0  rowIndex=2:  SeaTunnelRow#tableId=db.users SeaTunnelRow#kind=DELETE : null, null",
        ]
    );
    let second = print("{}", &changes(), 1).await;
    assert_eq!(second.len(), 2, "the columns are printed once");
    assert!(second[0].starts_with("subtaskIndex=1  rowIndex=1:"), "{second:?}");
}

#[tokio::test]
async fn the_types_of_nested_columns_are_printed_with_the_fields_own_names() {
    let ty = parse_type("map<string, {streetName = array<int>, b = decimal(4, 2)}>").unwrap();
    let table = batches::table("t", &[("m", ty)]);
    let batch = Batch::new(Arc::clone(&table), RecordBatch::new_empty(Arc::clone(&table.arrow))).unwrap();
    assert_eq!(
        print("{}", &batch, 0).await,
        ["output rowType: m<MAP<STRING, ROW<streetName ARRAY<INT>, b DECIMAL(4, 2)>>>"]
    );
}

#[tokio::test]
async fn rows_can_be_counted_only() {
    assert_eq!(print(r#"{"log.print.data": false}"#, &changes(), 0).await, [""; 0]);
}

#[tokio::test]
async fn a_delay_follows_each_row() {
    let started = std::time::Instant::now();
    print(r#"{"log": {"print": {"delay": {"ms": "50"}}}}"#, &changes(), 0).await;
    assert!(started.elapsed() >= Duration::from_millis(100), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_closed_output_ends_the_job_with_a_coded_error() {
    let sink = sink("{}", Box::new(Closed));
    let error = sink.writer(writer_context(0, &changes())).await.err().unwrap();
    assert_eq!(error.code(), seatun_connector_console::codes::OUTPUT);
}

struct Bench(Mutex<BTreeMap<String, Screen>>);

#[async_trait]
impl SinkBench for Bench {
    fn make(&self, case: &str) -> Box<dyn Sink> {
        let screen = self.0.lock().unwrap().entry(case.to_owned()).or_default().clone();
        let sink = sink("{}", Box::new(screen));
        assert_eq!(sink.delivery(), Delivery::AtLeastOnce);
        sink
    }

    async fn visible(&self, case: &str) -> Vec<String> {
        let screen = self.0.lock().unwrap().get(case).cloned().unwrap_or_default();
        let lines = screen.lines();
        lines.iter().filter_map(|line| Some(line.split_once(" : ")?.1.to_owned())).collect()
    }

    fn expected(&self, batch: &Batch) -> Vec<String> {
        let line = |row| {
            let mut out = String::new();
            write_row(&mut out, batch.rows(), row);
            out
        };
        (0..batch.num_rows()).map(line).collect()
    }
}

#[tokio::test]
async fn it_keeps_the_promises_of_a_sink() {
    sink_conformance(&Bench(Mutex::default())).await;
}
