//! Dates of files, by the format that the platform's profile names for their column.

use crate::codec::datetime::days_of;

/// The names of months that csv-detective reads, without accents, from January on.
const MONTHS: [&[&str]; 12] = [
    &["janvier", "janv", "jan", "january"],
    &["fevrier", "fevr", "fev", "february", "feb"],
    &["mars", "mar", "march"],
    &["avril", "avr", "april", "apr"],
    &["mai", "may"],
    &["juin", "june", "jun"],
    &["juillet", "juil", "july", "jul"],
    &["aout", "aou", "august", "aug"],
    &["septembre", "sept", "sep", "september"],
    &["octobre", "oct", "october"],
    &["novembre", "nov", "november"],
    &["decembre", "dec", "december"],
];

/// Zone names with one meaning, and their hours from UTC.
const ZONES: [(&str, i64); 8] =
    [("UTC", 0), ("GMT", 0), ("WET", 0), ("WEST", 1), ("CET", 1), ("CEST", 2), ("EET", 2), ("EEST", 3)];

/// A date, with a time of day where the text has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    year: i64,
    month: i64,
    day: i64,
    seconds: i64,
    micros: i64,
    /// The seconds from UTC, where the text has a zone.
    offset: Option<i64>,
}

impl Moment {
    /// Reads a text by a format in the notation of Python's `strptime`, as far as csv-detective uses it: optional parts are in
    /// brackets, and months may be written out in French and English.
    pub(super) fn parse(text: &str, format: &str) -> Option<Self> {
        let format = format.strip_prefix("csvd:").unwrap_or(format);
        if let Some((head, rest)) = format.split_once('[')
            && let Some((optional, tail)) = rest.split_once(']')
        {
            return Self::parse(text, &format!("{head}{optional}{tail}"))
                .or_else(|| Self::parse(text, &format!("{head}{tail}")));
        }
        let mut moment = Self { month: 1, day: 1, ..Self::default() };
        let mut afternoon = None;
        let mut rest = text;
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                rest = rest.strip_prefix(letter)?;
                continue;
            }
            match letters.next()? {
                'Y' => moment.year = digits(&mut rest, 4, 4)?,
                'y' => {
                    let year = digits(&mut rest, 2, 2)?;
                    moment.year = if year < 69 { 2000 + year } else { 1900 + year };
                }
                'm' => moment.month = digits(&mut rest, 1, 2)?,
                'd' => {
                    moment.day = digits(&mut rest, 1, 2)?;
                    if let Some(after) = ["st", "nd", "rd", "th"].iter().find_map(|suffix| rest.strip_prefix(suffix)) {
                        rest = after;
                    }
                }
                'b' | 'B' => moment.month = month(&mut rest)?,
                'H' | 'I' => moment.seconds += 3_600 * digits(&mut rest, 1, 2)?,
                'M' => moment.seconds += 60 * digits(&mut rest, 1, 2)?,
                'S' => moment.seconds += digits(&mut rest, 1, 2)?,
                'f' => {
                    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
                    let (number, after) = rest.split_at_checked(length)?;
                    moment.micros = format!("{number:0<6}").parse().ok().filter(|_| (1..=6).contains(&length))?;
                    rest = after;
                }
                'z' => moment.offset = Some(offset(&mut rest)?),
                'Z' => {
                    let name = rest.trim_start();
                    let (_, hours) = ZONES.iter().find(|(zone, _)| zone.eq_ignore_ascii_case(name))?;
                    (moment.offset, rest) = (Some(hours * 3_600), "");
                }
                'p' => {
                    let marker = rest.trim_start().replace('.', "").to_ascii_lowercase();
                    afternoon = Some(match marker.as_str() {
                        "am" => false,
                        "pm" => true,
                        _ => return None,
                    });
                    rest = "";
                }
                _ => return None,
            }
        }
        if let Some(afternoon) = afternoon {
            moment.seconds = moment.seconds % 43_200 + if afternoon { 43_200 } else { 0 };
        }
        let exists = (1..=12).contains(&moment.month)
            && (1..=days_of(moment.year, moment.month)).contains(&moment.day)
            && moment.seconds < 86_400;
        (rest.is_empty() && exists).then_some(moment)
    }

    /// Reads the forms of ISO 8601 that files have.
    pub(super) fn iso(text: &str) -> Option<Self> {
        ["%Y-%m-%d", "%Y-%m-%d[T%H:%M][:%S][.%f][%z]", "%Y-%m-%d[ %H:%M][:%S][.%f][%z]"]
            .iter()
            .find_map(|format| Self::parse(text, format))
    }

    /// The date as the tabular API writes it.
    pub(super) fn date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// The date and the time as the tabular API writes them: in UTC where there is a zone.
    pub(super) fn datetime(self) -> String {
        let moment = self.in_utc();
        let (hours, minutes, seconds) = (moment.seconds / 3_600, moment.seconds / 60 % 60, moment.seconds % 60);
        let fraction = format!(".{:06}", moment.micros);
        let fraction = if moment.micros == 0 { "" } else { fraction.trim_end_matches('0') };
        let zone = if moment.offset.is_some() { "+00:00" } else { "" };
        format!("{}T{hours:02}:{minutes:02}:{seconds:02}{fraction}{zone}", moment.date())
    }

    fn in_utc(self) -> Self {
        let mut moment = self;
        moment.seconds -= self.offset.unwrap_or(0);
        // No zone is a day or more from UTC.
        if moment.seconds < 0 {
            moment.seconds += 86_400;
            moment.day -= 1;
            if moment.day == 0 {
                (moment.year, moment.month) =
                    if moment.month == 1 { (moment.year - 1, 12) } else { (moment.year, moment.month - 1) };
                moment.day = days_of(moment.year, moment.month);
            }
        } else if moment.seconds >= 86_400 {
            moment.seconds -= 86_400;
            moment.day += 1;
            if moment.day > days_of(moment.year, moment.month) {
                (moment.year, moment.month, moment.day) =
                    if moment.month == 12 { (moment.year + 1, 1, 1) } else { (moment.year, moment.month + 1, 1) };
            }
        }
        moment
    }
}

fn digits(rest: &mut &str, least: usize, most: usize) -> Option<i64> {
    let length = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, after) = rest.split_at_checked(length)?;
    *rest = after;
    number.parse().ok().filter(|_| length >= least)
}

fn month(rest: &mut &str) -> Option<i64> {
    let length = rest.find(|letter: char| !letter.is_alphabetic()).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(length)?;
    let name = name.to_lowercase().replace(['é', 'è'], "e").replace('û', "u");
    let index = MONTHS.iter().position(|names| names.contains(&name.as_str()))?;
    *rest = after.strip_prefix('.').unwrap_or(after);
    i64::try_from(index + 1).ok()
}

fn offset(rest: &mut &str) -> Option<i64> {
    if let Some(after) = rest.strip_prefix(['Z', 'z']) {
        *rest = after;
        return Some(0);
    }
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    *rest = rest.strip_prefix(['+', '-'])?;
    let hours = digits(rest, 2, 2)?;
    *rest = rest.strip_prefix(':').unwrap_or(rest);
    let minutes = if rest.is_empty() { 0 } else { digits(rest, 2, 2)? };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_by_its_format() {
        for (text, format, date) in [
            ("02/01/2024", "%d/%m/%Y", Some("2024-01-02")),
            ("2/1/24", "%d/%m/%y", Some("2024-01-02")),
            ("01-02-71", "%d-%m-%y", Some("1971-02-01")),
            ("20240229", "%Y%m%d", Some("2024-02-29")),
            ("2 février 2024", "csvd:%d %b %Y", Some("2024-02-02")),
            ("31st Dec. 2022", "csvd:%d %b %Y", Some("2022-12-31")),
            ("15 AOÛT 1985", "csvd:%d %b %Y", Some("1985-08-15")),
            ("1815-06-18", "%Y-%m-%d", Some("1815-06-18")),
            ("29/02/2023", "%d/%m/%Y", None),
            ("13/13/2023", "%d/%m/%Y", None),
            ("2024-01-02x", "%Y-%m-%d", None),
            ("", "%Y-%m-%d", None),
            ("é", "%Y", None),
        ] {
            assert_eq!(Moment::parse(text, format).map(Moment::date).as_deref(), date, "{text} {format}");
        }
    }

    #[test]
    fn a_time_with_a_zone_is_converted_to_utc() {
        for (text, format, moment) in [
            ("2024-01-02 01:30:15", "%Y-%m-%d %H:%M:%S", "2024-01-02T01:30:15"),
            ("2024-01-02T01:30:15.120", "csvd:%Y-%m-%dT%H:%M:%S[.%f]", "2024-01-02T01:30:15.12"),
            ("2024-01-02T01:30:15", "csvd:%Y-%m-%dT%H:%M:%S[.%f]", "2024-01-02T01:30:15"),
            ("2024-01-01T00:30:00+02:00", "%Y-%m-%dT%H:%M:%S%z", "2023-12-31T22:30:00+00:00"),
            ("2024-02-28T23:30:00-0100", "%Y-%m-%dT%H:%M:%S%z", "2024-02-29T00:30:00+00:00"),
            ("2024-12-31T23:30:00Z", "%Y-%m-%dT%H:%M:%S%z", "2024-12-31T23:30:00+00:00"),
            ("2024-07-01 12:00 CEST", "csvd:%Y-%m-%d %H:%M %Z", "2024-07-01T10:00:00+00:00"),
            ("06/12/2022 11:00:15 PM", "csvd:%d/%m/%Y %I:%M:%S %p", "2022-12-06T23:00:15"),
            ("06/12/2022 12:00:15 a.m.", "csvd:%d/%m/%Y %I:%M:%S %p", "2022-12-06T00:00:15"),
        ] {
            assert_eq!(Moment::parse(text, format).unwrap().datetime(), moment, "{text} {format}");
        }
        assert_eq!(Moment::iso("2024-01-02 01:30").unwrap().datetime(), "2024-01-02T01:30:00");
        assert_eq!(Moment::iso("2024-01-02T01:30:05.5+01:00").unwrap().datetime(), "2024-01-02T00:30:05.5+00:00");
        assert_eq!(Moment::iso("2 mars 2024"), None);
    }
}
