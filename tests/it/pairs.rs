//! The jobs of the kill tests: short, exactly-once, with a checkpoint many times a second.

use std::path::PathBuf;

use crate::oracle::{self, Due};
use crate::process::{Job, PATIENCE, Running};
use crate::rows;

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pair {
    /// FakeSource to one file sink.
    FakeToFile,
    /// CSV files to one file sink.
    FileToFile,
    /// FakeSource to a Parquet and a CSV sink, which must be committed together.
    FakeToTwoSinks,
}

/// Splits of each job's source.
const WRITERS: u64 = 4;

/// A job of a pair.
pub struct Sample {
    /// Its folder.
    pub job: Job,
    pair: Pair,
    parallelism: u32,
    rows: u64,
    target: PathBuf,
    empties: bool,
}

impl Sample {
    /// A job of so many rows, a multiple of four, in four splits. Nothing is started.
    pub fn new(pair: Pair, parallelism: u32, rows: u64) -> Self {
        let job = Job::new();
        let target = job.path().join("target");
        let sample = Self { job, pair, parallelism, rows, target, empties: false };
        if pair == Pair::FileToFile {
            let folder = sample.job.path().join("input");
            std::fs::create_dir(&folder).expect("the input folder");
            for writer in 0..WRITERS {
                rows::write_csv(&folder.join(format!("{writer}.csv")), writer, rows / WRITERS);
            }
        }
        sample.set_rate(None);
        sample
    }

    /// The same job with its files elsewhere.
    pub fn with_target(mut self, target: PathBuf) -> Self {
        self.target = target;
        self.set_rate(None);
        self
    }

    /// The same job, which empties its targets when it begins from nothing.
    pub fn with_emptied_targets(mut self) -> Self {
        self.empties = true;
        self.set_rate(None);
        self
    }

    /// Writes the job file with a limit of rows per second and reader; the next start uses it.
    pub fn set_rate(&self, rate: Option<u64>) {
        let limit = rate.map_or_else(String::new, |rate| format!("read_limit.rows_per_second = {rate}"));
        let sinks: String = self.sinks().iter().map(|(folder, format)| self.sink(folder, format)).collect();
        self.job.write(&format!(
            "env {{\n  job.name = sample\n  job.mode = BATCH\n  parallelism = {}\n  checkpoint.interval = 100\n  {limit}\n}}\n\
             source {{\n{}}}\nsink {{\n{sinks}}}\n",
            self.parallelism,
            self.source(),
        ));
    }

    fn source(&self) -> String {
        match self.pair {
            Pair::FileToFile => {
                "  LocalFile {\n    plugin_output = rows\n    path = input\n    file_format_type = csv\n    \
                 schema { fields { writer = int, seq = bigint, payload = string, crc = bigint } }\n  }\n"
                    .to_owned()
            }
            Pair::FakeToFile | Pair::FakeToTwoSinks => format!(
                "  FakeSource {{\n    plugin_output = rows\n    sequence = true\n    payload.max = 60\n    \
                 row.num = {}\n    split.num = {}\n  }}\n",
                self.rows / u64::from(self.parallelism),
                WRITERS / u64::from(self.parallelism),
            ),
        }
    }

    fn sink(&self, folder: &str, format: &str) -> String {
        let mode = if self.empties { "data_save_mode = DROP_DATA" } else { "" };
        format!(
            "  LocalFile {{\n    plugin_input = rows\n    path = \"{}\"\n    file_format_type = {format}\n    \
             {mode}\n  }}\n",
            self.target.join(folder).display()
        )
    }

    /// The sinks' folders, below the target, and formats.
    fn sinks(&self) -> &'static [(&'static str, &'static str)] {
        match self.pair {
            Pair::FakeToFile => &[("one", "parquet")],
            Pair::FileToFile => &[("one", "csv")],
            Pair::FakeToTwoSinks => &[("one", "parquet"), ("two", "csv")],
        }
    }

    /// What must come out of every sink.
    fn due(&self) -> Due {
        let payload = if self.pair == Pair::FileToFile { "file" } else { "fake:60" };
        Due { payload, writers: WRITERS, rows: self.rows / WRITERS, leftovers: false }
    }

    /// How many files a reader sees at the first sink.
    pub fn committed_files(&self) -> usize {
        oracle::committed_files(&self.target.join("one"))
    }

    /// How many runs the job has had: each start and each restart claims a number.
    pub fn generations(&self) -> usize {
        std::fs::read_dir(self.job.state().join("sample/runs")).map_or(0, Iterator::count)
    }

    /// The newest manifest.
    pub fn newest_manifest(&self) -> PathBuf {
        let folder = self.job.state().join("sample/epochs");
        let mut manifests: Vec<PathBuf> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("a folder's entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        manifests.sort();
        manifests.pop().expect("a manifest")
    }

    /// Starts the job and waits until it has claimed its run: from then on it takes signals.
    #[track_caller]
    pub fn start(&self) -> Running {
        let before = self.generations();
        let mut running = self.job.start();
        running.wait_until("the run is claimed", PATIENCE, |_| self.generations() > before);
        running
    }

    /// Starts the job and waits until this run has committed something.
    #[track_caller]
    pub fn start_and_commit(&self) -> Running {
        let before = self.committed_files();
        let mut running = self.job.start();
        running.wait_until("a commit", PATIENCE, |_| self.committed_files() > before);
        running
    }

    /// Panics unless every sink shows every row once, unchanged and in order, and holds nothing else.
    #[track_caller]
    pub fn assert_exactly_once(&self) {
        self.assert_sinks(self.due());
    }

    /// The same, where hidden files may be left over.
    #[track_caller]
    pub fn assert_exactly_once_beside_leftovers(&self) {
        self.assert_sinks(Due { leftovers: true, ..self.due() });
    }

    #[track_caller]
    fn assert_sinks(&self, due: Due) {
        for (folder, format) in self.sinks() {
            oracle::assert_exactly_once(&self.target.join(folder), format, due);
        }
    }

    /// Lets the job run to its end as fast as it can, and looks at the result.
    #[track_caller]
    pub fn finish_and_assert(&self) {
        self.set_rate(None);
        self.job.finish();
        self.assert_exactly_once();
    }
}
