//! `seatun stop`: asks a process on this host to stop, waits for it, and keeps its last checkpoint.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use seatun_api::{Error, Result};
use seatun_state::{RunRecord, StateStore};

use crate::args::StopArgs;
use crate::{codes, job, output, state};

/// Time between two looks at the process.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Stops a job.
///
/// # Errors
/// If no process of it runs on this host, or it does not end in time.
pub fn stop(arguments: &StopArgs) -> Result<()> {
    let store = state::open(&arguments.state, None)?;
    let runtime = job::small_runtime()?;
    let run = runtime.block_on(seatun_state::last_run(&*store, &arguments.job))?;
    let pid = process_of(run.as_ref(), &arguments.job, &*store)?;
    kill_process(pid, Signal::TERM).map_err(|error| {
        not_running(&arguments.job, "its process cannot be signalled", &*store)
            .with("pid", pid.as_raw_nonzero())
            .with_source(error)
    })?;
    wait(pid, Duration::from_secs(arguments.timeout))?;
    output::print(&format!("job {} has stopped\n", arguments.job));
    if let Some(name) = &arguments.savepoint {
        let epoch = runtime.block_on(seatun_state::savepoint_from_latest(&*store, &arguments.job, name))?;
        output::print(&format!("savepoint {name} is its epoch {epoch}\n"));
    }
    Ok(())
}

fn process_of(run: Option<&RunRecord>, job: &str, store: &dyn StateStore) -> Result<Pid> {
    let Some(run) = run else { return Err(not_running(job, "it has never run", store)) };
    let here = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if !here.trim().is_empty() && here.trim() != run.host {
        return Err(not_running(job, "its last run is on another host", store)
            .with_hint(format!("run `seatun stop` on {}", run.host))
            .with("host", &run.host));
    }
    let pid = i32::try_from(run.pid).ok().and_then(Pid::from_raw).filter(|pid| lives(*pid));
    pid.ok_or_else(|| not_running(job, "its last run has ended", store).with("pid", run.pid))
}

fn not_running(job: &str, why: &str, store: &dyn StateStore) -> Error {
    Error::user(codes::NOT_RUNNING, format!("job `{job}` cannot be stopped: {why}"))
        .with_hint("was the job started with another --state?")
        .with("store", store.uri())
}

fn wait(pid: Pid, patience: Duration) -> Result<()> {
    let begun = Instant::now();
    while lives(pid) {
        if begun.elapsed() > patience {
            return Err(Error::external(
                codes::DID_NOT_STOP,
                format!("the job still runs {} s after it was asked to stop", patience.as_secs()),
            )
            .with_hint("it may still stop by itself; --timeout waits longer")
            .with("pid", pid.as_raw_nonzero()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Whether the process is there and has not ended: one that its parent has not asked about yet still has
/// an entry. Numbers are given out again, so it must also be of this program's name.
fn lives(pid: Pid) -> bool {
    let Some((name, state)) = process(&pid.as_raw_nonzero().to_string()) else { return false };
    let ours = process("self").map(|(name, _)| name);
    Some(name) == ours && !matches!(state, 'Z' | 'X')
}

/// Name and state of an entry of /proc.
fn process(entry: &str) -> Option<(String, char)> {
    let stat = std::fs::read_to_string(format!("/proc/{entry}/stat")).ok()?;
    let (open, close) = (stat.find('(')?, stat.rfind(')')?);
    let state = stat.get(close + 1..)?.trim_start().chars().next()?;
    Some((stat.get(open + 1..close)?.to_owned(), state))
}
