//! Reads a JSON text whose numbers keep their digits.
//!
//! `serde_json::Value` makes doubles of numbers with a point, which changes decimals of more than 15 digits;
//! a reader of rows uses this parser instead where such columns are possible.

use indexmap::IndexMap;
use seatun_api::config::{Value, ValueKind};
use seatun_api::{Error, Result};

use crate::codes;

/// Values within values at most: a guard against texts made to exhaust the stack.
const MAX_DEPTH: usize = 128;

/// The value of a JSON text. Of a name that an object has twice the last value counts.
///
/// # Errors
/// Says at which byte the text stops being JSON.
pub fn parse(text: &str) -> Result<Value> {
    let mut parser = Parser { text, bytes: text.as_bytes(), at: 0, depth: 0 };
    let value = parser.value().and_then(|value| {
        parser.skip_blank();
        if parser.at == text.len() { Ok(value) } else { Err("something follows the value") }
    });
    value.map_err(|reason| {
        Error::user(codes::MALFORMED_JSON, format!("not JSON: {reason}")).with("byte", parser.at)
    })
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, wanted: u8) -> bool {
        self.skip_blank();
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Parsed<Value> {
        self.skip_blank();
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => ValueKind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => ValueKind::Number(self.number()?.to_owned()),
            Some(b't') => self.literal("true", ValueKind::Bool(true))?,
            Some(b'f') => self.literal("false", ValueKind::Bool(false))?,
            Some(b'n') => self.literal("null", ValueKind::Null)?,
            Some(_) => return Err("a value is expected"),
            None => return Err("the text ends early"),
        };
        Ok(Value::of(kind))
    }

    fn nested(&mut self, read: fn(&mut Self) -> Parsed<ValueKind>) -> Parsed<ValueKind> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("more than 128 values within each other");
        }
        self.at += 1;
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn literal(&mut self, word: &str, kind: ValueKind) -> Parsed<ValueKind> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err("a value is expected");
        }
        self.at += word.len();
        Ok(kind)
    }

    fn object(&mut self) -> Parsed<ValueKind> {
        let mut map = IndexMap::new();
        if self.eat(b'}') {
            return Ok(ValueKind::Map(map));
        }
        loop {
            self.skip_blank();
            if self.peek() != Some(b'"') {
                return Err("a name in quotes is expected");
            }
            let name = self.string()?;
            if !self.eat(b':') {
                return Err("a colon is expected");
            }
            map.insert(name, self.value()?);
            if self.eat(b'}') {
                return Ok(ValueKind::Map(map));
            }
            if !self.eat(b',') {
                return Err("a comma or the end of the object is expected");
            }
        }
    }

    fn list(&mut self) -> Parsed<ValueKind> {
        let mut list = Vec::new();
        if self.eat(b']') {
            return Ok(ValueKind::List(list));
        }
        loop {
            list.push(self.value()?);
            if self.eat(b']') {
                return Ok(ValueKind::List(list));
            }
            if !self.eat(b',') {
                return Err("a comma or the end of the list is expected");
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Parsed<&'a str> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err("a number is malformed");
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err("a number is malformed");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err("a number is malformed");
            }
        }
        self.text.get(start..self.at).ok_or("a number is malformed")
    }

    fn string(&mut self) -> Parsed<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(byte) if byte != b'"' && byte != b'\\' && byte >= b' ') {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at).ok_or("a text is malformed")?);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                Some(_) => return Err("a text has a control character"),
                None => return Err("a text is not closed"),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        self.at += 1;
        let escaped = self.peek().ok_or("a text is not closed")?;
        self.at += 1;
        Ok(match escaped {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err("an escape is unknown"),
        })
    }

    fn unicode(&mut self) -> Parsed<char> {
        const LONE: &str = "an escape is half of a character";
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(LONE);
        }
        if !self.bytes[self.at..].starts_with(b"\\u") {
            return Err(LONE);
        }
        self.at += 2;
        let second = self.hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(LONE);
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(LONE)
    }

    fn hex(&mut self) -> Parsed<u32> {
        let digits = self.text.get(self.at..self.at + 4).ok_or("an escape needs four digits")?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err("an escape needs four digits");
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| "an escape needs four digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_json_reads_is_read_alike() {
        for text in [
            "null",
            " true ",
            "[]",
            "{}",
            "-0.5e+10",
            "\"\"",
            "[1,[2,{\"a\":[]}]]",
            "\"\\u00e9\\ud83d\\ude00\\n\\/é\"",
            "{\"a\":1,\"a\":2}",
            "0",
            "-1E5",
        ] {
            let expected: serde_json::Value = serde_json::from_str(text).unwrap();
            let read: serde_json::Value =
                serde_json::from_str(&parse(text).unwrap().to_json().to_string()).unwrap();
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(1_000_000);
        for text in [
            "",
            "nul",
            "01",
            "1.",
            ".5",
            "1e",
            "+1",
            "-",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1,}",
            "\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\n\"",
            "1 2",
            "\"\\",
            "\"\\u12é\"",
            deep.as_str(),
        ] {
            assert_eq!(parse(text).unwrap_err().code(), codes::MALFORMED_JSON, "{text:.20}");
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let digits = "12345678901234567890.123456789012345678";
        assert_eq!(parse(digits).unwrap().kind, ValueKind::Number(digits.to_owned()));
    }
}
