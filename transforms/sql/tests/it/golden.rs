//! Runs `tests/slt/*.slt`: each query whole and in batches of seven rows, which must give the same.
//!
//! A file is made of blocks with a blank line between them. `table NAME`, a line of columns and lines of
//! rows declare an input. `query INPUTS` (or `stream INPUTS` for a streaming job), the query, `----` and the
//! result is a test; `error INPUTS` and `stream error INPUTS` expect an error instead. `SEATUN_UPDATE=1`
//! writes the results that came out into the files, to be read before they are believed.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use seatun_api::{Batch, JobMode, TransformKind};

use crate::harness;

#[test]
fn queries_give_what_the_files_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = String::new();
    for file in files {
        let before = std::fs::read_to_string(&file).unwrap();
        let after = run_file(&before);
        if std::env::var_os("SEATUN_UPDATE").is_some() {
            std::fs::write(&file, &after).unwrap();
        } else if before != after {
            let differing = before.split("\n\n").zip(after.split("\n\n")).filter(|(old, new)| old != new);
            for (old, new) in differing {
                writeln!(wrong, "{}\nexpected:\n{old}\n\nfound:\n{new}\n", file.display()).unwrap();
            }
            assert!(!wrong.is_empty(), "{}: blank lines at the end", file.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn run_file(text: &str) -> String {
    let mut tables: HashMap<String, Batch> = HashMap::new();
    let blocks = text.trim_end().split("\n\n").map(|block| {
        let comments = block.lines().take_while(|line| line.starts_with('#')).count();
        let head = block.lines().nth(comments).unwrap_or_default();
        if let Some(name) = head.strip_prefix("table ") {
            let lines: Vec<&str> = block.lines().skip(comments + 1).collect();
            tables.insert(name.to_owned(), declare(name, &lines));
            return block.to_owned();
        }
        if head.is_empty() {
            return block.to_owned();
        }
        let (question, _) = block.split_once("\n----").unwrap_or((block, ""));
        let query: String = question.lines().skip(comments + 1).collect::<Vec<_>>().join("\n");
        let answer = answer(head, &query, &tables);
        format!("{question}\n----\n{answer}")
    });
    let blocks: Vec<String> = blocks.collect();
    blocks.join("\n\n") + "\n"
}

fn declare(name: &str, lines: &[&str]) -> Batch {
    let [head, rows @ ..] = lines else { panic!("table {name} has no columns") };
    let columns: Vec<_> = head
        .split(" | ")
        .map(|column| {
            let (name, kind) = column.trim().split_once(' ').unwrap();
            (name, kind.parse().unwrap_or_else(|error| panic!("{kind}: {error}")))
        })
        .collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.split(" | ").map(|value| value.trim().to_owned()).collect()).collect();
    harness::table(name, &columns, &rows)
}

fn answer(head: &str, query: &str, tables: &HashMap<String, Batch>) -> String {
    let (mode, head) = match head.strip_prefix("stream ") {
        Some(rest) if rest.starts_with("error ") => (JobMode::Streaming, rest.to_owned()),
        Some(rest) => (JobMode::Streaming, format!("query {rest}")),
        None => (JobMode::Batch, head.to_owned()),
    };
    let (kind, inputs) = head.split_once(' ').unwrap_or_else(|| panic!("`{head}` names no inputs"));
    let inputs: Vec<&str> = inputs.split(',').collect();
    let batches: Vec<&Batch> = inputs.iter().map(|name| &tables[*name]).collect();
    match (kind, run(query, mode, &inputs, &batches)) {
        ("query", Ok(text)) | ("error", Err(text)) => text,
        ("query", Err(text)) => format!("ERROR {text}"),
        ("error", Ok(text)) => format!("NO ERROR\n{text}"),
        (other, _) => panic!("`{other}` is no kind of block"),
    }
}

fn run(query: &str, mode: JobMode, inputs: &[&str], batches: &[&Batch]) -> Result<String, String> {
    let whole = run_in(query, mode, inputs, batches, usize::MAX)?;
    let parts = run_in(query, mode, inputs, batches, 7)?;
    if whole != parts {
        return Err(format!("whole:\n{whole}\nin parts:\n{parts}"));
    }
    Ok(whole)
}

fn run_in(
    query: &str,
    mode: JobMode,
    inputs: &[&str],
    batches: &[&Batch],
    size: usize,
) -> Result<String, String> {
    let transform = harness::build(query, mode, inputs)?;
    let tables: Vec<_> = batches.iter().map(|batch| vec![Arc::clone(batch.table())]).collect();
    let declared = transform.output_tables(&tables).map_err(|error| harness::describe(&error))?;
    let ports: Vec<Vec<Batch>> =
        batches.iter().map(|batch| harness::slices(batch, size.min(batch.num_rows()))).collect();
    let (output, rejects) = match transform.kind() {
        TransformKind::Map => harness::run_map(transform.as_ref(), &ports.concat()),
        _ => (run_blocking(transform.as_ref(), &ports)?, Vec::new()),
    };
    let mut lines: Vec<String> = output.iter().flat_map(harness::lines).collect();
    for batch in &output {
        assert_eq!(**batch.table(), declared[0], "{query}");
    }
    if transform.kind() != TransformKind::Map && !query.to_lowercase().contains("order by") {
        lines.sort();
    }
    let rejected = rejects.iter().map(|reject| {
        let raw = String::from_utf8(reject.raw.to_vec()).unwrap();
        format!("rejected: {} <- {raw}", harness::describe(&reject.error))
    });
    let mut text = vec![harness::header(&declared[0])];
    text.extend(lines);
    text.extend(rejected);
    Ok(text.join("\n"))
}

fn run_blocking(transform: &dyn seatun_api::Transform, ports: &[Vec<Batch>]) -> Result<Vec<Batch>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = harness::run_operator(transform, ports, 64 << 20, folder.path());
    runtime.block_on(run).map_err(|error| harness::describe(&error))
}
