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

impl SchemaChange {
    /// The change from one version of a table to the next, its columns told apart by their field ids.
    /// `None` if both have the same columns and the same key.
    #[must_use]
    pub fn between(before: &Arc<TableSchema>, after: &Arc<TableSchema>) -> Option<Self> {
        let same = before.arrow == after.arrow
            && before.primary_key == after.primary_key
            && before.field_ids == after.field_ids;
        if same {
            return None;
        }
        let mut steps = Vec::new();
        for (id, field) in before.field_ids.iter().zip(before.arrow.fields()) {
            let Some(index) = after.field_ids.iter().position(|other| other == id) else {
                steps.push(ColumnChange::Drop { name: field.name().clone() });
                continue;
            };
            let next = after.arrow.field(index);
            if next.name() != field.name() {
                steps.push(ColumnChange::Rename { from: field.name().clone(), to: next.name().clone() });
            }
            if next.data_type() != field.data_type() {
                steps.push(ColumnChange::Retype { name: next.name().clone() });
            }
        }
        for (id, field) in after.field_ids.iter().zip(after.arrow.fields()) {
            if !before.field_ids.contains(id) {
                steps.push(ColumnChange::Add { name: field.name().clone() });
            }
        }
        Some(Self { before: Arc::clone(before), after: Arc::clone(after), steps })
    }
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

#[cfg(test)]
mod tests {
    use arrow_schema::{DataType, Field, Schema};

    use super::*;
    use crate::table::TableId;

    fn table(columns: &[(&str, DataType, i32)]) -> Arc<TableSchema> {
        let fields: Vec<Field> =
            columns.iter().map(|(name, kind, _)| Field::new(*name, kind.clone(), true)).collect();
        let mut table = TableSchema::new(TableId::new("t"), Arc::new(Schema::new(fields)));
        table.field_ids = columns.iter().map(|(_, _, id)| *id).collect();
        Arc::new(table)
    }

    #[test]
    fn a_rename_is_told_from_a_drop_and_an_add() {
        let before = table(&[("a", DataType::Int32, 1), ("b", DataType::Utf8, 2), ("c", DataType::Utf8, 3)]);
        let after = table(&[("a", DataType::Int64, 1), ("x", DataType::Utf8, 3), ("n", DataType::Utf8, 4)]);
        let change = SchemaChange::between(&before, &after).unwrap();
        assert_eq!(
            change.steps,
            [
                ColumnChange::Retype { name: "a".into() },
                ColumnChange::Drop { name: "b".into() },
                ColumnChange::Rename { from: "c".into(), to: "x".into() },
                ColumnChange::Add { name: "n".into() },
            ]
        );
        assert_eq!(SchemaChange::between(&before, &before), None);
    }
}
