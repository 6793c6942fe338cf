//! Rows that an expression fails for go to the dead letters alone.

use arrow_schema::DataType;
use seatun_api::JobMode;

use crate::harness::{build, describe, lines, run_map, slices, table};

#[test]
fn exactly_the_bad_rows_are_rejected_and_the_others_stay_in_order() {
    let texts: Vec<Vec<String>> = (0..100)
        .map(|row| {
            let text = if row % 17 == 3 { format!("bad{row}") } else { row.to_string() };
            vec![row.to_string(), text, (row % 10).to_string()]
        })
        .collect();
    let batch =
        table("t", &[("id", DataType::Int64), ("text", DataType::Utf8), ("small", DataType::Int32)], &texts);
    let bad: Vec<i64> = (0..100).filter(|row| row % 17 == 3).collect();
    let cases = [
        (
            "select id, cast(text as int) as n from t",
            bad.clone(),
            "the column `n` cannot be computed: a value cannot be cast",
        ),
        (
            "select id, id as n from t where cast(text as int) >= 0",
            bad,
            "the filter cannot be computed: a value cannot be cast",
        ),
        (
            "select id, 100 / small as n from t",
            (0..100).filter(|row| row % 10 == 0).collect(),
            "the column `n` cannot be computed: division by zero",
        ),
        (
            "select id, (small + 2147483640) * 1 as n from t",
            (0..100).filter(|row| row % 10 > 7).collect(),
            "the column `n` cannot be computed: a number overflows its type",
        ),
    ];
    for (query, bad, message) in cases {
        let transform = build(query, JobMode::Streaming, &["t"]).unwrap();
        for size in [100, 32, 1] {
            let (output, rejects) = run_map(transform.as_ref(), &slices(&batch, size));
            let good: Vec<i64> = output
                .iter()
                .flat_map(lines)
                .map(|line| line.split(" | ").next().unwrap().parse().unwrap())
                .collect();
            let expected: Vec<i64> = (0..100).filter(|row| !bad.contains(row)).collect();
            assert_eq!(good, expected, "{query}");
            assert_eq!(rejects.len(), bad.len(), "{query}");
            for (reject, row) in rejects.iter().zip(&bad) {
                let raw: serde_json::Value = serde_json::from_slice(&reject.raw).unwrap();
                assert_eq!(raw["id"], *row);
                assert_eq!(describe(&reject.error), format!("ST-0515 {message}"));
                assert!(!format!("{:?}", reject.error).contains("bad"), "a value in an error");
                assert_eq!(reject.table.as_ref().unwrap().to_string(), "t");
            }
        }
    }
}

#[test]
fn a_reject_says_what_the_expression_reads() {
    let batch = table(
        "t",
        &[("id", DataType::Int64), ("x", DataType::Utf8)],
        &[vec!["1".into(), "NULL".into()], vec!["2".into(), "z".into()]],
    );
    let transform = build("select cast(x as double) as d from t", JobMode::Streaming, &["t"]).unwrap();
    let (output, rejects) = run_map(transform.as_ref(), &[batch]);
    assert_eq!(output.iter().flat_map(lines).collect::<Vec<_>>(), ["NULL"]);
    assert!(rejects[0].error.context().contains(&("reads", "x Utf8".to_owned())));
    assert_eq!(rejects[0].raw, r#"{"id":2,"x":"z"}"#.as_bytes());
}

#[test]
fn a_batch_of_bad_rows_alone_gives_no_batch() {
    let batch = table("t", &[("x", DataType::Utf8)], &[vec!["a".into()], vec!["b".into()]]);
    let transform = build("select cast(x as int) as n from t", JobMode::Streaming, &["t"]).unwrap();
    let (output, rejects) = run_map(transform.as_ref(), &[batch]);
    assert_eq!((output.len(), rejects.len()), (0, 2));
}
