//! Types that come out of a query, as types that a table of seatun has.
//!
//! Guarantees: a value keeps its meaning. Views, dictionaries and large offsets are representations and go;
//! narrower units become wider ones; decimals stay exact; nothing is cast that could lose digits but a
//! timestamp's nanoseconds, which no table keeps.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};

/// The table type that a computed column of this type gets; `None` if there is none.
pub(crate) fn of_column(kind: &DataType) -> Option<DataType> {
    Some(match kind {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, values) => of_column(values)?,
        DataType::RunEndEncoded(_, values) => of_column(values.data_type())?,
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Date64 => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => DataType::List(of_field(item)?),
        DataType::Struct(fields) => DataType::Struct(of_fields(fields)?),
        DataType::Map(entries, sorted) => DataType::Map(of_field(entries)?, *sorted),
        DataType::Interval(_) | DataType::Duration(_) | DataType::Union(_, _) => return None,
        plain => plain.clone(),
    })
}

fn of_field(field: &FieldRef) -> Option<FieldRef> {
    let kind = of_column(field.data_type())?;
    Some(Arc::new(Field::clone(field).with_data_type(kind)))
}

fn of_fields(fields: &Fields) -> Option<Fields> {
    fields.iter().map(of_field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn representations_go_and_meanings_stay() {
        let text = |kind: DataType| Arc::new(Field::new("item", kind, true));
        let cases = [
            (DataType::Utf8View, Some(DataType::Utf8)),
            (
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8View)),
                Some(DataType::Utf8),
            ),
            (DataType::LargeList(text(DataType::LargeUtf8)), Some(DataType::List(text(DataType::Utf8)))),
            (DataType::UInt64, Some(DataType::Int64)),
            (DataType::Decimal128(38, 10), Some(DataType::Decimal128(38, 10))),
            (
                DataType::Timestamp(TimeUnit::Second, Some("+02:00".into())),
                Some(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
            ),
            (DataType::Duration(TimeUnit::Second), None),
        ];
        for (kind, expected) in cases {
            assert_eq!(of_column(&kind), expected, "{kind}");
        }
    }
}
