//! Arrow columns to the bytes of a file.
//!
//! An [`Encoding`] is chosen once from the options; it opens an [`Encoder`] for each file. Encoders write
//! while rows come and hold at most one row group (Parquet) or one chunk of text in memory.

mod delimited;
mod digits;
mod json;
mod lines;
mod nested;
mod pack;
mod parquet;
mod pattern;
mod scalar;

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use seatun_api::error::codes;
use seatun_api::{Error, Result};

pub(crate) use self::delimited::{Delimited, Quotes};
pub(crate) use self::json::row_as_json;
pub(crate) use self::lines::LineForm;
pub(crate) use self::parquet::RowGroups;
pub(crate) use self::pattern::{Moment, Pattern};
pub(crate) use self::scalar::{Patterns, Unwritable};
use crate::config::{CompressCodec, FileFormat};
use crate::sink::failure;
use crate::sink::target::Staged;

/// A row of a batch that the format cannot hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    /// The row of the batch that was written.
    pub(crate) row: usize,
    /// The column whose value is the cause.
    pub(crate) column: usize,
    /// Why.
    pub(crate) why: Unwritable,
}

/// Writes the rows of one file.
pub(crate) trait Encoder: Send {
    /// Takes rows of the file's schema; gives those that the format cannot hold.
    fn write(&mut self, batch: &RecordBatch) -> Result<Vec<Refused>>;

    /// Bytes of the file so far, with an estimate for what is in memory.
    fn size(&self) -> u64;

    /// Bytes of memory that wait to be written.
    fn buffered(&self) -> usize;

    /// Writes out what waits in memory.
    fn flush(&mut self) -> Result<()>;

    /// What is written to.
    fn staged(&mut self) -> &mut dyn Staged;

    /// Ends the file: its bytes are complete, not yet durable.
    fn finish(self: Box<Self>) -> Result<Box<dyn Staged>>;
}

/// What the files of a sink are made of.
#[derive(Clone, Debug)]
pub(crate) struct Encoding {
    pub(crate) format: FileFormat,
    pub(crate) form: Form,
    pub(crate) codec: CompressCodec,
    /// The codec's own scale of levels; of no meaning where a codec has none.
    pub(crate) level: i32,
}

/// The part of an encoding that differs by the kind of format.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Lines(Arc<LineForm>),
    Parquet(RowGroups),
}

impl Encoding {
    /// Opens a file of a schema.
    pub(crate) fn open(&self, schema: &SchemaRef, out: Box<dyn Staged>) -> Result<Box<dyn Encoder>> {
        Ok(match &self.form {
            Form::Parquet(groups) => {
                let properties = parquet::properties(*groups, self.codec, self.level)?;
                Box::new(parquet::ParquetEncoder::new(schema, properties, out)?)
            }
            Form::Lines(form) => {
                let path = out.path().to_owned();
                let packer = pack::Packer::new(self.codec, self.level, out)
                    .map_err(|error| failure::write(&path, error))?;
                Box::new(lines::LineEncoder::new(Arc::clone(form), schema, packer))
            }
        })
    }

    /// Whether the format can hold a column of this type.
    pub(crate) fn holds(&self, data_type: &DataType) -> bool {
        match &self.form {
            Form::Parquet(_) => parquet::holds(data_type),
            Form::Lines(form) => match form.as_ref() {
                LineForm::Delimited(_) => delimited::holds(data_type),
                LineForm::Json(_) => json::holds(data_type),
            },
        }
    }

    /// The end of a file's name, with its first dot: `.zstd.parquet`, `.csv.gz`. `own` replaces the
    /// format's own extension.
    pub(crate) fn extension(&self, own: Option<&str>) -> String {
        let own = own.map(|extension| extension.trim_start_matches('.'));
        let plain = match (own, self.format) {
            (Some(own), _) => own,
            (None, FileFormat::Text) => "txt",
            (None, other) => other.name(),
        };
        match (&self.form, self.codec) {
            (_, CompressCodec::None) => format!(".{plain}"),
            (Form::Parquet(_), codec) => format!(".{}.{plain}", codec.name()),
            (Form::Lines(_), CompressCodec::Gzip) => format!(".{plain}.gz"),
            (Form::Lines(_), _) => format!(".{plain}.zst"),
        }
    }
}

/// JSON lines in ISO forms.
///
/// # Errors
/// Never in practice: the patterns are constants.
pub(crate) fn json_form() -> Result<LineForm> {
    json::iso_patterns().map(LineForm::Json).map_err(internal)
}

/// The texts of a column's values as they stand in folder names; null where the value is null.
///
/// # Errors
/// Refuses a type that is not a single value.
pub(crate) fn texts(
    array: &ArrayRef,
    patterns: &Patterns,
) -> Result<Vec<Option<Result<String, Unwritable>>>> {
    use arrow_array::Array;

    let array = scalar::plain(array)?;
    if matches!(array.data_type(), DataType::Null) {
        return Ok(vec![None; array.len()]);
    }
    let render = scalar::scalar(&array, patterns)
        .ok_or_else(|| internal(format!("{} is not a single value", array.data_type())))?;
    Ok((0..array.len())
        .map(|row| {
            (!array.is_null(row)).then(|| {
                let mut text = Vec::new();
                render.append(row, &mut text)?;
                String::from_utf8(text).map_err(|_| Unwritable::NotText)
            })
        })
        .collect())
}

/// Whether a type is a single value that has a text, so that it can name a folder.
pub(crate) fn has_text(data_type: &DataType) -> bool {
    scalar::is_scalar(data_type)
}

fn internal(message: String) -> Error {
    Error::internal(codes::INTERNAL, message)
}
