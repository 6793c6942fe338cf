//! Error codes of this connector.

use seatun_api::Code;

/// There are no rules, or a rule makes no sense.
pub const INVALID_RULE: Code = Code("ST-0730");
/// There are more or fewer rows than a rule says.
pub const ROW_COUNT: Code = Code("ST-0731");
/// A column's values are not of the type that a rule says.
pub const FIELD_TYPE: Code = Code("ST-0732");
/// A value breaks a rule.
pub const FIELD_VALUE: Code = Code("ST-0733");
/// The table is not declared as a rule says.
pub const CATALOG_TABLE: Code = Code("ST-0734");
/// Other tables came than a rule says.
pub const TABLE_NAMES: Code = Code("ST-0735");
