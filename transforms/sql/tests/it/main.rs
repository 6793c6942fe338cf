//! What users of the `Sql` transform rely on. One binary: linking DataFusion takes a while.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod blocking;
mod errors;
mod golden;
mod harness;
mod rejects;
mod slices;
mod stream;
