//! Random columns: a generator for each type, nested as the type is.
//!
//! Row `n` of a column is a function of the draw and `n`, so a range of rows is the same however it is cut.

mod calendar;
mod flat;
mod nested;

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, NullArray, UInt32Array};
use arrow_schema::{DataType, Field};
use seatun_api::error::codes::{INVALID_OPTION, UNSUPPORTED};
use seatun_api::table::NATIVE_TYPE;
use seatun_api::{Error, Result};
use seatun_connector_common::schema::{COLUMN_LENGTH, COLUMN_SCALE, DEFAULT_VALUE};
use seatun_connector_common::types::type_name;
use seatun_connector_common::{json_parse, json_value};

use self::calendar::{Calendar, Dates, Times, Timestamps};
use self::flat::{Booleans, Decimals, Letters, Picked, PickedTexts, RangeFloats, RangeWholes, Words};
use self::nested::{Lists, Maps, Rows, SparseVectors};
use crate::config::{FakeConfig, FakeMode};
use crate::draw::Draw;

/// Makes the values of a column.
pub(crate) trait Generator: Send + Sync {
    /// The values of a range of rows. `year` is the year in which the split was planned.
    fn fill(&self, draw: Draw, rows: Range<u64>, year: i32) -> Result<ArrayRef>;

    /// About how many bytes a value takes, so that batches can be kept small enough.
    fn weight(&self) -> u64 {
        8
    }
}

/// The generator of a column.
///
/// # Errors
/// Names the option that makes no sense, or the column whose type cannot be made.
pub(crate) fn of_column(field: &Field, config: &FakeConfig) -> Result<Box<dyn Generator>> {
    if let Some(default) = field.metadata().get(DEFAULT_VALUE) {
        let value = json_value::single(&json_parse::parse(default)?, field)
            .map_err(|error| error.at_option("schema.columns"))?;
        return Ok(Box::new(Constant(value)));
    }
    let number = |key: &str| field.metadata().get(key).and_then(|text| text.parse().ok());
    let detail = Detail {
        length: number(COLUMN_LENGTH),
        scale: number(COLUMN_SCALE),
        vector: field.metadata().get(NATIVE_TYPE).map(String::as_str),
    };
    Maker { config, name: field.name() }.of_type(field.data_type(), &detail)
}

/// What a column declares beside its type.
#[derive(Default)]
struct Detail<'a> {
    length: Option<u32>,
    scale: Option<u32>,
    vector: Option<&'a str>,
}

struct Maker<'a> {
    config: &'a FakeConfig,
    name: &'a str,
}

impl Maker<'_> {
    fn of_type(&self, data_type: &DataType, detail: &Detail<'_>) -> Result<Box<dyn Generator>> {
        let config = self.config;
        if let Some(vector) = detail.vector {
            return self.vector(vector, detail);
        }
        Ok(match data_type {
            DataType::Null => Box::new(Nulls),
            DataType::Boolean => Box::new(Booleans),
            DataType::Int8 => wholes::<Int8Type>(
                "tinyint",
                config.tinyint_mode,
                &config.tinyint_template,
                config.tinyint_min.unwrap_or(0),
                config.tinyint_max.unwrap_or(i8::MAX),
            )?,
            DataType::Int16 => wholes::<Int16Type>(
                "smallint",
                config.smallint_mode,
                &config.smallint_template,
                config.smallint_min.unwrap_or(0),
                config.smallint_max.unwrap_or(i16::MAX),
            )?,
            DataType::Int32 => wholes::<Int32Type>(
                "int",
                config.int_mode,
                &config.int_template,
                config.int_min.unwrap_or(0),
                config.int_max.unwrap_or(i32::MAX),
            )?,
            DataType::Int64 => wholes::<Int64Type>(
                "bigint",
                config.bigint_mode,
                &config.bigint_template,
                config.bigint_min.unwrap_or(0),
                config.bigint_max.unwrap_or(i64::MAX),
            )?,
            DataType::Float32 => self.floats(detail)?,
            DataType::Float64 => self.doubles(detail)?,
            DataType::Decimal128(precision, scale) => {
                Box::new(Decimals { precision: *precision, scale: *scale })
            }
            DataType::Utf8 => self.strings(detail)?,
            DataType::Binary => {
                let length = detail.length.or(config.bytes_length).unwrap_or(5);
                Box::new(Letters { length: length as usize, binary: true })
            }
            DataType::Date32 => Box::new(Dates(self.calendar()?)),
            DataType::Time64(_) => Box::new(Times(self.calendar()?)),
            DataType::Timestamp(_, zone) => {
                Box::new(Timestamps { calendar: self.calendar()?, zone: zone.clone() })
            }
            DataType::List(item) => Box::new(Lists {
                field: Arc::clone(item),
                size: u64::from(config.array_size.unwrap_or(5)),
                items: self.of_type(item.data_type(), &Detail::default())?,
            }),
            DataType::Map(entries, _) => self.map(data_type, entries.data_type())?,
            DataType::Struct(fields) => Box::new(Rows {
                fields: fields.clone(),
                columns: fields
                    .iter()
                    .map(|field| self.of_type(field.data_type(), &Detail::default()))
                    .collect::<Result<_>>()?,
            }),
            other => {
                let text =
                    format!("column `{}` is of type {}, which cannot be made", self.name, type_name(other));
                return Err(Error::user(UNSUPPORTED, text));
            }
        })
    }

    fn map(&self, data_type: &DataType, entries: &DataType) -> Result<Box<dyn Generator>> {
        let DataType::Struct(fields) = entries else {
            return Err(Error::internal(UNSUPPORTED, "a map's entries are no rows"));
        };
        let [key, value] = fields.as_ref() else {
            return Err(Error::internal(UNSUPPORTED, "a map's entries are no pairs"));
        };
        Ok(Box::new(Maps {
            data_type: data_type.clone(),
            size: u64::from(self.config.map_size.unwrap_or(5)),
            keys: self.of_type(key.data_type(), &Detail::default())?,
            values: self.of_type(value.data_type(), &Detail::default())?,
        }))
    }

    fn floats(&self, detail: &Detail<'_>) -> Result<Box<dyn Generator>> {
        let config = self.config;
        if picks("float", config.float_mode, &config.float_template)? {
            return Ok(Box::new(Picked::<Float32Type>(config.float_template.clone())));
        }
        let (min, max) = (config.float_min.unwrap_or(0.0), config.float_max.unwrap_or(f32::MAX));
        check_range("float", &min, &max)?;
        Ok(Box::new(RangeFloats::<Float32Type> { min, max, scale: detail.scale }))
    }

    fn doubles(&self, detail: &Detail<'_>) -> Result<Box<dyn Generator>> {
        let config = self.config;
        if picks("double", config.double_mode, &config.double_template)? {
            return Ok(Box::new(Picked::<Float64Type>(config.double_template.clone())));
        }
        let (min, max) = (config.double_min.unwrap_or(0.0), config.double_max.unwrap_or(f64::MAX));
        check_range("double", &min, &max)?;
        Ok(Box::new(RangeFloats::<Float64Type> { min, max, scale: detail.scale }))
    }

    fn strings(&self, detail: &Detail<'_>) -> Result<Box<dyn Generator>> {
        let config = self.config;
        if picks("string", config.string_mode, &config.string_template)? {
            return Ok(Box::new(PickedTexts(config.string_template.clone())));
        }
        let length = detail.length.or(config.string_length).unwrap_or(5);
        Ok(Box::new(Letters { length: length as usize, binary: false }))
    }

    fn calendar(&self) -> Result<Calendar> {
        let config = self.config;
        for (option, template, least, most) in [
            ("date.month.template", &config.month_template, 1, 12),
            ("date.day.template", &config.day_template, 1, 31),
            ("time.hour.template", &config.hour_template, 0, 23),
            ("time.minute.template", &config.minute_template, 0, 59),
            ("time.second.template", &config.second_template, 0, 59),
        ] {
            if template.iter().any(|part| !(least..=most).contains(part)) {
                let text = format!("each must be from {least} to {most}");
                return Err(Error::user(INVALID_OPTION, text).at_option(option));
            }
        }
        if config.year_template.iter().any(|year| !(1..=9999).contains(year)) {
            let error = Error::user(INVALID_OPTION, "each must be from 1 to 9999");
            return Err(error.at_option("date.year.template"));
        }
        Ok(Calendar::new(config))
    }

    fn vector(&self, vector: &str, detail: &Detail<'_>) -> Result<Box<dyn Generator>> {
        let config = self.config;
        let dimension = detail.scale.or(config.vector_dimension).unwrap_or(4);
        let (min, max) =
            (config.vector_float_min.unwrap_or(0.0), config.vector_float_max.unwrap_or(f32::MAX));
        check_range("vector.float", &min, &max)?;
        let values = RangeFloats::<Float32Type> { min, max, scale: None };
        Ok(match vector {
            "float_vector" => Box::new(Lists {
                field: Arc::new(Field::new("item", DataType::Float32, true)),
                size: u64::from(dimension),
                items: Box::new(values),
            }),
            "sparse_float_vector" => Box::new(SparseVectors { dimension, values }),
            "binary_vector" => {
                let bits = detail.scale.or(config.binary_vector_dimension).unwrap_or(8);
                if !bits.is_multiple_of(8) {
                    let error = Error::user(INVALID_OPTION, "must be a multiple of 8");
                    return Err(error.at_option("binary.vector.dimension"));
                }
                Box::new(Words { count: (bits / 8) as usize, width: 1, fixed: 0, mask: u16::MAX })
            }
            // Numbers from 1 to below 2: a fixed exponent and a random mantissa.
            "float16_vector" => {
                Box::new(Words { count: dimension as usize, width: 2, fixed: 0x3c00, mask: 0x03ff })
            }
            "bfloat16_vector" => {
                Box::new(Words { count: dimension as usize, width: 2, fixed: 0x3f80, mask: 0x007f })
            }
            other => {
                return Err(Error::internal(UNSUPPORTED, format!("vectors of kind {other} cannot be made")));
            }
        })
    }
}

fn wholes<T: flat::Whole>(
    name: &'static str,
    mode: Option<FakeMode>,
    template: &[T::Native],
    min: T::Native,
    max: T::Native,
) -> Result<Box<dyn Generator>> {
    if picks(name, mode, template)? {
        return Ok(Box::new(Picked::<T>(template.to_vec())));
    }
    check_range(name, &min, &max)?;
    Ok(Box::new(RangeWholes::<T> { min, max }))
}

/// Whether values are picked from the template: always if there is one, as in SeaTunnel.
fn picks<T>(name: &str, mode: Option<FakeMode>, template: &[T]) -> Result<bool> {
    if mode == Some(FakeMode::Template) && template.is_empty() {
        let text = format!("the mode `template` needs `{name}.template`");
        return Err(Error::user(INVALID_OPTION, text).at_option(format!("{name}.fake.mode")));
    }
    Ok(!template.is_empty())
}

fn check_range<T: PartialOrd + std::fmt::Debug>(name: &str, min: &T, max: &T) -> Result<()> {
    // Written this way round, a NaN is refused too.
    if min <= max {
        return Ok(());
    }
    let text = format!("`{name}.min` is {min:?} but `{name}.max` is {max:?}");
    Err(Error::user(INVALID_OPTION, text).at_option(format!("{name}.max")))
}

struct Nulls;

impl Generator for Nulls {
    fn fill(&self, _: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        Ok(Arc::new(NullArray::new(count(&rows))))
    }
}

/// The same value in every row.
struct Constant(ArrayRef);

impl Generator for Constant {
    fn fill(&self, _: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let zeros = UInt32Array::from(vec![0; count(&rows)]);
        Ok(arrow_select::take::take(self.0.as_ref() as &dyn Array, &zeros, None)?)
    }
}

/// How many rows a range has. A batch has few enough for memory.
fn count(rows: &Range<u64>) -> usize {
    usize::try_from(rows.end.saturating_sub(rows.start)).unwrap_or(usize::MAX)
}
