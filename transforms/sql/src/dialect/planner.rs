//! Where SeaTunnel's operators and type names mean something else than DataFusion's.

use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{DFSchema, Result};
use datafusion::functions::string::concat;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, TypePlanner};
use datafusion::logical_expr::{ExprSchemable, cast};
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, TimezoneInfo};

/// Operators: `||` leaves nulls out as `CONCAT` does, and small whole numbers are added as `int`.
#[derive(Debug)]
pub(crate) struct SeaTunnelExprs;

impl ExprPlanner for SeaTunnelExprs {
    fn plan_binary_op(
        &self,
        mut expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        match expr.op {
            BinaryOperator::StringConcat => {
                let lists = is_list(&expr.left.get_type(schema)?) || is_list(&expr.right.get_type(schema)?);
                if lists {
                    return Ok(PlannerResult::Original(expr));
                }
                Ok(PlannerResult::Planned(concat().call(vec![expr.left, expr.right])))
            }
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => {
                let (left, right) = (expr.left.get_type(schema)?, expr.right.get_type(schema)?);
                if is_small(&left) && is_small(&right) {
                    expr.left = cast(expr.left, DataType::Int32);
                    expr.right = cast(expr.right, DataType::Int32);
                }
                Ok(PlannerResult::Original(expr))
            }
            _ => Ok(PlannerResult::Original(expr)),
        }
    }
}

fn is_list(kind: &DataType) -> bool {
    matches!(kind, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _))
}

fn is_small(kind: &DataType) -> bool {
    matches!(kind, DataType::Int8 | DataType::Int16)
}

/// Names of types in `CAST` that DataFusion does not know or understands in another unit.
#[derive(Debug)]
pub(crate) struct SeaTunnelTypes;

impl TypePlanner for SeaTunnelTypes {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        Ok(type_of(sql_type).map(|kind| Arc::new(Field::new("", kind, true))))
    }
}

fn type_of(sql_type: &ast::DataType) -> Option<DataType> {
    let zoned = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let local = || DataType::Timestamp(TimeUnit::Microsecond, None);
    Some(match sql_type {
        ast::DataType::Datetime(_)
        | ast::DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => local(),
        ast::DataType::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => zoned(),
        ast::DataType::Bytes(_) | ast::DataType::Binary(_) | ast::DataType::Varbinary(_) => DataType::Binary,
        ast::DataType::Custom(name, arguments) if arguments.is_empty() => {
            match name.to_string().to_lowercase().as_str() {
                "long" => DataType::Int64,
                "short" => DataType::Int16,
                "byte" => DataType::Int8,
                "bytes" => DataType::Binary,
                "timestamp_tz" => zoned(),
                _ => return None,
            }
        }
        _ => return None,
    })
}
