//! DataFusion's session: which functions, rules and types there are, and how a syntax tree becomes a plan.
//!
//! Guarantees: column names are matched exactly, functions in any case; nothing is read from the
//! environment or from disk; the same query over the same schemas gives the same plan.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Column, Result, TableReference, plan_datafusion_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, TypePlanner};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, LogicalPlanBuilder, ScalarUDF, TableSource, WindowUDF,
    cast,
};
use datafusion::prelude::SessionConfig;
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use datafusion::sql::sqlparser::ast;
use datafusion_functions_json::udfs::json_union_to_text_udf;
use seatun_api::{Error, error::codes::INTERNAL};

use crate::codes;
use crate::diagnose::{self, duplicate_column};
use crate::dialect::{OverflowIsAnError, SeaTunnelExprs, SeaTunnelTypes};
use crate::parse::{error_at, find_word};
use crate::{functions, types};

/// Rows that an expression is evaluated for at a time.
pub(crate) const BATCH_ROWS: usize = 8192;

static BASE: LazyLock<std::result::Result<SessionState, String>> =
    LazyLock::new(|| build().map_err(|error| error.to_string()));

/// The session that all queries are planned in.
pub(crate) fn base() -> seatun_api::Result<&'static SessionState> {
    BASE.as_ref()
        .map_err(|error| Error::internal(INTERNAL, format!("cannot set up the query engine: {error}")))
}

fn build() -> Result<SessionState> {
    let mut state = SessionStateBuilder::new()
        .with_config(config())
        .with_default_features()
        .with_type_planner(Arc::new(SeaTunnelTypes))
        .with_analyzer_rule(Arc::new(OverflowIsAnError))
        .build();
    datafusion_functions_json::register_all(&mut state)?;
    state.register_expr_planner(Arc::new(SeaTunnelExprs))?;
    for function in functions::own() {
        state.register_udf(Arc::new(function))?;
    }
    Ok(state)
}

/// One partition: a node runs on one subtask, and rows of one input stay in order.
pub(crate) fn config() -> SessionConfig {
    let mut config = SessionConfig::new().with_target_partitions(1).with_batch_size(BATCH_ROWS);
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = false;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.collect_spans = true;
    config
}

/// Names of everything that can be called.
pub(crate) fn function_names(state: &SessionState) -> Vec<String> {
    let mut names: Vec<String> = state.scalar_functions().keys().cloned().collect();
    names.extend(state.aggregate_functions().keys().cloned());
    names.extend(state.window_functions().keys().cloned());
    names.extend(functions::SPELLINGS.iter().map(|(name, _)| (*name).to_owned()));
    names.sort_unstable();
    names
}

/// Whether a function takes many rows and gives one.
pub(crate) fn is_aggregate(state: &SessionState, name: &str) -> bool {
    state.aggregate_functions().contains_key(name)
        && !state.scalar_functions().contains_key(name)
        && !functions::SPELLINGS.iter().any(|(known, _)| *known == name)
}

/// A table that a query reads.
pub(crate) struct Relation {
    /// The name that the query gives it.
    pub name: String,
    /// What is behind it.
    pub table: Arc<dyn TableProvider>,
}

/// Plans a query over tables, the types of its columns made those of tables, and optimises the plan.
pub(crate) fn plan(
    state: &SessionState,
    text: &str,
    query: &ast::Query,
    relations: &[Relation],
) -> seatun_api::Result<LogicalPlan> {
    let located = |error| diagnose::planning(&error, text, &function_names(state));
    let tables = Tables { state, relations };
    let options = ParserOptions::new()
        .with_enable_ident_normalization(false)
        .with_map_string_types_to_utf8view(false)
        .with_collect_spans(true);
    let statement = ast::Statement::Query(Box::new(query.clone()));
    let plan =
        SqlToRel::new_with_options(&tables, options).sql_statement_to_plan(statement).map_err(located)?;
    let plan = as_table(plan, text, relations)?.map_err(located)?;
    state.optimize(&plan).map_err(located)
}

/// Adds a projection that gives plain names and table types, where it is needed.
fn as_table(
    plan: LogicalPlan,
    text: &str,
    relations: &[Relation],
) -> seatun_api::Result<Result<LogicalPlan>> {
    let mut names = HashSet::new();
    let mut columns = Vec::new();
    let mut changed = false;
    for (qualifier, field) in plan.schema().iter() {
        if !names.insert(field.name().clone()) {
            return Err(duplicate_column(field.name(), find_word(text, field.name())));
        }
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        let kind = field.data_type();
        let wanted = match kind {
            kind if is_of_input(field.name(), kind, relations) => Some(kind.clone()),
            DataType::Union(_, _) => Some(DataType::Utf8),
            kind => types::of_column(kind),
        };
        let wanted = wanted.ok_or_else(|| {
            error_at(
                codes::QUERY_COLUMNS,
                find_word(text, field.name()),
                format!("the column `{}` has the type {kind}, which no table has", field.name()),
            )
            .with_hint("cast it, for example to BIGINT or STRING")
        })?;
        if wanted == *kind {
            columns.push(column);
            continue;
        }
        changed = true;
        let converted = match kind {
            DataType::Union(_, _) => cast(json_union_to_text_udf().call(vec![column]), wanted),
            _ => cast(column, wanted),
        };
        columns.push(converted.alias(field.name()));
    }
    if !changed {
        return Ok(Ok(plan));
    }
    Ok(LogicalPlanBuilder::from(plan).project(columns).and_then(LogicalPlanBuilder::build))
}

/// A column of an input keeps its type, whatever it is.
fn is_of_input(name: &str, kind: &DataType, relations: &[Relation]) -> bool {
    relations.iter().any(|relation| {
        relation.table.schema().field_with_name(name).is_ok_and(|field| field.data_type() == kind)
    })
}

struct Tables<'a> {
    state: &'a SessionState,
    relations: &'a [Relation],
}

impl ContextProvider for Tables<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        let relation = match self.relations {
            // With one input there is nothing to mistake: SeaTunnel takes any name.
            [only] => Some(only),
            several => several.iter().find(|relation| relation.name == plain_name(&name)),
        };
        relation
            .map(|relation| provider_as_source(Arc::clone(&relation.table)))
            .ok_or_else(|| plan_datafusion_err!("there is no input '{}'", plain_name(&name)))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(SeaTunnelTypes))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}

/// The name as it stands in the query, its parts joined by dots.
fn plain_name(name: &TableReference) -> String {
    let parts = [name.catalog(), name.schema(), Some(name.table())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(".")
}
