//! Amounts of bytes and of time as a job file spells them: a bare number, or a number with a unit.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};

/// A number of bytes: `1048576`, `"256 MiB"` (powers of 1024) or `"256 MB"` (powers of 1000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A length of time: a bare number of milliseconds, or `"30s"`, `"5 min"`, `"1h"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(pub Duration);

/// What a number with a unit is read into.
trait Amount: Sized {
    const EXPECTED: &'static str;
    /// Unit (lower case) and what one of it is worth; the empty unit is that of a bare number.
    const UNITS: &'static [(&'static str, u64)];

    fn of(count: u64) -> Self;
}

impl Amount for ByteSize {
    const EXPECTED: &'static str = "a number of bytes such as 1048576 or \"256 MiB\"";
    const UNITS: &'static [(&'static str, u64)] = &[
        ("", 1),
        ("b", 1),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("k", 1 << 10),
        ("m", 1 << 20),
        ("g", 1 << 30),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
    ];

    fn of(count: u64) -> Self {
        Self(count)
    }
}

impl Amount for TimeSpan {
    const EXPECTED: &'static str = "milliseconds such as 60000, or a time such as \"5 min\"";
    const UNITS: &'static [(&'static str, u64)] = &[
        ("", 1),
        ("ms", 1),
        ("s", 1_000),
        ("sec", 1_000),
        ("m", 60_000),
        ("min", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];

    fn of(count: u64) -> Self {
        Self(Duration::from_millis(count))
    }
}

fn parse<T: Amount>(text: &str) -> Option<T> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, worth) = T::UNITS.iter().find(|(name, _)| *name == unit)?;
    Some(T::of(digits.parse::<u64>().ok()?.checked_mul(*worth)?))
}

struct AmountVisitor<T>(PhantomData<T>);

impl<T: Amount> Visitor<'_> for AmountVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<T, E> {
        Ok(T::of(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<T, E> {
        u64::try_from(value).map(T::of).map_err(|_| E::custom(format!("expected {}", T::EXPECTED)))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        parse(text).ok_or_else(|| E::custom(format!("expected {}, found `{text}`", T::EXPECTED)))
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let span: Self = deserializer.deserialize_any(AmountVisitor(PhantomData))?;
        if span.0.is_zero() {
            return Err(D::Error::custom("a time of 0 is no interval"));
        }
        Ok(span)
    }
}

fn schema_of<T: Amount>() -> Schema {
    json_schema!({ "type": ["integer", "string"], "minimum": 0, "description": T::EXPECTED })
}

impl JsonSchema for ByteSize {
    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema_of::<Self>()
    }
}

impl JsonSchema for TimeSpan {
    fn schema_name() -> Cow<'static, str> {
        "TimeSpan".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema_of::<Self>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units_are_read() {
        for (text, bytes) in [("0", 0), ("17", 17), ("1 kb", 1000), ("1KiB", 1024), ("256 MiB", 256 << 20)] {
            assert_eq!(parse::<ByteSize>(text), Some(ByteSize(bytes)), "{text}");
        }
        for (text, ms) in [("1500", 1500), ("30s", 30_000), ("5 min", 300_000), ("1H", 3_600_000)] {
            assert_eq!(parse::<TimeSpan>(text), Some(TimeSpan(Duration::from_millis(ms))), "{text}");
        }
    }

    #[test]
    fn nonsense_is_no_amount() {
        for text in ["", "MiB", "1.5 MiB", "-1", "3 parsec", "99999999999999999999", "99999999999999 GiB"] {
            assert_eq!(parse::<ByteSize>(text), None, "{text}");
        }
    }
}
