//! Prints rows as `subtaskIndex=0  rowIndex=1:  SeaTunnelRow#tableId=t SeaTunnelRow#kind=INSERT : v1, v2`.
//!
//! Rows are printed as they come and not held back for a checkpoint.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatun_api::{Batch, Epoch, Prepared, Result, SchemaChange, SinkOutput, TableSchema, Writer};
use seatun_connector_common::print::{write_escaped, write_row};
use seatun_connector_common::types::field_type_name;

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
                let _ = write!(lines, "<{}>", field_type_name(field).to_uppercase());
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
