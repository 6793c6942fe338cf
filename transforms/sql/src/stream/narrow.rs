//! Columns that only a filter reads are dropped before the rows that pass are copied.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use seatun_api::TableSchema;

use super::compile::{Computed, Project, Stage, inner_table, passed};

/// Lets each filter that a projection follows keep only what the projection reads.
pub(super) fn filters(stages: &mut [Stage], table: &TableSchema) {
    for index in 1..stages.len() {
        let (before, after) = stages.split_at_mut(index);
        let (Some(Stage::Filter(filter)), Some(Stage::Project(project))) =
            (before.last_mut(), after.first_mut())
        else {
            continue;
        };
        let needed: BTreeSet<usize> =
            project.columns.iter().flat_map(|column| column.reads.iter().copied()).collect();
        if needed.len() == filter.input.len() {
            continue;
        }
        let needed: Vec<usize> = needed.into_iter().collect();
        let Some(columns) = project.columns.iter().map(|column| moved(column, &needed)).collect() else {
            continue;
        };
        project.columns = columns;
        let kept: Vec<_> =
            needed.iter().filter_map(|index| Some((*index, filter.input.get(*index)?.clone()))).collect();
        filter.narrow = Some(Project {
            columns: kept.iter().map(|(index, field)| passed(*index, field)).collect(),
            table: inner_table(table, kept.into_iter().map(|(_, field)| field).collect()),
        });
    }
}

/// The same column where only the needed ones are left.
fn moved(column: &Computed, needed: &[usize]) -> Option<Computed> {
    let place = |index: usize| needed.iter().position(|other| *other == index);
    let expr = Arc::clone(&column.expr)
        .transform(|expr| {
            let Some(read) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
            let Some(index) = place(read.index()) else { return Ok(Transformed::no(expr)) };
            let read: Arc<dyn PhysicalExpr> = Arc::new(Column::new(read.name(), index));
            Ok(Transformed::yes(read))
        })
        .data()
        .ok()?;
    Some(Computed {
        expr,
        passed: match column.passed {
            Some(index) => Some(place(index)?),
            None => None,
        },
        reads: column.reads.iter().map(|index| place(*index)).collect::<Option<_>>()?,
        label: column.label.clone(),
    })
}
