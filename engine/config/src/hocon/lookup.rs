//! Finds what a path refers to, before it is known as a value: the assignments to it, with substitutions on
//! the way followed just as far as the path needs.

use std::rc::Rc;

use seatun_api::config::{Origin, Value};

use super::Dialect;
use super::resolve::Resolver;
use super::tree::{Node, NodeKind, Object, Reference};

/// One assignment.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub node: &'a Node,
    pub key: Option<&'a Origin>,
}

/// Assignments to one key, oldest first; the first `len` of them count.
#[derive(Clone)]
pub(super) struct Stack<'a> {
    items: Rc<[Item<'a>]>,
    len: usize,
}

impl<'a> Stack<'a> {
    pub(super) fn new(items: Vec<Item<'a>>) -> Self {
        Self { len: items.len(), items: Rc::from(items) }
    }

    pub(super) fn of(node: &'a Node) -> Self {
        Self::new(vec![Item { node, key: None }])
    }

    pub(super) fn items(&self) -> &[Item<'a>] {
        // invariant: `len` is never more than there are items.
        &self.items[..self.len]
    }

    pub(super) fn top(&self) -> Option<Item<'a>> {
        self.items().last().copied()
    }

    fn below(&self, len: usize) -> Self {
        Self { items: Rc::clone(&self.items), len: len.min(self.len) }
    }
}

/// An assignment with the substitutions at its top followed.
#[derive(Clone)]
pub(super) enum Flat<'a> {
    Object(&'a Node, &'a Object),
    /// Anything but an object, and what lies below it.
    Leaf(&'a Node, Stack<'a>),
    /// Something that does not stand in the text: a variable, or a substitution that stays.
    Done(Value),
}

impl Flat<'_> {
    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Object(..))
    }
}

/// What a path leads to.
pub(super) struct Found<'a> {
    pub stack: Stack<'a>,
    /// The path leads to what is being resolved; only what lies below that counts.
    pub circular: bool,
}

impl<'a> Resolver<'a, '_> {
    /// The assignments that are merged into a value, oldest first: objects, or one leaf. Those hidden by a
    /// younger one that is no object are not looked at.
    pub(super) fn flatten(&mut self, stack: &Stack<'a>) -> Vec<Flat<'a>> {
        let mut parts = Vec::new();
        if !self.descend() {
            return parts;
        }
        for (at, item) in stack.items().iter().enumerate().rev() {
            let group = self.flatten_node(item.node, &stack.below(at));
            let hides = group.iter().any(|part| !part.is_object());
            parts.extend(group.into_iter().rev());
            if hides {
                break;
            }
        }
        self.ascend();
        // Objects hide a leaf below them, a leaf hides everything: what is left is all objects or one leaf.
        if let Some(leaf) = parts.iter().position(|part| !part.is_object()) {
            parts.truncate(leaf.max(1));
        }
        parts.reverse();
        parts
    }

    fn flatten_node(&mut self, node: &'a Node, below: &Stack<'a>) -> Vec<Flat<'a>> {
        match &node.kind {
            NodeKind::Object(object) => vec![Flat::Object(node, object)],
            NodeKind::Reference(reference) => {
                self.in_progress.push(node);
                let parts = self.follow(reference, &node.origin);
                self.in_progress.pop();
                parts
            }
            NodeKind::Concat(parts) => {
                self.in_progress.push(node);
                let objects = self.flatten_concat(parts);
                self.in_progress.pop();
                objects.unwrap_or_else(|| vec![Flat::Leaf(node, below.clone())])
            }
            _ => vec![Flat::Leaf(node, below.clone())],
        }
    }

    /// The objects of a concatenation of objects; `None` if it is one of texts or lists.
    fn flatten_concat(&mut self, parts: &'a [Node]) -> Option<Vec<Flat<'a>>> {
        let mut objects = Vec::new();
        for part in parts {
            match &part.kind {
                NodeKind::Space(_) => {}
                NodeKind::Object(object) => objects.push(Flat::Object(part, object)),
                NodeKind::Reference(_) => {
                    let group = self.flatten_node(part, &Stack::new(Vec::new()));
                    if group.iter().any(|part| !part.is_object()) {
                        return None;
                    }
                    objects.extend(group);
                }
                _ => return None,
            }
        }
        (!objects.is_empty()).then_some(objects)
    }

    fn follow(&mut self, reference: &Reference, origin: &Origin) -> Vec<Flat<'a>> {
        let errors = self.errors;
        let found = self.find(reference);
        let parts = self.flatten(&found.stack);
        if !parts.is_empty() || self.errors > errors {
            return parts;
        }
        self.undefined(reference, found.circular, origin).map(Flat::Done).into_iter().collect()
    }

    /// What a reference leads to in the text: below the key that its file was included at, then from the
    /// root. SeaTunnel's dotted names are one key first, then a path.
    fn find(&mut self, reference: &Reference) -> Found<'a> {
        let mut circular = false;
        let mut candidates = Vec::new();
        if !reference.included_at.is_empty() {
            candidates.push([reference.included_at.as_slice(), reference.path.as_slice()].concat());
        }
        match (self.dialect, reference.path.as_slice()) {
            (Dialect::SeaTunnel, [name]) => candidates.extend(readings(name, MAX_DOTS)),
            (_, path) => candidates.push(path.to_vec()),
        }
        for path in candidates {
            let found = self.at(&path);
            circular |= found.circular;
            if !found.stack.items().is_empty() {
                return Found { circular, ..found };
            }
        }
        Found { stack: Stack::new(Vec::new()), circular }
    }

    fn at(&mut self, path: &[String]) -> Found<'a> {
        let mut stack = Stack::of(self.root);
        let mut circular = false;
        for key in path {
            stack = self.child(&stack, key);
            let busy = |item: &Item<'a>| self.in_progress.iter().any(|node| std::ptr::eq(*node, item.node));
            if let Some(at) = stack.items().iter().position(busy) {
                circular = true;
                stack = stack.below(at);
            }
            if stack.items().is_empty() {
                break;
            }
        }
        Found { stack, circular }
    }

    fn child(&mut self, stack: &Stack<'a>, key: &str) -> Stack<'a> {
        let mut items = Vec::new();
        for part in self.flatten(stack) {
            match part {
                Flat::Object(_, object) => items.extend(assignments(object, key)),
                _ => items.clear(),
            }
        }
        Stack::new(items)
    }
}

/// More dots than this in one name are not tried in every way.
const MAX_DOTS: usize = 6;

/// What a dotted name can mean, in the order in which options are looked up: one key, or a key and what is
/// below it.
fn readings(name: &str, dots: usize) -> Vec<Vec<String>> {
    let mut all = vec![vec![name.to_owned()]];
    if dots == 0 {
        return all;
    }
    for (dot, _) in name.match_indices('.').take(MAX_DOTS) {
        for rest in readings(&name[dot + 1..], dots - 1) {
            all.push(std::iter::once(name[..dot].to_owned()).chain(rest).collect());
        }
    }
    all
}

/// The assignments of an object to a key.
pub(super) fn assignments<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = Item<'a>> {
    let slot = object.slots.get(key).into_iter().flatten();
    slot.map(|assignment| Item { node: &assignment.node, key: Some(&assignment.key) })
}
