//! Dates and times by the patterns of SeaTunnel's format options, which are those of Java's
//! `DateTimeFormatter`: `yyyy-MM-dd HH:mm:ss.SSS`, with `'text'` in quotes.

use super::digits::append_padded;

/// A date and a time of day, in UTC where they name a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    year: i64,
    month: u8,
    day: u8,
    nanos_of_day: u64,
    zoned: bool,
}

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

impl Moment {
    /// Midnight of a day, counted from 1970-01-01.
    pub(crate) fn of_days(days: i64) -> Self {
        let (year, month, day) = civil_from_days(days);
        Self { year, month, day, nanos_of_day: 0, zoned: false }
    }

    /// A time of day without date.
    pub(crate) fn of_nanos(nanos_of_day: u64) -> Self {
        Self { nanos_of_day, ..Self::of_days(0) }
    }

    /// A number of units since 1970-01-01T00:00:00, of which `units_per_second` make a second.
    pub(crate) fn of_timestamp(value: i64, units_per_second: u32, zoned: bool) -> Self {
        let units_per_day = i64::from(units_per_second) * SECONDS_PER_DAY as i64;
        let nanos_per_unit = NANOS_PER_SECOND / u64::from(units_per_second);
        let of_day = value.rem_euclid(units_per_day).unsigned_abs();
        Self {
            nanos_of_day: of_day * nanos_per_unit,
            zoned,
            ..Self::of_days(value.div_euclid(units_per_day))
        }
    }

    fn seconds_of_day(self) -> u64 {
        self.nanos_of_day / NANOS_PER_SECOND
    }
}

/// The day of the proleptic Gregorian calendar, counting in eras of 400 years from 0000-03-01, so that
/// the leap day is the last day of a year.
fn civil_from_days(days: i64) -> (i64, u8, u8) {
    const DAYS_PER_ERA: i64 = 146_097;
    let days = days + 719_468;
    let era = days.div_euclid(DAYS_PER_ERA);
    let of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // invariant: month is 1 to 12 and day 1 to 31 by construction.
    (year, month as u8, day as u8)
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Literal(Vec<u8>),
    Year(usize),
    YearOfCentury,
    Month(usize),
    Day(usize),
    Hour(usize),
    Minute(usize),
    Second(usize),
    /// So many digits of the second's fraction, cut off.
    Fraction(usize),
    /// A point and the digits that are not zero, or nothing.
    FractionIfAny,
    /// `Z` for a moment, nothing for a wall clock.
    ZoneIfAny,
    /// This text for a moment, nothing for a wall clock.
    Zone(&'static [u8]),
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Item>);

impl Pattern {
    /// What is written where the job gives no format: nothing is lost, since a fraction and the zone are
    /// written where a value has them, and a value without them has SeaTunnel's default form.
    pub(crate) fn lossless(pattern: &str) -> Result<Self, String> {
        let mut items = Self::parse(pattern)?.0;
        items.extend([Item::FractionIfAny, Item::ZoneIfAny]);
        Ok(Self(items))
    }

    /// Compiles a pattern; the text of the error says what is wrong with it.
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let taken = match first {
                '\'' => quoted(rest, &mut items)?,
                c if c.is_ascii_alphabetic() => {
                    let count = rest.chars().take_while(|other| *other == c).count();
                    items.push(field(c, count)?);
                    count
                }
                c => {
                    literal(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut items);
                    c.len_utf8()
                }
            };
            rest = &rest[taken..];
        }
        Ok(Self(items))
    }

    /// Appends a value's text.
    pub(crate) fn append(&self, moment: Moment, out: &mut Vec<u8>) {
        let seconds = moment.seconds_of_day();
        let nanos = moment.nanos_of_day % NANOS_PER_SECOND;
        for item in &self.0 {
            match item {
                Item::Literal(text) => out.extend_from_slice(text),
                Item::Year(width) => {
                    if moment.year < 0 {
                        out.push(b'-');
                    }
                    append_padded(moment.year.unsigned_abs(), *width, out);
                }
                Item::YearOfCentury => append_padded(moment.year.rem_euclid(100).unsigned_abs(), 2, out),
                Item::Month(width) => append_padded(u64::from(moment.month), *width, out),
                Item::Day(width) => append_padded(u64::from(moment.day), *width, out),
                Item::Hour(width) => append_padded(seconds / 3_600, *width, out),
                Item::Minute(width) => append_padded(seconds / 60 % 60, *width, out),
                Item::Second(width) => append_padded(seconds % 60, *width, out),
                Item::Fraction(digits) => {
                    let start = out.len();
                    append_padded(nanos, 9, out);
                    out.truncate(start + digits);
                }
                Item::FractionIfAny if nanos > 0 => {
                    out.push(b'.');
                    append_padded(nanos, 9, out);
                    while out.last() == Some(&b'0') {
                        out.pop();
                    }
                }
                Item::ZoneIfAny if moment.zoned => out.push(b'Z'),
                Item::Zone(text) if moment.zoned => out.extend_from_slice(text),
                Item::FractionIfAny | Item::ZoneIfAny | Item::Zone(_) => {}
            }
        }
    }
}

fn literal(text: &[u8], items: &mut Vec<Item>) {
    match items.last_mut() {
        Some(Item::Literal(before)) => before.extend_from_slice(text),
        _ => items.push(Item::Literal(text.to_vec())),
    }
}

/// Reads `'text'`, where `''` is one quote; gives the bytes taken.
fn quoted(rest: &str, items: &mut Vec<Item>) -> Result<usize, String> {
    let end = rest[1..].find('\'').ok_or("a quote is not closed")? + 1;
    let text = if end == 1 { "'" } else { &rest[1..end] };
    literal(text.as_bytes(), items);
    Ok(end + 1)
}

fn field(letter: char, count: usize) -> Result<Item, String> {
    Ok(match (letter, count) {
        ('y' | 'u', 2) => Item::YearOfCentury,
        ('y' | 'u', 1 | 4) => Item::Year(count),
        ('M', 1 | 2) => Item::Month(count),
        ('d', 1 | 2) => Item::Day(count),
        ('H', 1 | 2) => Item::Hour(count),
        ('m', 1 | 2) => Item::Minute(count),
        ('s', 1 | 2) => Item::Second(count),
        ('S', 1..=9) => Item::Fraction(count),
        ('X', 1..=3) => Item::Zone(b"Z"),
        ('x', 1) => Item::Zone(b"+00"),
        ('x', 2) | ('Z', 1) => Item::Zone(b"+0000"),
        ('x', 3) => Item::Zone(b"+00:00"),
        _ => {
            let letters: String = std::iter::repeat_n(letter, count).collect();
            return Err(format!("`{letters}` is not a part of a date that can be written"));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(pattern: &Pattern, moment: Moment) -> String {
        let mut out = Vec::new();
        pattern.append(moment, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let date = Pattern::parse("yyyy-MM-dd").unwrap();
        let cases = [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782, "2024-02-29"),
            (19_783, "2024-03-01"),
            (11_016, "2000-02-29"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "10000-01-01"),
        ];
        for (days, text) in cases {
            assert_eq!(show(&date, Moment::of_days(days)), text);
        }
    }

    #[test]
    fn patterns_are_those_of_java() {
        let moment = Moment::of_timestamp(1_706_704_509_012_345, 1_000_000, false);
        let cases = [
            ("yyyy-MM-dd HH:mm:ss", "2024-01-31 12:35:09"),
            ("yyyy/M/d H:m:s", "2024/1/31 12:35:9"),
            ("yyyyMMddHHmmss", "20240131123509"),
            ("yyyy-MM-dd'T'HH:mm:ss.SSS", "2024-01-31T12:35:09.012"),
            ("ss.SSSSSS", "09.012345"),
            ("yy年MM月''dd", "24年01月'31"),
        ];
        for (pattern, text) in cases {
            assert_eq!(show(&Pattern::parse(pattern).unwrap(), moment), text);
        }
        for wrong in ["EEE", "yyy", "MMM", "hh a", "'open", "SSSSSSSSSS"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_default_loses_nothing() {
        let pattern = Pattern::lossless("yyyy-MM-dd HH:mm:ss").unwrap();
        assert_eq!(show(&pattern, Moment::of_timestamp(0, 1, false)), "1970-01-01 00:00:00");
        assert_eq!(show(&pattern, Moment::of_timestamp(-1, 1_000, false)), "1969-12-31 23:59:59.999");
        assert_eq!(show(&pattern, Moment::of_timestamp(1_500, 1_000, true)), "1970-01-01 00:00:01.5Z");
        assert_eq!(
            show(&pattern, Moment::of_timestamp(i64::MAX, 1_000_000_000, true)),
            "2262-04-11 23:47:16.854775807Z"
        );
        let extreme = show(&pattern, Moment::of_timestamp(i64::MIN, 1_000_000, false));
        assert_eq!(extreme, "-290308-12-21 19:59:05.224192");
        let time = Pattern::lossless("HH:mm:ss").unwrap();
        assert_eq!(show(&time, Moment::of_nanos(86_399_000_000_001)), "23:59:59.000000001");
    }
}
