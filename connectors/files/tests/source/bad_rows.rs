//! Rows that cannot be decoded are given up one by one, with their bytes; the rows around them arrive.

use serde_json::json;

use crate::support::{Folder, csv, rejected, schema, with};

#[tokio::test]
async fn bad_csv_rows_are_given_up_with_their_bytes() {
    let fields = [("id", "int"), ("price", "decimal(6, 2)"), ("day", "date"), ("name", "string")];
    let content: &[&[u8]] = &[
        b"1,1.00,2024-01-01,good\n",
        b"x,1.00,2024-01-01,bad\n",
        b"2,1.005,2024-01-01,\"bad, \"\"too\"\"\nfine\"\r\n",
        b"3,1.500,2024-01-01,zeros are no loss\n",
        b"2147483648,1,2024-01-01,bad\n",
        b"4,99999,2024-01-01,bad\n",
        b"5,1,2024-02-30,bad\n",
        b"6,1,2024-01-01,\xff\xfe\n",
        b"7,-0.01,1969-12-31,\"good\nagain\"\n",
        b"8.5,1,2024-01-01,bad\n",
        b"9,1,2024-01-01,good",
    ];
    let offset = |line: usize| content[..line].iter().map(|line| line.len() as u64).sum::<u64>();
    let raw = |line: usize| {
        let text = content[line];
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)).into_owned()
    };
    let bad = [
        (1, "ST-0604"),
        (2, "ST-0604"),
        (4, "ST-0604"),
        (5, "ST-0604"),
        (6, "ST-0604"),
        (7, "ST-0606"),
        (9, "ST-0604"),
    ];
    let expected: Vec<(u64, String, String)> =
        bad.iter().map(|(line, code)| (offset(*line), raw(*line), (*code).to_owned())).collect();
    for name in ["x.csv", "x.csv.gz"] {
        let folder = Folder::new();
        folder.write(name, content.concat());
        for batch_rows in [1, 2, 3, 1024] {
            let reading = folder.read(csv(&fields), batch_rows).await;
            assert_eq!(
                reading.rows(),
                [
                    "1|1.00|2024-01-01|good",
                    "3|1.50|2024-01-01|zeros are no loss",
                    "7|-0.01|1969-12-31|good\nagain",
                    "9|1.00|2024-01-01|good"
                ],
                "{name} {batch_rows}"
            );
            assert_eq!(rejected(&reading), expected, "{name} {batch_rows}");
        }
    }
}

#[tokio::test]
async fn the_error_names_column_type_and_file_but_no_value() {
    let folder = Folder::new();
    folder.write("x.csv", "secret\n");
    let reading = folder.read(csv(&[("id", "int")]), 10).await;
    let reject = reading.recorder.rejects().next().unwrap();
    let text = reject.error.chain();
    assert!(text.contains("column `id` of type int: not a whole number"), "{text}");
    assert!(text.contains("x.csv"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(reject.table.as_ref().unwrap().to_string(), "orders");
}

#[tokio::test]
async fn a_quote_that_never_ends_takes_the_rest() {
    let folder = Folder::new();
    folder.write("x.csv", "a\n\"b\nc\n");
    let reading = folder.read(csv(&[("c", "string")]), 10).await;
    assert_eq!(reading.rows(), ["a"]);
    assert_eq!(rejected(&reading), [(2, "\"b\nc\n".to_owned(), "ST-0605".to_owned())]);
}

#[tokio::test]
async fn bad_json_lines_are_given_up_with_their_bytes() {
    let folder = Folder::new();
    let lines: &[&[u8]] = &[
        br#"{"id": 1, "n": {"x": [1]}}"#,
        br#"{"id": 1.5}"#,
        br#"{"id": "x"}"#,
        br#"{"id": 2"#,
        br#"{"id": 3} {"id": 4}"#,
        b"[5]",
        b"  ",
        b"{\"id\": 6, \"s\": \"\xff\"}",
        br#"{"id": 7}  "#,
    ];
    folder.write("x.json", lines.join(&b"\n"[..]));
    for fields in [&[("id", "int")][..], &[("id", "int"), ("n", "{x = array<int>}")]] {
        let options = json!({"path": "x.json", "file_format_type": "json", "schema": schema(fields)});
        for batch_rows in [1, 2, 100] {
            let reading = folder.read(options.clone(), batch_rows).await;
            let ids: Vec<String> =
                reading.rows().iter().map(|row| row.split('|').next().unwrap().to_owned()).collect();
            assert_eq!(ids, ["1", "7"]);
            let codes: Vec<(String, String)> =
                rejected(&reading).into_iter().map(|(_, raw, code)| (raw, code)).collect();
            let expected = [
                (1, "ST-0604"),
                (2, "ST-0604"),
                (3, "ST-0605"),
                (4, "ST-0605"),
                (5, "ST-0605"),
                (7, "ST-0606"),
            ]
            .map(|(line, code)| (String::from_utf8_lossy(lines[line]).into_owned(), code.to_owned()));
            assert_eq!(codes, expected);
        }
    }
}

#[tokio::test]
async fn a_null_in_a_column_without_nulls_is_given_up() {
    let folder = Folder::new();
    folder.write("x.csv", "1,a\n,b\n2,\n3\n");
    let options = json!({"path": "x.csv", "file_format_type": "csv", "schema": {"columns": [
        {"name": "id", "type": "int", "nullable": false}, {"name": "s", "type": "string", "nullable": false}
    ]}});
    let reading = folder.read(options, 10).await;
    assert_eq!(reading.rows(), ["1|a"]);
    let raw: Vec<String> = rejected(&reading).into_iter().map(|(_, raw, _)| raw).collect();
    assert_eq!(raw, [",b", "2,", "3"]);
}

#[tokio::test]
async fn a_record_beyond_the_limit_stops_the_job() {
    let folder = Folder::new();
    let mut content = b"a\n\"".to_vec();
    content.resize(70 << 20, b'x');
    folder.write("x.csv", content);
    let error = folder.error(csv(&[("c", "string")])).await;
    assert_eq!(error.code().0, "ST-0607");
}

#[tokio::test]
async fn damaged_files_stop_the_job_and_are_named() {
    let cases: &[(&str, &[u8], &str)] = &[
        ("x.csv.gz", b"not gzip at all", "csv"),
        ("x.csv.zst", b"not zstandard", "csv"),
        ("x.parquet", b"PAR1 but not really PAR1", "parquet"),
        ("x.parquet", b"", "parquet"),
    ];
    for (name, content, format) in cases {
        let folder = Folder::new();
        std::fs::write(folder.path().join(name), content).unwrap();
        let mut options = json!({"path": name, "file_format_type": format});
        if *format == "csv" {
            options = with(options, json!({"schema": schema(&[("a", "int")])}));
        }
        let error = folder.error(options).await;
        assert_eq!(error.code().0, "ST-0610", "{error:?}");
        assert!(error.chain().contains(name), "{}", error.chain());
    }
}

#[tokio::test]
async fn a_nested_value_that_is_wrong_gives_up_its_row() {
    let folder = Folder::new();
    folder.write("x.txt", "a\u{3}1\n\u{3}2\nb\u{3}x\nc\n");
    let options =
        json!({"path": "x.txt", "file_format_type": "text", "schema": schema(&[("m", "map<string, int>")])});
    let reading = folder.read(options, 10).await;
    assert_eq!(reading.rows(), ["{a: 1}", "{c: \u{2205}}"]);
    let raw: Vec<String> = rejected(&reading).into_iter().map(|(_, raw, _)| raw).collect();
    assert_eq!(raw, ["\u{3}2", "b\u{3}x"]);
}
