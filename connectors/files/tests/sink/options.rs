//! Options that are accepted and those that are refused.

use seatun_api::Delivery;
use serde_json::json;

use super::bench::{Bench, build};

#[test]
fn every_option_of_seatunnel_is_accepted() {
    let options = json!({
        "path": "/data/out/${table_name}", "tmp_path": "/tmp/seatunnel", "file_format_type": "CSV",
        "custom_filename": "true", "file_name_expression": "${transactionId}_${now}", "filename_time_format": "yyyy.MM.dd",
        "filename_extension": "txt", "single_file_mode": false, "create_empty_file_when_no_data": false,
        "field_delimiter": "\t", "row_delimiter": "\n", "have_partition": true, "partition_by": "age, name",
        "partition_dir_expression": "${k0}=${v0}/${k1}=${v1}", "is_partition_field_write_in_file": true,
        "sink_columns": ["name", "age"], "is_enable_transaction": true, "batch_size": "1000000",
        "compress_codec": "none", "encoding": "utf-8", "enable_header_write": true, "csv_string_quote_mode": "MINIMAL",
        "xml_root_tag": "RECORDS", "xml_row_tag": "RECORD", "xml_use_attr_format": true, "sheet_name": "s",
        "max_rows_in_memory": 100, "parquet_avro_write_timestamp_as_int96": false,
        "parquet_avro_write_fixed_as_int96": [], "date_format": "yyyy-MM-dd", "datetime_format": "yyyy-MM-dd HH:mm:ss",
        "time_format": "HH:mm:ss", "null_format": "", "schema_save_mode": "create_schema_when_not_exist",
        "data_save_mode": "append_data", "multi_table_sink_replica": 1,
    });
    let folder = tempfile::tempdir().unwrap();
    let sink = build(&options, folder.path()).unwrap();
    assert_eq!(sink.delivery(), Delivery::ExactlyOnce);
}

#[test]
fn wrong_options_are_named() {
    let cases = [
        (json!({"path": ""}), "path"),
        (json!({"path": "/data/${table_nam}"}), "path"),
        (json!({"path": "/data/${table_name}/../x"}), "path"),
        (json!({"path": "s3://bucket/x"}), "path"),
        (json!({"is_enable_transaction": false}), "is_enable_transaction"),
        (json!({"file_format_type": "orc"}), "file_format_type"),
        (json!({"compress_codec": "snappy"}), "compress_codec"),
        (json!({"file_format_type": "parquet", "compress_codec": "brotli"}), "compress_codec"),
        (json!({"compress_codec": "zstd", "compression.level": 23}), "compression.level"),
        (json!({"compression.level": 3}), "compression.level"),
        (json!({"have_partition": true}), "partition_by"),
        (json!({"partition_by": ["a"], "partition_dir_expression": "${v1}"}), "partition_dir_expression"),
        (json!({"partition_by": ["a"], "partition_dir_expression": "//"}), "partition_dir_expression"),
        (json!({"custom_filename": true, "file_name_expression": "a/b"}), "file_name_expression"),
        (json!({"custom_filename": true, "file_name_expression": "${x}"}), "file_name_expression"),
        (json!({"date_format": "EEE"}), "date_format"),
        (json!({"encoding": "GBK"}), "encoding"),
        (json!({"roll.rows": 0}), "roll.rows"),
        (json!({"roll.size": "many"}), "roll.size"),
        (json!({"max_open_files": 0}), "max_open_files"),
        (json!({"field_delimiter": "\n"}), "row_delimiter"),
        (json!({"field_delimiter": "\""}), "field_delimiter"),
        (json!({"parquet_avro_write_timestamp_as_int96": true}), "parquet_avro_write_timestamp_as_int96"),
        (json!({"data_save_mode": "CUSTOM_PROCESSING"}), "data_save_mode"),
        (json!({"row_per_file": 3}), "row_per_file"),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (mut options, option) in cases {
        if options.get("path").is_none() {
            options["path"] = json!("out");
        }
        let error = build(&options, folder.path()).err().unwrap_or_else(|| panic!("{options} is refused"));
        assert_eq!(error.option(), Some(option), "{options}: {error:?}");
    }
}

#[test]
fn nothing_is_left_of_a_row_without_columns() {
    use seatun_testkit::batches;
    let bench = Bench::new(json!({"partition_by": ["id", "name"]}));
    let error = bench.sink().accepts(&[batches::numbers_table("t")]).unwrap_err();
    assert_eq!(error.option(), Some("partition_by"));
}

#[tokio::test]
async fn a_probe_says_whether_the_folder_can_be_written() {
    let bench = Bench::new(json!({}));
    let line = bench.sink().probe().await.unwrap();
    assert!(line.contains("can be written") && line.contains("will be made"), "{line}");
    assert!(!bench.out().exists(), "a probe makes nothing");
    std::fs::write(bench.out(), b"a file").unwrap();
    assert_eq!(bench.sink().probe().await.unwrap_err().code().0, "ST-0650");
}
