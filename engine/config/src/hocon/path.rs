//! Key paths: where a key or a reference is cut into steps.

use super::Dialect;

/// A part of a path as it is written.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub text: String,
    pub quoted: bool,
}

/// Cuts a path at the separators outside quotes. `None` if it is empty or has an empty step.
pub(super) fn split(pieces: &[Piece], dialect: Dialect) -> Option<Vec<String>> {
    let separator = match dialect {
        Dialect::SeaTunnel => "->",
        Dialect::Standard => ".",
    };
    let mut steps = vec![Step::default()];
    for piece in trim(pieces) {
        let step = steps.last_mut()?;
        if piece.quoted {
            step.text.push_str(&piece.text);
            step.quoted = true;
            continue;
        }
        let mut parts = piece.text.split(separator);
        step.text.push_str(parts.next().unwrap_or_default());
        steps.extend(parts.map(|part| Step { text: part.to_owned(), quoted: false }));
    }
    let steps: Vec<Step> = match dialect {
        Dialect::SeaTunnel => steps.into_iter().map(Step::trimmed).collect(),
        Dialect::Standard => steps,
    };
    if steps.iter().any(|step| step.text.is_empty() && !step.quoted) {
        return None;
    }
    Some(steps.into_iter().map(|step| step.text).collect())
}

#[derive(Default)]
struct Step {
    text: String,
    quoted: bool,
}

impl Step {
    /// Spaces around `->` do not belong to the keys.
    fn trimmed(mut self) -> Self {
        if !self.quoted {
            self.text = self.text.trim().to_owned();
        }
        self
    }
}

/// Leaves out the spaces around a path.
fn trim(pieces: &[Piece]) -> &[Piece] {
    let blank = |piece: &Piece| !piece.quoted && piece.text.trim().is_empty();
    let Some(first) = pieces.iter().position(|piece| !blank(piece)) else { return &[] };
    let last = pieces.iter().rposition(|piece| !blank(piece)).unwrap_or(first);
    &pieces[first..=last]
}
