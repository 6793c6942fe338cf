//! `body->>'name' = 'ann'` compares the name: `->` and `->>` bind tighter than any operator after them. The
//! parser's generic dialect would look for a member called `'name' = 'ann'`.

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value};

/// Moves an arrow down to the leftmost operand of what stands to its right. Parentheses are respected.
pub(super) fn bind_tightest(expr: &mut Expr) {
    let Expr::BinaryOp { op: BinaryOperator::Arrow | BinaryOperator::LongArrow, right, .. } = expr else {
        return;
    };
    if operand(right).is_none() {
        return;
    }
    let mut whole = std::mem::replace(right.as_mut(), nothing());
    let mut leftmost = &mut whole;
    while operand(leftmost).is_some() {
        // invariant: the line above has seen it.
        let Some(next) = operand(leftmost) else { return };
        leftmost = next;
    }
    let key = std::mem::replace(leftmost, nothing());
    let mut arrow = std::mem::replace(expr, nothing());
    if let Expr::BinaryOp { right, .. } = &mut arrow {
        **right = key;
    }
    *leftmost = arrow;
    *expr = whole;
}

fn nothing() -> Expr {
    Expr::Value(Value::Null.with_empty_span())
}

/// The first operand of an operator.
fn operand(expr: &mut Expr) -> Option<&mut Expr> {
    match expr {
        Expr::BinaryOp { left, .. } => Some(left),
        Expr::Between { expr, .. }
        | Expr::InList { expr, .. }
        | Expr::Like { expr, .. }
        | Expr::ILike { expr, .. }
        | Expr::IsNull(expr)
        | Expr::IsNotNull(expr) => Some(expr),
        _ => None,
    }
}
