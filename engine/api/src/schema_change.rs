//! Changes of a table's schema, carried in band between the rows before and after.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::table::TableSchema;

/// A table's schema before and after a change, with the steps between.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaChange {
    /// The schema of the rows before.
    pub before: Arc<TableSchema>,
    /// The schema of the rows after; its version is greater.
    pub after: Arc<TableSchema>,
    /// What happened, in order.
    pub steps: Vec<ColumnChange>,
}

/// One step of a schema change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnChange {
    /// A column was added.
    Add {
        /// Its name.
        name: String,
    },
    /// A column was dropped.
    Drop {
        /// Its name.
        name: String,
    },
    /// A column was renamed.
    Rename {
        /// The name before.
        from: String,
        /// The name after.
        to: String,
    },
    /// A column's type was changed.
    Retype {
        /// Its name.
        name: String,
    },
}
