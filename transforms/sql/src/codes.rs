//! Error codes of this crate: ST-0510 to ST-0549.

use seatun_api::Code;

/// The query is not SQL, or not one `SELECT`.
pub const QUERY_SYNTAX: Code = Code("ST-0510");
/// The query does not fit the tables: an unknown column or function, types that do not go together.
pub const QUERY_PLAN: Code = Code("ST-0511");
/// The query cannot be answered batch by batch, and the job is a stream.
pub const NOT_STREAMABLE: Code = Code("ST-0512");
/// The query reads a table that is not an input of the node.
pub const QUERY_TABLE: Code = Code("ST-0513");
/// The columns that come out cannot be a table: two of one name, or a type no table has.
pub const QUERY_COLUMNS: Code = Code("ST-0514");
/// An expression cannot be computed for a row.
pub const ROW_FAILED: Code = Code("ST-0515");
/// Rows that are no inserts were given to a query that aggregates, joins or sorts.
pub const CHANGES_IN_QUERY: Code = Code("ST-0516");
/// A query needs more memory than it may use.
pub const QUERY_MEMORY: Code = Code("ST-0517");
/// A query failed while it ran.
pub const QUERY_FAILED: Code = Code("ST-0518");
/// A schema changed while a query that aggregates, joins or sorts was running.
pub const QUERY_SCHEMA_CHANGE: Code = Code("ST-0519");
/// Rows could not be spilled to disk, or not be read again.
pub const QUERY_SPILL: Code = Code("ST-0520");
