//! SeaTunnel's SQL as DataFusion understands it: rewritten in the syntax tree, before any planning.
//!
//! Guarantees: a query that uses none of SeaTunnel's own spellings comes out with the same meaning; places
//! in the text are kept, so that later errors still point to what the user wrote.

mod arrows;
mod literals;
mod names;
mod overflow;
mod planner;

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, VisitMut, VisitorMut};
use seatun_api::{Error, Result};

use crate::functions;

pub(crate) use overflow::OverflowIsAnError;
pub(crate) use planner::{SeaTunnelExprs, SeaTunnelTypes};

/// Rewrites a query in place.
pub(crate) fn translate(query: &mut Query) -> Result<()> {
    // First: a column without a name is named by the text as it was written.
    names::name_columns(query)?;
    literals::narrow_columns(query);
    match query.visit(&mut Rewriter) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Rewriter;

impl VisitorMut for Rewriter {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        arrows::bind_tightest(expr);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let Err(error) = functions::respell(expr) {
            return ControlFlow::Break(error);
        }
        literals::narrow_operands(expr);
        ControlFlow::Continue(())
    }
}
