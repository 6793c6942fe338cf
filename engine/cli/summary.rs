//! What is said when a job has ended: what each node has done, and whether every row is accounted for.

use std::time::Duration;

use seatun_api::Result;
use seatun_runtime::run::Outcome;
use seatun_runtime::stats::{Balance, JobStats, NodeRole, NodeStats};

use crate::output::{Align, bytes, columns, grouped, rate};

/// The table of nodes and the equation of rows.
#[must_use]
pub fn text(stats: &JobStats, elapsed: Duration) -> String {
    let mut rows = vec![
        ["node", "plugin", "rows in", "bytes in", "rows out", "bytes out", "filtered", "dead-lettered"]
            .into_iter()
            .chain(["busy s", "rows/s"])
            .map(str::to_owned)
            .collect(),
    ];
    rows.extend(stats.nodes.iter().map(|node| row(node, elapsed)));
    let mut aligns = [Align::Right; 10];
    (aligns[0], aligns[1]) = (Align::Left, Align::Left);
    format!("\n{}\n{}\n", columns(&rows, &aligns), equation(&stats.balance()))
}

/// How a job ended.
#[must_use]
pub fn ending(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Finished { epoch } => format!("finished with epoch {epoch}"),
        Outcome::Stopped { epoch: Some(epoch), resumable: true } => {
            format!("stopped after epoch {epoch}: the next start goes on from there")
        }
        Outcome::Stopped { epoch: None, resumable: true } => {
            "stopped: the next start goes on from the last checkpoint".to_owned()
        }
        Outcome::Stopped { resumable: false, .. } => {
            "stopped: a transform was still reading its input, so the next start begins again".to_owned()
        }
    }
}

/// The same as events for machines.
pub fn log(outcome: &Result<Outcome>, stats: &JobStats, elapsed: Duration) {
    for node in &stats.nodes {
        tracing::info!(
            node = node.id,
            plugin = node.plugin,
            rows_in = node.rows_in.get(),
            bytes_in = node.bytes_in.get(),
            rows_out = node.rows_out.get(),
            bytes_out = node.bytes_out.get(),
            filtered_rows = node.filtered.get(),
            dead_lettered_rows = node.dead_lettered.get(),
            busy_seconds = node.busy_nanos.get() as f64 / 1e9,
            "node"
        );
    }
    let Ok(outcome) = outcome else { return };
    let balance = stats.balance();
    let (word, epoch) = match outcome {
        Outcome::Finished { epoch } => ("finished", Some(epoch.0)),
        Outcome::Stopped { epoch, .. } => ("stopped", epoch.map(|epoch| epoch.0)),
    };
    tracing::info!(
        seconds = elapsed.as_secs_f64(),
        epoch,
        read_rows = balance.read,
        copied_rows = balance.copied,
        written_rows = balance.written,
        filtered_rows = balance.filtered,
        dead_lettered_rows = balance.dead_lettered,
        absorbed_rows = balance.absorbed,
        balanced = balance.holds(),
        "{word}"
    );
}

fn row(node: &NodeStats, elapsed: Duration) -> Vec<String> {
    let moved = match node.role {
        NodeRole::Sink | NodeRole::DeadLetter => node.rows_out.get(),
        _ => node.rows_in.get(),
    };
    let busy = Duration::from_nanos(node.busy_nanos.get());
    vec![
        node.id.clone(),
        node.plugin.to_owned(),
        grouped(node.rows_in.get()),
        bytes(node.bytes_in.get()),
        grouped(node.rows_out.get()),
        bytes(node.bytes_out.get()),
        grouped(node.filtered.get()),
        grouped(node.dead_lettered.get()),
        format!("{:.2}", busy.as_secs_f64()),
        rate(moved, elapsed.as_secs_f64()),
    ]
}

/// `read R (+ copied C) = written W + filtered F + dead-lettered D (+ absorbed A)`, and whether it holds.
#[must_use]
pub fn equation(balance: &Balance) -> String {
    let mut text = format!("read {}", grouped(balance.read));
    if balance.copied > 0 {
        text.push_str(&format!(" + copied {}", grouped(balance.copied)));
    }
    text.push_str(&format!(
        " = written {} + filtered {} + dead-lettered {}",
        grouped(balance.written),
        grouped(balance.filtered),
        grouped(balance.dead_lettered)
    ));
    match balance.absorbed {
        0 => {}
        absorbed if absorbed > 0 => {
            text.push_str(&format!(" + absorbed {}", grouped(absorbed.unsigned_abs())));
        }
        absorbed => text.push_str(&format!(" - added {}", grouped(absorbed.unsigned_abs()))),
    }
    match balance.holds() {
        true => format!("{text}  ✓"),
        false => format!(
            "{text}  ✗ DOES NOT HOLD: rows are unaccounted for. This is a defect of seatun; please report it."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_equation_names_only_the_terms_that_there_are() {
        let plain = Balance { read: 1707, written: 1679, filtered: 28, ..Balance::default() };
        assert_eq!(equation(&plain), "read 1,707 = written 1,679 + filtered 28 + dead-lettered 0  ✓");
        let copied = Balance { read: 5, copied: 5, written: 10, ..Balance::default() };
        assert_eq!(equation(&copied), "read 5 + copied 5 = written 10 + filtered 0 + dead-lettered 0  ✓");
        let grouped = Balance { read: 10, written: 3, absorbed: 7, ..Balance::default() };
        assert!(equation(&grouped).ends_with("+ absorbed 7  ✓"));
        let joined = Balance { read: 4, written: 6, absorbed: -2, ..Balance::default() };
        assert!(equation(&joined).ends_with("- added 2  ✓"));
    }

    #[test]
    fn a_row_that_is_unaccounted_for_is_said_aloud() {
        let lost = Balance { read: 10, written: 9, ..Balance::default() };
        assert!(equation(&lost).contains("DOES NOT HOLD"));
    }
}
