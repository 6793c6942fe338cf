//! `seatun plan`: the graph, what flows on its edges, and what is guaranteed from end to end.

use std::sync::Arc;

use seatun_api::{Delivery, JobMode, Result, TableSchema};
use seatun_runtime::job::Job;
use seatun_runtime::plan::{self, Distribution, Guarantee, NodeDescription};
use seatun_runtime::stats::NodeRole;

use crate::graph::{self, Vertex};
use crate::types;

/// Width that lists of columns are wrapped to.
const WIDTH: usize = 96;

/// The whole text.
///
/// # Errors
/// If the tables of a node cannot be told, or do not fit the next one.
pub async fn text(job: &Job) -> Result<String> {
    plan::check(job)?;
    let tables = plan::resolve_tables(job).await?;
    let nodes = plan::describe(job, &tables);
    let mode = match job.mode {
        JobMode::Batch => "batch: ends when its sources are read",
        JobMode::Streaming => "streaming: runs until it is stopped",
    };
    let mut text = format!("job {} ({mode})\n\n", job.name);
    text.push_str(&graph::draw(&vertices(job, &nodes)));
    text.push('\n');
    text.push_str(&guarantee(&plan::guarantee(job)));
    text.push_str(&checkpoints(job, &nodes));
    text.push_str(&dead_letters(job));
    Ok(text)
}

fn vertices(job: &Job, nodes: &[NodeDescription]) -> Vec<Vertex> {
    let width = nodes.iter().map(|node| node.id.chars().count()).max().unwrap_or(0);
    nodes
        .iter()
        .enumerate()
        .map(|(number, node)| Vertex {
            inputs: job.nodes[number].inputs.clone(),
            title: format!("{:width$}  {}", node.id, what(node)),
            details: details(number, nodes),
        })
        .collect()
}

fn what(node: &NodeDescription) -> String {
    let role = match node.role {
        NodeRole::Source => "source",
        NodeRole::Map => "transform",
        NodeRole::Operator if node.blocking => "transform, reads all input first",
        NodeRole::Operator => "transform with state",
        NodeRole::Sink | NodeRole::DeadLetter => "sink",
    };
    let delivery = node.delivery.map_or(String::new(), |delivery| format!(", {}", spell(delivery)));
    format!("{} {role}, parallelism {}{delivery}", node.plugin, node.parallelism)
}

fn details(number: usize, nodes: &[NodeDescription]) -> Vec<String> {
    let node = &nodes[number];
    let mut lines = Vec::new();
    for later in &nodes[number + 1..] {
        for input in later.inputs.iter().filter(|input| input.from == node.id) {
            lines.push(format!("to {}: {}", later.id, spell_distribution(&input.distribution)));
        }
    }
    if !matches!(node.role, NodeRole::Sink | NodeRole::DeadLetter) {
        node.tables.iter().for_each(|table| lines.extend(table_lines(table)));
    }
    lines
}

fn table_lines(table: &Arc<TableSchema>) -> Vec<String> {
    let key: Vec<&str> =
        table.primary_key.iter().map(|&column| table.arrow.field(column).name().as_str()).collect();
    let key = if key.is_empty() { String::new() } else { format!(", key {}", key.join(", ")) };
    let mut lines = vec![format!("table {}{key}", table.id)];
    let mut line = String::new();
    for column in types::columns(&table.arrow) {
        if !line.is_empty() && line.chars().count() + column.chars().count() + 2 > WIDTH {
            lines.push(format!("  {line},"));
            line.clear();
        }
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(&column);
    }
    if !line.is_empty() {
        lines.push(format!("  {line}"));
    }
    lines
}

fn spell_distribution(distribution: &Distribution) -> String {
    match distribution {
        Distribution::Chained => "in the same task".to_owned(),
        Distribution::Forward => "one to one".to_owned(),
        Distribution::BySplit => "the rows of a split to one subtask".to_owned(),
        Distribution::ByKey(columns) => format!("the rows of a key to one subtask, by {columns}"),
    }
}

fn spell(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::ExactlyOnce => "exactly-once",
        Delivery::Idempotent => "idempotent",
        Delivery::AtLeastOnce => "at-least-once",
    }
}

fn guarantee(guarantee: &Guarantee) -> String {
    let limit = match &guarantee.limited_by {
        Some(node) => format!(", limited by {node}"),
        None => String::new(),
    };
    format!("guarantee: {}{limit}: {}\n", spell(guarantee.delivery), guarantee.reason)
}

fn checkpoints(job: &Job, nodes: &[NodeDescription]) -> String {
    let blocking: Vec<&str> =
        nodes.iter().filter(|node| node.blocking).map(|node| node.id.as_str()).collect();
    if !blocking.is_empty() {
        return format!(
            "checkpoints: none before the end, because {} reads all of its input first; after a failure \
             the job begins again\n",
            blocking.join(", ")
        );
    }
    match job.checkpoint.interval {
        Some(interval) => format!("checkpoints: every {interval:?}, and at the end\n"),
        None => "checkpoints: at the end only\n".to_owned(),
    }
}

fn dead_letters(job: &Job) -> String {
    match &job.dead_letter {
        Some(options) => format!("dead letters: to {} ({})\n", options.id, options.plugin),
        None => "dead letters: no sink; the first row that is given up stops the job\n".to_owned(),
    }
}
