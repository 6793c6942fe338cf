//! Log lines and errors on stderr, as text or as JSON, without tearing the progress bar.

use std::io::{self, Write};
use std::sync::OnceLock;

use indicatif::MultiProgress;
use seatun_api::{Error, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::args::{Cli, LogFormat};
use crate::codes;

static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// Starts logging.
///
/// # Errors
/// If the level is none.
pub fn start(cli: &Cli) -> Result<()> {
    let filter = EnvFilter::try_new(&cli.log_level).map_err(|error| {
        Error::user(codes::LOG_LEVEL, format!("`{}` is no log level", cli.log_level))
            .with_hint(
                "use error, warn, info, debug, trace, or directives such as `info,seatun_runtime=debug`",
            )
            .with_source(error)
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Stderr);
    match cli.log_format {
        LogFormat::Json => builder.json().flatten_event(true).init(),
        LogFormat::Text => builder.with_ansi(crate::render::colours()).with_target(false).init(),
    }
    Ok(())
}

/// From now on log lines are written above these bars.
pub fn keep_clear_of(bars: &MultiProgress) {
    let _ = BARS.set(bars.clone());
}

struct Stderr;

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line
    }
}

/// Takes one formatted line at a time, as `tracing_subscriber` writes them.
struct Line;

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match BARS.get() {
            Some(bars) => bars.suspend(|| io::stderr().lock().write_all(line))?,
            None => io::stderr().lock().write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
