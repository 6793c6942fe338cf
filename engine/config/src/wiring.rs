//! Connects the blocks of a job file to a graph.
//!
//! A block may leave its names out where only one meaning is possible: a transform then reads what stands
//! before it, a sink the last output that nobody else reads. Everything else is an error with its place.

use std::collections::BTreeMap;

use seatun_api::error::nearest_hint;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::draft::Draft;
use crate::job::{NodeKind, NodeSpec};

/// The nodes in topological order, those that no sink needs left out. `None` if there are errors.
pub(crate) fn connect(
    drafts: &[Draft],
    parallelism: u32,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<NodeSpec>> {
    let before = diagnostics.len();
    let outputs = outputs(drafts, diagnostics);
    let inputs = inputs(drafts, &outputs, diagnostics);
    let order = topological(drafts, &inputs, diagnostics);
    let failed = diagnostics[before..].iter().any(Diagnostic::is_error);
    let order = order.filter(|_| !failed && drafts.iter().all(|draft| draft.plugin.is_some()))?;
    let needed = needed(drafts, &inputs);
    for (draft, _) in drafts.iter().zip(&needed).filter(|(_, needed)| !**needed) {
        let place = draft.output.as_ref().map_or(&draft.origin, |(_, place)| place);
        let message = format!("no sink reads from `{}`: it is not run", draft.id);
        diagnostics.push(Diagnostic::warning(codes::UNUSED_OUTPUT, message, place));
    }
    let mut nodes: Vec<NodeSpec> = Vec::new();
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for at in order.into_iter().filter(|at| needed[*at]) {
        let draft = &drafts[at];
        let read: Vec<usize> = inputs[at].iter().filter_map(|input| places.get(input).copied()).collect();
        let inherited = read.iter().map(|input| nodes[*input].parallelism).max().unwrap_or(parallelism);
        let input_names = read.iter().map(|input| nodes[*input].id.clone()).collect();
        places.insert(at, nodes.len());
        nodes.push(NodeSpec {
            id: draft.id.clone(),
            kind: draft.kind,
            plugin: draft.plugin?,
            parallelism: draft.parallelism.unwrap_or(inherited),
            inputs: read,
            input_names,
            output: draft.output.as_ref().map(|(name, _)| name.clone()),
            rate: draft.rate,
            options: draft.options.clone(),
            origin: draft.origin.clone(),
        });
    }
    Some(nodes)
}

/// The blocks by the names of their outputs.
fn outputs<'d>(drafts: &'d [Draft], diagnostics: &mut Vec<Diagnostic>) -> BTreeMap<&'d str, usize> {
    let mut outputs: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        let Some((name, place)) = &draft.output else { continue };
        if name == crate::dead_letter::ID {
            let message = format!("the name `{name}` is that of the job's dead-letter sink");
            diagnostics.push(
                Diagnostic::error(codes::DUPLICATE_OUTPUT, message, place).with_hint("choose another name"),
            );
        }
        match outputs.get(name.as_str()) {
            Some(first) => {
                let first = &drafts[*first].output.as_ref().map(|(_, place)| place.to_string());
                let message = format!("the name `{name}` is given to two outputs");
                diagnostics.push(
                    Diagnostic::error(codes::DUPLICATE_OUTPUT, message, place)
                        .with_hint(format!("the first one is at {}", first.as_deref().unwrap_or_default())),
                );
            }
            None => {
                outputs.insert(name, at);
            }
        }
    }
    outputs
}

/// What each block reads.
fn inputs(
    drafts: &[Draft],
    outputs: &BTreeMap<&str, usize>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Vec<usize>> {
    let known: Vec<&str> =
        outputs.iter().filter(|(_, at)| drafts[**at].kind != NodeKind::Sink).map(|(name, _)| *name).collect();
    let mut inputs: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    for (at, draft) in drafts.iter().enumerate() {
        for (name, place) in draft.inputs.iter().flatten() {
            match outputs.get(name.as_str()).filter(|input| drafts[**input].kind != NodeKind::Sink) {
                Some(input) => inputs[at].push(*input),
                None => {
                    let message = format!("no `plugin_output` is named `{name}`");
                    let hint = match known.is_empty() {
                        true => {
                            "name the output with `plugin_output`, or leave `plugin_input` out".to_owned()
                        }
                        false => nearest_hint(name, &known),
                    };
                    diagnostics.push(Diagnostic::error(codes::UNKNOWN_INPUT, message, place).with_hint(hint));
                }
            }
        }
    }
    let sources = drafts.iter().filter(|draft| draft.kind == NodeKind::Source).count();
    for (at, draft) in drafts.iter().enumerate() {
        if draft.kind == NodeKind::Transform && draft.inputs.is_none() {
            match drafts[..at].iter().rposition(|before| before.kind == NodeKind::Transform) {
                Some(before) => inputs[at].push(before),
                None if sources == 1 => inputs[at].push(0),
                None if sources == 0 => {}
                None => diagnostics.push(ambiguous(drafts, draft, NodeKind::Source)),
            }
        }
    }
    let read: Vec<usize> = inputs.iter().flatten().copied().collect();
    let open: Vec<usize> =
        (0..drafts.len()).filter(|at| drafts[*at].kind != NodeKind::Sink && !read.contains(at)).collect();
    let last = drafts.iter().rposition(|draft| draft.kind != NodeKind::Sink);
    for (at, draft) in drafts.iter().enumerate() {
        if draft.kind == NodeKind::Sink && draft.inputs.is_none() {
            match (open.as_slice(), last) {
                ([only], _) => inputs[at].push(*only),
                ([], Some(last)) => inputs[at].push(last),
                ([], None) => {}
                _ => diagnostics.push(ambiguous(drafts, draft, NodeKind::Sink)),
            }
        }
    }
    inputs
}

fn ambiguous(drafts: &[Draft], draft: &Draft, before: NodeKind) -> Diagnostic {
    let candidates: Vec<&str> = drafts
        .iter()
        .filter(|other| if before == NodeKind::Sink { other.kind != before } else { other.kind == before })
        .map(|other| other.id.as_str())
        .collect();
    let message = format!("`{}` does not say which output it reads, and there are several", draft.id);
    Diagnostic::error(codes::AMBIGUOUS_INPUT, message, &draft.origin).with_hint(format!(
        "name each output with `plugin_output`, and write `plugin_input` here; there are: {}",
        candidates.join(", ")
    ))
}

/// The blocks, each behind all that it reads, else in the order of the file. `None` if there is a circle.
fn topological(
    drafts: &[Draft],
    inputs: &[Vec<usize>],
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = Vec::new();
    let mut placed = vec![false; drafts.len()];
    while order.len() < drafts.len() {
        let ready =
            (0..drafts.len()).find(|at| !placed[*at] && inputs[*at].iter().all(|input| placed[*input]));
        let Some(ready) = ready else {
            report_circle(drafts, inputs, &placed, diagnostics);
            return None;
        };
        placed[ready] = true;
        order.push(ready);
    }
    Some(order)
}

fn report_circle(
    drafts: &[Draft],
    inputs: &[Vec<usize>],
    placed: &[bool],
    diagnostics: &mut Vec<Diagnostic>,
) {
    // Going up from any block that is left ends in the circle, for each of them waits for another one.
    let Some(mut at) = placed.iter().position(|placed| !placed) else { return };
    let mut path: Vec<usize> = Vec::new();
    while !path.contains(&at) {
        path.push(at);
        let Some(next) = inputs[at].iter().copied().find(|input| !placed[*input]) else { return };
        at = next;
    }
    let start = path.iter().position(|seen| *seen == at).unwrap_or(0);
    let mut names: Vec<&str> = path[start..].iter().rev().map(|at| drafts[*at].id.as_str()).collect();
    names.extend(names.first().copied());
    let draft = &drafts[at];
    // The named inputs stand in the order of what they were found to be.
    let port = inputs[at].iter().position(|input| path[start..].contains(input)).unwrap_or(0);
    let place = draft.inputs.iter().flatten().nth(port).map_or(&draft.origin, |(_, place)| place);
    let message = format!("these nodes read from each other in a circle: {}", names.join(" -> "));
    diagnostics.push(Diagnostic::error(codes::CYCLE, message, place));
}

/// Which blocks some sink reads, directly or not; sinks are always needed.
fn needed(drafts: &[Draft], inputs: &[Vec<usize>]) -> Vec<bool> {
    let mut needed = vec![false; drafts.len()];
    let mut todo: Vec<usize> = (0..drafts.len()).filter(|at| drafts[*at].kind == NodeKind::Sink).collect();
    while let Some(at) = todo.pop() {
        if !std::mem::replace(&mut needed[at], true) {
            todo.extend(&inputs[at]);
        }
    }
    needed
}
