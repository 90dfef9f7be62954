//! A month of a year, in the form of the metrics API.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, Result};

/// A month of a year, written `2025-01`. Made with [`Month::new`], or parsed from text.
///
/// ```
/// use datagouv::monthly_metrics::Month;
///
/// let month: Month = "2025-12".parse().unwrap();
/// assert_eq!((month.year(), month.number()), (2025, 12));
/// assert!(month < Month::new(2026, 1).unwrap());
/// assert!("2025-13".parse::<Month>().unwrap_err().to_string().contains("not a month"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: u16,
    month: u8,
}

impl Month {
    /// Creates a month from its number, from 1 to 12.
    ///
    /// # Errors
    ///
    /// Returns an error if the number is out of range, or the year has more than four digits.
    pub fn new(year: u16, month: u8) -> Result<Self> {
        if year <= 9999 && (1..=12).contains(&month) {
            Ok(Self { year, month })
        } else {
            Err(Error::request(format!("{year}-{month:02} is not a month: months are written as 2025-01")))
        }
    }

    /// Returns the year.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }

    /// Returns the number of the month, from 1 to 12.
    #[must_use]
    pub fn number(self) -> u8 {
        self.month
    }
}

impl FromStr for Month {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.split_once('-') {
            Some((year, month)) if digits(year, 4) && digits(month, 2) => match (year.parse(), month.parse()) {
                (Ok(year), Ok(month)) => Self::new(year, month),
                _ => Err(Error::request(format!("`{text}` is not a month"))),
            },
            _ => Err(Error::request(format!("`{text}` is not a month: months are written as 2025-01"))),
        }
    }
}

impl TryFrom<&str> for Month {
    type Error = Error;

    fn try_from(text: &str) -> Result<Self> {
        text.parse()
    }
}

impl TryFrom<&String> for Month {
    type Error = Error;

    fn try_from(text: &String) -> Result<Self> {
        text.parse()
    }
}

impl TryFrom<String> for Month {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

// Lets setters take a `Month` where they also take text.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_months_are_refused() {
        for text in ["2025-01", "0001-12", "2025-10"] {
            assert_eq!(text.parse::<Month>().unwrap().to_string(), text);
        }
        for text in
            ["2025-1", "2025-00", "2025-13", "25-01", "2025-01-01", "2025/01", "+025-01", "2025-+1", "", "-", "é025-01"]
        {
            assert!(text.parse::<Month>().unwrap_err().is_request(), "{text}");
        }
        assert!(Month::new(10_000, 1).is_err());
    }
}
