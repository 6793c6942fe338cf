//! The names of the columns that come out: the alias, else the column's name, else the expression's text.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SetExpr, Spanned, TableFactor, TableWithJoins,
};
use seatun_api::Result;

use crate::diagnose::duplicate_column;
use crate::parse::Place;

/// Gives every column of the outermost select that has no name the name SeaTunnel gives it.
///
/// # Errors
/// If two columns have the same name.
pub(super) fn name_columns(query: &mut Query) -> Result<()> {
    of_body(&mut query.body);
    let mut body = query.body.as_ref();
    loop {
        body = match body {
            SetExpr::Select(select) => return refuse_twins(select),
            SetExpr::Query(query) => &query.body,
            SetExpr::SetOperation { left, .. } => left,
            _ => return Ok(()),
        }
    }
}

fn refuse_twins(select: &Select) -> Result<()> {
    let mut names = HashSet::new();
    for item in &select.projection {
        let name = match item {
            SelectItem::ExprWithAlias { alias, .. } => alias,
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => name,
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => match parts.last() {
                Some(name) => name,
                None => continue,
            },
            _ => continue,
        };
        if !names.insert(name.value.as_str()) {
            return Err(duplicate_column(&name.value, Place::of_span(item.span())));
        }
    }
    Ok(())
}

fn of_body(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => of_select(select),
        SetExpr::Query(query) => of_body(&mut query.body),
        SetExpr::SetOperation { left, right, .. } => {
            of_body(left);
            of_body(right);
        }
        _ => {}
    }
}

fn of_select(select: &mut Select) {
    let tables = table_names(&select.from);
    for item in &mut select.projection {
        let SelectItem::UnnamedExpr(expr) = item else { continue };
        let Some(name) = name_of(expr, &tables) else { continue };
        let alias = Ident::with_quote('"', name);
        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
    }
}

/// `None` where the planner's own name is the right one: a plain column.
fn name_of(expr: &Expr, tables: &[String]) -> Option<String> {
    match expr {
        Expr::Identifier(_) => None,
        Expr::CompoundIdentifier(parts) => {
            let [first, .., last] = parts.as_slice() else { return None };
            let of_table = parts.len() == 2 && tables.contains(&first.value);
            (!of_table).then(|| last.value.clone())
        }
        Expr::Nested(inner) => name_of(inner, tables),
        other => Some(other.to_string()),
    }
}

fn table_names(from: &[TableWithJoins]) -> Vec<String> {
    let joined = from.iter().flat_map(|table| {
        std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation))
    });
    joined.filter_map(table_name).collect()
}

fn table_name(table: &TableFactor) -> Option<String> {
    match table {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            Some(alias.name.value.clone())
        }
        TableFactor::Table { name, .. } => Some(name.0.last()?.as_ident()?.value.clone()),
        _ => None,
    }
}
