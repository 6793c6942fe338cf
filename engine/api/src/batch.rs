//! Rows in flight: Arrow columns with what belongs to each row kept beside them.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch, UInt8Array, UInt32Array,
};
use arrow_schema::SchemaRef;

use crate::change::{self, ChangeKind};
use crate::error::{Error, Result, codes};
use crate::position::PositionDelta;
use crate::table::TableSchema;

/// What the columns of a retraction hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Image {
    /// All columns.
    #[default]
    Full,
    /// The primary key's columns; the others are null.
    KeyOnly,
}

/// Rows of one table in one version of its schema.
///
/// The columns are the user's alone. What the engine knows of each row stands beside them, and the fields
/// are private so that no operation can forget one: rows are chosen with [`filter`](Self::filter),
/// [`take`](Self::take), [`slice`](Self::slice) and [`concat`](Self::concat) only.
#[derive(Clone, Debug)]
pub struct Batch {
    table: Arc<TableSchema>,
    rows: RecordBatch,
    kinds: Option<UInt8Array>,
    event_time: Option<Int64Array>,
    sequence: Option<FixedSizeBinaryArray>,
    unchanged: Vec<(usize, BooleanArray)>,
    image: Image,
    origin: Option<Arc<PositionDelta>>,
}

impl Batch {
    /// Inserted rows of a table.
    ///
    /// # Errors
    /// Refuses columns whose number or types are not the table's.
    pub fn new(table: Arc<TableSchema>, rows: RecordBatch) -> Result<Self> {
        check_columns(&table, &rows)?;
        Ok(Self {
            table,
            rows,
            kinds: None,
            event_time: None,
            sequence: None,
            unchanged: Vec::new(),
            image: Image::Full,
            origin: None,
        })
    }

    /// Says what happened to each row. Kinds that are all inserts are not kept.
    ///
    /// # Errors
    /// Refuses another length than the rows', nulls, and numbers that are no kind.
    pub fn with_kinds(mut self, kinds: UInt8Array) -> Result<Self> {
        check_length("kinds", kinds.len(), self.rows.num_rows())?;
        if kinds.null_count() > 0 || kinds.values().iter().any(|&kind| kind > ChangeKind::Delete as u8) {
            return Err(Error::internal(codes::INTERNAL, "a batch has a row without a change kind"));
        }
        let only_inserts = kinds.values().iter().all(|&kind| kind == ChangeKind::Insert as u8);
        self.kinds = (!only_inserts).then_some(kinds);
        Ok(self)
    }

    /// Sets each row's event time, in microseconds since the epoch, null where a row has none.
    ///
    /// # Errors
    /// Refuses another length than the rows'.
    pub fn with_event_time(mut self, event_time: Int64Array) -> Result<Self> {
        check_length("event times", event_time.len(), self.rows.num_rows())?;
        self.event_time = Some(event_time);
        Ok(self)
    }

    /// Sets each row's sequence: 16 bytes, big endian, made from the source's position, the same after a
    /// replay, greater for a later change of the same key.
    ///
    /// # Errors
    /// Refuses another length than the rows' and another width than 16.
    pub fn with_sequence(mut self, sequence: FixedSizeBinaryArray) -> Result<Self> {
        check_length("sequences", sequence.len(), self.rows.num_rows())?;
        check_length("sequence bytes", usize::try_from(sequence.value_length()).unwrap_or(0), 16)?;
        self.sequence = Some(sequence);
        Ok(self)
    }

    /// Marks values that the source did not send because they did not change, which is not the same as
    /// null (PostgreSQL's unchanged TOAST values).
    ///
    /// # Errors
    /// Refuses another length than the rows' and a column that is not there.
    pub fn with_unchanged(mut self, unchanged: Vec<(usize, BooleanArray)>) -> Result<Self> {
        for (column, marks) in &unchanged {
            check_length("unchanged marks", marks.len(), self.rows.num_rows())?;
            if *column >= self.rows.num_columns() {
                return Err(Error::internal(codes::INTERNAL, "an unchanged mark has no column"));
            }
        }
        self.unchanged = unchanged;
        Ok(self)
    }

    /// Says that retractions hold the key's columns only.
    #[must_use]
    pub fn with_image(mut self, image: Image) -> Self {
        self.image = image;
        self
    }

    /// Says where the rows were read.
    #[must_use]
    pub fn with_origin(mut self, origin: Arc<PositionDelta>) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The table and the version of its schema.
    #[must_use]
    pub fn table(&self) -> &Arc<TableSchema> {
        &self.table
    }

    /// The user's columns.
    #[must_use]
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// The Arrow schema of the rows.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    /// One column.
    #[must_use]
    pub fn column(&self, index: usize) -> &ArrayRef {
        self.rows.column(index)
    }

    /// How many rows.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    /// Kinds by row, or `None` if all are inserts.
    #[must_use]
    pub fn kinds(&self) -> Option<&UInt8Array> {
        self.kinds.as_ref()
    }

    /// The kind of one row.
    #[must_use]
    pub fn kind(&self, row: usize) -> ChangeKind {
        self.kinds
            .as_ref()
            .and_then(|kinds| ChangeKind::from_u8(kinds.value(row)).ok())
            .unwrap_or(ChangeKind::Insert)
    }

    /// Event times by row, if the source gives them.
    #[must_use]
    pub fn event_time(&self) -> Option<&Int64Array> {
        self.event_time.as_ref()
    }

    /// Sequences by row, if the source gives them.
    #[must_use]
    pub fn sequence(&self) -> Option<&FixedSizeBinaryArray> {
        self.sequence.as_ref()
    }

    /// By column, which rows' values were not sent.
    #[must_use]
    pub fn unchanged(&self) -> &[(usize, BooleanArray)] {
        &self.unchanged
    }

    /// What the columns of a retraction hold.
    #[must_use]
    pub fn image(&self) -> Image {
        self.image
    }

    /// Where the rows were read.
    #[must_use]
    pub fn origin(&self) -> Option<&Arc<PositionDelta>> {
        self.origin.as_ref()
    }

    /// Bytes of memory that these rows use: of a slice, the slice's part only.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        self.rows
            .columns()
            .iter()
            .map(|column| {
                column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
            })
            .sum()
    }

    /// The rows where `keep` is true; null counts as false.
    ///
    /// # Errors
    /// Refuses another length than the rows'.
    pub fn filter(&self, keep: &BooleanArray) -> Result<Self> {
        self.each(arrow_select::filter::filter_record_batch(&self.rows, keep)?, |array| {
            Ok(arrow_select::filter::filter(array, keep)?)
        })
    }

    /// The rows of the given numbers, in that order.
    ///
    /// # Errors
    /// Refuses a number that is no row.
    pub fn take(&self, rows: &UInt32Array) -> Result<Self> {
        self.each(arrow_select::take::take_record_batch(&self.rows, rows)?, |array| {
            Ok(arrow_select::take::take(array, rows, None)?)
        })
    }

    /// `length` rows from `offset`, without copying.
    ///
    /// # Panics
    /// If the range is not within the rows, as Arrow's own slices do.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        Self {
            table: Arc::clone(&self.table),
            rows: self.rows.slice(offset, length),
            kinds: self.kinds.as_ref().map(|array| array.slice(offset, length)),
            event_time: self.event_time.as_ref().map(|array| array.slice(offset, length)),
            sequence: self.sequence.as_ref().map(|array| array.slice(offset, length)),
            unchanged: self
                .unchanged
                .iter()
                .map(|(column, marks)| (*column, marks.slice(offset, length)))
                .collect(),
            image: self.image,
            origin: self.origin.clone(),
        }
    }

    /// Other columns for the same rows. Unchanged marks follow their column by name.
    ///
    /// # Errors
    /// Refuses another number of rows, and columns that are not the table's.
    pub fn with_rows(&self, table: Arc<TableSchema>, rows: RecordBatch) -> Result<Self> {
        check_length("rows", rows.num_rows(), self.num_rows())?;
        check_columns(&table, &rows)?;
        let unchanged = self
            .unchanged
            .iter()
            .filter_map(|(column, marks)| {
                let name = self.rows.schema_ref().field(*column).name();
                Some((rows.schema_ref().index_of(name).ok()?, marks.clone()))
            })
            .collect();
        Ok(Self { table, rows, unchanged, ..self.clone() })
    }

    /// The same rows, all as inserts or deletes: what they do to a table does not change.
    #[must_use]
    pub fn normalized(&self) -> Self {
        Self { kinds: self.kinds.as_ref().map(change::normalized), ..self.clone() }
    }

    /// One batch of several of the same table, version and image, in order. The origin is kept if all
    /// come from one split.
    ///
    /// # Errors
    /// Refuses no batches, and batches of different tables or schema versions.
    pub fn concat(batches: &[Self]) -> Result<Self> {
        let [first, rest @ ..] = batches else {
            return Err(Error::internal(codes::INTERNAL, "no batches to join"));
        };
        if rest.iter().any(|batch| batch.table != first.table || batch.image != first.image) {
            return Err(Error::internal(codes::INTERNAL, "batches of different tables cannot be joined"));
        }
        let rows = arrow_select::concat::concat_batches(
            &first.rows.schema(),
            batches.iter().map(|batch| &batch.rows),
        )?;
        Ok(Self {
            table: Arc::clone(&first.table),
            rows,
            kinds: concat_kinds(batches),
            event_time: concat_optional(batches, |batch| batch.event_time.clone(), Int64Array::new_null)?,
            sequence: concat_required(batches, |batch| batch.sequence.clone())?,
            unchanged: concat_unchanged(batches),
            image: first.image,
            origin: concat_origin(batches),
        })
    }

    fn each(&self, rows: RecordBatch, pick: impl Fn(&dyn Array) -> Result<ArrayRef>) -> Result<Self> {
        Ok(Self {
            table: Arc::clone(&self.table),
            rows,
            kinds: pick_typed(self.kinds.as_ref(), &pick)?,
            event_time: pick_typed(self.event_time.as_ref(), &pick)?,
            sequence: pick_typed(self.sequence.as_ref(), &pick)?,
            unchanged: self
                .unchanged
                .iter()
                .map(|(column, marks)| Ok((*column, BooleanArray::from(pick(marks)?.to_data()))))
                .collect::<Result<_>>()?,
            image: self.image,
            origin: self.origin.clone(),
        })
    }
}

fn pick_typed<A>(array: Option<&A>, pick: &impl Fn(&dyn Array) -> Result<ArrayRef>) -> Result<Option<A>>
where
    A: Array + From<arrow_data::ArrayData>,
{
    array.map(|array| Ok(A::from(pick(array)?.to_data()))).transpose()
}

fn concat_kinds(batches: &[Batch]) -> Option<UInt8Array> {
    if batches.iter().all(|batch| batch.kinds.is_none()) {
        return None;
    }
    let mut kinds = Vec::new();
    for batch in batches {
        match &batch.kinds {
            Some(array) => kinds.extend_from_slice(array.values()),
            None => kinds.resize(kinds.len() + batch.num_rows(), ChangeKind::Insert as u8),
        }
    }
    Some(kinds.into())
}

fn concat_optional<A>(
    batches: &[Batch],
    get: impl Fn(&Batch) -> Option<A>,
    absent: impl Fn(usize) -> A,
) -> Result<Option<A>>
where
    A: Array + From<arrow_data::ArrayData>,
{
    if batches.iter().all(|batch| get(batch).is_none()) {
        return Ok(None);
    }
    let parts: Vec<A> =
        batches.iter().map(|batch| get(batch).unwrap_or_else(|| absent(batch.num_rows()))).collect();
    let parts: Vec<&dyn Array> = parts.iter().map(|part| part as &dyn Array).collect();
    Ok(Some(A::from(arrow_select::concat::concat(&parts)?.to_data())))
}

fn concat_required<A>(batches: &[Batch], get: impl Fn(&Batch) -> Option<A>) -> Result<Option<A>>
where
    A: Array + From<arrow_data::ArrayData>,
{
    let parts: Option<Vec<A>> = batches.iter().map(get).collect();
    let Some(parts) = parts else { return Ok(None) };
    let parts: Vec<&dyn Array> = parts.iter().map(|part| part as &dyn Array).collect();
    Ok(Some(A::from(arrow_select::concat::concat(&parts)?.to_data())))
}

fn concat_unchanged(batches: &[Batch]) -> Vec<(usize, BooleanArray)> {
    let mut columns: Vec<usize> =
        batches.iter().flat_map(|batch| batch.unchanged.iter().map(|(column, _)| *column)).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
        .into_iter()
        .map(|column| {
            let marks = batches.iter().flat_map(|batch| {
                let of_column = batch.unchanged.iter().find(|(other, _)| *other == column);
                (0..batch.num_rows()).map(move |row| of_column.is_some_and(|(_, marks)| marks.value(row)))
            });
            (column, marks.collect::<Vec<bool>>().into())
        })
        .collect()
}

fn concat_origin(batches: &[Batch]) -> Option<Arc<PositionDelta>> {
    let first = batches.first()?.origin.as_ref()?;
    let last = batches.last()?.origin.as_ref()?;
    let one_split =
        batches.iter().all(|batch| batch.origin.as_ref().is_some_and(|origin| origin.split == first.split));
    one_split.then(|| {
        Arc::new(PositionDelta { split: first.split.clone(), from: first.from.clone(), to: last.to.clone() })
    })
}

fn check_columns(table: &TableSchema, rows: &RecordBatch) -> Result<()> {
    let expected = table.arrow.fields();
    let actual = rows.schema_ref().fields();
    let same = expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(a, b)| a.name() == b.name() && a.data_type() == b.data_type());
    if same {
        return Ok(());
    }
    Err(Error::internal(codes::INTERNAL, format!("rows of table {} do not have its columns", table.id))
        .with("expected", describe(&table.arrow))
        .with("actual", describe(rows.schema_ref())))
}

fn describe(schema: &arrow_schema::Schema) -> String {
    let columns: Vec<String> =
        schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    columns.join(", ")
}

fn check_length(what: &str, actual: usize, expected: usize) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    Err(Error::internal(codes::INTERNAL, format!("a batch has {actual} {what} where {expected} are due")))
}
