//! From a query's text to its syntax tree, and places in the text.
//!
//! Guarantees: what comes out is one query, and every error says where in the text it is.

use std::fmt;

use datafusion::common::{Location, Span};
use datafusion::sql::sqlparser::ast::{Query, Statement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{self, Token, Tokenizer};
use seatun_api::{Code, Error, Result};

use crate::codes;

/// A place in the text of a query; line and column count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: u64,
    pub column: u64,
}

impl Place {
    fn new(line: u64, column: u64) -> Option<Self> {
        (line > 0 && column > 0).then_some(Self { line, column })
    }

    pub(crate) fn of_span(span: tokenizer::Span) -> Option<Self> {
        Self::new(span.start.line, span.start.column)
    }

    pub(crate) fn of_planner_span(span: Option<Span>) -> Option<Self> {
        let Location { line, column } = span?.start;
        Self::new(line, column)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// An error of the option `query` at a place in its text.
pub(crate) fn error_at(code: Code, place: Option<Place>, message: impl fmt::Display) -> Error {
    let message = match place {
        Some(place) => format!("{place}: {message}"),
        None => message.to_string(),
    };
    Error::user(code, message).at_option("query")
}

/// Reads the text of a query.
pub(crate) fn parse(text: &str) -> Result<Query> {
    let dialect = GenericDialect {};
    let statements = Parser::new(&dialect)
        .try_with_sql(text)
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| syntax_error(&error))?;
    let mut statements = statements.into_iter();
    match (statements.next(), statements.next()) {
        (Some(Statement::Query(query)), None) => Ok(*query),
        (Some(Statement::Query(_)), Some(_)) => {
            Err(error_at(codes::QUERY_SYNTAX, None, "the text holds more than one statement")
                .with_hint("give each query a Sql transform of its own"))
        }
        (Some(_), _) => Err(error_at(codes::QUERY_SYNTAX, None, "the statement is not a query")
            .with_hint("write `select ... from ...`")),
        (None, _) => Err(error_at(codes::QUERY_SYNTAX, None, "the query is empty")
            .with_hint("write `select ... from ...`")),
    }
}

fn syntax_error(error: &ParserError) -> Error {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "it is nested too deeply",
    };
    let (message, place) = split_place(text);
    error_at(codes::QUERY_SYNTAX, place, lower_first(message))
}

/// Splits the parser's own ` at Line: 1, Column: 8` off its message.
fn split_place(text: &str) -> (&str, Option<Place>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else { return (text, None) };
    let place = place
        .split_once(", Column: ")
        .and_then(|(line, column)| Place::new(line.trim().parse().ok()?, column.trim().parse().ok()?));
    (message, place)
}

/// A message that begins in lower case and ends without a dot.
pub(crate) fn lower_first(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !letters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

/// Where a word first stands in the text, if it does.
pub(crate) fn find_word(text: &str, word: &str) -> Option<Place> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location().ok()?;
    tokens.into_iter().find_map(|token| match &token.token {
        Token::Word(found) if found.value.eq_ignore_ascii_case(word) => Place::of_span(token.span),
        _ => None,
    })
}
