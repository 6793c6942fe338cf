//! Wrong options are named at their place, before any file is touched.

use serde_json::json;

use crate::support::{Folder, csv, problem, with};

#[test]
fn wrong_options_are_named() {
    let cases = [
        (json!({"file_format_type": "csv"}), "ST-0103", "path"),
        (json!({"path": "x"}), "ST-0103", "file_format_type"),
        (json!({"path": "x", "file_format_type": "orc"}), "ST-0602", "file_format_type"),
        (json!({"path": "x", "file_format_type": "binary"}), "ST-0602", "file_format_type"),
        (json!({"path": "x", "file_format_type": "cvs"}), "ST-0104", "file_format_type"),
        (json!({"path": "x", "file_format_type": "json"}), "ST-0103", "schema"),
        (json!({"path": "x", "file_format_type": "csv", "csv_use_header_line": true}), "ST-0103", "schema"),
        (csv(&[("a", "in")]), "ST-0104", "schema.columns[0].type"),
        (with(csv(&[("a", "int")]), json!({"encoding": "gbk"})), "ST-0602", "encoding"),
        (with(csv(&[("a", "int")]), json!({"compress_codec": "lzo"})), "ST-0602", "compress_codec"),
        (
            with(csv(&[("a", "int")]), json!({"archive_compress_codec": "zip"})),
            "ST-0602",
            "archive_compress_codec",
        ),
        (with(csv(&[("a", "int")]), json!({"field_delimiter": ""})), "ST-0104", "field_delimiter"),
        (with(csv(&[("a", "int")]), json!({"field_delimiter": "\n"})), "ST-0104", "field_delimiter"),
        (with(csv(&[("a", "int")]), json!({"quote_char": "''"})), "ST-0104", "quote_char"),
        (with(csv(&[("a", "int")]), json!({"quote_char": ","})), "ST-0104", "quote_char"),
        (with(csv(&[("a", "int")]), json!({"date_format": "YYYY"})), "ST-0104", "date_format"),
        (with(csv(&[("a", "int")]), json!({"file_filter_pattern": "("})), "ST-0104", "file_filter_pattern"),
        (with(csv(&[("a", "int")]), json!({"read_columns": ["b"]})), "ST-0004", "read_columns"),
        (with(csv(&[("a", "int")]), json!({"discovery.interval": 0})), "ST-0104", "discovery.interval"),
        (
            with(csv(&[("a", "int")]), json!({"metadata_columns": {"file": "a"}})),
            "ST-0104",
            "metadata_columns.file",
        ),
        (with(csv(&[("a", "int")]), json!({"split_size": 0})), "ST-0102", "split_size"),
        (
            json!({"tables_configs": [{"path": "x", "file_format_type": "csv", "encoding": "x"}]}),
            "ST-0602",
            "tables_configs[0].encoding",
        ),
        (
            json!({"tables_configs": [{"path": "x", "file_format_type": "csv"}, {"path": "y", "file_format_type": "csv"}]}),
            "ST-0104",
            "tables_configs[1].schema.table",
        ),
        (
            json!({"path": "x", "tables_configs": [{"path": "x", "file_format_type": "csv"}]}),
            "ST-0104",
            "path",
        ),
    ];
    for (options, code, option) in cases {
        let problem = problem(options.clone());
        assert_eq!((problem.code.0, problem.option.as_str()), (code, option), "{options}: {problem:?}");
    }
}

#[tokio::test]
async fn a_relative_path_begins_at_the_job_files_folder() {
    let folder = Folder::new();
    let path = folder.write("in/x.csv", "1\n");
    let options = |path: &str| with(csv(&[("a", "int")]), json!({"path": path}));
    assert_eq!(folder.rows(options("in/x.csv")).await, ["1"]);
    assert_eq!(folder.rows(options(path.to_str().unwrap())).await, ["1"]);
    assert_eq!(folder.rows(options(&format!("file://{}", path.display()))).await, ["1"]);
    assert_eq!(folder.source(options("in")).probe().await.unwrap(), "1 files, 2 bytes");
}

#[tokio::test]
async fn the_reader_tells_how_many_bytes_are_left() {
    let folder = Folder::new();
    folder.write("a.csv", "1\n2\n3\n4\n");
    let source = folder.source(csv(&[("a", "int")]));
    let active = std::collections::BTreeMap::new();
    let request = seatun_api::source::PlanRequest { state: None, active: &active };
    let splits = source.plan(request).await.unwrap().add;
    let options = seatun_testkit::ReadOptions { batch_rows: 3, ..seatun_testkit::ReadOptions::default() };
    let mut reader = source.reader(options.context(0)).await.unwrap();
    reader.add_splits(splits).await.unwrap();
    assert_eq!(reader.lag().unwrap().bytes, Some(8));
    let mut out = seatun_testkit::SourceRecorder::new();
    reader.next(&mut out).await.unwrap();
    assert_eq!(reader.lag().unwrap().bytes, Some(2));
}
