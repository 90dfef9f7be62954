//! Columns of Arrow, built value by value from the texts and the JSON that the platform sends.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
    UInt64Builder,
};
use arrow_schema::{DataType, Field, TimeUnit};
use serde_json::Value;

use super::csv::is_json_null;
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
pub(super) const NO_DATE: Unfit = Unfit::Value("it is no date of the years 1 to 9999");
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
        let bytes = text.as_bytes();
        match self {
            Self::Text(column) => push_text(column, Some(text))?,
            Self::Json(column) => push_json(column, Some(text))?,
            Self::Int(column) => column.append_value(int(bytes)?),
            Self::Unsigned(column) => column.append_value(unsigned(bytes)?),
            Self::Float(column) => column.append_value(float(bytes)?),
            Self::Bool(column) => column.append_value(boolean(bytes)?),
            Self::Date(column) => column.append_value(date(bytes).ok_or(NO_DATE)?),
            Self::Datetime(column) => column.append_value(unzoned(bytes)?),
            Self::Instant(column) => column.append_value(instant(bytes)?),
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
            (Self::Json(column), value) => push_text(column, Some(&value.to_string()))?,
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
#[inline(always)]
pub(super) fn push_text(column: &mut StringBuilder, text: Option<&str>) -> Result<(), Unfit> {
    if column.values_slice().len().saturating_add(text.map_or(0, str::len)) > MOST_TEXT {
        return Err(Unfit::Full);
    }
    column.append_option(text);
    Ok(())
}

/// Appends JSON. The row is the same where it is read in pages, in which JSON's null is null.
pub(super) fn push_json(column: &mut StringBuilder, text: Option<&str>) -> Result<(), Unfit> {
    push_text(column, text.filter(|text| !is_json_null(text)))
}

/// What the standard library parses.
fn parse<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[inline(always)]
pub(super) fn int(text: &[u8]) -> Result<i64, Unfit> {
    match Decimal::parse(text) {
        Some(Decimal { negative, digits, places: None }) => Ok(if negative { -digits } else { digits }),
        _ => parse(text).ok_or(NO_INT),
    }
}

#[inline]
pub(super) fn unsigned(text: &[u8]) -> Result<u64, Unfit> {
    match Decimal::parse(text) {
        Some(Decimal { negative: false, digits, places: None }) => Ok(digits.unsigned_abs()),
        _ => parse(text).ok_or(NO_UNSIGNED),
    }
}

/// A number, or one of those that are none to JSON.
#[inline(always)]
pub(super) fn float(text: &[u8]) -> Result<f64, Unfit> {
    if let Some(number) = Decimal::parse(text).and_then(Decimal::to_f64) {
        return Ok(number);
    }
    match text {
        b"NaN" => Ok(f64::NAN),
        b"Infinity" => Ok(f64::INFINITY),
        b"-Infinity" => Ok(f64::NEG_INFINITY),
        _ => parse(text).filter(|number: &f64| number.is_finite()).ok_or(NO_FLOAT),
    }
}

#[inline(always)]
pub(super) fn boolean(text: &[u8]) -> Result<bool, Unfit> {
    match text {
        b"t" | b"true" => Ok(true),
        b"f" | b"false" => Ok(false),
        _ => Err(NO_BOOL),
    }
}

/// The microseconds of a date and time without a zone.
pub(super) fn unzoned(text: &[u8]) -> Result<i64, Unfit> {
    match datetime(text) {
        Some((micros, None)) => Ok(micros),
        Some((_, Some(_))) => Err(HAS_ZONE),
        None => Err(NO_DATETIME),
    }
}

/// The microseconds of an instant in UTC.
pub(super) fn instant(text: &[u8]) -> Result<i64, Unfit> {
    match datetime(text) {
        Some((micros, Some(offset))) => Ok(micros - offset),
        Some((_, None)) => Err(HAS_NO_ZONE),
        None => Err(NO_DATETIME),
    }
}

/// The number that so many digits are.
fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// The days of each month, but for those that leap years add, and the days from 1 March to its first.
const MONTHS: [(i32, i32); 12] = [
    (31, 306),
    (28, 337),
    (31, 0),
    (30, 31),
    (31, 61),
    (30, 92),
    (31, 122),
    (31, 153),
    (30, 184),
    (31, 214),
    (30, 245),
    (31, 275),
];

/// The days from 1970-01-01 to a date of four digits of a year, which is not year 0.
#[inline(always)]
pub(crate) fn date(text: &[u8]) -> Option<i32> {
    let &[y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0] = text else { return None };
    let digits = [y3, y2, y1, y0, m1, m0, d1, d0].map(|byte| i32::from(byte.wrapping_sub(b'0')));
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let [y3, y2, y1, y0, m1, m0, d1, d0] = digits;
    let (year, month, day) = (y3 * 1000 + y2 * 100 + y1 * 10 + y0, m1 * 10 + m0, d1 * 10 + d0);
    let (longest, before) = *MONTHS.get(usize::try_from(month - 1).ok()?)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if year < 1 || day < 1 || day > longest + i32::from(leap && month == 2) {
        return None;
    }
    // Years start in March, so that the day of a leap year is their last.
    let year = year - i32::from(month < 3);
    Some(year * 365 + year / 4 - year / 100 + year / 400 + before + day - 1 - 719_468)
}

const SECOND: i64 = 1_000_000;

/// The microseconds from 1970 to a date and time (`2024-01-31 08:00:00.5+01`, or with `T`) in its own zone, and the offset
/// of the zone from UTC.
fn datetime(text: &[u8]) -> Option<(i64, Option<i64>)> {
    let (day, [b' ' | b'T', time @ ..]) = text.split_at_checked(10)? else { return None };
    let (time, offset) = match time.iter().position(|byte| matches!(byte, b'+' | b'-' | b'Z')) {
        Some(at) => {
            let (time, zone) = time.split_at(at);
            (time, Some(offset(zone)?))
        }
        None => (time, None),
    };
    // A fraction follows seconds.
    let (time, fraction) = match time.split_at_checked(8) {
        Some((time, [b'.', fraction @ ..])) if (1..=6).contains(&fraction.len()) => (time, fraction),
        _ => (time, &[][..]),
    };
    let missing = 10_i64.pow(u32::try_from(6 - fraction.len()).ok()?);
    let micros = digits(fraction)? * missing;
    Some((i64::from(date(day)?) * 86_400 * SECOND + clock(time)? * SECOND + micros, offset))
}

/// The seconds of `08:00:00` or `08:00`.
fn clock(text: &[u8]) -> Option<i64> {
    let (hours, minutes, seconds) = match *text {
        [h1, h0, b':', m1, m0, b':', s1, s0] => (digits(&[h1, h0])?, digits(&[m1, m0])?, digits(&[s1, s0])?),
        [h1, h0, b':', m1, m0] => (digits(&[h1, h0])?, digits(&[m1, m0])?, 0),
        _ => return None,
    };
    (hours < 24 && minutes < 60 && seconds < 60).then_some((hours * 60 + minutes) * 60 + seconds)
}

/// The microseconds of `Z`, `+01`, `-03:30` or, of old times, `+00:09:21`.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, time) = text.split_first()?;
    let seconds = match time {
        [] if *sign == b'Z' => return Some(0),
        [_, _] => digits(time).filter(|hours| *hours < 24)? * 3_600,
        _ => clock(time)?,
    };
    match sign {
        b'+' => Some(seconds * SECOND),
        b'-' => Some(-seconds * SECOND),
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
        let mut before = date(b"1599-12-31").unwrap();
        for year in 1600..2000 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(days) = date(format!("{year:04}-{month:02}-{day:02}").as_bytes()) {
                        assert_eq!(days, before + 1, "{year}-{month}-{day}");
                        before = days;
                    }
                }
            }
        }
        assert_eq!(before, date(b"2000-01-01").unwrap() - 1);
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
            "2024-01-31 08:00:00.",
            "2024-01-31 08:00.5",
            "2024-01-31 08:00:00+1",
            "2024-01-31 08:00:00+24",
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
        for null in ["null", " null\n"] {
            assert!(of(ColumnType::Json, &[null]).is_null(0), "as in a page, where it is the same as null");
        }
    }
}
