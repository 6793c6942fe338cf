//! `Filter`: keeps or drops columns by name.

use std::sync::Arc;

use schemars::JsonSchema;
use seatun_api::error::codes::INVALID_OPTION;
use seatun_api::registry::{PluginContext, TransformPlugin};
use seatun_api::{Error, Result, TableSchema, Transform};
use serde::Deserialize;

use crate::projection::{Choice, Kept, Projection};

/// Options of `Filter`: exactly one of the two lists.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterConfig {
    /// The columns to keep, in this order. Example: `[id, name]`.
    #[serde(default, alias = "fields")]
    pub include_fields: Option<Vec<String>>,
    /// The columns to drop; the others keep their order. Example: `[password]`.
    #[serde(default)]
    pub exclude_fields: Option<Vec<String>>,
}

/// The `Filter` plugin.
pub struct Filter;

impl TransformPlugin for Filter {
    const NAME: &'static str = "Filter";
    type Config = FilterConfig;

    fn build(config: FilterConfig, _context: &PluginContext) -> Result<Box<dyn Transform>> {
        let fields = match (config.include_fields, config.exclude_fields) {
            (Some(names), None) => Fields::Include(names.into()),
            (None, Some(names)) => Fields::Exclude(names.into()),
            (Some(_), Some(_)) => {
                return Err(Error::user(INVALID_OPTION, "it cannot stand beside `include_fields`")
                    .at_option("exclude_fields")
                    .with_hint("keep the one list that is shorter"));
            }
            (None, None) => {
                return Err(Error::user(
                    INVALID_OPTION,
                    "one of `include_fields` and `exclude_fields` is required",
                ));
            }
        };
        Ok(Box::new(Projection(fields)))
    }
}

#[derive(Clone)]
enum Fields {
    Include(Arc<[String]>),
    Exclude(Arc<[String]>),
}

impl Choice for Fields {
    fn option(&self) -> &'static str {
        match self {
            Self::Include(_) => "include_fields",
            Self::Exclude(_) => "exclude_fields",
        }
    }

    fn choose(&self, table: &TableSchema) -> Result<Vec<Kept>> {
        let (Self::Include(names) | Self::Exclude(names)) = self;
        let listed: Vec<usize> = names
            .iter()
            .enumerate()
            .map(|(place, name)| {
                table.column(name).map_err(|error| error.at_option(format!("{}[{place}]", self.option())))
            })
            .collect::<Result<_>>()?;
        let indices: Vec<usize> = match self {
            Self::Include(_) => listed,
            Self::Exclude(_) => {
                (0..table.arrow.fields().len()).filter(|index| !listed.contains(index)).collect()
            }
        };
        let kept = indices
            .into_iter()
            .map(|index| Kept { index, name: table.arrow.field(index).name().clone() })
            .collect();
        Ok(kept)
    }
}
