//! Tables: their identity and their schema.

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, codes};

/// The full name of a table: `database.schema.table`, where the first two may be absent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableId {
    /// The database or catalog, if the system has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Arc<str>>,
    /// The schema or namespace, if the system has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Arc<str>>,
    /// The table's own name.
    pub table: Arc<str>,
}

impl TableId {
    /// A table without database and schema.
    pub fn new(table: impl AsRef<str>) -> Self {
        Self { database: None, schema: None, table: Arc::from(table.as_ref()) }
    }

    /// Reads a dotted path of one, two or three parts.
    ///
    /// Two parts are `database.table`, or `schema.table` where `schema_first` is set, as SeaTunnel's
    /// `schema { table, schema_first }` has it. A path of more than three parts keeps the rest in the
    /// table's name.
    #[must_use]
    pub fn parse(path: &str, schema_first: bool) -> Self {
        let parts: Vec<&str> = path.splitn(3, '.').collect();
        match parts.as_slice() {
            [schema, table] if schema_first => {
                Self { database: None, schema: Some(Arc::from(*schema)), table: Arc::from(*table) }
            }
            [database, table] => {
                Self { database: Some(Arc::from(*database)), schema: None, table: Arc::from(*table) }
            }
            [database, schema, table] => Self {
                database: Some(Arc::from(*database)),
                schema: Some(Arc::from(*schema)),
                table: Arc::from(*table),
            },
            _ => Self::new(path),
        }
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.database, &self.schema].into_iter().flatten() {
            write!(f, "{part}.")?;
        }
        f.write_str(&self.table)
    }
}

/// Counts the schemas a table has had; grows by one with each change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemaVersion(pub u32);

/// One version of a table's schema. Shared as `Arc<TableSchema>`: two batches of one table and version
/// point to the same value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSchema {
    /// Which table.
    pub id: TableId,
    /// Which version of its schema.
    pub version: SchemaVersion,
    /// The columns. The native type of a source column may stand in the field's metadata under
    /// [`NATIVE_TYPE`], so that a sink of the same kind can rebuild it.
    pub arrow: SchemaRef,
    /// Indices of the primary key's columns, in key order; empty if there is no key.
    pub primary_key: Vec<usize>,
    /// A stable number for each column, so that a rename is told from a drop and an add.
    pub field_ids: Vec<i32>,
}

/// Key of the field metadata that keeps a column's type as its source system spells it.
pub const NATIVE_TYPE: &str = "seatun.native";
/// Key of the field metadata that keeps a column's comment.
pub const COMMENT: &str = "seatun.comment";
/// Key of the field metadata that marks a column as personal data, masked in previews.
pub const MASKED: &str = "seatun.masked";

impl TableSchema {
    /// The first version of a table, its columns numbered from 1.
    #[must_use]
    pub fn new(id: TableId, arrow: SchemaRef) -> Self {
        let field_ids = (1..).take(arrow.fields().len()).collect();
        Self { id, version: SchemaVersion(0), arrow, primary_key: Vec::new(), field_ids }
    }

    /// Sets the primary key by column names.
    ///
    /// # Errors
    /// Refuses a column that the table does not have.
    pub fn with_primary_key<S: AsRef<str>>(mut self, columns: &[S]) -> Result<Self> {
        self.primary_key = columns.iter().map(|name| self.column(name.as_ref())).collect::<Result<_>>()?;
        Ok(self)
    }

    /// The index of a column.
    ///
    /// # Errors
    /// Names the table, the column and the nearest column there is.
    pub fn column(&self, name: &str) -> Result<usize> {
        self.arrow.index_of(name).map_err(|_| {
            let names: Vec<&str> = self.arrow.fields().iter().map(|f| f.name().as_str()).collect();
            Error::user(codes::UNKNOWN_COLUMN, format!("table {} has no column `{name}`", self.id))
                .with_hint(crate::error::nearest_hint(name, &names))
        })
    }

    /// The same table with other columns, keeping the key columns that survive: the key is dropped as a
    /// whole when one of its columns is gone. Columns of the same name keep their field id.
    #[must_use]
    pub fn with_columns(&self, arrow: SchemaRef) -> Self {
        let mut next = self.field_ids.iter().copied().max().unwrap_or(0);
        let field_ids = arrow
            .fields()
            .iter()
            .map(|field| match self.arrow.index_of(field.name()) {
                Ok(index) => self.field_ids[index],
                Err(_) => {
                    next += 1;
                    next
                }
            })
            .collect();
        let primary_key: Option<Vec<usize>> = self
            .primary_key
            .iter()
            .map(|&index| arrow.index_of(self.arrow.field(index).name()).ok())
            .collect();
        Self {
            id: self.id.clone(),
            version: self.version,
            primary_key: primary_key.unwrap_or_default(),
            arrow,
            field_ids,
        }
    }
}
