//! The builders behind [`crate::json_value`]: one for each type, nested as the type is.
//!
//! Each `append` adds exactly one value, also when it fails (then a placeholder), so that the parts of
//! nested columns never get out of step.

mod nested;
mod scalar;

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64NanosecondType, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, NullArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Field};
use base64::Engine as _;
use seatun_api::Result;

use self::nested::{ListBuilder, MapBuilder, StructBuilder};
use self::scalar::{Scalar, decimal_fault, float, micros, not_in_form, whole};
use crate::codes;
use crate::decimal::parse_decimal;
use crate::json_value::{Fault, JsonNode, Shape, compact_text};
use crate::{temporal, types};

/// Builds a column from values.
pub(crate) enum ColumnBuilder {
    Null(usize),
    Boolean(BooleanBuilder),
    Int8(PrimitiveBuilder<Int8Type>),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Decimal { builder: PrimitiveBuilder<Decimal128Type>, precision: u8, scale: i8 },
    Text(StringBuilder),
    Binary(BinaryBuilder),
    Date(PrimitiveBuilder<Date32Type>),
    Time(PrimitiveBuilder<Time64NanosecondType>),
    Timestamp { builder: PrimitiveBuilder<TimestampMicrosecondType>, zoned: bool },
    List(ListBuilder),
    Map(MapBuilder),
    Struct(StructBuilder),
}

impl ColumnBuilder {
    /// The builder of a column. Foreign Arrow types are built as the SeaTunnel type that they stand for and
    /// cast in the end.
    pub fn new(field: &Field, capacity: usize) -> Result<Self, Fault> {
        Self::of_type(field.data_type(), capacity)
    }

    fn of_type(data_type: &DataType, capacity: usize) -> Result<Self, Fault> {
        let unsupported = || Fault {
            code: codes::UNSUPPORTED_TYPE,
            reason: "values of this type have no JSON form".to_owned(),
            path: Vec::new(),
        };
        Ok(match data_type {
            DataType::Null => Self::Null(0),
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(capacity)),
            DataType::Int8 => Self::Int8(PrimitiveBuilder::with_capacity(capacity)),
            DataType::Int16 | DataType::UInt8 => Self::Int16(PrimitiveBuilder::with_capacity(capacity)),
            DataType::Int32 | DataType::UInt16 => Self::Int32(PrimitiveBuilder::with_capacity(capacity)),
            DataType::Int64 | DataType::UInt32 => Self::Int64(PrimitiveBuilder::with_capacity(capacity)),
            DataType::UInt64 => Self::decimal(20, 0, capacity),
            DataType::Float16 | DataType::Float32 => Self::Float32(PrimitiveBuilder::with_capacity(capacity)),
            DataType::Float64 => Self::Float64(PrimitiveBuilder::with_capacity(capacity)),
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => {
                Self::decimal((*precision).min(types::MAX_PRECISION), *scale, capacity)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Self::Text(StringBuilder::with_capacity(capacity, capacity * 16))
            }
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => {
                Self::Binary(BinaryBuilder::with_capacity(capacity, capacity * 16))
            }
            DataType::Date32 | DataType::Date64 => Self::Date(PrimitiveBuilder::with_capacity(capacity)),
            DataType::Time32(_) | DataType::Time64(_) => {
                Self::Time(PrimitiveBuilder::with_capacity(capacity))
            }
            DataType::Timestamp(_, zone) => {
                let zoned = zone.is_some();
                let built = if zoned { types::timestamp_tz() } else { types::timestamp() };
                let builder = PrimitiveBuilder::with_capacity(capacity).with_data_type(built);
                Self::Timestamp { builder, zoned }
            }
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Self::List(ListBuilder::new(item, Self::of_type(item.data_type(), capacity)?))
            }
            DataType::Map(entries, ordered) => {
                let DataType::Struct(fields) = entries.data_type() else { return Err(unsupported()) };
                let [key, value] = fields.as_ref() else { return Err(unsupported()) };
                let key = Self::of_type(key.data_type(), capacity)?;
                let value = Self::of_type(value.data_type(), capacity)?;
                Self::Map(MapBuilder::new(entries, fields, *ordered, key, value))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().map(|field| Self::of_type(field.data_type(), capacity));
                Self::Struct(StructBuilder::new(fields, columns.collect::<Result<_, _>>()?))
            }
            DataType::Dictionary(_, value) => Self::of_type(value, capacity)?,
            _ => return Err(unsupported()),
        })
    }

    fn decimal(precision: u8, scale: i8, capacity: usize) -> Self {
        let builder =
            PrimitiveBuilder::with_capacity(capacity).with_data_type(DataType::Decimal128(precision, scale));
        Self::Decimal { builder, precision, scale }
    }

    /// Adds a value; a missing one is null.
    pub fn append<N: JsonNode>(&mut self, node: Option<&N>, nullable: bool) -> Result<(), Fault> {
        let shape = node.map_or(Shape::Null, JsonNode::shape);
        if matches!(shape, Shape::Null) {
            if nullable {
                self.append_null();
                return Ok(());
            }
            self.append_placeholder();
            return Err(Fault::mismatch("it must not be null"));
        }
        match (&mut *self, shape, node) {
            (Self::List(list), Shape::List(items), _) => list.append(items),
            (Self::Map(map), Shape::Object, Some(node)) => map.append(node),
            (Self::Struct(row), Shape::Object, Some(node)) => row.append(|_, name| node.field(name)),
            (Self::Struct(row), Shape::List(items), _) if items.len() <= row.width() => {
                row.append(|index, _| items.get(index))
            }
            (_, Shape::Bool(value), _) => self.append_scalar(&Scalar::Bool(value)),
            (_, Shape::Number(digits), _) => self.append_scalar(&Scalar::Number(&digits)),
            (_, Shape::Text(text), _) => self.append_scalar(&Scalar::Text(text)),
            (Self::Text(builder), Shape::List(_) | Shape::Object, Some(node)) => {
                builder.append_value(compact_text(node));
                Ok(())
            }
            (_, shape, _) => {
                let found = shape.name();
                self.append_placeholder();
                Err(Fault::mismatch(format!("expected {}, found {found}", self.expected())))
            }
        }
    }

    fn append_scalar(&mut self, scalar: &Scalar<'_>) -> Result<(), Fault> {
        let result = self.try_scalar(scalar);
        if result.is_err() {
            self.append_placeholder();
        }
        result
    }

    /// Adds the value, or fails and adds nothing.
    fn try_scalar(&mut self, scalar: &Scalar<'_>) -> Result<(), Fault> {
        let wrong = |expected: &str| Fault::mismatch(format!("expected {expected}, found {}", scalar.name()));
        match self {
            Self::Boolean(builder) => match scalar {
                Scalar::Bool(value) => builder.append_value(*value),
                Scalar::Text(text) => builder.append_value(text.trim().eq_ignore_ascii_case("true")),
                Scalar::Number(_) => return Err(wrong("true or false")),
            },
            Self::Int8(builder) => builder.append_value(whole(scalar)?),
            Self::Int16(builder) => builder.append_value(whole(scalar)?),
            Self::Int32(builder) => builder.append_value(whole(scalar)?),
            Self::Int64(builder) => builder.append_value(whole(scalar)?),
            Self::Float32(builder) => {
                let value: f32 = float(scalar)?;
                if value.is_infinite() && !scalar.says_infinity() {
                    return Err(Fault::range("the number is too great for a float"));
                }
                builder.append_value(value);
            }
            Self::Float64(builder) => {
                let value: f64 = float(scalar)?;
                if value.is_infinite() && !scalar.says_infinity() {
                    return Err(Fault::range("the number is too great for a double"));
                }
                builder.append_value(value);
            }
            Self::Decimal { builder, precision, scale } => {
                let digits = scalar.digits().ok_or_else(|| wrong("a decimal number"))?;
                let value = parse_decimal(digits, *precision, *scale).map_err(decimal_fault)?;
                builder.append_value(value);
            }
            Self::Text(builder) => match scalar {
                Scalar::Bool(value) => builder.append_value(if *value { "true" } else { "false" }),
                Scalar::Number(text) | Scalar::Text(text) => builder.append_value(text),
            },
            Self::Binary(builder) => {
                let Scalar::Text(text) = scalar else { return Err(wrong("a text in base64")) };
                let bytes = base64::engine::general_purpose::STANDARD
                    .decode(text.trim())
                    .map_err(|_| Fault::mismatch("the text is not base64"))?;
                builder.append_value(bytes);
            }
            Self::Date(builder) => {
                let text = scalar.digits().ok_or_else(|| wrong("a date"))?;
                builder.append_value(temporal::parse_date(text).ok_or_else(|| not_in_form("a date"))?);
            }
            Self::Time(builder) => {
                let text = scalar.digits().ok_or_else(|| wrong("a time"))?;
                builder.append_value(temporal::parse_time(text).ok_or_else(|| not_in_form("a time"))?);
            }
            Self::Timestamp { builder, zoned } => {
                let text = scalar.digits().ok_or_else(|| wrong("a timestamp"))?;
                let parsed = match zoned {
                    true => temporal::parse_timestamp_tz(text)
                        .ok_or_else(|| not_in_form("a timestamp with its offset"))?,
                    false => temporal::parse_timestamp(text).ok_or_else(|| not_in_form("a timestamp"))?,
                };
                builder.append_value(micros(parsed)?);
            }
            Self::Null(_) => return Err(wrong("null")),
            Self::List(_) => return Err(wrong("a list")),
            Self::Map(_) => return Err(wrong("an object")),
            Self::Struct(_) => return Err(wrong("an object or a list")),
        }
        Ok(())
    }

    fn expected(&self) -> &'static str {
        match self {
            Self::Null(_) => "null",
            Self::Boolean(_) => "true or false",
            Self::Int8(_) | Self::Int16(_) | Self::Int32(_) | Self::Int64(_) => "a whole number",
            Self::Float32(_) | Self::Float64(_) | Self::Decimal { .. } => "a number",
            Self::Text(_) => "a text",
            Self::Binary(_) => "a text in base64",
            Self::Date(_) => "a date",
            Self::Time(_) => "a time",
            Self::Timestamp { .. } => "a timestamp",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
            Self::Struct(_) => "an object, or a list of at most as many values as the row has fields",
        }
    }

    fn append_null(&mut self) {
        match self {
            Self::Null(rows) => *rows += 1,
            Self::Boolean(builder) => builder.append_null(),
            Self::Int8(builder) => builder.append_null(),
            Self::Int16(builder) => builder.append_null(),
            Self::Int32(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Decimal { builder, .. } => builder.append_null(),
            Self::Text(builder) => builder.append_null(),
            Self::Binary(builder) => builder.append_null(),
            Self::Date(builder) => builder.append_null(),
            Self::Time(builder) => builder.append_null(),
            Self::Timestamp { builder, .. } => builder.append_null(),
            Self::List(list) => list.close(false),
            Self::Map(map) => map.close(false),
            Self::Struct(row) => row.fill(false),
        }
    }

    /// Adds some value that is not null, for a row that will be cut out.
    pub fn append_placeholder(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_value(false),
            Self::Int8(builder) => builder.append_value(0),
            Self::Int16(builder) => builder.append_value(0),
            Self::Int32(builder) => builder.append_value(0),
            Self::Int64(builder) => builder.append_value(0),
            Self::Float32(builder) => builder.append_value(0.0),
            Self::Float64(builder) => builder.append_value(0.0),
            Self::Decimal { builder, .. } => builder.append_value(0),
            Self::Text(builder) => builder.append_value(""),
            Self::Binary(builder) => builder.append_value([]),
            Self::Date(builder) => builder.append_value(0),
            Self::Time(builder) => builder.append_value(0),
            Self::Timestamp { builder, .. } => builder.append_value(0),
            Self::List(list) => list.close(true),
            Self::Map(map) => map.close(true),
            Self::Struct(row) => row.fill(true),
            Self::Null(_) => self.append_null(),
        }
    }

    /// The column's values since the last call, in the column's own type.
    pub fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef> {
        let array: ArrayRef = match self {
            Self::Null(rows) => Arc::new(NullArray::new(std::mem::take(rows))),
            Self::Boolean(builder) => Arc::new(builder.finish()),
            Self::Int8(builder) => primitive(builder),
            Self::Int16(builder) => primitive(builder),
            Self::Int32(builder) => primitive(builder),
            Self::Int64(builder) => primitive(builder),
            Self::Float32(builder) => primitive(builder),
            Self::Float64(builder) => primitive(builder),
            Self::Decimal { builder, .. } => primitive(builder),
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Binary(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => primitive(builder),
            Self::Time(builder) => primitive(builder),
            Self::Timestamp { builder, .. } => primitive(builder),
            Self::List(list) => list.finish()?,
            Self::Map(map) => map.finish()?,
            Self::Struct(row) => row.finish()?,
        };
        if array.data_type() == data_type {
            return Ok(array);
        }
        let options = CastOptions { safe: false, ..CastOptions::default() };
        Ok(cast_with_options(&array, data_type, &options)?)
    }
}

fn primitive<T: ArrowPrimitiveType>(builder: &mut PrimitiveBuilder<T>) -> ArrayRef {
    Arc::new(builder.finish())
}
