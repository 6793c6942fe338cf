//! The engine on scripted connectors: everything that a job may rely on, without a real system.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up its job has failed")]

mod checkpoints;
mod dead_letters;
mod failures;
mod flow;
mod harness;
mod schema;
mod state;
