//! Whole-number arithmetic that does not fit its type is an error, not a wrong number.
//!
//! DataFusion wraps around. After the types are known, `+`, `-` and `*` of whole numbers become functions
//! that check; the names of columns stay.

use std::sync::{Arc, LazyLock};

use arrow::compute::kernels::numeric;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

/// The rule; it runs after type coercion.
#[derive(Debug)]
pub(crate) struct OverflowIsAnError;

impl AnalyzerRule for OverflowIsAnError {
    fn name(&self) -> &'static str {
        "overflow_is_an_error"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(rewrite_plan).map(|plan| plan.data)
    }
}

fn rewrite_plan(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = datafusion::common::DFSchema::empty();
    for input in plan.inputs() {
        schema.merge(input.schema());
    }
    let names = NamePreserver::new(&plan);
    plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let checked = expr.transform_up(|expr| rewrite_expr(expr, &schema))?;
        Ok(checked.update_data(|expr| name.restore(expr)))
    })?
    .map_data(LogicalPlan::recompute_schema)
}

fn rewrite_expr(expr: Expr, schema: &datafusion::common::DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &expr else { return Ok(Transformed::no(expr)) };
    let function = match op {
        Operator::Plus => &ADD,
        Operator::Minus => &SUBTRACT,
        Operator::Multiply => &MULTIPLY,
        _ => return Ok(Transformed::no(expr)),
    };
    let whole =
        |expr: &Expr| Ok::<_, datafusion::error::DataFusionError>(expr.get_type(schema)?.is_integer());
    if !(whole(left)? && whole(right)?) {
        return Ok(Transformed::no(expr));
    }
    let arguments = vec![Expr::clone(left), Expr::clone(right)];
    Ok(Transformed::yes(function.call(arguments)))
}

static ADD: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| checked(Operator::Plus, "checked_add"));
static SUBTRACT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| checked(Operator::Minus, "checked_subtract"));
static MULTIPLY: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| checked(Operator::Multiply, "checked_multiply"));

fn checked(op: Operator, name: &'static str) -> Arc<ScalarUDF> {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(Checked { op, name, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    op: Operator,
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        // Coercion has given both the same type.
        Ok(arguments.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = arguments.args.as_slice() else {
            return datafusion::common::internal_err!("{} takes two arguments", self.name);
        };
        match self.op {
            Operator::Plus => apply(left, right, numeric::add),
            Operator::Minus => apply(left, right, numeric::sub),
            _ => apply(left, right, numeric::mul),
        }
    }
}
