//! What the files of one version of a table look like and where they stand.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use seatun_api::{Batch, Epoch, Error, Result, TableSchema};

use super::escape::{LONGEST_NAME, escape_name, escape_value, plain_name};
use super::name::Owner;
use super::options::ChangeKinds;
use super::partition::{self, Partitioner};
use super::plan::{FileSinkPlan, NOW, TRANSACTION, UUID};
use super::template::{Piece, Template, expand_columns, of_table};
use crate::codes;
use crate::encode::{Moment, has_text};

/// The column that change kinds are written to.
const KIND_COLUMN: &str = "_kind";

/// Files of one version of a table.
pub(crate) struct Layout {
    pub(crate) table: Arc<TableSchema>,
    /// Folder of the table below the base.
    pub(crate) folder: Arc<str>,
    /// Columns of the files.
    pub(crate) schema: SchemaRef,
    pub(crate) partitioner: Option<Partitioner>,
    columns: Vec<usize>,
    kind_column: bool,
    name: Template,
}

impl Layout {
    /// Lays out a table.
    ///
    /// # Errors
    /// For columns that the table does not have, and for types that the format cannot hold.
    pub(crate) fn new(plan: &FileSinkPlan, table: &Arc<TableSchema>) -> Result<Self> {
        let folder = folder_of(plan, table);
        let columns = columns(plan, table)?;
        let kind_column = plan.change_kinds == ChangeKinds::Column;
        let mut fields: Vec<FieldRef> =
            columns.iter().map(|&index| written_field(table.arrow.field(index))).collect();
        if kind_column {
            if fields.iter().any(|field| field.name() == KIND_COLUMN) {
                return Err(Error::user(
                    seatun_api::error::codes::INVALID_OPTION,
                    format!("table {} has a column `{KIND_COLUMN}` of its own", table.id),
                )
                .at_option("change_kinds"));
            }
            fields.push(Arc::new(Field::new(KIND_COLUMN, DataType::Utf8, false)));
        }
        for field in &fields {
            if !plan.encoding.holds(field.data_type()) {
                return Err(unwritable_type(plan, table, field));
            }
        }
        let partitioner = plan
            .partition
            .as_ref()
            .map(|partition| Partitioner::new(partition, table, &folder, &plan.patterns))
            .transpose()?;
        let name = plan.names.expression.bind(|name| of_table(table, name).map(|value| plain_name(&value)));
        check_name_length(plan, table, &name)?;
        Ok(Self {
            table: Arc::clone(table),
            folder: folder.into(),
            schema: Arc::new(Schema::new(fields)),
            partitioner,
            columns,
            kind_column,
            name,
        })
    }

    /// The rows of a batch as they are written.
    pub(crate) fn project(&self, batch: &Batch) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> =
            self.columns.iter().map(|&index| Arc::clone(batch.column(index))).collect();
        if self.kind_column {
            let kinds = (0..batch.num_rows()).map(|row| batch.kind(row).short());
            columns.push(Arc::new(StringArray::from_iter_values(kinds)));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(SchemaRef::clone(&self.schema), columns, &options)?)
    }

    /// The name of a committed file.
    pub(crate) fn file_name(
        &self,
        plan: &FileSinkPlan,
        owner: &Owner,
        subtask: u32,
        epoch: Epoch,
        number: u64,
    ) -> String {
        let mut name = self.name.render(|placeholder| match placeholder {
            TRANSACTION => Some(owner.transaction(subtask, epoch)),
            NOW => {
                let mut text = Vec::new();
                let local = chrono::Local::now().naive_local().and_utc();
                plan.names.now.append(Moment::of_timestamp(local.timestamp(), 1, false), &mut text);
                Some(String::from_utf8_lossy(&text).into_owned())
            }
            UUID => Some(uuid::Uuid::new_v4().to_string()),
            _ => None,
        });
        if !plan.names.single || number > 0 {
            name.push_str(&format!("_{number}"));
        }
        name.push_str(&plan.names.extension);
        name
    }
}

/// The folder of a table below the base.
pub(crate) fn folder_of(plan: &FileSinkPlan, table: &TableSchema) -> String {
    let piece_text = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Name { name, default } => match of_table(table, name) {
            Some(value) if !value.is_empty() => escape_value(&value),
            _ => default.clone(),
        },
    };
    let mut parts = Vec::new();
    for segment in plan.folder.segments() {
        let name: String = segment.iter().map(piece_text).collect();
        match name.chars().next() {
            None => {}
            Some('.') => parts.push(escape_name(&name)),
            Some(_) => parts.push(name),
        }
    }
    parts.join("/")
}

/// The columns that are written, in order.
fn columns(plan: &FileSinkPlan, table: &TableSchema) -> Result<Vec<usize>> {
    const OPTION: &str = "sink_columns";
    let mut columns: Vec<usize> = match plan.sink_columns.is_empty() {
        true => (0..table.arrow.fields().len()).collect(),
        false => expand_columns(&plan.sink_columns, table, OPTION)?
            .iter()
            .map(|name| table.column(name).map_err(|error| error.at_option(OPTION)))
            .collect::<Result<_>>()?,
    };
    if let Some(partition) = &plan.partition {
        let by = partition::columns(partition, table)?;
        for &index in &by {
            let field = table.arrow.field(index);
            if !has_text(field.data_type()) {
                return Err(Error::user(
                    codes::UNWRITABLE_TYPE,
                    format!("column `{}` of table {} cannot name folders", field.name(), table.id),
                )
                .with("type", field.data_type())
                .at_option("partition_by"));
            }
        }
        if !partition.keep_columns {
            columns.retain(|index| !by.contains(index));
        }
    }
    if columns.is_empty() {
        return Err(Error::user(
            seatun_api::error::codes::INVALID_OPTION,
            format!("no columns of table {} are left to write", table.id),
        )
        .with_hint("set is_partition_field_write_in_file = true, or name more sink_columns")
        .at_option("partition_by"));
    }
    Ok(columns)
}

/// A column as it stands in files: what seatun notes of it for itself is left out.
fn written_field(field: &Field) -> FieldRef {
    let kept: HashMap<String, String> = field
        .metadata()
        .iter()
        .filter(|(key, _)| !key.starts_with("seatun."))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Arc::new(field.clone().with_metadata(kept))
}

fn unwritable_type(plan: &FileSinkPlan, table: &TableSchema, field: &Field) -> Error {
    let format = plan.encoding.format.name();
    Error::user(
        codes::UNWRITABLE_TYPE,
        format!("column `{}` of table {} cannot be written as {format}", field.name(), table.id),
    )
    .with("type", field.data_type())
    .with_hint("cast or drop the column, or choose another file_format_type")
}

/// A name must be found too long before rows are prepared under it, not when they are committed.
fn check_name_length(plan: &FileSinkPlan, table: &TableSchema, name: &Template) -> Result<()> {
    // The longest numbers, the longest job name, the hash and what stands between them.
    const LONGEST_TRANSACTION: usize = 2 + 64 + 1 + 10 + 1 + 10 + 1 + 20;
    const LONGEST_NUMBER: usize = 21;
    let length = name
        .render(|placeholder| match placeholder {
            TRANSACTION => Some("x".repeat(LONGEST_TRANSACTION)),
            NOW | UUID => Some("x".repeat(36)),
            _ => None,
        })
        .len();
    if length + LONGEST_NUMBER + plan.names.extension.len() <= LONGEST_NAME {
        return Ok(());
    }
    Err(Error::user(
        seatun_api::error::codes::INVALID_OPTION,
        format!("names of files of table {} would be longer than {LONGEST_NAME} bytes", table.id),
    )
    .at_option("file_name_expression"))
}

/// Refuses tables with different columns whose files could not be told apart.
///
/// # Errors
/// Names two of the tables.
pub(crate) fn check_apart<'a>(layouts: impl IntoIterator<Item = &'a Layout>) -> Result<()> {
    let mut places: HashMap<(&str, String), &Layout> = HashMap::new();
    for layout in layouts {
        let place = (layout.folder.as_ref(), layout.name.render(|name| Some(format!("${{{name}}}"))));
        let Some(other) = places.insert(place, layout) else { continue };
        if other.table.id != layout.table.id && other.schema != layout.schema {
            return Err(Error::user(
                codes::TABLES_SHARE_PATH,
                format!(
                    "tables {} and {} have different columns and would be written to one folder",
                    other.table.id, layout.table.id
                ),
            )
            .with_hint("add `${table_name}` to the path")
            .at_option("path"));
        }
    }
    Ok(())
}
