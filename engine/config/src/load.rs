//! From a file to a job.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seatun_api::config::{Origin, Value, ValueKind};
use seatun_api::error::nearest_hint;
use seatun_api::registry::PluginContext;
use seatun_api::{JobMode, Registry};

use crate::check::{check, check_plugin};
use crate::codes;
use crate::diagnostic::{Diagnostic, Sources, sort};
use crate::draft::{self, Draft};
use crate::env::{self, EnvOptions};
use crate::hocon::{self, Dialect, Request};
use crate::job::{CheckpointSpec, FlowSpec, JobSpec, NodeKind, RestartSpec};
use crate::{dead_letter, json, sets, substitute, variables, wiring};

/// What a job file is loaded with.
pub struct LoadOptions<'a> {
    /// The plugins there are.
    pub registry: Registry,
    /// The arguments of `-i`, as they were given: `name=value`, or several of them with commas.
    pub variables: Vec<String>,
    /// The arguments of `--set`: `path=value` or `path=@file`.
    pub sets: Vec<String>,
    /// The name given by `--name`, for a job whose file gives none.
    pub name: Option<String>,
    /// Looks up a variable of the environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> LoadOptions<'a> {
    /// Nothing but the plugins and the environment.
    #[must_use]
    pub fn new(registry: Registry, env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { registry, variables: Vec::new(), sets: Vec::new(), name: None, env }
    }
}

/// A job that can be built.
#[derive(Debug)]
pub struct Loaded {
    /// The job.
    pub job: JobSpec,
    /// What should be known all the same, sorted by place.
    pub warnings: Vec<Diagnostic>,
    /// The texts that places point into.
    pub sources: Sources,
}

/// Why a file is no job.
#[derive(Debug)]
pub struct Failure {
    /// All that is wrong, with the warnings, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that places point into.
    pub sources: Sources,
}

/// Reads a job file, wires its blocks and has every plugin check its options. Reads the file, what it
/// includes and what `--set` names, and nothing else.
///
/// # Errors
/// Everything that is wrong, at once: after errors of syntax only those, else all of the options, the
/// plugins and the graph.
pub fn load(path: &Path, options: &LoadOptions<'_>) -> Result<Loaded, Box<Failure>> {
    let mut loader = Loader { options, sources: Sources::default(), diagnostics: Vec::new() };
    let job = loader.load(path);
    let Loader { sources, mut diagnostics, .. } = loader;
    sort(&mut diagnostics);
    match job {
        Some(job) if !diagnostics.iter().any(Diagnostic::is_error) => {
            Ok(Loaded { job, warnings: diagnostics, sources })
        }
        _ => Err(Box::new(Failure { diagnostics, sources })),
    }
}

struct Loader<'o> {
    options: &'o LoadOptions<'o>,
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn load(&mut self, path: &Path) -> Option<JobSpec> {
        let file: Arc<str> = Arc::from(path.to_string_lossy());
        let variables = variables::read(&self.options.variables, &mut self.sources, &mut self.diagnostics);
        let sets = sets::read(&self.options.sets, &mut self.sources, &mut self.diagnostics);
        let text = self.text(path, &file)?;
        let environment = self.options.env;
        let lookup = |name: &str| variables.get(name).cloned().or_else(|| environment(name));
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut root = match extension(path).as_str() {
            "json" => {
                self.diagnostics.extend(sets::refuse_root(&sets));
                self.json(&file, text)
            }
            _ => {
                let request = Request {
                    file: Arc::clone(&file),
                    text,
                    dialect: Dialect::SeaTunnel,
                    folder: Some(&folder),
                    lookup: &lookup,
                    overrides: sets::root_overrides(&sets),
                };
                hocon::parse(request, &mut self.sources, &mut self.diagnostics)
            }
        }?;
        fold(&mut root, "env");
        if let Some(env) = root.as_map_mut().and_then(|map| map.get_mut("env")) {
            fold(env, "dead_letter");
            fold(env, "error_handler");
        }
        draft::normalise(&mut root, &mut self.diagnostics);
        sets::apply(sets, &mut root, &self.options.registry, &mut self.diagnostics);
        substitute::substitute(&mut root, &lookup, &mut self.diagnostics);
        self.job(&root, &file, path, folder)
    }

    fn text(&mut self, path: &Path, file: &Arc<str>) -> Option<Arc<str>> {
        let origin = Origin { file: Arc::clone(file), ..Origin::default() };
        let refuse =
            |code, message: String, hint: &str| Diagnostic::error(code, message, &origin).with_hint(hint);
        let format = extension(path);
        if let "sql" | "yaml" | "yml" = format.as_str() {
            let message = format!("job files of the format `.{format}` are not supported yet");
            self.diagnostics.push(refuse(
                codes::FORMAT,
                message,
                "write the job as HOCON (`.conf`) or JSON (`.json`)",
            ));
            return None;
        }
        if path.is_dir() {
            let message = "the job file is a directory".to_owned();
            self.diagnostics.push(refuse(codes::UNREADABLE, message, "name a file in it"));
            return None;
        }
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.diagnostics.push(refuse(codes::UNREADABLE, "there is no such job file".to_owned(), ""));
                return None;
            }
            Err(error) => {
                let message = format!("the job file cannot be read: {error}");
                self.diagnostics.push(refuse(codes::UNREADABLE, message, ""));
                return None;
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => Some(Arc::from(text)),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let message = format!("the job file is not UTF-8: byte {at} is not part of a character");
                self.diagnostics.push(refuse(codes::NOT_UTF8, message, "save it as UTF-8"));
                None
            }
        }
    }

    fn json(&mut self, file: &Arc<str>, text: Arc<str>) -> Option<Value> {
        self.sources.insert(Arc::clone(file), Arc::clone(&text));
        let root = match json::parse(file, &text) {
            Ok(root) => root,
            Err(diagnostics) => {
                self.diagnostics.extend(diagnostics);
                return None;
            }
        };
        let Some(map) = root.as_map() else {
            let message = format!("a job file is an object, not {}", root.kind_name());
            self.diagnostics.push(Diagnostic::error(codes::SHAPE, message, &root.origin));
            return None;
        };
        let mut wrong = false;
        for name in hocon::SECTIONS {
            if let Some(section) = map.get(name).filter(|section| section.as_list().is_none()) {
                wrong = true;
                let message =
                    format!("in a JSON file `{name}` is a list of objects, not {}", section.kind_name());
                self.diagnostics.push(
                    Diagnostic::error(codes::SHAPE, message, &section.origin)
                        .with_hint(format!("write `\"{name}\": [{{ \"plugin_name\": \"..\", .. }}]`")),
                );
            }
        }
        (!wrong).then_some(root)
    }

    fn job(&mut self, root: &Value, file: &Arc<str>, path: &Path, config_dir: PathBuf) -> Option<JobSpec> {
        let registry = self.options.registry;
        let env = env::read(root.get("env"), &mut self.diagnostics);
        let drafts = draft::read(root, &registry, env.as_ref(), &mut self.diagnostics);
        self.require(&drafts, root, file);
        let parallelism = env.as_ref().map_or(1, |env| env.parallelism);
        let nodes = wiring::connect(&drafts, parallelism, &mut self.diagnostics);
        let dead_letter = dead_letter::read(root, &registry, &mut self.diagnostics);
        let mode = env.as_ref().map_or(JobMode::Batch, |env| env.job_mode);
        let (Some(env), Some(nodes)) = (env, nodes) else {
            self.check_each(&drafts, mode, &config_dir);
            return None;
        };
        let name = env.job_name.clone().or_else(|| self.options.name.clone()).unwrap_or_else(|| stem(path));
        let job = JobSpec {
            name,
            mode,
            nodes,
            checkpoint: checkpoint(&env),
            restart: RestartSpec {
                attempts: env.retry_times,
                backoff: Duration::from_secs(env.retry_interval_seconds),
            },
            dead_letter,
            flow: FlowSpec {
                batch_rows: env.batch_rows,
                linger: env.batch_linger.0,
                channel_bytes: usize::try_from(env.channel_bytes.0).unwrap_or(usize::MAX),
                operator_memory: usize::try_from(env.operator_memory.0).unwrap_or(usize::MAX),
            },
            file: Arc::clone(file),
            config_dir,
        };
        self.diagnostics.extend(check(&job, &registry));
        // Blocks that no sink needs are not part of the job; their options are looked at all the same.
        let unused: Vec<Draft> =
            drafts.into_iter().filter(|draft| job.nodes.iter().all(|node| node.id != draft.id)).collect();
        self.check_each(&unused, mode, &job.config_dir);
        Some(job)
    }

    /// Has the plugins of blocks checked that could not be wired.
    fn check_each(&mut self, drafts: &[Draft], mode: JobMode, config_dir: &Path) {
        for draft in drafts {
            let Some(plugin) = draft.plugin else { continue };
            let inputs = draft.inputs.iter().flatten().map(|(name, _)| name.clone()).collect();
            let context = PluginContext {
                node: draft.id.clone(),
                mode,
                parallelism: draft.parallelism.unwrap_or(1),
                config_dir: config_dir.to_owned(),
                inputs,
                output: draft.output.as_ref().map(|(name, _)| name.clone()),
            };
            let found = check_plugin(draft.kind, plugin, &draft.options, &context, &self.options.registry);
            self.diagnostics.extend(found);
        }
    }

    fn require(&mut self, drafts: &[Draft], root: &Value, file: &Arc<str>) {
        let keys: Vec<&str> = root
            .as_map()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .filter(|key| !["env", "source", "transform", "sink"].contains(key))
            .collect();
        for (kind, code) in [(NodeKind::Source, codes::NO_SOURCE), (NodeKind::Sink, codes::NO_SINK)] {
            let name = kind.section();
            if drafts.iter().any(|draft| draft.kind == kind) || !self.shape_is_right(root, name) {
                continue;
            }
            let nearest = keys.iter().find(|key| !nearest_hint(key, &[name]).starts_with("known"));
            let section = root.get(name).or_else(|| root.get(nearest?));
            let origin = section.and_then(|value| value.key_origin.clone());
            let origin = origin.unwrap_or_else(|| Origin { file: Arc::clone(file), ..Origin::default() });
            let hint = match nearest {
                Some(_) if root.get(name).is_none() => format!("did you mean `{name}`?"),
                _ => format!("write `{name} {{ Name {{ .. }} }}`"),
            };
            let message = format!("the job has no {name}");
            self.diagnostics.push(Diagnostic::error(code, message, &origin).with_hint(hint));
        }
    }

    /// Whether nothing was said yet about the shape of a section.
    fn shape_is_right(&self, root: &Value, section: &str) -> bool {
        let Some(section) = root.get(section) else { return true };
        let inside = |origin: &Origin| {
            origin.file == section.origin.file
                && origin.place.start >= section.origin.place.start
                && origin.place.end <= section.origin.place.end
        };
        !self.diagnostics.iter().any(|found| found.code == codes::SHAPE && inside(&found.origin))
    }
}

fn checkpoint(env: &EnvOptions) -> CheckpointSpec {
    let interval = match (env.checkpoint_interval, env.job_mode) {
        (Some(interval), _) => interval.0,
        (None, JobMode::Streaming) => Duration::from_secs(10),
        (None, JobMode::Batch) => Duration::from_secs(30),
    };
    CheckpointSpec {
        interval: (!interval.is_zero()).then_some(interval),
        slow_after: env.checkpoint_timeout.0,
        retain: env.checkpoint_retain,
        uri: env.checkpoint_uri.clone(),
    }
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "job".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Brings flat keys `name.rest` of a map below the key `name`.
fn fold(value: &mut Value, name: &str) {
    let Some(map) = value.as_map_mut() else { return };
    let is_below =
        |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'));
    let keys: Vec<String> = map.keys().filter(|key| is_below(key)).cloned().collect();
    for key in keys {
        let Some(below) = map.shift_remove(&key) else { continue };
        let block = map.entry(name.to_owned()).or_insert_with(|| Value {
            kind: ValueKind::Map(indexmap::IndexMap::new()),
            origin: below.origin.clone(),
            key_origin: below.key_origin.clone(),
        });
        if let Some(block) = block.as_map_mut() {
            block.insert(key[name.len() + 1..].to_owned(), below);
        }
    }
}
