//! The values of a table and their types: read, compared and written as PostgreSQL does.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::decimal::Decimal;
use super::timestamp::{self, Unread};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Bool,
    Integer,
    Bigint,
    Float,
    Numeric,
    Date,
    Timestamp,
    TimestampTz,
    Json,
}

impl Kind {
    /// The type with a name of a profile (`string`, `int`) or of the database (`bigint`, `numeric`).
    pub(crate) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "string" | "character varying" | "text" => Self::String,
            "bool" | "boolean" => Self::Bool,
            "integer" => Self::Integer,
            "int" | "bigint" => Self::Bigint,
            "float" | "double precision" => Self::Float,
            "numeric" => Self::Numeric,
            "date" => Self::Date,
            "datetime" | "timestamp" | "timestamp without time zone" => Self::Timestamp,
            "timestamptz" | "timestamp with time zone" => Self::TimestampTz,
            "json" => Self::Json,
            _ => return None,
        })
    }

    /// The `python_type` of a profile.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Bool => "bool",
            Self::Integer | Self::Bigint => "int",
            Self::Float | Self::Numeric => "float",
            Self::Date => "date",
            Self::Timestamp | Self::TimestampTz => "datetime",
            Self::Json => "json",
        }
    }

    /// The `format` of a profile.
    pub(crate) fn format(self) -> &'static str {
        match self {
            Self::Timestamp => "datetime_naive",
            Self::TimestampTz => "datetime_aware",
            other => other.name(),
        }
    }

    /// The name of the type in the database.
    pub(crate) fn database_name(self) -> &'static str {
        match self {
            Self::String => "character varying",
            Self::Bool => "boolean",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Float => "double precision",
            Self::Numeric => "numeric",
            Self::Date => "date",
            Self::Timestamp => "timestamp without time zone",
            Self::TimestampTz => "timestamp with time zone",
            Self::Json => "json",
        }
    }

    /// Reads a text as the database reads a literal of this type.
    pub(crate) fn read(self, text: &str) -> Result<Datum, InputError> {
        let syntax = || InputError::syntax("22P02", self.database_name(), text);
        let trimmed = text.trim_matches(|char: char| char.is_ascii_whitespace() || char == '\u{b}');
        match self {
            Self::String => Ok(Datum::Text(text.to_owned())),
            Self::Bool => bool_of(trimmed).map(Datum::Bool).ok_or_else(syntax),
            Self::Integer | Self::Bigint => {
                let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
                let rest = unsigned.trim_start_matches(|char: char| char.is_ascii_digit());
                if rest.len() == unsigned.len() {
                    return Err(syntax());
                }
                let number = trimmed.strip_suffix(rest).and_then(|digits| digits.parse::<i64>().ok());
                let fits = |number: &i64| self == Self::Bigint || i32::try_from(*number).is_ok();
                match number.filter(fits) {
                    Some(number) if rest.is_empty() => Ok(Datum::Int(number)),
                    Some(_) => Err(syntax()),
                    // The overflow is reported before the rest of the text is checked.
                    None => {
                        let message = format!("value \"{text}\" is out of range for type {}", self.database_name());
                        Err(InputError { code: "22003", message, hint: None })
                    }
                }
            }
            Self::Float => match float_of(trimmed) {
                Some(Some(number)) => Ok(Datum::Float(number)),
                Some(None) => {
                    let message = format!("\"{trimmed}\" is out of range for type double precision");
                    Err(InputError { code: "22003", message, hint: None })
                }
                None => Err(syntax()),
            },
            Self::Numeric => Decimal::read(trimmed).map(|number| Datum::Numeric(Box::new(number))).ok_or_else(syntax),
            Self::Date => timestamp::read_date(text).map(Datum::Date).map_err(|unread| self.not_a_date(text, unread)),
            Self::Timestamp | Self::TimestampTz => timestamp::read_timestamp(text, self == Self::TimestampTz)
                .map(if self == Self::Timestamp { Datum::Timestamp } else { Datum::TimestampTz })
                .map_err(|unread| self.not_a_date(text, unread)),
            Self::Json => match serde_json::from_str::<Value>(text) {
                Ok(_) => Ok(Datum::Json(text.into())),
                Err(_) => Err(InputError::syntax("22P02", "json", text)),
            },
        }
    }

    fn not_a_date(self, text: &str, unread: Unread) -> InputError {
        let field = |code: &'static str, hint: Option<&str>| {
            let what = if unread == Unread::Zone { "time zone displacement" } else { "date/time field value" };
            InputError { code, message: format!("{what} out of range: \"{text}\""), hint: hint.map(str::to_owned) }
        };
        match unread {
            Unread::Syntax => {
                let name = if self == Self::Timestamp { "timestamp" } else { self.database_name() };
                InputError::syntax("22007", name, text)
            }
            Unread::Field { other_order: true } => {
                field("22008", Some("Perhaps you need a different \"datestyle\" setting."))
            }
            Unread::Field { other_order: false } => field("22008", None),
            Unread::Zone => field("22009", None),
            Unread::Range => {
                let name = if self == Self::Date { "date" } else { "timestamp" };
                InputError { code: "22008", message: format!("{name} out of range: \"{text}\""), hint: None }
            }
        }
    }

    /// A JSON value as a value of this type. Exact decimals and `NaN`, which JSON lacks, are texts.
    pub(crate) fn of_json(self, value: &Value) -> Result<Datum, InputError> {
        match (self, value) {
            (_, Value::Null) => Ok(Datum::Null),
            (Self::Json, value) => Ok(Datum::Json(spaced(value).into())),
            (_, Value::String(text)) => self.read(text),
            (Self::Bigint, Value::Number(number)) => match number.as_i64() {
                Some(number) => Ok(Datum::Int(number)),
                None => self.read(&number.to_string()),
            },
            (_, other) => self.read(&other.to_string()),
        }
    }
}

/// JSON with a space after commas and colons, as in the tables of the platform.
pub(crate) fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", json!(name), spaced(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// The error for a text that is not a value of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InputError {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl InputError {
    fn syntax(code: &'static str, name: &str, text: &str) -> Self {
        Self { code, message: format!("invalid input syntax for type {name}: \"{text}\""), hint: None }
    }
}

/// Any unambiguous prefix of `true`, `false`, `yes`, `no`, `on`, `off`, and `1` and `0`.
fn bool_of(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    if text.is_empty() || text == "o" {
        return None;
    }
    let starts = |words: &[&str]| words.iter().any(|word| word.starts_with(&text));
    match () {
        () if starts(&["true", "yes", "on", "1"]) => Some(true),
        () if starts(&["false", "no", "off", "0"]) => Some(false),
        () => None,
    }
}

/// None if the text is not a number, `Some(None)` if it is too large or too small.
fn float_of(text: &str) -> Option<Option<f64>> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let named = ["nan", "inf", "infinity"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
    let starts = unsigned.starts_with(|char: char| char.is_ascii_digit() || char == '.');
    if !named && !starts {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let vanished = number == 0.0 && mantissa.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    Some(Some(number).filter(|number| named || (number.is_finite() && !vanished)))
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum {
    Null,
    Bool(bool),
    /// Of both integer types.
    Int(i64),
    Float(f64),
    Numeric(Box<Decimal>),
    Text(String),
    Date(i64),
    Timestamp(i64),
    TimestampTz(i64),
    /// The text as it was read.
    Json(Box<str>),
}

/// Who writes the JSON: the database, or the server in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    Database,
    Server,
}

impl Datum {
    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The order of two values of one type that are not null.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Int(left), Self::Int(right))
            | (Self::Date(left), Self::Date(right))
            | (Self::Timestamp(left), Self::Timestamp(right))
            | (Self::TimestampTz(left), Self::TimestampTz(right)) => left.cmp(right),
            (Self::Float(left), Self::Float(right)) => float_order(*left, *right),
            (Self::Numeric(left), Self::Numeric(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => Ordering::Equal,
        }
    }

    /// The value as the database writes it in CSV, empty for null.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => if *value { "t" } else { "f" }.to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => float_text(*number),
            Self::Numeric(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Date(days) => timestamp::write_date(*days),
            Self::Timestamp(micros) => timestamp::write_timestamp(*micros, ' ', ""),
            Self::TimestampTz(micros) => timestamp::write_timestamp(*micros, ' ', "+00"),
            Self::Json(text) => text.to_string(),
        }
    }

    /// The value in JSON.
    pub(crate) fn json(&self, writer: Writer) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) if number.is_finite() => number_in(writer, float_text(*number)),
            Self::Numeric(number) if matches!(**number, Decimal::Finite(_)) => number_in(writer, number.to_string()),
            Self::Text(text) => json_text(text),
            Self::Timestamp(micros) => json_text(&timestamp::write_timestamp(*micros, 'T', "")),
            Self::TimestampTz(micros) => json_text(&timestamp::write_timestamp(*micros, 'T', "+00:00")),
            Self::Json(text) => text.to_string(),
            Self::Float(_) | Self::Numeric(_) | Self::Date(_) => json_text(&self.text()),
        }
    }
}

/// A text in JSON.
pub(crate) fn json_text(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain { format!("\"{text}\"") } else { json!(text).to_string() }
}

/// The server parses the numbers of the database and writes them again: decimals become doubles.
fn number_in(writer: Writer, text: String) -> String {
    match text.parse::<f64>() {
        Ok(number) if writer == Writer::Server && text.contains(['.', 'e']) => format!("{number:?}"),
        _ if writer == Writer::Server && text == "-0" => "0".to_owned(),
        _ => text,
    }
}

/// NaN is the largest, and both zeros are equal.
fn float_order(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// The shortest text of a double, with an exponent where the database has one.
fn float_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..15).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from PostgreSQL 15.
    #[test]
    fn doubles_are_written_as_the_database_writes_them() {
        for (number, text) in [
            (1e15, "1e+15"),
            (1e14, "100000000000000"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (123_456_789_012_345_678.0, "1.2345678901234568e+17"),
            (-0.0, "-0"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(float_text(number), text);
        }
        assert_eq!(Datum::Float(1e15).json(Writer::Server), "1000000000000000.0");
        assert_eq!(Datum::Float(-0.0).json(Writer::Server), "0");
        assert_eq!(Datum::Float(f64::INFINITY).json(Writer::Server), "\"Infinity\"");
    }

    #[test]
    fn texts_are_read_as_the_database_reads_them() {
        for (kind, text, value) in [
            (Kind::Bool, " T ", Datum::Bool(true)),
            (Kind::Bool, "of", Datum::Bool(false)),
            (Kind::Bigint, " +1 ", Datum::Int(1)),
            (Kind::Float, "-INF", Datum::Float(f64::NEG_INFINITY)),
            (Kind::Float, "1e300", Datum::Float(1e300)),
        ] {
            assert_eq!(kind.read(text), Ok(value), "{text}");
        }
        for (kind, text, code) in [
            (Kind::Bool, "o", "22P02"),
            (Kind::Bool, "2", "22P02"),
            (Kind::Bigint, "1.0", "22P02"),
            (Kind::Bigint, "1_000", "22P02"),
            (Kind::Bigint, "9223372036854775808", "22003"),
            (Kind::Integer, "2147483648", "22003"),
            (Kind::Float, "1e309", "22003"),
            (Kind::Float, "1e-400", "22003"),
            (Kind::Float, "1,5", "22P02"),
            (Kind::Numeric, "1,5", "22P02"),
            (Kind::Date, "x", "22007"),
            (Kind::Timestamp, "2024-02-30", "22008"),
        ] {
            assert_eq!(kind.read(text).map_err(|error| error.code), Err(code), "{text}");
        }
    }
}
