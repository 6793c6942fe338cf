//! Scripted connectors in memory, for tests of the runtime.

mod sink;
mod source;

pub use sink::{MemorySink, MemoryStore};
pub use source::{MemorySource, ScriptedSplit, Step};
