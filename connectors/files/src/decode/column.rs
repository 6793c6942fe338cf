//! Texts of one column to one Arrow array.
//!
//! A text that is no value of the column's type is noted as a flaw of its row and stands as null until the
//! row is cut out. Types within types are in [`super::nested`].

use std::sync::Arc;

use arrow_array::builder::NullBufferBuilder;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time64NanosecondType, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, NullArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, TimeUnit};
use seatun_api::{Error, Result};
use seatun_connector_common::types::type_name;

use super::calendar::Forms;
use super::flaw::{Flaw, FlawAt};
use super::number::{self, DecimalType};
use crate::codes;

/// The texts of one column, row by row.
pub trait Cells {
    /// How many rows.
    fn count(&self) -> usize;
    /// The text of a row, `None` for null. May use `scratch` to hold it.
    fn cell<'a>(&'a self, row: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]>;
    /// The number of the row in the chunk that a flaw of this row belongs to.
    fn row(&self, row: usize) -> usize {
        row
    }
    /// Whether a null here needs no complaint, since the row is given up anyway.
    fn given_up(&self, _row: usize) -> bool {
        false
    }
}

/// How the texts of a table's columns are to be understood.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Forms of dates and times.
    pub forms: Forms,
    /// Separators of nested values by level, from that of the first level below a column.
    pub separators: Vec<Vec<u8>>,
}

/// Whether columns of a type can be read from text; names the column if not.
///
/// # Errors
/// For types that have no text form, and for types nested deeper than there are separators.
pub fn check_type(field: &Field, levels: usize) -> Result<()> {
    let refused = |what: &str| {
        let name = type_name(field.data_type());
        Err(Error::user(codes::COLUMN_TYPE, format!("column `{}` of type {name} {what}", field.name())))
    };
    let below = |inner: &Field, used: usize| match levels.checked_sub(used) {
        Some(left) => check_type(inner, left),
        None => refused("is nested too deeply for a text file"),
    };
    match field.data_type() {
        DataType::Utf8
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Decimal128(_, 0..)
        | DataType::Binary
        | DataType::Date32
        | DataType::Time64(TimeUnit::Nanosecond)
        | DataType::Timestamp(TimeUnit::Microsecond, _)
        | DataType::Null => Ok(()),
        DataType::List(item) => below(item, 1),
        DataType::Struct(fields) => fields.iter().try_for_each(|inner| below(inner, 1)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields.iter().try_for_each(|inner| below(inner, 2)),
            _ => refused("cannot be read from text"),
        },
        _ => refused("cannot be read from text"),
    }
}

/// Builds the arrays of a chunk's columns.
pub struct Columns<'a> {
    /// How texts are understood.
    pub rules: &'a Rules,
    /// The number of the column that is being built.
    pub column: usize,
    /// What was found wrong.
    pub flaws: &'a mut Vec<FlawAt>,
}

impl Columns<'_> {
    /// The array of a column, or of a part of one at a level below it.
    ///
    /// # Errors
    /// For types that [`check_type`] refuses.
    pub fn build(&mut self, cells: &impl Cells, field: &Field, level: usize) -> Result<ArrayRef> {
        let nullable = field.is_nullable();
        let rules = self.rules;
        let forms = &rules.forms;
        Ok(match field.data_type() {
            DataType::Utf8 => {
                let (offsets, values, nulls) = self.bytes(cells, nullable);
                Arc::new(StringArray::try_new(offsets, values, nulls)?)
            }
            DataType::Binary => {
                let (offsets, values, nulls) = self.bytes(cells, nullable);
                Arc::new(BinaryArray::try_new(offsets, values, nulls)?)
            }
            DataType::Boolean => Arc::new(self.booleans(cells, nullable)),
            DataType::Int8 => Arc::new(self.numbers::<Int8Type>(cells, nullable, narrow)),
            DataType::Int16 => Arc::new(self.numbers::<Int16Type>(cells, nullable, narrow)),
            DataType::Int32 => Arc::new(self.numbers::<Int32Type>(cells, nullable, narrow)),
            DataType::Int64 => Arc::new(self.numbers::<Int64Type>(cells, nullable, number::integer)),
            DataType::Float32 => Arc::new(self.numbers::<Float32Type>(cells, nullable, number::float)),
            DataType::Float64 => Arc::new(self.numbers::<Float64Type>(cells, nullable, number::float)),
            DataType::Decimal128(precision, scale) => {
                let decimal = DecimalType::new(*precision, *scale);
                let array = self.numbers::<Decimal128Type>(cells, nullable, |text| decimal.parse(text));
                Arc::new(array.with_precision_and_scale(*precision, *scale)?)
            }
            DataType::Date32 => {
                Arc::new(self.numbers::<Date32Type>(cells, nullable, |text| forms.date(text)))
            }
            DataType::Time64(TimeUnit::Nanosecond) => {
                Arc::new(self.numbers::<Time64NanosecondType>(cells, nullable, |text| forms.time(text)))
            }
            DataType::Timestamp(TimeUnit::Microsecond, None) => Arc::new(
                self.numbers::<TimestampMicrosecondType>(cells, nullable, |text| forms.timestamp(text)),
            ),
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
                let array = self
                    .numbers::<TimestampMicrosecondType>(cells, nullable, |text| forms.timestamp_tz(text));
                Arc::new(array.with_timezone(Arc::clone(zone)))
            }
            DataType::Null => Arc::new(self.nothing(cells)),
            DataType::List(item) => self.list(cells, item, nullable, level)?,
            DataType::Struct(fields) => self.row(cells, fields, nullable, level)?,
            DataType::Map(entries, sorted) => self.map(cells, entries, *sorted, nullable, level)?,
            _ => {
                check_type(field, 0)?;
                Arc::new(NullArray::new(cells.count()))
            }
        })
    }

    fn flaw(&mut self, cells: &impl Cells, row: usize, flaw: Flaw) {
        self.flaws.push(FlawAt { row: cells.row(row), column: self.column, flaw });
    }

    pub(super) fn null(&mut self, cells: &impl Cells, row: usize, nullable: bool) {
        if !nullable && !cells.given_up(row) {
            self.flaw(cells, row, Flaw::Null);
        }
    }

    #[inline]
    fn numbers<T: ArrowPrimitiveType>(
        &mut self,
        cells: &impl Cells,
        nullable: bool,
        parse: impl Fn(&[u8]) -> Result<T::Native, Flaw>,
    ) -> PrimitiveArray<T> {
        let mut values = Vec::with_capacity(cells.count());
        let mut nulls = NullBufferBuilder::new(cells.count());
        let mut scratch = Vec::new();
        for row in 0..cells.count() {
            let parsed = match cells.cell(row, &mut scratch) {
                Some(text) => parse(text.trim_ascii()).map_err(Some),
                None => Err(None),
            };
            match parsed {
                Ok(value) => {
                    values.push(value);
                    nulls.append_non_null();
                    continue;
                }
                Err(Some(flaw)) => self.flaw(cells, row, flaw),
                Err(None) => self.null(cells, row, nullable),
            }
            values.push(T::default_value());
            nulls.append_null();
        }
        PrimitiveArray::new(ScalarBuffer::from(values), nulls.finish())
    }

    fn booleans(&mut self, cells: &impl Cells, nullable: bool) -> BooleanArray {
        let mut values = BooleanBufferBuilder::new(cells.count());
        let mut nulls = NullBufferBuilder::new(cells.count());
        let mut scratch = Vec::new();
        for row in 0..cells.count() {
            let value = match cells.cell(row, &mut scratch).map(<[u8]>::trim_ascii) {
                Some(text) if text.eq_ignore_ascii_case(b"true") => Some(true),
                Some(text) if text.eq_ignore_ascii_case(b"false") => Some(false),
                Some(_) => {
                    self.flaw(cells, row, Flaw::NotABoolean);
                    None
                }
                None => {
                    self.null(cells, row, nullable);
                    None
                }
            };
            values.append(value.unwrap_or(false));
            nulls.append(value.is_some());
        }
        BooleanArray::new(values.finish(), nulls.finish())
    }

    fn nothing(&mut self, cells: &impl Cells) -> NullArray {
        let mut scratch = Vec::new();
        for row in 0..cells.count() {
            if cells.cell(row, &mut scratch).is_some() {
                self.flaw(cells, row, Flaw::NotNull);
            }
        }
        NullArray::new(cells.count())
    }

    fn bytes(
        &mut self,
        cells: &impl Cells,
        nullable: bool,
    ) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        let mut offsets = Vec::with_capacity(cells.count() + 1);
        offsets.push(0_i32);
        let mut values: Vec<u8> = Vec::with_capacity(cells.count() * 8);
        let mut nulls = NullBufferBuilder::new(cells.count());
        let mut scratch = Vec::new();
        for row in 0..cells.count() {
            match cells.cell(row, &mut scratch) {
                Some(text) => {
                    values.extend_from_slice(text);
                    nulls.append_non_null();
                }
                None => {
                    self.null(cells, row, nullable);
                    nulls.append_null();
                }
            }
            // invariant: a chunk is cut from a window of at most 64 MiB and a block.
            offsets.push(values.len() as i32);
        }
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(values), nulls.finish())
    }
}

fn narrow<T: TryFrom<i64>>(text: &[u8]) -> Result<T, Flaw> {
    T::try_from(number::integer(text)?).map_err(|_| Flaw::OutOfRange)
}
