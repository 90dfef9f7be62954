//! Dates and timestamps: read as PostgreSQL reads them (ISO 8601 and its variants, month before day if
//! the year is last), written as it writes them. Names of months and time zones are not supported.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// Days from 1970-01-01, or microseconds from its start; the ends of the range are the infinities.
pub(crate) const INFINITY: i64 = i64::MAX;
pub(crate) const NEGATIVE_INFINITY: i64 = i64::MIN;

const DAY: i64 = 86_400_000_000;

/// Why a text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// In no known format: 22007.
    Syntax,
    /// A field out of its range: 22008; whether another order of day and month may be valid.
    Field { other_order: bool },
    /// Beyond the range of the type: 22008.
    Range,
    /// An offset that no time zone has: 22009.
    Zone,
}

/// The fields of a text.
struct Parts {
    days: i64,
    /// Microseconds from midnight.
    time: i64,
    /// Microseconds east of Greenwich.
    zone: i64,
}

/// Reads a date, as days from 1970-01-01. A time of day is ignored.
pub(crate) fn read_date(text: &str) -> Result<i64, Unread> {
    if let Some(special) = special(text) {
        return Ok(match special {
            INFINITY | NEGATIVE_INFINITY => special,
            micros => micros.div_euclid(DAY),
        });
    }
    let days = parts(text)?.days;
    let range = days_of(-4713, 11, 24)..days_of(5_874_898, 1, 1);
    if range.contains(&days) { Ok(days) } else { Err(Unread::Range) }
}

/// Reads a point in time, as microseconds from the start of 1970; the zone is applied only if `with_zone` is set.
pub(crate) fn read_timestamp(text: &str, with_zone: bool) -> Result<i64, Unread> {
    if let Some(special) = special(text) {
        return Ok(special);
    }
    let parts = parts(text)?;
    let days = days_of(-4713, 11, 24)..days_of(294_277, 1, 1);
    if !days.contains(&parts.days) {
        return Err(Unread::Range);
    }
    Ok(parts.days * DAY + parts.time - if with_zone { parts.zone } else { 0 })
}

fn special(text: &str) -> Option<i64> {
    let now = || {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(elapsed.as_micros()).unwrap_or_default()
    };
    let today = || now().div_euclid(DAY) * DAY;
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "infinity" => INFINITY,
        "-infinity" => NEGATIVE_INFINITY,
        "epoch" => 0,
        "now" => now(),
        "today" => today(),
        "tomorrow" => today() + DAY,
        "yesterday" => today() - DAY,
        _ => return None,
    })
}

fn parts(text: &str) -> Result<Parts, Unread> {
    let mut text = text.trim();
    let mut before_christ = false;
    if let Some((rest, era)) = text.rsplit_once(' ')
        && let era @ ("BC" | "AD") = era.to_ascii_uppercase().as_str()
    {
        before_christ = era == "BC";
        text = rest.trim_end();
    }
    let end = text.find(|char: char| !char.is_ascii_digit() && !"-/.".contains(char)).unwrap_or(text.len());
    // A sign after a complete date starts a zone.
    let (date, rest) = text.split_at(end);
    let days = days(date, before_christ)?;
    let (time, zone) = match rest.strip_prefix(['T', 't']) {
        Some(rest) => clock(rest, true)?,
        None => clock(rest.trim_start(), false)?,
    };
    Ok(Parts { days, time, zone })
}

fn days(text: &str, before_christ: bool) -> Result<i64, Unread> {
    let separator = text.find(['-', '/', '.']).and_then(|at| text[at..].chars().next());
    let fields: Vec<&str> = match separator {
        Some(separator) => text.split(separator).collect(),
        None if text.len() == 8 => vec![&text[..4], &text[4..6], &text[6..]],
        None if text.len() == 6 => vec![&text[..2], &text[2..4], &text[4..]],
        None => return Err(Unread::Syntax),
    };
    let number = |text: &str| -> Result<i64, Unread> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().map_err(|_| Unread::Range) } else { Err(Unread::Syntax) }
    };
    let short_year = |text: &str| -> Result<i64, Unread> {
        let year = number(text)?;
        Ok(if text.len() > 2 || before_christ { year } else { year + if year < 70 { 2000 } else { 1900 } })
    };
    let (year, month, day) = match fields.as_slice() {
        [year, day] if year.len() > 2 && day.len() == 3 => {
            let day = number(day)?;
            let year = number(year)?;
            return if (1..=365).contains(&day) && year > 0 {
                Ok(days_of(year, 1, 1) + day - 1)
            } else {
                Err(Unread::Field { other_order: false })
            };
        }
        [year, month, day] if year.len() > 2 || separator.is_none() => {
            (short_year(year)?, number(month)?, number(day)?)
        }
        [month, day, year] => (short_year(year)?, number(month)?, number(day)?),
        _ => return Err(Unread::Syntax),
    };
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(Unread::Field { other_order: true });
    }
    let year = if before_christ { 1 - year } else { year };
    let zero = if before_christ { year == 1 } else { year == 0 };
    if zero || day > month_length(year, month) {
        return Err(Unread::Field { other_order: false });
    }
    Ok(days_of(year, month, day))
}

/// A time of day and the zone behind it; both may be missing, the time only without a `T` before it.
fn clock(text: &str, needed: bool) -> Result<(i64, i64), Unread> {
    let end = text.find(|char: char| !char.is_ascii_digit() && !":.".contains(char)).unwrap_or(text.len());
    let (time, rest) = text.split_at(end);
    if time.is_empty() && needed {
        return Err(Unread::Syntax);
    }
    let field = |text: &str| -> Result<i64, Unread> {
        if text.is_empty() || text.len() > 2 { Err(Unread::Syntax) } else { text.parse().map_err(|_| Unread::Syntax) }
    };
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let fields: Vec<&str> = match (whole.is_empty(), whole.contains(':'), whole.len()) {
        (true, ..) => Vec::new(),
        (_, true, _) => whole.split(':').collect(),
        (_, _, 6) => vec![&whole[..2], &whole[2..4], &whole[4..]],
        (_, _, 4) if needed => vec![&whole[..2], &whole[2..]],
        _ => return Err(Unread::Syntax),
    };
    let (hour, minute, second) = match fields.as_slice() {
        [] => (0, 0, 0),
        [hour, minute] => (field(hour)?, field(minute)?, 0),
        [hour, minute, second] => (field(hour)?, field(minute)?, field(second)?),
        _ => return Err(Unread::Syntax),
    };
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let part = if fraction.is_empty() { 0.0 } else { format!("0.{fraction}").parse().map_err(|_| Unread::Syntax)? };
    if !digits {
        return Err(Unread::Syntax);
    }
    #[allow(clippy::cast_possible_truncation, reason = "less than two million")]
    let micros = (part * 1_000_000.0_f64).round() as i64;
    let time = ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros;
    if hour > 24 || minute > 59 || second > 60 || time > DAY {
        return Err(Unread::Field { other_order: false });
    }
    Ok((time, zone(rest.trim())?))
}

fn zone(text: &str) -> Result<i64, Unread> {
    if matches!(text.to_ascii_uppercase().as_str(), "" | "Z" | "UTC" | "GMT") {
        return Ok(0);
    }
    let (sign, digits) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        _ => return Err(Unread::Syntax),
    };
    let fields: Vec<&str> = match digits.len() {
        _ if digits.contains(':') => digits.split(':').collect(),
        4 => vec![&digits[..2], &digits[2..]],
        _ => vec![digits],
    };
    let mut offset = 0;
    for (field, unit) in fields.iter().zip([3_600, 60, 1]) {
        let whole = !field.is_empty() && field.len() <= 2 && field.bytes().all(|byte| byte.is_ascii_digit());
        let number: i64 = if whole { field.parse().map_err(|_| Unread::Syntax)? } else { return Err(Unread::Syntax) };
        if number > if unit == 3_600 { 15 } else { 59 } {
            return Err(Unread::Zone);
        }
        offset += number * unit;
    }
    Ok(sign * offset * 1_000_000)
}

fn month_length(year: i64, month: i64) -> i64 {
    let next = if month == 12 { days_of(year + 1, 1, 1) } else { days_of(year, month + 1, 1) };
    next - days_of(year, month, 1)
}

/// The days from 1970-01-01 to a date of the Gregorian calendar; the year before 1 is 0.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // Years that start in March have the leap day at their end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + of_year - 719_468
}

/// Year, month and day of so many days from 1970-01-01.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (year + era * 400, month, day)
}

/// A date as the database writes it.
pub(crate) fn write_date(days: i64) -> String {
    infinity(days).map_or_else(
        || {
            let (date, era) = date_and_era(days);
            date + era
        },
        str::to_owned,
    )
}

fn infinity(value: i64) -> Option<&'static str> {
    match value {
        INFINITY => Some("infinity"),
        NEGATIVE_INFINITY => Some("-infinity"),
        _ => None,
    }
}

fn date_and_era(days: i64) -> (String, &'static str) {
    let (year, month, day) = date_of(days);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    (format!("{year:04}-{month:02}-{day:02}"), era)
}

/// A point in time as the database writes it, `between` the date and the time, `zone` after it.
pub(crate) fn write_timestamp(micros: i64, between: char, zone: &str) -> String {
    if let Some(infinity) = infinity(micros) {
        return infinity.to_owned();
    }
    let (date, era) = date_and_era(micros.div_euclid(DAY));
    let of_day = micros.rem_euclid(DAY);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let mut text = format!("{date}{between}{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction > 0 {
        let _ = write!(text, ".{}", format!("{fraction:06}").trim_end_matches('0'));
    }
    text + zone + era
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Result<String, Unread> {
        read_date(text).map(write_date)
    }

    fn timestamp(text: &str) -> Result<String, Unread> {
        read_timestamp(text, false).map(|micros| write_timestamp(micros, ' ', ""))
    }

    /// Expected values from PostgreSQL 15.
    #[test]
    fn reads_the_date_formats_of_the_database() {
        for (text, written) in [
            ("2024-01-31", "2024-01-31"),
            (" 2024-1-1 ", "2024-01-01"),
            ("20240131", "2024-01-31"),
            ("240131", "2024-01-31"),
            ("2024/1/2", "2024-01-02"),
            ("1/2/2024", "2024-01-02"),
            ("1-2-3", "2003-01-02"),
            ("2024-031", "2024-01-31"),
            ("2024-01-31T24:00:00", "2024-01-31"),
            ("2024-01-31Z", "2024-01-31"),
            ("2024-01-31+02", "2024-01-31"),
            ("2024-01-31 BC", "2024-01-31 BC"),
            ("99999-01-01", "99999-01-01"),
            ("0001-01-01", "0001-01-01"),
            ("infinity", "infinity"),
            ("epoch", "1970-01-01"),
        ] {
            assert_eq!(date(text).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn an_invalid_date_is_refused_with_its_reason() {
        let field = |other_order| Unread::Field { other_order };
        for (text, reason) in [
            ("", Unread::Syntax),
            ("x", Unread::Syntax),
            ("2024", Unread::Syntax),
            ("2024-01", Unread::Syntax),
            ("2024-01-31T", Unread::Syntax),
            ("2024-01-31T8", Unread::Syntax),
            ("2024-01-31 x", Unread::Syntax),
            ("31/01/2024", field(true)),
            ("2024-13-01", field(true)),
            ("24-01-31", field(true)),
            ("2024-02-30", field(false)),
            ("0000-01-01", field(false)),
            ("2024-01-31T25:00", field(false)),
            ("5874898-01-01", Unread::Range),
            ("2024-01-31T10:00:00+99", Unread::Zone),
        ] {
            assert_eq!(date(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn timestamps_keep_microseconds_and_apply_their_zone() {
        for (text, written) in [
            ("2024-01-31 8:5", "2024-01-31 08:05:00"),
            ("2024-01-31T08:00:00.1234567", "2024-01-31 08:00:00.123457"),
            ("2024-01-31 08:00:60", "2024-01-31 08:01:00"),
            ("2024-01-31T24:00:00", "2024-02-01 00:00:00"),
            ("20240131T100000", "2024-01-31 10:00:00"),
            ("2024-01-31T08:00:00+02:00", "2024-01-31 08:00:00"),
            ("2024-01-31 08:00:00 BC", "2024-01-31 08:00:00 BC"),
        ] {
            assert_eq!(timestamp(text).as_deref(), Ok(written), "{text}");
        }
        let moved = read_timestamp("2024-01-31+02", true).expect("a point in time");
        assert_eq!(write_timestamp(moved, 'T', "+00:00"), "2024-01-30T22:00:00+00:00");
        assert_eq!(read_timestamp("2024-01-31T08:00:00Z", true), read_timestamp("2024-01-31 08:00", false));
    }
}
