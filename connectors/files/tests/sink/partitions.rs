//! Rows by folder.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};
use seatun_api::Batch;
use seatun_testkit::{batches, rows};
use serde_json::json;

use super::bench::{Bench, read_parquet};

fn keyed(values: &[Option<&str>]) -> Batch {
    let numbers: ArrayRef = Arc::new((0..i64::try_from(values.len()).unwrap()).collect::<Int64Array>());
    let keys: ArrayRef = Arc::new(values.iter().copied().collect::<StringArray>());
    batches::of_columns("t", vec![("n", numbers), ("k", keys)])
}

fn rows_by_folder(bench: &Bench) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in bench.files() {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let of_file = read_parquet(&bench.out().join(&path));
        found.entry(folder.to_owned()).or_default().extend(of_file.iter().flat_map(rows::text));
    }
    found
}

#[tokio::test]
async fn each_row_is_in_the_folder_of_its_values() {
    let batch = keyed(&[Some("a"), Some("b"), None, Some("a"), Some("b"), Some("")]);
    let bench = Bench::new(json!({"file_format_type": "parquet", "partition_by": "k"}));
    bench.write(&[&batch]).await;
    let expected = [
        ("k=", vec!["5"]),
        ("k=__HIVE_DEFAULT_PARTITION__", vec!["2"]),
        ("k=a", vec!["0", "3"]),
        ("k=b", vec!["1", "4"]),
    ];
    let expected: BTreeMap<String, Vec<String>> = expected
        .into_iter()
        .map(|(folder, rows)| (folder.to_owned(), rows.into_iter().map(str::to_owned).collect()))
        .collect();
    assert_eq!(rows_by_folder(&bench), expected);
}

#[tokio::test]
async fn no_value_leaves_the_folder() {
    let values = [
        "../../x",
        "a/b",
        "=",
        "a=b",
        "..",
        ".",
        "/etc",
        "\\",
        "%2e%2e",
        "\0",
        "\n",
        "__HIVE_DEFAULT_PARTITION__",
    ];
    let values: Vec<Option<&str>> = values.into_iter().map(Some).collect();
    let batch = keyed(&values);
    for expression in [None, Some("${v0}"), Some("x/${v0}/y"), Some("${k0}-${v0}")] {
        let mut options = json!({"file_format_type": "parquet", "partition_by": ["k"]});
        if let Some(expression) = expression {
            options["partition_dir_expression"] = json!(expression);
        }
        let bench = Bench::new(options);
        assert!(bench.write(&[&batch]).await.is_empty());
        let found = rows_by_folder(&bench);
        assert_eq!(found.len(), values.len(), "a folder for each value: {:?}", found.keys());
        for folder in found.keys() {
            let depth = if expression == Some("x/${v0}/y") { 3 } else { 1 };
            assert_eq!(folder.split('/').count(), depth, "{folder}");
        }
        // Nothing stands beside the sink's folder.
        let beside: Vec<_> =
            fs::read_dir(bench.folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(beside, ["out"]);
    }
}

#[tokio::test]
async fn a_link_does_not_lead_out() {
    let bench = Bench::new(json!({"file_format_type": "parquet", "partition_by": ["k"]}));
    let elsewhere = bench.folder.path().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::create_dir_all(bench.out()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, bench.out().join("k=a")).unwrap();
    let batch = keyed(&[Some("a")]);
    let mut run = bench.open(bench.context(&[&batch])).await;
    assert_eq!(run.write(&batch).await.unwrap_err().code().0, "ST-0650");
    assert!(fs::read_dir(&elsewhere).unwrap().next().is_none());
}

#[tokio::test]
async fn a_value_that_is_no_name_is_rejected() {
    let long = "x".repeat(300);
    let batch = keyed(&[Some("a"), Some(&long), Some("b"), Some(&long)]);
    let bench = Bench::new(json!({"file_format_type": "parquet", "partition_by": ["k"]}));
    let rejects = bench.write(&[&batch]).await;
    assert_eq!(bench.parquet_rows(), ["0", "2"]);
    assert_eq!(rejects.len(), 2);
    for (reject, row) in rejects.iter().zip([1, 3]) {
        assert_eq!(reject.error.code().0, "ST-0661");
        let raw: serde_json::Value = serde_json::from_slice(&reject.raw).unwrap();
        assert_eq!((raw["n"].as_i64(), raw["k"].as_str()), (Some(row), Some(long.as_str())));
    }
}

#[tokio::test]
async fn several_columns_of_several_types_name_folders() {
    let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(19_782), Some(19_782), None]));
    let scores: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), Some(1.5), Some(-0.5)]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let batch = batches::of_columns("t", vec![("day", days), ("score", scores), ("n", numbers)]);
    let cases = [
        (
            json!({}),
            vec!["day=2024-02-29/score=1.5", "day=__HIVE_DEFAULT_PARTITION__/score=-0.5"],
            vec!["1", "2", "3"],
        ),
        (
            json!({"have_partition": true, "is_partition_field_write_in_file": true, "partition_dir_expression": "${v1}/${k0}_${v0}"}),
            vec!["-0.5/day___HIVE_DEFAULT_PARTITION__", "1.5/day_2024-02-29"],
            vec!["∅|-0.5|3", "2024-02-29|1.5|1", "2024-02-29|1.5|2"],
        ),
        (
            json!({"have_partition": false}),
            vec![""],
            vec!["2024-02-29|1.5|1", "2024-02-29|1.5|2", "∅|-0.5|3"],
        ),
        (
            json!({"sink_columns": ["n", "score"]}),
            vec!["day=2024-02-29/score=1.5", "day=__HIVE_DEFAULT_PARTITION__/score=-0.5"],
            vec!["1", "2", "3"],
        ),
    ];
    for (mut options, folders, rows) in cases {
        options["file_format_type"] = json!("parquet");
        options["partition_by"] = json!(["day", "score"]);
        let bench = Bench::new(options);
        bench.write(&[&batch]).await;
        assert_eq!(bench.folders(), folders);
        assert_eq!(bench.parquet_rows(), rows);
    }
}

#[tokio::test]
async fn few_files_are_open_however_many_folders_there_are() {
    let values: Vec<String> = (0..60).map(|n| format!("p{n:02}")).collect();
    let bench = Bench::new(json!({"file_format_type": "csv", "partition_by": ["k"], "max_open_files": 5}));
    let mut run = bench.open(bench.context(&[&keyed(&[Some("p")])])).await;
    for _ in 0..2 {
        for value in &values {
            run.write(&keyed(&[Some(value)])).await.unwrap();
            assert!(bench.open_files() <= 5, "{} files are open", bench.open_files());
        }
    }
    assert!(bench.open_files() > 0);
    run.commit_epoch().await;
    assert_eq!(bench.folders().len(), 60);
    assert_eq!(bench.files().len(), 120, "each folder was closed and opened again once");
}
