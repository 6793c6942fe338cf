//! The envelope of everything a connector wants to find again after a restart.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, codes};

/// A durable value that says what it is: no state is ever stored without kind and version, so that a later
/// release can tell what it reads and upgrade it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// What the body is, for example `files.split`.
    pub kind: String,
    /// Version of the body's form, counted from 1.
    pub version: u32,
    /// The value. Never holds a secret: it is stored in plain text.
    pub body: serde_json::Value,
}

impl Versioned {
    /// Wraps a value.
    ///
    /// # Errors
    /// Fails if the value has no JSON form (a map with keys that are not strings).
    pub fn encode<T: Serialize>(kind: &str, version: u32, value: &T) -> Result<Self> {
        let body = serde_json::to_value(value).map_err(|error| {
            Error::internal(codes::STATE_CODEC, format!("cannot encode state `{kind}`")).with_source(error)
        })?;
        Ok(Self { kind: kind.to_owned(), version, body })
    }

    /// Reads a value of the given kind and version.
    ///
    /// # Errors
    /// Refuses another kind, a version this build does not know, and a body of another form.
    pub fn decode<T: DeserializeOwned>(&self, kind: &str, version: u32) -> Result<T> {
        if self.kind != kind || self.version != version {
            return Err(Error::user(
                codes::STATE_CODEC,
                format!(
                    "stored state is `{}` version {}, this build reads `{kind}` version {version}",
                    self.kind, self.version
                ),
            )
            .with_hint("restore with the release that wrote it, or start with --fresh"));
        }
        serde_json::from_value(self.body.clone()).map_err(|error| {
            Error::internal(codes::STATE_CODEC, format!("stored state `{kind}` is malformed"))
                .with_source(error)
        })
    }
}
