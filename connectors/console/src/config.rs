//! The options of `Console`.

use schemars::JsonSchema;
use serde::Deserialize;

/// Prints rows to standard output, one line each. After a failure some rows are printed again.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsoleConfig {
    /// Whether rows are printed; if not, they are only counted. Default: true.
    #[serde(default = "yes", rename = "log.print.data")]
    pub print_data: bool,
    /// Wait after each row, in milliseconds. Default: 0.
    #[serde(default, rename = "log.print.delay.ms")]
    pub print_delay_ms: u64,
}

fn yes() -> bool {
    true
}
