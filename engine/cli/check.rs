//! `seatun check`: is the job file right, and with `--connect`, do the systems answer?

use std::time::Duration;

use seatun_api::{Error, Result};
use seatun_runtime::job::{Job, NodeKind};
use seatun_runtime::plan;

use crate::args::{CheckArgs, JobArgs, LogFormat};
use crate::exit::Exit;
use crate::job::{self, Checked};
use crate::{codes, output};

/// How long a system may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Checks a job file.
///
/// # Errors
/// If the process cannot be set up, or the tables that a system tells do not fit.
pub fn check(arguments: &CheckArgs, format: LogFormat) -> Result<Exit> {
    match arguments.connect {
        false => Ok(offline(&arguments.job, format)),
        true => online(&arguments.job, format),
    }
}

/// Reads no file but the job file and those that it includes, and reaches no system.
pub fn offline(arguments: &JobArgs, format: LogFormat) -> Exit {
    let checked = Checked::of(arguments);
    checked.report(format);
    let Some(job) = &checked.job else { return Exit::User };
    output::print(&format!("{} is right: job {}, {} nodes\n", checked.file, job.name, job.nodes.len()));
    Exit::Done
}

fn online(arguments: &JobArgs, format: LogFormat) -> Result<Exit> {
    let checked = Checked::of(arguments);
    checked.report(format);
    let Some(job) = &checked.job else { return Ok(Exit::User) };
    let runtime = job::small_runtime()?;
    let failed = runtime.block_on(probe(job));
    for error in &failed {
        crate::report(error, format);
    }
    if let Some(worst) = failed.iter().map(Exit::of).max() {
        return Ok(worst);
    }
    runtime.block_on(plan::resolve_tables(job))?;
    output::print(&format!("{} is right, and every system answers\n", checked.file));
    Ok(Exit::Done)
}

/// Asks every system, one after the other; gives those that failed.
async fn probe(job: &Job) -> Vec<Error> {
    let mut failed = Vec::new();
    if let Some(letters) = &job.dead_letter
        && let Ok(Err(error)) = tokio::time::timeout(PATIENCE, letters.sink.probe()).await
    {
        failed.push(error.with("node", &letters.id));
    }
    for node in &job.nodes {
        let answer = match &node.kind {
            NodeKind::Source(source) => tokio::time::timeout(PATIENCE, source.probe()).await,
            NodeKind::Sink(sink) => tokio::time::timeout(PATIENCE, sink.probe()).await,
            NodeKind::Transform(_) => continue,
        };
        note(&node.id, node.plugin, answer, &mut failed);
    }
    if let Some(letters) = &job.dead_letter {
        let answer = tokio::time::timeout(PATIENCE, letters.sink.probe()).await;
        note(&letters.id, letters.plugin, answer, &mut failed);
    }
    failed
}

fn note(
    id: &str,
    plugin: &str,
    answer: Result<Result<String>, tokio::time::error::Elapsed>,
    failed: &mut Vec<Error>,
) {
    let in_time = answer.unwrap_or_else(|_| {
        Err(Error::external(codes::NO_ANSWER, format!("{plugin} does not answer within {PATIENCE:?}")))
    });
    match in_time {
        Ok(line) => output::print(&format!("{id}: {line}\n")),
        Err(error) => {
            output::print(&format!("{id}: failed\n"));
            failed.push(error.with("node", id));
        }
    }
}
