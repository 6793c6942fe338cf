//! Whether a query only projects and filters one table, told from its syntax alone.
//!
//! Guarantees: a query without [`Obstacle`] can be answered row by row; what stands in the way is named with
//! its place, so that a streaming job's error is known to `check`, before any schema is.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Query, Select, SetExpr, Spanned, TableFactor, Visit, Visitor,
};

use crate::parse::Place;

/// Something in a query that needs more than one row at a time.
#[derive(Debug)]
pub(crate) struct Obstacle {
    /// What it is, as the subject of a sentence.
    pub what: String,
    /// Where it stands.
    pub place: Option<Place>,
}

impl Obstacle {
    fn at(what: impl Into<String>, node: &impl Spanned) -> Self {
        Self { what: what.into(), place: Place::of_span(node.span()) }
    }
}

/// The first obstacle of a query; `is_aggregate` knows the names of functions, in lower case, that take many
/// rows.
pub(crate) fn obstacle(query: &Query, is_aggregate: &dyn Fn(&str) -> bool) -> Option<Obstacle> {
    let of_clauses = clauses(query);
    let mut finder = ManyRows { is_aggregate };
    of_clauses.or_else(|| query.visit(&mut finder).break_value())
}

fn clauses(query: &Query) -> Option<Obstacle> {
    if let Some(with) = &query.with {
        if with.recursive {
            return Some(Obstacle::at("a recursive query", with));
        }
        if let Some(obstacle) = with.cte_tables.iter().find_map(|table| clauses(&table.query)) {
            return Some(obstacle);
        }
    }
    if let Some(order) = &query.order_by {
        return Some(Obstacle::at("ORDER BY", order));
    }
    if let Some(limit) = &query.limit_clause {
        return Some(Obstacle::at("LIMIT", limit));
    }
    if query.fetch.is_some() {
        return Some(Obstacle::at("FETCH", query));
    }
    match query.body.as_ref() {
        SetExpr::Select(select) => of_select(select),
        SetExpr::Query(query) => clauses(query),
        SetExpr::SetOperation { op, .. } => Some(Obstacle::at(op.to_string(), query)),
        _ => Some(Obstacle::at("a query without SELECT", query)),
    }
}

fn of_select(select: &Select) -> Option<Obstacle> {
    let here = |what: &str| Some(Obstacle::at(what, select));
    match &select.distinct {
        None | Some(Distinct::All) => {}
        Some(_) => return here("DISTINCT"),
    }
    match &select.group_by {
        GroupByExpr::Expressions(list, modifiers) if list.is_empty() && modifiers.is_empty() => {}
        group => return Some(Obstacle::at("GROUP BY", group)),
    }
    if let Some(having) = &select.having {
        return Some(Obstacle::at("HAVING", having));
    }
    if let Some(qualify) = &select.qualify {
        return Some(Obstacle::at("QUALIFY", qualify));
    }
    if !select.lateral_views.is_empty() {
        return here("LATERAL VIEW");
    }
    if select.top.is_some() {
        return here("TOP");
    }
    let sorted = !(select.sort_by.is_empty() && select.cluster_by.is_empty());
    if sorted || !select.connect_by.is_empty() {
        return here("SORT BY, CLUSTER BY or CONNECT BY");
    }
    match select.from.as_slice() {
        [table] => match table.joins.first() {
            Some(join) => Some(Obstacle::at("a join", join)),
            None => of_table(&table.relation),
        },
        [] => here("a query without FROM"),
        [_, second, ..] => Some(Obstacle::at("a second table", second)),
    }
}

fn of_table(table: &TableFactor) -> Option<Obstacle> {
    match table {
        TableFactor::Table { args: None, .. } => None,
        TableFactor::Derived { lateral: false, subquery, .. } => clauses(subquery),
        other => Some(Obstacle::at("a table function", other)),
    }
}

struct ManyRows<'a> {
    is_aggregate: &'a dyn Fn(&str) -> bool,
}

impl Visitor for ManyRows<'_> {
    type Break = Obstacle;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Obstacle> {
        match expr {
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                ControlFlow::Break(Obstacle::at("a subquery", expr))
            }
            Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                if function.over.is_some() {
                    return ControlFlow::Break(Obstacle::at(format!("the window function `{name}`"), expr));
                }
                if name == "unnest" || name == "explode" {
                    return ControlFlow::Break(Obstacle::at(format!("`{name}`"), expr));
                }
                if (self.is_aggregate)(&name) {
                    return ControlFlow::Break(Obstacle::at(format!("the aggregate `{name}`"), expr));
                }
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
