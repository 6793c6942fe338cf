//! The promises of every sink, kept with Parquet files that the parquet crate reads.

use std::path::PathBuf;

use async_trait::async_trait;
use seatun_api::Sink;
use seatun_testkit::{SinkBench, rows, sink_conformance};
use serde_json::json;
use tempfile::TempDir;

use super::bench::{build, files, read_parquet};

struct ParquetBench {
    folder: TempDir,
    codec: &'static str,
}

impl ParquetBench {
    fn out(&self, case: &str) -> PathBuf {
        self.folder.path().join(case)
    }

    fn is_hidden(path: &str) -> bool {
        path.split('/').any(|part| part.starts_with('.'))
    }
}

#[async_trait]
impl SinkBench for ParquetBench {
    fn make(&self, case: &str) -> Box<dyn Sink> {
        let options = json!({"path": case, "file_format_type": "parquet", "compress_codec": self.codec});
        build(&options, self.folder.path()).unwrap()
    }

    async fn visible(&self, case: &str) -> Vec<String> {
        let paths = files(&self.out(case)).into_iter().filter(|path| !Self::is_hidden(path));
        paths.flat_map(|path| read_parquet(&self.out(case).join(path))).flat_map(|b| rows::text(&b)).collect()
    }

    async fn leftovers(&self, case: &str) -> usize {
        files(&self.out(case)).iter().filter(|path| Self::is_hidden(path)).count()
    }
}

#[tokio::test]
async fn the_sink_keeps_every_promise() {
    for codec in ["zstd", "none"] {
        sink_conformance(&ParquetBench { folder: tempfile::tempdir().unwrap(), codec }).await;
    }
}

#[tokio::test]
async fn every_codec_can_be_read() {
    use seatun_testkit::batches;

    for codec in ["none", "snappy", "zstd", "gzip", "lz4"] {
        let bench = super::bench::Bench::new(json!({"file_format_type": "parquet", "compress_codec": codec}));
        let batch = batches::every_type("t");
        bench.write(&[&batch]).await;
        assert_eq!(bench.parquet_rows(), rows::text(batch.rows()), "{codec}");
        let name = &bench.files()[0];
        let end = if codec == "none" { ".parquet".to_owned() } else { format!(".{codec}.parquet") };
        assert!(name.ends_with(&end) && name.contains("_0_1_0."), "{name}");
    }
}
