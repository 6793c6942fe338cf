//! The rows of the kill tests that begin as files. A row holds the number of its file (writer), its number
//! there from 1 (seq), a payload that is a function of both, and the payload's CRC-32C, as FakeSource's rows
//! with `sequence = true` do; `tests/verify.py` knows the same function and shares no code with this.

use std::fmt::Write as _;
use std::path::Path;

const ODD: [&str; 7] = ["", ",", "\"", "\n", "ü", "東", "'"];

fn payload(writer: u64, seq: u64) -> String {
    let odd = ODD[usize::try_from(seq % 7).expect("below 7")];
    let piece = format!("w{writer}-{:08x}{odd}", seq.wrapping_mul(2_654_435_761) % (1 << 32));
    piece.repeat(1 + usize::try_from(seq % 5).expect("below 5"))
}

/// CRC-32C bit by bit: slow and plain.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

/// One row as CSV, with its line end.
pub fn csv_row(writer: u64, seq: u64) -> String {
    let payload = payload(writer, seq);
    format!("{writer},{seq},\"{}\",{}\n", payload.replace('"', "\"\""), crc32c(payload.as_bytes()))
}

/// A CSV file of the rows of one writer, without header.
pub fn write_csv(path: &Path, writer: u64, rows: u64) {
    let mut text = String::new();
    for seq in 1..=rows {
        text.write_str(&csv_row(writer, seq)).expect("a string takes all");
    }
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

#[test]
fn the_checksum_is_that_of_the_standard() {
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}
