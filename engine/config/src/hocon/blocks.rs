//! The top-level blocks `source`, `transform` and `sink` of SeaTunnel's dialect: each child is one entry of
//! an ordered list, with its key as `plugin_name`. A plugin may occur several times, and so may the block.

use seatun_api::config::{Origin, Place, ValueKind};

use super::Dialect;
use super::cursor::Skip;
use super::lexer::Token;
use super::parser::Parser;
use super::tree::{Node, NodeKind, Object};
use crate::codes;
use crate::diagnostic::Diagnostic;

/// The blocks whose children are plugins.
pub(crate) const SECTIONS: [&str; 3] = ["source", "transform", "sink"];

impl Parser<'_, '_> {
    /// Whether a key of the place where the parser is names one of the blocks.
    pub(super) fn is_block(&self, path: &[String]) -> bool {
        self.dialect == Dialect::SeaTunnel
            && self.included_at.is_empty()
            && self.above.as_ref().is_some_and(Vec::is_empty)
            && matches!(path, [name] if SECTIONS.contains(&name.as_str()))
    }

    /// A block behind its key: an object of plugins, or any other value as HOCON has it.
    pub(super) fn block_field(
        &mut self,
        object: &mut Object,
        path: &[String],
        key: Origin,
    ) -> Result<(), Skip> {
        let name = path[0].as_str();
        self.skip_blank();
        let mut appends = false;
        match self.token() {
            Token::Colon | Token::Equals => self.bump(),
            Token::PlusEquals => {
                appends = true;
                self.bump();
            }
            Token::OpenCurly => {}
            _ => {
                let message = format!("expected a block behind `{name}`, found {}", self.describe());
                return Err(self.error(self.place(), message, ""));
            }
        }
        self.skip_blank();
        let open = self.place();
        let list = match self.token() {
            Token::OpenCurly if !appends => self.entries(open),
            _ => {
                let above = self.above.take();
                let value = self.value();
                self.above = above;
                let value = value?;
                let again = object.slots.contains_key(name);
                if again && !appends && matches!(value.kind, NodeKind::List(_)) {
                    let message = format!("this list replaces the `{name}` blocks before it");
                    let warning = Diagnostic::warning(codes::CONTRADICTION, message, &key)
                        .with_hint(format!("write `{name} += ...` to add to them"));
                    self.loader.diagnostics.push(warning);
                }
                if !appends {
                    object.assign(name, key, value);
                    return Ok(());
                }
                let origin = value.origin.clone();
                Node { kind: NodeKind::Appended(vec![value]), origin }
            }
        };
        object.assign(name, key, list);
        Ok(())
    }

    /// `{ Name { .. } Name { .. } }`
    fn entries(&mut self, open: Place) -> Node {
        self.bump();
        let mut entries = Vec::new();
        if self.enter(open) {
            let above = self.above.take();
            loop {
                self.skip_blank();
                match self.token() {
                    Token::CloseCurly => {
                        self.bump();
                        break;
                    }
                    Token::End => {
                        self.never_closed(Some(open), "brace");
                        break;
                    }
                    _ => {}
                }
                match self.entry() {
                    Ok(entry) => entries.push(entry),
                    Err(Skip) => self.recover(),
                }
                self.separator(&Token::CloseCurly, true);
            }
            self.above = above;
            self.depth -= 1;
        }
        self.closed(NodeKind::Appended(entries), open)
    }

    fn entry(&mut self) -> Result<Node, Skip> {
        if self.at_include() {
            let hint = "include the file at the top level; it can hold whole `source` and `sink` blocks";
            return Err(self.error(self.place(), "an include inside a block of plugins".into(), hint));
        }
        let (path, key) = self.key()?;
        let name = path.join("->");
        self.skip_blank();
        if matches!(self.token(), Token::Colon | Token::Equals) {
            self.bump();
            self.skip_blank();
        }
        if !matches!(self.token(), Token::OpenCurly | Token::Substitution(_)) {
            let message = format!("expected the block of the plugin `{name}`, found {}", self.describe());
            return Err(self.error(key.place, message, "a plugin is written `Name { .. }`"));
        }
        let value = self.value()?;
        Ok(named(&name, key, value))
    }
}

/// A plugin's block with its name as the first option.
fn named(name: &str, key: Origin, value: Node) -> Node {
    let plugin = Node { kind: NodeKind::Scalar(ValueKind::String(name.to_owned())), origin: key.clone() };
    let mut object = Object::default();
    object.assign("plugin_name", key.clone(), plugin);
    // The block's place is its name: that is what a missing option points to.
    let kind = match value.kind {
        NodeKind::Object(mut block) => {
            block.slots.shift_remove("plugin_name");
            object.merge(block);
            NodeKind::Object(object)
        }
        other => {
            let mut parts = vec![Node { kind: NodeKind::Object(object), origin: key.clone() }];
            match other {
                NodeKind::Concat(more) => parts.extend(more),
                other => parts.push(Node { kind: other, origin: value.origin }),
            }
            NodeKind::Concat(parts)
        }
    };
    Node { kind, origin: key }
}
