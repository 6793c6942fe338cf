//! Decimals from text, digit by digit: a number that would lose a digit is refused, never rounded.

/// Why a text is no decimal of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalFault {
    /// It is no number.
    NotANumber,
    /// It has more digits after the point than the type's scale, and they are not zeros.
    TooManyFractionDigits,
    /// It has more digits than the type's precision leaves room for.
    TooManyDigits,
}

/// The unscaled value of a decimal's text (`-12.50`, `1.5e3`) in a type of this precision (up to 38) and
/// scale (from 0).
///
/// # Errors
/// Says what the text has too much of.
pub fn parse_decimal(text: &str, precision: u8, scale: i8) -> Result<i128, DecimalFault> {
    let text = text.trim();
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => {
            let exponent: i32 = unsigned[at + 1..].parse().map_err(|_| DecimalFault::NotANumber)?;
            (&unsigned[..at], exponent)
        }
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return Err(DecimalFault::NotANumber);
    }
    // How many places the point stands right of where the type wants it: digits past it must be zeros.
    let fraction_digits = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let shift = i64::from(scale) + i64::from(exponent) - fraction_digits;
    let count = i64::try_from(whole.len() + fraction.len()).unwrap_or(i64::MAX);
    let kept = usize::try_from(count + shift.min(0)).unwrap_or(0);
    if digits().skip(kept).any(|digit| digit != b'0') {
        return Err(DecimalFault::TooManyFractionDigits);
    }
    let mut value: i128 = 0;
    for digit in digits().take(kept) {
        value = push_digit(value, digit - b'0')?;
    }
    // A zero stays zero however far it is shifted; another number leaves the loop by overflow.
    let mut zeros = shift.max(0);
    while zeros > 0 && value != 0 {
        value = push_digit(value, 0)?;
        zeros -= 1;
    }
    if value >= 10_i128.pow(u32::from(precision.min(38))) {
        return Err(DecimalFault::TooManyDigits);
    }
    Ok(if negative { -value } else { value })
}

fn push_digit(value: i128, digit: u8) -> Result<i128, DecimalFault> {
    value
        .checked_mul(10)
        .and_then(|value| value.checked_add(i128::from(digit)))
        .ok_or(DecimalFault::TooManyDigits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_every_digit_or_are_refused() {
        use DecimalFault::*;
        for (text, precision, scale, expected) in [
            ("12.5", 10, 2, Ok(1250)),
            (" -0.01 ", 10, 2, Ok(-1)),
            ("+7", 10, 2, Ok(700)),
            ("1.500", 10, 2, Ok(150)),
            ("1.505", 10, 2, Err(TooManyFractionDigits)),
            ("1.5e3", 10, 0, Ok(1500)),
            ("15E-1", 10, 1, Ok(15)),
            ("15e-2", 10, 1, Err(TooManyFractionDigits)),
            ("100e-2", 10, 0, Ok(1)),
            ("0e999999", 10, 2, Ok(0)),
            ("1e999999", 10, 2, Err(TooManyDigits)),
            ("1e-999999", 10, 2, Err(TooManyFractionDigits)),
            (".5", 10, 1, Ok(5)),
            ("5.", 10, 1, Ok(50)),
            ("99999999.99", 10, 2, Ok(9_999_999_999)),
            ("100000000.00", 10, 2, Err(TooManyDigits)),
            ("99999999999999999999999999999999999999", 38, 0, Ok(10_i128.pow(38) - 1)),
            ("100000000000000000000000000000000000000", 38, 0, Err(TooManyDigits)),
            ("", 10, 2, Err(NotANumber)),
            (".", 10, 2, Err(NotANumber)),
            ("-", 10, 2, Err(NotANumber)),
            ("1,5", 10, 2, Err(NotANumber)),
            ("--1", 10, 2, Err(NotANumber)),
            ("1e", 10, 2, Err(NotANumber)),
            ("NaN", 10, 2, Err(NotANumber)),
            ("\u{ff11}", 10, 2, Err(NotANumber)),
        ] {
            assert_eq!(parse_decimal(text, precision, scale), expected, "{text}");
        }
    }
}
