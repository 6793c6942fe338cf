//! `Blackhole`: counts rows and drops them, for measuring what comes before it.
//!
//! Nothing is visible anywhere, so a row that comes twice changes nothing.

use async_trait::async_trait;
use schemars::JsonSchema;
use seatun_api::registry::{PluginContext, SinkConnector};
use seatun_api::schema_change::SchemaChange;
use seatun_api::{
    Batch, Committer, Delivery, Epoch, Prepared, Result, Sink, SinkContext, SinkOutput, Writer, WriterContext,
};
use serde::Deserialize;
use std::sync::Arc;

/// The sink `Blackhole`.
pub struct Blackhole;

/// Drops all rows; the job's summary counts them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlackholeConfig {}

impl SinkConnector for Blackhole {
    const NAME: &'static str = "Blackhole";
    type Config = BlackholeConfig;
    type Plan = ();

    fn validate(_: BlackholeConfig, _: &PluginContext) -> Result<()> {
        Ok(())
    }

    fn build((): (), _: &PluginContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(Built))
    }
}

struct Built;

#[async_trait]
impl Sink for Built {
    fn delivery(&self) -> Delivery {
        Delivery::Idempotent
    }

    async fn probe(&self) -> Result<String> {
        Ok("takes everything".to_owned())
    }

    async fn writer(&self, _: WriterContext) -> Result<Box<dyn Writer>> {
        Ok(Box::new(Dropping))
    }

    async fn committer(&self, _: SinkContext) -> Result<Option<Box<dyn Committer>>> {
        Ok(None)
    }
}

struct Dropping;

#[async_trait]
impl Writer for Dropping {
    async fn write(&mut self, _: Batch, _: &mut dyn SinkOutput) -> Result<()> {
        Ok(())
    }

    async fn prepare(&mut self, _: Epoch, _: &mut dyn SinkOutput) -> Result<Prepared> {
        Ok(Prepared::default())
    }

    async fn schema_change(&mut self, _: Arc<SchemaChange>) -> Result<()> {
        Ok(())
    }
}
