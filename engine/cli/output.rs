//! What goes to stdout, and how numbers are spelled for people.

use std::io::{self, Write};

/// Writes a text to stdout. A reader that has gone away (`seatun plan | head`) is no failure.
pub fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Writes a text to stderr.
pub fn report(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes with a unit of 1024: `1.5 MiB`.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Rows in a second, without a unit.
#[must_use]
pub fn rate(rows: u64, seconds: f64) -> String {
    if seconds <= 0.0 {
        return "-".to_owned();
    }
    grouped((rows as f64 / seconds) as u64)
}

/// Where a column's cells stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Lines of cells, padded to columns, two spaces apart. The first line is the header.
#[must_use]
pub fn columns(rows: &[Vec<String>], aligns: &[Align]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..aligns.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, align), width) in row.iter().zip(aligns).zip(&widths) {
            let padding = " ".repeat(width - cell.chars().count());
            let (before, after) = if *align == Align::Left { ("", &*padding) } else { (&*padding, "") };
            line.push_str(&format!("{before}{cell}{after}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_for_people() {
        let numbers: Vec<String> = [0, 999, 1000, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
        let sizes: Vec<String> = [0, 1023, 1536, 5 << 30].into_iter().map(bytes).collect();
        assert_eq!(sizes, ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
        assert_eq!((rate(10, 0.0).as_str(), rate(3000, 2.0).as_str()), ("-", "1,500"));
    }

    #[test]
    fn cells_stand_in_columns() {
        let rows = [vec!["node".into(), "rows".into()], vec!["a".into(), "12".into()]];
        assert_eq!(columns(&rows, &[Align::Left, Align::Right]), "node  rows\na       12\n");
    }
}
