//! What a writer of job files relies on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod broken;
mod dialect;
mod documentation;
mod hocon_cases;
mod oracle;
mod plugins;
mod propagation;
mod roundtrip;
mod settings;
mod wiring;
