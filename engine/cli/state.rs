//! `seatun state`, and where state is kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use seatun_api::{Error, Result};
use seatun_state::{JobStateView, ManifestKind, ManifestView, StateStore};

use crate::args::{StateArgs, StateCommand, StateLocation};
use crate::output::{self, Align, bytes, columns, grouped};
use crate::{codes, job};

/// Names the folder of state for jobs that do not say.
const VARIABLE: &str = "SEATUN_STATE_DIR";
const DEFAULT: &str = ".seatun/state";

/// Opens the store: as the command line says, else as the job file says, else as the environment says,
/// else a folder below the working directory.
///
/// # Errors
/// If it is no place for state.
pub fn open(location: &StateLocation, of_job: Option<&str>) -> Result<Arc<dyn StateStore>> {
    let of_environment = std::env::var(VARIABLE).ok().filter(|value| !value.is_empty());
    let uri = location.uri.as_deref().or(of_job).or(of_environment.as_deref()).unwrap_or(DEFAULT);
    seatun_state::open_store(uri)
}

/// `seatun state`.
///
/// # Errors
/// If the state cannot be read, or there is none of this job.
pub fn state(arguments: &StateArgs) -> Result<()> {
    let store = open(&arguments.state, None)?;
    job::small_runtime()?.block_on(async {
        match &arguments.command {
            StateCommand::List => list(&*store).await,
            StateCommand::Inspect { job, json } => inspect(&*store, job, *json).await,
            StateCommand::Savepoint { job, name } => savepoint(&*store, job, name).await,
            StateCommand::DeleteSavepoint { job, name } => delete(&*store, job, name).await,
        }
    })
}

async fn list(store: &dyn StateStore) -> Result<()> {
    let mut rows =
        vec![["job", "epoch", "kind", "when", "rows read", "savepoints"].map(str::to_owned).to_vec()];
    for name in seatun_state::list_jobs(store).await? {
        let view = seatun_state::inspect(store, &name).await?;
        let mut row = vec![name];
        match view.epochs.last() {
            None => row.extend(["-", "-", "-", "-"].map(str::to_owned)),
            Some(epoch) => {
                row.push(epoch.epoch.to_string());
                match &epoch.manifest {
                    None => row.extend(["damaged", "-", "-"].map(str::to_owned)),
                    Some(manifest) => row.extend([
                        kind(manifest.kind).to_owned(),
                        ago(manifest.finished_ms),
                        grouped(manifest.rows_read),
                    ]),
                }
            }
        }
        row.push(view.savepoints.len().to_string());
        rows.push(row);
    }
    let aligns = [Align::Left, Align::Right, Align::Left, Align::Left, Align::Right, Align::Right];
    match rows.len() {
        1 => output::print(&format!("no state in {}\n", store.uri())),
        _ => output::print(&columns(&rows, &aligns)),
    }
    Ok(())
}

async fn inspect(store: &dyn StateStore, job: &str, json: bool) -> Result<()> {
    let view = seatun_state::inspect(store, job).await?;
    if view.runs.is_empty() && view.epochs.is_empty() && view.savepoints.is_empty() {
        return Err(no_state(store, job).await);
    }
    if json {
        let text = serde_json::to_string_pretty(&view).map_err(|error| {
            Error::internal(seatun_api::error::codes::INTERNAL, "the state has no JSON form")
                .with_source(error)
        })?;
        output::print(&format!("{text}\n"));
        return Ok(());
    }
    output::print(&described(&view, &store.uri()));
    Ok(())
}

async fn no_state(store: &dyn StateStore, job: &str) -> Error {
    let jobs = seatun_state::list_jobs(store).await.unwrap_or_default();
    let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
    Error::user(codes::NO_STATE, format!("there is no state of a job `{job}`"))
        .with_hint(seatun_api::error::nearest_hint(job, &jobs))
        .with("store", store.uri())
}

fn described(view: &JobStateView, uri: &str) -> String {
    let mut text = format!("job {} in {uri}\n", view.job);
    let mut runs = vec![["run", "host", "pid", "started", "release"].map(str::to_owned).to_vec()];
    runs.extend(view.runs.iter().map(|run| {
        vec![
            run.generation.to_string(),
            run.host.clone(),
            run.pid.to_string(),
            ago(run.started_ms),
            run.release.clone(),
        ]
    }));
    text.push_str(&format!(
        "\n{}",
        columns(&runs, &[Align::Right, Align::Left, Align::Right, Align::Left, Align::Left])
    ));
    let head =
        ["epoch", "kind", "committed", "run", "when", "took", "rows read", "given up", "open splits", "size"];
    let mut epochs = vec![head.map(str::to_owned).to_vec()];
    epochs.extend(view.epochs.iter().map(|epoch| {
        let committed = match (&epoch.manifest, epoch.committed) {
            (Some(manifest), false) if !manifest.needs_commit => "nothing to",
            (_, true) => "yes",
            (_, false) => "pending",
        };
        row(epoch.epoch.to_string(), committed, epoch.manifest.as_ref())
    }));
    text.push_str(&format!("\n{}", columns(&epochs, &EPOCH_ALIGNS)));
    if !view.savepoints.is_empty() {
        let mut savepoints = vec![head.map(str::to_owned).to_vec()];
        savepoints[0][0] = "savepoint".to_owned();
        savepoints.extend(view.savepoints.iter().map(|savepoint| {
            let epoch =
                savepoint.manifest.as_ref().map_or_else(String::new, |manifest| manifest.epoch.to_string());
            row(savepoint.name.clone(), &format!("epoch {epoch}"), savepoint.manifest.as_ref())
        }));
        savepoints[0][2] = "of".to_owned();
        text.push_str(&format!("\n{}", columns(&savepoints, &EPOCH_ALIGNS)));
    }
    for problem in &view.problems {
        text.push_str(&format!("\nproblem: {problem}\n"));
    }
    text
}

const EPOCH_ALIGNS: [Align; 10] = [
    Align::Right,
    Align::Left,
    Align::Left,
    Align::Right,
    Align::Left,
    Align::Right,
    Align::Right,
    Align::Right,
    Align::Right,
    Align::Right,
];

fn row(name: String, committed: &str, manifest: Option<&ManifestView>) -> Vec<String> {
    let Some(manifest) = manifest else { return vec![name, "damaged".to_owned()] };
    vec![
        name,
        kind(manifest.kind).to_owned(),
        committed.to_owned(),
        manifest.generation.to_string(),
        ago(manifest.finished_ms),
        format!("{:.2} s", manifest.took_ms as f64 / 1000.0),
        grouped(manifest.rows_read),
        grouped(manifest.dead_lettered),
        grouped(manifest.splits),
        bytes(manifest.manifest_bytes + manifest.state_bytes),
    ]
}

fn kind(kind: ManifestKind) -> &'static str {
    match kind {
        ManifestKind::Takeover => "takeover",
        ManifestKind::Checkpoint => "checkpoint",
        ManifestKind::Stop => "stop",
        ManifestKind::Final => "final",
    }
}

/// How long ago, in the largest unit that fits.
fn ago(millis: i64) -> String {
    let then = UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    let seconds = SystemTime::now().duration_since(then).unwrap_or_default().as_secs();
    match seconds {
        0..=119 => format!("{seconds} s ago"),
        120..=7199 => format!("{} min ago", seconds / 60),
        7200..=172_799 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

async fn savepoint(store: &dyn StateStore, job: &str, name: &str) -> Result<()> {
    let epoch = seatun_state::savepoint_from_latest(store, job, name).await?;
    output::print(&format!(
        "savepoint {name} of job {job} is epoch {epoch}; `seatun run JOB --restore {name}` goes back to it\n"
    ));
    Ok(())
}

async fn delete(store: &dyn StateStore, job: &str, name: &str) -> Result<()> {
    let was_there = seatun_state::delete_savepoint(store, job, name).await?;
    let outcome = if was_there { "is deleted" } else { "was not there" };
    output::print(&format!("savepoint {name} of job {job} {outcome}\n"));
    Ok(())
}
