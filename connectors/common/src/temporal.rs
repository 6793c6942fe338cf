//! Dates and times from text, in the forms that SeaTunnel reads.
//!
//! A date is `2024-01-31`, also with `/` or `.`, with one digit for month and day, `20240131`, or
//! `2024年1月31日`. A time is `12:30`, `12:30:05` or `12:30:05.123456789`. A timestamp is a date, a blank or
//! `T`, and a time; or `20240131123005`; or `2024年1月31日 12时30分5秒`. No form can be taken for another, so
//! the values of one column may mix them.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// Days since 1970-01-01 of a date's text.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    let mut scan = Scan(text.trim());
    let date = scan.date()?;
    // An instant stands for its date: `2024-01-31T00:00:00Z`.
    if scan.eat("T") {
        scan.time()?;
    }
    let _ = scan.eat("Z");
    scan.0.is_empty().then(|| days(date))
}

/// Nanoseconds since midnight of a time's text.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    let mut scan = Scan(text.trim());
    let time = scan.time()?;
    if !scan.0.is_empty() {
        return None;
    }
    Some((time - NaiveTime::MIN).num_nanoseconds().unwrap_or(0))
}

/// The wall clock of a timestamp's text. A `Z` at the end is allowed, another offset is not: it would have
/// to be dropped.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<NaiveDateTime> {
    let mut scan = Scan(text.trim());
    let timestamp = scan.timestamp()?;
    let _ = scan.eat("Z");
    scan.0.is_empty().then_some(timestamp)
}

/// The instant, in UTC, of a timestamp's text with its offset: `Z`, `+08`, `+0800` or `+08:00`.
#[must_use]
pub fn parse_timestamp_tz(text: &str) -> Option<NaiveDateTime> {
    let mut scan = Scan(text.trim());
    let timestamp = scan.timestamp()?;
    let _ = scan.eat(" ");
    let offset = scan.offset()?;
    if !scan.0.is_empty() {
        return None;
    }
    timestamp.checked_sub_signed(chrono::TimeDelta::minutes(offset))
}

/// Days since 1970-01-01.
#[must_use]
pub fn days(date: NaiveDate) -> i32 {
    date.to_epoch_days()
}

struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn eat(&mut self, wanted: &str) -> bool {
        match self.0.strip_prefix(wanted) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn eat_one(&mut self, wanted: &[&str]) -> bool {
        wanted.iter().any(|wanted| self.eat(wanted))
    }

    fn digits_ahead(&self) -> usize {
        self.0.bytes().take_while(u8::is_ascii_digit).count()
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.digits_ahead().min(most);
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits.parse().ok()
    }

    fn date(&mut self) -> Option<NaiveDate> {
        let compact = self.digits_ahead() >= 8;
        let year = self.number(4, 4)?;
        let (month, day) = if compact {
            (self.number(2, 2)?, self.number(2, 2)?)
        } else if self.eat("年") {
            let month = self.number(1, 2)?;
            let day = self.eat("月").then(|| self.number(1, 2))??;
            self.eat("日").then_some((month, day))?
        } else {
            let separator = ["-", "/", "."].into_iter().find(|separator| self.0.starts_with(separator))?;
            self.eat(separator);
            let month = self.number(1, 2)?;
            (month, self.eat(separator).then(|| self.number(1, 2))??)
        };
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
    }

    fn time(&mut self) -> Option<NaiveTime> {
        let hour = self.number(1, 2)?;
        if !self.eat_one(&[":", "时"]) {
            return None;
        }
        let minute = self.number(1, 2)?;
        let (mut second, mut nanos) = (0, 0);
        if self.eat(":") || (self.eat("分") && self.digits_ahead() > 0) {
            second = self.number(1, 2)?;
            nanos = if self.eat(".") { self.fraction()? } else { 0 };
            let _ = self.eat("秒");
        }
        NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)
    }

    fn fraction(&mut self) -> Option<u32> {
        let count = self.digits_ahead().min(9);
        let digits = self.number(1, 9)?;
        let missing = u32::try_from(9 - count).ok()?;
        digits.checked_mul(10_u32.pow(missing))
    }

    fn timestamp(&mut self) -> Option<NaiveDateTime> {
        if self.digits_ahead() == 14 {
            let date = self.date()?;
            let (hour, minute, second) = (self.number(2, 2)?, self.number(2, 2)?, self.number(2, 2)?);
            let nanos = if self.eat(".") { self.fraction()? } else { 0 };
            return date.and_hms_nano_opt(hour, minute, second, nanos);
        }
        let written_out = self.0.contains('年');
        let date = self.date()?;
        if !self.eat_one(&[" ", "T"]) && !written_out {
            return None;
        }
        Some(date.and_time(self.time()?))
    }

    /// Minutes east of UTC.
    fn offset(&mut self) -> Option<i64> {
        if self.eat("Z") {
            return Some(0);
        }
        let sign = if self.eat("+") {
            1
        } else if self.eat("-") {
            -1
        } else {
            return None;
        };
        let hours = self.number(2, 2)?;
        let _ = self.eat(":");
        let minutes = if self.digits_ahead() > 0 { self.number(2, 2)? } else { 0 };
        (hours <= 18 && minutes < 60).then_some(sign * i64::from(hours * 60 + minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_every_form() {
        let new_year = days(NaiveDate::from_ymd_opt(2024, 1, 2).unwrap());
        for text in [
            "2024-01-02",
            "2024/01/02",
            "2024.01.02",
            "20240102",
            "2024-1-2",
            "2024年1月2日",
            "2024年01月02日",
            " 2024-01-02 ",
            "2024-01-02T10:11:12Z",
            "2024-01-02Z",
        ] {
            assert_eq!(parse_date(text), Some(new_year), "{text}");
        }
        for text in ["", "2024-01", "2024-13-01", "2024-02-30", "2024-01/02", "24-01-02", "2024-01-02x", "x"]
        {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(parse_date("1969-12-31"), Some(-1));
    }

    #[test]
    fn times_keep_nine_digits() {
        assert_eq!(parse_time("12:34"), Some(45_240_000_000_000));
        assert_eq!(parse_time("00:00:01"), Some(1_000_000_000));
        assert_eq!(parse_time("00:00:00.123456789"), Some(123_456_789));
        assert_eq!(parse_time("0:0:0.5"), Some(500_000_000));
        for text in ["24:00:00", "12", "12:60", "12:00:00.1234567890", "12:00:00.", "a:b"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn timestamps_in_every_form() {
        let expected = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap().and_hms_opt(3, 4, 5).unwrap();
        for text in [
            "2024-01-02 03:04:05",
            "2024-01-02T03:04:05",
            "2024/01/02 03:04:05",
            "2024.01.02 03:04:05",
            "20240102030405",
            "2024-1-2 3:4:5",
            "2024年1月2日 3时4分5秒",
            "2024年01月02日03时04分05秒",
            "2024-01-02T03:04:05Z",
            "2024-01-02 03:04:05.000",
        ] {
            assert_eq!(parse_timestamp(text), Some(expected), "{text}");
        }
        for text in ["2024-01-02", "2024-01-02 25:00:00", "2024-01-02T03:04:05+08:00", "2024-01-0203:04:05"] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn instants_need_their_offset() {
        let expected = NaiveDate::from_ymd_opt(2024, 1, 2).unwrap().and_hms_opt(3, 4, 5).unwrap();
        for text in [
            "2024-01-02T03:04:05Z",
            "2024-01-02T11:04:05+08:00",
            "2024-01-02 11:04:05 +0800",
            "2024-01-01T22:04:05-05",
        ] {
            assert_eq!(parse_timestamp_tz(text), Some(expected), "{text}");
        }
        for text in ["2024-01-02 03:04:05", "2024-01-02 03:04:05+99:00", "2024-01-02 03:04:05+8"] {
            assert_eq!(parse_timestamp_tz(text), None, "{text}");
        }
    }
}
