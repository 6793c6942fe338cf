//! Cuts a HOCON text into tokens, each with its place. Comments are dropped. Never fails: what is no token
//! becomes [`Token::Bad`] and says why.

use seatun_api::config::Place;

use super::Dialect;
use super::path;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    OpenCurly,
    CloseCurly,
    OpenSquare,
    CloseSquare,
    Comma,
    Colon,
    Equals,
    PlusEquals,
    Newline,
    Space(String),
    Quoted(String),
    Unquoted(String),
    Substitution(Reference),
    Bad { message: String, hint: &'static str },
    End,
}

/// `${path}`, `${?path}` or `${name:default}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub path: Vec<String>,
    pub optional: bool,
    /// Whether a default is given; the textual pass puts it in.
    pub has_default: bool,
    /// As it is written, braces included.
    pub raw: String,
}

/// A token at its place.
#[derive(Clone, Debug)]
pub(super) struct Lexeme {
    pub token: Token,
    pub place: Place,
}

/// Characters that end an unquoted text and may not stand in one.
const RESERVED: &str = "$\"{}[]:=,+#`^?!@*&\\";

/// All tokens of a text; the last one is [`Token::End`].
pub(super) fn lex(text: &str, dialect: Dialect) -> Vec<Lexeme> {
    let mut lexer = Lexer { text, at: 0, line: 1, column: 1, dialect };
    if text.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    let mut lexemes = Vec::new();
    loop {
        let (start, line, column) = (lexer.at, lexer.line, lexer.column);
        let token = lexer.next();
        let place = Place { line, column, start: offset(start), end: offset(lexer.at) };
        match token {
            None => {}
            Some(Token::End) => {
                lexemes.push(Lexeme { token: Token::End, place });
                return lexemes;
            }
            Some(token) => lexemes.push(Lexeme { token, place }),
        }
    }
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
    dialect: Dialect,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    fn bump_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        while self.peek().is_some_and(&keep) {
            self.bump();
        }
        &self.text[start..self.at]
    }

    /// The next token; `None` for a comment.
    fn next(&mut self) -> Option<Token> {
        let Some(c) = self.peek() else { return Some(Token::End) };
        if c == '#' || self.rest().starts_with("//") {
            self.bump_while(|c| c != '\n');
            return None;
        }
        if c != '\n' && is_space(c) {
            return Some(Token::Space(self.bump_while(|c| c != '\n' && is_space(c)).to_owned()));
        }
        let single = match c {
            '\n' => Token::Newline,
            '{' => Token::OpenCurly,
            '}' => Token::CloseCurly,
            '[' => Token::OpenSquare,
            ']' => Token::CloseSquare,
            ',' => Token::Comma,
            ':' => Token::Colon,
            '=' => Token::Equals,
            '"' => return Some(self.quoted()),
            '$' => return Some(self.substitution()),
            '+' if self.rest().starts_with("+=") => {
                self.bump();
                Token::PlusEquals
            }
            _ if RESERVED.contains(c) => {
                self.bump();
                return Some(reserved(c));
            }
            _ => return Some(self.unquoted(c)),
        };
        self.bump();
        Some(single)
    }

    fn unquoted(&mut self, first: char) -> Token {
        let start = self.at;
        if first.is_ascii_digit() || first == '-' {
            let (at, line, column) = (self.at, self.line, self.column);
            let run = self.bump_while(|c| c.is_ascii_digit() || matches!(c, 'e' | 'E' | '+' | '-' | '.'));
            if !is_number(run) {
                (self.at, self.line, self.column) = (at, line, column);
            }
        }
        while let Some(c) = self.peek() {
            if is_space(c) || RESERVED.contains(c) || self.rest().starts_with("//") {
                break;
            }
            self.bump();
        }
        Token::Unquoted(self.text[start..self.at].to_owned())
    }

    fn quoted(&mut self) -> Token {
        if self.rest().starts_with("\"\"\"") {
            return self.triple_quoted();
        }
        self.bump();
        let mut out = String::new();
        let mut bad = None;
        loop {
            match self.peek() {
                None | Some('\n') => {
                    return Token::Bad {
                        message: "this quote is never closed on its line".into(),
                        hint: "close it with `\"`, or use `\"\"\"` for a text of several lines",
                    };
                }
                Some('"') => {
                    self.bump();
                    return bad.unwrap_or(Token::Quoted(out));
                }
                Some('\\') => {
                    self.bump();
                    match self.escape() {
                        Some(c) => out.push(c),
                        None => {
                            bad = Some(Token::Bad {
                                message: "unknown escape in a quoted text".into(),
                                hint: "write `\\\\` for a backslash; `\"\"\"` quotes take it as it stands",
                            });
                        }
                    }
                }
                Some(c) => {
                    self.bump();
                    out.push(c);
                }
            }
        }
    }

    /// The character behind a backslash.
    fn escape(&mut self) -> Option<char> {
        if matches!(self.peek(), None | Some('\n')) {
            return None;
        }
        match self.bump()? {
            c @ ('"' | '\\' | '/') => Some(c),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode_escape(),
            _ => None,
        }
    }

    fn unicode_escape(&mut self) -> Option<char> {
        let high = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        if !self.rest().starts_with("\\u") {
            return None;
        }
        self.bump();
        self.bump();
        let low = self.four_digits()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((high - 0xd800) << 10) + low)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
        for _ in 0..4 {
            self.bump();
        }
        u32::from_str_radix(digits, 16).ok()
    }

    fn triple_quoted(&mut self) -> Token {
        for _ in 0..3 {
            self.bump();
        }
        let start = self.at;
        let Some(length) = self.rest().find("\"\"\"") else {
            // Only the quotes are marked; the text itself is not to be read as tokens.
            while self.bump().is_some() {}
            return Token::Bad {
                message: "these triple quotes are never closed".into(),
                hint: "close them with `\"\"\"`",
            };
        };
        while self.at < start + length {
            self.bump();
        }
        // More than three quotes at the end: the first ones belong to the text.
        let quotes = self.bump_while(|c| c == '"').len();
        Token::Quoted(self.text[start..start + length + quotes - 3].to_owned())
    }

    fn substitution(&mut self) -> Token {
        let start = self.at;
        self.bump();
        if self.peek() != Some('{') {
            return reserved('$');
        }
        self.bump();
        let optional = self.peek() == Some('?');
        if optional {
            self.bump();
        }
        let mut pieces = Vec::new();
        let mut has_default = false;
        loop {
            match self.peek() {
                None | Some('\n') => {
                    return Token::Bad {
                        message: "this substitution is never closed".into(),
                        hint: "a substitution is `${name}` or `${?name}`, on one line",
                    };
                }
                Some('}') => {
                    self.bump();
                    break;
                }
                Some(':') if self.dialect == Dialect::SeaTunnel && !pieces.is_empty() => {
                    has_default = true;
                    self.bump_while(|c| c != '}' && c != '\n');
                }
                Some('"') => match self.quoted() {
                    Token::Quoted(text) => pieces.push(path::Piece { text, quoted: true }),
                    bad => return bad,
                },
                Some(c) if is_space(c) => {
                    let text = self.bump_while(|c| c != '\n' && is_space(c)).to_owned();
                    pieces.push(path::Piece { text, quoted: false });
                }
                Some(c) if RESERVED.contains(c) || self.rest().starts_with("//") => {
                    self.bump_while(|c| c != '}' && c != '\n');
                    return bad_reference();
                }
                Some(c) => match self.unquoted(c) {
                    Token::Unquoted(text) => pieces.push(path::Piece { text, quoted: false }),
                    _ => return bad_reference(),
                },
            }
        }
        match path::split(&pieces, self.dialect) {
            Some(path) => Token::Substitution(Reference {
                path,
                optional,
                has_default,
                raw: self.text[start..self.at].to_owned(),
            }),
            None => bad_reference(),
        }
    }
}

fn bad_reference() -> Token {
    Token::Bad {
        message: "not the name of a substitution".into(),
        hint: "a substitution is `${name}` or `${?name}`",
    }
}

fn reserved(c: char) -> Token {
    Token::Bad {
        message: format!("the character `{c}` is not allowed outside quotes"),
        hint: "put the whole value into double quotes",
    }
}

/// Whitespace as HOCON has it: Unicode's, the byte order mark and the no-break spaces.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{1c}'..='\u{1f}')
}

/// Whether a text is a number by itself.
pub(super) fn is_number(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|c| c.is_ascii_digit() || c == '-')
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'e' | b'E' | b'+' | b'-' | b'.'))
        && text.parse::<f64>().is_ok()
}
