//! What the parser makes of a text before anything is merged or substituted.

use indexmap::IndexMap;
use seatun_api::config::{Origin, ValueKind};

/// A value as it is written.
#[derive(Debug)]
pub(super) struct Node {
    pub kind: NodeKind,
    pub origin: Origin,
}

#[derive(Debug)]
pub(super) enum NodeKind {
    /// Null, a boolean, a number or a text.
    Scalar(ValueKind),
    List(Vec<Node>),
    /// A list that goes behind what its key had before: `+=`, and a repeated block of plugins.
    Appended(Vec<Node>),
    Object(Object),
    Reference(Reference),
    /// Spaces between two parts of a concatenation.
    Space(String),
    /// Parts that stand side by side.
    Concat(Vec<Node>),
}

/// A substitution.
#[derive(Debug)]
pub(super) struct Reference {
    pub path: Vec<String>,
    /// The key under which the file with this reference was included: it is looked for there first.
    pub included_at: Vec<String>,
    pub optional: bool,
    pub has_default: bool,
    pub raw: String,
}

/// One assignment to a key.
#[derive(Debug)]
pub(super) struct Assignment {
    pub key: Origin,
    pub node: Node,
}

/// An object: for each key, in the order of first appearance, what was assigned to it, oldest first.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub slots: IndexMap<String, Vec<Assignment>>,
}

impl Object {
    /// Assigns to a key. Two literal objects in a row become one, and so do two lists if the second one is
    /// appended.
    pub(super) fn assign(&mut self, name: &str, key: Origin, node: Node) {
        let slot = match self.slots.get_mut(name) {
            Some(slot) => slot,
            None => self.slots.entry(name.to_owned()).or_default(),
        };
        let Node { kind, origin } = node;
        let kind = match (slot.last_mut().map(|last| &mut last.node.kind), kind) {
            (Some(NodeKind::Object(existing)), NodeKind::Object(object)) => return existing.merge(object),
            (Some(NodeKind::List(list) | NodeKind::Appended(list)), NodeKind::Appended(more)) => {
                return list.extend(more);
            }
            (_, kind) => kind,
        };
        slot.push(Assignment { key, node: Node { kind, origin } });
    }

    /// Assigns all of another object, as if it were written behind this one.
    pub(super) fn merge(&mut self, other: Self) {
        for (name, assignments) in other.slots {
            for Assignment { key, node } in assignments {
                self.assign(&name, key, node);
            }
        }
    }

    /// Assigns below a path of one or more keys.
    pub(super) fn assign_path(&mut self, path: &[String], key: &Origin, node: Node) {
        let Some((first, rest)) = path.split_first() else { return };
        let node = rest.iter().rev().fold(node, |node, name| {
            let mut object = Self::default();
            let origin = node.origin.clone();
            object.assign(name, key.clone(), node);
            Node { kind: NodeKind::Object(object), origin }
        });
        self.assign(first, key.clone(), node);
    }
}
