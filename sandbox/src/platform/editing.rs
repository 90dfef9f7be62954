//! The order of resources, extras, discussions, and the facets of a search.

use serde_json::{Map, Value, json};

use super::catalogue::{Dataset, Fields};
use super::datasets::text;
use super::{Call, HandlerResult, Platform, message};
use crate::Api;
use crate::client::User;
use crate::response::Reply;
use crate::state::base;

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
        resources.sort_by_key(|known| wanted.iter().position(|id| *id == known.id));
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

    pub(super) fn start_discussion(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let (body, now) = (call.received.json(), self.catalogue.now());
        let made = format!("6514cd34ef56ab7890{:06x}", self.catalogue.changes());
        let id = self.catalogue.new_id(made);
        let extras = if body["extras"].is_object() { body["extras"].clone() } else { json!({}) };
        let discussion = json!({
            "id": id, "title": body["title"], "subject": body["subject"], "extras": extras, "created": now,
            "discussion": [comment(&body, &id, 0, &now, user)], "user": person(user), "organization": null,
            "closed": null, "closed_by": null, "closed_by_organization": null,
            "permissions": {"close": true, "delete": true, "edit": true},
            "url": format!("{}{}/discussions/{id}/", self.catalogue.origin, base(Api::Main)),
            "self_web_url": format!("{}/discussions/{id}", self.catalogue.origin)
        });
        self.discussions.push(discussion.clone());
        Ok(Reply::json(201, &seen_by(&discussion, Some(user))))
    }

    fn find_discussion(&mut self, call: &Call<'_>) -> Result<&mut Value, Reply> {
        let id = call.capture("id");
        let found = self.discussions.iter_mut().find(|discussion| discussion["id"] == *id);
        found.ok_or_else(|| message(404, "Discussion does not exist"))
    }

    pub(super) fn get_discussion(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.user();
        Ok(Reply::json(200, &seen_by(self.find_discussion(call)?, user)))
    }

    /// Adds a comment, closes the discussion, or both.
    pub(super) fn comment_discussion(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let (body, now) = (call.received.json(), self.catalogue.now());
        let discussion = self.find_discussion(call)?;
        if !discussion["closed"].is_null() {
            return Err(message(403, "Can't add comments on a closed discussion"));
        }
        let id = discussion["id"].as_str().unwrap_or_default().to_owned();
        if let (true, Some(comments)) = (body["comment"].is_string(), discussion["discussion"].as_array_mut()) {
            comments.push(comment(&body, &id, comments.len(), &now, user));
        }
        if body["close"] == true {
            discussion["closed"] = json!(now);
            discussion["closed_by"] = person(user);
        }
        Ok(Reply::json(200, &seen_by(discussion, Some(user))))
    }
}

fn comment(body: &Value, discussion: &str, index: usize, now: &str, user: User) -> Value {
    json!({
        "id": format!("{}-0000-4000-8000-{index:012x}", discussion.get(16..).unwrap_or_default()),
        "content": body["comment"], "posted_by": person(user), "posted_by_organization": null, "posted_on": now,
        "last_modified_at": null, "permissions": {"delete": true, "edit": true}
    })
}

/// A user as other users see them.
pub(super) fn person(user: User) -> Value {
    let (id, first, last, slug) = match user {
        User::Stranger => ("5f43ab12cd34ef5678ab9102", "Claude", "Passage", "claude-passage"),
        _ => ("5f43ab12cd34ef5678ab9101", "Camille", "Démonstration", "camille-demonstration"),
    };
    json!({
        "class": "User", "id": id, "first_name": first, "last_name": last, "slug": slug, "avatar": null,
        "avatar_thumbnail": null, "deleted": null, "page": format!("https://example.org/users/{slug}"),
        "uri": format!("https://example.org/api/1/users/{slug}/")
    })
}

/// A discussion as a user sees it; its author may edit it.
fn seen_by(discussion: &Value, user: Option<User>) -> Value {
    let mut seen = discussion.clone();
    let may = |author: &Value| user.is_some_and(|user| user == User::Editor || person(user)["id"] == author["id"]);
    let edit = may(&discussion["user"]);
    seen["permissions"] = json!({"close": edit, "delete": edit, "edit": edit});
    for comment in seen["discussion"].as_array_mut().into_iter().flatten() {
        let edit = may(&comment["posted_by"]);
        comment["permissions"] = json!({"delete": edit, "edit": edit});
    }
    seen
}

/// The facets of a search: values with the number of datasets that have them, the most frequent first.
pub(super) fn facets(found: &[&Dataset]) -> Value {
    let of_dataset = |name: &'static str| {
        move |dataset: &Dataset| match &dataset.fields[name] {
            Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Value::String(value) => vec![value.clone()],
            Value::Object(object) => vec![text(object, "id").to_owned()],
            _ => Vec::new(),
        }
    };
    let formats =
        |dataset: &Dataset| dataset.resources.iter().map(|one| text(&one.fields, "format").to_owned()).collect();
    json!({
        "tag": counted(found, of_dataset("tags")), "license": counted(found, of_dataset("license")),
        "organization": counted(found, of_dataset("organization")), "format": counted(found, formats)
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
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts.into_iter().map(|(value, count)| json!({"name": value, "count": count})).collect()
}
