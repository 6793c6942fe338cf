//! A sink on a folder of its own, driven as the runtime drives it, and independent readers of its files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use seatun_api::config::{Problem, Value, options};
use seatun_api::registry::{PluginContext, SinkConnector};
use seatun_api::{
    Batch, Committer, Epoch, Error, Generation, JobMode, Prepared, Reject, Result, Sink, SinkContext,
    TableSchema, Versioned, Writer, WriterContext,
};
use seatun_connector_files::LocalFileSink;
use seatun_testkit::{SinkRecorder, rows};
use serde_json::json;
use tempfile::TempDir;

/// What the job file says of the sink, as JSON.
pub type Options = serde_json::Value;

pub fn plugin_context(folder: &Path) -> PluginContext {
    PluginContext {
        node: "out".to_owned(),
        mode: JobMode::Batch,
        parallelism: 1,
        config_dir: folder.to_owned(),
        inputs: vec!["in".to_owned()],
        output: None,
    }
}

/// Builds a sink from its options.
pub fn build(options_of: &Options, folder: &Path) -> Result<Box<dyn Sink>> {
    let context = plugin_context(folder);
    let value: Value = serde_json::from_value(options_of.clone()).unwrap();
    let config = options(&value).map_err(|problems: Vec<Problem>| {
        Error::user(problems[0].code, problems[0].message.clone()).at_option(&problems[0].option)
    })?;
    LocalFileSink::build(LocalFileSink::validate(config, &context)?, &context)
}

/// One folder and the options of a sink that writes to it.
pub struct Bench {
    pub folder: TempDir,
    pub options: Options,
}

impl Bench {
    /// `options` without `path` write to the folder `out`.
    pub fn new(options: Options) -> Self {
        Self::with_tables(options, "out")
    }

    pub fn with_tables(mut options: Options, path: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        options["path"] = json!(path);
        Self { folder, options }
    }

    pub fn sink(&self) -> Box<dyn Sink> {
        build(&self.options, self.folder.path()).unwrap()
    }

    pub fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub fn context(&self, tables: &[&Batch]) -> SinkContext {
        self.context_of("job", 1, tables.iter().map(|batch| Arc::clone(batch.table())).collect())
    }

    pub fn context_of(&self, job: &str, generation: u64, tables: Vec<Arc<TableSchema>>) -> SinkContext {
        SinkContext {
            job: job.to_owned(),
            node: "out".to_owned(),
            generation: Generation(generation),
            mode: JobMode::Batch,
            tables,
        }
    }

    pub async fn open(&self, context: SinkContext) -> Run {
        let sink = self.sink();
        let writer_context =
            WriterContext { sink: context.clone(), subtask: 0, parallelism: 1, restored: Vec::new() };
        Run {
            writer: sink.writer(writer_context).await.unwrap(),
            committer: sink.committer(context).await.unwrap().unwrap(),
            output: SinkRecorder::default(),
            epoch: 0,
        }
    }

    /// Writes batches in one epoch and commits it; gives what was rejected.
    pub async fn write(&self, batches: &[&Batch]) -> Vec<Reject> {
        let mut run = self.open(self.context(batches)).await;
        for batch in batches {
            run.write(batch).await.unwrap();
        }
        run.commit_epoch().await;
        run.output.rejects
    }

    /// Paths of all files below `out` that readers see, sorted.
    pub fn files(&self) -> Vec<String> {
        files(&self.out())
            .into_iter()
            .filter(|path| !path.split('/').any(|part| part.starts_with('.')))
            .collect()
    }

    /// Paths of all hidden files below `out`.
    pub fn hidden(&self) -> Vec<String> {
        files(&self.out())
            .into_iter()
            .filter(|path| path.split('/').any(|part| part.starts_with('.')))
            .collect()
    }

    /// How many files below `out` this process holds open.
    pub fn open_files(&self) -> usize {
        let out = self.out().canonicalize().unwrap();
        let descriptors = fs::read_dir("/proc/self/fd").unwrap();
        let opened = |entry: std::io::Result<fs::DirEntry>| fs::read_link(entry.unwrap().path());
        descriptors.filter_map(|entry| opened(entry).ok()).filter(|path| path.starts_with(&out)).count()
    }

    /// Folders of the visible files, without doubles.
    pub fn folders(&self) -> Vec<String> {
        let mut folders: Vec<String> = self
            .files()
            .iter()
            .map(|path| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned())
            .collect();
        folders.dedup();
        folders
    }

    /// The text of the only file.
    pub fn text(&self) -> String {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        fs::read_to_string(self.out().join(&files[0])).unwrap()
    }

    /// The rows of all Parquet files, as text.
    pub fn parquet_rows(&self) -> Vec<String> {
        self.files()
            .iter()
            .flat_map(|path| read_parquet(&self.out().join(path)))
            .flat_map(|b| rows::text(&b))
            .collect()
    }

    /// Rows by file, of all Parquet files.
    pub fn parquet_counts(&self) -> Vec<usize> {
        let count =
            |path: &String| read_parquet(&self.out().join(path)).iter().map(RecordBatch::num_rows).sum();
        self.files().iter().map(count).collect()
    }
}

/// A writer and a committer of one process.
pub struct Run {
    pub writer: Box<dyn Writer>,
    pub committer: Box<dyn Committer>,
    pub output: SinkRecorder,
    pub epoch: u64,
}

impl Run {
    pub async fn write(&mut self, batch: &Batch) -> Result<()> {
        self.writer.write(batch.clone(), &mut self.output).await
    }

    pub async fn prepare(&mut self) -> Result<Prepared> {
        self.epoch += 1;
        self.writer.prepare(Epoch(self.epoch), &mut self.output).await
    }

    pub async fn commit(&mut self, items: Vec<Versioned>) -> Result<()> {
        self.committer.commit(Epoch(self.epoch), items, Vec::new()).await
    }

    pub async fn commit_epoch(&mut self) {
        let prepared = self.prepare().await.unwrap();
        self.commit(prepared.committables).await.unwrap();
    }
}

pub fn read_parquet(path: &Path) -> Vec<RecordBatch> {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    reader.map(|batch| batch.unwrap()).collect()
}

/// All files below a folder, as sorted relative paths.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}
