//! Dates and times from text.
//!
//! Without a format option the usual forms are read quickly and SeaTunnel's other forms by way of
//! `seatun-connector-common`; a value then says itself which form it has. With a format option only that
//! form is right. A value finer than its type keeps is refused.

use chrono::NaiveDateTime;
use seatun_connector_common::temporal;

use super::flaw::Flaw;
use super::pattern::{Parts, Pattern};

/// The forms of one table's dates, timestamps and times.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forms {
    /// Of dates; `None` for the usual ones.
    pub date: Option<Pattern>,
    /// Of timestamps.
    pub datetime: Option<Pattern>,
    /// Of times.
    pub time: Option<Pattern>,
}

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Forms {
    /// Days since 1970-01-01.
    #[inline]
    pub fn date(&self, text: &[u8]) -> Result<i32, Flaw> {
        let days = match &self.date {
            None => match usual_date(text) {
                Some(days) => Some(i64::from(days)),
                None => str_of(text).and_then(temporal::parse_date).map(i64::from),
            },
            Some(pattern) => pattern.parse(text).and_then(|parts| days_of(&parts)),
        };
        days.and_then(|days| i32::try_from(days).ok()).ok_or(Flaw::NotADate)
    }

    /// Nanoseconds since midnight.
    #[inline]
    pub fn time(&self, text: &[u8]) -> Result<i64, Flaw> {
        let nanos = match &self.time {
            None => match usual_time(text) {
                Some(nanos) => Some(nanos),
                None => str_of(text).and_then(temporal::parse_time),
            },
            Some(pattern) => pattern.parse(text).map(|parts| parts.nanos_of_day()),
        };
        nanos.ok_or(Flaw::NotATime)
    }

    /// Microseconds since 1970-01-01T00:00:00 on the same wall clock.
    #[inline]
    pub fn timestamp(&self, text: &[u8]) -> Result<i64, Flaw> {
        match &self.datetime {
            None => match usual_timestamp(text) {
                Some(micros) => Ok(micros),
                None => {
                    let parsed = str_of(text).and_then(temporal::parse_timestamp);
                    micros_of(parsed.ok_or(Flaw::NotATimestamp)?)
                }
            },
            Some(pattern) => micros_of_parts(&pattern.parse(text).ok_or(Flaw::NotATimestamp)?),
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z of a timestamp with its offset.
    pub fn timestamp_tz(&self, text: &[u8]) -> Result<i64, Flaw> {
        if let Some(pattern) = &self.datetime {
            let parts = pattern.parse(text).ok_or(Flaw::NotATimestamp)?;
            let offset = parts.offset_seconds.ok_or(Flaw::NoOffset)?;
            return Ok(micros_of_parts(&parts)? - i64::from(offset) * MICROS_PER_SECOND);
        }
        let text = str_of(text).ok_or(Flaw::NotATimestamp)?;
        match temporal::parse_timestamp_tz(text) {
            Some(instant) => micros_of(instant),
            None if temporal::parse_timestamp(text).is_some() => Err(Flaw::NoOffset),
            None => Err(Flaw::NotATimestamp),
        }
    }
}

fn str_of(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok()
}

fn micros_of(moment: NaiveDateTime) -> Result<i64, Flaw> {
    let moment = moment.and_utc();
    match moment.timestamp_subsec_nanos() % 1000 {
        0 => Ok(moment.timestamp_micros()),
        _ => Err(Flaw::TooFine),
    }
}

fn days_of(parts: &Parts) -> Option<i64> {
    days_from_civil(parts.year, parts.month, parts.day).map(i64::from)
}

fn micros_of_parts(parts: &Parts) -> Result<i64, Flaw> {
    let days = days_of(parts).ok_or(Flaw::NotATimestamp)?;
    let nanos = parts.nanos_of_day();
    if nanos % 1000 != 0 {
        return Err(Flaw::TooFine);
    }
    Ok(days * SECONDS_PER_DAY * MICROS_PER_SECOND + nanos / 1000)
}

/// The days from 1970-01-01 to a day of the proleptic Gregorian calendar, if there is such a day. Counts
/// from 0000-03-01 so that the leap day is the last of a year.
pub fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    // invariant: below 366, so it fits.
    let day_of_year = ((153 * from_march + 2) / 5 + day - 1) as i32;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[inline]
fn two(text: &[u8], at: usize) -> Option<u32> {
    let (a, b) = (text.get(at)?.wrapping_sub(b'0'), text.get(at + 1)?.wrapping_sub(b'0'));
    (a <= 9 && b <= 9).then(|| u32::from(a) * 10 + u32::from(b))
}

/// `yyyy-MM-dd`.
#[inline]
fn usual_date(text: &[u8]) -> Option<i32> {
    if text.len() != 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = two(text, 0)? * 100 + two(text, 2)?;
    days_from_civil(i32::try_from(year).ok()?, two(text, 5)?, two(text, 8)?)
}

/// `HH:mm:ss`, with up to nine digits of a second after a point.
#[inline]
fn usual_time(text: &[u8]) -> Option<i64> {
    if text.len() < 8 || text[2] != b':' || text[5] != b':' {
        return None;
    }
    let (hour, minute, second) = (two(text, 0)?, two(text, 3)?, two(text, 6)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = match &text[8..] {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            let mut value = 0_i64;
            for &byte in digits {
                let digit = byte.wrapping_sub(b'0');
                if digit > 9 {
                    return None;
                }
                value = value * 10 + i64::from(digit);
            }
            (digits.len()..9).fold(value, |value, _| value * 10)
        }
        _ => return None,
    };
    Some((i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * NANOS_PER_SECOND + fraction)
}

/// `yyyy-MM-dd HH:mm:ss`, also with `T` and with a fraction that microseconds can hold.
#[inline]
fn usual_timestamp(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let [b' ' | b'T', time @ ..] = rest else { return None };
    let nanos = usual_time(time)?;
    if nanos % 1000 != 0 {
        return None;
    }
    Some(i64::from(usual_date(date)?) * SECONDS_PER_DAY * MICROS_PER_SECOND + nanos / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for day in (-800_000..3_000_000).step_by(17) {
            let date = chrono::NaiveDate::from_epoch_days(day).unwrap();
            use chrono::Datelike;
            assert_eq!(days_from_civil(date.year(), date.month(), date.day()), Some(day));
        }
        for (year, month, day) in [(2023, 2, 29), (1900, 2, 29), (2024, 13, 1), (2024, 0, 1), (2024, 4, 31)] {
            assert_eq!(days_from_civil(year, month, day), None);
        }
    }

    #[test]
    fn usual_and_other_forms_without_an_option() {
        let forms = Forms::default();
        assert_eq!(forms.date(b"1970-01-02"), Ok(1));
        assert_eq!(forms.date(b"1970/1/2"), Ok(1));
        assert_eq!(forms.date(b"1970-02-30"), Err(Flaw::NotADate));
        assert_eq!(forms.time(b"00:00:01.5"), Ok(1_500_000_000));
        assert_eq!(forms.time(b"24:00:00"), Err(Flaw::NotATime));
        assert_eq!(forms.timestamp(b"1970-01-01 00:00:01"), Ok(1_000_000));
        assert_eq!(forms.timestamp(b"1970-01-01T00:00:01.000001"), Ok(1_000_001));
        assert_eq!(forms.timestamp(b"19700101000001"), Ok(1_000_000));
        assert_eq!(forms.timestamp(b"1970-01-01 00:00:01.000000001"), Err(Flaw::TooFine));
        assert_eq!(forms.timestamp(b"1970-01-01 25:00:01"), Err(Flaw::NotATimestamp));
        assert_eq!(forms.timestamp_tz(b"1970-01-01 01:00:00+01:00"), Ok(0));
        assert_eq!(forms.timestamp_tz(b"1970-01-01 01:00:00"), Err(Flaw::NoOffset));
    }

    #[test]
    fn a_format_option_is_the_only_form() {
        let forms = Forms {
            date: Some(Pattern::new("dd.MM.yyyy").unwrap()),
            datetime: Some(Pattern::new("yyyyMMdd'T'HHmmssX").unwrap()),
            time: Some(Pattern::new("h:mm a").unwrap()),
        };
        assert_eq!(forms.date(b"02.01.1970"), Ok(1));
        assert_eq!(forms.date(b"1970-01-02"), Err(Flaw::NotADate));
        assert_eq!(forms.timestamp_tz(b"19700101T010000+01"), Ok(0));
        assert_eq!(forms.time(b"12:30 AM"), Ok(1_800_000_000_000));
        assert_eq!(forms.time(b"1:30 pm"), Ok(48_600_000_000_000));
    }
}
