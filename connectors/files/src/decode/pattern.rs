//! Reads dates and times by a pattern of a format option, spelled as Java's `DateTimeFormatter` does:
//! `yyyy-MM-dd HH:mm:ss.SSS`, with text in single quotes.

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Vec<Item>);

#[derive(Clone, Debug, PartialEq)]
enum Item {
    Literal(Vec<u8>),
    Year,
    YearOfCentury,
    Number(Part, usize, usize),
    Fraction(usize),
    Half,
    Offset,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Month,
    Day,
    Hour,
    HourOfHalf,
    Minute,
    Second,
}

/// What a text says; what it does not say is the first of its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// The year.
    pub year: i32,
    /// 1 to 12, if the date is one.
    pub month: u32,
    /// 1 to 31, if the date is one.
    pub day: u32,
    seconds: u32,
    nanos: u32,
    /// Seconds east of UTC, if the pattern has them.
    pub offset_seconds: Option<i32>,
}

impl Parts {
    /// Nanoseconds since midnight.
    pub fn nanos_of_day(&self) -> i64 {
        i64::from(self.seconds) * 1_000_000_000 + i64::from(self.nanos)
    }
}

impl Pattern {
    /// Compiles a pattern; the text of the error says what is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let mut items = Vec::new();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            if first == '\'' {
                let close = rest[1..].find('\'').ok_or("a quote is not closed")? + 1;
                literal(if close == 1 { "'" } else { &rest[1..close] }, &mut items);
                rest = &rest[close + 1..];
                continue;
            }
            let count = match first.is_ascii_alphabetic() {
                true => rest.chars().take_while(|letter| *letter == first).count(),
                false => 1,
            };
            let (letters, after) = rest.split_at(count * first.len_utf8());
            match first.is_ascii_alphabetic() {
                true => items.push(item(first, count, letters)?),
                false => literal(letters, &mut items),
            }
            rest = after;
        }
        Ok(Self(items))
    }

    /// Reads a text of exactly this form.
    pub fn parse(&self, text: &[u8]) -> Option<Parts> {
        let mut rest = text;
        let mut parts = Parts { year: 1970, month: 1, day: 1, seconds: 0, nanos: 0, offset_seconds: None };
        let (mut hour, mut hour_of_half, mut minute, mut second, mut afternoon) = (0, None, 0, 0, false);
        for item in &self.0 {
            match item {
                Item::Literal(wanted) => rest = rest.strip_prefix(wanted.as_slice())?,
                Item::Year => parts.year = i32::try_from(number(&mut rest, 4, 4)?).ok()?,
                Item::YearOfCentury => parts.year = 2000 + i32::try_from(number(&mut rest, 2, 2)?).ok()?,
                Item::Number(part, least, most) => {
                    let value = number(&mut rest, *least, *most)?;
                    match part {
                        Part::Month => parts.month = value,
                        Part::Day => parts.day = value,
                        Part::Hour => hour = value,
                        Part::HourOfHalf => hour_of_half = Some(value),
                        Part::Minute => minute = value,
                        Part::Second => second = value,
                    }
                }
                Item::Fraction(digits) => {
                    let value = number(&mut rest, *digits, *digits)?;
                    parts.nanos = (*digits..9).fold(value, |value, _| value * 10);
                }
                Item::Half => afternoon = half(&mut rest)?,
                Item::Offset => parts.offset_seconds = Some(offset(&mut rest)?),
            }
        }
        if let Some(of_half) = hour_of_half {
            if !(1..=12).contains(&of_half) {
                return None;
            }
            hour = of_half % 12 + if afternoon { 12 } else { 0 };
        }
        if hour > 23 || minute > 59 || second > 59 || !rest.is_empty() {
            return None;
        }
        parts.seconds = hour * 3600 + minute * 60 + second;
        Some(parts)
    }
}

fn literal(text: &str, items: &mut Vec<Item>) {
    match items.last_mut() {
        Some(Item::Literal(before)) => before.extend_from_slice(text.as_bytes()),
        _ => items.push(Item::Literal(text.as_bytes().to_vec())),
    }
}

fn item(letter: char, count: usize, letters: &str) -> Result<Item, String> {
    let part = match letter {
        'M' => Part::Month,
        'd' => Part::Day,
        'H' => Part::Hour,
        'h' => Part::HourOfHalf,
        'm' => Part::Minute,
        's' => Part::Second,
        _ => {
            return match (letter, count) {
                ('y' | 'u', 4) => Ok(Item::Year),
                ('y' | 'u', 2) => Ok(Item::YearOfCentury),
                ('S', 1..=9) => Ok(Item::Fraction(count)),
                ('a', 1) => Ok(Item::Half),
                ('X' | 'x', 1..=3) | ('Z', 1) => Ok(Item::Offset),
                _ => Err(format!("`{letters}` is not a part of a date that can be read")),
            };
        }
    };
    match count {
        1 => Ok(Item::Number(part, 1, 2)),
        2 => Ok(Item::Number(part, 2, 2)),
        _ => Err(format!("`{letters}` is not a part of a date that can be read")),
    }
}

fn number(rest: &mut &[u8], least: usize, most: usize) -> Option<u32> {
    let count = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if count < least {
        return None;
    }
    let (digits, after) = rest.split_at(count);
    *rest = after;
    Some(digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

fn half(rest: &mut &[u8]) -> Option<bool> {
    let (word, after) = rest.split_at_checked(2)?;
    let afternoon = match word.to_ascii_uppercase().as_slice() {
        b"AM" => false,
        b"PM" => true,
        _ => return None,
    };
    *rest = after;
    Some(afternoon)
}

/// `Z`, `+01`, `+0100`, `+01:00`.
fn offset(rest: &mut &[u8]) -> Option<i32> {
    let (sign, after) = rest.split_first()?;
    *rest = after;
    let sign = match sign {
        b'Z' => return Some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = number(rest, 2, 2)?;
    if let [b':', after @ ..] = rest {
        *rest = after;
    }
    let minutes = match rest.first().is_some_and(u8::is_ascii_digit) {
        true => number(rest, 2, 2)?,
        false => 0,
    };
    // invariant: at most 18 hours, so it fits.
    (hours <= 18 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_patterns_are_refused() {
        for wrong in ["yyy", "MMM", "EEE", "'open", "SSSSSSSSSS", "yyyy-MM-dd G"] {
            assert!(Pattern::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_the_whole_form_matches() {
        let pattern = Pattern::new("yyyy-M-dd''HH:mm:ss.SSS").unwrap();
        let parts = pattern.parse(b"2024-1-31'12:35:09.012").unwrap();
        assert_eq!((parts.year, parts.month, parts.day), (2024, 1, 31));
        assert_eq!(parts.nanos_of_day(), 45_309_012_000_000);
        for text in ["2024-1-31'12:35:09", "2024-1-31'12:35:09.012 ", "2024-1-31'12:60:09.012", ""] {
            assert!(pattern.parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
