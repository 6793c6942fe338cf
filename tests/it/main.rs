//! Tests of the binary and of the tree as a whole.
// What tests share may unwrap as tests do.
#![allow(clippy::unwrap_used)]

mod cli;
mod deps;
mod disk_full;
mod examples;
mod fence;
mod kill;
mod layout;
mod oracle;
mod pairs;
mod process;
mod random;
mod rows;
mod stop;
mod volume;
