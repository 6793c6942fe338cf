//! Rows as text: one line a row, columns joined by `|`, null as `∅`, nested values in Arrow's own form.
//! Rows of a changelog begin with their kind, as in `-D 1|a`.

use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use seatun_api::Batch;

/// How a null is shown.
pub const NULL: &str = "∅";

/// The rows of a record batch, in order.
#[must_use]
pub fn text(rows: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::new().with_null(NULL).with_display_error(false);
    let columns: Vec<ArrayFormatter<'_>> = rows
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).expect("a type that can be shown"))
        .collect();
    (0..rows.num_rows())
        .map(|row| {
            let cells: Vec<String> = columns
                .iter()
                .zip(rows.columns())
                .map(|(formatter, column)| match column.is_null(row) {
                    true => NULL.to_owned(),
                    false => formatter.value(row).try_to_string().expect("a value that can be shown"),
                })
                .collect();
            cells.join("|")
        })
        .collect()
}

/// The rows of several record batches, in order.
#[must_use]
pub fn text_of_all<'a>(batches: impl IntoIterator<Item = &'a RecordBatch>) -> Vec<String> {
    batches.into_iter().flat_map(text).collect()
}

/// The rows of a batch, in order, with their kinds if not all are inserts.
#[must_use]
pub fn batch_text(batch: &Batch) -> Vec<String> {
    let rows = text(batch.rows());
    if batch.kinds().is_none() {
        return rows;
    }
    rows.into_iter().enumerate().map(|(row, text)| format!("{} {text}", batch.kind(row).short())).collect()
}

/// The rows of several batches, in order; see [`batch_text`].
#[must_use]
pub fn batches_text<'a>(batches: impl IntoIterator<Item = &'a Batch>) -> Vec<String> {
    batches.into_iter().flat_map(batch_text).collect()
}

/// Panics with the first differences if the rows are not the same in the same order.
#[track_caller]
pub fn assert_same(what: &str, actual: &[String], expected: &[String]) {
    if actual == expected {
        return;
    }
    let at = actual.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let show = |rows: &[String]| match rows.get(at) {
        Some(row) => shorten(row),
        None => "(nothing)".to_owned(),
    };
    panic!(
        "{what}: {} rows where {} are due; the first difference is row {at}:\n  actual   {}\n  expected {}\n{}",
        actual.len(),
        expected.len(),
        show(actual),
        show(expected),
        difference(actual, expected),
    );
}

/// Panics with the rows lost and doubled if the rows are not the same, in whatever order.
#[track_caller]
pub fn assert_same_unordered(what: &str, actual: &[String], expected: &[String]) {
    let difference = difference(actual, expected);
    assert!(
        difference.is_empty(),
        "{what}: {} rows where {} are due\n{difference}",
        actual.len(),
        expected.len()
    );
}

/// The rows that one side has more often than the other, without regard to order; empty if there are none.
#[must_use]
pub fn difference(actual: &[String], expected: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut counts = std::collections::BTreeMap::new();
    for row in expected {
        *counts.entry(row.as_str()).or_insert(0_i64) -= 1;
    }
    for row in actual {
        *counts.entry(row.as_str()).or_insert(0) += 1;
    }
    let mut text = String::new();
    for (title, sign) in [("missing", -1), ("too many", 1)] {
        let rows: Vec<_> = counts.iter().filter(|(_, count)| **count * sign > 0).collect();
        if rows.is_empty() {
            continue;
        }
        text.push_str(&format!("{title} ({} different rows):\n", rows.len()));
        for (row, count) in rows.iter().take(SHOWN) {
            text.push_str(&format!("  {}x {}\n", count.abs(), shorten(row)));
        }
    }
    text
}

fn shorten(row: &str) -> String {
    const LONGEST: usize = 160;
    match row.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}... ({} bytes)", &row[..cut], row.len()),
        None => row.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_difference_names_what_is_missing_and_what_is_doubled() {
        let difference = difference(&lines(&["a", "c", "c"]), &lines(&["b", "a", "c"]));
        assert_eq!(difference, "missing (1 different rows):\n  1x b\ntoo many (1 different rows):\n  1x c\n");
    }

    #[test]
    fn nulls_and_empty_texts_are_told_apart() {
        let table = crate::batches::numbers_table("t");
        let batch = crate::batches::batch(
            &table,
            vec![crate::batches::int64([Some(1), None]), crate::batches::utf8([None, Some("")])],
        );
        assert_eq!(batch_text(&batch), ["1|∅", "∅|"]);
    }
}
