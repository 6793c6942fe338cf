//! The parser's way through the tokens: looking, going on, and what to do when something is wrong.

use std::sync::Arc;

use seatun_api::config::{Origin, Place};

use super::MAX_DEPTH;
use super::lexer::Token;
use super::parser::Parser;
use crate::codes;
use crate::diagnostic::Diagnostic;

/// More syntax errors than this are of no use to anybody.
const MAX_ERRORS: usize = 20;

/// The error is noted; the entry is to be left out.
pub(super) struct Skip;

impl Parser<'_, '_> {
    pub(super) fn too_deep(&mut self, place: Place) -> Skip {
        let message = format!("more than {MAX_DEPTH} levels of nesting");
        let diagnostic = Diagnostic::error(codes::TOO_BIG, message, &self.origin(place));
        self.loader.diagnostics.push(diagnostic);
        self.stop();
        Skip
    }

    fn stop(&mut self) {
        self.stopped = true;
        // invariant: there is always an end token.
        self.at = self.lexemes.len() - 1;
    }

    pub(super) fn never_closed(&mut self, open: Option<Place>, what: &str) {
        // A quote that is never closed has taken in the rest of the text, and with it the closing ones.
        let swallowed = self.lexemes.len() > 1
            && matches!(self.lexemes[self.lexemes.len() - 2].token, Token::Bad { .. })
            && matches!(self.token(), Token::End);
        if let (Some(open), false, false) = (open, self.stopped, swallowed) {
            self.error(open, format!("this {what} is never closed"), "");
        }
    }

    pub(super) fn error(&mut self, place: Place, message: String, hint: &str) -> Skip {
        if self.stopped || self.last_error.replace(place.start) == Some(place.start) {
            return Skip;
        }
        let diagnostic = Diagnostic::error(codes::SYNTAX, message, &self.origin(place)).with_hint(hint);
        self.loader.diagnostics.push(diagnostic);
        self.errors += 1;
        if self.errors >= MAX_ERRORS {
            self.stop();
        }
        Skip
    }

    /// Goes to the end of the entry that is wrong.
    pub(super) fn recover(&mut self) {
        let mut open = 0usize;
        loop {
            match self.token() {
                Token::End => return,
                Token::Newline | Token::Comma if open == 0 => return,
                Token::OpenCurly | Token::OpenSquare => open += 1,
                Token::CloseCurly | Token::CloseSquare if open == 0 => return,
                Token::CloseCurly | Token::CloseSquare => open -= 1,
                _ => {}
            }
            self.bump();
        }
    }

    pub(super) fn token(&self) -> &Token {
        // invariant: `at` never passes the end token, which is the last.
        &self.lexemes[self.at].token
    }

    pub(super) fn place(&self) -> Place {
        self.lexemes[self.at].place
    }

    pub(super) fn origin(&self, place: Place) -> Origin {
        Origin { file: Arc::clone(&self.file), place }
    }

    pub(super) fn bump(&mut self) {
        if self.at + 1 < self.lexemes.len() {
            self.at += 1;
        }
    }

    pub(super) fn skip_space(&mut self) {
        while matches!(self.token(), Token::Space(_)) {
            self.bump();
        }
    }

    pub(super) fn skip_blank(&mut self) {
        while matches!(self.token(), Token::Space(_) | Token::Newline) {
            self.bump();
        }
    }

    pub(super) fn describe(&self) -> &'static str {
        match self.token() {
            Token::OpenCurly => "`{`",
            Token::CloseCurly => "`}`",
            Token::OpenSquare => "`[`",
            Token::CloseSquare => "`]`",
            Token::Comma => "`,`",
            Token::Colon => "`:`",
            Token::Equals => "`=`",
            Token::PlusEquals => "`+=`",
            Token::Newline => "the end of the line",
            Token::Space(_) => "a space",
            Token::Quoted(_) | Token::Unquoted(_) => "another text",
            Token::Substitution(_) => "a substitution",
            Token::Bad { .. } => "something that is no value",
            Token::End => "the end of the file",
        }
    }
}
