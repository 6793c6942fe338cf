//! How a SeaTunnel spelling becomes a DataFusion call, in the syntax tree.
#![allow(clippy::ptr_arg, reason = "all rewrites go into one table, some add arguments")]

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident, ObjectName, Spanned, Value,
};
use seatun_api::{Error, Result};

use super::json_path::{self, Step};
use super::patterns::{self, Kind};
use crate::codes;
use crate::parse::{Place, error_at};

/// What a spelling means.
pub(crate) enum Spelling {
    /// The same function under another name.
    Name(&'static str),
    /// The same, but the result is a bigint.
    Bigint(&'static str),
    /// A part of a date or time: `date_part(part, argument)`.
    Part(&'static str),
    /// An operator between the two arguments.
    Operator(BinaryOperator),
    /// The arguments change; gives the new name.
    With(fn(&mut Vec<Expr>) -> Result<&'static str, String>),
}

/// Rewrites a call of a function that SeaTunnel spells in its own way; leaves anything else alone.
pub(crate) fn respell(expr: &mut Expr) -> Result<()> {
    let Expr::Function(function) = expr else { return Ok(()) };
    let Some(spelling) = spelling_of(function) else { return Ok(()) };
    let place = Place::of_span(function.name.span());
    let Some(mut arguments) = plain_arguments(function) else { return Ok(()) };
    let refuse = |message: String| -> Error { error_at(codes::QUERY_PLAN, place, message) };
    let name = match spelling {
        Spelling::Name(name) | Spelling::Bigint(name) => *name,
        Spelling::Part(part) => {
            arguments.insert(0, text(part));
            "date_part"
        }
        Spelling::With(rewrite) => {
            rewrite(&mut arguments).map_err(|message| refuse(format!("`{}`: {message}", function.name)))?
        }
        Spelling::Operator(op) => {
            let operands = <[Expr; 2]>::try_from(arguments);
            let [left, right] =
                operands.map_err(|_| refuse(format!("`{}` takes two arguments", function.name)))?;
            *expr = Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) };
            return Ok(());
        }
    };
    set(function, name, arguments);
    if let Spelling::Bigint(_) = spelling {
        let call = Box::new(expr.clone());
        let (kind, data_type) = (CastKind::Cast, DataType::BigInt(None));
        *expr = Expr::Cast { kind, expr: call, data_type, array: false, format: None };
    }
    Ok(())
}

fn spelling_of(function: &Function) -> Option<&'static Spelling> {
    let [part] = function.name.0.as_slice() else { return None };
    let name = part.as_ident()?.value.to_lowercase();
    super::SPELLINGS.iter().find(|(known, _)| *known == name).map(|(_, spelling)| spelling)
}

/// The arguments, if they are nothing but expressions.
fn plain_arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    list.args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
            _ => None,
        })
        .collect()
}

fn set(function: &mut Function, name: &str, arguments: Vec<Expr>) {
    let span = function.name.span();
    function.name = ObjectName::from(vec![Ident::with_span(span, name)]);
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = arguments
            .into_iter()
            .map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)))
            .collect();
    }
}

fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).with_empty_span())
}

fn number(value: usize) -> Expr {
    Expr::Value(Value::Number(value.to_string(), false).with_empty_span())
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn takes(arguments: &[Expr], counts: std::ops::RangeInclusive<usize>) -> Result<(), String> {
    if counts.contains(&arguments.len()) {
        return Ok(());
    }
    match (counts.start(), counts.end()) {
        (1, 1) => Err("it takes one argument".to_owned()),
        (least, most) if least == most => Err(format!("it takes {least} arguments")),
        (least, most) => Err(format!("it takes {least} to {most} arguments")),
    }
}

/// `LOCATE(part, text)` is `strpos(text, part)`.
pub(super) fn locate(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    takes(arguments, 2..=2)?;
    arguments.swap(0, 1);
    Ok("strpos")
}

/// Every match is replaced, as in Java; DataFusion needs the flag `g` for that.
pub(super) fn regexp_replace(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    takes(arguments, 3..=4)?;
    match arguments.get(3).map(literal) {
        None => arguments.push(text("g")),
        Some(Some(flags)) => arguments[3] = text(&format!("g{flags}")),
        Some(None) => return Err("the flags must be a text in quotes".to_owned()),
    }
    Ok("regexp_replace")
}

pub(super) fn space(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    takes(arguments, 1..=1)?;
    arguments.insert(0, text(" "));
    Ok("repeat")
}

pub(super) fn to_base64(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    takes(arguments, 1..=1)?;
    arguments.push(text("base64pad"));
    Ok("encode")
}

/// `DATE_TRUNC(date, 'MONTH')` and `date_trunc('month', date)` are the same.
pub(super) fn date_trunc(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    takes(arguments, 2..=2)?;
    if literal(&arguments[0]).is_none() {
        arguments.swap(0, 1);
    }
    Ok("date_trunc")
}

pub(super) fn dayname(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    takes(arguments, 1..=1)?;
    arguments.push(text("%A"));
    Ok("to_char")
}

pub(super) fn monthname(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    takes(arguments, 1..=1)?;
    arguments.push(text("%B"));
    Ok("to_char")
}

fn pattern(arguments: &[Expr]) -> Result<patterns::Pattern, String> {
    takes(arguments, 2..=2)?;
    let pattern = literal(&arguments[1]).ok_or("the pattern must be a text in quotes")?;
    patterns::translate(pattern)
}

/// `FORMATDATETIME(date, 'yyyy-MM-dd')` with a pattern of Java's letters.
pub(super) fn format_datetime(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    let pattern = pattern(arguments)?;
    arguments[1] = text(&pattern.strftime);
    Ok("to_char")
}

/// `PARSEDATETIME(text, pattern)`: a timestamp, a date or a time, as the pattern has it.
pub(super) fn parse_datetime(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    let pattern = pattern(arguments)?;
    arguments[1] = text(&pattern.strftime);
    Ok(match pattern.kind {
        Kind::Timestamp => "to_timestamp_micros",
        Kind::Date => "to_date",
        Kind::Time => "to_time",
    })
}

/// `TO_DATE(text, pattern)` is `PARSEDATETIME`; with the text alone it is DataFusion's.
pub(super) fn to_date(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    match arguments.len() {
        1 => Ok("to_date"),
        _ => parse_datetime(arguments),
    }
}

/// `GET_JSON_OBJECT(json, '$.a.b[0]')`: the value as text, null if the path leads nowhere.
pub(super) fn get_json_object(arguments: &mut Vec<Expr>) -> Result<&'static str, String> {
    takes(arguments, 2..=2)?;
    let path = literal(&arguments[1]).ok_or("the path must be a text in quotes")?;
    let steps = json_path::parse(path)?;
    arguments.truncate(1);
    arguments.extend(steps.iter().map(|step| match step {
        Step::Key(key) => text(key),
        Step::Index(index) => number(*index),
    }));
    Ok("json_as_text")
}
