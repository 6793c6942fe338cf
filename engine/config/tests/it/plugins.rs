//! Small plugins to configure, and a folder to load job files from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use seatun_api::registry::{PluginContext, SinkConnector, SourceConnector, TransformPlugin};
use seatun_api::sink::{Committer, Delivery, SinkContext, Writer, WriterContext};
use seatun_api::source::{Boundedness, PlanRequest, Reader, ReaderContext, Source, SplitPlan};
use seatun_api::{
    Code, Error, Registry, Result, Secret, Sink, SinkEntry, SourceEntry, TableSchema, Transform,
    TransformEntry, TransformKind,
};
use seatun_config::{Failure, JobSpec, LoadOptions, Loaded, load, render_plain};
use serde::Deserialize;

const EMPTY: Code = Code("ST-0701");

/// What the fake source and sink can be told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read by serde")]
pub struct Options {
    /// Rows to make.
    #[serde(rename = "row.num", default)]
    row_num: u32,
    /// A folder.
    #[serde(default)]
    path: String,
    /// Columns.
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    password: Option<Secret>,
    #[serde(default)]
    token: Option<u32>,
    /// How to write.
    #[serde(default)]
    mode: Mode,
    /// Anything.
    #[serde(default)]
    schema: Option<seatun_api::config::Value>,
    #[serde(default)]
    start_mode: Option<String>,
    #[serde(rename = "start_mode.timestamp", default)]
    start_timestamp: Option<u64>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Mode {
    #[default]
    Append,
    Overwrite,
}

/// What the fake transform can be told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryOptions {
    /// A statement.
    query: String,
    #[serde(default)]
    columns: Vec<String>,
}

struct FakeSource;
struct LocalFile;
struct Console;
pub struct Sql;

impl SourceConnector for FakeSource {
    const NAME: &'static str = "FakeSource";
    type Config = Options;
    type Plan = ();

    fn validate(_: Options, _: &PluginContext) -> Result<()> {
        Ok(())
    }

    fn build((): (), _: &PluginContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(Self))
    }
}

impl SourceConnector for LocalFile {
    const NAME: &'static str = "LocalFile";
    type Config = Options;
    type Plan = ();

    fn validate(options: Options, _: &PluginContext) -> Result<()> {
        path_is_given(&options)
    }

    fn build((): (), _: &PluginContext) -> Result<Box<dyn Source>> {
        Ok(Box::new(FakeSource))
    }
}

impl SinkConnector for LocalFile {
    const NAME: &'static str = "LocalFile";
    type Config = Options;
    type Plan = ();

    fn validate(options: Options, _: &PluginContext) -> Result<()> {
        path_is_given(&options)
    }

    fn build((): (), _: &PluginContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(Console))
    }
}

fn path_is_given(options: &Options) -> Result<()> {
    match options.path.is_empty() {
        true => Err(Error::user(EMPTY, "a path is needed").at_option("path").with_hint("name a folder")),
        false => Ok(()),
    }
}

impl SinkConnector for Console {
    const NAME: &'static str = "Console";
    type Config = Options;
    type Plan = ();

    fn validate(_: Options, _: &PluginContext) -> Result<()> {
        Ok(())
    }

    fn build((): (), _: &PluginContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(Self))
    }
}

impl TransformPlugin for Sql {
    const NAME: &'static str = "Sql";
    type Config = QueryOptions;

    fn build(options: QueryOptions, _: &PluginContext) -> Result<Box<dyn Transform>> {
        match options.query.contains("select") {
            true => Ok(Box::new(Query { columns: options.columns })),
            false => Err(Error::user(EMPTY, "not a query").at_option("query")),
        }
    }
}

/// Asks for columns of its first input.
pub struct Query {
    /// The columns.
    pub columns: Vec<String>,
}

impl Transform for Query {
    fn kind(&self) -> TransformKind {
        TransformKind::Map
    }

    fn output_tables(&self, inputs: &[Vec<Arc<TableSchema>>]) -> Result<Vec<TableSchema>> {
        let table = &inputs[0][0];
        for (at, column) in self.columns.iter().enumerate() {
            table.column(column).map_err(|error| error.at_option(format!("columns[{at}]")))?;
        }
        Ok(vec![TableSchema::clone(table)])
    }
}

#[async_trait]
impl Source for FakeSource {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn declared_tables(&self) -> Option<Vec<TableSchema>> {
        None
    }

    async fn probe(&self) -> Result<String> {
        Ok(String::new())
    }

    async fn plan(&self, _: PlanRequest<'_>) -> Result<SplitPlan> {
        Ok(SplitPlan::default())
    }

    async fn reader(&self, _: ReaderContext) -> Result<Box<dyn Reader>> {
        Err(Error::internal(EMPTY, "never read"))
    }
}

#[async_trait]
impl Sink for Console {
    fn delivery(&self) -> Delivery {
        Delivery::AtLeastOnce
    }

    fn accepts(&self, tables: &[Arc<TableSchema>]) -> Result<()> {
        match tables.is_empty() {
            true => Err(Error::user(EMPTY, "no table comes in")),
            false => Ok(()),
        }
    }

    async fn probe(&self) -> Result<String> {
        Ok(String::new())
    }

    async fn writer(&self, _: WriterContext) -> Result<Box<dyn Writer>> {
        Err(Error::internal(EMPTY, "never written"))
    }

    async fn committer(&self, _: SinkContext) -> Result<Option<Box<dyn Committer>>> {
        Ok(None)
    }
}

static SOURCES: &[SourceEntry] = &[
    SourceEntry::of::<FakeSource>("makes rows").with_aliases(&["Fake"]),
    SourceEntry::of::<LocalFile>("reads files"),
];
static TRANSFORMS: &[TransformEntry] = &[TransformEntry::of::<Sql>("queries")];
static SINKS: &[SinkEntry] =
    &[SinkEntry::of::<Console>("prints"), SinkEntry::of::<LocalFile>("writes files")];

/// The plugins of the tests.
pub const REGISTRY: Registry = Registry { sources: SOURCES, transforms: TRANSFORMS, sinks: SINKS };

/// A folder with files, and how they are loaded.
pub struct Folder {
    dir: tempfile::TempDir,
    /// `-i`
    pub variables: Vec<String>,
    /// `--set`
    pub sets: Vec<String>,
    /// `--name`
    pub name: Option<String>,
    /// The environment.
    pub env: Vec<(String, String)>,
}

impl Folder {
    /// A folder with `job.conf`.
    pub fn with(job: &str) -> Self {
        let folder = Self {
            dir: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
            sets: Vec::new(),
            name: None,
            env: Vec::new(),
        };
        folder.file("jobs/job.conf", job)
    }

    /// Adds a file.
    pub fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Adds an argument of `-i`.
    pub fn variable(mut self, argument: &str) -> Self {
        self.variables.push(argument.to_owned());
        self
    }

    /// Adds an argument of `--set`.
    pub fn set(mut self, argument: &str) -> Self {
        self.sets.push(argument.to_owned());
        self
    }

    /// Adds a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The place of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Loads a file of the folder.
    pub fn load_file(&self, name: &str) -> std::result::Result<Loaded, Box<Failure>> {
        let env =
            |name: &str| self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let options = LoadOptions {
            variables: self.variables.clone(),
            sets: self.sets.clone(),
            name: self.name.clone(),
            ..LoadOptions::new(REGISTRY, &env)
        };
        load(&self.path(name), &options)
    }

    /// Loads `job.conf`.
    pub fn load(&self) -> std::result::Result<Loaded, Box<Failure>> {
        self.load_file("jobs/job.conf")
    }

    /// The job; panics with what is wrong.
    pub fn job(&self) -> JobSpec {
        match self.load() {
            Ok(loaded) => loaded.job,
            Err(failure) => panic!("{}", self.rendered(&failure)),
        }
    }

    /// All that is said of `job.conf`, right or wrong, as a user sees it.
    pub fn said(&self) -> String {
        self.said_of("jobs/job.conf")
    }

    /// All that is said of a file.
    pub fn said_of(&self, name: &str) -> String {
        match self.load_file(name) {
            Ok(loaded) => {
                let all: Vec<String> =
                    loaded.warnings.iter().map(|warning| render_plain(warning, &loaded.sources)).collect();
                self.without_folder(&all.join("\n"))
            }
            Err(failure) => self.rendered(&failure),
        }
    }

    fn rendered(&self, failure: &Failure) -> String {
        let all: Vec<String> =
            failure.diagnostics.iter().map(|found| render_plain(found, &failure.sources)).collect();
        self.without_folder(&all.join("\n"))
    }

    fn without_folder(&self, text: &str) -> String {
        let folder = |path: &Path| format!("{}/", path.display());
        text.replace(&folder(&self.path("jobs")), "").replace(&folder(self.dir.path()), "/folder/")
    }
}

/// A sound job around one source block.
pub fn job_with_source(options: &str) -> String {
    format!("source {{ FakeSource {{ {options} }} }}\nsink {{ Console {{ }} }}\n")
}

/// The options of the only source of a job.
pub fn source_options(job: &JobSpec) -> serde_json::Value {
    job.nodes[0].options.to_json()
}
