//! What the command line looks like.
//!
//! This file stands on `clap` and `clap_complete` alone: the task that writes docs/cli.md includes it as it is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

const EXIT_CODES: &str = "\
Exit codes:
  0    done, or stopped in good order
  1    user error: the job file or the data
  2    usage error: the command line
  3    external failure: network, server, disk
  4    fenced: another process has taken the job over
  70   internal error: a defect of seatun
  130  ended at once by a second signal (or by one before the job ran)

`seatun explain ST-NNNN` tells more about an error code.";

/// A standalone data-integration engine: SeaTunnel job files, one binary, exactly-once.
#[derive(Debug, Parser)]
#[command(name = "seatun", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Cli {
    /// How log lines and errors are written to stderr.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// Which log lines are written: error, warn, info, debug, trace, or directives such as
    /// `info,seatun_runtime=debug`.
    #[arg(
        long,
        global = true,
        env = "SEATUN_LOG",
        hide_env_values = true,
        default_value = "info",
        value_name = "LEVEL"
    )]
    pub log_level: String,
    #[command(subcommand)]
    pub command: Command,
}

/// How log lines and errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs a job to its end, or until it is stopped. `seatun -c JOB` is the same.
    Run(RunArgs),
    /// Checks a job file offline and shows all errors at once.
    Check(CheckArgs),
    /// Shows the graph of a job, the schema on each edge and what is guaranteed end to end.
    Plan(JobArgs),
    /// Shows the first rows at each node. Writes nothing.
    Preview(PreviewArgs),
    /// Lists the connectors and transforms of this build.
    Connectors,
    /// Prints the JSON schema of a plugin's options.
    Schema(SchemaArgs),
    /// Explains an error code; without a code, lists them all.
    Explain {
        /// The code: `ST-0102`, or `0102`.
        code: Option<String>,
    },
    /// Prints a completion script.
    Completions {
        /// The shell it is for.
        shell: clap_complete::Shell,
    },
    /// Looks into the stored state of jobs.
    State(StateArgs),
    /// Asks a running job on this host to stop after a last checkpoint, and waits for it.
    Stop(StopArgs),
}

/// Which job, with which variables.
#[derive(Debug, Args)]
pub struct JobArgs {
    /// The job file (HOCON, or JSON if it ends in `.json`).
    #[arg(value_name = "JOB", value_hint = ValueHint::FilePath, required_unless_present = "config")]
    pub job: Option<PathBuf>,
    /// The job file, as SeaTunnel spells it.
    #[arg(short = 'c', long, value_name = "JOB", value_hint = ValueHint::FilePath, conflicts_with = "job")]
    pub config: Option<PathBuf>,
    /// A variable for `${name}` in the job file: `-i day=2018-02-04`. May be repeated; `-i a=1,b=2` sets two.
    #[arg(short = 'i', long = "variable", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
    /// Sets an option of the job file by its path: `--set env.parallelism=2`. May be repeated.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// The job's name, if `env` has no `job.name`. Default: the file's name without its extension.
    #[arg(short = 'n', long, value_name = "NAME")]
    pub name: Option<String>,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Only checks the job file, as `seatun check` does.
    #[arg(long)]
    pub check: bool,
    /// Where the job runs. There is one place: `local`.
    #[arg(short = 'm', long, visible_short_alias = 'e', alias = "deploy-mode", value_name = "local")]
    pub master: Option<String>,
    /// Starts from a savepoint of this name instead of the last checkpoint.
    #[arg(long, value_name = "SAVEPOINT", conflicts_with = "fresh")]
    pub restore: Option<String>,
    /// Starts from the beginning: the stored state of the job is not used any more.
    #[arg(long)]
    pub fresh: bool,
    #[command(flatten)]
    pub state: StateLocation,
    /// Serves /livez, /readyz and /metrics here while the job runs; a bare port means 127.0.0.1, port 0
    /// any free one. Off without this option.
    #[arg(long, value_name = "[HOST:]PORT", value_parser = address)]
    pub http: Option<SocketAddr>,
    /// Threads for the data. Default: one for each core, at least 2.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// How progress is shown on stderr. `auto` is a bar on a terminal and a line every 5 seconds otherwise.
    #[arg(long, value_enum, default_value_t = ProgressMode::Auto, value_name = "MODE")]
    pub progress: ProgressMode,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    /// A bar on a terminal, lines otherwise.
    Auto,
    /// A live bar.
    Bar,
    /// A line every 5 seconds.
    Lines,
    /// Nothing.
    None,
}

/// Where state is kept.
#[derive(Debug, Args)]
pub struct StateLocation {
    /// Folder or URI (`s3://bucket/prefix`) of the state. Default: `checkpoint.uri` of the job file, else
    /// SEATUN_STATE_DIR, else `.seatun/state`.
    #[arg(long = "state", value_name = "URI")]
    pub uri: Option<String>,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// Also reaches out to every system that the job names.
    #[arg(long)]
    pub connect: bool,
}

/// Options of `preview`.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    #[command(flatten)]
    pub job: JobArgs,
    /// How many rows to read from each source.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub rows: usize,
    /// Shows the values of columns that are marked as personal data.
    #[arg(long)]
    pub unmask: bool,
}

/// Options of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// The plugin's name, as in a job file.
    pub plugin: String,
    /// Which of its kinds, if the plugin is several.
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<PluginKind>,
}

/// Kinds of plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PluginKind {
    /// Reads.
    Source,
    /// Changes.
    Transform,
    /// Writes.
    Sink,
}

/// Options of `state`.
#[derive(Debug, Args)]
pub struct StateArgs {
    #[command(flatten)]
    pub state: StateLocation,
    #[command(subcommand)]
    pub command: StateCommand,
}

/// What to do with stored state.
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// Lists the jobs that have state.
    List,
    /// Shows what is stored of a job: its runs, checkpoints and savepoints.
    Inspect {
        /// The job's name.
        #[arg(value_name = "JOB-NAME")]
        job: String,
        /// Prints it as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Pins the last checkpoint of a job under a name, for `run --restore NAME`.
    Savepoint {
        /// The job's name.
        #[arg(value_name = "JOB-NAME")]
        job: String,
        /// The savepoint's name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Deletes a savepoint.
    DeleteSavepoint {
        /// The job's name.
        #[arg(value_name = "JOB-NAME")]
        job: String,
        /// The savepoint's name.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Options of `stop`.
#[derive(Debug, Args)]
pub struct StopArgs {
    /// The job's name.
    #[arg(value_name = "JOB-NAME")]
    pub job: String,
    /// Pins the last checkpoint under this name once the job has stopped.
    #[arg(long, value_name = "NAME")]
    pub savepoint: Option<String>,
    /// How long to wait for the job to stop, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
    #[command(flatten)]
    pub state: StateLocation,
}

/// A bare port is one of 127.0.0.1: nothing is open to others unless it is asked for.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.trim_start_matches(':').parse() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    text.parse().map_err(|_| "use a port, or an IP address and a port: `9090`, `0.0.0.0:9090`".to_owned())
}
