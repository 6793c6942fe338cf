//! What several connectors need: schema blocks, type names, values in JSON form, the printed form of rows.
//!
//! [`types`] knows SeaTunnel's type names, [`schema`] the `schema { .. }` block of a source, [`json_value`]
//! how a value of a job file or a JSON text ([`json_parse`]) becomes a column's value, [`json_text`] the way
//! back, [`cell`] one value at a time, and
//! [`print`] how a row is shown to a person. Nothing here does I/O.

pub mod cell;
pub mod codes;
pub mod decimal;
pub mod json_parse;
pub mod json_text;
pub mod json_value;
pub mod print;
pub mod schema;
pub mod temporal;
pub mod types;

mod columns;
mod types_de;
