//! The rows of each format, with each compression.

use serde_json::{Value as Json, json};

use crate::support::{Folder, csv, lines, schema, with};

const FIELDS: &[(&str, &str)] = &[
    ("s", "string"),
    ("b", "boolean"),
    ("t", "tinyint"),
    ("i", "int"),
    ("l", "bigint"),
    ("f", "float"),
    ("d", "double"),
    ("m", "decimal(10, 2)"),
    ("day", "date"),
    ("at", "timestamp"),
    ("clock", "time"),
];

const ROW: &str = "x|true|-128|2147483647|-9223372036854775808|1.5|-0.001|12345678.90|2024-02-29|2024-01-02T03:04:05.000006|23:59:59";
const EMPTY: &str = "∅|∅|∅|∅|∅|∅|∅|∅|∅|∅|∅";

#[tokio::test]
async fn every_type_in_every_line_format_and_packing() {
    let comma = "x,true,-128,2147483647,-9223372036854775808,1.5,-0.001,12345678.9,2024-02-29,2024-01-02 03:04:05.000006,23:59:59\n,,,,,,,,,,\n";
    let text = comma.replace(',', "\u{1}");
    let json_lines = concat!(
        r#"{"s":"x","b":true,"t":-128,"i":2147483647,"l":-9223372036854775808,"f":1.5,"d":-0.001,"m":12345678.90,"#,
        r#""day":"2024-02-29","at":"2024-01-02 03:04:05.000006","clock":"23:59:59","more":[1]}"#,
        "\n\n{\"s\": null}\n",
    );
    for (format, content) in [("csv", comma), ("text", text.as_str()), ("json", json_lines)] {
        for (extension, codec) in
            [("", "none"), (".gz", "gzip"), (".zst", "zstd"), (".gz", ""), (".zst", ""), ("", "")]
        {
            let folder = Folder::new();
            folder.write(&format!("in/data{extension}"), content);
            let mut options = json!({"path": "in", "file_format_type": format, "schema": schema(FIELDS)});
            if !codec.is_empty() {
                options["compress_codec"] = codec.into();
            }
            for batch_rows in [1, 1024] {
                let rows = folder.read(options.clone(), batch_rows).await.rows();
                assert_eq!(rows, [ROW, EMPTY], "{format} {extension} {codec}");
            }
        }
    }
}

#[tokio::test]
async fn quotes_delimiters_and_line_ends_within_csv_fields() {
    let cases: &[(&str, &[&str])] = &[
        ("a,b\r\nc,d\r\n", &["a|b", "c|d"]),
        ("a,b\nc,d", &["a|b", "c|d"]),
        ("\"a,1\",\"b\n2\"\n", &["a,1|b\n2"]),
        ("\"a \"\"q\"\"\",\"\"\"\"\n", &["a \"q\"|\""]),
        ("\"a\"x,b\"c\"\n", &["ax|b\"c\""]),
        ("\"a\r\nb\",c\r\n", &["a\r\nb|c"]),
        (" a , b \n", &[" a | b "]),
        ("\u{feff}a,b\n", &["a|b"]),
        ("a\n\n\r\nb,c,d,e\n", &["a|∅", "b|c"]),
        ("\"\",  \n\" \",\"x\"\n", &["∅|∅", "∅|x"]),
        ("中,\"é\n\"\n", &["中|é\n"]),
        ("\"a\",\"b\"", &["a|b"]),
        ("a,", &["a|∅"]),
        ("a\rb,c\n", &["a\rb|c"]),
        ("", &[]),
        ("\n", &[]),
    ];
    for (content, expected) in cases {
        let folder = Folder::new();
        folder.write("x.csv", content);
        let rows = folder.rows(csv(&[("a", "string"), ("b", "string")])).await;
        assert_eq!(rows, lines(expected), "{content:?}");
    }
}

#[tokio::test]
async fn csv_dialects() {
    let cases: &[(Json, &str, &[&str])] = &[
        (json!({"field_delimiter": "|"}), "a,1|b\n", &["a,1|b"]),
        (json!({"delimiter": "||"}), "a|1||\"b||2\"\n||c\n", &["a|1|b||2", "∅|c"]),
        (json!({"row_delimiter": ";"}), "a,b;c,\"d;e\"", &["a|b", "c|d;e"]),
        (json!({"row_delimiter": "\r\n"}), "a,b\r\nc,d\r\n", &["a|b", "c|d"]),
        (json!({"row_delimiter": "<>"}), "a,b<>c,d<e<>", &["a|b", "c|d<e"]),
        (json!({"quote_char": "'"}), "'a,''1','b'\n\"c\",d\n", &["a,'1|b", "\"c\"|d"]),
        (json!({"quote_char": ""}), "\"a\",b\n", &["\"a\"|b"]),
        (json!({"keep_quoted_blank": true}), "\"\",\n\" \",  \n", &["|∅", " |∅"]),
        (json!({"null_format": "\\N"}), "\\N,\"\\N\"\nN,\\NN\n", &["∅|∅", "N|\\NN"]),
        (json!({"skip_header_row_number": 2}), "it's \"raw\na,b\nc,d\n", &["c|d"]),
        (json!({"skip_header_row_number": 5}), "a,b\nc,d\n", &[]),
        (json!({"read_columns": ["b"]}), "a,b\nc\n", &["b", "∅"]),
        (json!({"read_columns": "b, a"}), "a,b\nc\n", &["b|a", "∅|c"]),
        (json!({"csv_use_header_line": true}), "b,extra, a\n1,2,3\n4\n", &["3|1", "∅|4"]),
        (
            json!({"csv_use_header_line": true, "skip_header_row_number": 1}),
            "\u{feff}# made\n\"b\",\"a\"\n1,2\n",
            &["2|1"],
        ),
        (json!({"csv_use_header_line": true}), "", &[]),
        (json!({"metadata_columns": {"file": "a_file"}, "read_columns": ["a"]}), "", &[]),
    ];
    for (more, content, expected) in cases {
        let folder = Folder::new();
        folder.write("x.csv", content);
        let options = with(csv(&[("a", "string"), ("b", "string")]), more.clone());
        assert_eq!(folder.rows(options).await, lines(expected), "{more} {content:?}");
    }
}

#[tokio::test]
async fn nested_values_of_text_are_told_apart_by_their_level() {
    let folder = Folder::new();
    let row = [
        "k1\u{3}1\u{2}k2\u{3}2", // map
        "a\u{2}b\u{2}",          // array
        "7\u{2}x\u{3}y\u{2}z",   // row of int, array and string
        "last",
    ];
    folder.write("x.txt", format!("{}\n\u{1}\u{1}\u{1}\n", row.join("\u{1}")));
    let options = json!({"path": "x.txt", "file_format_type": "text", "schema": schema(&[
        ("m", "map<string, int>"), ("a", "array<string>"), ("r", "{i = int, l = array<string>, s = string}"),
        ("s", "string")
    ])});
    let rows = folder.rows(options).await;
    assert_eq!(rows, ["{k1: 1, k2: 2}|[a, b, ∅]|{i: 7, l: [x, y], s: z}|last", "∅|∅|∅|∅"]);
}

#[tokio::test]
async fn lines_without_a_schema_are_content() {
    for format in ["text", "csv"] {
        let folder = Folder::new();
        folder.write("x", "a,\"b\u{1}c\n\n last \r\n");
        let rows = folder.rows(json!({"path": "./", "file_format_type": format})).await;
        assert_eq!(rows, ["a,\"b\u{1}c", "", " last "], "{format}");
    }
}

#[tokio::test]
async fn json_values_by_the_rules_of_json() {
    let cases: &[(&str, &str, &str)] = &[
        ("string", r#"{"c": {"a": [1, "x"]}}"#, r#"{"a":[1,"x"]}"#),
        ("string", r#"{"c": 1.50}"#, "1.50"),
        ("string", r#"{"c": "\u00e9\n"}"#, "é\n"),
        ("int", r#"{"c": " 12 "}"#, "12"),
        (
            "decimal(38, 18)",
            r#"{"c": 12345678901234567890.123456789012345678}"#,
            "12345678901234567890.123456789012345678",
        ),
        ("array<int>", r#"{"c": [1, null, 3]}"#, "[1, ∅, 3]"),
        ("map<string, array<int>>", r#"{"c": {"k": [1]}}"#, "{k: [1]}"),
        ("bytes", r#"{"c": "AAH/"}"#, "0001ff"),
        ("date", r#"{"c": "2024/1/2"}"#, "2024-01-02"),
        ("boolean", r#"{"c": "true"}"#, "true"),
        ("string", r#"{"c": 1, "c": 2}"#, "2"),
    ];
    for (data_type, line, expected) in cases {
        let folder = Folder::new();
        folder.write("x.json", format!("{line}\n"));
        let options =
            json!({"path": "x.json", "file_format_type": "json", "schema": schema(&[("c", data_type)])});
        assert_eq!(folder.rows(options).await, [*expected], "{data_type} {line}");
    }
}

#[tokio::test]
async fn formats_of_dates_are_the_options() {
    let folder = Folder::new();
    folder.write("x.csv", "31.01.2024,20240131T120000,0930\n");
    let options = with(
        csv(&[("d", "date"), ("at", "timestamp"), ("t", "time")]),
        json!({"date_format": "dd.MM.yyyy", "datetime_format": "yyyyMMdd'T'HHmmss", "time_format": "HHmm"}),
    );
    assert_eq!(folder.rows(options).await, ["2024-01-31|2024-01-31T12:00:00|09:30:00"]);
}

#[tokio::test]
async fn several_tables_of_one_source() {
    let folder = Folder::new();
    folder.write("a.csv", "1\n2\n");
    folder.write("b.json", "{\"name\":\"x\"}\n");
    let source = folder.source(json!({"tables_configs": [
        {"path": "a.csv", "file_format_type": "csv", "schema": {"table": "db.a", "fields": {"id": "int"}}},
        {"path": "b.json", "file_format_type": "json", "schema": {"table": "db.b", "fields": {"name": "string"}}},
    ]}));
    let tables: Vec<String> =
        source.declared_tables().unwrap().iter().map(|table| table.id.to_string()).collect();
    assert_eq!(tables, ["db.a", "db.b"]);
    let reading = seatun_testkit::read_all(source.as_ref(), &seatun_testkit::ReadOptions::default()).await;
    let rows: Vec<(String, usize)> =
        reading.recorder.batches().map(|batch| (batch.table().id.to_string(), batch.num_rows())).collect();
    assert_eq!(rows, [("db.a".to_owned(), 2), ("db.b".to_owned(), 1)]);
}

#[tokio::test]
async fn a_long_file_is_read_in_batches_that_end_at_records() {
    let folder = Folder::new();
    let expected: Vec<String> = (0..200_000).map(|n| format!("{n}|name {n}")).collect();
    let content: String = (0..200_000).map(|n| format!("{n},\"name {n}\"\n")).collect();
    folder.write("x.csv.gz", &content);
    folder.write("y.csv", &content);
    for name in ["x.csv.gz", "y.csv"] {
        let options = with(csv(&[("id", "int"), ("name", "string")]), json!({"path": name}));
        let reading = folder.read(options, 8192).await;
        assert!(reading.rows() == expected, "{name}");
        assert!(reading.recorder.batches().all(|batch| batch.num_rows() <= 8192));
        assert!(reading.recorder.batches().count() <= 200_000 / 8192 + 8, "batches are not torn");
    }
}

#[tokio::test]
async fn gz_as_an_archive_is_gzip() {
    let folder = Folder::new();
    let path = folder.write("x.csv.gz", "1\n2\n");
    std::fs::rename(path, folder.path().join("x.data")).unwrap();
    let options = with(csv(&[("a", "int")]), json!({"archive_compress_codec": "gz"}));
    assert_eq!(folder.rows(options).await, ["1", "2"]);
}
