//! Choosing, ordering and renaming columns: what `FieldMapper` and `Filter` have in common.
//!
//! Rows keep their kind, event time and sequence. A column keeps its type, metadata and field id under
//! its new name; the primary key survives if all its columns do. Nothing is copied but pointers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;
use seatun_api::{
    Batch, Error, Map, MapOutput, Reject, Result, SchemaChange, SchemaVersion, TableId, TableSchema,
    Transform, TransformKind,
};

use crate::codes;

/// A column that is kept: its index in the input and its name in the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub index: usize,
    pub name: String,
}

/// Which columns of a table are kept.
pub(crate) trait Choice: Clone + Send + Sync + 'static {
    /// The option that errors about the choice as a whole point to.
    fn option(&self) -> &'static str;

    /// The columns of the output, in order.
    fn choose(&self, table: &TableSchema) -> Result<Vec<Kept>>;
}

/// A transform that only chooses columns.
pub(crate) struct Projection<C>(pub C);

impl<C: Choice> Transform for Projection<C> {
    fn kind(&self) -> TransformKind {
        TransformKind::Map
    }

    fn output_tables(&self, inputs: &[Vec<Arc<TableSchema>>]) -> Result<Vec<TableSchema>> {
        inputs
            .iter()
            .flatten()
            .map(|table| Ok(TableSchema::clone(&project(&self.0, table)?.output)))
            .collect()
    }

    fn map(&self) -> Result<Box<dyn Map>> {
        Ok(Box::new(ProjectionMap { choice: self.0.clone(), known: HashMap::new() }))
    }
}

#[derive(Clone)]
struct Projected {
    columns: Arc<[usize]>,
    output: Arc<TableSchema>,
}

fn project<C: Choice>(choice: &C, table: &TableSchema) -> Result<Projected> {
    let kept = choice.choose(table)?;
    if kept.is_empty() {
        return Err(Error::user(codes::NO_COLUMNS, format!("no column of table {} would be left", table.id))
            .at_option(choice.option()));
    }
    let mut names = HashSet::new();
    if let Some(twice) = kept.iter().find(|column| !names.insert(column.name.as_str())) {
        return Err(Error::user(
            codes::DUPLICATE_COLUMN,
            format!("table {} would have two columns `{}`", table.id, twice.name),
        )
        .at_option(choice.option()));
    }
    let fields: Vec<_> = kept
        .iter()
        .map(|column| table.arrow.field(column.index).clone().with_name(column.name.as_str()))
        .collect();
    let key: Option<Vec<usize>> =
        table.primary_key.iter().map(|key| kept.iter().position(|column| column.index == *key)).collect();
    let output = TableSchema {
        id: table.id.clone(),
        version: table.version,
        arrow: Arc::new(Schema::new_with_metadata(fields, table.arrow.metadata().clone())),
        primary_key: key.unwrap_or_default(),
        field_ids: kept.iter().filter_map(|column| table.field_ids.get(column.index).copied()).collect(),
    };
    let columns = kept.iter().map(|column| column.index).collect();
    Ok(Projected { columns, output: Arc::new(output) })
}

struct ProjectionMap<C> {
    choice: C,
    known: HashMap<(TableId, SchemaVersion), Projected>,
}

impl<C: Choice> ProjectionMap<C> {
    fn of(&mut self, table: &Arc<TableSchema>) -> Result<Projected> {
        let key = (table.id.clone(), table.version);
        if let Some(projected) = self.known.get(&key) {
            return Ok(projected.clone());
        }
        let projected = project(&self.choice, table)?;
        self.known.insert(key, projected.clone());
        Ok(projected)
    }
}

impl<C: Choice> Map for ProjectionMap<C> {
    fn map(&mut self, batch: Batch, _rejects: &mut Vec<Reject>) -> Result<MapOutput> {
        let projected = self.of(batch.table())?;
        let arrays = projected.columns.iter().map(|index| Arc::clone(batch.column(*index))).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&projected.output.arrow), arrays, &options)?;
        // By index: a name may have gone to another column.
        let unchanged = batch
            .unchanged()
            .iter()
            .filter_map(|(from, marks)| {
                let to = projected.columns.iter().position(|index| index == from)?;
                Some((to, marks.clone()))
            })
            .collect();
        batch.with_rows(projected.output, rows)?.with_unchanged(unchanged).map(Some)
    }

    fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<Option<Arc<SchemaChange>>> {
        let before = self.of(&change.before)?;
        let mut after = project(&self.choice, &change.after)?;
        let shown = SchemaChange::between(&before.output, &after.output).map(Arc::new);
        if shown.is_none() {
            // Downstream must not see another version where nothing has changed for it.
            after.output = before.output;
        }
        self.known.remove(&(change.before.id.clone(), change.before.version));
        self.known.insert((change.after.id.clone(), change.after.version), after);
        Ok(shown)
    }
}
