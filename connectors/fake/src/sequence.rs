//! Rows that prove themselves, for tests that kill the process: from the numbers of writer and row everything
//! else in the row can be computed again, so a reader of the result sees what was lost, doubled or torn.
//!
//! A split is a writer; its rows are numbered from 1 without a gap.

use crate::draw::Draw;

/// Shortest payload in bytes, unless `payload.max` is less.
pub const MIN_PAYLOAD: usize = 10;
/// `payload.max`, unless the job says otherwise, in bytes.
pub const DEFAULT_MAX_PAYLOAD: usize = 10 * 1024;

/// Name of the column with the number of the split, an `int`.
pub const WRITER: &str = "writer";
/// Name of the column with the number of the row in its split, from 1, a `bigint`.
pub const SEQ: &str = "seq";
/// Name of the column with the text, a `string`.
pub const PAYLOAD: &str = "payload";
/// Name of the column with the text's CRC-32C, a `bigint`.
pub const CRC: &str = "crc";

/// 64 characters: letters and digits, and the two that formats of text must quote.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,\"";
/// Keeps payloads apart from the columns drawn at random.
const KEY: u64 = 0x7365_6174_756e;

/// The text of a row. Its length is between [`MIN_PAYLOAD`] and `max` bytes, short ones being as frequent as
/// long ones on a logarithmic scale.
#[must_use]
pub fn payload(writer: i32, seq: i64, max: usize) -> String {
    let mut out = String::new();
    write_payload(&mut out, writer, seq, max);
    out
}

/// The `crc` column of a text.
#[must_use]
pub fn crc(payload: &str) -> i64 {
    i64::from(crc32c::crc32c(payload.as_bytes()))
}

pub(crate) fn write_payload(out: &mut String, writer: i32, seq: i64, max: usize) {
    let draw = Draw::new(KEY).child(u64::from(writer.cast_unsigned())).child(seq.cast_unsigned());
    let length = payload_length(draw.fraction(0), max);
    out.reserve(length);
    let end = out.len() + length;
    let mut index = 1;
    while out.len() < end {
        let mut bits = draw.at(index);
        index += 1;
        // Ten characters of six bits each in every number.
        for _ in 0..(end - out.len()).min(10) {
            out.push(char::from(ALPHABET[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
}

fn payload_length(fraction: f64, max: usize) -> usize {
    let least = MIN_PAYLOAD.min(max);
    let spread = (max as f64 / least.max(1) as f64).max(1.0);
    // A positive number of at most `max`.
    ((least as f64 * spread.powf(fraction)).round() as usize).clamp(least, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_a_function_of_writer_and_row() {
        assert_eq!(payload(3, 17, 1000), payload(3, 17, 1000));
        assert_ne!(payload(3, 17, 1000), payload(3, 18, 1000));
        assert_ne!(payload(3, 17, 1000), payload(4, 17, 1000));
        assert_eq!(crc("123456789"), 0xe306_9283);
    }

    #[test]
    fn payloads_are_short_and_long() {
        let lengths: Vec<usize> = (1..=2000).map(|seq| payload(0, seq, DEFAULT_MAX_PAYLOAD).len()).collect();
        let count =
            |range: std::ops::Range<usize>| lengths.iter().filter(|length| range.contains(length)).count();
        assert_eq!(count(10..10_241), 2000);
        assert!(count(10..100) > 400 && count(1000..10_241) > 400);
        assert!((1..50).all(|seq| payload(0, seq, 3).len() == 3));
        assert!((1..50).all(|seq| payload(0, seq, 0).is_empty()));
    }
}
