//! Evaluates the stages of a program over one batch.

use std::sync::Arc;

use arrow::compute::kernels::boolean;
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::ColumnarValue;
use seatun_api::{Batch, ChangeKind, Error, Image, TableSchema};

use super::compile::{Computed, Filter, Program, Project, Stage};
use crate::{codes, diagnose};

/// Why a batch could not be evaluated.
pub(super) struct Failure {
    label: String,
    /// Names and types of what the expression reads.
    reads: String,
    cause: Cause,
}

enum Cause {
    Expression(DataFusionError),
    /// The expression needs a value that the source did not send.
    Unsent,
    /// The engine's own mistake.
    Engine(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { label: String::new(), reads: String::new(), cause: Cause::Engine(error) }
    }
}

impl Failure {
    /// The error of the row that it is about.
    ///
    /// # Errors
    /// If no row's values are to blame: the failure of the whole query.
    pub(super) fn into_row_error(self, table: &TableSchema) -> Result<Error, Error> {
        let what = match &self.cause {
            Cause::Expression(error) => diagnose::row_failure(error),
            Cause::Unsent => Some("the source did not send a value that it reads"),
            Cause::Engine(_) => None,
        };
        let Some(what) = what else {
            return Err(match self.cause {
                Cause::Engine(error) => error,
                Cause::Expression(error) => diagnose::running(&error).with_source(error),
                Cause::Unsent => diagnose::running(&DataFusionError::Internal(String::new())),
            });
        };
        let error = Error::user(codes::ROW_FAILED, format!("{} cannot be computed: {what}", self.label))
            .at_option("query")
            .with("table", &table.id);
        Ok(if self.reads.is_empty() { error } else { error.with("reads", self.reads) })
    }
}

impl Program {
    /// Takes a batch through all stages.
    pub(super) fn run(&self, batch: &Batch) -> Result<Batch, Failure> {
        let mut current = batch.clone();
        for stage in &self.stages {
            current = match stage {
                Stage::Filter(filter) => filter.run(&current)?,
                Stage::Project(project) => project.run(&current)?,
                Stage::Nothing(table) => {
                    let empty = RecordBatch::new_empty(Arc::clone(&table.arrow));
                    current.slice(0, 0).with_unchanged(Vec::new())?.with_rows(Arc::clone(table), empty)?
                }
            };
            if current.num_rows() == 0 {
                // No later stage can bring a row back.
                return Ok(current);
            }
        }
        Ok(current)
    }
}

impl Filter {
    fn run(&self, batch: &Batch) -> Result<Batch, Failure> {
        let label = || "the filter".to_owned();
        let unsent = batch
            .unchanged()
            .iter()
            .any(|(column, marks)| self.reads.contains(column) && marks.true_count() > 0);
        if unsent {
            return Err(Failure { label: label(), reads: reads(batch, &self.reads), cause: Cause::Unsent });
        }
        let value = self.predicate.evaluate(batch.rows()).map_err(|error| Failure {
            label: label(),
            reads: reads(batch, &self.reads),
            cause: Cause::Expression(error),
        })?;
        let mask = mask(value, batch.num_rows())?;
        let mask = match (batch.image(), self.reads_beyond_key) {
            (Image::KeyOnly, true) => keep_retractions(batch, mask),
            _ => mask,
        };
        let narrowed = match &self.narrow {
            Some(narrow) => narrow.run(batch)?,
            None => batch.clone(),
        };
        Ok(if mask.true_count() == mask.len() { narrowed } else { narrowed.filter(&mask)? })
    }
}

fn mask(value: ColumnarValue, rows: usize) -> Result<BooleanArray, Failure> {
    let array = match value {
        ColumnarValue::Scalar(ScalarValue::Boolean(Some(keep))) => {
            return Ok(BooleanArray::from(vec![keep; rows]));
        }
        ColumnarValue::Scalar(_) => return Ok(BooleanArray::from(vec![false; rows])),
        ColumnarValue::Array(array) => array,
    };
    let wrong = || Error::internal(codes::QUERY_FAILED, "a filter gives no truth values");
    Ok(array.as_boolean_opt().ok_or_else(wrong)?.clone())
}

/// A retraction that came with its key alone cannot be judged by other columns. It goes on: deleting a row
/// that was never written changes nothing, keeping one that was deleted would.
fn keep_retractions(batch: &Batch, mask: BooleanArray) -> BooleanArray {
    let retractions: BooleanArray = match batch.kinds() {
        Some(kinds) => {
            let retraction = |kind: u8| ChangeKind::from_u8(kind).is_ok_and(ChangeKind::is_retraction);
            kinds.values().iter().map(|kind| Some(retraction(*kind))).collect()
        }
        None => return mask,
    };
    boolean::or_kleene(&mask, &retractions).unwrap_or(mask)
}

impl Project {
    fn run(&self, batch: &Batch) -> Result<Batch, Failure> {
        let rows = batch.num_rows();
        let columns = self
            .columns
            .iter()
            .map(|column| column.run(batch))
            .collect::<Result<Vec<ArrayRef>, Failure>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.table.arrow);
        let projected = RecordBatch::try_new_with_options(schema, columns, &options).map_err(Error::from)?;
        let unchanged = self.unchanged(batch);
        let output = batch.with_rows(Arc::clone(&self.table), projected)?;
        Ok(if batch.unchanged().is_empty() { output } else { output.with_unchanged(unchanged)? })
    }

    /// A column is unchanged in the rows where one that it is computed from is.
    fn unchanged(&self, batch: &Batch) -> Vec<(usize, BooleanArray)> {
        let mut all = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            let marks = batch.unchanged().iter().filter(|(read, _)| column.reads.contains(read));
            let merged = marks
                .map(|(_, marks)| marks.clone())
                .reduce(|one, other| boolean::or(&one, &other).unwrap_or(one));
            all.extend(merged.map(|marks| (index, marks)));
        }
        all
    }
}

impl Computed {
    fn run(&self, batch: &Batch) -> Result<ArrayRef, Failure> {
        if let Some(index) = self.passed {
            return Ok(Arc::clone(batch.column(index)));
        }
        let value = self.expr.evaluate(batch.rows());
        value.and_then(|value| value.into_array(batch.num_rows())).map_err(|error| Failure {
            label: self.label.clone(),
            reads: reads(batch, &self.reads),
            cause: Cause::Expression(error),
        })
    }
}

fn reads(batch: &Batch, columns: &[usize]) -> String {
    let schema = batch.schema();
    let names: Vec<String> = columns
        .iter()
        .filter_map(|index| schema.fields().get(*index))
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect();
    names.join(", ")
}
