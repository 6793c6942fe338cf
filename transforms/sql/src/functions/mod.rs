//! SeaTunnel's functions, by name.
//!
//! Two tables: [`SPELLINGS`] has what is another spelling of a function that DataFusion or
//! `datafusion-functions-json` has, rewritten before planning; [`own`] gives what is implemented here. All
//! other functions are those of DataFusion under their own names. Names are matched in any case.

mod clock;
mod json_path;
mod patterns;
mod spell;

use datafusion::logical_expr::ScalarUDF;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use spell::Spelling::{self, Bigint, Name, Operator, Part, With};
pub(crate) use spell::respell;

/// Functions that are implemented here.
pub(crate) fn own() -> Vec<ScalarUDF> {
    clock::functions()
}

/// Other spellings: SeaTunnel's name, in lower case, and what it means.
pub(crate) const SPELLINGS: &[(&str, Spelling)] = &[
    // Text.
    ("bit_length", Bigint("bit_length")),
    ("char", Name("chr")),
    ("char_length", Bigint("character_length")),
    ("lcase", Name("lower")),
    ("length", Bigint("character_length")),
    ("locate", With(spell::locate)),
    ("octet_length", Bigint("octet_length")),
    ("regexp_replace", With(spell::regexp_replace)),
    ("space", With(spell::space)),
    ("split", Name("string_to_array")),
    ("to_base64", With(spell::to_base64)),
    ("ucase", Name("upper")),
    // Numbers.
    ("ceiling", Name("ceil")),
    ("mod", Operator(BinaryOperator::Modulo)),
    ("rand", Name("random")),
    ("sign", Name("signum")),
    ("truncate", Name("trunc")),
    // Dates and times.
    ("date_trunc", With(spell::date_trunc)),
    ("day", Part("day")),
    ("day_of_month", Part("day")),
    ("day_of_week", Part("isodow")),
    ("day_of_year", Part("doy")),
    ("dayname", With(spell::dayname)),
    ("dayofmonth", Part("day")),
    ("dayofweek", Part("isodow")),
    ("dayofyear", Part("doy")),
    ("formatdatetime", With(spell::format_datetime)),
    ("hour", Part("hour")),
    ("minute", Part("minute")),
    ("month", Part("month")),
    ("monthname", With(spell::monthname)),
    ("parsedatetime", With(spell::parse_datetime)),
    ("quarter", Part("quarter")),
    ("second", Part("second")),
    ("to_char", With(spell::format_datetime)),
    ("to_date", With(spell::to_date)),
    ("week", Part("week")),
    ("year", Part("year")),
    // Lists and JSON.
    ("array", Name("make_array")),
    ("get_json_object", With(spell::get_json_object)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_each_name_once_in_lower_case() {
        let mut names: Vec<&str> = SPELLINGS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(names.iter().all(|name| **name == name.to_lowercase()));
    }
}
