//! What is wrong with a field, and with which rows of a chunk.

use std::fmt;

/// Why a field is no value of its column's type. Says nothing of the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Not a whole number.
    NotAnInteger,
    /// Not a number.
    NotANumber,
    /// A number beyond the type.
    OutOfRange,
    /// A decimal with more digits after the point than the type keeps.
    TooManyFractionDigits,
    /// Neither `true` nor `false`.
    NotABoolean,
    /// Not a date in the expected form, or no day of the calendar.
    NotADate,
    /// Not a time in the expected form.
    NotATime,
    /// Not a timestamp in the expected form.
    NotATimestamp,
    /// A timestamp without the offset that its type needs.
    NoOffset,
    /// More digits of a second than the type keeps.
    TooFine,
    /// Something where the type has nothing.
    NotNull,
    /// Null in a column, or as a key of a map, where none is allowed.
    Null,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnInteger => "not a whole number",
            Self::NotANumber => "not a number",
            Self::OutOfRange => "out of the type's range",
            Self::TooManyFractionDigits => "more digits after the point than the type keeps",
            Self::NotABoolean => "neither true nor false",
            Self::NotADate => "not a date of the expected form",
            Self::NotATime => "not a time of the expected form",
            Self::NotATimestamp => "not a timestamp of the expected form",
            Self::NoOffset => "a timestamp without an offset from UTC",
            Self::TooFine => "finer than the type keeps",
            Self::NotNull => "a value in a column of type null",
            Self::Null => "null where none is allowed",
        })
    }
}

/// A field that is no value of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlawAt {
    /// The number of the row in the chunk.
    pub row: usize,
    /// The number of the column in the file's columns.
    pub column: usize,
    /// What is wrong.
    pub flaw: Flaw,
}
