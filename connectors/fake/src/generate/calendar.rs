//! Columns of dates and times.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Time64NanosecondArray, TimestampMicrosecondArray};
use chrono::NaiveDate;
use seatun_api::Result;

use super::Generator;
use crate::config::FakeConfig;
use crate::draw::Draw;

const DAY_MICROS: i64 = 86_400_000_000;

/// What the parts of dates and times are picked from.
pub(super) struct Calendar {
    /// Empty for the current year.
    years: Vec<i32>,
    months: Vec<u32>,
    days: Vec<u32>,
    hours: Vec<u32>,
    minutes: Vec<u32>,
    seconds: Vec<u32>,
}

impl Calendar {
    pub fn new(config: &FakeConfig) -> Self {
        let or = |template: &[u32], all: Range<u32>| match template {
            [] => all.collect(),
            given => given.to_vec(),
        };
        Self {
            years: config.year_template.clone(),
            months: or(&config.month_template, 1..13),
            days: or(&config.day_template, 1..29),
            hours: or(&config.hour_template, 0..24),
            minutes: or(&config.minute_template, 0..60),
            seconds: or(&config.second_template, 0..60),
        }
    }

    fn date(&self, draw: Draw, row: u64, current_year: i32) -> i32 {
        let year = draw.child(0).pick(row, &self.years).unwrap_or(current_year);
        let month = draw.child(1).pick(row, &self.months).unwrap_or(1);
        let day = draw.child(2).pick(row, &self.days).unwrap_or(1);
        // A month has 28 days or more: one of these is there.
        let date = (28..=day.max(28))
            .rev()
            .map(|last| day.min(last))
            .find_map(|day| NaiveDate::from_ymd_opt(year, month, day));
        date.unwrap_or_default().to_epoch_days()
    }

    fn second_of_day(&self, draw: Draw, row: u64) -> i64 {
        let hour = draw.child(3).pick(row, &self.hours).unwrap_or(0);
        let minute = draw.child(4).pick(row, &self.minutes).unwrap_or(0);
        let second = draw.child(5).pick(row, &self.seconds).unwrap_or(0);
        i64::from((hour * 60 + minute) * 60 + second)
    }
}

/// Dates.
pub(super) struct Dates(pub Calendar);

impl Generator for Dates {
    fn fill(&self, draw: Draw, rows: Range<u64>, year: i32) -> Result<ArrayRef> {
        Ok(Arc::new(Date32Array::from_iter_values(rows.map(|row| self.0.date(draw, row, year)))))
    }
}

/// Times of day, in whole seconds.
pub(super) struct Times(pub Calendar);

impl Generator for Times {
    fn fill(&self, draw: Draw, rows: Range<u64>, _: i32) -> Result<ArrayRef> {
        let nanos = rows.map(|row| self.0.second_of_day(draw, row) * 1_000_000_000);
        Ok(Arc::new(Time64NanosecondArray::from_iter_values(nanos)))
    }
}

/// Timestamps, in whole seconds.
pub(super) struct Timestamps {
    pub calendar: Calendar,
    pub zone: Option<Arc<str>>,
}

impl Generator for Timestamps {
    fn fill(&self, draw: Draw, rows: Range<u64>, year: i32) -> Result<ArrayRef> {
        let micros = rows.map(|row| {
            let day = i64::from(self.calendar.date(draw, row, year));
            day * DAY_MICROS + self.calendar.second_of_day(draw, row) * 1_000_000
        });
        let array = TimestampMicrosecondArray::from_iter_values(micros);
        Ok(Arc::new(array.with_timezone_opt(self.zone.clone())))
    }
}
