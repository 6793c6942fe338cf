//! Builds the tree of a text. After an error it goes on behind the entry that is wrong, so that further
//! errors are found too; the tree is then not used.

use std::path::PathBuf;
use std::sync::Arc;

use seatun_api::config::{Origin, Place, ValueKind};

use super::cursor::Skip;
use super::include::Loader;
use super::lexer::{self, Lexeme, Token};
use super::tree::{Node, NodeKind, Object, Reference};
use super::{Dialect, MAX_DEPTH, path};

pub(super) struct Parser<'p, 'l> {
    pub(super) lexemes: Vec<Lexeme>,
    pub(super) at: usize,
    pub(super) file: Arc<str>,
    pub(super) dialect: Dialect,
    /// The folder of this file, in which its includes begin.
    pub(super) folder: Option<PathBuf>,
    pub(super) loader: &'p mut Loader<'l>,
    /// The keys above the file, if it is included.
    pub(super) included_at: Vec<String>,
    /// The keys above the place where the parser is; `None` inside a list.
    pub(super) above: Option<Vec<String>>,
    pub(super) depth: usize,
    /// Set when going on makes no sense.
    pub(super) stopped: bool,
    pub(super) errors: usize,
    /// Where the last error stands: a second one at the same place tells nothing new.
    pub(super) last_error: Option<u32>,
}

impl Parser<'_, '_> {
    /// The whole text.
    pub(super) fn root(&mut self) -> Node {
        self.skip_blank();
        let start = self.place();
        let kind = match self.token() {
            Token::OpenSquare => {
                let node = self.list();
                if self.dialect == Dialect::SeaTunnel {
                    self.error(start, "a job file is an object, not a list".into(), "");
                }
                node.kind
            }
            Token::OpenCurly => self.object().kind,
            _ => {
                let mut object = Object::default();
                self.fields(None, &mut object);
                NodeKind::Object(object)
            }
        };
        self.skip_blank();
        if !matches!(self.token(), Token::End) {
            let message = format!("expected the end of the file, found {}", self.describe());
            self.error(self.place(), message, "");
        }
        let end = self.place().end;
        Node { kind, origin: self.origin(Place { end, ..start }) }
    }

    /// The fields of an object up to its closing brace, or to the end if it has no opening one.
    fn fields(&mut self, open: Option<Place>, object: &mut Object) {
        loop {
            self.skip_blank();
            match self.token() {
                Token::CloseCurly if open.is_some() => return self.bump(),
                Token::End => return self.never_closed(open, "brace"),
                _ => {}
            }
            if self.field(object).is_err() {
                self.recover();
            }
            self.separator(&Token::CloseCurly, open.is_some());
        }
    }

    /// What stands between two entries: a comma or a line break.
    pub(super) fn separator(&mut self, close: &Token, closes: bool) {
        self.skip_space();
        match self.token() {
            Token::Newline => {
                self.skip_blank();
                if matches!(self.token(), Token::Comma) {
                    self.bump();
                }
            }
            Token::Comma => self.bump(),
            Token::End => {}
            token if closes && token == close => {}
            Token::CloseCurly | Token::CloseSquare => {
                let message = format!("{} closes nothing that is open here", self.describe());
                self.error(self.place(), message, "");
                self.bump();
            }
            Token::Bad { message, hint } => {
                let (message, hint) = (message.clone(), *hint);
                self.error(self.place(), message, hint);
                self.recover();
            }
            Token::Colon | Token::Equals | Token::PlusEquals => {
                let message = format!("{} inside a value", self.describe());
                let hint = "put the whole value into double quotes, or begin a new line for the next key";
                self.error(self.place(), message, hint);
                self.recover();
            }
            _ => {
                let message = format!("expected a comma or a new line, found {}", self.describe());
                self.error(self.place(), message, "");
                self.recover();
            }
        }
    }

    fn field(&mut self, object: &mut Object) -> Result<(), Skip> {
        if self.at_include() {
            let included = self.include()?;
            object.merge(included);
            return Ok(());
        }
        let (path, key) = self.key()?;
        if self.is_block(&path) {
            return self.block_field(object, &path, key);
        }
        let appends = self.assignment(&path)?;
        let above = self.above.clone();
        if let Some(keys) = &mut self.above {
            keys.extend(path.iter().cloned());
        }
        let value = self.value();
        self.above = above;
        let value = if appends { appended(value?) } else { value? };
        object.assign_path(&path, &key, value);
        Ok(())
    }

    /// The key of a field, and what stands between it and the value is up next.
    pub(super) fn key(&mut self) -> Result<(Vec<String>, Origin), Skip> {
        let start = self.place();
        let mut end = start;
        let mut pieces = Vec::new();
        loop {
            let piece = match self.token() {
                Token::Unquoted(text) => path::Piece { text: text.clone(), quoted: false },
                Token::Quoted(text) => path::Piece { text: text.clone(), quoted: true },
                Token::Space(text) => {
                    pieces.push(path::Piece { text: text.clone(), quoted: false });
                    self.bump();
                    continue;
                }
                _ => break,
            };
            end = self.place();
            pieces.push(piece);
            self.bump();
        }
        if let Token::Bad { message, hint } = self.token() {
            let (message, hint) = (message.clone(), *hint);
            return Err(self.error(self.place(), message, hint));
        }
        if matches!(self.token(), Token::Substitution(_)) {
            return Err(self.error(self.place(), "a key cannot be a substitution".into(), ""));
        }
        if pieces.is_empty() {
            let message = format!("expected a key, found {}", self.describe());
            let error = self.error(self.place(), message, "");
            if matches!(self.token(), Token::Comma | Token::CloseSquare | Token::CloseCurly) {
                self.bump();
            }
            return Err(error);
        }
        let place = Place { end: end.end, ..start };
        let Some(path) = path::split(&pieces, self.dialect) else {
            return Err(self.error(
                place,
                "a key with an empty part".into(),
                "quote the key if it is meant so",
            ));
        };
        if self.depth + path.len() > MAX_DEPTH {
            return Err(self.too_deep(place));
        }
        Ok((path, self.origin(place)))
    }

    /// The separator of a field; says whether it is `+=`. A brace needs none.
    fn assignment(&mut self, path: &[String]) -> Result<bool, Skip> {
        let behind = self.at;
        self.skip_blank();
        match self.token() {
            Token::Colon | Token::Equals => {
                self.bump();
                Ok(false)
            }
            Token::PlusEquals => {
                self.bump();
                Ok(true)
            }
            Token::OpenCurly => Ok(false),
            _ => {
                // The next line is an entry of its own.
                self.at = behind;
                let key = path.join("->");
                // What follows a space may be meant as the value, which may be a secret.
                let word = key.split_whitespace().next().unwrap_or_default();
                let found = self.describe();
                let message = format!("expected `=`, `:` or `{{` behind the key `{word}`, found {found}");
                let hint =
                    if key.contains(' ') { "a text with spaces as a value needs `=` before it" } else { "" };
                Err(self.error(self.place(), message, hint))
            }
        }
    }

    /// A value: all parts that stand side by side.
    pub(super) fn value(&mut self) -> Result<Node, Skip> {
        self.skip_blank();
        let mut parts: Vec<Node> = Vec::new();
        loop {
            let place = self.place();
            if !self.joins(&parts)? {
                break;
            }
            let kind = match self.token() {
                Token::OpenCurly => self.object().kind,
                Token::OpenSquare => self.list().kind,
                Token::Quoted(text) => NodeKind::Scalar(ValueKind::String(text.clone())),
                Token::Unquoted(text) => NodeKind::Scalar(ValueKind::String(text.clone())),
                Token::Space(text) => NodeKind::Space(text.clone()),
                Token::Substitution(reference) => NodeKind::Reference(Reference {
                    path: reference.path.clone(),
                    included_at: self.included_at.clone(),
                    optional: reference.optional,
                    has_default: reference.has_default,
                    raw: reference.raw.clone(),
                }),
                Token::Bad { message, hint } => {
                    let (message, hint) = (message.clone(), *hint);
                    return Err(self.error(place, message, hint));
                }
                _ => break,
            };
            let kind = match (kind, self.token()) {
                (NodeKind::Scalar(ValueKind::String(text)), Token::Unquoted(_)) => {
                    NodeKind::Scalar(scalar(&text))
                }
                (kind, _) => kind,
            };
            let block = matches!(kind, NodeKind::Object(_) | NodeKind::List(_));
            if !block {
                self.bump();
            }
            let end = self.lexemes[self.at.saturating_sub(1)].place.end.max(place.end);
            parts.push(Node { kind, origin: self.origin(Place { end, ..place }) });
        }
        while parts.last().is_some_and(|part| matches!(part.kind, NodeKind::Space(_))) {
            parts.pop();
        }
        let Some(last) = parts.last() else {
            let message = format!("expected a value, found {}", self.describe());
            return Err(self.error(self.place(), message, ""));
        };
        let end = last.origin.place.end;
        if parts.len() == 1 {
            return parts.pop().ok_or(Skip);
        }
        let origin = Origin { file: Arc::clone(&self.file), place: Place { end, ..parts[0].origin.place } };
        Ok(Node { kind: NodeKind::Concat(parts), origin })
    }

    /// Whether the next part can stand beside the literal parts before it. A text behind a block is taken
    /// for the next entry.
    fn joins(&mut self, parts: &[Node]) -> Result<bool, Skip> {
        let blocks = parts.iter().any(|part| matches!(part.kind, NodeKind::Object(_) | NodeKind::List(_)));
        let texts = parts.iter().any(|part| matches!(part.kind, NodeKind::Scalar(_)));
        match self.token() {
            Token::Quoted(_) | Token::Unquoted(_) if blocks => Ok(false),
            Token::OpenCurly | Token::OpenSquare if texts => {
                let message = format!("a text cannot go on with {}", self.describe());
                Err(self.error(self.place(), message, "put a comma or a new line between two entries"))
            }
            _ => Ok(true),
        }
    }

    pub(super) fn object(&mut self) -> Node {
        let open = self.place();
        self.bump();
        let mut object = Object::default();
        if self.enter(open) {
            self.fields(Some(open), &mut object);
            self.depth -= 1;
        }
        self.closed(NodeKind::Object(object), open)
    }

    fn list(&mut self) -> Node {
        let open = self.place();
        self.bump();
        let mut list = Vec::new();
        if self.enter(open) {
            let above = self.above.take();
            loop {
                self.skip_blank();
                match self.token() {
                    Token::CloseSquare => {
                        self.bump();
                        break;
                    }
                    Token::End | Token::CloseCurly => {
                        self.never_closed(Some(open), "bracket");
                        break;
                    }
                    _ => {}
                }
                match self.value() {
                    Ok(value) => list.push(value),
                    Err(Skip) => self.recover(),
                }
                self.separator(&Token::CloseSquare, true);
            }
            self.above = above;
            self.depth -= 1;
        }
        self.closed(NodeKind::List(list), open)
    }

    pub(super) fn closed(&self, kind: NodeKind, open: Place) -> Node {
        let end = self.lexemes[self.at.saturating_sub(1)].place.end;
        Node { kind, origin: self.origin(Place { end: end.max(open.end), ..open }) }
    }

    /// One level further down, if that is not too deep.
    pub(super) fn enter(&mut self, place: Place) -> bool {
        if self.depth >= MAX_DEPTH {
            self.too_deep(place);
            return false;
        }
        self.depth += 1;
        true
    }
}

/// A value behind `+=`.
fn appended(value: Node) -> Node {
    let origin = value.origin.clone();
    Node { kind: NodeKind::Appended(vec![value]), origin }
}

/// What an unquoted text stands for.
pub(crate) fn scalar(text: &str) -> ValueKind {
    match text {
        "true" => ValueKind::Bool(true),
        "false" => ValueKind::Bool(false),
        "null" => ValueKind::Null,
        number if lexer::is_number(number) => ValueKind::Number(text.to_owned()),
        _ => ValueKind::String(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unquoted_words_become_what_they_look_like() {
        assert_eq!(scalar("true"), ValueKind::Bool(true));
        assert_eq!(scalar("1.50"), ValueKind::Number("1.50".into()));
        assert_eq!(scalar("1.0.0"), ValueKind::String("1.0.0".into()));
        assert_eq!(scalar("-"), ValueKind::String("-".into()));
    }
}
