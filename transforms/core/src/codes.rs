//! Error codes of this crate: ST-0500 to ST-0509.

use seatun_api::Code;

/// A transform would leave a table without columns.
pub const NO_COLUMNS: Code = Code("ST-0500");
/// A transform would give a table two columns of one name.
pub const DUPLICATE_COLUMN: Code = Code("ST-0501");
