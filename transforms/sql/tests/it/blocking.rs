//! Queries over all rows: memory, files, deadlocks, endings.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch, StringArray, UInt8Array};
use arrow_schema::{DataType, Field, Schema};
use seatun_api::{Batch, ChangeKind, JobMode, SchemaChange, TableId, TableSchema};

use crate::harness::{Collected, build, describe, lines, open, run_operator};

const MIB: usize = 1 << 20;

/// `count` rows: `id` counts, `key` is `id * 7919 % count`, `pad` is 100 bytes.
fn wide(name: &str, count: i64, rows: i64) -> Vec<Batch> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("key", DataType::Int64, true),
        Field::new("pad", DataType::Utf8, true),
    ]));
    let table = Arc::new(TableSchema::new(TableId::new(name), Arc::clone(&schema)));
    let batch = |from: i64| {
        let ids: Vec<i64> = (from..(from + rows).min(count)).collect();
        let keys: Int64Array = ids.iter().map(|id| Some(id * 7919 % count)).collect();
        let pads: StringArray = ids.iter().map(|id| Some(format!("{id:0100}"))).collect();
        let columns: Vec<arrow_array::ArrayRef> =
            vec![Arc::new(Int64Array::from(ids)), Arc::new(keys), Arc::new(pads)];
        Batch::new(Arc::clone(&table), RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()).unwrap()
    };
    (0..count).step_by(usize::try_from(rows).unwrap()).map(batch).collect()
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn ints(batches: &[Batch], column: usize) -> Vec<i64> {
    batches
        .iter()
        .flat_map(|batch| batch.column(column).as_primitive::<Int64Type>().values().to_vec())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn join_group_window_and_sort_are_right_with_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    // 100 000 rows of 116 bytes on each side: 12 MB, and twice that when joined, in 16 MiB.
    let left = wide("l", 100_000, 4096);
    let right = wide("r", 100_000, 1000);
    let query = "select l.id, r.id as other, length(l.pad) as n, r.pad, \
                 row_number() over (partition by l.id % 10 order by l.id) as nth \
                 from l join r on l.key = r.id order by l.id desc";
    let transform = build(query, JobMode::Batch, &["l", "r"]).unwrap();
    let output = run_operator(transform.as_ref(), &[left, right], 16 * MIB, folder.path()).await.unwrap();
    assert!(ints(&output, 0).into_iter().eq((0..100_000).rev()), "rows are lost or not in order");
    assert!(ints(&output, 1).into_iter().eq((0..100_000).rev().map(|id| id * 7919 % 100_000)));
    assert!(ints(&output, 4).into_iter().eq((0..100_000).rev().map(|id| id / 10 + 1)));

    let query = "select key % 20000 as g, count(*) as n, min(pad) as least, sum(id) as total \
                 from l group by key % 20000 order by g";
    let transform = build(query, JobMode::Batch, &["l"]).unwrap();
    let output =
        run_operator(transform.as_ref(), &[wide("l", 100_000, 4096)], 8 * MIB, folder.path()).await.unwrap();
    assert_eq!(ints(&output, 0), (0..20_000).collect::<Vec<i64>>());
    assert!(ints(&output, 1).iter().all(|count| *count == 5));
    assert_eq!(ints(&output, 3).iter().sum::<i64>(), (0..100_000).sum::<i64>());
    assert_eq!(files(folder.path()), 0, "spilled files are left behind");
}

/// Hash joins read one side to its end first, whichever comes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_never_waits_for_ever() {
    let query = "select l.id from l join r on l.id = r.id";
    for memory in [2 * MIB, 64 * MIB] {
        for first in [0, 1] {
            let folder = tempfile::tempdir().unwrap();
            let transform = build(query, JobMode::Batch, &["l", "r"]).unwrap();
            let ports = [wide("l", 40_000, 1000), wide("r", 2_000, 1000)];
            let tables: Vec<_> = ports.iter().map(|batches| Arc::clone(batches[0].table())).collect();
            let run = async {
                let mut operator = open(transform.as_ref(), &tables, memory, folder.path()).unwrap();
                let mut out = Collected::default();
                // All of one port before anything of the other.
                for port in [first, 1 - first] {
                    for batch in &ports[port] {
                        operator.on_batch(port, batch.clone(), &mut out).await.unwrap();
                    }
                }
                for port in [first, 1 - first] {
                    operator.on_port_end(port, &mut out).await.unwrap();
                }
                operator.on_end(&mut out).await.unwrap();
                ints(&out.batches, 0).len()
            };
            let joined =
                tokio::time::timeout(Duration::from_secs(60), run).await.expect("the join stands still");
            assert_eq!(joined, 2_000);
            assert_eq!(files(folder.path()), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_read_twice_and_one_not_read_do_not_wait_either() {
    let folder = tempfile::tempdir().unwrap();
    let query = "select a.id from l a join l b on a.key = b.id union all select id from l where id < 10";
    let transform = build(query, JobMode::Batch, &["l", "r"]).unwrap();
    let ports = [wide("l", 30_000, 1000), wide("r", 30_000, 1000)];
    let run = run_operator(transform.as_ref(), &ports, 3 * MIB, folder.path());
    let output = tokio::time::timeout(Duration::from_secs(60), run).await.expect("the query stands still");
    assert_eq!(ints(&output.unwrap(), 0).len(), 30_010);
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_out_while_rows_go_in() {
    let folder = tempfile::tempdir().unwrap();
    let query = "select id from l union all select id from r";
    let transform = build(query, JobMode::Batch, &["l", "r"]).unwrap();
    let (left, right) = (wide("l", 2_000, 1000), wide("r", 200_000, 1000));
    let tables = [Arc::clone(left[0].table()), Arc::clone(right[0].table())];
    let mut operator = open(transform.as_ref(), &tables, 8 * MIB, folder.path()).unwrap();
    let mut out = Collected::default();
    for batch in left {
        operator.on_batch(0, batch, &mut out).await.unwrap();
    }
    operator.on_port_end(0, &mut out).await.unwrap();
    for batch in right {
        operator.on_batch(1, batch, &mut out).await.unwrap();
    }
    let before_end = ints(&out.batches, 0).len();
    assert!(before_end > 100_000, "{before_end} rows before the end");
    operator.on_port_end(1, &mut out).await.unwrap();
    operator.on_end(&mut out).await.unwrap();
    assert_eq!(ints(&out.batches, 0).len(), 202_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_that_is_reached_lets_the_rest_pass_by() {
    let folder = tempfile::tempdir().unwrap();
    let transform = build("select id from l limit 5", JobMode::Batch, &["l"]).unwrap();
    let output =
        run_operator(transform.as_ref(), &[wide("l", 100_000, 1000)], MIB, folder.path()).await.unwrap();
    assert_eq!(ints(&output, 0), [0, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_little_memory_is_an_error_that_names_the_option() {
    let folder = tempfile::tempdir().unwrap();
    // All rows in one value: nothing that could be spilled helps.
    let query = "select array_agg(pad) as every from l";
    let transform = build(query, JobMode::Batch, &["l"]).unwrap();
    let error =
        run_operator(transform.as_ref(), &[wide("l", 60_000, 4096)], MIB, folder.path()).await.unwrap_err();
    assert!(describe(&error).starts_with("ST-0517 "), "{error:?}");
    assert!(error.hint().unwrap().contains("memory.operator"));
    assert_eq!(files(folder.path()), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_fails_says_so_without_values() {
    let folder = tempfile::tempdir().unwrap();
    let transform = build("select sum(cast(pad as int)) as n from l", JobMode::Batch, &["l"]).unwrap();
    let mut batches = wide("l", 10, 10);
    let schema = batches[0].schema();
    let columns: Vec<arrow_array::ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1])),
        Arc::new(Int64Array::from(vec![1])),
        Arc::new(StringArray::from(vec!["secret"])),
    ];
    let bad = RecordBatch::try_new(schema, columns).unwrap();
    batches.push(Batch::new(Arc::clone(batches[0].table()), bad).unwrap());
    let error = run_operator(transform.as_ref(), &[batches], MIB, folder.path()).await.unwrap_err();
    assert!(describe(&error).starts_with("ST-0518 the query failed: a value cannot be cast"), "{error:?}");
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_and_schema_changes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let transform = build("select count(*) as n from l", JobMode::Batch, &["l"]).unwrap();
    let batch = wide("l", 3, 3).remove(0);
    let mut operator = open(transform.as_ref(), &[Arc::clone(batch.table())], MIB, folder.path()).unwrap();
    let mut out = Collected::default();
    let kinds = UInt8Array::from(vec![ChangeKind::Insert as u8, ChangeKind::Delete as u8, 0]);
    let changes = batch.clone().with_kinds(kinds).unwrap();
    let error = operator.on_batch(0, changes, &mut out).await.unwrap_err();
    assert!(describe(&error).starts_with("ST-0516 table l has updates or deletes"));
    let table = Arc::clone(batch.table());
    let change = Arc::new(SchemaChange { before: Arc::clone(&table), after: table, steps: vec![] });
    let error = operator.on_schema_change(0, change, &mut out).await.unwrap_err();
    assert!(describe(&error).starts_with("ST-0519 the schema of table l changed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inputs_without_rows_are_answered_too() {
    let folder = tempfile::tempdir().unwrap();
    let table = Arc::clone(wide("l", 1, 1)[0].table());
    let transform = build("select count(*) as n from l", JobMode::Batch, &["l"]).unwrap();
    let mut operator = open(transform.as_ref(), &[table], MIB, folder.path()).unwrap();
    let mut out = Collected::default();
    operator.on_end(&mut out).await.unwrap();
    assert_eq!(out.batches.iter().flat_map(lines).collect::<Vec<_>>(), ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_operator_stops_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let transform = build("select l.id from l join r on l.id = r.id", JobMode::Batch, &["l", "r"]).unwrap();
    let ports = [wide("l", 40_000, 1000), wide("r", 2_000, 1000)];
    let tables: Vec<_> = ports.iter().map(|batches| Arc::clone(batches[0].table())).collect();
    let mut operator = open(transform.as_ref(), &tables, MIB, folder.path()).unwrap();
    let mut out = Collected::default();
    for batch in &ports[0] {
        operator.on_batch(0, batch.clone(), &mut out).await.unwrap();
    }
    operator.on_port_end(0, &mut out).await.unwrap();
    operator.on_batch(1, ports[1][0].clone(), &mut out).await.unwrap();
    assert!(files(folder.path()) > 0);
    drop(operator);
    let gone = async {
        while files(folder.path()) > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("files are left behind");
}
