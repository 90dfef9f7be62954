//! What is announced of an operation, a parameter or a property: when it goes, and how stable it is.

use std::cmp::Ordering;

use serde_json::Value;

use super::change::Direction;
use super::rules::{self, Pair, Rule};
use super::values::display;

/// A change of what is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    SunsetAdded,
    SunsetEarlier,
    SunsetLater,
    SunsetRemoved,
    SunsetInvalid,
    LessStable,
    MoreStable,
    StabilityInvalid,
}

impl Announcement {
    /// The rule for an operation.
    pub fn of_operation(self) -> &'static Rule {
        match self {
            Self::SunsetAdded => &rules::SUNSET_ADDED,
            Self::SunsetEarlier => &rules::SUNSET_EARLIER,
            Self::SunsetLater => &rules::SUNSET_LATER,
            Self::SunsetRemoved => &rules::SUNSET_REMOVED,
            Self::LessStable => &rules::LESS_STABLE,
            Self::MoreStable => &rules::MORE_STABLE,
            Self::SunsetInvalid => &rules::SUNSET_INVALID,
            Self::StabilityInvalid => &rules::STABILITY_INVALID,
        }
    }

    /// The rule for a parameter or a property.
    pub fn of_value(self, direction: Direction) -> &'static Rule {
        let pair: &'static Pair = match self {
            Self::SunsetAdded => &rules::VALUE_SUNSET_ADDED,
            Self::SunsetEarlier => &rules::VALUE_SUNSET_EARLIER,
            Self::SunsetLater => &rules::VALUE_SUNSET_LATER,
            Self::SunsetRemoved => &rules::VALUE_SUNSET_REMOVED,
            Self::LessStable => &rules::VALUE_LESS_STABLE,
            Self::MoreStable => &rules::VALUE_MORE_STABLE,
            Self::SunsetInvalid | Self::StabilityInvalid => return self.of_operation(),
        };
        pair.on(direction)
    }
}

/// Compares the values of an extension; the text is a predicate.
pub type Compare = fn(Option<&Value>, Option<&Value>) -> Option<(Announcement, String)>;

/// Compares the dates of `x-sunset`; the text is a predicate.
pub fn sunset(old: Option<&Value>, new: Option<&Value>) -> Option<(Announcement, String)> {
    if old == new {
        return None;
    }
    let date = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| is_date(text)).map(str::to_owned);
    if let Some(new) = new.filter(|new| date(Some(new)).is_none()) {
        return Some((Announcement::SunsetInvalid, format!("goes on {}, which is no date", display(new))));
    }
    // ISO 8601 dates compare as strings.
    match (date(old), date(new)) {
        (None, Some(is)) => Some((Announcement::SunsetAdded, format!("goes on {is}"))),
        (Some(was), Some(is)) if is < was => {
            Some((Announcement::SunsetEarlier, format!("goes on {is}, not as late as {was}")))
        }
        (Some(was), Some(is)) if is > was => {
            Some((Announcement::SunsetLater, format!("goes on {is}, not as early as {was}")))
        }
        (_, None) => {
            let was = old.and_then(Value::as_str).unwrap_or_default();
            Some((Announcement::SunsetRemoved, format!("has no longer a date to go; it was {was}")))
        }
        _ => None,
    }
}

/// Whether a text begins with a date of ISO 8601.
fn is_date(text: &str) -> bool {
    text.get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok())
        && text.get(10..).is_none_or(|rest| rest.is_empty() || rest.starts_with('T'))
}

/// The levels of stability, the lowest first.
const STABILITY: [&str; 4] = ["draft", "alpha", "beta", "stable"];

/// Compares the levels of `x-stability-level`, which are `stable` where they are absent; the text is a predicate.
pub fn stability(old: Option<&Value>, new: Option<&Value>) -> Option<(Announcement, String)> {
    if old == new {
        return None;
    }
    let level = |value: Option<&Value>| match value {
        Some(value) => STABILITY.iter().position(|known| value.as_str() == Some(known)),
        None => Some(STABILITY.len() - 1),
    };
    let Some(is) = level(new) else {
        let text = format!("is promised {}, which is no stability", new.map(display).unwrap_or_default());
        return Some((Announcement::StabilityInvalid, text));
    };
    // What is none promises nothing.
    let was = level(old).unwrap_or_default();
    let name = |level: usize| STABILITY.get(level).copied().unwrap_or_default();
    let text = || format!("is {}, no longer {}", name(is), old.and_then(Value::as_str).unwrap_or("stable"));
    match is.cmp(&was) {
        Ordering::Less => Some((Announcement::LessStable, text())),
        Ordering::Greater => Some((Announcement::MoreStable, text())),
        Ordering::Equal => None,
    }
}
