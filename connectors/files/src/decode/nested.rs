//! Lists, maps and rows from text: texts within texts, told apart by the separator of their level.
//!
//! The elements of a list are separated by the separator of the next level, the fields of a row likewise,
//! the entries of a map too, and their keys and values by the separator of the level after it.

use std::sync::Arc;

use arrow_array::builder::NullBufferBuilder;
use arrow_array::{ArrayRef, ListArray, MapArray, NullArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields};
use seatun_api::Result;

use super::column::{Cells, Columns, check_type};

impl Columns<'_> {
    fn separator(&self, level: usize) -> &[u8] {
        self.rules.separators.get(level).map_or(&[], Vec::as_slice)
    }

    pub(super) fn list(
        &mut self,
        cells: &impl Cells,
        item: &FieldRef,
        nullable: bool,
        level: usize,
    ) -> Result<ArrayRef> {
        let mut parts = Pieces::default();
        let mut lengths = Vec::with_capacity(cells.count());
        let mut nulls = NullBufferBuilder::new(cells.count());
        let mut scratch = Vec::new();
        for row in 0..cells.count() {
            let before = parts.count();
            match cells.cell(row, &mut scratch) {
                Some(text) => {
                    for part in split(text, self.separator(level)) {
                        parts.push(Some(part), cells.row(row));
                    }
                    nulls.append_non_null();
                }
                None => {
                    self.null(cells, row, nullable);
                    nulls.append_null();
                }
            }
            lengths.push(parts.count() - before);
        }
        let values = self.build_nested(&parts, item, level + 1)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, nulls.finish())?))
    }

    pub(super) fn row(
        &mut self,
        cells: &impl Cells,
        fields: &Fields,
        nullable: bool,
        level: usize,
    ) -> Result<ArrayRef> {
        let mut columns: Vec<Pieces> = fields.iter().map(|_| Pieces::default()).collect();
        let mut nulls = NullBufferBuilder::new(cells.count());
        let mut scratch = Vec::new();
        for row in 0..cells.count() {
            let text = cells.cell(row, &mut scratch);
            match text {
                Some(_) => nulls.append_non_null(),
                None => {
                    self.null(cells, row, nullable);
                    nulls.append_null();
                }
            }
            let mut parts = text.into_iter().flat_map(|text| split(text, self.separator(level)));
            for column in &mut columns {
                column.push(parts.next(), cells.row(row));
            }
        }
        let mut arrays = Vec::with_capacity(fields.len());
        for (field, column) in fields.iter().zip(&columns) {
            arrays.push(self.build_nested(column, field, level + 1)?);
        }
        Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), arrays, nulls.finish(), cells.count())?))
    }

    pub(super) fn map(
        &mut self,
        cells: &impl Cells,
        entries: &FieldRef,
        sorted: bool,
        nullable: bool,
        level: usize,
    ) -> Result<ArrayRef> {
        let DataType::Struct(fields) = entries.data_type() else {
            return check_type(entries, 0).map(|()| Arc::new(NullArray::new(cells.count())) as ArrayRef);
        };
        let (mut keys, mut values) = (Pieces::default(), Pieces::default());
        let mut lengths = Vec::with_capacity(cells.count());
        let mut nulls = NullBufferBuilder::new(cells.count());
        let mut scratch = Vec::new();
        for row in 0..cells.count() {
            let before = keys.count();
            match cells.cell(row, &mut scratch) {
                Some(text) => {
                    for entry in split(text, self.separator(level)) {
                        let mut pair = split(entry, self.separator(level + 1));
                        keys.push(pair.next(), cells.row(row));
                        values.push(pair.next(), cells.row(row));
                    }
                    nulls.append_non_null();
                }
                None => {
                    self.null(cells, row, nullable);
                    nulls.append_null();
                }
            }
            lengths.push(keys.count() - before);
        }
        let mut arrays = Vec::with_capacity(2);
        for (field, column) in fields.iter().zip([&keys, &values]) {
            arrays.push(self.build_nested(column, field, level + 2)?);
        }
        let pairs = StructArray::try_new(fields.clone(), arrays, None)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls.finish(), sorted)?))
    }

    /// A part that allows no null gets a stand-in there: its row has a flaw and will be cut out.
    fn build_nested(&mut self, cells: &Pieces, field: &Field, level: usize) -> Result<ArrayRef> {
        let array = self.build(cells, field, level)?;
        match field.is_nullable() || array.null_count() == 0 {
            true => Ok(array),
            false => without_nulls(&array),
        }
    }
}

fn without_nulls(array: &ArrayRef) -> Result<ArrayRef> {
    let data = array.to_data().into_builder().nulls(None).build()?;
    Ok(arrow_array::make_array(data))
}

/// The parts of a text between separators.
fn split<'a>(text: &'a [u8], separator: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
    let finder = memchr::memmem::Finder::new(separator).into_owned();
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = if separator.is_empty() { None } else { finder.find(text) };
        match cut {
            Some(cut) => {
                rest = Some(&text[cut + separator.len()..]);
                Some(&text[..cut])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

/// Texts of parts of a column's values.
#[derive(Default)]
struct Pieces {
    parts: Vec<Option<Vec<u8>>>,
    rows: Vec<usize>,
}

impl Pieces {
    fn push(&mut self, part: Option<&[u8]>, row: usize) {
        self.parts.push(part.filter(|part| !part.is_empty()).map(<[u8]>::to_vec));
        self.rows.push(row);
    }
}

impl Cells for Pieces {
    fn count(&self) -> usize {
        self.parts.len()
    }

    fn cell<'a>(&'a self, row: usize, _: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        self.parts.get(row)?.as_deref()
    }

    fn row(&self, row: usize) -> usize {
        self.rows.get(row).copied().unwrap_or(row)
    }
}
