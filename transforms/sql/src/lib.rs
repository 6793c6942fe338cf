//! The `Sql` transform: SeaTunnel's SQL on DataFusion.
//!
//! A query that only projects and filters one input runs as a [`Map`](seatun_api::Map): it is compiled once
//! for each version of each table and then evaluated batch by batch, so that kinds, event times and
//! sequences stay with their rows and checkpoints can be taken at any time. Any other query runs, in a batch
//! job, as one DataFusion plan behind a blocking [`Operator`](seatun_api::Operator).
//!
//! The way of a query: [`parse`] → [`dialect`] (SeaTunnel's spellings become DataFusion's) → [`session`]
//! (planned and optimised) → [`stream`] or [`blocking`]. No other crate names DataFusion.

mod blocking;
mod codes;
mod diagnose;
mod dialect;
mod functions;
mod parse;
mod plugin;
mod session;
mod shape;
mod stream;
mod types;

use seatun_api::TransformEntry;

pub use codes::*;
pub use plugin::{Engine, Sql, SqlConfig};

/// The row of the `Sql` transform.
pub const SQL: TransformEntry = TransformEntry::of::<Sql>(
    "Selects, computes and filters with SQL; in batch jobs also joins, aggregates, sorts",
);
