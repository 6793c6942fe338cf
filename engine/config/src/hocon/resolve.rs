//! Merges what was assigned to each key and puts substitutions in.
//!
//! A value is the merge of all assignments to its key: objects are joined, anything else hides what is
//! older. A substitution sees the final value of what it names; if that is what is being resolved, it sees
//! what was assigned before (`path = ${path} "x"`), and if there is nothing before, it is a circle.

use indexmap::IndexMap;
use seatun_api::Code;
use seatun_api::config::{Origin, Value, ValueKind};

use super::lookup::{Flat, Item, Stack, assignments};
use super::tree::{Node, NodeKind, Reference};
use super::{Dialect, Lookup};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::variables::is_reserved;

/// Substitutions that lead to each other nest at most so deep.
const MAX_NESTING: usize = 200;
/// Work that any file may take; more is allowed by its size.
const FREE_STEPS: usize = 1_000_000;
/// Bytes of text that concatenations of one file make.
const MAX_TEXT: usize = 64 << 20;

pub(super) struct Resolver<'a, 'l> {
    pub(super) root: &'a Node,
    pub(super) dialect: Dialect,
    lookup: &'l Lookup<'l>,
    diagnostics: &'l mut Vec<Diagnostic>,
    /// Substitutions and concatenations being followed, outermost first.
    pub(super) in_progress: Vec<&'a Node>,
    /// Substitutions whose value is being put together, outermost first.
    expanding: Vec<&'a Node>,
    nesting: usize,
    steps: usize,
    max_steps: usize,
    text: usize,
    /// A list at the root is not resolved, as Lightbend has it.
    lenient: bool,
    given_up: bool,
    /// How many errors were found; what follows from one is not told.
    pub(super) errors: usize,
}

/// Resolves a tree that was made of so many bytes of text. `None` if it has errors.
pub(super) fn resolve(
    root: &Node,
    bytes: usize,
    dialect: Dialect,
    lookup: &Lookup<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Value> {
    let mut resolver = Resolver {
        root,
        dialect,
        lookup,
        diagnostics,
        in_progress: Vec::new(),
        expanding: Vec::new(),
        nesting: 0,
        steps: 0,
        // A value takes two bytes at least, and two steps if nothing is put in.
        max_steps: FREE_STEPS + 4 * bytes,
        text: 0,
        lenient: matches!(root.kind, NodeKind::List(_)),
        given_up: false,
        errors: 0,
    };
    let value = resolver.whole(&Stack::of(root));
    value.filter(|_| !diagnostics.iter().any(Diagnostic::is_error))
}

impl<'a> Resolver<'a, '_> {
    /// One step down. False if a limit is reached; then everything is undefined.
    pub(super) fn descend(&mut self) -> bool {
        self.steps += 1;
        if self.given_up {
            return false;
        }
        if self.nesting >= MAX_NESTING {
            self.give_up(format!("substitutions lead to each other more than {MAX_NESTING} deep"));
            return false;
        }
        if self.steps > self.max_steps || self.text > MAX_TEXT {
            self.give_up("the substitutions of this file expand without measure".to_owned());
            return false;
        }
        self.nesting += 1;
        true
    }

    pub(super) fn ascend(&mut self) {
        self.nesting -= 1;
    }

    fn give_up(&mut self, message: String) {
        self.given_up = true;
        let origin = self.in_progress.last().map_or(&self.root.origin, |node| &node.origin).clone();
        self.error(codes::TOO_BIG, message, "", &origin);
    }

    fn error(&mut self, code: Code, message: String, hint: &str, origin: &Origin) {
        self.errors += 1;
        self.diagnostics.push(Diagnostic::error(code, message, origin).with_hint(hint));
    }

    /// The value of all assignments to a key; `None` if it is undefined.
    fn whole(&mut self, stack: &Stack<'a>) -> Option<Value> {
        if !self.descend() {
            return None;
        }
        let value = self.expand(stack);
        self.ascend();
        let mut value = value?;
        let top = stack.top()?;
        value.key_origin = top.key.cloned();
        if matches!(top.node.kind, NodeKind::Reference(_)) {
            // The place of an option is where it is set, not where its text comes from.
            value.origin = top.node.origin.clone();
        }
        Some(value)
    }

    fn expand(&mut self, stack: &Stack<'a>) -> Option<Value> {
        let mut parts = self.flatten(stack);
        // The parts of a concatenation of texts or lists are expanded one by one.
        let by_parts = matches!(
            (parts.last(), stack.top()),
            (Some(Flat::Leaf(leaf, _)), Some(top)) if std::ptr::eq(*leaf, top.node)
        );
        let opened = self.expanding.len();
        for reference in references(stack).filter(|_| !by_parts) {
            if self.expanding[..opened].iter().any(|open| std::ptr::eq(*open, reference)) {
                if !is_optional(reference) {
                    let message = "this substitution would put a value into itself".to_owned();
                    self.error(codes::SUBSTITUTION, message, "", &reference.origin);
                }
                self.expanding.truncate(opened);
                return None;
            }
            self.expanding.push(reference);
        }
        let value = match parts.last() {
            Some(Flat::Object(..)) => self.merged(&parts),
            _ => parts.pop().and_then(|part| self.leaf(part)),
        };
        self.expanding.truncate(opened);
        value
    }

    fn leaf(&mut self, part: Flat<'a>) -> Option<Value> {
        let (node, below) = match part {
            Flat::Leaf(node, below) => (node, below),
            Flat::Done(value) => return Some(value),
            Flat::Object(..) => return self.merged(&[part]),
        };
        let kind = match &node.kind {
            NodeKind::Scalar(kind) => kind.clone(),
            NodeKind::List(list) => ValueKind::List(self.elements(list)),
            NodeKind::Appended(list) => {
                self.in_progress.push(node);
                let before = self.whole(&below);
                self.in_progress.pop();
                let mut all = match before.map(|value| value.kind) {
                    None => Vec::new(),
                    Some(ValueKind::List(list)) => list,
                    Some(_) => {
                        let message = "a list is appended to what is not a list".to_owned();
                        self.error(codes::CONCATENATION, message, "", &node.origin);
                        return None;
                    }
                };
                all.extend(self.elements(list));
                ValueKind::List(all)
            }
            NodeKind::Concat(parts) => {
                self.in_progress.push(node);
                let kind = self.concat(parts, &node.origin);
                self.in_progress.pop();
                kind?
            }
            NodeKind::Object(_) | NodeKind::Reference(_) | NodeKind::Space(_) => return None,
        };
        Some(Value { kind, origin: node.origin.clone(), key_origin: None })
    }

    fn elements(&mut self, list: &'a [Node]) -> Vec<Value> {
        list.iter().filter_map(|node| self.whole(&Stack::of(node))).collect()
    }

    /// Objects joined key by key.
    fn merged(&mut self, parts: &[Flat<'a>]) -> Option<Value> {
        let mut keys: IndexMap<&'a str, ()> = IndexMap::new();
        let mut last = None;
        for part in parts {
            let Flat::Object(node, object) = part else { continue };
            keys.extend(object.slots.keys().map(|key| (key.as_str(), ())));
            last = Some(*node);
        }
        let mut map = IndexMap::with_capacity(keys.len());
        for key in keys.into_keys() {
            let mut items: Vec<Item<'a>> = Vec::new();
            for part in parts {
                if let Flat::Object(_, object) = part {
                    items.extend(assignments(object, key));
                }
            }
            if let Some(value) = self.whole(&Stack::new(items)) {
                map.insert(key.to_owned(), value);
            }
        }
        let origin = last.map_or_else(Origin::default, |node| node.origin.clone());
        Some(Value { kind: ValueKind::Map(map), origin, key_origin: None })
    }

    /// Texts or lists side by side.
    fn concat(&mut self, parts: &'a [Node], origin: &Origin) -> Option<ValueKind> {
        let mut values = Vec::new();
        for part in parts {
            match &part.kind {
                NodeKind::Space(text) => values.push((part, ValueKind::String(text.clone()))),
                _ => values.extend(self.whole(&Stack::of(part)).map(|value| (part, value.kind))),
            }
        }
        let is_space = |part: &Node| matches!(part.kind, NodeKind::Space(_));
        // What is left alone stays what it is: `${?x}1` without x is a number.
        if values.len() < 2 {
            return values.pop().map(|(_, kind)| kind);
        }
        if values.iter().any(|(_, kind)| matches!(kind, ValueKind::List(_))) {
            let mut all = Vec::new();
            for (part, kind) in values {
                match kind {
                    ValueKind::List(list) => all.extend(list),
                    _ if is_space(part) => {}
                    _ => return self.cannot_join("a list", &part.origin),
                }
            }
            return Some(ValueKind::List(all));
        }
        let mut text = String::new();
        for (part, kind) in values {
            match kind {
                ValueKind::String(piece) | ValueKind::Number(piece) => text.push_str(&piece),
                ValueKind::Bool(piece) => text.push_str(if piece { "true" } else { "false" }),
                ValueKind::Null => text.push_str("null"),
                ValueKind::Map(_) | ValueKind::List(_) => return self.cannot_join("an object", &part.origin),
            }
        }
        self.text += text.len();
        if self.text > MAX_TEXT {
            self.in_progress.clear();
            self.give_up(format!("the texts joined at {origin} grow without measure"));
            return None;
        }
        Some(ValueKind::String(text))
    }

    fn cannot_join(&mut self, what: &str, origin: &Origin) -> Option<ValueKind> {
        let message = format!("{what} cannot be joined with another kind of value");
        self.error(codes::CONCATENATION, message, "put a comma or a new line between two entries", origin);
        None
    }

    /// What becomes of a reference to something that the text does not define.
    pub(super) fn undefined(
        &mut self,
        reference: &Reference,
        circular: bool,
        origin: &Origin,
    ) -> Option<Value> {
        let separator = if self.dialect == Dialect::Standard { "." } else { "->" };
        let name = reference.path.join(separator);
        let known = if is_reserved(&name) { None } else { (self.lookup)(&name) };
        let kept = || Value {
            kind: ValueKind::String(reference.raw.clone()),
            origin: origin.clone(),
            key_origin: None,
        };
        if let Some(text) = known {
            return Some(Value { kind: ValueKind::String(text), ..kept() });
        }
        if reference.optional || self.given_up {
            return None;
        }
        if self.lenient || is_reserved(&name) || reference.has_default {
            return Some(kept());
        }
        if circular {
            let message = format!("the substitution of `{name}` leads back to itself");
            self.error(codes::SUBSTITUTION, message, "", origin);
            return None;
        }
        if self.dialect == Dialect::Standard {
            let message = format!("nothing is known by the name `{name}`");
            self.error(codes::SUBSTITUTION, message, "write `${?..}` if it may be missing", origin);
            return None;
        }
        let message =
            format!("nothing is known by the name `{name}`: `{}` stays as it stands", reference.raw);
        let hint = format!(
            "give it with `-i {name}=..`, as an environment variable, or a default: `\"${{{name}:..}}\"`"
        );
        self.diagnostics.push(Diagnostic::warning(codes::UNRESOLVED, message, origin).with_hint(hint));
        Some(kept())
    }
}

/// The substitutions that assignments are made of.
fn references<'a>(stack: &Stack<'a>) -> impl Iterator<Item = &'a Node> {
    let nodes: Vec<&'a Node> = stack.items().iter().map(|item| item.node).collect();
    nodes
        .into_iter()
        .flat_map(|node| match &node.kind {
            NodeKind::Concat(parts) => parts.as_slice(),
            _ => std::slice::from_ref(node),
        })
        .filter(|node| matches!(node.kind, NodeKind::Reference(_)))
}

fn is_optional(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Reference(reference) if reference.optional)
}
