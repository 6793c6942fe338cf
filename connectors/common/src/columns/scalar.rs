//! Values without parts, and how they become numbers and instants.

use std::str::FromStr;

use chrono::NaiveDateTime;

use crate::decimal::{DecimalFault, parse_decimal};
use crate::json_value::Fault;

/// A value without parts.
pub(super) enum Scalar<'a> {
    Bool(bool),
    Number(&'a str),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
        }
    }

    /// The text of a number, or of a text that may hold one.
    pub fn digits(&self) -> Option<&'a str> {
        match self {
            Self::Bool(_) => None,
            Self::Number(text) | Self::Text(text) => Some(text.trim()),
        }
    }

    /// Whether an infinite number is what was written, and not what became of a great one.
    pub fn says_infinity(&self) -> bool {
        self.digits().is_some_and(|text| text.to_ascii_lowercase().contains("inf"))
    }
}

/// A whole number. `12.0` and `1.2e1` are whole.
pub(super) fn whole<T: FromStr + TryFrom<i128>>(scalar: &Scalar<'_>) -> Result<T, Fault> {
    let Some(text) = scalar.digits() else {
        return Err(Fault::mismatch(format!("expected a whole number, found {}", scalar.name())));
    };
    if let Ok(value) = text.strip_prefix('+').unwrap_or(text).parse() {
        return Ok(value);
    }
    match parse_decimal(text, 38, 0) {
        Ok(value) => T::try_from(value).map_err(|_| Fault::range("the number is outside the type's range")),
        Err(DecimalFault::TooManyDigits) => Err(Fault::range("the number is outside the type's range")),
        Err(DecimalFault::TooManyFractionDigits) => Err(Fault::range("the number is not whole")),
        Err(DecimalFault::NotANumber) => Err(Fault::mismatch("the text is not a number")),
    }
}

pub(super) fn float<T: FromStr>(scalar: &Scalar<'_>) -> Result<T, Fault> {
    let Some(text) = scalar.digits() else {
        return Err(Fault::mismatch(format!("expected a number, found {}", scalar.name())));
    };
    text.parse().map_err(|_| Fault::mismatch("the text is not a number"))
}

pub(super) fn decimal_fault(fault: DecimalFault) -> Fault {
    match fault {
        DecimalFault::NotANumber => Fault::mismatch("the text is not a number"),
        DecimalFault::TooManyDigits => Fault::range("the number has more digits than the type"),
        DecimalFault::TooManyFractionDigits => {
            Fault::range("the number has more digits after the point than the type; it is not rounded")
        }
    }
}

pub(super) fn not_in_form(what: &str) -> Fault {
    Fault::mismatch(format!("the text is not in a form of {what}"))
}

/// Microseconds since 1970-01-01T00:00:00.
pub(super) fn micros(timestamp: NaiveDateTime) -> Result<i64, Fault> {
    let timestamp = timestamp.and_utc();
    if !timestamp.timestamp_subsec_nanos().is_multiple_of(1000) {
        return Err(Fault::range("the timestamp has more than six digits of a second; it is not cut"));
    }
    Ok(timestamp.timestamp_micros())
}
