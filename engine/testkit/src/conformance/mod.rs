//! The promises of the API, tried on any connector. Each connector's `tests/conformance.rs` calls one
//! function for its source and one for its sink.

mod sink;
mod source;

pub use sink::{SinkBench, sink_conformance};
pub use source::{SourceExpectation, source_conformance};
