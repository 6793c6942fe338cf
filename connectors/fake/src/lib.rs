//! `FakeSource`: rows without a system to read them from.
//!
//! Row `k` of a split is a function of the split's state and `k`: after a failure exactly the same rows come
//! again, from any position. Rows are made column by column.

pub mod codes;
pub mod config;
pub mod sequence;

mod draw;
mod fixed;
mod generate;
mod reader;
mod source;
mod split;
mod table;

pub use source::{FakePlan, FakeSource};
