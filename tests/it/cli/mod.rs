//! The command line as a user meets it: what it says, where it says it, and how it ends.

mod binary;
mod jobs;
mod problems;
mod running;
mod words;
