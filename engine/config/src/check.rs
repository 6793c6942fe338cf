//! What the plugins say of their options, and what becomes of the tables on their way.

use std::sync::Arc;

use seatun_api::config::{Problem, Value};
use seatun_api::registry::PluginContext;
use seatun_api::{Registry, Sink, TableSchema, Transform};

use crate::diagnostic::{Diagnostic, sort};
use crate::job::{JobSpec, NodeKind};
use crate::secrets;

/// Asks every plugin of a job whether its options are right. Pure: nothing is opened or built that does
/// I/O. All problems, sorted by place.
#[must_use]
pub fn check(job: &JobSpec, registry: &Registry) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for node in &job.nodes {
        diagnostics.extend(check_plugin(node.kind, node.plugin, &node.options, &job.context(node), registry));
    }
    if let Some(sink) = &job.dead_letter {
        let context = job.dead_letter_context(sink);
        diagnostics.extend(check_plugin(NodeKind::Sink, sink.plugin, &sink.options, &context, registry));
    }
    sort(&mut diagnostics);
    diagnostics
}

/// What one plugin says of its options.
pub(crate) fn check_plugin(
    kind: NodeKind,
    plugin: &str,
    block: &Value,
    context: &PluginContext,
    registry: &Registry,
) -> Vec<Diagnostic> {
    let outcome = match kind {
        NodeKind::Source => registry.source(plugin).map(|entry| (entry.check)(block, context)),
        NodeKind::Transform => registry.transform(plugin).map(|entry| (entry.check)(block, context)),
        NodeKind::Sink => registry.sink(plugin).map(|entry| (entry.check)(block, context)),
    };
    let problems = outcome.and_then(Result::err).unwrap_or_default();
    problems.into_iter().map(|problem| of_problem(problem, block)).collect()
}

/// The problem as a diagnostic; if it is about a secret, without the secret's text.
#[must_use]
pub fn of_problem(problem: Problem, block: &Value) -> Diagnostic {
    let mut diagnostic = Diagnostic::of_problem(problem);
    if let Some(option) = diagnostic.option.as_deref().filter(|option| secrets::looks_secret(option)) {
        let text = block.at_path(option).and_then(Value::as_text).unwrap_or_default();
        diagnostic.message = secrets::scrub(&diagnostic.message, text);
        diagnostic.hint = diagnostic.hint.map(|hint| secrets::scrub(&hint, text));
    }
    diagnostic
}

/// A node as far as it is built, for [`propagate`].
pub enum Built<'a> {
    /// A source's tables; `None` if they are not known without asking the system.
    Source(Option<Vec<Arc<TableSchema>>>),
    /// A transform.
    Transform(&'a dyn Transform),
    /// A sink.
    Sink(&'a dyn Sink),
    /// A node that could not be built; what comes out of it is not known.
    Unknown,
}

/// What flows through a job.
#[derive(Debug, Default)]
pub struct Propagation {
    /// The tables that each node gives, in the order of the job's nodes; `None` where they are not known.
    /// A sink gives none.
    pub tables: Vec<Option<Vec<Arc<TableSchema>>>>,
    /// What does not fit, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Follows the tables from the sources through the transforms to the sinks. `built` has one element for each
/// node of the job, in its order. An error at one node does not hide those of other branches.
#[must_use]
pub fn propagate(job: &JobSpec, built: &[Built<'_>]) -> Propagation {
    let mut tables: Vec<Option<Vec<Arc<TableSchema>>>> = Vec::with_capacity(job.nodes.len());
    let mut diagnostics = Vec::new();
    for (node, built) in job.nodes.iter().zip(built) {
        let inputs: Option<Vec<Vec<Arc<TableSchema>>>> =
            node.inputs.iter().map(|input| tables.get(*input).cloned().flatten()).collect();
        let outcome = match (built, inputs) {
            (Built::Source(tables), _) => Ok(tables.clone()),
            (Built::Transform(transform), Some(inputs)) => transform
                .output_tables(&inputs)
                .map(|tables| Some(tables.into_iter().map(Arc::new).collect())),
            (Built::Sink(sink), Some(inputs)) => {
                let all: Vec<Arc<TableSchema>> = inputs.into_iter().flatten().collect();
                sink.accepts(&all).map(|()| None)
            }
            (_, None) | (Built::Unknown, _) => Ok(None),
        };
        tables.push(outcome.unwrap_or_else(|error| {
            diagnostics.push(of_problem(Problem::of_error(&error, &node.options), &node.options));
            None
        }));
    }
    sort(&mut diagnostics);
    Propagation { tables, diagnostics }
}
