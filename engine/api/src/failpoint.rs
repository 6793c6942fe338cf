//! Places where a test can kill the process.
//!
//! `SEATUN_FAILPOINT=name` or `name:n` kills the process with SIGKILL when the named place is passed for
//! the n-th time (the first, without a number). Only builds with debug assertions look; in a release build
//! [`hit`] is empty.

/// Every failpoint, in the order in which an epoch passes them.
pub const ALL: &[&str] = &[
    BEFORE_PREPARE,
    AFTER_PREPARE,
    MANIFEST_NOT_SYNCED,
    MANIFEST_WRITTEN,
    SOME_SINKS_COMMITTED,
    BEFORE_MARKER,
    BEFORE_SOURCE_ACK,
];

/// A sink writer has got the barrier and prepared nothing yet.
pub const BEFORE_PREPARE: &str = "before_prepare";
/// A sink writer has prepared its part of the epoch.
pub const AFTER_PREPARE: &str = "after_prepare";
/// The manifest's bytes are written but not durable, and it has no name yet.
pub const MANIFEST_NOT_SYNCED: &str = "manifest_not_synced";
/// The manifest is durable: the epoch is decided, no sink has committed.
pub const MANIFEST_WRITTEN: &str = "manifest_written";
/// One sink has committed the epoch, others may not have.
pub const SOME_SINKS_COMMITTED: &str = "some_sinks_committed";
/// Every sink has committed, the marker is not written.
pub const BEFORE_MARKER: &str = "before_marker";
/// The marker is written, the sources have not been told.
pub const BEFORE_SOURCE_ACK: &str = "before_source_ack";

/// Passes a failpoint.
#[cfg(debug_assertions)]
pub fn hit(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var("SEATUN_FAILPOINT").ok()?;
        let (name, nth) = text.split_once(':').unwrap_or((text.as_str(), "1"));
        Some((name.to_owned(), AtomicU64::new(nth.parse().ok()?)))
    });
    let Some((armed_name, left)) = armed else { return };
    if armed_name == name && left.fetch_sub(1, Ordering::SeqCst) == 1 {
        kill_self();
    }
}

/// Passes a failpoint: nothing to do in a release build.
#[cfg(not(debug_assertions))]
pub fn hit(_name: &str) {}

#[cfg(debug_assertions)]
fn kill_self() -> ! {
    let pid = std::process::id().to_string();
    let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
    std::process::abort()
}
