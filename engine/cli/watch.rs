//! What goes on beside the data: signals, progress, the HTTP server. All on a thread of its own, so that
//! a signal is heard at once however busy the data is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use seatun_api::{Error, Result};
use seatun_runtime::http::Server;
use seatun_runtime::run::Control;
use seatun_runtime::stats::JobStats;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use crate::codes;
use crate::exit::Exit;
use crate::progress::Progress;

/// The thread beside a running job.
pub struct Watch {
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Starts it. Signals are heard and the HTTP server is up when this returns.
    ///
    /// # Errors
    /// If the thread or the signal handlers cannot be made, or the address is taken.
    pub fn start(
        control: Control,
        stats: Arc<JobStats>,
        progress: Progress,
        http: Option<SocketAddr>,
    ) -> Result<Self> {
        let (end, ended) = oneshot::channel();
        let (report, started) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = report.send(Err(no_runtime(error)));
                        return;
                    }
                };
                runtime.block_on(watch(control, stats, progress, http, report, ended));
            })
            .map_err(no_runtime)?;
        let watch = Self { end, thread };
        match started.recv() {
            Ok(Ok(())) => Ok(watch),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(no_runtime("the thread ended before it began")),
        }
    }

    /// Ends it when the job has ended.
    pub fn end(self) {
        let _ = self.end.send(());
        let _ = self.thread.join();
    }
}

/// The error of a process that cannot be set up.
pub fn no_runtime(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::external(codes::NO_RUNTIME, "cannot set up the threads and signal handlers of the process")
        .with_source(cause)
}

async fn watch(
    control: Control,
    stats: Arc<JobStats>,
    mut progress: Progress,
    http: Option<SocketAddr>,
    report: mpsc::Sender<Result<()>>,
    mut ended: oneshot::Receiver<()>,
) {
    let set_up = async {
        let signals = (
            signal(SignalKind::terminate()).map_err(no_runtime)?,
            signal(SignalKind::interrupt()).map_err(no_runtime)?,
        );
        let server = match http {
            Some(address) => Some(Server::bind(address, stats).await?),
            None => None,
        };
        Ok((signals, server))
    };
    let ((mut terminate, mut interrupt), server) = match set_up.await {
        Ok(parts) => parts,
        Err(error) => {
            let _ = report.send(Err(error));
            return;
        }
    };
    let _ = report.send(Ok(()));
    let mut serving = std::pin::pin!(serve(server));
    let mut ticks = tokio::time::interval(progress.interval());
    ticks.tick().await;
    loop {
        tokio::select! {
            _ = &mut ended => break,
            () = either(&mut terminate, &mut interrupt) => heard(&control),
            _ = ticks.tick() => progress.show(),
            () = &mut serving => {}
        }
    }
    progress.end();
}

/// Answers for as long as it is asked to; never returns.
async fn serve(server: Option<Server>) {
    if let Some(server) = server {
        tracing::info!("health and metrics on http://{}", server.address());
        if let Err(error) = server.serve().await {
            tracing::error!(code = %error.code(), error = %error.chain(), "the job goes on without them");
        }
    }
    std::future::pending::<()>().await;
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The first signal stops in good order, the second at once.
fn heard(control: &Control) {
    if control.is_stopping() {
        tracing::warn!("second signal: ending at once; the next start goes on from the last checkpoint");
        std::process::exit(Exit::Killed as i32);
    }
    tracing::info!("stopping: a last checkpoint is taken and committed; a second signal ends at once");
    control.stop();
}
