//! `CURRENT_TIMESTAMP` and its like: read once for each batch, in the local time zone, as SeaTunnel does.
//!
//! DataFusion's own are replaced by a constant when a query is planned, which in a stream would be the time
//! of its start for ever.

use arrow_schema::{DataType, TimeUnit};
use chrono::{Local, NaiveDate, NaiveDateTime, Timelike};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reading {
    Timestamp,
    Date,
    Time,
}

/// The functions, each under all its names.
pub(super) fn functions() -> Vec<ScalarUDF> {
    let clock = |reading, names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        ScalarUDF::new_from_impl(Clock {
            reading,
            names,
            signature: Signature::nullary(Volatility::Volatile),
        })
    };
    vec![
        clock(Reading::Timestamp, &["current_timestamp", "now", "localtimestamp"]),
        clock(Reading::Date, &["current_date", "today"]),
        clock(Reading::Time, &["current_time", "localtime"]),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Clock {
    reading: Reading,
    names: Vec<String>,
    signature: Signature,
}

impl ScalarUDFImpl for Clock {
    fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    fn aliases(&self) -> &[String] {
        self.names.get(1..).unwrap_or_default()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.reading {
            Reading::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Reading::Date => DataType::Date32,
            Reading::Time => DataType::Time64(TimeUnit::Nanosecond),
        })
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(read(self.reading, Local::now().naive_local())))
    }
}

fn read(reading: Reading, now: NaiveDateTime) -> ScalarValue {
    match reading {
        Reading::Timestamp => ScalarValue::TimestampMicrosecond(Some(now.and_utc().timestamp_micros()), None),
        Reading::Date => {
            let days = now.date().signed_duration_since(NaiveDate::default()).num_days();
            ScalarValue::Date32(i32::try_from(days).ok())
        }
        Reading::Time => {
            let second = i64::from(now.time().num_seconds_from_midnight());
            ScalarValue::Time64Nanosecond(Some(second * 1_000_000_000))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_reads_the_same_everywhere() {
        let now = NaiveDate::from_ymd_opt(1970, 1, 3).unwrap().and_hms_opt(1, 0, 1).unwrap();
        assert_eq!(read(Reading::Date, now), ScalarValue::Date32(Some(2)));
        assert_eq!(read(Reading::Time, now), ScalarValue::Time64Nanosecond(Some(3_601_000_000_000)));
        let micros = (2 * 86_400 + 3_601) * 1_000_000;
        assert_eq!(read(Reading::Timestamp, now), ScalarValue::TimestampMicrosecond(Some(micros), None));
    }
}
