//! Error codes of the file connectors: 0600 to 0649 of the source and of what both share, 0650 to 0699 of
//! the sink. Each has a page in `docs/errors`.

use seatun_api::Code;

/// No file is at the path.
pub const NO_FILES: Code = Code("ST-0600");
/// A store cannot be opened, listed or read.
pub const STORE: Code = Code("ST-0601");
/// A format, codec or encoding that this build does not have.
pub const NOT_IN_THIS_BUILD: Code = Code("ST-0602");
/// A file is not the one that was planned: its size, time or tag differs.
pub const FILE_CHANGED: Code = Code("ST-0603");
/// A field of a row is not a value of its column's type.
pub const BAD_VALUE: Code = Code("ST-0604");
/// A record is not well-formed: a quote that never ends, a line that is not JSON.
pub const BAD_RECORD: Code = Code("ST-0605");
/// A record is not valid UTF-8.
pub const NOT_UTF8: Code = Code("ST-0606");
/// A record is longer than the limit.
pub const RECORD_TOO_LONG: Code = Code("ST-0607");
/// The header line of a CSV file lacks a column or names one twice.
pub const HEADER: Code = Code("ST-0608");
/// The columns of a file do not fit those of its table.
pub const INCOMPATIBLE_FILE: Code = Code("ST-0609");
/// A file is damaged: broken compression, a Parquet footer that cannot be read.
pub const DAMAGED_FILE: Code = Code("ST-0610");
/// The folders of a file give other partition columns than those of the first file.
pub const PARTITIONS: Code = Code("ST-0611");
/// A column type that the file format cannot hold.
pub const COLUMN_TYPE: Code = Code("ST-0612");

/// A sink's folder cannot be made or written.
pub const SINK_PATH: Code = Code("ST-0650");
/// The disk or the quota that a sink writes to is full.
pub const DISK_FULL: Code = Code("ST-0651");
/// Writing, syncing or renaming a file of a sink failed.
pub const SINK_WRITE: Code = Code("ST-0652");
/// A file that was prepared for an epoch is gone or damaged: the epoch cannot be made visible.
pub const STAGED_FILE_LOST: Code = Code("ST-0653");
/// Another file stands under the name that a prepared file was to get.
pub const COMMIT_CONFLICT: Code = Code("ST-0654");
/// The target already has data, and the save mode says that it must not.
pub const DATA_EXISTS: Code = Code("ST-0655");
/// The save mode would empty a folder that no job should empty.
pub const DROP_REFUSED: Code = Code("ST-0656");
/// A column's type cannot be written in the file format.
pub const UNWRITABLE_TYPE: Code = Code("ST-0657");
/// Several tables with different columns would be written to one place.
pub const TABLES_SHARE_PATH: Code = Code("ST-0658");
/// A change that is no insert came to a sink that takes inserts only.
pub const CHANGE_REFUSED: Code = Code("ST-0659");
/// A row has a value that the file format cannot hold.
pub const VALUE_UNWRITABLE: Code = Code("ST-0660");
/// A value of a partition column makes no name of a folder.
pub const PARTITION_NAME: Code = Code("ST-0661");
/// A row came without some of its values, and a file cannot take the other half later.
pub const PARTIAL_ROW: Code = Code("ST-0662");
/// The target's folder does not exist, and the save mode says that it must.
pub const FOLDER_MISSING: Code = Code("ST-0663");
