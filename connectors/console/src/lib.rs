//! `Console`: prints rows to standard output, in SeaTunnel's form.

pub mod codes;
pub mod config;

mod sink;
mod writer;

pub use sink::{Console, ConsolePlan};
