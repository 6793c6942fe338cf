//! A row that a query fails for, as it goes to the dead letters: its columns before the query, as JSON.

use arrow::json::writer::{LineDelimited, WriterBuilder};
use seatun_api::{Batch, Error, Reject, Result};

/// The reject of a batch of one row.
pub(super) fn of_row(row: &Batch, error: Error) -> Result<Reject> {
    let mut raw = Vec::new();
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut raw);
    writer.write(row.rows())?;
    writer.finish()?;
    drop(writer);
    if raw.last() == Some(&b'\n') {
        raw.pop();
    }
    Ok(Reject {
        table: Some(row.table().id.clone()),
        raw: raw.into(),
        origin: row.origin().map(|origin| origin.as_ref().clone()),
        error,
    })
}
