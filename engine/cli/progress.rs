//! What is shown of a job while it runs: a bar for each source on a terminal, a line every few seconds
//! otherwise. Reads the counters; never holds up the data.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use seatun_api::source::Lag;
use seatun_runtime::stats::{JobStats, NodeRole, NodeStats};

use crate::args::{LogFormat, ProgressMode};
use crate::logging;
use crate::output::{bytes, grouped, rate, report};

/// Time between two lines.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Time between two looks at the counters for the bar.
const BAR_EVERY: Duration = Duration::from_millis(100);

/// The display of a running job.
pub struct Progress {
    stats: Arc<JobStats>,
    started: Instant,
    view: View,
    read_before: u64,
    looked_at: Instant,
}

enum View {
    Nothing,
    Lines,
    JsonLines,
    Bars { all: MultiProgress, of_sources: Vec<(Arc<NodeStats>, ProgressBar)>, total: ProgressBar },
}

impl Progress {
    /// Shows a job. `console` says that the job itself writes to stdout, which a bar would tear.
    #[must_use]
    pub fn new(stats: Arc<JobStats>, mode: ProgressMode, format: LogFormat, console: bool) -> Self {
        let torn = console && std::io::stdout().is_terminal();
        let bar = match mode {
            ProgressMode::Auto => std::io::stderr().is_terminal() && !torn && format == LogFormat::Text,
            mode => mode == ProgressMode::Bar,
        };
        let view = match (mode, bar, format) {
            (ProgressMode::None, ..) => View::Nothing,
            (_, true, _) => bars(&stats),
            (_, false, LogFormat::Text) => View::Lines,
            (_, false, LogFormat::Json) => View::JsonLines,
        };
        let now = Instant::now();
        Self { stats, started: now, view, read_before: 0, looked_at: now }
    }

    /// How long to wait before the next [`show`](Self::show).
    #[must_use]
    pub fn interval(&self) -> Duration {
        if matches!(self.view, View::Bars { .. }) { BAR_EVERY } else { LINE_EVERY }
    }

    /// Shows how far the job is.
    pub fn show(&mut self) {
        let read = self.stats.balance().read;
        let per_second = rate(read - self.read_before.min(read), self.looked_at.elapsed().as_secs_f64());
        match &self.view {
            View::Nothing => return,
            View::Lines => report(&format!("{}\n", self.line(&per_second))),
            View::JsonLines => self.event(),
            View::Bars { of_sources, total, .. } => {
                of_sources.iter().for_each(|(node, bar)| show_source(node, bar));
                let overall = rate(read, self.started.elapsed().as_secs_f64());
                total.set_message(self.line(&overall));
                total.tick();
            }
        }
        (self.read_before, self.looked_at) = (read, Instant::now());
    }

    /// Takes the display away, so that a summary can follow.
    pub fn end(&self) {
        if let View::Bars { all, .. } = &self.view {
            let _ = all.clear();
        }
    }

    fn line(&self, per_second: &str) -> String {
        let balance = self.stats.balance();
        let (read_bytes, written_bytes) = self.moved();
        let mut line = format!(
            "{:>4} s  read {} rows ({}), {per_second} rows/s; written {} rows ({})",
            self.started.elapsed().as_secs(),
            grouped(balance.read),
            bytes(read_bytes),
            grouped(balance.written),
            bytes(written_bytes),
        );
        if balance.filtered > 0 {
            line.push_str(&format!("; filtered {}", grouped(balance.filtered)));
        }
        if balance.dead_lettered > 0 {
            line.push_str(&format!("; dead-lettered {}", grouped(balance.dead_lettered)));
        }
        line.push_str(&format!("; {}", self.checkpoint()));
        let lag = self.lag();
        if !lag.is_empty() {
            line.push_str(&format!("; behind by {lag}"));
        }
        let restarts = self.stats.restarts.get();
        if restarts > 0 {
            line.push_str(&format!("; restarted {restarts} times"));
        }
        line
    }

    fn event(&self) {
        let balance = self.stats.balance();
        let (read_bytes, written_bytes) = self.moved();
        tracing::info!(
            seconds = self.started.elapsed().as_secs_f64(),
            read_rows = balance.read,
            read_bytes,
            written_rows = balance.written,
            written_bytes,
            filtered_rows = balance.filtered,
            dead_lettered_rows = balance.dead_lettered,
            epoch = self.stats.checkpoints.epoch.load(Relaxed),
            restarts = self.stats.restarts.get(),
            "progress"
        );
    }

    /// Bytes emitted by sources and stored by sinks.
    fn moved(&self) -> (u64, u64) {
        let of_role = |role: NodeRole| self.stats.nodes.iter().filter(move |node| node.role == role);
        (
            of_role(NodeRole::Source).map(|node| node.bytes_in.get()).sum(),
            of_role(NodeRole::Sink).map(|node| node.bytes_out.get()).sum(),
        )
    }

    fn checkpoint(&self) -> String {
        let checkpoints = &self.stats.checkpoints;
        let completed_at = checkpoints.completed_at_millis.load(Relaxed);
        if completed_at == 0 {
            return "no checkpoint yet".to_owned();
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let age = now.saturating_sub(u128::from(completed_at)) / 1000;
        let failed = match checkpoints.failed.get() {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("checkpoint {} ({age} s ago{failed})", checkpoints.epoch.load(Relaxed))
    }

    fn lag(&self) -> String {
        let lags: Vec<Lag> = self.stats.nodes.iter().map(|node| node.lag()).collect();
        let mut parts = Vec::new();
        if let Some(rows) = lags.iter().filter_map(|lag| lag.rows).reduce(|a, b| a + b) {
            parts.push(format!("{} rows", grouped(rows)));
        }
        if let Some(left) = lags.iter().filter_map(|lag| lag.bytes).reduce(|a, b| a + b) {
            parts.push(bytes(left));
        }
        if let Some(seconds) = lags.iter().filter_map(|lag| lag.seconds).reduce(f64::max) {
            parts.push(format!("{seconds:.1} s"));
        }
        parts.join(", ")
    }
}

fn bars(stats: &JobStats) -> View {
    let all = MultiProgress::new();
    logging::keep_clear_of(&all);
    let sources = stats.nodes.iter().filter(|node| node.role == NodeRole::Source);
    let of_sources = sources
        .map(|node| {
            let bar = all.add(ProgressBar::no_length().with_style(style("{prefix} {spinner} {msg}")));
            bar.set_prefix(node.id.clone());
            (Arc::clone(node), bar)
        })
        .collect();
    let total = all.add(ProgressBar::no_length().with_style(style("{wide_msg}")));
    View::Bars { all, of_sources, total }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// A source that knows how much is left has a bar, another a spinner.
fn show_source(node: &NodeStats, bar: &ProgressBar) {
    let read = node.rows_in.get();
    let lag = node.lag();
    let done_and_left = match (lag.rows, lag.bytes) {
        (Some(left), _) => Some((read, left)),
        // What is left only shrinks: the most that was ever left stands for the whole.
        (None, Some(left)) => {
            let whole = bar.length().unwrap_or(0).max(left);
            Some((whole - left, left))
        }
        (None, None) => None,
    };
    bar.set_message(format!("{} rows", grouped(read)));
    let Some((done, left)) = done_and_left else {
        bar.tick();
        return;
    };
    if bar.length().is_none() {
        bar.set_style(style("{prefix} {bar:40} {percent:>3} %  {msg}"));
    }
    bar.set_length(done + left);
    bar.set_position(done);
}
