//! Rate limits of a reader.

use std::time::Duration;

use tokio::time::Instant;

use crate::job::RateLimit;

/// How far ahead of its rate a reader may run.
const BURST: Duration = Duration::from_millis(100);

/// Spreads what is emitted over time: what was emitted is paid for before the reader is asked again.
pub(crate) struct Pacer {
    rate: RateLimit,
    /// Until when what was emitted is paid for.
    paid_until: Option<Instant>,
}

impl Pacer {
    pub fn new(rate: RateLimit) -> Self {
        Self { rate, paid_until: None }
    }

    /// Rows were emitted.
    pub fn spend(&mut self, rows: u64, bytes: u64) {
        let cost = |amount: u64, rate: Option<u64>| match rate {
            Some(rate) if rate > 0 => Duration::from_secs_f64(amount as f64 / rate as f64),
            _ => Duration::ZERO,
        };
        let cost = cost(rows, self.rate.rows_per_second).max(cost(bytes, self.rate.bytes_per_second));
        if cost.is_zero() {
            return;
        }
        let now = Instant::now();
        let from = self.paid_until.map_or(now, |until| until.max(now - BURST));
        self.paid_until = Some(from + cost);
    }

    /// How long the reader must wait; `None` if it may go on.
    pub fn delay(&self) -> Option<Duration> {
        let wait = self.paid_until?.checked_duration_since(Instant::now())?;
        (!wait.is_zero()).then_some(wait)
    }
}

/// Rows of a batch such that one batch is not more than a tenth of a second of the rate.
pub(crate) fn batch_rows(limit: RateLimit, most: usize) -> usize {
    match limit.rows_per_second {
        Some(rate) => usize::try_from(rate / 10).unwrap_or(most).clamp(1, most),
        None => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rows_are_not_faster_than_their_rate() {
        let mut pacer = Pacer::new(RateLimit { rows_per_second: Some(1000), bytes_per_second: None });
        let started = Instant::now();
        for _ in 0..20 {
            while let Some(delay) = pacer.delay() {
                tokio::time::sleep(delay).await;
            }
            pacer.spend(20, 1 << 20);
        }
        let least = Duration::from_millis(380) - BURST;
        assert!(started.elapsed() >= least, "400 rows at 1000 rows/s took {:?}", started.elapsed());
    }

    #[tokio::test]
    async fn without_a_limit_nobody_waits() {
        let mut pacer = Pacer::new(RateLimit::default());
        pacer.spend(1 << 30, 1 << 40);
        assert_eq!(pacer.delay(), None);
    }
}
