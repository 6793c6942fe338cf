//! However rows are cut into batches, the same comes out.

use arrow_schema::DataType;
use proptest::prelude::*;
use seatun_api::JobMode;

use crate::harness::{build, lines, run_map, slices, table};

const QUERIES: &[&str] = &[
    "select * from t",
    "select a, b from t where a > 0",
    "select b || 'x' as c, a + 1 as d from t where length(b) > 1 and a % 2 = 0",
    "select cast(b as int) as n, a from t where a <> 7",
    "select 10 / a as q, upper(b) as u, coalesce(b, 'none') as c from t",
    "select s, s * 2 as t from (select a + length(coalesce(b, '')) as s from t where a < 50) x where s > 3",
];

fn row() -> impl Strategy<Value = Vec<String>> {
    let number = prop_oneof![4 => (-5..60_i64).prop_map(|n| n.to_string()), 1 => Just("NULL".to_owned())];
    let text = prop_oneof![
        2 => "[0-9]{1,3}",
        2 => "[a-z]{0,4}",
        1 => Just("NULL".to_owned()),
    ];
    (number, text).prop_map(|(number, text)| vec![number, text])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_of_any_size_give_the_same(rows in prop::collection::vec(row(), 1..60), size in 1..20_usize) {
        let batch = table("t", &[("a", DataType::Int64), ("b", DataType::Utf8)], &rows);
        for query in QUERIES {
            let transform = build(query, JobMode::Streaming, &["t"]).unwrap();
            let (whole, whole_rejects) = run_map(transform.as_ref(), std::slice::from_ref(&batch));
            let (parts, part_rejects) = run_map(transform.as_ref(), &slices(&batch, size));
            let all = |batches: &[seatun_api::Batch]| batches.iter().flat_map(lines).collect::<Vec<_>>();
            prop_assert_eq!(all(&whole), all(&parts), "{}", query);
            let raws = |rejects: &[seatun_api::Reject]| rejects.iter().map(|r| r.raw.clone()).collect::<Vec<_>>();
            prop_assert_eq!(raws(&whole_rejects), raws(&part_rejects), "{}", query);
        }
    }
}
