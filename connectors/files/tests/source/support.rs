//! Folders of files, and sources over them.

use std::io::Write;
use std::path::{Path, PathBuf};

use seatun_api::config::{Problem, Value, ValueKind};
use seatun_api::registry::PluginContext;
use seatun_api::{JobMode, Reject, Source, SourceEntry};
use seatun_connector_files::LocalFileSource;
use seatun_testkit::{ReadOptions, Reading, read_all};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// A folder that is gone after the test.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, with the folders above it; packed if its name says so.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, packed(name, content.as_ref())).unwrap();
        path
    }

    pub fn source(&self, options: Json) -> Box<dyn Source> {
        self.try_source(JobMode::Batch, options).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    pub fn streaming(&self, options: Json) -> Box<dyn Source> {
        self.try_source(JobMode::Streaming, options).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    pub fn try_source(&self, mode: JobMode, options: Json) -> Result<Box<dyn Source>, Vec<Problem>> {
        let entry = SourceEntry::of::<LocalFileSource>("");
        (entry.build)(&value(&options), &self.context(mode))
    }

    fn context(&self, mode: JobMode) -> PluginContext {
        PluginContext {
            node: "files".to_owned(),
            mode,
            parallelism: 1,
            config_dir: self.path().to_owned(),
            inputs: Vec::new(),
            output: Some("orders".to_owned()),
        }
    }

    /// All rows of a source with these options, in order.
    pub async fn rows(&self, options: Json) -> Vec<String> {
        self.read(options, 1024).await.rows()
    }

    pub async fn read(&self, options: Json, batch_rows: usize) -> Reading {
        let options_of_read = ReadOptions { batch_rows, ..ReadOptions::default() };
        read_all(self.source(options).as_ref(), &options_of_read).await
    }

    /// The error that reading ends with.
    pub async fn error(&self, options: Json) -> seatun_api::Error {
        error_of(self.source(options).as_ref()).await
    }
}

/// The first error of a source that is planned and read.
pub async fn error_of(source: &dyn Source) -> seatun_api::Error {
    let active = std::collections::BTreeMap::new();
    let request = seatun_api::source::PlanRequest { state: None, active: &active };
    let plan = match source.plan(request).await {
        Ok(plan) => plan,
        Err(error) => return error,
    };
    let mut reader = match source.reader(ReadOptions::default().context(0)).await {
        Ok(reader) => reader,
        Err(error) => return error,
    };
    let mut left = plan.add.len();
    reader.add_splits(plan.add).await.unwrap();
    let mut out = seatun_testkit::SourceRecorder::new();
    while left > 0 {
        match reader.next(&mut out).await {
            Ok(seatun_api::ReadStatus::SplitsFinished(ids)) => left -= ids.len(),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
    panic!("no error, {} rows", out.num_rows());
}

/// Position, raw text and code of each row given up.
pub fn rejected(reading: &Reading) -> Vec<(u64, String, String)> {
    let show = |reject: &Reject| {
        let from = reject.origin.as_ref().unwrap().from.as_ref().unwrap().as_u64().unwrap();
        (from, String::from_utf8_lossy(&reject.raw).into_owned(), reject.error.code().to_string())
    };
    reading.recorder.rejects().map(show).collect()
}

/// The first problem of options that are refused.
pub fn problem(options: Json) -> Problem {
    match Folder::new().try_source(JobMode::Batch, options.clone()) {
        Ok(_) => panic!("accepted: {options}"),
        Err(mut problems) => problems.remove(0),
    }
}

/// Options of a csv source over the whole folder.
pub fn csv(fields: &[(&str, &str)]) -> Json {
    json!({"path": "./", "file_format_type": "csv", "schema": schema(fields)})
}

/// A schema block of columns in this order.
pub fn schema(fields: &[(&str, &str)]) -> Json {
    let columns = fields.iter().map(|(name, data_type)| json!({"name": name, "type": data_type}));
    json!({"columns": columns.collect::<Vec<_>>()})
}

/// The same options with others added.
pub fn with(mut options: Json, more: Json) -> Json {
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options
}

/// `["a", "b"]` as rows.
pub fn lines(rows: &[&str]) -> Vec<String> {
    rows.iter().map(|row| (*row).to_owned()).collect()
}

pub fn value(json: &Json) -> Value {
    Value::of(match json {
        Json::Null => ValueKind::Null,
        Json::Bool(value) => ValueKind::Bool(*value),
        Json::Number(number) => ValueKind::Number(number.to_string()),
        Json::String(text) => ValueKind::String(text.clone()),
        Json::Array(list) => ValueKind::List(list.iter().map(value).collect()),
        Json::Object(map) => {
            ValueKind::Map(map.iter().map(|(key, inner)| (key.clone(), value(inner))).collect())
        }
    })
}

fn packed(name: &str, content: &[u8]) -> Vec<u8> {
    if name.ends_with(".gz") {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        return encoder.finish().unwrap();
    }
    if name.ends_with(".zst") {
        return zstd::encode_all(content, 1).unwrap();
    }
    content.to_vec()
}
