//! Numbers from text: quick for the usual forms, exact for all. A number that does not fit its type is
//! refused, never wrapped or rounded.

use seatun_connector_common::decimal::{self, DecimalFault};

use super::flaw::Flaw;

/// A whole number, with a sign or without.
#[inline]
pub fn integer(text: &[u8]) -> Result<i64, Flaw> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(Flaw::NotAnInteger);
    }
    // 18 digits cannot overflow.
    if digits.len() <= 18 {
        let mut value = 0_i64;
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(Flaw::NotAnInteger);
            }
            value = value * 10 + i64::from(digit);
        }
        return Ok(if negative { -value } else { value });
    }
    long_integer(negative, digits)
}

#[cold]
fn long_integer(negative: bool, digits: &[u8]) -> Result<i64, Flaw> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Flaw::NotAnInteger);
    }
    let mut value = 0_i64;
    for &byte in digits {
        let digit = i64::from(byte - b'0');
        let next = value.checked_mul(10).and_then(|value| match negative {
            true => value.checked_sub(digit),
            false => value.checked_add(digit),
        });
        value = next.ok_or(Flaw::OutOfRange)?;
    }
    Ok(value)
}

/// A binary floating-point number, the nearest to the text; also `NaN` and `Infinity`.
#[inline]
pub fn float<T: std::str::FromStr + Copy + Into<f64>>(text: &[u8]) -> Result<T, Flaw> {
    let parsed: Option<T> = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    match parsed {
        Some(value) if value.into().is_infinite() && text.iter().any(u8::is_ascii_digit) => {
            Err(Flaw::OutOfRange)
        }
        Some(value) => Ok(value),
        None => Err(Flaw::NotANumber),
    }
}

/// A decimal type, ready for parsing.
#[derive(Clone, Copy, Debug)]
pub struct DecimalType {
    precision: u8,
    scale: i8,
    /// 10 to the power of the precision.
    limit: i128,
}

const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut n = 1;
    while n < 19 {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

impl DecimalType {
    /// A type of this precision, 1 to 38, and scale, 0 to 38.
    pub fn new(precision: u8, scale: i8) -> Self {
        Self { precision, scale, limit: 10_i128.pow(u32::from(precision.min(38))) }
    }

    /// The unscaled value of a text.
    #[inline]
    pub fn parse(&self, text: &[u8]) -> Result<i128, Flaw> {
        match self.parse_short(text) {
            Some(value) => Ok(value),
            None => self.parse_any(text),
        }
    }

    /// Digits and at most one point, few enough for 64 bits and for the scale.
    #[inline]
    fn parse_short(&self, text: &[u8]) -> Option<i128> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            digits => (false, digits),
        };
        if digits.is_empty() || digits.len() > 18 {
            return None;
        }
        let mut value = 0_i64;
        let mut point = None;
        for (place, &byte) in digits.iter().enumerate() {
            let digit = byte.wrapping_sub(b'0');
            if digit <= 9 {
                value = value * 10 + i64::from(digit);
            } else if byte == b'.' && point.is_none() {
                point = Some(place);
            } else {
                return None;
            }
        }
        let fraction = point.map_or(0, |place| digits.len() - place - 1);
        if point.is_some() && digits.len() == 1 {
            return None;
        }
        let missing = usize::try_from(self.scale).ok()?.checked_sub(fraction)?;
        let value = i128::from(value) * i128::from(*POWERS.get(missing)?);
        (value < self.limit).then_some(if negative { -value } else { value })
    }

    #[cold]
    fn parse_any(&self, text: &[u8]) -> Result<i128, Flaw> {
        let text = std::str::from_utf8(text).map_err(|_| Flaw::NotANumber)?;
        decimal::parse_decimal(text, self.precision, self.scale).map_err(|fault| match fault {
            DecimalFault::NotANumber => Flaw::NotANumber,
            DecimalFault::TooManyFractionDigits => Flaw::TooManyFractionDigits,
            DecimalFault::TooManyDigits => Flaw::OutOfRange,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_fit_or_are_refused() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("-7", Ok(-7)),
            ("+7", Ok(7)),
            ("0000000000000000000000042", Ok(42)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("-9223372036854775808", Ok(i64::MIN)),
            ("9223372036854775808", Err(Flaw::OutOfRange)),
            ("", Err(Flaw::NotAnInteger)),
            ("-", Err(Flaw::NotAnInteger)),
            ("1.0", Err(Flaw::NotAnInteger)),
            ("1e3", Err(Flaw::NotAnInteger)),
            ("12345678901234567890x", Err(Flaw::NotAnInteger)),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn the_quick_way_and_the_long_way_to_a_decimal_agree() {
        let texts = [
            "0",
            "1",
            "-1",
            "1.5",
            "-1.50",
            "1.500",
            "1.505",
            ".5",
            "5.",
            ".",
            "-",
            "-.5",
            "+1.5",
            "1e2",
            "1..5",
            "99999999.99",
            "100000000.00",
            "123456789012345678",
            "1234567890123456789",
            "12 ",
            "1,5",
            "--1",
            "99999999999999999999999999999999999999",
            "-0.00",
        ];
        for (precision, scale) in [(10, 2), (38, 18), (3, 0), (18, 18), (38, 38)] {
            let decimal = DecimalType::new(precision, scale);
            for text in texts {
                assert_eq!(
                    decimal.parse(text.as_bytes()),
                    decimal.parse_any(text.as_bytes()),
                    "{text} as decimal({precision}, {scale})"
                );
            }
        }
        let decimal = DecimalType::new(10, 2);
        assert_eq!(decimal.parse(b"12.5"), Ok(1250));
        assert_eq!(decimal.parse(b"12.505"), Err(Flaw::TooManyFractionDigits));
        assert_eq!(decimal.parse(b"100000000"), Err(Flaw::OutOfRange));
    }
}
