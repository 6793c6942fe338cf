//! Files of lines: CSV, text and JSON.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use seatun_api::Result;

use super::delimited::{self, Delimited};
use super::pack::Packer;
use super::scalar::{Patterns, plain};
use super::{Encoder, Refused, json};
use crate::sink::failure;
use crate::sink::target::Staged;

/// The form of a line.
#[derive(Clone, Debug)]
pub(crate) enum LineForm {
    Delimited(Delimited),
    Json(Patterns),
}

/// How much text is gathered before it is packed and written.
const CHUNK: usize = 1 << 20;

pub(super) struct LineEncoder {
    form: std::sync::Arc<LineForm>,
    packer: Packer,
    text: Vec<u8>,
}

impl LineEncoder {
    pub(super) fn new(form: std::sync::Arc<LineForm>, schema: &SchemaRef, packer: Packer) -> Self {
        let mut text = Vec::new();
        if let LineForm::Delimited(style) = form.as_ref()
            && style.header
        {
            style.append_header(schema, &mut text);
        }
        Self { form, packer, text }
    }

    fn write_text(&mut self) -> Result<()> {
        let written = self.packer.write(&self.text);
        self.text.clear();
        written.map_err(|error| failure::write(self.packer.staged().path(), error))
    }
}

impl Encoder for LineEncoder {
    fn write(&mut self, batch: &RecordBatch) -> Result<Vec<Refused>> {
        let columns: Vec<ArrayRef> = batch.columns().iter().map(plain).collect::<Result<_>>()?;
        let form = std::sync::Arc::clone(&self.form);
        let mut refused = Vec::new();
        match form.as_ref() {
            LineForm::Json(patterns) => {
                let lines = json::Lines::new(&columns, batch, patterns)?;
                for row in 0..batch.num_rows() {
                    let start = self.text.len();
                    match lines.append(row, &mut self.text) {
                        Ok(()) => self.text.push(b'\n'),
                        Err(why) => {
                            self.text.truncate(start);
                            refused.push(Refused { row, column: 0, why });
                        }
                    }
                    if self.text.len() >= CHUNK {
                        self.write_text()?;
                    }
                }
            }
            LineForm::Delimited(style) => {
                let lines = delimited::Lines::new(&columns, batch, style)?;
                for row in 0..batch.num_rows() {
                    let start = self.text.len();
                    match lines.append(row, &mut self.text) {
                        Ok(()) => self.text.extend_from_slice(&style.row_delimiter),
                        Err((column, why)) => {
                            self.text.truncate(start);
                            refused.push(Refused { row, column, why });
                        }
                    }
                    if self.text.len() >= CHUNK {
                        self.write_text()?;
                    }
                }
            }
        }
        Ok(refused)
    }

    fn size(&self) -> u64 {
        self.packer.staged().written() + self.text.len() as u64
    }

    fn buffered(&self) -> usize {
        self.text.capacity()
    }

    fn flush(&mut self) -> Result<()> {
        self.write_text()?;
        self.text.shrink_to(0);
        Ok(())
    }

    fn staged(&mut self) -> &mut dyn Staged {
        self.packer.staged_mut()
    }

    fn finish(mut self: Box<Self>) -> Result<Box<dyn Staged>> {
        self.write_text()?;
        let path = self.packer.staged().path().to_owned();
        self.packer.finish().map_err(|error| failure::write(&path, error))
    }
}
