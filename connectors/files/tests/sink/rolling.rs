//! When a file is closed and the next one begun.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use parquet::file::reader::{FileReader, SerializedFileReader};
use seatun_api::Batch;
use seatun_testkit::batches;
use serde_json::json;

use super::bench::Bench;

fn numbers(range: std::ops::Range<i64>) -> Batch {
    batches::numbers(&batches::numbers_table("t"), range)
}

/// Numbers that do not compress, so that sizes can be foreseen.
fn noise(rows: usize) -> Batch {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.cast_signed()
    };
    let columns = ["a", "b", "c", "d"].map(|name| {
        let values: ArrayRef = Arc::new((0..rows).map(|_| next()).collect::<Int64Array>());
        (name, values)
    });
    batches::of_columns("noise", columns.to_vec())
}

#[tokio::test]
async fn by_rows_to_the_row() {
    for option in ["roll.rows", "batch_size"] {
        let bench = Bench::new(json!({"file_format_type": "parquet", option: 7}));
        let mut run = bench.open(bench.context(&[&numbers(0..1)])).await;
        for range in [0..10, 10..14, 14..20] {
            run.write(&numbers(range)).await.unwrap();
        }
        run.commit_epoch().await;
        assert_eq!(bench.parquet_counts(), [7, 7, 6]);
        let names = bench.files();
        assert!(names[1].contains("_0_1_1.") && names[2].contains("_0_1_2."), "{names:?}");
    }
}

#[tokio::test]
async fn by_size() {
    for (format, size) in [("parquet", 2_000_000), ("csv", 4_000_000)] {
        let bench =
            Bench::new(json!({"file_format_type": format, "roll.size": "1 MB", "compress_codec": "none"}));
        bench.write(&[&noise(size / 32)]).await;
        let files = bench.files();
        assert!(files.len() >= 2, "{files:?}");
        let sizes: Vec<u64> =
            files.iter().map(|path| std::fs::metadata(bench.out().join(path)).unwrap().len()).collect();
        // A step of rows is written whole, so a file may be that much larger.
        assert!(sizes.iter().all(|size| *size < 2_000_000), "{sizes:?}");
        assert!(sizes.iter().rev().skip(1).all(|size| *size > 700_000), "{sizes:?}");
    }
}

#[tokio::test]
async fn by_time() {
    let bench = Bench::new(json!({"file_format_type": "parquet", "roll.interval": "20 ms"}));
    let mut run = bench.open(bench.context(&[&numbers(0..1)])).await;
    run.write(&numbers(0..5)).await.unwrap();
    while bench.open_files() > 0 {
        run.writer.tick(&mut run.output).await.unwrap();
        tokio::task::yield_now().await;
    }
    run.write(&numbers(5..8)).await.unwrap();
    run.commit_epoch().await;
    assert_eq!(bench.parquet_counts(), [5, 3]);
}

#[tokio::test]
async fn single_file_mode_does_not_roll() {
    let bench = Bench::new(json!({"file_format_type": "parquet", "single_file_mode": true, "batch_size": 3}));
    let mut run = bench.open(bench.context(&[&numbers(0..1)])).await;
    run.write(&numbers(0..10)).await.unwrap();
    run.commit_epoch().await;
    assert_eq!(bench.parquet_counts(), [10]);
    assert!(bench.files()[0].ends_with("_0_1.snappy.parquet"), "{:?}", bench.files());
}

#[tokio::test]
async fn row_groups_are_bounded_over_all_open_files() {
    let bench = Bench::new(json!({
        "file_format_type": "parquet", "compress_codec": "none",
        "parquet.row_group_bytes": "256 KiB", "parquet.row_group_rows": 5000,
    }));
    bench.write(&[&noise(40_000)]).await;
    let file = std::fs::File::open(bench.out().join(&bench.files()[0])).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let groups = reader.metadata().row_groups();
    assert!(groups.len() >= 5, "{}", groups.len());
    for group in groups {
        assert!(group.num_rows() <= 5000 && group.total_byte_size() < 600_000, "{group:?}");
    }
    assert_eq!(bench.parquet_counts(), [40_000]);
}

#[tokio::test]
async fn names_follow_the_expression() {
    let cases = [
        (
            json!({"custom_filename": true, "file_name_expression": "${transactionId}_x", "filename_extension": ".dat"}),
            "T_job_",
            "_0_1_x_0.dat",
        ),
        (
            json!({"custom_filename": true, "file_name_expression": "sales-${table_name}"}),
            "T_job_",
            "_0_1_sales-t_0.csv",
        ),
        (json!({"file_name_expression": "ignored"}), "T_job_", "_0_1_0.csv"),
    ];
    for (options, begin, end) in cases {
        let bench = Bench::new(options);
        bench.write(&[&numbers(0..1)]).await;
        let name = &bench.files()[0];
        assert!(name.starts_with(begin) && name.ends_with(end), "{name}");
    }
    let options = json!({"custom_filename": true, "file_name_expression": "${now}_${uuid}_${transactionId}", "filename_time_format": "yyyy"});
    let bench = Bench::new(options);
    bench.write(&[&numbers(0..1)]).await;
    let name = &bench.files()[0];
    let parts: Vec<&str> = name.split('_').collect();
    assert!(parts[0].len() == 4 && parts[1].len() == 36 && parts[2] == "T", "{name}");
}
