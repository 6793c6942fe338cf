//! The `schema { .. }` block of sources that do not know their columns by themselves.
//!
//! What Arrow has no place for (comments, defaults, lengths, the names of keys) is kept in the metadata of
//! the field or of the schema, so that a sink can create the same table and `Assert` can compare it.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{Field, Schema};
use schemars::JsonSchema;
use seatun_api::config::Value;
use seatun_api::table::{COMMENT, NATIVE_TYPE};
use seatun_api::{Error, Result, TableId, TableSchema};
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::types::{FieldList, FieldType};

/// Key of the field metadata that keeps a column's length as declared.
pub const COLUMN_LENGTH: &str = "seatun.length";
/// Key of the field metadata that keeps a column's scale as declared, where the type has none.
pub const COLUMN_SCALE: &str = "seatun.scale";
/// Key of the field metadata that keeps a column's default value, as JSON.
pub const DEFAULT_VALUE: &str = "seatun.default";
/// Key of the schema metadata that keeps the table's comment.
pub const TABLE_COMMENT: &str = "seatun.table.comment";
/// Key of the schema metadata that keeps the name of the primary key.
pub const PRIMARY_KEY_NAME: &str = "seatun.primary_key.name";
/// Key of the schema metadata that keeps the constraint keys, as a JSON list of [`ConstraintKey`].
pub const CONSTRAINT_KEYS: &str = "seatun.constraint_keys";

/// The table that a source emits.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SchemaConfig {
    /// The table's name: `table`, `database.table` or `database.schema.table`. Default: the node's
    /// `plugin_output`, else `default.default.default`. Example: `shop.orders`.
    #[serde(default)]
    pub table: Option<String>,
    /// Whether a name of two parts is `schema.table` instead of `database.table`. Default: false.
    #[serde(default)]
    pub schema_first: bool,
    /// A comment on the table. Default: none.
    #[serde(default)]
    pub comment: Option<String>,
    /// Names and types of the columns, in order; all may be null. Either this or `columns`. Example:
    /// `{ id = bigint, price = "decimal(10, 2)", tags = "array<string>" }`.
    #[serde(default)]
    pub fields: Option<FieldList>,
    /// The columns with all their properties, in order. Either this or `fields`. Example:
    /// `[{ name = id, type = bigint, nullable = false }]`.
    #[serde(default)]
    pub columns: Option<Vec<ColumnConfig>>,
    /// The primary key. Default: none. Example: `{ name = pk, columnNames = [id] }`.
    #[serde(default, rename = "primaryKey")]
    pub primary_key: Option<PrimaryKeyConfig>,
    /// Further keys and indices. Default: none.
    #[serde(default, rename = "constraintKeys")]
    pub constraint_keys: Vec<ConstraintKey>,
}

/// A column of a schema block.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnConfig {
    /// The column's name. Example: `price`.
    pub name: String,
    /// The column's type. Example: `"decimal(10, 2)"`.
    #[serde(rename = "type")]
    pub data_type: FieldType,
    /// Whether the column may be null. Default: true.
    #[serde(default = "yes")]
    pub nullable: bool,
    /// The column's length: characters of a string, bytes of `bytes`; 0 for none. Default: 0.
    #[serde(default, rename = "columnLength")]
    pub column_length: u64,
    /// The column's scale, for a type that has none of its own: digits after the point of a float, parts of
    /// a second, dimensions of a vector. Default: none.
    #[serde(default, rename = "columnScale")]
    pub column_scale: Option<u32>,
    /// The column's default value. Default: none.
    #[serde(default, rename = "defaultValue")]
    pub default_value: Option<Value>,
    /// A comment on the column. Default: none.
    #[serde(default)]
    pub comment: Option<String>,
}

/// The primary key of a schema block.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrimaryKeyConfig {
    /// The key's name. Default: none. Example: `pk`.
    #[serde(default)]
    pub name: Option<String>,
    /// The key's columns, in order. Example: `[id]`.
    #[serde(rename = "columnNames", alias = "columns")]
    pub column_names: Vec<String>,
}

/// A key or index beside the primary key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintKey {
    /// The key's name. Example: `id_index`.
    #[serde(rename = "constraintName")]
    pub name: String,
    /// What it is.
    #[serde(rename = "constraintType")]
    pub kind: ConstraintKind,
    /// Its columns, in order. Example: `[{ columnName = id, sortType = ASC }]`.
    #[serde(rename = "constraintColumns")]
    pub columns: Vec<ConstraintColumn>,
}

/// What a key or index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConstraintKind {
    /// An index.
    IndexKey,
    /// A unique key.
    UniqueKey,
    /// A reference to another table.
    ForeignKey,
    /// An index of vectors.
    VectorIndexKey,
}

/// A column of a key or index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConstraintColumn {
    /// The column's name.
    #[serde(rename = "columnName")]
    pub name: String,
    /// The order of the index. Default: ASC.
    #[serde(default, rename = "sortType")]
    pub sort: SortKind,
}

/// The order of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SortKind {
    /// Smallest first.
    #[default]
    Asc,
    /// Greatest first.
    Desc,
}

fn yes() -> bool {
    true
}

/// The table of a source whose schema block names none: the node's output read as a dotted path, else
/// `default.default.default`, as in SeaTunnel.
#[must_use]
pub fn default_table_id(output: Option<&str>) -> TableId {
    TableId::parse(output.unwrap_or("default.default.default"), false)
}

impl SchemaConfig {
    /// The table that the block describes. Errors name their option relative to the block.
    ///
    /// # Errors
    /// Refuses `fields` and `columns` together or neither, a name twice, and keys of unknown columns.
    pub fn to_table(&self, default_id: TableId) -> Result<TableSchema> {
        let fields = self.arrow_fields()?;
        let mut metadata = HashMap::new();
        if let Some(comment) = &self.comment {
            metadata.insert(TABLE_COMMENT.to_owned(), comment.clone());
        }
        if let Some(name) = self.primary_key.as_ref().and_then(|key| key.name.clone()) {
            metadata.insert(PRIMARY_KEY_NAME.to_owned(), name);
        }
        if !self.constraint_keys.is_empty() {
            let keys = serde_json::to_string(&self.constraint_keys).map_err(|error| {
                Error::internal(codes::INVALID_SCHEMA, "the constraint keys have no text form")
                    .with_source(error)
            })?;
            metadata.insert(CONSTRAINT_KEYS.to_owned(), keys);
        }
        let id = match self.table.as_deref() {
            Some(path) => TableId::parse(path, self.schema_first),
            None => default_id,
        };
        let table = TableSchema::new(id, Arc::new(Schema::new_with_metadata(fields, metadata)));
        self.check_constraints(&table)?;
        match &self.primary_key {
            Some(key) if key.column_names.is_empty() => {
                Err(invalid("the primary key has no columns").at_option("primaryKey.columnNames"))
            }
            Some(key) => table
                .with_primary_key(&key.column_names)
                .map_err(|error| error.at_option("primaryKey.columnNames")),
            None => Ok(table),
        }
    }

    fn arrow_fields(&self) -> Result<Vec<Field>> {
        let fields: Vec<Field> = match (&self.fields, &self.columns) {
            (Some(_), Some(_)) => {
                return Err(
                    invalid("a schema has either `fields` or `columns`, not both").at_option("columns")
                );
            }
            (Some(fields), None) => fields.0.iter().map(|(name, ty)| plain_field(name, ty, true)).collect(),
            (None, Some(columns)) => columns.iter().map(ColumnConfig::arrow_field).collect(),
            (None, None) => {
                return Err(invalid("a schema needs its columns")
                    .with_hint("write fields { name = type, .. } or columns = [{ name = .., type = .. }]"));
            }
        };
        if fields.is_empty() {
            return Err(invalid("a schema needs at least one column"));
        }
        for (index, field) in fields.iter().enumerate() {
            let option = match self.columns {
                Some(_) => format!("columns[{index}].name"),
                None => "fields".to_owned(),
            };
            if field.name().is_empty() {
                return Err(invalid("a column has no name").at_option(option));
            }
            if fields[..index].iter().any(|other| other.name() == field.name()) {
                return Err(invalid(format!("column `{}` is there twice", field.name())).at_option(option));
            }
        }
        Ok(fields)
    }

    fn check_constraints(&self, table: &TableSchema) -> Result<()> {
        for (index, key) in self.constraint_keys.iter().enumerate() {
            for column in &key.columns {
                table
                    .column(&column.name)
                    .map_err(|error| error.at_option(format!("constraintKeys[{index}].constraintColumns")))?;
            }
        }
        Ok(())
    }
}

impl ColumnConfig {
    fn arrow_field(&self) -> Field {
        let mut field = plain_field(&self.name, &self.data_type, self.nullable);
        let metadata = [
            (COMMENT, self.comment.clone()),
            (COLUMN_LENGTH, (self.column_length > 0).then(|| self.column_length.to_string())),
            (COLUMN_SCALE, self.column_scale.map(|scale| scale.to_string())),
            (DEFAULT_VALUE, self.default_value.as_ref().map(|value| value.to_json().to_string())),
        ];
        let set = metadata.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        field.metadata_mut().extend(set);
        field
    }
}

fn plain_field(name: &str, ty: &FieldType, nullable: bool) -> Field {
    let field = Field::new(name, ty.data_type.clone(), nullable);
    match ty.vector {
        Some(vector) => field.with_metadata([(NATIVE_TYPE.to_owned(), vector.to_owned())].into()),
        None => field,
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::user(codes::INVALID_SCHEMA, message)
}
