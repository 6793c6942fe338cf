//! The sink: what it says of itself, and where its writers print.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use seatun_api::registry::{PluginContext, SinkConnector};
use seatun_api::{Committer, Delivery, Error, Result, Sink, SinkContext, Writer, WriterContext};

use crate::codes;
use crate::config::ConsoleConfig;
use crate::writer::ConsoleWriter;

/// The sink `Console`.
pub struct Console;

/// A checked sink.
pub struct ConsolePlan {
    config: ConsoleConfig,
}

impl SinkConnector for Console {
    const NAME: &'static str = "Console";
    type Config = ConsoleConfig;
    type Plan = ConsolePlan;

    fn validate(config: ConsoleConfig, _: &PluginContext) -> Result<ConsolePlan> {
        Ok(ConsolePlan { config })
    }

    fn build(plan: ConsolePlan, _: &PluginContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(plan.on(Terminal::standard_output())))
    }
}

impl ConsolePlan {
    /// A sink that prints into a writer of the caller's.
    #[must_use]
    pub fn into_sink(self, target: Box<dyn Write + Send>) -> Box<dyn Sink> {
        Box::new(self.on(Terminal(Arc::new(Mutex::new(target)))))
    }

    fn on(self, terminal: Terminal) -> Built {
        Built {
            prints: self.config.print_data,
            delay: Duration::from_millis(self.config.print_delay_ms),
            terminal,
        }
    }
}

/// Where all writers of a sink print; lines of two writers do not mix.
#[derive(Clone)]
pub(crate) struct Terminal(Arc<Mutex<Box<dyn Write + Send>>>);

impl Terminal {
    fn standard_output() -> Self {
        Self(Arc::new(Mutex::new(Box::new(std::io::stdout()))))
    }

    /// Prints whole lines. A reader that does not read holds up this call, but no thread of the runtime.
    pub async fn print(&self, lines: String) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let target = Arc::clone(&self.0);
        let printing = tokio::task::spawn_blocking(move || {
            let mut target = target.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            target.write_all(lines.as_bytes())?;
            target.flush()
        });
        let result = printing.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        result.map_err(|error| {
            Error::external_permanent(codes::OUTPUT, "standard output cannot be written")
                .with_hint("the program that read it may have ended")
                .with_source(error)
        })
    }
}

struct Built {
    prints: bool,
    delay: Duration,
    terminal: Terminal,
}

#[async_trait]
impl Sink for Built {
    fn delivery(&self) -> Delivery {
        Delivery::AtLeastOnce
    }

    async fn probe(&self) -> Result<String> {
        Ok("prints to standard output".to_owned())
    }

    async fn writer(&self, context: WriterContext) -> Result<Box<dyn Writer>> {
        let terminal = self.prints.then(|| self.terminal.clone());
        let writer = ConsoleWriter::new(context.subtask, terminal, self.delay);
        if context.subtask == 0 {
            writer.print_columns(&context.sink.tables).await?;
        }
        Ok(Box::new(writer))
    }

    async fn committer(&self, _: SinkContext) -> Result<Option<Box<dyn Committer>>> {
        Ok(None)
    }
}
