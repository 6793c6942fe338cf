//! Tables on their way through a job.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use seatun_api::{TableId, TableSchema};
use seatun_config::{Built, propagate};

use crate::plugins::{Folder, Query, REGISTRY};

#[test]
fn what_does_not_fit_is_told_at_the_option_that_asks_for_it() {
    let folder = Folder::with(
        "source { FakeSource { plugin_output = a } FakeSource { plugin_output = unknown } }
transform {
  Sql { plugin_input = a, plugin_output = good, query = select, columns = [id] }
  Sql { plugin_input = a, plugin_output = bad, query = select, columns = [id, nmae] }
}
sink {
  Console { plugin_input = good }
  Console { plugin_input = bad }
  Console { plugin_input = unknown }
}"
        .replace("} FakeSource", "}\n FakeSource")
        .as_str(),
    );
    let loaded = folder.load().unwrap();
    let fields = vec![Field::new("id", DataType::Int64, true), Field::new("name", DataType::Utf8, true)];
    let table = Arc::new(TableSchema::new(TableId::new("t"), Arc::new(Schema::new(fields))));
    let good = Query { columns: vec!["id".into()] };
    let bad = Query { columns: vec!["id".into(), "nmae".into()] };
    let console = &loaded.job.nodes.iter().find(|node| node.plugin == "Console").unwrap();
    let sink =
        (REGISTRY.sink("Console").unwrap().build)(&console.options, &loaded.job.context(console)).unwrap();
    let built: Vec<Built<'_>> = loaded
        .job
        .nodes
        .iter()
        .map(|node| match node.id.as_str() {
            "a" => Built::Source(Some(vec![Arc::clone(&table)])),
            "unknown" => Built::Source(None),
            "good" => Built::Transform(&good),
            "bad" => Built::Transform(&bad),
            _ => Built::Sink(&*sink),
        })
        .collect();
    let propagation = propagate(&loaded.job, &built);
    let known: Vec<(&str, bool)> = loaded
        .job
        .nodes
        .iter()
        .zip(&propagation.tables)
        .map(|(node, tables)| (node.id.as_str(), tables.is_some()))
        .filter(|(id, _)| !id.starts_with("Console"))
        .collect();
    assert_eq!(known, [("a", true), ("unknown", false), ("good", true), ("bad", false)]);
    let [found] = propagation.diagnostics.as_slice() else { panic!("{:?}", propagation.diagnostics) };
    assert!(found.message.contains("has no column `nmae`"), "{}", found.message);
    assert_eq!(found.hint.as_deref(), Some("did you mean `name`?"));
    let line = loaded.sources.line(&found.origin).unwrap();
    assert_eq!(&line.text[line.mark], "nmae");
}
