//! Queries that need more than one row at a time: one DataFusion plan per query, in batch jobs.
//!
//! Guarantees: memory stays within the node's limit, beyond it rows go to files in the node's spill folder,
//! which is empty again at the end; whichever input comes first, the query goes on; dropping the operator
//! stops the plan.

mod engine;
mod input;
mod memory;
mod operator;
mod ports;
mod spool;

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::LogicalPlan;
use seatun_api::table::NATIVE_TYPE;
use seatun_api::transform::OperatorContext;
use seatun_api::{Operator, Result, TableId, TableSchema};

use crate::codes;
use crate::parse::error_at;
use crate::plugin::Query;
use crate::session::{self, Relation};

/// The table that comes out of a query over these inputs.
pub(crate) fn output_table(
    query: &Query,
    names: &[String],
    output: &str,
    inputs: &[Vec<Arc<TableSchema>>],
) -> Result<TableSchema> {
    let tables = one_table_each(names, inputs)?;
    let providers = tables
        .iter()
        .map(|table| Arc::new(EmptyTable::new(Arc::clone(&table.arrow))) as Arc<dyn TableProvider>)
        .collect();
    let plan = plan(query, names, providers)?;
    Ok(table_of(&plan, output, &tables))
}

/// The operator of a query.
pub(crate) fn operator(
    query: Arc<Query>,
    names: &[String],
    output: &str,
    context: OperatorContext,
) -> Result<Box<dyn Operator>> {
    operator::QueryOperator::open(&query, names, output, context)
        .map(|operator| Box::new(operator) as Box<dyn Operator>)
}

fn plan(query: &Query, names: &[String], providers: Vec<Arc<dyn TableProvider>>) -> Result<LogicalPlan> {
    let names = names.iter().map(String::as_str).chain(std::iter::repeat(""));
    let relations: Vec<Relation> =
        names.zip(providers).map(|(name, table)| Relation { name: name.to_owned(), table }).collect();
    session::plan(session::base()?, &query.text, &query.syntax, &relations)
}

/// The table of each input: there can be no more than one, or its name in the query would mean several.
fn one_table_each(names: &[String], inputs: &[Vec<Arc<TableSchema>>]) -> Result<Vec<Arc<TableSchema>>> {
    let mut tables = Vec::new();
    for (port, input) in inputs.iter().enumerate() {
        let [table] = input.as_slice() else {
            let name = names.get(port).map_or("", String::as_str);
            return Err(error_at(
                codes::QUERY_TABLE,
                None,
                format!("the input `{name}` carries {} tables, a query like this reads one", input.len()),
            )
            .with_hint(
                "give each table a source of its own, or use a query that only projects and filters",
            ));
        };
        tables.push(Arc::clone(table));
    }
    Ok(tables)
}

/// The output's table. It has no key: rows are no longer those of the inputs.
fn table_of(plan: &LogicalPlan, output: &str, inputs: &[Arc<TableSchema>]) -> TableSchema {
    let fields: Vec<Field> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| {
            let kind = field.data_type().clone();
            Field::new(field.name(), kind, true).with_metadata(metadata(field, inputs))
        })
        .collect();
    let id = match inputs {
        [only] => only.id.clone(),
        _ => TableId::parse(output, false),
    };
    TableSchema::new(id, Arc::new(Schema::new(fields)))
}

/// A column's metadata follows it through a plan; the native type only as long as the type is its own.
fn metadata(field: &Field, inputs: &[Arc<TableSchema>]) -> HashMap<String, String> {
    let mut metadata = field.metadata().clone();
    let of_input = inputs.iter().flat_map(|table| table.arrow.fields()).any(|input| {
        input.data_type() == field.data_type()
            && input.metadata().get(NATIVE_TYPE) == field.metadata().get(NATIVE_TYPE)
    });
    if !of_input {
        metadata.remove(NATIVE_TYPE);
    }
    metadata
}
