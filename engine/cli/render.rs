//! Errors for people: problems of a job file with the lines they stand on, and failures of a run.

use std::error::Error as _;
use std::io::IsTerminal;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin as Place, Renderer, Snippet};
use seatun_api::Error;
use seatun_config::{Diagnostic, Severity, Sources};

/// Whether stderr takes colours: it is a terminal, and the user has not said no.
#[must_use]
pub fn colours() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !refused && !dumb
}

fn renderer(colours: bool) -> Renderer {
    match colours {
        true => Renderer::styled().decor_style(DecorStyle::Unicode),
        false => Renderer::plain(),
    }
}

/// All findings about a job file, each with its line, and how many there are.
#[must_use]
pub fn diagnostics(found: &[Diagnostic], sources: &Sources, file: &str) -> String {
    let renderer = renderer(colours());
    let mut text = String::new();
    for diagnostic in found {
        text.push_str(&renderer.render(&[group(diagnostic, sources)]));
        text.push_str("\n\n");
    }
    text.push_str(&tally(found, file));
    text.push('\n');
    text
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let origin = &diagnostic.origin;
    let mut group = Group::with_title(level.primary_title(&*diagnostic.message).id(diagnostic.code.0));
    if let Some(line) = sources.line(origin) {
        let span = byte_at(&line.text, line.mark.start)..byte_at(&line.text, line.mark.end);
        // A mark behind the end of the line (something is missing there) needs a place to stand on.
        let text = if line.mark.end > line.text.chars().count() { line.text + " " } else { line.text };
        group = group.element(
            Snippet::source(text)
                .path(&*origin.file)
                .line_start(origin.place.line as usize)
                .annotation(AnnotationKind::Primary.span(span)),
        );
    } else if !origin.file.is_empty() {
        group = group.element(Place::path(&*origin.file));
    }
    match &diagnostic.hint {
        Some(hint) => group.element(Level::HELP.message(&**hint)),
        None => group,
    }
}

/// The byte at which a character begins; one more for each character behind the end.
fn byte_at(text: &str, character: usize) -> usize {
    let count = text.chars().count();
    let within = text.char_indices().nth(character).map(|(byte, _)| byte);
    within.unwrap_or_else(|| text.len() + character.saturating_sub(count))
}

/// `3 errors, 1 warning in job.conf`.
fn tally(found: &[Diagnostic], file: &str) -> String {
    let errors = found.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = found.len() - errors;
    let mut parts = Vec::new();
    for (count, word) in [(errors, "error"), (warnings, "warning")] {
        if count > 0 {
            parts.push(format!("{count} {word}{}", if count == 1 { "" } else { "s" }));
        }
    }
    format!("{} in {file}", parts.join(", "))
}

/// A failure of a run: code, message, facts, the errors below it, and what would help.
#[must_use]
pub fn error(error: &Error) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(error.message()).id(error.code().0));
    for (key, value) in error.context() {
        group = group.element(Level::NOTE.no_name().message(format!("{key} = {value}")));
    }
    let mut below = error.source();
    while let Some(cause) = below {
        group = group.element(Level::NOTE.with_name("caused by").message(cause.to_string()));
        below = cause.source();
    }
    if let Some(hint) = error.hint() {
        group = group.element(Level::HELP.message(hint));
    }
    let explain = format!("run `seatun explain {}` for more", error.code());
    format!("{}\n{explain}\n", renderer(colours()).render(&[group]))
}
