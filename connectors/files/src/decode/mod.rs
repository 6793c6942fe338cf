//! The bytes of a file to Arrow columns.
//!
//! Formats of lines (text, csv, json) are decoded from a window of bytes: a [`LineDecoder`] takes whole
//! records off its start and gives a [`Chunk`], in which each record is either a row or a [`BadRow`].

pub mod bytes;
pub mod calendar;
pub mod column;
pub mod delimited;
pub mod flaw;
pub mod json;
mod json_node;
mod nested;
pub mod number;
pub mod parquet;
pub mod pattern;
pub mod records;
mod scan;
mod unpack;

use arrow_array::RecordBatch;
use seatun_api::{Error, Result};

/// A record that is no row of its table.
#[derive(Debug)]
pub struct BadRow {
    /// Where its text begins in the window.
    pub start: usize,
    /// Where its text ends.
    pub end: usize,
    /// Why.
    pub error: Error,
}

/// The records at the start of a window.
#[derive(Debug)]
pub struct Chunk {
    /// How many bytes of the window they take, with the ends of their lines.
    pub bytes: usize,
    /// The good ones.
    pub rows: RecordBatch,
    /// The others, in order.
    pub bad: Vec<BadRow>,
}

/// Decodes the records at the start of a window.
pub trait LineDecoder: Send {
    /// Takes at most `most` records. Unless `ended`, what has no end yet is left for later: a chunk of no
    /// bytes says that the window must grow.
    ///
    /// # Errors
    /// For failures that are not one row's.
    fn decode(&mut self, window: &[u8], ended: bool, most: usize) -> Result<Chunk>;
}
