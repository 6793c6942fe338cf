//! Rows that could not be decoded, transformed or written.

use bytes::Bytes;

use crate::error::Error;
use crate::position::PositionDelta;
use crate::table::TableId;

/// A row that a node gives up, with what is needed to find and replay it. It becomes a record of the
/// dead-letter sink in the same epoch as the good rows around it, or stops the job if there is none.
#[derive(Debug)]
pub struct Reject {
    /// The table the row belongs to, if that is known.
    pub table: Option<TableId>,
    /// The row as it came: the bytes of the file or message, or its JSON form if it had been decoded.
    pub raw: Bytes,
    /// Where it was read, if the node knows.
    pub origin: Option<PositionDelta>,
    /// Why it was given up. The text names columns and types, never values.
    pub error: Error,
}
