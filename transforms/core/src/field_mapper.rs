//! `FieldMapper`: keeps the listed columns, in the listed order, under new names.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use seatun_api::registry::{PluginContext, TransformPlugin};
use seatun_api::{Result, TableSchema, Transform};
use serde::Deserialize;

use crate::projection::{Choice, Kept, Projection};

/// Options of `FieldMapper`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldMapperConfig {
    /// Old name to new name of each column that is kept; columns that are not listed are dropped. The order
    /// of the entries is the order of the columns. Example: `{ id = id, card = card_number }`.
    #[schemars(with = "BTreeMap<String, String>")]
    pub field_mapper: IndexMap<String, String>,
}

/// The `FieldMapper` plugin.
pub struct FieldMapper;

impl TransformPlugin for FieldMapper {
    const NAME: &'static str = "FieldMapper";
    type Config = FieldMapperConfig;

    fn build(config: FieldMapperConfig, _context: &PluginContext) -> Result<Box<dyn Transform>> {
        Ok(Box::new(Projection(Names(Arc::new(config.field_mapper)))))
    }
}

#[derive(Clone)]
struct Names(Arc<IndexMap<String, String>>);

impl Choice for Names {
    fn option(&self) -> &'static str {
        "field_mapper"
    }

    fn choose(&self, table: &TableSchema) -> Result<Vec<Kept>> {
        self.0
            .iter()
            .map(|(old, new)| {
                let index =
                    table.column(old).map_err(|error| error.at_option(format!("field_mapper.{old}")))?;
                Ok(Kept { index, name: new.clone() })
            })
            .collect()
    }
}
