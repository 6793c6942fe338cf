//! The text of CSV, `text` and JSON files.

use std::io::Read;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, Int32Array, StringArray};
use seatun_api::{Batch, ChangeKind};
use seatun_testkit::batches;
use serde_json::json;

use super::bench::Bench;

fn texts(values: &[Option<&str>]) -> Batch {
    let numbers: ArrayRef = Arc::new((0..i32::try_from(values.len()).unwrap()).collect::<Int32Array>());
    let texts: ArrayRef = Arc::new(values.iter().copied().collect::<StringArray>());
    batches::of_columns("t", vec![("n", numbers), ("s", texts)])
}

#[tokio::test]
async fn csv_quotes_what_needs_it() {
    let batch = texts(&[Some("plain"), None, Some(""), Some("a,b"), Some("say \"hi\""), Some("two\nlines")]);
    let cases = [
        (json!({}), "0,plain\n1,\n2,\"\"\n3,\"a,b\"\n4,\"say \"\"hi\"\"\"\n5,\"two\nlines\"\n"),
        (
            json!({"enable_header_write": true, "field_delimiter": ";", "null_format": "\\N"}),
            "n;s\n0;plain\n1;\\N\n2;\"\"\n3;a,b\n4;\"say \"\"hi\"\"\"\n5;\"two\nlines\"\n",
        ),
        (
            json!({"csv_string_quote_mode": "all", "row_delimiter": "\r\n"}),
            "\"0\",\"plain\"\r\n\"1\",\r\n\"2\",\"\"\r\n\"3\",\"a,b\"\r\n\"4\",\"say \"\"hi\"\"\"\r\n\"5\",\"two\nlines\"\r\n",
        ),
        (
            json!({"field_delimiter": "||"}),
            "0||plain\n1||\n2||\"\"\n3||a,b\n4||\"say \"\"hi\"\"\"\n5||\"two\nlines\"\n",
        ),
    ];
    for (options, expected) in cases {
        let bench = Bench::new(options);
        assert!(bench.write(&[&batch]).await.is_empty());
        assert_eq!(bench.text(), expected);
    }
}

#[tokio::test]
async fn what_could_be_taken_for_null_is_quoted() {
    let batch = texts(&[Some("NULL"), None]);
    let bench = Bench::new(json!({"null_format": "NULL"}));
    bench.write(&[&batch]).await;
    assert_eq!(bench.text(), "0,\"NULL\"\n1,NULL\n");
    let one =
        batches::of_columns("t", vec![("s", Arc::new(StringArray::from(vec![None, Some("x")])) as ArrayRef)]);
    let bench = Bench::new(json!({}));
    bench.write(&[&one]).await;
    assert_eq!(bench.text(), "\"\"\nx\n", "an empty line would be skipped");
}

#[tokio::test]
async fn formats_without_quotes_reject_what_they_cannot_hold() {
    let values =
        [Some("fine"), Some("a\u{1}b"), Some("a\nb"), Some("ends\r"), Some("a,b"), Some("\"q"), None];
    for (options, good) in [
        (json!({"file_format_type": "text"}), "0\u{1}fine\n4\u{1}a,b\n5\u{1}\"q\n6\u{1}\n"),
        (json!({"csv_string_quote_mode": "NONE"}), "0,fine\n1,a\u{1}b\n6,\n"),
    ] {
        let bench = Bench::new(options);
        let batch = texts(&values);
        let rejects = bench.write(&[&batch]).await;
        assert_eq!(bench.text(), good);
        assert_eq!(rejects.len(), values.len() - good.matches('\n').count());
        for reject in &rejects {
            assert_eq!(reject.error.code().0, "ST-0660");
            assert!(reject.error.message().contains("column `s`"), "{}", reject.error.message());
            let raw: serde_json::Value = serde_json::from_slice(&reject.raw).unwrap();
            let row = usize::try_from(raw["n"].as_u64().unwrap()).unwrap();
            assert_eq!(raw["s"].as_str(), values[row], "the dead letter holds the whole row");
            assert!(!reject.error.chain().contains("ends"), "no value in a message");
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_rejected_by_csv_and_written_by_json() {
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![Some(b"text".as_slice()), Some(&[0xff, 0])]));
    let batch = batches::of_columns("t", vec![("b", bytes)]);
    let bench = Bench::new(json!({}));
    assert_eq!(bench.write(&[&batch]).await.len(), 1);
    assert_eq!(bench.text(), "text\n");
    let bench = Bench::new(json!({"file_format_type": "json"}));
    assert!(bench.write(&[&batch]).await.is_empty());
    assert_eq!(bench.text(), "{\"b\":\"dGV4dA==\"}\n{\"b\":\"/wA=\"}\n");
}

/// A column with its values as csv, `None` where csv and text reject one, and as json.
type Texts = (&'static str, [Option<&'static str>; 5], [&'static str; 5]);

#[tokio::test]
async fn every_type_has_its_text() {
    let no_json = "null";
    let cases: &[Texts] = &[
        (
            "c_boolean",
            [Some("true"), Some(""), Some("false"), Some("true"), Some("false")],
            ["true", no_json, "false", "true", "false"],
        ),
        (
            "c_bigint",
            [None, Some(""), Some("-9223372036854775808"), Some("9223372036854775807"), None],
            ["", no_json, "-9223372036854775808", "9223372036854775807", ""],
        ),
        (
            "c_float",
            [None, Some(""), None, Some("3.4028235e38"), Some("NaN")],
            ["", no_json, "", "3.4028235e38", "\"NaN\""],
        ),
        (
            "c_double",
            [
                Some("1.5"),
                Some(""),
                Some("-1.7976931348623157e308"),
                Some("1.7976931348623157e308"),
                Some("-Infinity"),
            ],
            ["1.5", no_json, "-1.7976931348623157e308", "1.7976931348623157e308", "\"-Infinity\""],
        ),
        (
            "c_decimal",
            [
                Some("1.2345678901"),
                Some(""),
                Some("-9999999999999999999999999999.9999999999"),
                Some("9999999999999999999999999999.9999999999"),
                Some("0.0000000001"),
            ],
            [
                "1.2345678901",
                no_json,
                "-9999999999999999999999999999.9999999999",
                "9999999999999999999999999999.9999999999",
                "0.0000000001",
            ],
        ),
        (
            "c_money",
            [Some("123.45"), Some(""), Some("-9999999.99"), Some("9999999.99"), Some("-0.01")],
            ["123.45", no_json, "-9999999.99", "9999999.99", "-0.01"],
        ),
        (
            "c_date",
            [Some("2024-02-29"), Some(""), Some("0001-01-01"), Some("9999-12-31"), Some("1969-12-31")],
            ["\"2024-02-29\"", no_json, "\"0001-01-01\"", "\"9999-12-31\"", "\"1969-12-31\""],
        ),
        (
            "c_time",
            [
                Some("12:34:56.123456"),
                Some(""),
                Some("00:00:00"),
                Some("23:59:59.999999999"),
                Some("00:00:00.000000001"),
            ],
            [
                "\"12:34:56.123456\"",
                no_json,
                "\"00:00:00\"",
                "\"23:59:59.999999999\"",
                "\"00:00:00.000000001\"",
            ],
        ),
        (
            "c_timestamp",
            [
                Some("2024-02-29 12:34:56.123456"),
                Some(""),
                Some("0001-01-01 00:00:00"),
                Some("9999-12-31 23:59:59.999999"),
                Some("1969-12-31 23:59:59.999999"),
            ],
            [
                "\"2024-02-29T12:34:56.123456\"",
                no_json,
                "\"0001-01-01T00:00:00\"",
                "\"9999-12-31T23:59:59.999999\"",
                "\"1969-12-31T23:59:59.999999\"",
            ],
        ),
        (
            "c_timestamp_tz",
            [
                Some("2024-02-29 12:34:56.123456Z"),
                Some(""),
                Some("0001-01-01 00:00:00Z"),
                Some("9999-12-31 23:59:59.999999Z"),
                Some("1969-12-31 23:59:59.999999Z"),
            ],
            [
                "\"2024-02-29T12:34:56.123456Z\"",
                no_json,
                "\"0001-01-01T00:00:00Z\"",
                "\"9999-12-31T23:59:59.999999Z\"",
                "\"1969-12-31T23:59:59.999999Z\"",
            ],
        ),
        (
            "c_array",
            [
                Some("1\u{2}2"),
                Some(""),
                Some(""),
                Some("2147483647\u{2}2147483647\u{2}2147483647"),
                Some("\u{2}0\u{2}"),
            ],
            ["[1,2]", no_json, "[]", "[2147483647,2147483647,2147483647]", "[null,0,null]"],
        ),
        (
            "c_map",
            [Some("a\u{3}1\u{2}b\u{3}2"), Some(""), Some(""), Some("greatest\u{3}9223372036854775807"), None],
            [
                "{\"a\":1,\"b\":2}",
                no_json,
                "{}",
                "{\"greatest\":9223372036854775807}",
                "{\"\":null,\"東京\":0}",
            ],
        ),
        ("c_null", [Some(""); 5], [no_json; 5]),
    ];
    let columns = batches::contract_columns();
    for (name, csv, json) in cases {
        let column = &columns.iter().find(|(column, _)| column == name).unwrap().1;
        let numbers: ArrayRef = Arc::new((0..5).collect::<Int32Array>());
        let batch = batches::of_columns("t", vec![("n", numbers), ("v", Arc::clone(column))]);
        let bench = Bench::new(json!({}));
        let rejects = bench.write(&[&batch]).await;
        assert_eq!(rejects.len(), usize::from(*name == "c_map"), "an empty key is read as none");
        for (row, (line, expected)) in bench.text().lines().zip(csv).enumerate() {
            let value = line.split_once(',').unwrap().1;
            if let Some(expected) = expected {
                assert_eq!(value, *expected, "{name} row {row}");
            }
        }
        let bench = Bench::new(json!({"file_format_type": "json"}));
        assert!(bench.write(&[&batch]).await.is_empty(), "{name}");
        for (row, (line, expected)) in bench.text().lines().zip(json).enumerate() {
            let value = line.strip_suffix('}').unwrap().split_once("\"v\":").unwrap().1;
            if !expected.is_empty() {
                assert_eq!(value, *expected, "{name} row {row}");
            }
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[tokio::test]
async fn formats_of_dates_are_followed_to_the_letter() {
    let columns = batches::contract_columns();
    let pick =
        |name: &str| Arc::clone(&columns.iter().find(|(column, _)| *column == name).unwrap().1).slice(0, 1);
    let batch = batches::of_columns(
        "t",
        vec![
            ("d", pick("c_date")),
            ("t", pick("c_time")),
            ("ts", pick("c_timestamp")),
            ("tz", pick("c_timestamp_tz")),
        ],
    );
    let bench = Bench::new(json!({
        "date_format": "yyyy/MM/dd", "time_format": "HH-mm", "datetime_format": "yyyyMMdd'T'HHmmss.SSSX",
    }));
    bench.write(&[&batch]).await;
    assert_eq!(bench.text(), "2024/02/29,12-34,20240229T123456.123,20240229T123456.123Z\n");
}

#[tokio::test]
async fn packed_files_are_packed_and_named_so() {
    let batch = texts(&[Some("x"); 1000]);
    let plain = Bench::new(json!({}));
    plain.write(&[&batch]).await;
    for (codec, end) in [("gzip", ".csv.gz"), ("zstd", ".csv.zst")] {
        let bench = Bench::new(json!({"compress_codec": codec, "compression.level": 9}));
        bench.write(&[&batch]).await;
        let files = bench.files();
        assert!(files[0].ends_with(end), "{files:?}");
        let packed = std::fs::read(bench.out().join(&files[0])).unwrap();
        let mut text = String::new();
        match codec {
            "gzip" => {
                flate2::read::MultiGzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
            }
            _ => {
                zstd::stream::read::Decoder::new(packed.as_slice())
                    .unwrap()
                    .read_to_string(&mut text)
                    .unwrap();
            }
        }
        assert_eq!(text, plain.text());
        assert!(packed.len() * 2 < text.len());
    }
}

#[tokio::test]
async fn kinds_of_change() {
    let table = batches::numbers_table("t");
    let kinds = [ChangeKind::Insert, ChangeKind::UpdateBefore, ChangeKind::UpdateAfter, ChangeKind::Delete];
    let batch = batches::with_kinds(batches::numbers(&table, 0..4), &kinds);
    let cases = [
        ("append", "0,row 0\n1,row 1\n2,row 2\n3,row 3\n", 0),
        ("column", "0,row 0,+I\n1,row 1,-U\n2,row 2,+U\n3,row 3,-D\n", 0),
        ("fail", "0,row 0\n", 3),
    ];
    for (mode, text, rejected) in cases {
        let bench = Bench::new(json!({"change_kinds": mode}));
        let rejects = bench.write(&[&batch]).await;
        assert_eq!(bench.text(), text, "{mode}");
        assert_eq!(rejects.len(), rejected);
        assert!(rejects.iter().all(|reject| reject.error.code().0 == "ST-0659"));
    }
}

#[tokio::test]
async fn a_row_without_all_its_values_is_refused() {
    let table = batches::numbers_table("t");
    let marks = arrow_array::BooleanArray::from(vec![false, true]);
    let batch = batches::numbers(&table, 0..2).with_unchanged(vec![(1, marks)]).unwrap();
    let bench = Bench::new(json!({}));
    let mut run = bench.open(bench.context(&[&batch])).await;
    let error = run.write(&batch).await.unwrap_err();
    assert_eq!(error.code().0, "ST-0662");
    assert!(error.message().contains("`name`"), "{error:?}");
}
