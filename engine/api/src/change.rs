//! Kinds of change and what they mean.
//!
//! The contract, which every node keeps:
//! * `UpdateBefore` is a delete of the old image, `UpdateAfter` an upsert of the new one.
//! * Nobody may look at the neighbouring row: the two halves of an update may be apart, in two batches, or
//!   one of them may have been filtered away.
//! * A node that changes the key of a row or sends rows to subtasks by key gives a delete and an insert
//!   instead of a pair that would be torn.
//! * [`normalized`] has only inserts and deletes and leaves the same table behind.

use arrow_array::UInt8Array;

use crate::error::{Error, Result, codes};

/// What happened to a row. The numbers are those of SeaTunnel's `RowKind`, stored in a batch's `kinds`.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ChangeKind {
    /// A new row.
    Insert = 0,
    /// The row as it was before an update.
    UpdateBefore = 1,
    /// The row as it is after an update.
    UpdateAfter = 2,
    /// A row that is gone.
    Delete = 3,
}

impl ChangeKind {
    /// All kinds, by number.
    pub const ALL: [Self; 4] = [Self::Insert, Self::UpdateBefore, Self::UpdateAfter, Self::Delete];

    /// The kind of a number.
    ///
    /// # Errors
    /// Refuses numbers above 3.
    pub fn from_u8(number: u8) -> Result<Self> {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .ok_or_else(|| Error::internal(codes::INTERNAL, format!("{number} is not a change kind")))
    }

    /// `+I`, `-U`, `+U` or `-D`.
    #[must_use]
    pub fn short(self) -> &'static str {
        ["+I", "-U", "+U", "-D"][self as usize]
    }

    /// `INSERT`, `UPDATE_BEFORE`, `UPDATE_AFTER` or `DELETE`.
    #[must_use]
    pub fn full(self) -> &'static str {
        ["INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"][self as usize]
    }

    /// Reads either form, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.short().eq_ignore_ascii_case(text) || kind.full().eq_ignore_ascii_case(text))
    }

    /// Whether the row is removed: `UpdateBefore` and `Delete`.
    #[must_use]
    pub fn is_retraction(self) -> bool {
        matches!(self, Self::UpdateBefore | Self::Delete)
    }

    /// `Insert` or `Delete`, whichever leaves the same table.
    #[must_use]
    pub fn normalized(self) -> Self {
        if self.is_retraction() { Self::Delete } else { Self::Insert }
    }
}

/// Rewrites kinds so that only inserts and deletes remain.
#[must_use]
pub fn normalized(kinds: &UInt8Array) -> UInt8Array {
    kinds
        .values()
        .iter()
        .map(|&kind| {
            let retraction = kind == ChangeKind::UpdateBefore as u8 || kind == ChangeKind::Delete as u8;
            if retraction { ChangeKind::Delete as u8 } else { ChangeKind::Insert as u8 }
        })
        .collect::<Vec<u8>>()
        .into()
}
