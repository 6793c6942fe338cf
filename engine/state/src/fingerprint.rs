//! The shape of a job, stored in each manifest, so that state is never dropped in silence when the job
//! file has changed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use seatun_api::error::nearest_hint;
use seatun_api::{Error, Result};

use crate::codes;
use crate::manifest::Manifest;

/// The nodes of a job: id, role and plugin of each. Its text, which is what manifests store, looks like
/// `source:orders=File;transform:Sql-0=Sql;sink:out=File`.
///
/// How nodes are joined and what their options say is no part of it: state belongs to nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    nodes: BTreeMap<String, Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    role: Role,
    plugin: String,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Source,
    /// Changes.
    Transform,
    /// Writes.
    Sink,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Transform => "transform",
            Self::Sink => "sink",
        }
    }
}

impl Fingerprint {
    /// A job without nodes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node.
    #[must_use]
    pub fn node(mut self, role: Role, id: &str, plugin: &str) -> Self {
        self.nodes.insert(id.to_owned(), Node { role, plugin: plugin.to_owned() });
        self
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (id, node)) in self.nodes.iter().enumerate() {
            let separator = if place == 0 { "" } else { ";" };
            write!(f, "{separator}{}:{}={}", node.role.name(), escaped(id), escaped(&node.plugin))?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let mut fingerprint = Self::new();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (role, rest) = part.split_once(':').ok_or(())?;
            let (id, plugin) = rest.split_once('=').ok_or(())?;
            let role = [Role::Source, Role::Transform, Role::Sink]
                .into_iter()
                .find(|known| known.name() == role)
                .ok_or(())?;
            let id = crate::layout::unescape(id).ok_or(())?;
            let plugin = crate::layout::unescape(plugin).ok_or(())?;
            fingerprint.nodes.insert(id, Node { role, plugin });
        }
        Ok(fingerprint)
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '%' | ';' | ':' | '=' => out.push_str(&format!("%{:02X}", character as u32)),
            _ => out.push(character),
        }
    }
    out
}

/// Which of a manifest's entries a run is going to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Its commits only.
    Commits,
    /// Everything.
    State,
}

/// Checks that every node with state is still in the job, in the same role and of the same plugin. New
/// nodes are fine, and so are lost ones without state.
///
/// A fingerprint that is not a [`Fingerprint`]'s text is opaque: it must be equal.
pub(crate) fn check_fits(manifest: &Manifest, job: &str, needs: Needs) -> Result<()> {
    if manifest.fingerprint == job {
        return Ok(());
    }
    let Ok(now) = job.parse::<Fingerprint>() else {
        if needs == Needs::Commits || stateful(manifest, needs).is_empty() {
            return Ok(());
        }
        return Err(changed("it is not the job that the stored state belongs to".to_owned()));
    };
    let before = manifest.fingerprint.parse::<Fingerprint>().unwrap_or_default();
    for (id, role, what) in stateful(manifest, needs) {
        check_node(&before, &now, id, role, &what)?;
    }
    Ok(())
}

fn check_node(before: &Fingerprint, now: &Fingerprint, id: &str, role: Role, what: &str) -> Result<()> {
    let role_name = role.name();
    let Some(node) = now.nodes.get(id).filter(|node| node.role == role) else {
        let same_role: Vec<&str> =
            now.nodes.iter().filter(|(_, node)| node.role == role).map(|(id, _)| id.as_str()).collect();
        return Err(changed(format!("{role_name} `{id}`, {what}, is not in it any more"))
            .with("nodes now", nearest_hint(id, &same_role)));
    };
    match before.nodes.get(id).filter(|old| old.role == role) {
        Some(old) if old.plugin != node.plugin => Err(changed(format!(
            "{role_name} `{id}`, {what}, was plugin {} and is plugin {} now",
            old.plugin, node.plugin
        ))),
        _ => Ok(()),
    }
}

fn stateful(manifest: &Manifest, needs: Needs) -> Vec<(&str, Role, String)> {
    let body = &manifest.body;
    let mut nodes = Vec::new();
    for (id, sink) in body.sinks.iter().filter(|(_, sink)| sink.needs_commit()) {
        let commits = sink.committables.len() + sink.schema_changes.len();
        nodes.push((id.as_str(), Role::Sink, format!("which has {commits} prepared writes to commit")));
    }
    if needs == Needs::Commits {
        return nodes;
    }
    for (id, _) in body.sources.iter().filter(|(_, source)| !source.is_empty()) {
        nodes.push((id.as_str(), Role::Source, "which has stored positions".to_owned()));
    }
    for (id, _) in body.operators.iter().filter(|(_, operator)| !operator.is_empty()) {
        nodes.push((id.as_str(), Role::Transform, "which has stored state".to_owned()));
    }
    nodes
}

fn changed(what: String) -> Error {
    Error::user(codes::JOB_CHANGED, format!("the job file has changed since the last run: {what}")).with_hint(
        "give the node its old id (plugin_output) back, start with --fresh, or give the job another job.name",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_back_from_its_text() {
        let print = Fingerprint::new()
            .node(Role::Source, "a;b=c:%", "Fake")
            .node(Role::Transform, "t", "Sql")
            .node(Role::Sink, "out", "File");
        let text = print.to_string();
        assert_eq!(text, "source:a%3Bb%3Dc%3A%25=Fake;sink:out=File;transform:t=Sql");
        assert_eq!(text.parse::<Fingerprint>().unwrap(), print);
        assert!("9f86d081".parse::<Fingerprint>().is_err());
    }
}
