//! Columns of lists, maps and rows.
//!
//! Item `i` of row `n` is row `n * size + i` of the items' own column, so nested values depend on their
//! place alone as all others do.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int32Array, ListArray, MapArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_ord::ord::make_comparator;
use arrow_schema::{DataType, FieldRef, Fields, SortOptions};
use arrow_select::filter::filter;
use seatun_api::error::codes::INTERNAL;
use seatun_api::{Error, Result};
use seatun_connector_common::types::map_of;

use super::flat::RangeFloats;
use super::{Generator, count};
use crate::draw::Draw;

fn scaled(rows: &Range<u64>, size: u64) -> Range<u64> {
    // An endless split wraps around after more rows than a job can make.
    let start = rows.start.wrapping_mul(size);
    start..start.wrapping_add((rows.end - rows.start) * size)
}

fn even_offsets(rows: &Range<u64>, size: u64) -> OffsetBuffer<i32> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    OffsetBuffer::from_lengths(std::iter::repeat_n(size, count(rows)))
}

/// Lists of one size.
pub(super) struct Lists {
    pub field: FieldRef,
    pub size: u64,
    pub items: Box<dyn Generator>,
}

impl Generator for Lists {
    fn fill(&self, draw: Draw, rows: Range<u64>, year: i32) -> Result<ArrayRef> {
        let items = self.items.fill(draw.child(0), scaled(&rows, self.size), year)?;
        let offsets = even_offsets(&rows, self.size);
        Ok(Arc::new(ListArray::try_new(Arc::clone(&self.field), offsets, items, None)?))
    }

    fn weight(&self) -> u64 {
        self.items.weight().saturating_mul(self.size).saturating_add(4)
    }
}

/// Maps of at most one size: of equal keys in a map the first is kept.
pub(super) struct Maps {
    pub data_type: DataType,
    pub size: u64,
    pub keys: Box<dyn Generator>,
    pub values: Box<dyn Generator>,
}

impl Generator for Maps {
    fn fill(&self, draw: Draw, rows: Range<u64>, year: i32) -> Result<ArrayRef> {
        let entries = scaled(&rows, self.size);
        let keys = self.keys.fill(draw.child(0), entries.clone(), year)?;
        let values = self.values.fill(draw.child(1), entries, year)?;
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let keep = first_of_equals(&keys, size)?;
        if keep.iter().all(|keep| *keep) {
            return map_array(&self.data_type, even_offsets(&rows, self.size), keys, values);
        }
        let lengths: Vec<usize> =
            keep.chunks(size.max(1)).map(|row| row.iter().filter(|keep| **keep).count()).collect();
        let keep = BooleanArray::from(keep);
        let (keys, values) = (filter(&keys, &keep)?, filter(&values, &keep)?);
        map_array(&self.data_type, OffsetBuffer::from_lengths(lengths), keys, values)
    }

    fn weight(&self) -> u64 {
        let entry = self.keys.weight().saturating_add(self.values.weight());
        entry.saturating_mul(self.size).saturating_add(4)
    }
}

/// Which keys are the first of their kind in their map.
fn first_of_equals(keys: &ArrayRef, size: usize) -> Result<Vec<bool>> {
    let compare = make_comparator(keys.as_ref(), keys.as_ref(), SortOptions::default())?;
    Ok((0..keys.len())
        .map(|key| {
            let first_of_map = key - key % size.max(1);
            !(first_of_map..key).any(|earlier| compare(earlier, key).is_eq())
        })
        .collect())
}

fn map_array(
    data_type: &DataType,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
) -> Result<ArrayRef> {
    let DataType::Map(field, ordered) = data_type else {
        return Err(Error::internal(INTERNAL, "a map's type is no map"));
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(Error::internal(INTERNAL, "a map's entries are no rows"));
    };
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    Ok(Arc::new(MapArray::try_new(Arc::clone(field), offsets, entries, None, *ordered)?))
}

/// Rows.
pub(super) struct Rows {
    pub fields: Fields,
    pub columns: Vec<Box<dyn Generator>>,
}

impl Generator for Rows {
    fn fill(&self, draw: Draw, rows: Range<u64>, year: i32) -> Result<ArrayRef> {
        let columns = (0..)
            .zip(&self.columns)
            .map(|(index, column)| column.fill(draw.child(index), rows.clone(), year))
            .collect::<Result<_>>()?;
        let length = count(&rows);
        Ok(Arc::new(StructArray::try_new_with_length(self.fields.clone(), columns, None, length)?))
    }

    fn weight(&self) -> u64 {
        self.columns.iter().fold(0, |sum: u64, column| sum.saturating_add(column.weight()))
    }
}

/// Sparse vectors: a value for each dimension, by its number.
pub(super) struct SparseVectors {
    pub dimension: u32,
    pub values: RangeFloats<Float32Type>,
}

impl Generator for SparseVectors {
    fn fill(&self, draw: Draw, rows: Range<u64>, year: i32) -> Result<ArrayRef> {
        let size = u64::from(self.dimension);
        let values = self.values.fill(draw.child(0), scaled(&rows, size), year)?;
        let keys = (0..values.len()).map(|entry| {
            // A remainder of a 32-bit number; one of more than 31 bits is refused by memory first.
            i32::try_from(entry as u64 % size).unwrap_or(i32::MAX)
        });
        let keys: ArrayRef = Arc::new(Int32Array::from_iter_values(keys));
        map_array(&map_of(DataType::Int32, DataType::Float32), even_offsets(&rows, size), keys, values)
    }

    fn weight(&self) -> u64 {
        u64::from(self.dimension) * 8 + 4
    }
}
