//! Field rules, compiled for one version of a table and checked on its batches column by column.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Decimal256Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, Scalar};
use arrow_schema::{DataType, Field};
use seatun_api::{Error, Result, TableSchema};
use seatun_connector_common::json_value::single;
use seatun_connector_common::print::write_value;
use seatun_connector_common::types::{field_type_name, type_name};

use crate::codes;
use crate::config::{FieldRule, ValueRule, ValueRuleType};
use crate::equal::equal;

/// The rules of a table's columns.
pub(crate) struct FieldChecks(Vec<FieldCheck>);

struct FieldCheck {
    column: usize,
    name: String,
    type_name: String,
    wants_null: bool,
    takes_null: bool,
    /// Digits that a decimal may have, if it is asserted to have fewer than its column.
    digits: Option<u8>,
    values: Vec<ValueCheck>,
}

enum ValueCheck {
    Null,
    NotNull,
    Min(f64),
    Max(f64),
    MinLength(f64),
    MaxLength(f64),
    Equals(ArrayRef),
}

/// A value that breaks a rule: its row in the batch and what was expected.
struct Breach {
    row: usize,
    rule: &'static str,
    expected: String,
}

impl FieldChecks {
    /// Compiles rules for a table.
    ///
    /// # Errors
    /// Names the rule that does not fit the table's columns.
    pub fn new(rules: &[FieldRule], table: &TableSchema) -> Result<Self> {
        rules.iter().map(|rule| FieldCheck::new(rule, table)).collect::<Result<_>>().map(Self)
    }

    /// Checks rows; `before` rows of the writer came before them.
    ///
    /// # Errors
    /// Names the first value that breaks a rule, with rule, column, row and the value.
    pub fn check(&self, table: &TableSchema, rows: &RecordBatch, before: u64) -> Result<()> {
        for field in &self.0 {
            let column = rows.column(field.column);
            if let Some(breach) = field.type_breach(column) {
                return Err(field.error(codes::FIELD_TYPE, table, column, &breach, before));
            }
            for value in &field.values {
                if let Some(breach) = value.breach(column)? {
                    return Err(field.error(codes::FIELD_VALUE, table, column, &breach, before));
                }
            }
        }
        Ok(())
    }
}

impl FieldCheck {
    fn new(rule: &FieldRule, table: &TableSchema) -> Result<Self> {
        let column = table.column(&rule.field_name)?;
        let field = table.arrow.field(column);
        let wanted = &rule.field_type.data_type;
        let wants_null = wanted.is_null();
        if !wants_null && !same_type(wanted, field.data_type()) {
            return Err(Error::user(
                codes::FIELD_TYPE,
                format!(
                    "column `{}` of table {} is {}, expected {}",
                    rule.field_name,
                    table.id,
                    field_type_name(field),
                    type_name(wanted)
                ),
            ));
        }
        let values =
            rule.field_value.iter().map(|value| ValueCheck::new(value, field)).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            column,
            name: rule.field_name.clone(),
            type_name: type_name(wanted),
            wants_null,
            takes_null: wants_null || values.iter().any(|value| matches!(value, ValueCheck::Null)),
            digits: fewer_digits(wanted, field.data_type()),
            values,
        })
    }

    fn type_breach(&self, column: &ArrayRef) -> Option<Breach> {
        let rows = 0..column.len();
        let row = if self.wants_null {
            rows.clone().find(|row| column.is_valid(*row) && !column.data_type().is_null())
        } else if self.takes_null {
            None
        } else {
            rows.clone().find(|row| column.is_null(*row))
        };
        let row = row.or_else(|| {
            let digits = self.digits?;
            rows.into_iter().find(|row| column.is_valid(*row) && digits_of(column, *row) > u32::from(digits))
        })?;
        Some(Breach { row, rule: "field_type", expected: format!("a value of type {}", self.type_name) })
    }

    fn error(
        &self,
        code: seatun_api::Code,
        table: &TableSchema,
        column: &ArrayRef,
        breach: &Breach,
        before: u64,
    ) -> Error {
        let mut actual = String::new();
        write_value(&mut actual, column.as_ref(), breach.row);
        let row = before + breach.row as u64 + 1;
        Error::user(
            code,
            format!(
                "rule {} of column `{}`: row {row} of table {} is `{actual}`, expected {}",
                breach.rule, self.name, table.id, breach.expected
            ),
        )
    }
}

/// Whether a column has the type that is asserted. A decimal's digits are compared value by value.
fn same_type(wanted: &DataType, actual: &DataType) -> bool {
    match (wanted, actual) {
        (
            DataType::Decimal128(_, wanted),
            DataType::Decimal32(_, actual)
            | DataType::Decimal64(_, actual)
            | DataType::Decimal128(_, actual)
            | DataType::Decimal256(_, actual),
        ) => wanted == actual,
        (DataType::List(wanted), DataType::List(actual) | DataType::LargeList(actual)) => {
            same_type(wanted.data_type(), actual.data_type())
        }
        (DataType::List(wanted), DataType::FixedSizeList(actual, _)) => {
            same_type(wanted.data_type(), actual.data_type())
        }
        // The fields of an entry are its key and its value, whatever they are called.
        (DataType::Map(wanted, _), DataType::Map(actual, _)) => {
            let types = |field: &Field| match field.data_type() {
                DataType::Struct(fields) => fields.iter().map(|f| f.data_type().clone()).collect(),
                _ => Vec::new(),
            };
            let (wanted, actual): (Vec<DataType>, Vec<DataType>) = (types(wanted), types(actual));
            wanted.len() == actual.len() && wanted.iter().zip(&actual).all(|(w, a)| same_type(w, a))
        }
        (DataType::Struct(wanted), DataType::Struct(actual)) => {
            wanted.len() == actual.len()
                && wanted
                    .iter()
                    .zip(actual)
                    .all(|(w, a)| w.name() == a.name() && same_type(w.data_type(), a.data_type()))
        }
        (wanted, actual) => type_name(wanted) == type_name(actual),
    }
}

fn fewer_digits(wanted: &DataType, actual: &DataType) -> Option<u8> {
    match (wanted, actual) {
        (
            DataType::Decimal128(wanted, _),
            DataType::Decimal128(actual, _) | DataType::Decimal256(actual, _),
        ) if wanted < actual => Some(*wanted),
        _ => None,
    }
}

fn digits_of(column: &ArrayRef, row: usize) -> u32 {
    if let Some(decimals) = column.as_primitive_opt::<Decimal128Type>() {
        return decimals.value(row).unsigned_abs().checked_ilog10().map_or(1, |log| log + 1);
    }
    let digits = column
        .as_primitive_opt::<Decimal256Type>()
        .map(|decimals| decimals.value(row).to_string().trim_start_matches('-').len());
    u32::try_from(digits.unwrap_or(0)).unwrap_or(u32::MAX)
}

impl ValueCheck {
    fn new(rule: &ValueRule, field: &Field) -> Result<Self> {
        let invalid = |message: String| {
            Error::user(codes::INVALID_RULE, format!("column `{}`: {message}", field.name()))
        };
        let rule_type = match (&rule.equals_to, rule.rule_type) {
            (Some(value), None) => return Ok(Self::Equals(single(value, field)?)),
            (None, Some(rule_type)) => rule_type,
            (Some(_), Some(_)) => {
                return Err(invalid("a rule has `rule_type` or `equals_to`, not both".into()));
            }
            (None, None) => return Err(invalid("a rule needs `rule_type` or `equals_to`".into())),
        };
        let bound = || {
            let message = format!("rule {} needs `rule_value`", rule_type.name());
            rule.rule_value.ok_or_else(|| invalid(message))
        };
        Ok(match rule_type {
            ValueRuleType::Null => Self::Null,
            ValueRuleType::NotNull => Self::NotNull,
            ValueRuleType::MinLength => Self::MinLength(bound()?),
            ValueRuleType::MaxLength => Self::MaxLength(bound()?),
            ValueRuleType::Min | ValueRuleType::Max if !field.data_type().is_numeric() => {
                let text =
                    format!("rule {} needs numbers, it is {}", rule_type.name(), field_type_name(field));
                return Err(invalid(text));
            }
            ValueRuleType::Min => Self::Min(bound()?),
            ValueRuleType::Max => Self::Max(bound()?),
        })
    }

    /// The first value that breaks the rule.
    fn breach(&self, column: &ArrayRef) -> Result<Option<Breach>> {
        let mut rows = 0..column.len();
        let found =
            |row: Option<usize>, rule, expected: String| Ok(row.map(|row| Breach { row, rule, expected }));
        match self {
            Self::Null => found(first_null_or_not(column, false), "NULL", "null".to_owned()),
            Self::NotNull => found(first_null_or_not(column, true), "NOT_NULL", "a value".to_owned()),
            Self::Min(bound) => {
                found(first_number(column, |number| number < *bound)?, "MIN", format!("at least {bound}"))
            }
            Self::Max(bound) => {
                found(first_number(column, |number| number > *bound)?, "MAX", format!("at most {bound}"))
            }
            Self::MinLength(bound) => {
                let row = rows.find(|row| text_length(column, *row) < *bound);
                found(row, "MIN_LENGTH", format!("at least {bound} characters"))
            }
            Self::MaxLength(bound) => {
                let row = rows.find(|row| text_length(column, *row) > *bound);
                found(row, "MAX_LENGTH", format!("at most {bound} characters"))
            }
            Self::Equals(expected) => {
                let mut text = String::new();
                write_value(&mut text, expected.as_ref(), 0);
                found(first_other(column, expected)?, "equals_to", format!("`{text}`"))
            }
        }
    }
}

fn first_null_or_not(column: &ArrayRef, null: bool) -> Option<usize> {
    let nulls = column.logical_nulls();
    (0..column.len()).find(|row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(*row)) == null)
}

/// The first number for which something is true; nulls are none.
fn first_number(column: &ArrayRef, wrong: impl Fn(f64) -> bool) -> Result<Option<usize>> {
    let numbers = arrow_cast::cast(column, &DataType::Float64)?;
    let numbers = numbers.as_primitive::<Float64Type>();
    // A NaN is neither below nor above: it breaks both rules.
    Ok(numbers.iter().position(|number| number.is_some_and(|number| number.is_nan() || wrong(number))))
}

/// Characters of a value's text; a null has none.
fn text_length(column: &ArrayRef, row: usize) -> f64 {
    if column.is_null(row) {
        return 0.0;
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return texts.value(row).chars().count() as f64;
    }
    let mut text = String::new();
    write_value(&mut text, column.as_ref(), row);
    text.chars().count() as f64
}

/// The first value that is not null and not the expected one.
fn first_other(column: &ArrayRef, expected: &ArrayRef) -> Result<Option<usize>> {
    if column.data_type().is_nested() || column.data_type().is_null() {
        let mut rows = 0..column.len();
        return Ok(
            rows.find(|row| column.is_valid(*row) && !equal(column.as_ref(), *row, expected.as_ref(), 0))
        );
    }
    let same = arrow_ord::cmp::eq(column, &Scalar::new(Arc::clone(expected)))?;
    Ok(same.iter().position(|same| same == Some(false)))
}
