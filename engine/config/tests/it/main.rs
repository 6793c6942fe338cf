//! What a writer of job files relies on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod dialect;
mod hocon_cases;
mod plugins;
