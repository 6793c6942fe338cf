//! Several tables, and one table whose columns change.

use std::sync::Arc;

use arrow_schema::DataType;
use seatun_api::{Batch, SchemaChange};
use seatun_testkit::batches;
use serde_json::json;

use super::bench::Bench;

fn two_tables() -> (Batch, Batch) {
    let orders = batches::numbers(&batches::numbers_table("shop.orders"), 0..3);
    let items = batches::of_columns("shop.items", vec![("id", batches::int64([Some(7)]))]);
    (orders, items)
}

#[tokio::test]
async fn each_table_has_its_folder() {
    let (orders, items) = two_tables();
    let options = json!({"file_format_type": "parquet"});
    let bench = Bench::with_tables(options, "out/${table_name}");
    bench.write(&[&orders, &items, &orders]).await;
    let folders = bench.folders();
    assert_eq!(folders.len(), 2, "{folders:?}");
    assert!(folders.iter().all(|folder| !folder.contains('/')), "{folders:?}");
    assert_eq!(bench.parquet_counts().iter().sum::<usize>(), 7);
}

#[tokio::test]
async fn tables_that_would_be_mixed_are_refused() {
    let (orders, items) = two_tables();
    let tables = [Arc::clone(orders.table()), Arc::clone(items.table())];
    let bench = Bench::new(json!({}));
    let error = bench.sink().accepts(&tables).unwrap_err();
    assert_eq!((error.code().0, error.option()), ("ST-0658", Some("path")));
    // A table that comes later is found as well.
    let mut run = bench.open(bench.context(&[&orders])).await;
    run.write(&orders).await.unwrap();
    assert_eq!(run.write(&items).await.unwrap_err().code().0, "ST-0658");

    let named = json!({"custom_filename": true, "file_name_expression": "${table_name}"});
    Bench::new(named).sink().accepts(&tables).unwrap();
    let same = batches::numbers(&batches::numbers_table("shop.returns"), 0..1);
    Bench::new(json!({})).sink().accepts(&[Arc::clone(orders.table()), Arc::clone(same.table())]).unwrap();
}

#[tokio::test]
async fn a_table_cannot_name_a_folder_elsewhere() {
    for name in ["..", "a/../../b", ".hidden"] {
        let mut table = batches::numbers_table("t").as_ref().clone();
        table.id = seatun_api::TableId::new(name);
        let batch = batches::numbers(&Arc::new(table), 0..2);
        let bench = Bench::with_tables(json!({"file_format_type": "parquet"}), "out/${table_name}");
        bench.write(&[&batch]).await;
        assert_eq!(bench.parquet_counts(), [2], "{name}");
        assert_eq!(bench.folders()[0].split('/').count(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_change_of_columns_begins_new_files() {
    let before = batches::numbers_table("t");
    let after = batches::with_added_column(&before, "more");
    let change = SchemaChange::between(&before, &after).unwrap();
    let narrow = batches::numbers(&before, 0..2);
    let wide = batches::wide_numbers(&after, 2..4);
    let bench = Bench::new(json!({"enable_header_write": true}));
    let mut run = bench.open(bench.context(&[&narrow])).await;
    run.write(&narrow).await.unwrap();
    run.commit_epoch().await;
    run.writer.schema_change(Arc::new(change)).await.unwrap();
    run.write(&wide).await.unwrap();
    run.commit_epoch().await;
    let texts: Vec<String> =
        bench.files().iter().map(|path| std::fs::read_to_string(bench.out().join(path)).unwrap()).collect();
    assert_eq!(texts, ["id,name\n0,row 0\n1,row 1\n", "id,name,more\n2,row 2,more 2\n3,row 3,more 3\n"]);
}

#[tokio::test]
async fn a_new_version_without_notice_is_not_mixed_with_the_old() {
    let before = batches::numbers_table("t");
    let after = batches::with_added_column(&before, "more");
    let bench = Bench::new(json!({"file_format_type": "parquet"}));
    let (narrow, wide) = (batches::numbers(&before, 0..2), batches::wide_numbers(&after, 2..4));
    bench.write(&[&narrow, &wide]).await;
    assert_eq!(bench.parquet_rows(), ["0|row 0", "1|row 1", "2|row 2|more 2", "3|row 3|more 3"]);
}

#[tokio::test]
async fn columns_are_chosen_and_ordered_and_keep_their_case() {
    let batch = batches::of_columns(
        "t",
        vec![
            ("Id", batches::int64([Some(1)])),
            ("NaMe", batches::utf8([Some("x")])),
            ("c", batches::int64([None])),
        ],
    );
    let bench = Bench::new(json!({"sink_columns": ["NaMe", "Id"], "enable_header_write": true}));
    bench.write(&[&batch]).await;
    assert_eq!(bench.text(), "NaMe,Id\nx,1\n");
    let bench = Bench::new(json!({"sink_columns": ["name"]}));
    let error = bench.sink().accepts(&[Arc::clone(batch.table())]).unwrap_err();
    assert_eq!((error.code().0, error.option()), ("ST-0004", Some("sink_columns")));
}

#[tokio::test]
async fn types_that_a_format_cannot_hold_are_named() {
    let deep = (0..8).fold(DataType::Int32, |inner, _| DataType::new_list(inner, true));
    let interval = DataType::Interval(arrow_schema::IntervalUnit::MonthDayNano);
    for (format, data_type) in
        [("csv", deep.clone()), ("text", deep), ("json", interval.clone()), ("parquet", interval)]
    {
        let table = batches::table("t", &[("ok", DataType::Int32), ("bad", data_type)]);
        let error = Bench::new(json!({"file_format_type": format})).sink().accepts(&[table]).unwrap_err();
        assert_eq!(error.code().0, "ST-0657", "{format}");
        assert!(error.message().contains("`bad`"), "{error:?}");
        assert!(error.context().iter().any(|(key, _)| *key == "type"), "{error:?}");
    }
    let table =
        batches::table("t", &[("l", DataType::new_list(DataType::Int32, true)), ("x", DataType::Int32)]);
    let bench = Bench::new(json!({"partition_by": ["l"]}));
    assert_eq!(bench.sink().accepts(&[table]).unwrap_err().code().0, "ST-0657");
}

#[tokio::test]
async fn changes_of_one_key_stay_together_where_kinds_are_written() {
    let table = batches::numbers_table("t").as_ref().clone().with_primary_key(&["id"]).unwrap();
    let by = |options| Bench::new(options).sink().distribution(&table);
    assert_eq!(by(json!({"change_kinds": "column"})), Some(vec![0]));
    assert_eq!(by(json!({})), None);
}
