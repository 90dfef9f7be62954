//! Tables of measurements.

use serde_json::{Value, json};

use super::measure::median;

/// The unit of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Bytes,
    BytesPerSecond,
    Count,
}

/// The limit for a ratio, or for a value without a baseline.
#[derive(Debug, Clone, Copy)]
pub enum Threshold {
    AtMost(f64),
    AtLeast(f64),
}

/// A line of a table.
#[derive(Debug)]
pub struct Row {
    label: String,
    unit: Unit,
    ours: f64,
    baseline: Option<Baseline>,
    threshold: Option<Threshold>,
}

#[derive(Debug)]
struct Baseline {
    name: String,
    value: f64,
    /// The ratio of each round; the median is compared with the threshold.
    ratios: Vec<f64>,
}

impl Row {
    /// A value without a baseline.
    pub fn single(label: impl Into<String>, unit: Unit, ours: f64) -> Self {
        Self { label: label.into(), unit, ours, baseline: None, threshold: None }
    }

    /// The medians of two series, and their ratio round by round.
    pub fn ratio(label: impl Into<String>, unit: Unit, ours: &[f64], name: &str, value: &[f64]) -> Self {
        let ratios = ours.iter().zip(value).map(|(ours, value)| ours / value).collect();
        let baseline = Baseline { name: name.to_owned(), value: median(value.iter().copied()), ratios };
        Self { baseline: Some(baseline), ..Self::single(label, unit, median(ours.iter().copied())) }
    }

    /// Sets the threshold.
    #[must_use]
    pub fn threshold(self, threshold: Threshold) -> Self {
        Self { threshold: Some(threshold), ..self }
    }

    /// The value that is compared with the threshold.
    fn compared_value(&self) -> f64 {
        self.baseline.as_ref().map_or(self.ours, |baseline| median(baseline.ratios.iter().copied()))
    }

    fn is_met(&self) -> Option<bool> {
        self.threshold.map(|threshold| match threshold {
            Threshold::AtMost(limit) => self.compared_value() <= limit,
            Threshold::AtLeast(limit) => self.compared_value() >= limit,
        })
    }

    fn cells(&self) -> [String; 7] {
        let (name, value, ratio, range) = match &self.baseline {
            Some(baseline) => {
                let (least, most) = range(&baseline.ratios);
                let ratio = significant(self.compared_value());
                (
                    baseline.name.clone(),
                    quantity(self.unit, baseline.value),
                    ratio,
                    format!("{}–{}", significant(least), significant(most)),
                )
            }
            None => Default::default(),
        };
        let of_ratio =
            |limit: f64| if self.baseline.is_some() { significant(limit) } else { quantity(self.unit, limit) };
        let threshold = match (self.threshold, self.is_met()) {
            (Some(Threshold::AtMost(limit)), Some(is_met)) => format!("≤ {}: {}", of_ratio(limit), verdict(is_met)),
            (Some(Threshold::AtLeast(limit)), Some(is_met)) => format!("≥ {}: {}", of_ratio(limit), verdict(is_met)),
            _ => String::new(),
        };
        [self.label.clone(), quantity(self.unit, self.ours), name, value, ratio, range, threshold]
    }

    fn json(&self) -> Value {
        let baseline = self.baseline.as_ref().map(|baseline| {
            json!({"whom": baseline.name, "value": baseline.value, "ratio": self.compared_value(), "ratios": baseline.ratios})
        });
        let threshold = self.threshold.map(|threshold| match threshold {
            Threshold::AtMost(limit) => json!({"at_most": limit}),
            Threshold::AtLeast(limit) => json!({"at_least": limit}),
        });
        let unit = match self.unit {
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
            Unit::BytesPerSecond => "bytes per second",
            Unit::Count => "count",
        };
        json!({
            "what": self.label, "unit": unit, "value": self.ours, "against": baseline, "wanted": threshold,
            "reached": self.is_met(),
        })
    }
}

/// A table with notes.
#[derive(Debug)]
pub struct Table {
    pub title: String,
    pub rows: Vec<Row>,
    pub notes: Vec<String>,
}

impl Table {
    /// The table in Markdown.
    pub fn text(&self) -> String {
        const HEAD: [&str; 7] = ["what", "ours", "against", "theirs", "ratio", "of the rounds", "wanted"];
        let lines: Vec<[String; 7]> =
            std::iter::once(HEAD.map(str::to_owned)).chain(self.rows.iter().map(Row::cells)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
        let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
        let mut text = format!("## {}\n\n", self.title);
        for (index, line) in lines.iter().enumerate() {
            let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
            if index == 0 {
                let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                text.push_str(&format!("| {} |\n", rules.join(" | ")));
            }
        }
        for note in &self.notes {
            text.push_str(&format!("\n{note}\n"));
        }
        text
    }

    pub fn json(&self) -> Value {
        json!({"title": self.title, "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(), "notes": self.notes})
    }
}

/// The server's share of CPU time, in each run of ours.
pub fn shares_of_server(shares: &[f64]) -> String {
    let shares: Vec<String> = shares.iter().map(|share| format!("{:.0} %", share * 100.0)).collect();
    format!("The server's share of the processors' time while ours ran, of all that both took: {}.", shares.join(", "))
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "reached" } else { "not reached" }
}

fn range(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    (least, values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// A number with three significant digits, or all digits of its integer part.
fn significant(value: f64) -> String {
    let decimals = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

fn quantity(unit: Unit, value: f64) -> String {
    let of_bytes = |value: f64| match value.abs() {
        size if size >= 1e9 => format!("{} GB", significant(value / 1e9)),
        size if size >= 1e6 => format!("{} MB", significant(value / 1e6)),
        _ => format!("{} kB", significant(value / 1e3)),
    };
    match unit {
        Unit::Seconds if value.abs() < 1.0 => format!("{} ms", significant(value * 1e3)),
        Unit::Seconds => format!("{} s", significant(value)),
        Unit::Bytes => of_bytes(value),
        Unit::BytesPerSecond => format!("{}/s", of_bytes(value)),
        Unit::Count if value.abs() >= 1e6 => format!("{} million", significant(value / 1e6)),
        Unit::Count => significant(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_that_of_each_round_and_not_of_the_medians() {
        // The machine was slow in the second round, for both.
        let row = Row::ratio("x", Unit::Seconds, &[1.0, 10.0, 1.5], "y", &[2.0, 20.0, 2.0]);
        let cells = row.threshold(Threshold::AtMost(0.5)).cells();
        assert_eq!(
            cells[1..],
            ["1.50 s", "y", "2.00 s", "0.500", "0.500–0.750", "≤ 0.500: reached"].map(str::to_owned)
        );
    }

    #[test]
    fn a_value_without_a_baseline_is_compared_itself() {
        let row = Row::single("x", Unit::Bytes, 31e6).threshold(Threshold::AtMost(30e6));
        assert_eq!(row.cells()[6], "≤ 30.0 MB: not reached");
        assert_eq!(row.json()["reached"], false);
    }

    #[test]
    fn quantities_have_units_and_three_significant_digits() {
        assert_eq!(quantity(Unit::Seconds, 0.012_34), "12.3 ms");
        assert_eq!(quantity(Unit::Count, 12_345_678.0), "12.3 million");
        assert_eq!(quantity(Unit::Count, 25.0), "25.0");
        assert_eq!(quantity(Unit::BytesPerSecond, 1.5e9), "1.50 GB/s");
    }
}
