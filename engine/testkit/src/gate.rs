//! A door that a test opens and closes, so that nobody has to sleep to be at a known place.

use std::sync::Arc;

use tokio::sync::watch;

/// Open or closed; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// A gate that lets nobody through.
    #[must_use]
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// A gate that lets everybody through.
    #[must_use]
    pub fn opened() -> Self {
        Self(Arc::new(watch::Sender::new(true)))
    }

    /// Lets everybody through from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Lets nobody through from now on.
    pub fn close(&self) {
        self.0.send_replace(false);
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is open.
    pub async fn pass(&self) {
        let mut state = self.0.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        let _ = state.wait_for(|open| *open).await;
    }
}
