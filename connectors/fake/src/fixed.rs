//! Rows written in the job.

use std::sync::Arc;

use arrow_array::UInt8Array;
use arrow_schema::{DataType, Field};
use seatun_api::config::{Value, ValueKind};
use seatun_api::{Batch, ChangeKind, Result, TableSchema};
use seatun_connector_common::json_value::JsonRows;

use crate::config::{RowConfig, RowKind};
use crate::split::Now;

/// Rows written in the job, in order.
pub(crate) struct FixedRows(Vec<RowConfig>);

impl FixedRows {
    /// Takes the rows, which must fit the table.
    ///
    /// # Errors
    /// Names the row, the column and why the value does not fit.
    pub fn new(rows: Vec<RowConfig>, table: &Arc<TableSchema>) -> Result<Self> {
        let rows = Self(rows);
        rows.batch(table, Now::default())?;
        Ok(rows)
    }

    pub fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The rows as of a moment.
    pub fn batch(&self, table: &Arc<TableSchema>, now: Now) -> Result<Batch> {
        let mut rows = JsonRows::new(Arc::clone(&table.arrow), self.0.len())?;
        for (index, row) in self.0.iter().enumerate() {
            let fields = with_current_times(&row.fields, table.arrow.fields(), now);
            rows.append(&fields).map_err(|error| error.at_option(format!("rows[{index}].fields")))?;
        }
        let kinds: UInt8Array = self.0.iter().map(|row| Some(change_kind(row.kind) as u8)).collect();
        Batch::new(Arc::clone(table), rows.finish()?)?.with_kinds(kinds)
    }
}

fn change_kind(kind: RowKind) -> ChangeKind {
    match kind {
        RowKind::Insert => ChangeKind::Insert,
        RowKind::UpdateBefore => ChangeKind::UpdateBefore,
        RowKind::UpdateAfter => ChangeKind::UpdateAfter,
        RowKind::Delete => ChangeKind::Delete,
    }
}

/// The row with the moment in place of `CURRENT_DATE` and its kin, in columns of these types.
fn with_current_times(row: &Value, fields: &arrow_schema::Fields, now: Now) -> Value {
    let mut row = row.clone();
    match &mut row.kind {
        ValueKind::List(values) => {
            for (value, field) in values.iter_mut().zip(fields) {
                set_current_time(value, field, now);
            }
        }
        ValueKind::Map(values) => {
            for field in fields {
                if let Some(value) = values.get_mut(field.name()) {
                    set_current_time(value, field, now);
                }
            }
        }
        _ => {}
    }
    row
}

fn set_current_time(value: &mut Value, field: &Field, now: Now) {
    let ValueKind::String(text) = &mut value.kind else { return };
    let current = match (field.data_type(), text.as_str()) {
        (DataType::Date32, "CURRENT_DATE") => now.wall_clock().date().to_string(),
        (DataType::Time64(_), "CURRENT_TIME") => format!("{:?}", now.wall_clock().time()),
        (DataType::Timestamp(_, None), "CURRENT_TIMESTAMP") => format!("{:?}", now.wall_clock()),
        (DataType::Timestamp(_, Some(_)), "CURRENT_TIMESTAMP") => format!("{:?}Z", now.instant()),
        _ => return,
    };
    *text = current;
}
