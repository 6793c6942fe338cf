//! Runs a job: tasks, channels, checkpoints, restarts.
//!
//! The public face is small: a [`job::Job`] goes into [`run::run`], which returns when the job has ended;
//! [`stats::JobStats`] is what can be watched meanwhile, [`run::Control`] what can be asked of it.
//!
//! Inside, [`attempt`] takes the job over and spawns one task for each subtask of each stage, and the
//! coordinator drives them: it is the only place that knows of epochs.

mod align;
mod attempt;
mod channel;
pub mod codes;
mod control;
mod coordinator;
pub mod dead_letter;
mod emit;
mod epoch;
mod gate;
mod gather;
pub mod http;
pub mod job;
pub mod metrics;
mod pace;
pub mod plan;
pub mod preview;
mod recover;
mod retry;
pub mod run;
mod shuffle;
mod snapshot;
mod spill;
mod splits;
pub mod stats;
mod tally;
mod task;
mod topology;
mod watermark;

pub use shuffle::key_groups;
