//! What the tests of connectors and of the runtime share.
//!
//! * [`batches`]: tables and batches, among them one with every type and its extreme values.
//! * [`rows`]: rows as text, and comparisons whose failures can be read.
//! * [`recorder`]: outputs that keep what a source, operator or writer gives, and check that the ranges of
//!   positions are without a gap.
//! * [`read`]: drives a source as the runtime does, from the start or from any position.
//! * [`conformance`]: the promises of a source and of a sink, tried on any connector.
//! * [`memory`]: a scripted source and a two-phase sink in memory, for tests of the runtime.
//!
//! This crate is test code: it reports by panicking, with a text that says which promise was broken.
#![allow(clippy::unwrap_used)]

pub mod batches;
pub mod conformance;
pub mod gate;
pub mod memory;
pub mod read;
pub mod recorder;
pub mod rows;

pub use conformance::{SinkBench, SourceExpectation, sink_conformance, source_conformance};
pub use gate::Gate;
pub use read::{ReadEnd, ReadOptions, Reading, read_all, read_splits, resume};
pub use recorder::{OutputRecorder, SinkRecorder, SourceEvent, SourceRecorder};
