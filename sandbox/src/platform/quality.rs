//! How good the metadata of a dataset are.

use serde_json::{Value, json};

use super::catalogue::{Catalogue, Dataset, Resource};
use super::fields::text;
use super::timestamp::read_timestamp;
use super::vocabularies::minutes;

/// Formats that are not open.
const CLOSED: [&str; 7] = ["pdf", "doc", "docx", "word", "xls", "excel", "xlsx"];

/// The criteria of the score.
const CRITERIA: f64 = 9.0;

impl Catalogue {
    /// The criteria that a dataset meets, and its score: their part of all.
    pub(super) fn quality(&self, dataset: &Dataset) -> Value {
        let (fields, resources) = (&dataset.fields, &dataset.resources);
        let frequency = text(fields, "frequency");
        let mut quality = json!({
            "license": fields["license"] != "notspecified", "temporal_coverage": !fields["temporal_coverage"].is_null(),
            "spatial": !fields["spatial"].is_null(), "update_frequency": frequency != "unknown",
            "dataset_description_quality": text(fields, "description").chars().count() > 100
        });
        if frequency != "unknown" {
            quality["update_fulfilled_in_time"] = json!(self.is_in_time(&dataset.last_modified, frequency));
        }
        if !resources.is_empty() {
            let is_open = |one: &Resource| {
                let format = text(&one.fields, "format").to_lowercase();
                !format.is_empty() && !CLOSED.contains(&format.as_str())
            };
            let is_there =
                |one: &Resource| one.fields["filetype"] != "remote" || one.fields["extras"]["check:available"] != false;
            let documents =
                |one: &Resource| one.fields["type"] == "documentation" || !text(&one.fields, "description").is_empty();
            quality["has_open_format"] = json!(resources.iter().any(is_open));
            quality["all_resources_available"] = json!(resources.iter().all(is_there));
            quality["resources_documentation"] = json!(resources.iter().any(documents));
        }
        let met = quality.as_object().into_iter().flat_map(|all| all.values()).filter(|is_met| **is_met == true);
        let met = u32::try_from(met.count()).map_or(0.0, f64::from);
        quality["score"] = json!(met / CRITERIA);
        if !resources.is_empty() {
            quality["has_resources"] = json!(true);
        }
        quality
    }

    /// Whether a dataset was changed as often as its frequency says, give or take a day.
    fn is_in_time(&self, modified: &str, frequency: &str) -> bool {
        const MINUTE: i64 = 60_000_000;
        const DAY: i64 = 24 * 60 * MINUTE;
        let at = |text: &str| read_timestamp(text, true).unwrap_or_default();
        minutes(frequency).is_none_or(|period| at(&self.time()) - at(modified) <= period * MINUTE + DAY)
    }
}
