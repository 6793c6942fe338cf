//! The options of `Assert`.

use schemars::JsonSchema;
use seatun_api::config::Value;
use seatun_connector_common::schema::{ConstraintKind, SortKind};
use seatun_connector_common::types::FieldType;
use serde::Deserialize;

/// Checks rows against rules and fails the job at the first that breaks one: the oracle of test jobs. Its
/// errors show the value that is wrong, so do not point it at data that must not be shown.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertConfig {
    /// The rules. At least one is required. Example: `{ row_rules = [{ rule_type = MIN_ROW, rule_value = 1 }] }`.
    pub rules: RulesConfig,
}

/// Rules of the job.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesConfig {
    /// How many rows each table has. Default: none.
    #[serde(default)]
    pub row_rules: Vec<RowRule>,
    /// What the values of columns are. Default: none.
    #[serde(default)]
    pub field_rules: Vec<FieldRule>,
    /// How the table is declared; checked before the job runs. Default: not checked.
    #[serde(default)]
    pub catalog_table_rule: Option<CatalogTableRule>,
    /// The full names of exactly the tables that rows must come of. Default: not checked. Example: `["db.a"]`.
    #[serde(default, rename = "table-names")]
    pub table_names: Option<Vec<String>>,
    /// Rules of single tables, in place of the rules above. Default: none.
    #[serde(default)]
    pub tables_configs: Vec<TableRules>,
}

/// Rules of one table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableRules {
    /// The table's full name. Example: `db.users`.
    pub table_path: String,
    /// How many rows the table has. Default: none.
    #[serde(default)]
    pub row_rules: Vec<RowRule>,
    /// What the values of columns are. Default: none.
    #[serde(default)]
    pub field_rules: Vec<FieldRule>,
    /// How the table is declared. Default: not checked.
    #[serde(default)]
    pub catalog_table_rule: Option<CatalogTableRule>,
}

/// A bound on the number of rows.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowRule {
    /// Which bound.
    pub rule_type: RowRuleType,
    /// The bound in rows, counted over all writers.
    pub rule_value: u64,
}

/// Which bound on the number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RowRuleType {
    /// At most so many, checked as rows come.
    MaxRow,
    /// At least so many, checked when the job has ended.
    MinRow,
}

/// What the values of a column are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The column's name.
    pub field_name: String,
    /// The type of its values. A null is of type `"null"` only, unless there is a rule `NULL`.
    pub field_type: FieldType,
    /// What each value must be. Default: anything of the type.
    #[serde(default)]
    pub field_value: Vec<ValueRule>,
}

/// What a value must be: either `rule_type` or `equals_to`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueRule {
    /// A rule by name.
    #[serde(default)]
    pub rule_type: Option<ValueRuleType>,
    /// The bound of the rule, inclusive. Required for `MIN`, `MAX`, `MIN_LENGTH` and `MAX_LENGTH`.
    #[serde(default)]
    pub rule_value: Option<f64>,
    /// The value itself, read as a value of the column's type. Nulls are not compared. Example: `[1, 2]`.
    #[serde(default)]
    pub equals_to: Option<Value>,
}

/// A rule on a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ValueRuleType {
    /// It is null.
    Null,
    /// It is not null.
    NotNull,
    /// The number is at least this.
    Min,
    /// The number is at most this.
    Max,
    /// Its text has at least so many characters; a null has none.
    MinLength,
    /// Its text has at most so many characters.
    MaxLength,
}

impl ValueRuleType {
    /// The rule as a job file spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::NotNull => "NOT_NULL",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::MinLength => "MIN_LENGTH",
            Self::MaxLength => "MAX_LENGTH",
        }
    }
}

/// How a table is declared.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogTableRule {
    /// The primary key. Default: not checked.
    #[serde(default)]
    pub primary_key_rule: Option<PrimaryKeyRule>,
    /// All further keys and indices, in any order. Default: not checked.
    #[serde(default)]
    pub constraint_key_rule: Option<Vec<ConstraintKeyRule>>,
    /// All columns with all their properties, in any order. Default: not checked.
    #[serde(default)]
    pub column_rule: Option<Vec<ColumnRule>>,
    /// The table's name. Default: not checked.
    #[serde(default)]
    pub table_identifier_rule: Option<TableIdentifierRule>,
}

/// The primary key of a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrimaryKeyRule {
    /// The key's name. Default: not checked.
    #[serde(default)]
    pub primary_key_name: Option<String>,
    /// The key's columns, in any order.
    pub primary_key_columns: Vec<String>,
}

/// A key or index of a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintKeyRule {
    /// Its name.
    pub constraint_key_name: String,
    /// What it is.
    pub constraint_key_type: ConstraintKind,
    /// Its columns, in any order.
    pub constraint_key_columns: Vec<ConstraintColumnRule>,
}

/// A column of a key or index.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintColumnRule {
    /// Its name.
    pub constraint_key_column_name: String,
    /// The order of the index. Default: ASC.
    #[serde(default)]
    pub constraint_key_sort_type: SortKind,
}

/// A column of a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnRule {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: FieldType,
    /// Its length; 0 for none. Default: 0.
    #[serde(default)]
    pub column_length: u64,
    /// Whether it may be null. Default: true.
    #[serde(default = "yes")]
    pub nullable: bool,
    /// Its default value. Default: none.
    #[serde(default)]
    pub default_value: Option<Value>,
    /// Its comment. Default: none.
    #[serde(default)]
    pub comment: Option<String>,
}

/// The name of a table.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableIdentifierRule {
    /// The catalog's name. Taken for the sake of SeaTunnel's files; tables have none here, so it is not
    /// checked.
    #[serde(default)]
    pub catalog_name: Option<String>,
    /// The table's full name. Example: `db.users`.
    pub table: String,
}

fn yes() -> bool {
    true
}
