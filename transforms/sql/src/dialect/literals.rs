//! Whole numbers of a query are `int` where they fit, else `bigint`, as SeaTunnel has it; DataFusion takes
//! all for `bigint`, so that `age + 1` would change its type.
//!
//! Only numbers that decide the type of a column are touched: operands of arithmetic, branches of `CASE`,
//! arguments of `COALESCE` and its like, and columns that are nothing but a number. `LIMIT 10`,
//! `ORDER BY 1` and arguments of other functions stay as they are.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query,
    SelectItem, SetExpr, UnaryOperator, Value,
};

const TAKES_ARGUMENT_TYPE: &[&str] = &["coalesce", "ifnull", "nvl", "nullif", "greatest", "least"];

/// Columns of the outermost select that are a bare number.
pub(super) fn narrow_columns(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    for item in &mut select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            narrow(expr);
        }
    }
}

/// Numbers directly below an expression that gives their type to its result.
pub(super) fn narrow_operands(expr: &mut Expr) {
    match expr {
        Expr::BinaryOp { left, op, right } if is_arithmetic(op) => {
            narrow(left);
            narrow(right);
        }
        Expr::Case { conditions, else_result, .. } => {
            for branch in conditions {
                narrow(&mut branch.result);
            }
            if let Some(result) = else_result {
                narrow(result);
            }
        }
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            let FunctionArguments::List(list) = &mut function.args else { return };
            if !TAKES_ARGUMENT_TYPE.contains(&name.as_str()) {
                return;
            }
            for argument in &mut list.args {
                if let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument {
                    narrow(argument);
                }
            }
        }
        _ => {}
    }
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
    )
}

fn narrow(expr: &mut Expr) {
    match expr {
        Expr::Nested(inner) => narrow(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => narrow(inner),
        Expr::Value(value) => {
            let Value::Number(digits, false) = &value.value else { return };
            if digits.parse::<i32>().is_err() {
                return;
            }
            *expr = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(expr.clone()),
                data_type: DataType::Int(None),
                array: false,
                format: None,
            };
        }
        _ => {}
    }
}
