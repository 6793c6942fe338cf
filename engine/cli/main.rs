//! `seatun`: the binary. It reads the command line, composes the registries with the engine and shows what
//! happens; everything else stands in the crates.

mod args;
mod check;
mod codes;
mod error_pages;
mod exit;
mod explain;
mod graph;
mod job;
mod logging;
mod output;
mod plan;
mod plugins;
mod preview;
mod progress;
mod render;
mod run;
mod seatunnel_flags;
mod state;
mod stop;
mod summary;
mod types;
mod watch;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use seatun_api::Error;

use crate::args::{Cli, Command, LogFormat};
use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match seatunnel_flags::translate(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(message) => {
            output::report(&format!("error: {message}\n"));
            return Exit::Usage.into();
        }
    };
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    // A panic of the main thread is a defect like any other: it has been reported by the panic hook.
    let outcome = std::panic::catch_unwind(|| act(&cli)).unwrap_or(Ok(Exit::Internal));
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            report(&error, cli.log_format);
            Exit::of(&error).into()
        }
    }
}

fn act(cli: &Cli) -> Result<Exit, Error> {
    logging::start(cli)?;
    match &cli.command {
        Command::Run(arguments) => return run::run(arguments, cli.log_format),
        Command::Check(arguments) => return check::check(arguments, cli.log_format),
        Command::Plan(arguments) => return job::show_plan(arguments, cli.log_format),
        Command::Preview(arguments) => return job::show_preview(arguments, cli.log_format),
        Command::Connectors => plugins::list(),
        Command::Schema(arguments) => plugins::schema(arguments)?,
        Command::Explain { code } => explain::explain(code.as_deref())?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "seatun", &mut script);
            output::print(&String::from_utf8_lossy(&script));
        }
        Command::State(arguments) => state::state(arguments)?,
        Command::Stop(arguments) => stop::stop(arguments)?,
    }
    Ok(Exit::Done)
}

/// Tells of a failure on stderr.
fn report(error: &Error, format: LogFormat) {
    match format {
        LogFormat::Text => output::report(&render::error(error)),
        LogFormat::Json => tracing::error!(
            code = %error.code(),
            blame = ?error.blame(),
            error = %error.chain(),
            hint = error.hint(),
            "failed"
        ),
    }
}
