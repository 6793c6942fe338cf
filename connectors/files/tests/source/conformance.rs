//! The promises that every source keeps.

use seatun_testkit::{SourceExpectation, source_conformance};
use serde_json::json;

use crate::parquet_files::write_parquet;
use crate::support::{Folder, csv, lines, schema, with};

const ROWS: &[&str] = &["1|a", "2|b\nc", "3|∅", "4|\"", "5|e", "6|f", "7|g"];
const CSV: &str = "1,a\n2,\"b\nc\"\nbad,x\n3,\n4,\"\"\"\"\n\n5,e\r\n6,f\nworse,\"y\nz\"\n7,g\n";

#[tokio::test]
async fn csv_plain_cut_and_packed() {
    for (name, more) in [
        ("x.csv", json!({})),
        ("x.csv", json!({"split.size": 8})),
        ("x.csv.gz", json!({})),
        ("x.csv.zst", json!({})),
    ] {
        let folder = Folder::new();
        folder.write(name, CSV);
        let options = with(csv(&[("id", "int"), ("name", "string")]), more);
        let expect = SourceExpectation { rows: Some(lines(ROWS)), rejects: 2, batch_rows: 2, max_rows: 0 };
        source_conformance(|| folder.source(options.clone()), &expect).await;
    }
}

#[tokio::test]
async fn json_and_text() {
    let folder = Folder::new();
    let json_lines: String = (0..20).map(|n| format!("{{\"id\": {n}, \"name\": \"x\"}}\n")).collect();
    folder.write("json/x.json", json_lines);
    let text: String = (0..20).map(|n| format!("{n}\u{1}x\n")).collect();
    folder.write("text/x", text);
    let rows: Vec<String> = (0..20).map(|n| format!("{n}|x")).collect();
    for format in ["json", "text"] {
        let options = json!({
            "path": format, "file_format_type": format, "split.size": 60,
            "schema": schema(&[("id", "int"), ("name", "string")])
        });
        let expect = SourceExpectation { rows: Some(rows.clone()), ..SourceExpectation::default() };
        source_conformance(|| folder.source(options.clone()), &expect).await;
    }
}

#[tokio::test]
async fn parquet_whole_and_by_row_groups() {
    for size in [0, 1] {
        let folder = Folder::new();
        write_parquet(&folder, "day=1/x.parquet", 0..20, 6);
        write_parquet(&folder, "day=2/x.parquet", 20..30, 100);
        let rows = (0..30).map(|n| format!("{n}|name {n}|{}", 1 + n / 20)).collect();
        let options = json!({"path": "./", "file_format_type": "parquet", "split.size": size});
        let expect = SourceExpectation { rows: Some(rows), ..SourceExpectation::default() };
        source_conformance(|| folder.source(options.clone()), &expect).await;
    }
}

#[tokio::test]
async fn streaming() {
    let folder = Folder::new();
    folder.write("a.csv", CSV);
    folder.write("b.csv", CSV);
    let options = csv(&[("id", "int"), ("name", "string")]);
    let rows = [ROWS, ROWS].concat();
    let expect = SourceExpectation { rows: Some(lines(&rows)), rejects: 4, batch_rows: 2, max_rows: 0 };
    source_conformance(|| folder.streaming(options.clone()), &expect).await;
}
