//! Values that must not be shown.

use std::fmt;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result, codes};

/// A password, token or key. Printing it in any form gives `******`; it has no serialised form, so it
/// cannot get into a checkpoint, a log or an API answer.
///
/// In a job file the value is the secret itself, `${?NAME}` for an environment variable, or
/// `file:/path`, whose content is read, without a trailing line break, each time it is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

const FILE_PREFIX: &str = "file:";

impl Secret {
    /// Keeps a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The value, for the one call that needs it. A `file:` secret is read now, so that a rotated one is
    /// seen.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub fn reveal(&self) -> Result<String> {
        let Some(path) = self.0.strip_prefix(FILE_PREFIX) else {
            return Ok(self.0.clone());
        };
        let path = Path::new(path);
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::user(codes::SECRET_FILE, format!("cannot read the secret file {}", path.display()))
                .with_source(error)
        })?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("******")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("******")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "password",
            "description": "a secret: the value, `${?NAME}` from the environment, or `file:/path`"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("canary");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "****** ****** Some(******)");
        assert_eq!(secret.reveal().unwrap(), "canary");
    }
}
