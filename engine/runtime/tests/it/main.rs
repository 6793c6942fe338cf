//! The engine on scripted connectors: everything that a job may rely on, without a real system.

mod checkpoints;
mod dead_letters;
mod failures;
mod flow;
mod harness;
mod schema;
mod state;
