//! From a query and the schema of a table to the stages that rows go through.
//!
//! The optimised plan may hold scans, projections, filters and aliases only; anything else is refused by
//! name. Columns that only a filter reads are dropped before its rows are copied.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use datafusion::common::DFSchema;
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use seatun_api::{Result, TableSchema};

use super::columns::{self, Origin};
use super::narrow;
use crate::plugin::Query;
use crate::{diagnose, session};

/// A compiled query over one version of one table.
pub(super) struct Program {
    pub stages: Vec<Stage>,
    pub output: Arc<TableSchema>,
}

/// One step that rows go through.
pub(super) enum Stage {
    Filter(Filter),
    Project(Project),
    /// No row ever comes out.
    Nothing(Arc<TableSchema>),
}

/// Keeps the rows that a predicate is true for.
pub(super) struct Filter {
    pub predicate: Arc<dyn PhysicalExpr>,
    pub reads: Vec<usize>,
    /// Whether it reads columns that a retraction may come without.
    pub reads_beyond_key: bool,
    /// The columns that it is given.
    pub input: Vec<Field>,
    /// What of the columns is needed after it, if not all.
    pub narrow: Option<Project>,
}

/// Computes other columns for the same rows.
pub(super) struct Project {
    pub columns: Vec<Computed>,
    pub table: Arc<TableSchema>,
}

/// A column of a projection.
pub(super) struct Computed {
    pub expr: Arc<dyn PhysicalExpr>,
    /// The column that it is, if nothing is computed.
    pub passed: Option<usize>,
    pub reads: Vec<usize>,
    /// What to call it in an error.
    pub label: String,
}

impl Program {
    /// Gives the same rows under an older version of the same schema.
    pub(super) fn set_output(&mut self, output: Arc<TableSchema>) {
        if let Some(Stage::Project(Project { table, .. }) | Stage::Nothing(table)) = self.stages.last_mut() {
            *table = Arc::clone(&output);
        }
        self.output = output;
    }
}

/// Compiles a query.
pub(super) fn compile(query: &Query, table: &TableSchema) -> Result<Program> {
    let state = session::base()?;
    let provider = Arc::new(EmptyTable::new(Arc::clone(&table.arrow)));
    let relation = session::Relation { name: String::new(), table: provider };
    let plan = session::plan(state, &query.text, &query.syntax, &[relation])?;
    Compiler { state, query, table, stages: Vec::new(), origins: Vec::new() }.compile(&plan)
}

struct Compiler<'a> {
    state: &'a SessionState,
    query: &'a Query,
    table: &'a TableSchema,
    stages: Vec<Stage>,
    /// Of the columns after the stages so far.
    origins: Vec<Origin>,
}

impl Compiler<'_> {
    fn compile(mut self, plan: &LogicalPlan) -> Result<Program> {
        for node in self.bottom_up(plan)? {
            self.add(node)?;
        }
        let names: Vec<(String, DataType)> = plan
            .schema()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect();
        let columns: Vec<(String, DataType, Origin)> =
            names.into_iter().zip(self.origins).map(|((name, kind), origin)| (name, kind, origin)).collect();
        let output = Arc::new(columns::output(self.table, &columns));
        finish(&mut self.stages, &output);
        narrow::filters(&mut self.stages, self.table);
        Ok(Program { stages: self.stages, output })
    }

    /// The plan's nodes, the scan first.
    fn bottom_up<'p>(&self, plan: &'p LogicalPlan) -> Result<Vec<&'p LogicalPlan>> {
        let mut nodes = Vec::new();
        let mut node = plan;
        loop {
            nodes.push(node);
            node = match node {
                LogicalPlan::Projection(projection) => &projection.input,
                LogicalPlan::Filter(filter) => &filter.input,
                LogicalPlan::SubqueryAlias(alias) => &alias.input,
                LogicalPlan::TableScan(scan) if scan.filters.is_empty() && scan.fetch.is_none() => break,
                LogicalPlan::EmptyRelation(empty) if !empty.produce_one_row => break,
                other => {
                    let what = other.display().to_string();
                    let what = what.split(':').next().unwrap_or(&what).to_lowercase();
                    return Err(crate::plugin::not_streamable(&what, None));
                }
            };
        }
        nodes.reverse();
        Ok(nodes)
    }

    fn add(&mut self, node: &LogicalPlan) -> Result<()> {
        match node {
            LogicalPlan::TableScan(scan) => {
                let all = 0..self.table.arrow.fields().len();
                let Some(chosen) = &scan.projection else {
                    self.origins = all.map(Origin::of_column).collect();
                    return Ok(());
                };
                self.origins = chosen.iter().copied().map(Origin::of_column).collect();
                if !chosen.iter().copied().eq(all) {
                    let columns = chosen.iter().map(|index| passed(*index, self.table.arrow.field(*index)));
                    let project = Project { columns: columns.collect(), table: self.inner(node.schema()) };
                    self.stages.push(Stage::Project(project));
                }
            }
            LogicalPlan::EmptyRelation(_) => {
                self.origins = vec![Origin::default(); node.schema().fields().len()];
                self.stages.push(Stage::Nothing(self.inner(node.schema())));
            }
            LogicalPlan::Filter(filter) => {
                let predicate = self.physical(&filter.predicate, filter.input.schema())?;
                let reads = reads(&predicate);
                let beyond = |index: &usize| {
                    self.origin_reads(*index).any(|column| !self.table.primary_key.contains(&column))
                };
                let reads_beyond_key = reads.iter().any(beyond);
                let input = fields(filter.input.schema());
                let filter = Filter { predicate, reads, reads_beyond_key, input, narrow: None };
                self.stages.push(Stage::Filter(filter));
            }
            LogicalPlan::Projection(projection) => {
                let mut columns = Vec::new();
                for (expr, field) in projection.expr.iter().zip(projection.schema.fields()) {
                    columns.push(self.computed(expr, field, projection.input.schema())?);
                }
                self.origins = columns.iter().map(|column| self.origin(column)).collect();
                self.stages.push(Stage::Project(Project { columns, table: self.inner(&projection.schema) }));
            }
            _ => {}
        }
        Ok(())
    }

    fn computed(&self, expr: &Expr, field: &Field, input: &DFSchema) -> Result<Computed> {
        let expr = expr.clone().unalias();
        let physical = self.physical(&expr, input)?;
        let passed = physical.downcast_ref::<Column>().map(Column::index);
        let label = match field.name() {
            // The optimiser's own names mean nothing to the user.
            name if name.starts_with("__") => format!("the expression `{expr}`"),
            name => format!("the column `{name}`"),
        };
        Ok(Computed { reads: reads(&physical), expr: physical, passed, label })
    }

    fn physical(&self, expr: &Expr, input: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
        create_physical_expr(expr, input, self.state.execution_props()).map_err(|error| {
            diagnose::planning(&error, &self.query.text, &session::function_names(self.state))
        })
    }

    fn origin(&self, column: &Computed) -> Origin {
        Origin {
            passed: column.passed.and_then(|index| self.origins.get(index)?.passed),
            reads: column.reads.iter().flat_map(|index| self.origin_reads(*index)).collect(),
        }
    }

    fn origin_reads(&self, index: usize) -> impl Iterator<Item = usize> {
        self.origins.get(index).into_iter().flat_map(|origin| origin.reads.iter().copied())
    }

    /// A table for rows on their way; nobody else sees it.
    fn inner(&self, schema: &DFSchema) -> Arc<TableSchema> {
        inner_table(self.table, fields(schema))
    }
}

fn fields(schema: &DFSchema) -> Vec<Field> {
    schema.fields().iter().map(|field| Field::new(field.name(), field.data_type().clone(), true)).collect()
}

pub(super) fn inner_table(of: &TableSchema, fields: Vec<Field>) -> Arc<TableSchema> {
    let table = TableSchema::new(of.id.clone(), Arc::new(Schema::new(fields)));
    Arc::new(TableSchema { version: of.version, ..table })
}

pub(super) fn passed(index: usize, field: &Field) -> Computed {
    Computed {
        expr: Arc::new(Column::new(field.name(), index)),
        passed: Some(index),
        reads: vec![index],
        label: format!("the column `{}`", field.name()),
    }
}

fn reads(expr: &Arc<dyn PhysicalExpr>) -> Vec<usize> {
    let columns: BTreeSet<usize> = collect_columns(expr).iter().map(Column::index).collect();
    columns.into_iter().collect()
}

/// Makes the last stage give the output's table: the one stage that downstream sees.
fn finish(stages: &mut Vec<Stage>, output: &Arc<TableSchema>) {
    match stages.last_mut() {
        Some(Stage::Project(Project { table, .. }) | Stage::Nothing(table)) => *table = Arc::clone(output),
        _ => {
            let columns = output.arrow.fields().iter().enumerate();
            let columns = columns.map(|(index, field)| passed(index, field)).collect();
            stages.push(Stage::Project(Project { columns, table: Arc::clone(output) }));
        }
    }
    // What follows a stage without rows changes only their schema.
    if let Some(nothing) = stages.iter().position(|stage| matches!(stage, Stage::Nothing(_))) {
        stages.truncate(nothing);
        stages.push(Stage::Nothing(Arc::clone(output)));
    }
}
