//! `Assert`: checks rows against rules and fails the job when one is broken.
//!
//! It is the one sink whose errors show values: it is made for test data, and an assertion that does not
//! say what it found is of no use.

pub mod codes;
pub mod config;

mod catalog;
mod equal;
mod fields;
mod rules;
mod sink;

pub use sink::{Assert, AssertPlan};
