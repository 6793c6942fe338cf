//! Strict JSON with places: no comments, no trailing commas, no key twice.

use std::sync::Arc;

use indexmap::IndexMap;
use seatun_api::config::{Origin, Place, Value, ValueKind};

use crate::codes;
use crate::diagnostic::Diagnostic;

/// How deeply objects and lists may nest.
const MAX_DEPTH: usize = 96;

/// Parses a text.
///
/// # Errors
/// What is wrong first, and all keys that occur twice before it.
pub(crate) fn parse(file: &Arc<str>, text: &str) -> Result<Value, Vec<Diagnostic>> {
    let mut parser = Parser { text, at: 0, line: 1, line_start: 0, file, depth: 0, twice: Vec::new() };
    let value = parser.document();
    let Parser { twice, .. } = parser;
    match value {
        Ok(value) if twice.is_empty() => Ok(value),
        Ok(_) => Err(twice),
        Err(error) => Err(twice.into_iter().chain([*error]).collect()),
    }
}

type Parsed<T> = Result<T, Box<Diagnostic>>;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    line_start: usize,
    file: &'t Arc<str>,
    depth: usize,
    twice: Vec<Diagnostic>,
}

impl Parser<'_> {
    fn document(&mut self) -> Parsed<Value> {
        let value = self.value()?;
        self.skip_space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.error("expected the end of the file", "")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.peek() {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                self.line_start = self.at;
            }
        }
    }

    fn place(&self) -> Place {
        let column = self.text[self.line_start..self.at].chars().count();
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Place {
            line: self.line,
            column: u32::try_from(column).unwrap_or(0) + 1,
            start: offset(self.at),
            end: offset(self.at),
        }
    }

    fn origin(&self, start: Place) -> Origin {
        let end = u32::try_from(self.at).unwrap_or(u32::MAX);
        Origin { file: Arc::clone(self.file), place: Place { end, ..start } }
    }

    fn error(&self, message: &str, hint: &str) -> Box<Diagnostic> {
        let message = match self.peek() {
            _ if !message.starts_with("expected") => message.to_owned(),
            None => format!("{message}, found the end of the file"),
            Some(byte) if byte.is_ascii_graphic() => format!("{message}, found `{}`", char::from(byte)),
            Some(_) => format!("{message}, found something else"),
        };
        Box::new(Diagnostic::error(codes::SYNTAX, message, &self.origin(self.place())).with_hint(hint))
    }

    fn expect(&mut self, byte: u8, message: &str) -> Parsed<()> {
        self.skip_space();
        if self.peek() != Some(byte) {
            return Err(self.error(message, ""));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self) -> Parsed<Value> {
        self.skip_space();
        let start = self.place();
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => ValueKind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => ValueKind::Number(self.number()?),
            Some(b'#' | b'/') => {
                return Err(self.error("a JSON file has no comments", "rename it to `.conf`"));
            }
            _ => self.word()?,
        };
        Ok(Value { kind, origin: self.origin(start), key_origin: None })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Parsed<ValueKind>) -> Parsed<ValueKind> {
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting");
            return Err(Box::new(Diagnostic::error(codes::TOO_BIG, message, &self.origin(self.place()))));
        }
        self.depth += 1;
        self.at += 1;
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn object(&mut self) -> Parsed<ValueKind> {
        let mut map: IndexMap<String, Value> = IndexMap::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(ValueKind::Map(map));
        }
        loop {
            self.skip_space();
            let start = self.place();
            if self.peek() != Some(b'"') {
                return Err(self.error("expected a key in double quotes", ""));
            }
            let key = self.string()?;
            let key_origin = self.origin(start);
            self.expect(b':', "expected `:`")?;
            let mut value = self.value()?;
            value.key_origin = Some(key_origin.clone());
            if map.contains_key(&key) {
                let message = format!("the key `{key}` stands twice in one object");
                self.twice.push(Diagnostic::error(codes::SYNTAX, message, &key_origin));
            }
            map.insert(key, value);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(ValueKind::Map(map));
                }
                _ => return Err(self.error("expected `,` or `}`", "")),
            }
        }
    }

    fn list(&mut self) -> Parsed<ValueKind> {
        let mut list = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(ValueKind::List(list));
        }
        loop {
            list.push(self.value()?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(ValueKind::List(list));
                }
                _ => return Err(self.error("expected `,` or `]`", "")),
            }
        }
    }

    /// A string: its end is found here, its escapes are read by the JSON library.
    fn string(&mut self) -> Parsed<String> {
        let start = self.place();
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None | Some(b'\n') => {
                    let origin = self.origin(start);
                    return Err(Box::new(Diagnostic::error(
                        codes::SYNTAX,
                        "this quote is never closed on its line",
                        &origin,
                    )));
                }
                Some(b'\\') => {
                    self.at += if self.text.as_bytes().get(self.at + 1) == Some(&b'\n') { 1 } else { 2 }
                }
                Some(b'"') => break,
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        let text = self.text.get(begin..self.at).and_then(|text| serde_json::from_str(text).ok());
        text.ok_or_else(|| {
            let message = "a wrong escape or a control character in a string";
            Box::new(Diagnostic::error(codes::SYNTAX, message, &self.origin(start)))
        })
    }

    fn number(&mut self) -> Parsed<String> {
        let begin = self.at;
        while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        let text = &self.text[begin..self.at];
        match serde_json::from_str::<serde_json::Number>(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => {
                self.at = begin;
                Err(self.error("this is no JSON number", ""))
            }
        }
    }

    fn word(&mut self) -> Parsed<ValueKind> {
        for (word, kind) in
            [("true", ValueKind::Bool(true)), ("false", ValueKind::Bool(false)), ("null", ValueKind::Null)]
        {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(kind);
            }
        }
        Err(self.error("expected a value", ""))
    }
}
