//! Whether two values are the same: of one type, null with null, maps in whatever order.

use arrow_array::cast::AsArray;
use arrow_array::{Array, StructArray};
use arrow_schema::DataType;

/// Whether a value of one column is the same as a value of another column of the same type.
pub(crate) fn equal(left: &dyn Array, row: usize, right: &dyn Array, other: usize) -> bool {
    if left.is_null(row) || right.is_null(other) {
        return left.is_null(row) && right.is_null(other);
    }
    match left.data_type() {
        DataType::List(_) => same_items(
            left.as_list::<i32>().value(row).as_ref(),
            right.as_list::<i32>().value(other).as_ref(),
        ),
        DataType::LargeList(_) => same_items(
            left.as_list::<i64>().value(row).as_ref(),
            right.as_list::<i64>().value(other).as_ref(),
        ),
        DataType::FixedSizeList(..) => same_items(
            left.as_fixed_size_list().value(row).as_ref(),
            right.as_fixed_size_list().value(other).as_ref(),
        ),
        DataType::Struct(_) => {
            let columns = left.as_struct().columns().iter().zip(right.as_struct().columns());
            columns.into_iter().all(|(left, right)| equal(left.as_ref(), row, right.as_ref(), other))
        }
        DataType::Map(..) => same_entries(&left.as_map().value(row), &right.as_map().value(other)),
        _ => left.slice(row, 1).to_data() == right.slice(other, 1).to_data(),
    }
}

fn same_items(left: &dyn Array, right: &dyn Array) -> bool {
    left.len() == right.len() && (0..left.len()).all(|item| equal(left, item, right, item))
}

fn same_entries(left: &StructArray, right: &StructArray) -> bool {
    let ([left_keys, left_values], [right_keys, right_values]) = (left.columns(), right.columns()) else {
        return false;
    };
    left.len() == right.len()
        && (0..left.len()).all(|entry| {
            (0..right.len()).any(|other| {
                equal(left_keys.as_ref(), entry, right_keys.as_ref(), other)
                    && equal(left_values.as_ref(), entry, right_values.as_ref(), other)
            })
        })
}
