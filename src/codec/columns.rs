//! Columns of Arrow, built value by value from the texts and the JSON that the platform sends.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
    UInt64Builder,
};
use arrow_schema::{DataType, Field, TimeUnit};
use serde_json::Value;

use super::number::Decimal;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Text,
    /// JSON as text.
    Json,
    Int,
    /// The number of a row.
    Unsigned,
    Float,
    Bool,
    Date,
    /// A date and time without a zone.
    Datetime,
    /// An instant.
    Instant,
}

/// Why a value cannot be in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is no value of the column's type.
    Value(&'static str),
    /// The array has no room for it.
    Full,
}

impl Unfit {
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Value(reason) => reason,
            Self::Full => "the batch has more than 2 GiB of text: set a smaller batch size",
        }
    }
}

const NO_INT: Unfit = Unfit::Value("it is no integer of 64 bits");
const NO_UNSIGNED: Unfit = Unfit::Value("it is no unsigned integer of 64 bits");
const NO_FLOAT: Unfit = Unfit::Value("it is no number of 64 bits");
const NO_BOOL: Unfit = Unfit::Value("it is no boolean");
const NO_DATE: Unfit = Unfit::Value("it is no date of the years 1 to 9999");
const NO_DATETIME: Unfit = Unfit::Value("it is no date and time of the years 1 to 9999");
const HAS_ZONE: Unfit = Unfit::Value("it has a time zone, and the column has none");
const HAS_NO_ZONE: Unfit = Unfit::Value("it has no time zone, and the column has one");

/// The most bytes of the texts of one array: their offsets are 32 bits.
const MOST_TEXT: usize = i32::MAX as usize;

const UTC: &str = "UTC";

impl ColumnType {
    /// The field of a column, which may be null. Columns of JSON are of the canonical extension type `arrow.json`.
    pub(crate) fn field(self, name: &str) -> Field {
        let data_type = match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Unsigned => DataType::UInt64,
            Self::Float => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Datetime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        };
        let field = Field::new(name, data_type, true);
        if self != Self::Json {
            return field;
        }
        let metadata = [("ARROW:extension:name", "arrow.json"), ("ARROW:extension:metadata", "")];
        field.with_metadata(HashMap::from(metadata.map(|(key, value)| (key.to_owned(), value.to_owned()))))
    }
}

/// A column that is being built.
#[derive(Debug)]
pub enum Column {
    Text(StringBuilder),
    Json(StringBuilder),
    Int(Int64Builder),
    Unsigned(UInt64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Date(Date32Builder),
    Datetime(TimestampMicrosecondBuilder),
    Instant(TimestampMicrosecondBuilder),
}

impl Column {
    /// An empty column, with room for so many values.
    pub(crate) fn new(kind: ColumnType, capacity: usize) -> Self {
        // Texts are as long as they are.
        let texts = || StringBuilder::with_capacity(capacity, capacity.saturating_mul(8));
        match kind {
            ColumnType::Text => Self::Text(texts()),
            ColumnType::Json => Self::Json(texts()),
            ColumnType::Int => Self::Int(Int64Builder::with_capacity(capacity)),
            ColumnType::Unsigned => Self::Unsigned(UInt64Builder::with_capacity(capacity)),
            ColumnType::Float => Self::Float(Float64Builder::with_capacity(capacity)),
            ColumnType::Bool => Self::Bool(BooleanBuilder::with_capacity(capacity)),
            ColumnType::Date => Self::Date(Date32Builder::with_capacity(capacity)),
            ColumnType::Datetime => Self::Datetime(TimestampMicrosecondBuilder::with_capacity(capacity)),
            ColumnType::Instant => Self::Instant(TimestampMicrosecondBuilder::with_capacity(capacity)),
        }
    }

    pub(crate) fn push_null(&mut self) {
        match self {
            Self::Text(column) | Self::Json(column) => column.append_null(),
            Self::Int(column) => column.append_null(),
            Self::Unsigned(column) => column.append_null(),
            Self::Float(column) => column.append_null(),
            Self::Bool(column) => column.append_null(),
            Self::Date(column) => column.append_null(),
            Self::Datetime(column) | Self::Instant(column) => column.append_null(),
        }
    }

    /// Appends a value as the database writes it, which is not null.
    ///
    /// # Errors
    ///
    /// Where the column cannot hold it. Nothing is appended then.
    pub(crate) fn push(&mut self, text: &str) -> Result<(), Unfit> {
        match self {
            Self::Text(column) => push_text(column, text)?,
            // The row is the same where it is read in pages, in which JSON's null is null.
            Self::Json(column) if text == "null" => column.append_null(),
            Self::Json(column) => push_text(column, text)?,
            Self::Int(column) => column.append_value(text.parse().map_err(|_| NO_INT)?),
            Self::Unsigned(column) => column.append_value(text.parse().map_err(|_| NO_UNSIGNED)?),
            Self::Float(column) => column.append_value(float(text)?),
            Self::Bool(column) => column.append_value(match text {
                "t" | "true" => true,
                "f" | "false" => false,
                _ => return Err(NO_BOOL),
            }),
            Self::Date(column) => column.append_value(date(text).ok_or(NO_DATE)?),
            Self::Datetime(column) => match datetime(text) {
                Some((micros, None)) => column.append_value(micros),
                Some((_, Some(_))) => return Err(HAS_ZONE),
                None => return Err(NO_DATETIME),
            },
            Self::Instant(column) => match datetime(text) {
                Some((micros, Some(offset))) => column.append_value(micros - offset),
                Some((_, None)) => return Err(HAS_NO_ZONE),
                None => return Err(NO_DATETIME),
            },
        }
        Ok(())
    }

    /// Appends a value of JSON.
    ///
    /// # Errors
    ///
    /// Where the column cannot hold it. Nothing is appended then.
    pub(crate) fn push_json(&mut self, value: &Value) -> Result<(), Unfit> {
        match (self, value) {
            (column, Value::Null) => column.push_null(),
            (Self::Json(column), value) => push_text(column, &value.to_string())?,
            (column, Value::String(text)) => column.push(text)?,
            (column, value) => column.push(&value.to_string())?,
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut column) | Self::Json(mut column) => Arc::new(column.finish()),
            Self::Int(mut column) => Arc::new(column.finish()),
            Self::Unsigned(mut column) => Arc::new(column.finish()),
            Self::Float(mut column) => Arc::new(column.finish()),
            Self::Bool(mut column) => Arc::new(column.finish()),
            Self::Date(mut column) => Arc::new(column.finish()),
            Self::Datetime(mut column) => Arc::new(column.finish()),
            Self::Instant(mut column) => Arc::new(column.finish().with_timezone(UTC)),
        }
    }
}

/// Appends a text, unless the array would outgrow its offsets: Arrow would panic.
fn push_text(column: &mut StringBuilder, text: &str) -> Result<(), Unfit> {
    if column.values_slice().len().saturating_add(text.len()) > MOST_TEXT {
        return Err(Unfit::Full);
    }
    column.append_value(text);
    Ok(())
}

/// A number, or one of those that are none to JSON.
fn float(text: &str) -> Result<f64, Unfit> {
    if let Some(number) = Decimal::parse(text.as_bytes()).and_then(Decimal::to_f64) {
        return Ok(number);
    }
    match text {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        _ => text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or(NO_FLOAT),
    }
}

/// The number that so many digits are.
fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// The days from 1970-01-01 to a date of four digits of a year, which is not year 0.
pub(crate) fn date(text: &str) -> Option<i32> {
    let &[y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0] = text.as_bytes() else { return None };
    let (year, month, day) = (digits(&[y3, y2, y1, y0])?, digits(&[m1, m0])?, digits(&[d1, d0])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1 || day < 1 || day > longest {
        return None;
    }
    // Years start in March, so that the day of a leap year is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    i32::try_from(days - 719_468).ok()
}

const SECOND: i64 = 1_000_000;

/// The microseconds from 1970 to a date and time (`2024-01-31 08:00:00.5+01`, or with `T`) in its own zone, and the offset
/// of the zone from UTC.
fn datetime(text: &str) -> Option<(i64, Option<i64>)> {
    let (day, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix([' ', 'T'])?;
    let (time, offset) = match time.find(['+', '-', 'Z']) {
        Some(at) => {
            let (time, zone) = time.split_at(at);
            (time, Some(offset(zone)?))
        }
        None => (time, None),
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    if fraction.len() > 6 {
        return None;
    }
    let missing = 10_i64.pow(u32::try_from(6 - fraction.len()).ok()?);
    let micros = digits(fraction.as_bytes())? * missing;
    Some((i64::from(date(day)?) * 86_400 * SECOND + clock(time)? * SECOND + micros, offset))
}

/// The seconds of `08:00:00` or `08:00`.
fn clock(text: &str) -> Option<i64> {
    let (hours, minutes, seconds) = match *text.as_bytes() {
        [h1, h0, b':', m1, m0, b':', s1, s0] => (digits(&[h1, h0])?, digits(&[m1, m0])?, digits(&[s1, s0])?),
        [h1, h0, b':', m1, m0] => (digits(&[h1, h0])?, digits(&[m1, m0])?, 0),
        _ => return None,
    };
    (hours < 24 && minutes < 60 && seconds < 60).then_some((hours * 60 + minutes) * 60 + seconds)
}

/// The microseconds of `Z`, `+01`, `-03:30` or, of old times, `+00:09:21`.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, clock_text) = text.split_at_checked(1)?;
    let seconds = match clock_text.as_bytes() {
        hours @ [_, _] => digits(hours)? * 3_600,
        _ => clock(clock_text)?,
    };
    match sign {
        "+" => Some(seconds * SECOND),
        "-" => Some(-seconds * SECOND),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
    use arrow_array::{Array, ArrowPrimitiveType};
    use serde_json::json;

    use super::*;

    fn of(kind: ColumnType, texts: &[&str]) -> ArrayRef {
        let mut column = Column::new(kind, texts.len());
        for text in texts {
            column.push(text).unwrap();
        }
        column.finish()
    }

    fn values<T: ArrowPrimitiveType>(kind: ColumnType, texts: &[&str]) -> Vec<T::Native> {
        of(kind, texts).as_primitive::<T>().values().to_vec()
    }

    fn refused(kind: ColumnType, text: &str) -> &'static str {
        let mut column = Column::new(kind, 1);
        let unfit = column.push(text).unwrap_err();
        assert_eq!(column.finish().len(), 0, "nothing is appended");
        unfit.reason()
    }

    #[test]
    fn dates_are_days_since_1970() {
        let texts = ["1970-01-01", "1969-12-31", "2000-02-29", "2024-03-01", "0001-01-01", "9999-12-31", "1900-03-01"];
        assert_eq!(
            values::<Date32Type>(ColumnType::Date, &texts),
            [0, -1, 11_016, 19_783, -719_162, 2_932_896, -25_508]
        );
    }

    #[test]
    fn consecutive_dates_of_four_centuries_are_consecutive_days() {
        let mut before = date("1599-12-31").unwrap();
        for year in 1600..2000 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(days) = date(&format!("{year:04}-{month:02}-{day:02}")) {
                        assert_eq!(days, before + 1, "{year}-{month}-{day}");
                        before = days;
                    }
                }
            }
        }
        assert_eq!(before, date("2000-01-01").unwrap() - 1);
    }

    #[test]
    fn dates_outside_the_calendar_are_refused() {
        for text in [
            "12024-01-31",
            "0044-03-15 BC",
            "infinity",
            "-infinity",
            "0000-01-01",
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "2024-04-31",
            "",
            "2024-1-1",
            "2024-01-31 00:00:00",
            "2024/01/31",
        ] {
            assert_eq!(refused(ColumnType::Date, text), "it is no date of the years 1 to 9999", "{text}");
        }
    }

    #[test]
    fn a_datetime_keeps_its_time_and_an_instant_goes_to_utc() {
        const DAY: i64 = 19_753 * 86_400 * SECOND;
        assert_eq!(
            values::<TimestampMicrosecondType>(
                ColumnType::Datetime,
                &[
                    "2024-01-31 08:00:00",
                    "2024-01-31T08:00:00.5",
                    "2024-01-31 00:00:00.000001",
                    "1969-12-31 23:59:59.75"
                ]
            ),
            [DAY + 28_800 * SECOND, DAY + 28_800 * SECOND + 500_000, DAY + 1, -250_000]
        );
        let eight = DAY + 28_800 * SECOND;
        assert_eq!(
            values::<TimestampMicrosecondType>(
                ColumnType::Instant,
                &[
                    "2024-01-31 08:00:00+00",
                    "2024-01-31 09:00:00+01",
                    "2024-01-31T04:30:00-03:30",
                    "2024-01-31T08:00:00Z",
                    "2024-01-31 08:09:21+00:09:21",
                    "2024-02-01 00:00:00.25+16"
                ]
            ),
            [eight, eight, eight, eight, eight, eight + 250_000]
        );
        assert_eq!(of(ColumnType::Instant, &[]).data_type(), ColumnType::Instant.field("a").data_type());
    }

    #[test]
    fn a_time_zone_is_neither_added_nor_dropped() {
        assert!(refused(ColumnType::Datetime, "2024-01-31 08:00:00+00").contains("has a time zone"));
        assert!(refused(ColumnType::Instant, "2024-01-31 08:00:00").contains("has no time zone"));
    }

    #[test]
    fn invalid_times_are_refused() {
        for text in [
            "infinity",
            "12024-01-31 08:00:00",
            "0044-03-15 12:00:00 BC",
            "2024-01-31",
            "2024-01-31 8:00:00",
            "2024-01-31 24:00:00",
            "2024-01-31 08:60:00",
            "2024-01-31 08:00:00.1234567",
            "2024-01-31 08:00:00+1",
            "2024-01-31 08:00:00+",
            "2024-01-31é08:00:00",
            "2024-01-3é 08:00",
        ] {
            assert_eq!(refused(ColumnType::Datetime, text), "it is no date and time of the years 1 to 9999", "{text}");
        }
    }

    #[test]
    fn integers_have_64_bits_and_floats_all_their_values() {
        assert_eq!(
            values::<Int64Type>(ColumnType::Int, &["0", "-1", "9223372036854775807", "-9223372036854775808"]),
            [0, -1, i64::MAX, i64::MIN]
        );
        for text in ["9223372036854775808", "1.5", "1e3", "", "NaN"] {
            refused(ColumnType::Int, text);
        }
        refused(ColumnType::Unsigned, "-1");
        let texts = ["0", "-0", "5e-324", "1e+20", "0.1", "12345678901234567890123", "Infinity", "-Infinity"];
        let floats = values::<Float64Type>(ColumnType::Float, &texts);
        assert_eq!(
            floats,
            [0.0, 0.0, 5e-324, 1e20, 0.1, 12_345_678_901_234_567_890_123.0, f64::INFINITY, f64::NEG_INFINITY]
        );
        assert!(floats[1].is_sign_negative());
        assert!(values::<Float64Type>(ColumnType::Float, &["NaN"])[0].is_nan());
        for text in ["1e400", "inf", "nan", "infinity", "", "x"] {
            refused(ColumnType::Float, text);
        }
    }

    #[test]
    fn the_empty_text_is_not_null() {
        let mut column = Column::new(ColumnType::Text, 2);
        column.push("").unwrap();
        column.push_null();
        column.push_json(&json!("")).unwrap();
        column.push_json(&Value::Null).unwrap();
        let array = column.finish();
        let read: Vec<Option<&str>> = array.as_string::<i32>().iter().collect();
        assert_eq!(read, [Some(""), None, Some(""), None]);
    }

    #[test]
    fn columns_are_the_same_from_json_and_csv() {
        for (kind, text, value) in [
            (ColumnType::Text, "é", json!("é")),
            (ColumnType::Int, "9223372036854775807", json!(i64::MAX)),
            (ColumnType::Float, "0.30000000000000004", json!(0.30000000000000004)),
            (ColumnType::Float, "-Infinity", json!("-Infinity")),
            (ColumnType::Bool, "t", json!(true)),
            (ColumnType::Date, "2024-01-31", json!("2024-01-31")),
            (ColumnType::Instant, "2024-01-31 08:00:00+00", json!("2024-01-31T08:00:00+00:00")),
            (ColumnType::Json, r#"{"a":[1,null]}"#, json!({"a": [1, null]})),
            (ColumnType::Json, r#""null""#, json!("null")),
        ] {
            let mut column = Column::new(kind, 1);
            column.push_json(&value).unwrap();
            assert_eq!(&column.finish(), &of(kind, &[text]), "{text}");
        }
        assert!(of(ColumnType::Json, &["null"]).is_null(0), "as in a page, where it is the same as null");
    }
}
