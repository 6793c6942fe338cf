//! The `Sql` plugin: its options, and which way a query goes.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{self, ObjectName, Spanned, Visit, Visitor};
use schemars::JsonSchema;
use seatun_api::error::nearest_hint;
use seatun_api::registry::{PluginContext, TransformPlugin};
use seatun_api::transform::OperatorContext;
use seatun_api::{Error, JobMode, Map, Operator, Result, TableSchema, Transform, TransformKind};
use serde::Deserialize;

use crate::parse::{Place, error_at, parse};
use crate::stream::{self, QueryMap};
use crate::{blocking, codes, dialect, session, shape};

/// Options of `Sql`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlConfig {
    /// The query. It reads the inputs of the node by the names that `plugin_input` gives them; with one
    /// input any name will do. In a stream it chooses, computes and filters columns of one input; a batch
    /// job may also join, aggregate and sort.
    /// Example: `select id, upper(name) as name from users where age > 17`.
    pub query: String,
    /// The dialect of the query. There is one: `ZETA`, SeaTunnel's, which is the default.
    #[serde(default)]
    pub engine: Engine,
}

/// Dialects of a query.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum Engine {
    /// SeaTunnel's own.
    #[default]
    Zeta,
}

/// A query that has been read and is the same for every table.
pub(crate) struct Query {
    /// As the user wrote it: places are of this text.
    pub text: String,
    /// Its syntax tree, in DataFusion's dialect.
    pub syntax: ast::Query,
}

/// The `Sql` plugin.
pub struct Sql;

impl TransformPlugin for Sql {
    const NAME: &'static str = "Sql";
    type Config = SqlConfig;

    fn build(config: SqlConfig, context: &PluginContext) -> Result<Box<dyn Transform>> {
        let mut syntax = parse(&config.query)?;
        let state = session::base()?;
        check_tables(&syntax, &context.inputs)?;
        let obstacle = shape::obstacle(&syntax, &|name| session::is_aggregate(state, name));
        let one_input = context.inputs.len() <= 1;
        let way = match (context.mode, obstacle) {
            (JobMode::Streaming, Some(obstacle)) => {
                return Err(not_streamable(&obstacle.what, obstacle.place));
            }
            (JobMode::Streaming, None) if !one_input => {
                return Err(not_streamable("a query with several inputs", None));
            }
            (_, None) if one_input => Way::Stream,
            _ => Way::Blocking,
        };
        dialect::translate(&mut syntax)?;
        let query = Arc::new(Query { text: config.query, syntax });
        let output = context.output.clone().unwrap_or_else(|| context.node.clone());
        Ok(Box::new(SqlTransform { query, way, inputs: context.inputs.clone(), output }))
    }
}

/// The error of what cannot be answered batch by batch.
pub(crate) fn not_streamable(what: &str, place: Option<Place>) -> Error {
    error_at(codes::NOT_STREAMABLE, place, format!("{what} cannot be answered in a stream, which never ends"))
        .with_hint(
            "a streaming query chooses, computes and filters the columns of one input; \
             set `job.mode = BATCH` for joins, aggregates and sorting",
        )
}

/// Whether the tables that a query names are its inputs. One name for one input may be any: SeaTunnel's
/// jobs write `from dual` and the like.
fn check_tables(query: &ast::Query, inputs: &[String]) -> Result<()> {
    let mut tables = Tables::default();
    let _ = query.visit(&mut tables);
    let named: Vec<&(String, Option<Place>)> =
        tables.named.iter().filter(|(name, _)| !tables.defined.contains(name)).collect();
    let distinct: HashSet<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    for (name, place) in named {
        if inputs.contains(name) {
            continue;
        }
        if inputs.len() <= 1 && distinct.len() == 1 {
            if let Some(input) = inputs.first() {
                tracing::warn!(table = %name, input = %input, "the query names another table than its input");
            }
            continue;
        }
        let known: Vec<&str> = inputs.iter().map(String::as_str).collect();
        return Err(error_at(codes::QUERY_TABLE, *place, format!("the node has no input `{name}`"))
            .with_hint(nearest_hint(name, &known)));
    }
    Ok(())
}

#[derive(Default)]
struct Tables {
    named: Vec<(String, Option<Place>)>,
    /// By `WITH`.
    defined: HashSet<String>,
}

impl Visitor for Tables {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        self.defined.extend(tables.map(|table| table.alias.name.value.clone()));
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let parts: Vec<&str> =
            relation.0.iter().filter_map(|part| Some(part.as_ident()?.value.as_str())).collect();
        self.named.push((parts.join("."), Place::of_span(relation.span())));
        ControlFlow::Continue(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Stream,
    Blocking,
}

struct SqlTransform {
    query: Arc<Query>,
    way: Way,
    inputs: Vec<String>,
    output: String,
}

impl Transform for SqlTransform {
    fn kind(&self) -> TransformKind {
        match self.way {
            Way::Stream => TransformKind::Map,
            Way::Blocking => TransformKind::Blocking,
        }
    }

    fn output_tables(&self, inputs: &[Vec<Arc<TableSchema>>]) -> Result<Vec<TableSchema>> {
        match self.way {
            Way::Stream => {
                inputs.iter().flatten().map(|table| stream::output_table(&self.query, table)).collect()
            }
            Way::Blocking => blocking::output_table(&self.query, &self.inputs, &self.output, inputs)
                .map(|table| vec![table]),
        }
    }

    fn map(&self) -> Result<Box<dyn Map>> {
        Ok(Box::new(QueryMap::new(Arc::clone(&self.query))))
    }

    fn operator(&self, context: OperatorContext) -> Result<Box<dyn Operator>> {
        blocking::operator(Arc::clone(&self.query), &self.inputs, &self.output, context)
    }
}
