//! Prints rows as `subtaskIndex=0  rowIndex=1:  SeaTunnelRow#tableId=t SeaTunnelRow#kind=INSERT : v1, v2`.
//!
//! Rows are printed as they come and not held back for a checkpoint.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use arrow_schema::DataType;
use async_trait::async_trait;
use seatun_api::table::NATIVE_TYPE;
use seatun_api::{Batch, Epoch, Prepared, Result, SchemaChange, SinkOutput, TableSchema, Writer};
use seatun_connector_common::print::{write_escaped, write_row};
use seatun_connector_common::types::{type_name, vector_name};

use crate::sink::Terminal;

/// Lines are gathered up to about so many bytes before they are printed.
const CHUNK_BYTES: usize = 64 * 1024;

pub(crate) struct ConsoleWriter {
    subtask: u32,
    /// `None` if rows are only counted.
    terminal: Option<Terminal>,
    delay: Duration,
    rows: u64,
    /// Bytes printed since the last epoch.
    bytes: u64,
}

impl ConsoleWriter {
    pub fn new(subtask: u32, terminal: Option<Terminal>, delay: Duration) -> Self {
        Self { subtask, terminal, delay, rows: 0, bytes: 0 }
    }

    /// Prints the columns of tables, one line a table: `output rowType: id<BIGINT>, name<STRING>`.
    pub async fn print_columns(&self, tables: &[Arc<TableSchema>]) -> Result<()> {
        let Some(terminal) = &self.terminal else { return Ok(()) };
        let mut lines = String::new();
        for table in tables {
            lines.push_str("output rowType: ");
            for (index, field) in table.arrow.fields().iter().enumerate() {
                lines.push_str(if index == 0 { "" } else { ", " });
                write_escaped(&mut lines, field.name());
                lines.push('<');
                match field.metadata().get(NATIVE_TYPE).and_then(|native| vector_name(native)) {
                    Some(vector) => lines.push_str(&vector.to_uppercase()),
                    None => write_type(&mut lines, field.data_type()),
                }
                lines.push('>');
            }
            lines.push('\n');
        }
        terminal.print(lines).await
    }

    fn write_line(&mut self, lines: &mut String, batch: &Batch, row: usize) {
        self.rows += 1;
        let (subtask, number, kind) = (self.subtask, self.rows, batch.kind(row).full());
        let _ = write!(lines, "subtaskIndex={subtask}  rowIndex={number}:  SeaTunnelRow#tableId=");
        write_escaped(lines, &batch.table().id.to_string());
        let _ = write!(lines, " SeaTunnelRow#kind={kind} : ");
        write_row(lines, batch.rows(), row);
        lines.push('\n');
    }
}

/// A type as SeaTunnel shows it: `MAP<STRING, ROW<a INT>>`.
fn write_type(out: &mut String, data_type: &DataType) {
    match data_type {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            out.push_str("ARRAY<");
            write_type(out, item.data_type());
            out.push('>');
        }
        DataType::Map(entries, _) => {
            out.push_str("MAP<");
            if let DataType::Struct(pair) = entries.data_type() {
                for (index, field) in pair.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    write_type(out, field.data_type());
                }
            }
            out.push('>');
        }
        DataType::Struct(fields) => {
            out.push_str("ROW<");
            for (index, field) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_escaped(out, field.name());
                out.push(' ');
                write_type(out, field.data_type());
            }
            out.push('>');
        }
        other => out.push_str(&type_name(other).to_uppercase()),
    }
}

#[async_trait]
impl Writer for ConsoleWriter {
    async fn write(&mut self, batch: Batch, _: &mut dyn SinkOutput) -> Result<()> {
        let Some(terminal) = self.terminal.clone() else {
            self.rows += batch.num_rows() as u64;
            return Ok(());
        };
        let mut lines = String::new();
        for row in 0..batch.num_rows() {
            self.write_line(&mut lines, &batch, row);
            if lines.len() >= CHUNK_BYTES || !self.delay.is_zero() {
                self.bytes += lines.len() as u64;
                terminal.print(std::mem::take(&mut lines)).await?;
                tokio::time::sleep(self.delay).await;
            }
        }
        self.bytes += lines.len() as u64;
        terminal.print(lines).await
    }

    async fn prepare(&mut self, _: Epoch, _: &mut dyn SinkOutput) -> Result<Prepared> {
        Ok(Prepared { bytes: std::mem::take(&mut self.bytes), ..Prepared::default() })
    }

    async fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<()> {
        if self.subtask > 0 {
            return Ok(());
        }
        self.print_columns(std::slice::from_ref(&change.after)).await
    }
}
