//! How connectors and transforms are registered: one row each in an explicit table.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;

use crate::JobMode;
use crate::config::{Problem, Value, options};
use crate::error::Result;
use crate::sink::Sink;
use crate::source::Source;
use crate::transform::Transform;

/// What a plugin is told of the job it is configured for.
#[derive(Clone, Debug)]
pub struct PluginContext {
    /// The node's id.
    pub node: String,
    /// Whether the job ends by itself.
    pub mode: JobMode,
    /// How many subtasks the node will have.
    pub parallelism: u32,
    /// The folder of the job file; relative paths of options that name files of the job begin there.
    pub config_dir: PathBuf,
    /// The names of the node's inputs, in order.
    pub inputs: Vec<String>,
    /// The name of the node's output, if it has one.
    pub output: Option<String>,
}

/// A source connector: its name, its options and how it is built.
pub trait SourceConnector: 'static {
    /// The plugin's name in job files.
    const NAME: &'static str;
    /// Its options, by serde with `deny_unknown_fields`; each field's doc comment is its documentation.
    type Config: DeserializeOwned + JsonSchema;
    /// What is left of the options when they are known to be right.
    type Plan: Send + Sync + 'static;

    /// Checks the options. Pure: no file, no network, no clock, no spawn.
    ///
    /// # Errors
    /// Names the wrong option with [`crate::Error::at_option`].
    fn validate(config: Self::Config, context: &PluginContext) -> Result<Self::Plan>;

    /// Makes the source. May do I/O, spawns nothing.
    ///
    /// # Errors
    /// If the system cannot be used as configured.
    fn build(plan: Self::Plan, context: &PluginContext) -> Result<Box<dyn Source>>;
}

/// A sink connector: its name, its options and how it is built.
pub trait SinkConnector: 'static {
    /// The plugin's name in job files.
    const NAME: &'static str;
    /// Its options; see [`SourceConnector::Config`].
    type Config: DeserializeOwned + JsonSchema;
    /// What is left of the options when they are known to be right.
    type Plan: Send + Sync + 'static;

    /// Checks the options. Pure: no file, no network, no clock, no spawn.
    ///
    /// # Errors
    /// Names the wrong option with [`crate::Error::at_option`].
    fn validate(config: Self::Config, context: &PluginContext) -> Result<Self::Plan>;

    /// Makes the sink. May do I/O, spawns nothing.
    ///
    /// # Errors
    /// If the system cannot be used as configured.
    fn build(plan: Self::Plan, context: &PluginContext) -> Result<Box<dyn Sink>>;
}

/// A transform: its name, its options and how it is built.
pub trait TransformPlugin: 'static {
    /// The plugin's name in job files.
    const NAME: &'static str;
    /// Its options; see [`SourceConnector::Config`].
    type Config: DeserializeOwned + JsonSchema;

    /// Checks the options and makes the transform. Pure.
    ///
    /// # Errors
    /// Names the wrong option with [`crate::Error::at_option`].
    fn build(config: Self::Config, context: &PluginContext) -> Result<Box<dyn Transform>>;
}

/// Reads, validates and builds a plugin; gives all problems.
type Build<B> = fn(&Value, &PluginContext) -> Result<Box<B>, Vec<Problem>>;

/// One row of the table of plugins. `B` is what is built.
pub struct Entry<B: ?Sized> {
    /// The plugin's name; matched without regard to case.
    pub name: &'static str,
    /// Other names that SeaTunnel job files use for it.
    pub aliases: &'static [&'static str],
    /// One line for `seatun connectors`.
    pub summary: &'static str,
    /// The JSON schema of the options.
    pub schema: fn() -> Schema,
    /// Reads and validates the options; gives all problems. Pure.
    pub check: fn(&Value, &PluginContext) -> Result<(), Vec<Problem>>,
    /// Reads, validates and builds.
    pub build: Build<B>,
}

/// A row for a source.
pub type SourceEntry = Entry<dyn Source>;
/// A row for a sink.
pub type SinkEntry = Entry<dyn Sink>;
/// A row for a transform.
pub type TransformEntry = Entry<dyn Transform>;

impl<B: ?Sized> Entry<B> {
    /// Gives the plugin further names.
    #[must_use]
    pub const fn with_aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Whether the plugin goes by this name.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
            || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

impl SourceEntry {
    /// The row of a source connector.
    #[must_use]
    pub const fn of<C: SourceConnector>(summary: &'static str) -> Self {
        Self {
            name: C::NAME,
            aliases: &[],
            summary,
            schema: || schemars::schema_for!(C::Config),
            check: |block, context| {
                C::validate(options(block)?, context).map(drop).map_err(|error| at(&error, block))
            },
            build: |block, context| {
                C::validate(options(block)?, context)
                    .and_then(|plan| C::build(plan, context))
                    .map_err(|error| at(&error, block))
            },
        }
    }
}

impl SinkEntry {
    /// The row of a sink connector.
    #[must_use]
    pub const fn of<C: SinkConnector>(summary: &'static str) -> Self {
        Self {
            name: C::NAME,
            aliases: &[],
            summary,
            schema: || schemars::schema_for!(C::Config),
            check: |block, context| {
                C::validate(options(block)?, context).map(drop).map_err(|error| at(&error, block))
            },
            build: |block, context| {
                C::validate(options(block)?, context)
                    .and_then(|plan| C::build(plan, context))
                    .map_err(|error| at(&error, block))
            },
        }
    }
}

impl TransformEntry {
    /// The row of a transform.
    #[must_use]
    pub const fn of<T: TransformPlugin>(summary: &'static str) -> Self {
        Self {
            name: T::NAME,
            aliases: &[],
            summary,
            schema: || schemars::schema_for!(T::Config),
            check: |block, context| {
                T::build(options(block)?, context).map(drop).map_err(|error| at(&error, block))
            },
            build: |block, context| T::build(options(block)?, context).map_err(|error| at(&error, block)),
        }
    }
}

fn at(error: &crate::Error, block: &Value) -> Vec<Problem> {
    vec![Problem::of_error(error, block)]
}

/// All plugins that this build has.
#[derive(Clone, Copy)]
pub struct Registry {
    /// Sources.
    pub sources: &'static [SourceEntry],
    /// Transforms.
    pub transforms: &'static [TransformEntry],
    /// Sinks.
    pub sinks: &'static [SinkEntry],
}

impl Registry {
    /// The source of a name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&'static SourceEntry> {
        self.sources.iter().find(|entry| entry.is_named(name))
    }

    /// The transform of a name.
    #[must_use]
    pub fn transform(&self, name: &str) -> Option<&'static TransformEntry> {
        self.transforms.iter().find(|entry| entry.is_named(name))
    }

    /// The sink of a name.
    #[must_use]
    pub fn sink(&self, name: &str) -> Option<&'static SinkEntry> {
        self.sinks.iter().find(|entry| entry.is_named(name))
    }
}
