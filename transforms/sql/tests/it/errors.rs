//! What is wrong with the node rather than with the text of its query; the texts are in `tests/slt`.

use std::sync::Arc;

use arrow_schema::DataType;
use seatun_api::JobMode;

use crate::harness::{build, describe, table};

#[test]
fn tables_that_are_no_inputs_are_named() {
    let error = build("select 1 from orders join custmers on true", JobMode::Batch, &["orders", "customers"]);
    assert_eq!(
        error.err().unwrap(),
        "ST-0513 line 1, column 27: the node has no input `custmers` | did you mean `customers`?"
    );
    // With one input a second name cannot mean it too.
    let error = build("select 1 from orders join customers on true", JobMode::Batch, &["orders"]);
    assert_eq!(
        error.err().unwrap(),
        "ST-0513 line 1, column 27: the node has no input `customers` | known: orders"
    );
}

#[test]
fn a_stream_has_one_input() {
    let error = build("select id from a", JobMode::Streaming, &["a", "b"]).err().unwrap();
    assert!(
        error.starts_with("ST-0512 a query with several inputs cannot be answered in a stream"),
        "{error}"
    );
}

#[test]
fn an_input_of_several_tables_cannot_be_joined() {
    let one = table("a", &[("id", DataType::Int64)], &[]);
    let two = table("b", &[("id", DataType::Int64)], &[]);
    let transform = build("select count(*) as n from t", JobMode::Batch, &["t"]).unwrap();
    let error =
        transform.output_tables(&[vec![Arc::clone(one.table()), Arc::clone(two.table())]]).unwrap_err();
    assert!(describe(&error).starts_with("ST-0513 the input `t` carries 2 tables"));
}
