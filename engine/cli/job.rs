//! From the command line's job file to a job that the runtime takes.

use std::sync::Arc;

use seatun_api::config::Problem;
use seatun_api::{Error, Result};
use seatun_config::{Built, Diagnostic, Failure, JobSpec, LoadOptions, NodeSpec, Sources};
use seatun_runtime::job::{
    CheckpointOptions, DeadLetterOptions, FlowOptions, Job, Node, NodeKind, RateLimit, RestartOptions,
};
use seatun_state::{Fingerprint, Role};

use crate::args::{JobArgs, LogFormat, PreviewArgs};
use crate::exit::Exit;
use crate::watch::no_runtime;
use crate::{output, plan, plugins, preview, render};

/// A job file that has been read, with everything found about it.
pub struct Checked {
    /// The job, if nothing is wrong with it.
    pub job: Option<Job>,
    /// Where the job file says that the state is kept.
    pub state_uri: Option<String>,
    /// The file as the user named it.
    pub file: String,
    found: Vec<Diagnostic>,
    sources: Sources,
}

impl Checked {
    /// Reads a job file, builds its nodes and follows the tables through the graph. What only a system
    /// outside can tell is left open.
    #[must_use]
    pub fn of(arguments: &JobArgs) -> Self {
        let path = arguments.job.as_ref().or(arguments.config.as_ref()).cloned().unwrap_or_default();
        let environment = |name: &str| std::env::var(name).ok();
        let options = LoadOptions {
            variables: arguments.variables.clone(),
            sets: arguments.set.clone(),
            name: arguments.name.clone(),
            ..LoadOptions::new(plugins::registry(), &environment)
        };
        let file = path.display().to_string();
        let loaded = match seatun_config::load(&path, &options) {
            Ok(loaded) => loaded,
            Err(failure) => {
                let Failure { diagnostics, sources } = *failure;
                return Self { job: None, state_uri: None, file, found: diagnostics, sources };
            }
        };
        let spec = &loaded.job;
        let (job, problems) = build(spec);
        let mut found = loaded.warnings;
        found.extend(problems);
        seatun_config::sort(&mut found);
        let job = job.filter(|_| !found.iter().any(Diagnostic::is_error));
        Self { job, state_uri: spec.checkpoint.uri.clone(), file, found, sources: loaded.sources }
    }

    /// Shows what was found on stderr.
    pub fn report(&self, format: LogFormat) {
        if self.found.is_empty() {
            return;
        }
        match format {
            LogFormat::Text => {
                output::report(&render::diagnostics(&self.found, &self.sources, &self.file));
            }
            LogFormat::Json => self.found.iter().for_each(log),
        }
    }
}

fn log(diagnostic: &Diagnostic) {
    let (code, place) = (diagnostic.code.0, diagnostic.origin.place);
    let (file, hint) = (&*diagnostic.origin.file, diagnostic.hint.as_deref());
    let (line, column, option) = (place.line, place.column, diagnostic.option.as_deref());
    match diagnostic.is_error() {
        true => tracing::error!(code, file, line, column, option, hint, "{}", diagnostic.message),
        false => tracing::warn!(code, file, line, column, option, hint, "{}", diagnostic.message),
    }
}

/// Reads, checks and builds a job; `None` if something is wrong with it, which has been shown.
pub fn load(arguments: &JobArgs, format: LogFormat) -> Option<(Job, Option<String>)> {
    let checked = Checked::of(arguments);
    checked.report(format);
    checked.job.map(|job| (job, checked.state_uri))
}

/// Builds all nodes and follows the tables; gives all problems.
fn build(spec: &JobSpec) -> (Option<Job>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let built: Vec<Option<NodeKind>> = spec
        .nodes
        .iter()
        .map(|node| match build_node(spec, node) {
            Ok(kind) => Some(kind),
            Err(problems) => {
                let problems = problems.into_iter();
                found.extend(problems.map(|problem| seatun_config::of_problem(problem, &node.options)));
                None
            }
        })
        .collect();
    let known: Vec<Built<'_>> = built.iter().map(declared).collect();
    found.extend(seatun_config::propagate(spec, &known).diagnostics);
    let dead_letter = build_dead_letter(spec).unwrap_or_else(|problems| {
        found.extend(problems.into_iter().map(Diagnostic::of_problem));
        None
    });
    let kinds: Option<Vec<NodeKind>> = built.into_iter().collect();
    (kinds.map(|kinds| assemble(spec, kinds, dead_letter)), found)
}

/// What a node tells of its tables without asking a system.
fn declared(built: &Option<NodeKind>) -> Built<'_> {
    match built {
        None => Built::Unknown,
        Some(NodeKind::Source(source)) => {
            Built::Source(source.declared_tables().map(|tables| tables.into_iter().map(Arc::new).collect()))
        }
        Some(NodeKind::Transform(transform)) => Built::Transform(&**transform),
        Some(NodeKind::Sink(sink)) => Built::Sink(&**sink),
    }
}

fn assemble(spec: &JobSpec, kinds: Vec<NodeKind>, dead_letter: Option<DeadLetterOptions>) -> Job {
    let mut fingerprint = Fingerprint::new();
    for node in &spec.nodes {
        fingerprint = fingerprint.node(role(node), &node.id, node.plugin);
    }
    if let Some(letters) = &dead_letter {
        fingerprint = fingerprint.node(Role::Sink, &letters.id, letters.plugin);
    }
    let nodes = spec.nodes.iter().zip(kinds).map(|(node, kind)| Node {
        id: node.id.clone(),
        plugin: node.plugin,
        parallelism: node.parallelism,
        inputs: node.inputs.clone(),
        rate: RateLimit {
            rows_per_second: node.rate.rows_per_second,
            bytes_per_second: node.rate.bytes_per_second,
        },
        kind,
    });
    Job {
        name: spec.name.clone(),
        mode: spec.mode,
        nodes: nodes.collect(),
        checkpoint: CheckpointOptions {
            interval: spec.checkpoint.interval,
            slow_after: spec.checkpoint.slow_after,
            retain: spec.checkpoint.retain,
            ..CheckpointOptions::default()
        },
        restart: RestartOptions {
            attempts: spec.restart.attempts,
            backoff: spec.restart.backoff,
            ..RestartOptions::default()
        },
        dead_letter,
        flow: FlowOptions {
            batch_rows: spec.flow.batch_rows,
            linger: spec.flow.linger,
            channel_bytes: spec.flow.channel_bytes,
            operator_memory: spec.flow.operator_memory,
            ..FlowOptions::default()
        },
        fingerprint: fingerprint.to_string(),
    }
}

fn role(node: &NodeSpec) -> Role {
    match node.kind {
        seatun_config::NodeKind::Source => Role::Source,
        seatun_config::NodeKind::Transform => Role::Transform,
        seatun_config::NodeKind::Sink => Role::Sink,
    }
}

fn build_node(spec: &JobSpec, node: &NodeSpec) -> Result<NodeKind, Vec<Problem>> {
    let registry = plugins::registry();
    let context = spec.context(node);
    let gone = || vec![Problem::of_error(&unregistered(node.plugin), &node.options)];
    match node.kind {
        seatun_config::NodeKind::Source => {
            let entry = registry.source(node.plugin).ok_or_else(gone)?;
            Ok(NodeKind::Source(Arc::from((entry.build)(&node.options, &context)?)))
        }
        seatun_config::NodeKind::Transform => {
            let entry = registry.transform(node.plugin).ok_or_else(gone)?;
            Ok(NodeKind::Transform(Arc::from((entry.build)(&node.options, &context)?)))
        }
        seatun_config::NodeKind::Sink => {
            let entry = registry.sink(node.plugin).ok_or_else(gone)?;
            Ok(NodeKind::Sink(Arc::from((entry.build)(&node.options, &context)?)))
        }
    }
}

fn build_dead_letter(spec: &JobSpec) -> Result<Option<DeadLetterOptions>, Vec<Problem>> {
    let Some(letters) = &spec.dead_letter else { return Ok(None) };
    let registry = plugins::registry();
    let entry = registry
        .sink(letters.plugin)
        .ok_or_else(|| vec![Problem::of_error(&unregistered(letters.plugin), &letters.options)])?;
    let sink = (entry.build)(&letters.options, &spec.dead_letter_context(letters))?;
    let records = [Arc::new(seatun_runtime::dead_letter::schema())];
    sink.accepts(&records).map_err(|error| vec![Problem::of_error(&error, &letters.options)])?;
    Ok(Some(DeadLetterOptions {
        id: letters.id.clone(),
        plugin: letters.plugin,
        sink: Arc::from(sink),
        max_records: letters.max_records,
        max_ratio: letters.max_ratio,
    }))
}

fn unregistered(plugin: &str) -> Error {
    Error::internal(seatun_api::error::codes::INTERNAL, format!("plugin `{plugin}` is not in the registry"))
}

/// A runtime for what needs one thread only.
///
/// # Errors
/// If it cannot be made.
pub fn small_runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_runtime)
}

/// `seatun plan`.
///
/// # Errors
/// If the tables of the graph do not fit.
pub fn show_plan(arguments: &JobArgs, format: LogFormat) -> Result<Exit> {
    let Some((job, _)) = load(arguments, format) else { return Ok(Exit::User) };
    output::print(&small_runtime()?.block_on(plan::text(&job))?);
    Ok(Exit::Done)
}

/// `seatun preview`.
///
/// # Errors
/// If a source cannot be read or a transform fails.
pub fn show_preview(arguments: &PreviewArgs, format: LogFormat) -> Result<Exit> {
    let Some((job, _)) = load(&arguments.job, format) else { return Ok(Exit::User) };
    // Readers may use blocking calls: those need a runtime with threads.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(no_runtime)?;
    output::print(&runtime.block_on(preview::text(&job, arguments.rows, arguments.unmask))?);
    Ok(Exit::Done)
}
