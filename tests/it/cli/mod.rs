//! The command line as a user meets it: what it says, where it says it, and how it ends.

#![allow(clippy::unwrap_used, reason = "a helper of tests that fails is a test that fails")]

mod binary;
mod jobs;
mod problems;
mod running;
mod words;
