//! The source: its tables, its plan of splits.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use seatun_api::error::codes::INVALID_OPTION;
use seatun_api::registry::{PluginContext, SourceConnector};
use seatun_api::source::PlanRequest;
use seatun_api::{
    Boundedness, Error, JobMode, Reader, ReaderContext, Result, Source, SplitPlan, TableSchema, Versioned,
};

use crate::config::FakeConfig;
use crate::draw::key_of;
use crate::reader::FakeReader;
use crate::split::{self, Now};
use crate::table::FakeTable;

const PLANNER: &str = "fake.planner";
const PLANNER_VERSION: u32 = 1;

/// The source `FakeSource`.
pub struct FakeSource;

/// A checked source.
pub struct FakePlan {
    tables: Vec<Arc<FakeTable>>,
    seed: u64,
    rate: Option<f64>,
}

impl SourceConnector for FakeSource {
    const NAME: &'static str = "FakeSource";
    type Config = FakeConfig;
    type Plan = FakePlan;

    fn validate(config: FakeConfig, context: &PluginContext) -> Result<FakePlan> {
        if config.rate.is_some_and(|rate| rate.is_nan() || rate <= 0.0) {
            return Err(Error::user(INVALID_OPTION, "must be above 0").at_option("rate"));
        }
        let tables = tables(&config, context)?;
        for (index, table) in tables.iter().enumerate() {
            if tables[..index].iter().any(|other| other.schema.id == table.schema.id) {
                let text = format!("table {} is there twice", table.schema.id);
                return Err(Error::user(INVALID_OPTION, text).at_option("tables_configs"));
            }
        }
        let seed = config.seed.unwrap_or_else(|| key_of(&context.node));
        Ok(FakePlan { tables: tables.into_iter().map(Arc::new).collect(), seed, rate: config.rate })
    }

    fn build(plan: FakePlan, context: &PluginContext) -> Result<Box<dyn Source>> {
        let tables = plan.tables.into_iter().map(|table| (table.schema.id.to_string(), table));
        let order = tables.clone().map(|(_, table)| table).collect();
        Ok(Box::new(Built {
            order,
            tables: Arc::new(tables.collect()),
            seed: plan.seed,
            rate: plan.rate,
            mode: context.mode,
            readers: context.parallelism,
        }))
    }
}

fn tables(config: &FakeConfig, context: &PluginContext) -> Result<Vec<FakeTable>> {
    let Some(parts) = &config.tables_configs else {
        return Ok(vec![table(config, context)?]);
    };
    if parts.is_empty() {
        return Err(Error::user(INVALID_OPTION, "must have at least one table").at_option("tables_configs"));
    }
    for (set, option) in [
        (config.schema.is_some(), "schema"),
        (config.rows.is_some(), "rows"),
        (config.row_num.is_some(), "row.num"),
        (config.split_num.is_some(), "split.num"),
        (config.sequence, "sequence"),
    ] {
        if set {
            let error = Error::user(INVALID_OPTION, "has no effect beside `tables_configs`");
            return Err(error.at_option(option).with_hint("give it to the tables that need it"));
        }
    }
    let part = |(index, part): (usize, &FakeConfig)| {
        let path = format!("tables_configs[{index}]");
        for (set, option) in [
            (part.tables_configs.is_some(), "tables_configs"),
            (part.seed.is_some(), "seed"),
            (part.rate.is_some(), "rate"),
        ] {
            if set {
                let error = Error::user(INVALID_OPTION, "is an option of the whole source");
                return Err(error.at_option(format!("{path}.{option}")));
            }
        }
        table(part, context).map_err(|error| {
            let option = error.option().map_or_else(|| path.clone(), |below| format!("{path}.{below}"));
            error.at_option(option)
        })
    };
    parts.iter().enumerate().map(part).collect()
}

fn table(config: &FakeConfig, context: &PluginContext) -> Result<FakeTable> {
    let table = FakeTable::new(config, context.output.as_deref())?;
    if config.row_num == Some(-1) && context.mode == JobMode::Batch {
        let error = Error::user(INVALID_OPTION, "rows without end need a streaming job");
        return Err(error.at_option("row.num").with_hint("set env { job.mode = STREAMING }"));
    }
    Ok(table)
}

struct Built {
    order: Vec<Arc<FakeTable>>,
    tables: Arc<BTreeMap<String, Arc<FakeTable>>>,
    seed: u64,
    rate: Option<f64>,
    mode: JobMode,
    readers: u32,
}

#[async_trait]
impl Source for Built {
    /// In a streaming job the source goes on after its last row, with nothing more to emit.
    fn boundedness(&self) -> Boundedness {
        match self.mode {
            JobMode::Batch => Boundedness::Bounded,
            JobMode::Streaming => Boundedness::Unbounded,
        }
    }

    fn declared_tables(&self) -> Option<Vec<TableSchema>> {
        Some(self.order.iter().map(|table| table.schema.as_ref().clone()).collect())
    }

    async fn probe(&self) -> Result<String> {
        Ok("makes its rows itself".to_owned())
    }

    /// All splits are planned at once, at the first start; their state keeps that moment.
    async fn plan(&self, request: PlanRequest<'_>) -> Result<SplitPlan> {
        let complete = self.mode == JobMode::Batch;
        let state = Some(Versioned::encode(PLANNER, PLANNER_VERSION, &())?);
        if let Some(known) = request.state {
            known.decode::<()>(PLANNER, PLANNER_VERSION)?;
            return Ok(SplitPlan { add: Vec::new(), complete, state });
        }
        let shapes: Vec<_> = self.order.iter().map(|table| table.shape.clone()).collect();
        let add = split::plan(&shapes, self.readers, self.seed, Now::read())
            .into_iter()
            .map(split::SplitState::into_split)
            .collect::<Result<_>>()?;
        Ok(SplitPlan { add, complete, state })
    }

    async fn reader(&self, context: ReaderContext) -> Result<Box<dyn Reader>> {
        let rate = self.rate.map(|rate| rate / f64::from(context.parallelism.max(1)));
        let reader = FakeReader::new(Arc::clone(&self.tables), &context, rate, self.mode);
        Ok(Box::new(reader))
    }
}
