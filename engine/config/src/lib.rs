//! From the text of a job file to a checked job, with everything that is wrong with it at once.
//!
//! [`load`] reads a file and gives a [`JobSpec`] or all [`Diagnostic`]s; [`check`] asks every plugin of a job
//! again; [`propagate`] follows the tables through the graph. Nothing here runs a job or reaches a system.

mod check;
pub mod codes;
mod dead_letter;
mod diagnostic;
mod docs;
mod draft;
mod env;
pub mod hocon;
mod job;
mod json;
mod load;
mod secrets;
mod sets;
mod shade;
mod substitute;
mod units;
mod variables;
mod wiring;

pub use check::{Built, Propagation, check, of_problem, propagate};
pub use diagnostic::{Diagnostic, Severity, ShownLine, Sources, render_plain, sort};
pub use docs::{OptionDoc, option_docs, option_table};
pub use env::EnvOptions;
pub use job::{CheckpointSpec, DeadLetterSpec, FlowSpec, JobSpec, NodeKind, NodeSpec, RateSpec, RestartSpec};
pub use load::{Failure, LoadOptions, Loaded, load};
pub use secrets::{MASK, looks_secret};
pub use units::{ByteSize, TimeSpan};
pub use variables::is_reserved;
