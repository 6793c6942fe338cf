//! Exit codes: what a caller can rely on. docs/exit-codes.md says the same in more words.

use std::process::ExitCode;

use seatun_api::{Blame, Error};

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, or stopped in good order.
    Done = 0,
    /// The job file or the data is wrong.
    User = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A system outside failed.
    External = 3,
    /// Another process has taken the job over.
    Fenced = 4,
    /// A defect of seatun.
    Internal = 70,
    /// A second signal.
    Killed = 130,
}

impl Exit {
    /// The exit code of an error.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error.blame() {
            Blame::User => Self::User,
            Blame::External => Self::External,
            Blame::Fenced => Self::Fenced,
            Blame::Internal => Self::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
