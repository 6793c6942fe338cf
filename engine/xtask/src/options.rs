//! Tables of options, from the documentation that the config types carry.

use schemars::Schema;
use seatun_config::{OptionDoc, option_docs};

/// The options of a plugin as a Markdown table.
pub fn table(schema: &Schema) -> String {
    let options = option_docs(schema);
    if options.is_empty() {
        return "There are none.\n".to_owned();
    }
    let mut text = String::from("| option | type | default | |\n|---|---|---|---|\n");
    for option in options {
        text.push_str(&row(option));
    }
    text
}

fn row(option: OptionDoc) -> String {
    let (description, said) = without_default(&option.description);
    let default = match (said, option.default) {
        (Some(said), _) => said,
        (None, Some(default)) => default,
        (None, None) => "required".to_owned(),
    };
    let cells = [format!("`{}`", option.name), option.kind, default, description];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// Takes the sentence `Default: ..` out of a description: where the code decides the default later, only
/// the comment knows it.
fn without_default(description: &str) -> (String, Option<String>) {
    const MARK: &str = "Default: ";
    let Some(at) = description.find(MARK) else { return (description.to_owned(), None) };
    let after = &description[at + MARK.len()..];
    let end = after.find(". ").unwrap_or_else(|| after.trim_end_matches('.').len());
    let rest = after[end..].trim_start_matches('.');
    (format!("{}{rest}", description[..at].trim_end()).trim().to_owned(), Some(after[..end].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_that_only_the_comment_knows_stands_in_its_column() {
        let option = |default: Option<&str>, description: &str| OptionDoc {
            name: "row.num".to_owned(),
            kind: "whole number".to_owned(),
            default: default.map(str::to_owned),
            description: description.to_owned(),
        };
        for (option, expected) in [
            (
                option(Some("none"), "Rows | all. Default: 5. Example: `7`."),
                "| 5 | Rows \\| all. Example: `7`. |",
            ),
            (
                option(Some("none"), "Rows. Default: as many as there are."),
                "| as many as there are | Rows. |",
            ),
            (option(Some("`3`"), "Rows."), "| `3` | Rows. |"),
            (option(None, "Rows."), "| required | Rows. |"),
        ] {
            assert_eq!(row(option), format!("| `row.num` | whole number {expected}\n"));
        }
    }
}
