//! The promises of a sink, as far as they say anything of one that shows nothing.

use async_trait::async_trait;
use seatun_api::config::Value;
use seatun_api::registry::PluginContext;
use seatun_api::{Batch, Delivery, JobMode, Sink, SinkEntry};
use seatun_connector_blackhole::Blackhole;
use seatun_testkit::{SinkBench, sink_conformance};

struct Bench;

fn build(options: &Value) -> Result<Box<dyn Sink>, Vec<seatun_api::config::Problem>> {
    let context = PluginContext {
        node: "sink".to_owned(),
        mode: JobMode::Batch,
        parallelism: 1,
        config_dir: ".".into(),
        inputs: Vec::new(),
        output: None,
    };
    (SinkEntry::of::<Blackhole>("").build)(options, &context)
}

#[async_trait]
impl SinkBench for Bench {
    fn make(&self, _: &str) -> Box<dyn Sink> {
        build(&Value::empty_map()).unwrap_or_else(|problems| panic!("{problems:?}"))
    }

    async fn visible(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn expected(&self, _: &Batch) -> Vec<String> {
        Vec::new()
    }
}

#[tokio::test]
async fn everything_is_taken_and_nothing_is_visible() {
    sink_conformance(&Bench).await;
}

#[test]
fn it_has_no_options_and_is_idempotent() {
    assert_eq!(Bench.make("").delivery(), Delivery::Idempotent);
    let mut options = Value::empty_map();
    options.as_map_mut().unwrap().insert("path".to_owned(), Value::string("x"));
    let problems = build(&options).err().unwrap();
    assert_eq!(problems[0].message, "unknown option `path`");
}
