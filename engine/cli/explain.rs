//! `seatun explain`: the pages of docs/errors, which the binary carries with it.

use crate::codes;
use crate::error_pages::PAGES;
use crate::output;
use seatun_api::{Error, Result};

/// Prints the page of a code, or the list of all codes.
///
/// # Errors
/// If there is no such code.
pub fn explain(code: Option<&str>) -> Result<()> {
    let Some(code) = code else {
        output::print(&list());
        return Ok(());
    };
    let wanted = normalized(code);
    let Some((_, page)) = PAGES.iter().find(|(code, _)| *code == wanted) else {
        return Err(Error::user(codes::UNKNOWN_CODE, format!("there is no error code `{code}`"))
            .with_hint(hint(&wanted)));
    };
    output::print(page);
    Ok(())
}

/// `102`, `st-102` and `ST-0102` are the same code.
fn normalized(code: &str) -> String {
    let upper = code.trim().to_uppercase();
    let digits = upper.strip_prefix("ST").map_or(upper.as_str(), |rest| rest.trim_start_matches('-'));
    format!("ST-{digits:0>4}")
}

fn hint(code: &str) -> String {
    let area: Vec<&str> =
        PAGES.iter().map(|(known, _)| *known).filter(|known| known.get(..5) == code.get(..5)).collect();
    match area.is_empty() {
        true => "`seatun explain` without a code lists them all".to_owned(),
        false => format!("codes of this area: {}", area.join(", ")),
    }
}

fn list() -> String {
    let mut text = String::new();
    for (_, page) in PAGES {
        let title = page.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
        text.push_str(title);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_spelled_short() {
        for spelling in ["ST-0102", "st-0102", "0102", "102", " ST0102 "] {
            assert_eq!(normalized(spelling), "ST-0102");
        }
    }

    #[test]
    fn every_page_begins_with_its_code() {
        for (code, page) in PAGES {
            assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        }
    }
}
