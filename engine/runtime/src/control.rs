//! What can be asked of a running job.

use std::sync::Arc;

use tokio::sync::watch;

/// A handle to a running job; clones control the same job.
#[derive(Clone, Debug)]
pub struct Control {
    stop: Arc<watch::Sender<bool>>,
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// A handle for a job to come.
    #[must_use]
    pub fn new() -> Self {
        Self { stop: Arc::new(watch::Sender::new(false)) }
    }

    /// Asks the job to stop in good order: sources stop reading, a last checkpoint is taken and
    /// committed. The next start goes on from there.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Whether the job was asked to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the job is asked to stop.
    pub async fn stopping(&self) {
        let mut changes = self.stop.subscribe();
        // invariant: the sender lives in `self`, so waiting cannot fail.
        let _ = changes.wait_for(|stopping| *stopping).await;
    }
}
