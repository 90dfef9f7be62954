//! What people do around a data set: the order of its resources, extras, and counts of what a search has found.

use serde_json::{Map, Value, json};

use super::call::{Call, HandlerResult, message};
use super::catalogue::Dataset;
use super::fields::{Fields, text};
use super::state::Platform;
use crate::response::Reply;
use crate::sort::{sort_by, sort_by_key};

impl Platform {
    /// The body names all resources, in their new order.
    pub(super) fn reorder(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.find_to_change(call)?;
        let body = call.received.json();
        let wanted: Vec<&str> =
            body.as_array().into_iter().flatten().filter_map(|entry| entry["id"].as_str()).collect();
        let resources = &mut self.catalogue.datasets[index].resources;
        if wanted.len() != resources.len() || resources.iter().any(|known| !wanted.contains(&known.id.as_str())) {
            let (given, all) = (wanted.len(), resources.len());
            return Err(message(400, &format!("All resources must be reordered, you provided {given} out of {all}")));
        }
        sort_by_key(resources, false, |known| wanted.iter().position(|id| *id == known.id));
        let shown: Value = resources.iter().map(|resource| json!(resource.fields)).collect();
        Ok(Reply::json(200, &shown))
    }

    /// The extras of a dataset, or of a resource where the path has one.
    pub(super) fn extras(&mut self, call: &Call<'_>) -> HandlerResult {
        let reads = call.received.method == "GET";
        let index = if reads { self.find(call)? } else { self.find_to_change(call)? };
        let fields: &mut Fields = if call.capture("rid").is_empty() {
            &mut self.catalogue.datasets[index].fields
        } else {
            let resource = self.find_resource(call, index)?;
            &mut self.catalogue.datasets[index].resources[resource].fields
        };
        let extras = fields.entry("extras").or_insert_with(|| json!({}));
        let Some(extras) = extras.as_object_mut() else { return Err(message(500, "Internal Server Error")) };
        match (call.received.method.as_str(), call.received.json()) {
            ("PUT", Value::Object(body)) => {
                for (key, value) in body {
                    if value.is_null() {
                        extras.remove(&key);
                    } else {
                        extras.insert(key, value);
                    }
                }
            }
            ("DELETE", Value::Array(keys)) => {
                let of_resource = !call.capture("rid").is_empty();
                for key in keys.iter().filter_map(Value::as_str) {
                    // Removing an absent extra of a dataset is no error.
                    if extras.remove(key).is_none() && of_resource {
                        return Err(message(404, "Key not found in existing extras"));
                    }
                }
                return Ok(Reply::empty(204));
            }
            _ => {}
        }
        Ok(Reply::json(200, &json!(extras)))
    }
}

/// The facets of a search: values with the number of datasets that have them, the most frequent first.
pub(super) fn facets(found: &[&Dataset]) -> Value {
    let of_dataset = |name: &'static str| {
        move |dataset: &Dataset| match &dataset.fields[name] {
            Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Value::String(value) => vec![value.clone()],
            _ => Vec::new(),
        }
    };
    let formats =
        |dataset: &Dataset| dataset.resources.iter().map(|one| text(&one.fields, "format").to_owned()).collect();
    json!({
        "tag": counted(found, of_dataset("tags")), "license": counted(found, of_dataset("license")),
        "organization": counted(found, |dataset| dataset.organization.clone().into_iter().collect()), "format": counted(found, formats)
    })
}

fn counted(found: &[&Dataset], values: impl Fn(&Dataset) -> Vec<String>) -> Value {
    let mut counts: Map<String, Value> = Map::new();
    for value in found.iter().flat_map(|dataset| values(dataset)) {
        let count = counts.entry(value).or_insert_with(|| json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
    }
    let mut counts: Vec<(String, u64)> =
        counts.into_iter().map(|(value, count)| (value, count.as_u64().unwrap_or(0))).collect();
    sort_by(&mut counts, |one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts.into_iter().map(|(value, count)| json!({"name": value, "count": count})).collect()
}
