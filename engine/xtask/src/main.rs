//! What is generated from the code and committed: `cargo xtask gen` writes it, `cargo xtask gen --check`
//! fails with the differences if something is stale.

mod command_line;
mod error_pages;
mod options;
mod plugins;
mod sections;

// The command line's definition, as the binary has it; it stands on `clap` and
// `clap_complete` alone.
#[path = "../../cli/args.rs"]
mod args;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A file that is generated whole.
struct Generated {
    path: PathBuf,
    text: String,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let check = match arguments.as_slice() {
        ["gen"] => false,
        ["gen", "--check"] => true,
        _ => {
            eprintln!("usage: cargo xtask gen [--check]");
            return ExitCode::from(2);
        }
    };
    match generate(check) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes or checks everything; false if something is stale.
fn generate(check: bool) -> Result<bool, String> {
    let root = root();
    let mut all = error_pages::generate(&root)?;
    all.extend(plugins::generate(&root)?);
    all.push(command_line::generate());
    all.extend(sections::generate(&root)?);
    let mut fresh = true;
    for file in &all {
        let path = root.join(&file.path);
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        if there == file.text {
            continue;
        }
        if check {
            fresh = false;
            eprintln!("{} is stale: run `cargo xtask gen`", file.path.display());
            eprint!("{}", differences(&there, &file.text));
            continue;
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        std::fs::write(&path, &file.text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("wrote {}", file.path.display());
    }
    Ok(fresh)
}

/// The top of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

fn read(root: &Path, path: &str) -> Result<String, String> {
    std::fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))
}

/// The lines between the first and the last that differ.
fn differences(there: &str, wanted: &str) -> String {
    const SHOWN: usize = 20;
    let (there, wanted): (Vec<&str>, Vec<&str>) = (there.lines().collect(), wanted.lines().collect());
    let same_before = there.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    let same_after = there[same_before..]
        .iter()
        .rev()
        .zip(wanted[same_before..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut text = format!("  from line {}:\n", same_before + 1);
    for (mark, lines) in [('-', &there), ('+', &wanted)] {
        for line in lines[same_before..lines.len() - same_after].iter().take(SHOWN) {
            text.push_str(&format!("  {mark} {line}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_show_what_changed_only() {
        assert_eq!(differences("a\nb\nc\n", "a\nx\ny\nc\n"), "  from line 2:\n  - b\n  + x\n  + y\n");
    }

    #[test]
    fn everything_that_is_generated_is_fresh() {
        assert!(generate(true).unwrap(), "run `cargo xtask gen`");
    }
}
