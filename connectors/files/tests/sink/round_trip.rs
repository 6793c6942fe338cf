//! What the sink writes, the source reads: every type through every format, with the losses named.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use seatun_api::Source;
use seatun_api::config::{Value, options};
use seatun_api::registry::SourceConnector;
use seatun_connector_common::types::type_name;
use seatun_connector_files::LocalFileSource;
use seatun_testkit::{ReadOptions, batches, read_all, rows};
use serde_json::json;

use super::bench::{Bench, Options, plugin_context};

fn source(options_of: &Options, folder: &Path) -> Box<dyn Source> {
    let context = plugin_context(folder);
    let value: Value = serde_json::from_value(options_of.clone()).unwrap();
    let config = options(&value).unwrap_or_else(|problems| panic!("{problems:?}"));
    LocalFileSource::build(LocalFileSource::validate(config, &context).unwrap(), &context).unwrap()
}

/// Rows that come back otherwise: format, column, row, what is read instead. Separators alone do not tell an
/// empty list or map from null, nor an empty text in a list; `text` has no quotes to tell an empty text by.
const LOSSES: &[(&str, &str, usize, &str)] = &[
    ("csv", "c_array", 2, "∅"),
    ("csv", "c_text_array", 2, "∅"),
    ("csv", "c_text_array", 3, "[∅, x, y]"),
    ("csv", "c_map", 2, "∅"),
    ("text", "c_string", 2, "∅"),
    ("text", "c_bytes", 2, "∅"),
    ("text", "c_array", 2, "∅"),
    ("text", "c_text_array", 2, "∅"),
    ("text", "c_text_array", 3, "[∅, x, y]"),
    ("text", "c_map", 2, "∅"),
];

/// Rows that a format rejects: format, column, row. Bytes that are no text, a line break where nothing is
/// quoted, an empty key of a map.
const REJECTED: &[(&str, &str, usize)] = &[
    ("csv", "c_bytes", 3),
    ("csv", "c_bytes", 4),
    ("csv", "c_map", 4),
    ("text", "c_string", 3),
    ("text", "c_bytes", 3),
    ("text", "c_bytes", 4),
    ("text", "c_map", 4),
];

fn loss(format: &str, column: &str, row: usize) -> Option<&'static str> {
    LOSSES.iter().find(|loss| (loss.0, loss.1, loss.2) == (format, column, row)).map(|loss| loss.3)
}

#[tokio::test]
async fn every_type_comes_back() {
    let mut wrong = Vec::new();
    for format in ["parquet", "json", "csv", "text"] {
        for (name, column) in batches::contract_columns() {
            let numbers: ArrayRef = Arc::new((0..5).collect::<Int64Array>());
            let batch = batches::of_columns("t", vec![("n", numbers), ("v", Arc::clone(&column))]);
            let mut sink_options = json!({"file_format_type": format});
            let mut source_options = json!({"path": "out", "file_format_type": format});
            if format != "parquet" {
                let fields = json!({"n": "bigint", "v": type_name(column.data_type())});
                source_options["schema"] = json!({"table": "t", "fields": fields});
            }
            if format == "text" {
                sink_options["null_format"] = json!("\\N");
                source_options["null_format"] = json!("\\N");
            }
            if format == "csv" {
                source_options["keep_quoted_blank"] = json!(true);
            }
            let bench = Bench::new(sink_options);
            let rejected = bench.write(&[&batch]).await.len();
            let expected_rejects = REJECTED.iter().filter(|(f, c, _)| (*f, *c) == (format, name)).count();
            if rejected != expected_rejects {
                wrong.push(format!("{format} {name}: {rejected} rows were rejected"));
            }
            let source = source(&source_options, bench.folder.path());
            let reading = read_all(source.as_ref(), &ReadOptions::default()).await;
            let actual = reading.rows();
            let expected: Vec<String> = rows::text(batch.rows())
                .into_iter()
                .enumerate()
                .filter(|(row, _)| !REJECTED.contains(&(format, name, *row)))
                .map(|(row, text)| loss(format, name, row).map_or(text, |loss| format!("{row}|{loss}")))
                .collect();
            if actual != expected {
                wrong.push(format!(
                    "{format} {name} as {}:\n  {actual:?}\n  {expected:?}",
                    type_name(column.data_type())
                ));
                wrong.extend(reading.recorder.rejects().map(|reject| format!("  {:?}", reject.error)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn partitions_come_back() {
    let keys =
        [Some("a/b"), None, Some("x=1"), Some("100%"), Some("größe"), Some("__HIVE_DEFAULT_PARTITION__")];
    let numbers: ArrayRef = Arc::new((0..6).collect::<Int64Array>());
    let batch = batches::of_columns("t", vec![("n", numbers), ("k", batches::utf8(keys))]);
    let bench = Bench::new(json!({"file_format_type": "parquet", "partition_by": "k"}));
    bench.write(&[&batch]).await;
    let source = source(&json!({"path": "out", "file_format_type": "parquet"}), bench.folder.path());
    let reading = read_all(source.as_ref(), &ReadOptions::default()).await;
    rows::assert_same_unordered("partitions", &reading.rows(), &rows::text(batch.rows()));
}
