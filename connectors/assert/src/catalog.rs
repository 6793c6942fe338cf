//! The rule on how a table is declared: name, keys and columns with all their properties, in any order.

use seatun_api::table::COMMENT;
use seatun_api::{Error, Result, TableSchema};
use seatun_connector_common::json_parse;
use seatun_connector_common::json_value::compact_text;
use seatun_connector_common::schema::{
    COLUMN_LENGTH, CONSTRAINT_KEYS, ConstraintKey, ConstraintKind, DEFAULT_VALUE, PRIMARY_KEY_NAME, SortKind,
};
use seatun_connector_common::types::{field_type_name, type_name};

use crate::codes;
use crate::config::{CatalogTableRule, ColumnRule, ConstraintKeyRule, PrimaryKeyRule};

/// Compares a table with the rule.
///
/// # Errors
/// Says what the table has and what it should have.
pub(crate) fn check(rule: &CatalogTableRule, table: &TableSchema) -> Result<()> {
    if let Some(rule) = &rule.table_identifier_rule {
        compare("name", table, vec![table.id.to_string()], vec![rule.table.clone()])?;
    }
    if let Some(rule) = &rule.primary_key_rule {
        check_primary_key(rule, table)?;
    }
    if let Some(rules) = &rule.constraint_key_rule {
        compare("keys", table, constraint_keys(table)?, rules.iter().map(wanted_key).collect())?;
    }
    if let Some(rules) = &rule.column_rule {
        compare("columns", table, columns(table)?, rules.iter().map(wanted_column).collect())?;
    }
    Ok(())
}

fn check_primary_key(rule: &PrimaryKeyRule, table: &TableSchema) -> Result<()> {
    let names = table.primary_key.iter().map(|&column| table.arrow.field(column).name().clone());
    compare("primary key", table, names.collect(), rule.primary_key_columns.clone())?;
    let Some(wanted) = &rule.primary_key_name else { return Ok(()) };
    let name = table.arrow.metadata().get(PRIMARY_KEY_NAME).cloned().unwrap_or_default();
    compare("primary key's name", table, vec![name], vec![wanted.clone()])
}

fn compare(what: &str, table: &TableSchema, mut actual: Vec<String>, mut wanted: Vec<String>) -> Result<()> {
    actual.sort();
    wanted.sort();
    if actual == wanted {
        return Ok(());
    }
    let only = |some: &[String], others: &[String]| {
        let list: Vec<&str> = some.iter().filter(|item| !others.contains(item)).map(String::as_str).collect();
        if list.is_empty() { "(nothing)".to_owned() } else { list.join("; ") }
    };
    Err(Error::user(
        codes::CATALOG_TABLE,
        format!(
            "table {}: the {what} should have {} and has {} instead",
            table.id,
            only(&wanted, &actual),
            only(&actual, &wanted)
        ),
    ))
}

fn columns(table: &TableSchema) -> Result<Vec<String>> {
    let fields = table.arrow.fields().iter();
    fields
        .map(|field| {
            let metadata = field.metadata();
            let default = match metadata.get(DEFAULT_VALUE) {
                Some(text) => Some(plain_text(&json_parse::parse(text)?)),
                None => None,
            };
            let length = metadata.get(COLUMN_LENGTH).map_or("0", String::as_str);
            let comment = metadata.get(COMMENT).map(String::as_str);
            let ty = field_type_name(field);
            Ok(column_text(field.name(), &ty, length, field.is_nullable(), default.as_deref(), comment))
        })
        .collect()
}

fn wanted_column(rule: &ColumnRule) -> String {
    let ty = match rule.data_type.vector {
        Some(vector) => vector.to_owned(),
        None => type_name(&rule.data_type.data_type),
    };
    let default = rule.default_value.as_ref().map(plain_text);
    let length = rule.column_length.to_string();
    column_text(&rule.name, &ty, &length, rule.nullable, default.as_deref(), rule.comment.as_deref())
}

fn plain_text(value: &seatun_api::config::Value) -> String {
    value.as_text().map_or_else(|| compact_text(value), str::to_owned)
}

fn column_text(
    name: &str,
    ty: &str,
    length: &str,
    nullable: bool,
    default: Option<&str>,
    comment: Option<&str>,
) -> String {
    let mut text = format!("{name} {ty}");
    if length != "0" {
        text.push_str(&format!(" length {length}"));
    }
    if !nullable {
        text.push_str(" not null");
    }
    if let Some(default) = default {
        text.push_str(&format!(" default `{default}`"));
    }
    if let Some(comment) = comment {
        text.push_str(&format!(" comment `{comment}`"));
    }
    text
}

fn constraint_keys(table: &TableSchema) -> Result<Vec<String>> {
    let Some(text) = table.arrow.metadata().get(CONSTRAINT_KEYS) else { return Ok(Vec::new()) };
    let keys: Vec<ConstraintKey> = serde_json::from_str(text).map_err(|error| {
        Error::internal(codes::CATALOG_TABLE, "a table's constraint keys are malformed").with_source(error)
    })?;
    Ok(keys
        .iter()
        .map(|key| {
            let columns = key.columns.iter().map(|column| (column.name.as_str(), column.sort));
            key_text(&key.name, key.kind, columns.collect())
        })
        .collect())
}

fn wanted_key(rule: &ConstraintKeyRule) -> String {
    let columns = rule
        .constraint_key_columns
        .iter()
        .map(|column| (column.constraint_key_column_name.as_str(), column.constraint_key_sort_type));
    key_text(&rule.constraint_key_name, rule.constraint_key_type, columns.collect())
}

fn key_text(name: &str, kind: ConstraintKind, columns: Vec<(&str, SortKind)>) -> String {
    let mut columns: Vec<String> =
        columns.into_iter().map(|(name, sort)| format!("{name} {sort:?}")).collect();
    columns.sort();
    format!("{name} {kind:?} ({})", columns.join(", "))
}
