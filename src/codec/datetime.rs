//! Dates and times as the platform writes them.
//!
//! The text is kept unchanged and parsed on demand: parts of the platform write no offset, a space instead of `T`, or a
//! date alone, which must not make a response unreadable.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec::tolerant;

/// The longest text that is kept in place. The platform writes 32 bytes, with microseconds and an offset; with the two
/// that say which and how long it is, that makes 40.
const SHORT: usize = 38;

/// A text that is short as a rule: a quarter of what a dataset and its resources hold are dates, and each would be
/// allocated by itself.
#[derive(Clone)]
enum Text {
    Short(u8, [u8; SHORT]),
    Long(Box<str>),
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            // What was made of a `str` is one.
            Self::Short(length, bytes) => {
                bytes.get(..usize::from(*length)).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
            }
            Self::Long(text) => text,
        }
    }

    fn short(text: &str) -> Option<Self> {
        let mut bytes = [0; SHORT];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self::Short(u8::try_from(text.len()).ok()?, bytes))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::short(text).unwrap_or_else(|| Self::Long(text.into()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::short(&text).unwrap_or_else(|| Self::Long(text.into()))
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Short(0, [0; SHORT])
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

macro_rules! text {
    ($(#[$meta:meta])* $name:ident, $format:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default)]
        pub struct $name(Text);

        impl $name {
            /// Returns the text, as received or as it will be sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                tolerant::deserialize(deserializer)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}

text! {
    /// A date and time, kept as text (`format: date-time`) and converted on demand.
    ///
    /// Equality and order are those of the texts; convert to compare instants.
    ///
    /// ```
    /// use datagouv::DateTime;
    ///
    /// let created = DateTime::from("2023-08-30 21:14:10.407493+02");
    /// assert_eq!(created.as_str(), "2023-08-30 21:14:10.407493+02");
    /// # #[cfg(feature = "chrono")]
    /// assert_eq!(created.to_chrono().unwrap().to_rfc3339(), "2023-08-30T21:14:10.407493+02:00");
    /// ```
    DateTime, "date-time"
}

text! {
    /// A date, kept as text (`format: date`) and converted on demand.
    Date, "date"
}

/// Whether a text has the form of another, in which `0` is any digit.
fn has_form(text: &str, form: &str) -> bool {
    let matches = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == form.len() && text.bytes().zip(form.bytes()).all(matches)
}

/// The number that a part of a text is.
fn number(text: &str, from: usize, to: usize) -> Option<i64> {
    text.get(from..to)?.parse().ok()
}

/// The number of days of a month, from 1 to 12.
pub(crate) fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a text is a day of the calendar, such as `2024-02-29`.
fn is_day(text: &str) -> bool {
    let (year, month, day) = (number(text, 0, 4), number(text, 5, 7), number(text, 8, 10));
    match (year, month, day) {
        (Some(year), Some(month @ 1..=12), Some(day)) => {
            has_form(text, "0000-00-00") && (1..=days_of(year, month)).contains(&day)
        }
        _ => false,
    }
}

/// Whether a text is a time of day with seconds, such as `08:30:00` or `08:30:00.25`. A leap second is the 60th.
fn is_time(text: &str) -> bool {
    let Some((clock, fraction)) = text.split_at_checked(8) else { return false };
    let is_within = |from: usize, most: i64| number(clock, from, from + 2).is_some_and(|number| number <= most);
    let is_fraction = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    has_form(clock, "00:00:00")
        && is_within(0, 23)
        && is_within(3, 59)
        && is_within(6, 60)
        && (fraction.is_empty() || fraction.strip_prefix('.').is_some_and(is_fraction))
}

impl DateTime {
    /// Returns the instant in RFC 3339 format; `None` if the text is not a date.
    ///
    /// A date alone is midnight, and a time without an offset is UTC, as the platform means them.
    #[must_use]
    pub fn to_rfc3339(&self) -> Option<String> {
        let text = self.as_str().trim();
        let (date, time) = match text.find(['T', 't', ' ']) {
            Some(at) => (text.get(..at)?, text.get(at + 1..)?.trim()),
            None => (text, "00:00:00Z"),
        };
        if !is_day(date) {
            return None;
        }
        let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
            Some(at) => (time.get(..at)?.trim_end(), time.get(at..)?),
            None => (time, "Z"),
        };
        let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
        if !is_time(&clock) {
            return None;
        }
        let offset = match offset.split_at_checked(1)? {
            ("Z" | "z", "") => "Z".to_owned(),
            ("Z" | "z", _) => return None,
            (sign, hours) if has_form(hours, "00") => format!("{sign}{hours}:00"),
            (sign, time) if has_form(time, "0000") => format!("{sign}{}:{}", &time[..2], &time[2..]),
            (_, time) if has_form(time, "00:00") => offset.to_owned(),
            _ => return None,
        };
        if number(&offset, 1, 3) > Some(23) || number(&offset, 4, 6) > Some(59) {
            return None;
        }
        Some(format!("{date}T{clock}{offset}"))
    }

    /// Microseconds since 1970, for comparing without any of the optional crates.
    pub(crate) fn to_unix_micros(&self) -> Option<i64> {
        let text = self.to_rfc3339()?;
        let number = |from: usize, to: usize| number(&text, from, to);
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hours, minutes, seconds) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let rest = text.get(19..)?;
        let at = rest.find(['Z', '+', '-'])?;
        let (fraction, offset) = (rest.get(..at)?, rest.get(at..)?);
        let digits = fraction.trim_start_matches('.').get(..6).unwrap_or(fraction.trim_start_matches('.'));
        let micros = if digits.is_empty() { 0 } else { format!("{digits:0<6}").parse::<i64>().ok()? };
        let offset = match offset.get(1..6) {
            Some(clock) => {
                let minutes = clock.get(..2)?.parse::<i64>().ok()? * 60 + clock.get(3..)?.parse::<i64>().ok()?;
                if offset.starts_with('-') { -minutes } else { minutes }
            }
            None => 0,
        };
        // Days of the proleptic Gregorian calendar, of years that begin in March.
        let year = if month <= 2 { year - 1 } else { year };
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days =
            365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468;
        Some((((days * 24 + hours) * 60 + minutes - offset) * 60 + seconds) * 1_000_000 + micros)
    }

    /// Converts to chrono; `None` if the text is not a date.
    #[cfg(feature = "chrono")]
    #[must_use]
    pub fn to_chrono(&self) -> Option<chrono::DateTime<chrono::FixedOffset>> {
        chrono::DateTime::parse_from_rfc3339(&self.to_rfc3339()?).ok()
    }

    /// Converts to jiff; `None` if the text is not a date.
    #[cfg(feature = "jiff")]
    #[must_use]
    pub fn to_jiff(&self) -> Option<jiff::Timestamp> {
        self.to_rfc3339()?.parse().ok()
    }

    /// Converts to time; `None` if the text is not a date.
    #[cfg(feature = "time")]
    #[must_use]
    pub fn to_time(&self) -> Option<time::OffsetDateTime> {
        time::OffsetDateTime::parse(&self.to_rfc3339()?, &time::format_description::well_known::Rfc3339).ok()
    }
}

#[cfg(feature = "chrono")]
impl<Zone: chrono::TimeZone> From<chrono::DateTime<Zone>> for DateTime
where
    Zone::Offset: fmt::Display,
{
    fn from(instant: chrono::DateTime<Zone>) -> Self {
        Self::from(instant.to_rfc3339())
    }
}

impl Date {
    /// Converts to chrono; `None` if the text is not a date.
    #[cfg(feature = "chrono")]
    #[must_use]
    pub fn to_chrono(&self) -> Option<chrono::NaiveDate> {
        self.as_str().get(..10)?.parse().ok()
    }
}

#[cfg(feature = "chrono")]
impl From<chrono::NaiveDate> for Date {
    fn from(day: chrono::NaiveDate) -> Self {
        Self::from(day.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_the_platform_writes_is_an_instant() {
        for (text, instant) in [
            ("2026-11-22T15:03:16.170000+00:00", "2026-11-22T15:03:16.170000+00:00"),
            ("2026-11-22T14:58:40.032000", "2026-11-22T14:58:40.032000Z"),
            ("2023-08-30 21:14:10.407493+02", "2023-08-30T21:14:10.407493+02:00"),
            ("2020-12-31", "2020-12-31T00:00:00Z"),
            ("2020-12-31T10:20Z", "2020-12-31T10:20:00Z"),
            ("2020-12-31T10:20:00-0330", "2020-12-31T10:20:00-03:30"),
            ("2020-12-31 10:20:00 +02:00", "2020-12-31T10:20:00+02:00"),
            ("2024-02-29t10:20:60.5z", "2024-02-29T10:20:60.5Z"),
        ] {
            assert_eq!(DateTime::from(text).to_rfc3339().as_deref(), Some(instant), "{text}");
        }
    }

    #[test]
    fn instants_compare_whatever_their_form() {
        for (text, micros) in [
            ("1970-01-01", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2000-02-29T12:00:00-03:30", 951_838_200_000_000),
            ("2026-11-22T14:58:40.032", 1_795_359_520_032_000),
            ("2026-11-22T14:58:40.0324179+00:00", 1_795_359_520_032_417),
        ] {
            assert_eq!(DateTime::from(text).to_unix_micros(), Some(micros), "{text}");
            #[cfg(feature = "chrono")]
            assert_eq!(
                DateTime::from(text).to_chrono().map(|instant| instant.timestamp_micros()),
                Some(micros),
                "{text}"
            );
        }
        assert_eq!(DateTime::from("hier").to_unix_micros(), None);
    }

    #[test]
    fn a_text_is_the_same_however_long_it_is() {
        for letter in ["1", "é"] {
            for count in [0, 1, 18, 19, 20, 36, 37, 38, 39, 40, 1000] {
                let text = letter.repeat(count);
                let (borrowed, owned) = (DateTime::from(text.as_str()), DateTime::from(text.clone()));
                let read: DateTime = serde_json::from_str(&format!("{text:?}")).unwrap();
                assert_eq!([borrowed.as_str(), owned.as_str(), read.as_str()], [text.as_str(); 3]);
                assert_eq!(serde_json::to_string(&read).unwrap(), format!("{text:?}"));
                assert_eq!(format!("{read:?}"), format!("DateTime({text:?})"));
                assert_eq!(borrowed, read);
            }
        }
        assert_eq!(std::mem::size_of::<Option<DateTime>>(), 40);
    }

    #[test]
    fn texts_are_in_the_order_of_their_letters() {
        let texts = ["", "2020", "2020-12-31", "2020-12-31T10:20:00.000000000000000000000+00:00", "2021"];
        let mut dates: Vec<DateTime> = texts.iter().rev().map(|text| DateTime::from(*text)).collect();
        dates.sort();
        assert_eq!(dates.iter().map(DateTime::as_str).collect::<Vec<_>>(), texts);
    }

    #[test]
    fn an_invalid_date_is_none_and_keeps_its_text() {
        for text in [
            "",
            "hier",
            "2020",
            "2020-1-1",
            "2020-13-01",
            "2020-00-01",
            "2021-02-29",
            "2020-04-31",
            "2020-01-00",
            "2020-+1-01",
            "2020-12-31T10:20+1",
            "2020-12-31T10:20+01:0a",
            "2020-12-31T10:20+0a1:00",
            "2020-12-31T10:20+24:00",
            "2020-12-31T10:20Z00",
            "2020-12-31T10:20z+01",
            "0044-03-15 12:00:00+00 BC",
            "0044-03-15 12:00:00 BC",
            "2020-12-31T10:20.5",
            "2020-12-31T10:20:00.",
            "2020-12-31T10:20:00,5",
            "2020-12-31T24:00:00",
            "2020-12-31T10:60:00",
            "2020-12-31T10:20:61",
            "2020-12-31T10",
            "2020-12-31T1020",
            "é2020-12-31",
            "2020-12-31Té",
        ] {
            let read: DateTime = serde_json::from_value(text.into()).unwrap();
            assert_eq!(read.as_str(), text);
            assert_eq!((read.to_rfc3339(), read.to_unix_micros()), (None, None), "{text}");
            #[cfg(feature = "chrono")]
            assert_eq!(read.to_chrono(), None, "{text}");
        }
    }
}
