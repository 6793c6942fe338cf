//! Numbers as text, straight into a buffer.

use arrow_buffer::i256;

/// Appends a number of 64 bits.
pub(super) fn append_i64(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    append_u64(value.unsigned_abs(), out);
}

/// Appends a number without sign.
pub(super) fn append_u64(value: u64, out: &mut Vec<u8>) {
    append_padded(value, 1, out);
}

/// Appends a number with zeros in front up to a width of at most 20 digits.
pub(super) fn append_padded(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let mut buffer = [b'0'; 20];
    let mut start = buffer.len();
    while value > 0 {
        start -= 1;
        // invariant: a remainder by ten is one digit.
        buffer[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    let start = start.min(buffer.len() - width.min(buffer.len()));
    out.extend_from_slice(&buffer[start..]);
}

/// Appends a float so that reading it gives the same bits: `1.0`, `1e-7`, `NaN`, `Infinity`.
pub(super) fn append_f64(value: f64, out: &mut Vec<u8>) {
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else {
        append_debug(&value, out);
    }
}

/// As [`append_f64`], with no more digits than 32 bits need.
pub(super) fn append_f32(value: f32, out: &mut Vec<u8>) {
    if value.is_infinite() {
        append_f64(f64::from(value), out);
    } else {
        append_debug(&value, out);
    }
}

fn append_debug(value: &dyn std::fmt::Debug, out: &mut Vec<u8>) {
    use std::io::Write as _;
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{value:?}");
}

/// Appends a decimal with all digits of its scale: 150 with scale 2 is `1.50`.
pub(super) fn append_decimal(value: i128, scale: i8, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let value = value.unsigned_abs();
    match u64::try_from(value) {
        Ok(value) if (0..=18).contains(&scale) => append_short_decimal(value, scale.unsigned_abs(), out),
        _ => place_point(value.to_string(), scale, out),
    }
}

/// As [`append_decimal`], of 256 bits.
pub(super) fn append_decimal256(value: i256, scale: i8, out: &mut Vec<u8>) {
    let text = value.to_string();
    match text.strip_prefix('-') {
        Some(digits) => {
            out.push(b'-');
            place_point(digits.to_owned(), scale, out);
        }
        None => place_point(text, scale, out),
    }
}

fn append_short_decimal(value: u64, scale: u8, out: &mut Vec<u8>) {
    let one = 10_u64.pow(u32::from(scale));
    append_u64(value / one, out);
    if scale > 0 {
        out.push(b'.');
        append_padded(value % one, usize::from(scale), out);
    }
}

fn place_point(mut digits: String, scale: i8, out: &mut Vec<u8>) {
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        if digits != "0" {
            digits.extend(std::iter::repeat_n('0', places));
        }
        out.extend_from_slice(digits.as_bytes());
        return;
    }
    if digits.len() <= places {
        digits = format!("{digits:0>width$}", width = places + 1);
    }
    let (whole, fraction) = digits.split_at(digits.len() - places);
    out.extend_from_slice(whole.as_bytes());
    out.push(b'.');
    out.extend_from_slice(fraction.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(append: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        append(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whole_numbers() {
        for value in [0, 1, -1, 9, 10, 1234567890, i64::MAX, i64::MIN] {
            assert_eq!(text(|out| append_i64(value, out)), value.to_string());
        }
        assert_eq!(text(|out| append_u64(u64::MAX, out)), u64::MAX.to_string());
        assert_eq!(text(|out| append_padded(7, 3, out)), "007");
        assert_eq!(text(|out| append_padded(12345, 3, out)), "12345");
    }

    #[test]
    fn floats_read_back_to_the_same_bits() {
        for value in [0.0, -0.0, 1.0, 0.1, 1e300, 5e-324, f64::MAX, f64::INFINITY, f64::NEG_INFINITY] {
            let written = text(|out| append_f64(value, out));
            assert_eq!(written.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{written}");
        }
        assert_eq!(text(|out| append_f32(0.1, out)), "0.1");
        assert_eq!(text(|out| append_f64(f64::NAN, out)), "NaN");
    }

    #[test]
    fn decimals_keep_their_scale() {
        let cases = [
            (150, 2, "1.50"),
            (-5, 3, "-0.005"),
            (0, 2, "0.00"),
            (0, -2, "0"),
            (12, -2, "1200"),
            (7, 0, "7"),
            (i128::from(u64::MAX) * 1000, 20, "184.46744073709551615000"),
            (10_i128.pow(37), 38, "0.10000000000000000000000000000000000000"),
        ];
        for (value, scale, expected) in cases {
            assert_eq!(text(|out| append_decimal(value, scale, out)), expected);
            assert_eq!(text(|out| append_decimal256(i256::from_i128(value), scale, out)), expected);
        }
    }
}
