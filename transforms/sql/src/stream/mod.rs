//! Queries that only project and filter, evaluated batch by batch.
//!
//! Guarantees: rows that go on keep their order, kind, event time and sequence; a row that an expression
//! fails for is rejected alone, with the rows around it going on; nothing is planned while rows flow.

mod columns;
mod compile;
mod narrow;
mod reject;
mod run;

use std::collections::HashMap;
use std::sync::Arc;

use seatun_api::{Batch, Map, MapOutput, Reject, Result, SchemaChange, SchemaVersion, TableId, TableSchema};

use crate::plugin::Query;
use compile::{Program, compile};
use run::Failure;

/// The table that comes out of a query over this table.
pub(crate) fn output_table(query: &Query, table: &TableSchema) -> Result<TableSchema> {
    Ok(TableSchema::clone(&compile(query, table)?.output))
}

/// A query as a map.
pub(crate) struct QueryMap {
    query: Arc<Query>,
    programs: HashMap<(TableId, SchemaVersion), Arc<Program>>,
    latest: Option<(Arc<TableSchema>, Arc<Program>)>,
}

impl QueryMap {
    pub(crate) fn new(query: Arc<Query>) -> Self {
        Self { query, programs: HashMap::new(), latest: None }
    }

    fn program(&mut self, table: &Arc<TableSchema>) -> Result<Arc<Program>> {
        if let Some((known, program)) = &self.latest
            && Arc::ptr_eq(known, table)
        {
            return Ok(Arc::clone(program));
        }
        let key = (table.id.clone(), table.version);
        let program = match self.programs.get(&key) {
            Some(program) => Arc::clone(program),
            None => {
                let program = Arc::new(compile(&self.query, table)?);
                self.programs.insert(key, Arc::clone(&program));
                program
            }
        };
        self.latest = Some((Arc::clone(table), Arc::clone(&program)));
        Ok(program)
    }
}

impl Map for QueryMap {
    fn map(&mut self, batch: Batch, rejects: &mut Vec<Reject>) -> Result<MapOutput> {
        if batch.num_rows() == 0 {
            return Ok(None);
        }
        let program = self.program(batch.table())?;
        let output = match program.run(&batch) {
            Ok(output) => output,
            Err(failure) => {
                let mut good = Vec::new();
                isolate(&program, &batch, failure, &mut good, rejects)?;
                if good.is_empty() {
                    return Ok(None);
                }
                Batch::concat(&good)?
            }
        };
        Ok((output.num_rows() > 0).then_some(output))
    }

    fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<Option<Arc<SchemaChange>>> {
        let before = self.program(&change.before)?;
        let mut after = compile(&self.query, &change.after)?;
        let shown = SchemaChange::between(&before.output, &after.output).map(Arc::new);
        if shown.is_none() {
            // Downstream must not see another version where nothing has changed for it.
            after.set_output(Arc::clone(&before.output));
        }
        self.programs.remove(&(change.before.id.clone(), change.before.version));
        self.programs.insert((change.after.id.clone(), change.after.version), Arc::new(after));
        self.latest = None;
        Ok(shown)
    }
}

/// Halves a batch that fails until each failing row stands alone. The good rows stay in order.
fn isolate(
    program: &Program,
    batch: &Batch,
    failure: Failure,
    good: &mut Vec<Batch>,
    rejects: &mut Vec<Reject>,
) -> Result<()> {
    let rows = batch.num_rows();
    let error = failure.into_row_error(batch.table())?;
    if rows == 1 {
        rejects.push(reject::of_row(batch, error)?);
        return Ok(());
    }
    let half = rows / 2;
    for part in [batch.slice(0, half), batch.slice(half, rows - half)] {
        match program.run(&part) {
            Ok(output) if output.num_rows() > 0 => good.push(output),
            Ok(_) => {}
            Err(failure) => isolate(program, &part, failure, good, rejects)?,
        }
    }
    Ok(())
}
