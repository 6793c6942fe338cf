//! Builders of lists, maps and rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, MapArray, StructArray};
use arrow_buffer::{NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{FieldRef, Fields};
use seatun_api::Result;

use super::ColumnBuilder;
use super::scalar::Scalar;
use crate::json_value::{Fault, JsonNode};

pub(crate) struct ListBuilder {
    field: FieldRef,
    items: Box<ColumnBuilder>,
    extents: Extents,
}

impl ListBuilder {
    pub fn new(field: &FieldRef, items: ColumnBuilder) -> Self {
        Self { field: Arc::clone(field), items: Box::new(items), extents: Extents::new() }
    }

    /// Adds a list; the items after a bad one are left out.
    pub fn append<N: JsonNode>(&mut self, list: &[N]) -> Result<(), Fault> {
        let nullable = self.field.is_nullable();
        let mut result = Ok(());
        for (index, item) in list.iter().enumerate() {
            result =
                self.items.append(Some(item), nullable).map_err(|fault| fault.below(format!("[{index}]")));
            self.extents.grow();
            if result.is_err() {
                break;
            }
        }
        self.close(true);
        result
    }

    pub fn close(&mut self, valid: bool) {
        self.extents.close(valid);
    }

    pub fn finish(&mut self) -> Result<ArrayRef> {
        let items = self.items.finish(self.field.data_type())?;
        let (offsets, nulls) = self.extents.finish();
        Ok(Arc::new(ListArray::try_new(Arc::clone(&self.field), offsets, items, nulls)?))
    }
}

pub(crate) struct MapBuilder {
    entries: FieldRef,
    fields: Fields,
    ordered: bool,
    keys: Box<ColumnBuilder>,
    values: Box<ColumnBuilder>,
    extents: Extents,
}

impl MapBuilder {
    pub fn new(
        entries: &FieldRef,
        fields: &Fields,
        ordered: bool,
        keys: ColumnBuilder,
        values: ColumnBuilder,
    ) -> Self {
        Self {
            entries: Arc::clone(entries),
            fields: fields.clone(),
            ordered,
            keys: Box::new(keys),
            values: Box::new(values),
            extents: Extents::new(),
        }
    }

    /// Adds a map; the entries after a bad one are left out.
    pub fn append<N: JsonNode>(&mut self, object: &N) -> Result<(), Fault> {
        let nullable = self.fields[1].is_nullable();
        let mut result = Ok(());
        for (key, value) in object.entries() {
            result = self.keys.append_scalar(&Scalar::Text(key)).map_err(|fault| fault.below(".key".into()));
            match result {
                Ok(()) => {
                    let added = self.values.append(Some(value), nullable);
                    result = added.map_err(|fault| fault.below(".value".into()));
                }
                Err(_) => self.values.append_placeholder(),
            }
            self.extents.grow();
            if result.is_err() {
                break;
            }
        }
        self.close(true);
        result
    }

    pub fn close(&mut self, valid: bool) {
        self.extents.close(valid);
    }

    pub fn finish(&mut self) -> Result<ArrayRef> {
        let columns = vec![
            self.keys.finish(self.fields[0].data_type())?,
            self.values.finish(self.fields[1].data_type())?,
        ];
        let entries = StructArray::try_new(self.fields.clone(), columns, None)?;
        let (offsets, nulls) = self.extents.finish();
        Ok(Arc::new(MapArray::try_new(Arc::clone(&self.entries), offsets, entries, nulls, self.ordered)?))
    }
}

pub(crate) struct StructBuilder {
    fields: Fields,
    columns: Vec<ColumnBuilder>,
    nulls: NullBufferBuilder,
}

impl StructBuilder {
    pub fn new(fields: &Fields, columns: Vec<ColumnBuilder>) -> Self {
        Self { fields: fields.clone(), columns, nulls: NullBufferBuilder::new(0) }
    }

    /// How many fields a row has.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Adds a row whose values are looked up by index and name.
    pub fn append<'a, N: JsonNode + 'a>(
        &mut self,
        value: impl Fn(usize, &str) -> Option<&'a N>,
    ) -> Result<(), Fault> {
        let mut result = Ok(());
        for (index, (column, field)) in self.columns.iter_mut().zip(&self.fields).enumerate() {
            if result.is_err() {
                column.append_placeholder();
                continue;
            }
            let added = column.append(value(index, field.name()), field.is_nullable());
            result = added.map_err(|fault| fault.below(format!(".{}", field.name())));
        }
        self.nulls.append_non_null();
        result
    }

    /// Adds a row without values: null, or a placeholder.
    pub fn fill(&mut self, valid: bool) {
        self.columns.iter_mut().for_each(ColumnBuilder::append_placeholder);
        self.nulls.append(valid);
    }

    pub fn finish(&mut self) -> Result<ArrayRef> {
        let rows = self.nulls.len();
        let columns = self
            .columns
            .iter_mut()
            .zip(&self.fields)
            .map(|(column, field)| column.finish(field.data_type()))
            .collect::<Result<_>>()?;
        let nulls = self.nulls.finish();
        Ok(Arc::new(StructArray::try_new_with_length(self.fields.clone(), columns, nulls, rows)?))
    }
}

/// Where the lists within a column of lists end.
struct Extents {
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    end: i32,
}

impl Extents {
    fn new() -> Self {
        Self { offsets: vec![0], nulls: NullBufferBuilder::new(0), end: 0 }
    }

    fn grow(&mut self) {
        self.end += 1;
    }

    fn close(&mut self, valid: bool) {
        self.offsets.push(self.end);
        self.nulls.append(valid);
    }

    fn finish(&mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        self.end = 0;
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), self.nulls.finish())
    }
}
