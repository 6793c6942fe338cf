//! `seatun preview`: the first rows at each node. Personal data is masked unless asked for.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::FormatOptions;
use arrow::util::pretty::pretty_format_batches_with_options;
use seatun_api::table::MASKED;
use seatun_api::{Batch, Result};
use seatun_runtime::job::Job;

use crate::output::grouped;

const SHOWN_FOR_MASKED: &str = "******";

/// The tables of all nodes.
///
/// # Errors
/// If a source cannot be read, a row cannot be read, or a transform fails.
pub async fn text(job: &Job, rows: usize, unmask: bool) -> Result<String> {
    let mut text = String::new();
    for node in seatun_runtime::preview::preview(job, rows).await? {
        let count: usize = node.batches.iter().map(Batch::num_rows).sum();
        text.push_str(&format!("{} ({} rows)\n", node.node, grouped(count as u64)));
        for batch in &node.batches {
            text.push_str(&table(batch, unmask)?);
        }
        for reject in &node.rejects {
            text.push_str(&format!("given up: {reject}\n"));
        }
        text.push('\n');
    }
    Ok(text)
}

fn table(batch: &Batch, unmask: bool) -> Result<String> {
    let mut fields: Vec<Arc<Field>> = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    if batch.kinds().is_some() {
        fields.push(Arc::new(Field::new("", DataType::Utf8, false)));
        let kinds = (0..batch.num_rows()).map(|row| Some(batch.kind(row).short()));
        columns.push(Arc::new(kinds.collect::<StringArray>()));
    }
    for (field, column) in batch.table().arrow.fields().iter().zip(batch.rows().columns()) {
        let masked = field.metadata().contains_key(MASKED) && !unmask;
        fields.push(Arc::new(match masked {
            true => Field::new(field.name(), DataType::Utf8, true),
            false => field.as_ref().clone(),
        }));
        columns.push(if masked { mask(column) } else { Arc::clone(column) });
    }
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
    let format = FormatOptions::default().with_null("null");
    Ok(format!("{}\n", pretty_format_batches_with_options(&[rows], &format)?))
}

/// Nulls stay visible: that a value is missing tells nothing of it.
fn mask(column: &ArrayRef) -> ArrayRef {
    let cells = (0..column.len()).map(|row| column.is_valid(row).then_some(SHOWN_FOR_MASKED));
    Arc::new(cells.collect::<StringArray>())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::Int32Array;
    use seatun_api::{TableId, TableSchema};

    use super::*;

    #[test]
    fn personal_data_is_masked_unless_asked_for() {
        let secret = Field::new("ssn", DataType::Int32, true)
            .with_metadata(HashMap::from([(MASKED.to_owned(), "true".to_owned())]));
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int32, true), secret]));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![1, 2])),
            Arc::new(Int32Array::from(vec![Some(424_242), None])),
        ];
        let rows = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
        let batch = Batch::new(Arc::new(TableSchema::new(TableId::new("t"), schema)), rows).unwrap();
        let shown = table(&batch, false).unwrap();
        assert!(shown.contains("******") && shown.contains("null") && !shown.contains("424242"), "{shown}");
        assert!(table(&batch, true).unwrap().contains("424242"));
    }
}
