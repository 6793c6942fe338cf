//! `seatun run`: a job from its file to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use seatun_api::Result;
use seatun_runtime::run::{self, Control, Outcome, RunOptions};
use seatun_runtime::stats::JobStats;
use seatun_state::Start;

use crate::args::{LogFormat, RunArgs};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::watch::{Watch, no_runtime};
use crate::{check, job, output, state, summary};

/// Runs the job.
///
/// # Errors
/// The failure that ended it.
pub fn run(arguments: &RunArgs, format: LogFormat) -> Result<Exit> {
    if let Some(place) = &arguments.master {
        if !place.eq_ignore_ascii_case("local") {
            output::report(&format!(
                "error: there is no `{place}`: a job runs in this process, use `local`\n"
            ));
            return Ok(Exit::Usage);
        }
        tracing::info!("a job always runs in this process: `{place}` can be left out");
    }
    if arguments.check {
        return Ok(check::offline(&arguments.job, format));
    }
    let Some((job, state_uri)) = job::load(&arguments.job, format) else { return Ok(Exit::User) };
    let store = state::open(&arguments.state, state_uri.as_deref())?;
    let runtime = data_runtime(arguments.threads)?;
    let console = job.nodes.iter().any(|node| node.plugin == "Console");
    let stats = run::stats_of(&job);
    let control = Control::new();
    let progress = Progress::new(Arc::clone(&stats), arguments.progress, format, console);
    let watch = Watch::start(control.clone(), Arc::clone(&stats), progress, arguments.http)?;
    let options = RunOptions { store, start: start(arguments) };
    let begun = Instant::now();
    let outcome = runtime.block_on(run::run(job, options, control, Arc::clone(&stats)));
    watch.end();
    conclude(&outcome, &stats, begun.elapsed(), format);
    // What is durable is durable: a read that still waits for a server holds nobody up.
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome.map(|_| Exit::Done)
}

fn start(arguments: &RunArgs) -> Start {
    match &arguments.restore {
        Some(name) => Start::Restore(name.clone()),
        None if arguments.fresh => Start::Fresh,
        None => Start::Resume,
    }
}

/// The threads that move data.
fn data_runtime(threads: Option<u16>) -> Result<tokio::runtime::Runtime> {
    let cores = || std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.map_or_else(cores, usize::from))
        .thread_name("data")
        .enable_all()
        .build()
        .map_err(no_runtime)
}

/// The last words: what each node has done, and how the job ended.
fn conclude(outcome: &Result<Outcome>, stats: &JobStats, elapsed: Duration, format: LogFormat) {
    if format == LogFormat::Json {
        summary::log(outcome, stats, elapsed);
        return;
    }
    // After a failure rows are in flight: nothing adds up, and the counts are no result.
    if let Ok(outcome) = outcome {
        output::report(&summary::text(stats, elapsed));
        output::report(&format!("{} in {:.1} s\n", summary::ending(outcome), elapsed.as_secs_f64()));
    }
}
