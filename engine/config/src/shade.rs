//! `shade.identifier = base64`: SeaTunnel's way to keep plain passwords out of a file. It hides nothing from
//! anybody who can read the file; it is decoded so that such files run.

use seatun_api::config::{Value, ValueKind};

use crate::codes;
use crate::diagnostic::Diagnostic;

/// The options of a plugin's block that are decoded.
const OPTIONS: [&str; 6] = ["password", "username", "auth", "token", "access_key", "secret_key"];

/// How the job file's secrets are written.
pub(crate) struct Shade {
    decodes: bool,
    more: Vec<String>,
}

impl Shade {
    /// Reads `env { shade.identifier, shade.options }`.
    pub(crate) fn read(root: &Value, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let env = root.get("env");
        let identifier = env.and_then(|env| env.get("shade.identifier"));
        let more = env.and_then(|env| env.get("shade.options")).and_then(Value::as_list).unwrap_or_default();
        let more = more.iter().filter_map(Value::as_text).map(str::to_owned).collect();
        let decodes = match identifier.and_then(Value::as_text).unwrap_or("default").to_lowercase().as_str() {
            "default" => false,
            "base64" => true,
            other => {
                let message = format!("secrets cannot be decoded by `{other}`");
                let origin = identifier.map(|value| value.origin.clone()).unwrap_or_default();
                let hint =
                    "known: base64, default; better: `password = ${?NAME}` or `password = \"file:/path\"`";
                diagnostics.push(Diagnostic::error(codes::SHADE, message, &origin).with_hint(hint));
                false
            }
        };
        Self { decodes, more }
    }

    /// Decodes the options of a plugin's block.
    pub(crate) fn decode(&self, block: &mut Value, diagnostics: &mut Vec<Diagnostic>) {
        let Some(map) = block.as_map_mut().filter(|_| self.decodes) else { return };
        for (key, value) in map {
            if !OPTIONS.contains(&key.as_str()) && !self.more.contains(key) {
                continue;
            }
            let ValueKind::String(text) = &mut value.kind else { continue };
            match decode(text) {
                Some(decoded) => *text = decoded,
                None => {
                    let message = format!("option `{key}` is not base64, as `shade.identifier` says it is");
                    diagnostics.push(Diagnostic::error(codes::SHADE, message, &value.origin));
                }
            }
        }
    }
}

/// Standard base64 of a UTF-8 text.
fn decode(text: &str) -> Option<String> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.trim().trim_end_matches('=');
    if digits.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0u32);
    for digit in digits.bytes() {
        let value = DIGITS.iter().position(|d| *d == digit)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_or_refused() {
        for (text, expected) in
            [("c2VhdHVu", "seatun"), ("YQ==", "a"), ("YWI=", "ab"), ("YWI", "ab"), ("", "")]
        {
            assert_eq!(decode(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["a", "!!!!", "/w=="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
