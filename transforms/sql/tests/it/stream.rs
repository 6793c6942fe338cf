//! What stays with rows on the streaming way.

use std::sync::Arc;

use arrow_array::{BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt8Array};
use arrow_schema::{DataType, Field, Schema};
use seatun_api::table::{MASKED, NATIVE_TYPE};
use seatun_api::{
    Batch, ChangeKind, ColumnChange, Image, JobMode, SchemaChange, SchemaVersion, TableId, TableSchema,
    TransformKind,
};

use crate::harness::{build, lines, run_map, slices};

fn users() -> Arc<TableSchema> {
    let marked = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into_iter().collect();
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, false).with_metadata(marked(NATIVE_TYPE, "bigserial")),
        Field::new("name", DataType::Utf8, true),
        Field::new("ssn", DataType::Utf8, true).with_metadata(marked(MASKED, "true")),
    ]);
    let table = TableSchema::new(TableId::parse("shop.users", false), Arc::new(schema));
    Arc::new(table.with_primary_key(&["id"]).unwrap())
}

fn rows(table: &Arc<TableSchema>, ids: &[i64]) -> RecordBatch {
    let names: StringArray = ids.iter().map(|id| Some(format!("n{id}"))).collect();
    let ssns: StringArray = ids.iter().map(|id| Some(format!("s{id}"))).collect();
    let ids = Int64Array::from(ids.to_vec());
    let columns: Vec<arrow_array::ArrayRef> = vec![Arc::new(ids), Arc::new(names), Arc::new(ssns)];
    let count = table.arrow.fields().len();
    RecordBatch::try_new(Arc::clone(&table.arrow), columns[..count].to_vec()).unwrap()
}

fn changes() -> Batch {
    let kinds = [ChangeKind::Insert, ChangeKind::UpdateBefore, ChangeKind::UpdateAfter, ChangeKind::Delete];
    let sequence = FixedSizeBinaryArray::try_from_iter((0..4_u8).map(|row| [row; 16])).unwrap();
    Batch::new(users(), rows(&users(), &[1, 2, 3, 4]))
        .unwrap()
        .with_kinds(UInt8Array::from(kinds.map(|kind| kind as u8).to_vec()))
        .unwrap()
        .with_event_time(Int64Array::from(vec![10, 20, 30, 40]))
        .unwrap()
        .with_sequence(sequence)
        .unwrap()
        .with_unchanged(vec![(1, BooleanArray::from(vec![false, true, false, false]))])
        .unwrap()
}

#[test]
fn kinds_times_sequences_and_marks_stay_with_their_rows() {
    let query = "select upper(name) as up, id as key, ssn as name, name as ssn from users where id <> 3";
    let transform = build(query, JobMode::Streaming, &["users"]).unwrap();
    assert_eq!(transform.kind(), TransformKind::Map);
    let (output, rejects) = run_map(transform.as_ref(), &[changes()]);
    assert!(rejects.is_empty());
    let [output] = output.as_slice() else { panic!("one batch") };
    assert_eq!(lines(output), ["N1 | 1 | s1 | n1", "N2 | 2 | s2 | n2", "N4 | 4 | s4 | n4"]);
    let kinds: Vec<&str> = (0..3).map(|row| output.kind(row).short()).collect();
    assert_eq!(kinds, ["+I", "-U", "-D"]);
    assert_eq!(output.event_time(), Some(&Int64Array::from(vec![10, 20, 40])));
    let sequence = FixedSizeBinaryArray::try_from_iter([0_u8, 1, 3].map(|row| [row; 16]).iter()).unwrap();
    assert_eq!(output.sequence(), Some(&sequence));
    let marks = BooleanArray::from(vec![false, true, false]);
    // Of the column that reads it and of the column that it became, not of the one that took its name.
    assert_eq!(output.unchanged(), [(0, marks.clone()), (3, marks)]);
}

#[test]
fn a_table_keeps_what_its_columns_keep() {
    let cases = [
        ("select id, name from t", vec![0], vec![1, 2]),
        ("select name, id as key from t", vec![1], vec![2, 1]),
        ("select id + 0 as id, name from t", vec![], vec![]),
        ("select name from t", vec![], vec![2]),
        ("select * from t where id > 1", vec![0], vec![1, 2, 3]),
        ("select key from (select id as key, name from t) x where name <> ''", vec![0], vec![1]),
    ];
    for (query, key, ids) in cases {
        let transform = build(query, JobMode::Streaming, &["t"]).unwrap();
        let table = transform.output_tables(&[vec![users()]]).unwrap().remove(0);
        assert_eq!(table.primary_key, key, "{query}");
        assert_eq!(table.id.to_string(), "shop.users");
        if !ids.is_empty() {
            assert_eq!(table.field_ids, ids, "{query}");
        }
    }
    let query = "select id as key, upper(ssn) as up, concat(name, ssn) as both, name from t";
    let transform = build(query, JobMode::Streaming, &["t"]).unwrap();
    let table = transform.output_tables(&[vec![users()]]).unwrap().remove(0);
    let metadata = |index: usize, key: &str| table.arrow.field(index).metadata().get(key).cloned();
    assert_eq!(metadata(0, NATIVE_TYPE).as_deref(), Some("bigserial"));
    assert!(!table.arrow.field(0).is_nullable());
    assert_eq!(metadata(1, MASKED).as_deref(), Some("true"));
    assert_eq!(metadata(2, MASKED).as_deref(), Some("true"));
    assert_eq!(metadata(3, MASKED), None);
}

#[test]
fn retractions_with_their_key_alone_pass_a_filter_that_reads_other_columns() {
    let table = users();
    let columns: Vec<arrow_array::ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1, 2])),
        Arc::new(StringArray::from(vec![Some("n1"), None])),
        Arc::new(StringArray::from(vec![Some("s1"), None])),
    ];
    let rows = RecordBatch::try_new(Arc::clone(&table.arrow), columns).unwrap();
    let kinds = UInt8Array::from(vec![ChangeKind::Insert as u8, ChangeKind::Delete as u8]);
    let batch = Batch::new(table, rows).unwrap().with_kinds(kinds).unwrap().with_image(Image::KeyOnly);
    let cases = [("name = 'n9'", vec!["2"]), ("id = 1", vec!["1"])];
    for (condition, expected) in cases {
        let query = format!("select id from t where {condition}");
        let transform = build(&query, JobMode::Streaming, &["t"]).unwrap();
        let (output, _) = run_map(transform.as_ref(), std::slice::from_ref(&batch));
        assert_eq!(output.iter().flat_map(lines).collect::<Vec<_>>(), expected, "{condition}");
    }
}

#[test]
fn each_table_of_an_input_has_its_own_program() {
    let other =
        Schema::new(vec![Field::new("name", DataType::Int32, true), Field::new("id", DataType::Utf8, true)]);
    let other = Arc::new(TableSchema::new(TableId::new("other"), Arc::new(other)));
    let columns: Vec<arrow_array::ArrayRef> =
        vec![Arc::new(arrow_array::Int32Array::from(vec![5])), Arc::new(StringArray::from(vec!["x"]))];
    let others =
        Batch::new(Arc::clone(&other), RecordBatch::try_new(Arc::clone(&other.arrow), columns).unwrap());
    let transform = build("select id, name from t", JobMode::Streaming, &["t"]).unwrap();
    assert_eq!(transform.output_tables(&[vec![users(), other]]).unwrap().len(), 2);
    let (output, _) = run_map(transform.as_ref(), &[changes(), others.unwrap()]);
    assert_eq!(output[1].table().id.to_string(), "other");
    assert_eq!(lines(&output[1]), ["x | 5"]);
}

#[test]
fn a_schema_change_shows_only_if_the_query_reads_it() {
    let next = |fields: Vec<Field>, field_ids: Vec<i32>| {
        let version = SchemaVersion(1);
        let arrow = Arc::new(Schema::new(fields));
        Arc::new(TableSchema { version, arrow, field_ids, ..TableSchema::clone(&users()) })
    };
    let [id, name, ssn] = [0, 1, 2].map(|index| users().arrow.field(index).clone());
    let cases = [
        (next(vec![id.clone(), name.clone()], vec![1, 2]), vec![]),
        (
            next(vec![id.clone(), name, Field::new("more", DataType::Utf8, true), ssn], vec![1, 2, 4, 3]),
            vec![],
        ),
        (
            next(
                vec![id.with_data_type(DataType::Int32), Field::new("name", DataType::Utf8, true)],
                vec![1, 2],
            ),
            vec![ColumnChange::Retype { name: "id".into() }, ColumnChange::Retype { name: "sum".into() }],
        ),
    ];
    for (after, steps) in cases {
        let transform =
            build("select id, id + 1 as sum, upper(name) as up from t", JobMode::Streaming, &["t"]);
        let transform = transform.unwrap();
        let mut map = transform.map().unwrap();
        map.map(changes(), &mut Vec::new()).unwrap();
        let change = Arc::new(SchemaChange { before: users(), after, steps: vec![] });
        let shown = map.schema_change(change).unwrap();
        assert_eq!(shown.map(|change| change.steps.clone()).unwrap_or_default(), steps);
    }
    let transform = build("select ssn from t", JobMode::Streaming, &["t"]).unwrap();
    let after = next(vec![Field::new("id", DataType::Int64, false)], vec![1]);
    let change = Arc::new(SchemaChange { before: users(), after, steps: vec![] });
    let error = transform.map().unwrap().schema_change(change).unwrap_err();
    assert_eq!(error.code().0, "ST-0511");
}

#[test]
fn the_clock_is_read_while_rows_flow() {
    let transform =
        build("select current_timestamp as now, current_date as today from t", JobMode::Streaming, &["t"]);
    let transform = transform.unwrap();
    let mut map = transform.map().unwrap();
    let mut times = Vec::new();
    while times.len() < 2 {
        let output = map.map(changes(), &mut Vec::new()).unwrap().unwrap();
        let now = lines(&output)[0].clone();
        if !times.contains(&now) {
            times.push(now);
        }
    }
}

#[test]
fn a_batch_job_takes_the_streaming_way_where_it_can() {
    let cases = [
        ("select id from t where id > 1", TransformKind::Map),
        ("select id from t order by id", TransformKind::Blocking),
        ("select count(*) from t", TransformKind::Blocking),
    ];
    for (query, kind) in cases {
        assert_eq!(build(query, JobMode::Batch, &["t"]).unwrap().kind(), kind, "{query}");
    }
    let two = build("select id from t", JobMode::Batch, &["t", "u"]).unwrap();
    assert_eq!(two.kind(), TransformKind::Blocking);
}

#[test]
fn empty_batches_give_nothing() {
    let transform = build("select id from t", JobMode::Streaming, &["t"]).unwrap();
    let (output, _) =
        run_map(transform.as_ref(), &slices(&changes(), 4).iter().map(|b| b.slice(0, 0)).collect::<Vec<_>>());
    assert!(output.is_empty());
}
