//! Splits and positions: what a source can be read by, and how far it has been read.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::versioned::Versioned;

/// Names a split of a source; stable over restarts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SplitId(pub Arc<str>);

impl SplitId {
    /// A split's name.
    pub fn new(id: impl AsRef<str>) -> Self {
        Self(Arc::from(id.as_ref()))
    }
}

impl fmt::Display for SplitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place inside a split, between two rows. Positions of one split sort as strings in reading order and
/// name the same place after a replay; what they mean is the connector's affair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub Arc<str>);

impl Position {
    /// A position as the connector spells it.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
    }

    /// A number, padded with zeros to 20 digits so that it sorts.
    #[must_use]
    pub fn from_u64(value: u64) -> Self {
        Self(Arc::from(format!("{value:020}")))
    }

    /// The number of a position made by [`Position::from_u64`].
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The half-open range `(from, to]` of a split that some rows were read from. `from` is the `to` of the
/// rows before, or the split's start position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionDelta {
    /// The split that was read.
    pub split: SplitId,
    /// Where the rows before ended. `None` if the split had not been read from yet.
    pub from: Option<Position>,
    /// Where these rows end: reading on from here gives the row after them.
    pub to: Position,
}

/// A part of a source that is read in order by one reader: a file range, a partition, a key range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Its name.
    pub id: SplitId,
    /// Where to read on; `None` at its beginning.
    pub position: Option<Position>,
    /// What the connector needs to read it: path and range, topic and partition. Never changes.
    pub state: Versioned,
}
