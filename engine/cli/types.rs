//! Types of columns as a job file spells them.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

/// `decimal(10,2)`, `array<string>`, `{a int, b string}`.
#[must_use]
pub fn name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "tinyint".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "int".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "float".to_owned(),
        DataType::Float64 => "double".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytes".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Time64(TimeUnit::Nanosecond) => "time".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "timestamp".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "timestamp_tz".to_owned(),
        DataType::Null => "null".to_owned(),
        DataType::List(item) => format!("array<{}>", name(item.data_type())),
        DataType::Map(entries, _) => map(entries),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields.iter().map(|field| column(field)).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn map(entries: &Field) -> String {
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => {
            format!("map<{}, {}>", name(fields[0].data_type()), name(fields[1].data_type()))
        }
        other => other.to_string(),
    }
}

/// `name type`.
#[must_use]
pub fn column(field: &Field) -> String {
    format!("{} {}", field.name(), name(field.data_type()))
}

/// All columns, `name type` each.
#[must_use]
pub fn columns(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| column(field)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn types_are_spelled_as_in_a_job_file() {
        let int = |name: &str| Field::new(name, DataType::Int32, true);
        let row = DataType::Struct(vec![int("a"), int("b")].into());
        for (data_type, expected) in [
            (DataType::Decimal128(10, 2), "decimal(10,2)"),
            (DataType::new_list(DataType::Utf8, true), "array<string>"),
            (row.clone(), "{a int, b int}"),
            (DataType::Map(Arc::new(Field::new("entries", row, false)), false), "map<int, int>"),
            (DataType::Timestamp(TimeUnit::Microsecond, None), "timestamp"),
            (DataType::UInt64, "UInt64"),
        ] {
            assert_eq!(name(&data_type), expected);
        }
    }
}
