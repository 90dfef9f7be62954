//! The operations of both main APIs on datasets and their resources.

use serde_json::{Map, Value, json};

use super::catalogue::{Dataset, Fields, Resource, default_fields, plain};
use super::editing::{facets, person};
use super::{Call, Deleted, HandlerResult, Platform, message};
use crate::Api;
use crate::client::User;
use crate::response::Reply;
use crate::server_error::{NOT_FOUND, ServerError};
use crate::state::{Files, base};

impl Platform {
    pub(super) fn handle_main(&mut self, call: &Call<'_>, files: &mut Files) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_datasets" => self.list(call),
            "get_dataset" => self.get(call),
            "create_dataset" => self.create(call),
            "update_dataset" => self.update(call),
            "delete_dataset" => self.delete(call),
            "create_resource" => self.create_resource(call),
            "get_resource" => self.get_resource(call),
            "update_resource" => self.update_resource(call),
            "delete_resource" => self.delete_resource(call),
            "redirect_resource" => self.redirect(call),
            "get_site_datasets_csv" => Ok(self.export_datasets(call)),
            "update_resources" => self.reorder(call),
            "create_discussion" => self.start_discussion(call),
            "get_discussion" => self.get_discussion(call),
            "comment_discussion" => self.comment_discussion(call),
            "upload_new_dataset_resource" => self.upload_new(call, files),
            "upload_dataset_resource" => self.upload_again(call, files),
            _ => return None,
        })
    }

    pub(super) fn handle_main_v2(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_datasets" | "search_datasets" => self.list(call),
            "get_dataset" => self.get(call),
            "list_resources" => self.list_resources(call),
            "get_resource" => self.get_resource_of_any(call),
            "get_dataset_extras"
            | "update_dataset_extras"
            | "delete_dataset_extras"
            | "get_resource_extras"
            | "update_resource_extras"
            | "delete_resource_extras" => self.extras(call),
            _ => return None,
        })
    }

    /// The index of the dataset that the path names.
    pub(super) fn find(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let index = self.catalogue.dataset(call.capture("dataset"));
        let index = index.ok_or_else(|| message(404, NOT_FOUND))?;
        let dataset = &self.catalogue.datasets[index];
        match &dataset.deleted {
            _ if dataset.may_edit(call.user()) => Ok(index),
            Some(_) => Err(message(410, "Dataset has been deleted")),
            None if dataset.is_private() => Err(message(404, NOT_FOUND)),
            None => Ok(index),
        }
    }

    /// As [`Self::find`], for a change, which needs a key.
    pub(super) fn find_to_change(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let user = call.signed_in()?;
        let index = self.catalogue.dataset(call.capture("dataset")).ok_or_else(|| message(404, NOT_FOUND))?;
        let dataset = &self.catalogue.datasets[index];
        match &dataset.deleted {
            Some(_) => Err(message(410, "Dataset has been deleted")),
            None if dataset.may_edit(Some(user)) => Ok(index),
            None => Err(ServerError::forbidden().reply(call.api)),
        }
    }

    pub(super) fn find_resource(&self, call: &Call<'_>, dataset: usize) -> Result<usize, Reply> {
        let id = call.capture("rid");
        let resources = &self.catalogue.datasets[dataset].resources;
        let index = resources.iter().position(|resource| resource.id == id);
        index.ok_or_else(|| message(404, "Resource does not exist"))
    }

    fn list(&self, call: &Call<'_>) -> HandlerResult {
        let mut found: Vec<&Dataset> =
            self.catalogue.datasets.iter().filter(|dataset| matches(dataset, call)).collect();
        if let Some(sort) = call.query("sort") {
            let (name, descends) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
            found.sort_by_cached_key(|dataset| match name {
                "title" => plain(text(&dataset.fields, "title")),
                "created" => dataset.created_at.clone(),
                "last_update" => dataset.last_modified.clone(),
                _ => String::new(),
            });
            if descends {
                found.reverse();
            }
        }
        let mut page = self.page(call, &found, false, |dataset| {
            self.catalogue.show(dataset, call.api, dataset.may_edit(call.user()))
        })?;
        if call.operation_id == "search_datasets" {
            page["facets"] = facets(&found);
        }
        Ok(Reply::json(200, &page))
    }

    fn page<T>(
        &self,
        call: &Call<'_>,
        items: &[T],
        beyond_is_empty: bool,
        show: impl Fn(&T) -> Value,
    ) -> Result<Value, Reply> {
        let number = |name: &str, default: usize| match call.query(name).map(str::parse::<usize>) {
            None => Ok(default),
            Some(Ok(number)) if number > 0 => Ok(number),
            Some(_) => {
                let errors = json!({name: "The page to fetch is not a valid integer"});
                Err(Reply::json(400, &json!({"errors": errors, "message": "Input payload validation failed"})))
            }
        };
        let (page, size, total) = (number("page", 1)?, number("page_size", 20)?, items.len());
        let before = (page - 1).saturating_mul(size);
        // The limit of Elasticsearch.
        if call.operation_id == "search_datasets" && before.saturating_add(size) > 10_000 {
            return Err(message(400, "Pagination is limited to the first 10000 results"));
        }
        if before >= total && page > 1 && !beyond_is_empty {
            return Err(message(404, "The requested page does not exist."));
        }
        let link = |page: usize| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(call.received.query_pairs.iter().filter(|(key, _)| key != "page"));
            query.append_pair("page", &page.to_string());
            format!("{}{}?{}", self.catalogue.origin, call.received.path, query.finish())
        };
        let next = (before.saturating_add(size) < total).then(|| link(page + 1));
        let previous = (page > 1).then(|| link(page - 1));
        let data: Vec<Value> = items.iter().skip(before).take(size).map(show).collect();
        Ok(json!({
            "data": data, "page": page, "page_size": size, "total": total,
            "next_page": next, "previous_page": previous
        }))
    }

    fn shown(&self, call: &Call<'_>, status: u16, index: usize) -> HandlerResult {
        let dataset = &self.catalogue.datasets[index];
        Ok(Reply::json(status, &self.catalogue.show(dataset, call.api, dataset.may_edit(call.user()))))
    }

    fn get(&self, call: &Call<'_>) -> HandlerResult {
        self.shown(call, 200, self.find(call)?)
    }

    fn create(&mut self, call: &Call<'_>) -> HandlerResult {
        call.signed_in()?;
        let (user, body) = (call.user().unwrap_or(User::Editor), call.received.json());
        let mut fields = default_fields();
        self.write(&mut fields, &body)?;
        if fields["organization"].is_null() {
            fields.insert("owner".to_owned(), person(user));
        }
        let slug = self.catalogue.free_slug(text(&fields, "title"));
        let mut dataset = Dataset { slug, creator: user, ..self.catalogue.new_dataset(fields) };
        for entry in body["resources"].as_array().into_iter().flatten() {
            let mut resource = self.new_resource("");
            write_resource(&mut resource, entry);
            dataset.resources.push(resource);
        }
        self.catalogue.datasets.push(dataset);
        self.shown(call, 201, self.catalogue.datasets.len() - 1)
    }

    /// A partial body keeps the properties that it leaves out, except tags and temporal coverage, which it empties.
    /// `deleted: null` restores a deleted dataset.
    fn update(&mut self, call: &Call<'_>) -> HandlerResult {
        let body = call.received.json();
        let restored = self.catalogue.dataset(call.capture("dataset"));
        if let Some(index) = restored.filter(|index| {
            self.catalogue.datasets[*index].may_edit(call.user()) && body.get("deleted") == Some(&Value::Null)
        }) {
            self.catalogue.datasets[index].deleted = None;
        }
        let index = self.find_to_change(call)?;
        let mut fields = self.catalogue.datasets[index].fields.clone();
        for name in ["tags", "temporal_coverage"] {
            fields.insert(name.to_owned(), default_fields()[name].clone());
        }
        self.write(&mut fields, &body)?;
        self.write_resources(index, body.get("resources"));
        let now = self.catalogue.now();
        let renamed = text(&fields, "title") != text(&self.catalogue.datasets[index].fields, "title");
        let slug = self.catalogue.free_slug(text(&fields, "title"));
        let dataset = &mut self.catalogue.datasets[index];
        if renamed {
            dataset.old_slugs.push(std::mem::replace(&mut dataset.slug, slug));
        }
        dataset.fields = fields;
        dataset.last_modified = now;
        self.shown(call, 200, index)
    }

    /// An entry with the id of a resource changes it, one without adds one, those left out are removed; an
    /// empty list changes nothing.
    fn write_resources(&mut self, index: usize, entries: Option<&Value>) {
        let entries = entries.and_then(Value::as_array).filter(|entries| !entries.is_empty());
        for entry in entries.into_iter().flatten() {
            let known = self.catalogue.datasets[index].resources.iter().position(|known| entry["id"] == known.id);
            let mut resource = match known {
                Some(position) => self.catalogue.datasets[index].resources.remove(position),
                None => self.new_resource(""),
            };
            write_resource(&mut resource, entry);
            self.catalogue.datasets[index].resources.push(resource);
        }
        // Each entry was moved to the end in its turn: the resources before them have no entry.
        let named = entries.map_or(usize::MAX, Vec::len);
        let resources = &mut self.catalogue.datasets[index].resources;
        resources.drain(..resources.len().saturating_sub(named));
    }

    fn write(&self, fields: &mut Fields, body: &Value) -> Result<(), Reply> {
        let defaults = default_fields();
        for (name, default) in &defaults {
            match body.get(name) {
                Some(Value::Null) => fields.insert(name.clone(), default.clone()),
                Some(value) if name == "organization" => {
                    let id = value.get("id").unwrap_or(value);
                    let known = (0..2).map(|index| self.catalogue.organization(index));
                    let found = known.into_iter().find(|known| known["id"] == *id);
                    let found = found.ok_or_else(|| refused("organization", "Unknown organization"))?;
                    fields.insert(name.clone(), found)
                }
                Some(value) => fields.insert(name.clone(), value.clone()),
                None => None,
            };
        }
        for name in ["acronym", "description_short"] {
            if text(fields, name).is_empty() {
                fields.insert(name.to_owned(), Value::Null);
            }
        }
        let mut errors = Map::new();
        for name in ["title", "description"].into_iter().filter(|name| text(fields, name).trim().is_empty()) {
            errors.insert(name.to_owned(), json!(["Ce champ est requis."]));
        }
        let tags = fields["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let lengths: Vec<usize> = tags.map(|tag| tag.chars().count()).collect();
        if lengths.iter().any(|length| !(3..=96).contains(length)) {
            errors.insert("tags".to_owned(), json!(["Le mot-clé doit avoir entre 3 et 96 caractères"]));
        }
        if errors.is_empty() { Ok(()) } else { Err(Reply::json(400, &json!({"errors": errors}))) }
    }

    fn delete(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.find_to_change(call)?;
        let now = self.catalogue.now();
        let dataset = &mut self.catalogue.datasets[index];
        dataset.deleted = Some(now.clone());
        let deleted = dataset.resources.iter().map(|resource| Deleted {
            resource: resource.id.clone(),
            when: now.clone(),
            dataset: Some(dataset.id.clone()),
        });
        self.deleted_resources.extend(deleted);
        Ok(Reply::empty(204))
    }

    fn create_resource(&mut self, call: &Call<'_>) -> HandlerResult {
        let dataset = self.find_to_change(call)?;
        let body = call.received.json();
        if body["filetype"] == "file" {
            return Err(message(400, "This endpoint only supports remote resources"));
        }
        let mut errors = Map::new();
        for name in ["title", "url"].into_iter().filter(|name| body[*name].as_str().is_none_or(str::is_empty)) {
            errors.insert(name.to_owned(), json!(["Ce champ est requis."]));
        }
        if !errors.is_empty() {
            return Err(Reply::json(400, &json!({"errors": errors})));
        }
        let mut resource = self.new_resource("");
        write_resource(&mut resource, &body);
        let shown = Value::Object(resource.fields.clone());
        self.catalogue.datasets[dataset].resources.insert(0, resource);
        Ok(Reply::json(201, &shown))
    }

    pub(super) fn new_resource(&mut self, title: &str) -> Resource {
        let number = self.catalogue.changes() + 1;
        let id = self.catalogue.new_id(format!("{number:08x}-5d3c-4b2a-9e8f-7a6b5c4d3e2f"));
        self.catalogue.new_resource(id, title)
    }

    fn get_resource(&self, call: &Call<'_>) -> HandlerResult {
        let dataset = self.find(call)?;
        let resource = self.find_resource(call, dataset)?;
        Ok(Reply::json(200, &json!(self.catalogue.datasets[dataset].resources[resource].fields)))
    }

    fn get_resource_of_any(&self, call: &Call<'_>) -> HandlerResult {
        let (dataset, resource) =
            self.catalogue.resource(call.capture("rid")).ok_or_else(|| message(404, "Resource does not exist"))?;
        Ok(Reply::json(200, &json!({"resource": resource.fields, "dataset_id": dataset.id})))
    }

    fn list_resources(&self, call: &Call<'_>) -> HandlerResult {
        let dataset = &self.catalogue.datasets[self.find(call)?];
        let wanted = call.query("q").map(plain);
        let resources = dataset.resources.iter().filter(|resource| {
            let title = plain(text(&resource.fields, "title"));
            wanted.as_ref().is_none_or(|wanted| title.contains(wanted))
                && call.query("type").is_none_or(|kind| kind == text(&resource.fields, "type"))
        });
        let found: Vec<&Resource> = resources.collect();
        Ok(Reply::json(200, &self.page(call, &found, true, |resource| json!(resource.fields))?))
    }

    fn update_resource(&mut self, call: &Call<'_>) -> HandlerResult {
        let dataset = self.find_to_change(call)?;
        let index = self.find_resource(call, dataset)?;
        let now = self.catalogue.now();
        let resource = &mut self.catalogue.datasets[dataset].resources[index];
        write_resource(resource, &call.received.json());
        resource.touch(&now);
        Ok(Reply::json(200, &json!(resource.fields)))
    }

    fn delete_resource(&mut self, call: &Call<'_>) -> HandlerResult {
        let dataset = self.find_to_change(call)?;
        let index = self.find_resource(call, dataset)?;
        let when = self.catalogue.now();
        let dataset = &mut self.catalogue.datasets[dataset];
        let resource = dataset.resources.remove(index).id;
        self.deleted_resources.push(Deleted { resource, when, dataset: Some(dataset.id.clone()) });
        Ok(Reply::empty(204))
    }

    fn redirect(&self, call: &Call<'_>) -> HandlerResult {
        let found = self.catalogue.resource(call.capture("id"));
        let (_, resource) = found.ok_or_else(|| message(404, "Resource not found"))?;
        Ok(Reply::empty(302).with_header("location", text(&resource.fields, "url")))
    }
}

pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The response to an invalid form.
fn refused(field: &str, reason: &str) -> Reply {
    Reply::json(400, &json!({"errors": {field: [reason]}}))
}

/// The fields of a resource that a client may write.
fn write_resource(resource: &mut Resource, body: &Value) {
    for name in [
        "title",
        "description",
        "type",
        "filetype",
        "format",
        "mime",
        "filesize",
        "checksum",
        "url",
        "extras",
        "schema",
    ] {
        if let Some(value) = body.get(name) {
            resource.fields.insert(name.to_owned(), value.clone());
        }
    }
}

pub(super) fn matches(dataset: &Dataset, call: &Call<'_>) -> bool {
    let fields = &dataset.fields;
    let tags: Vec<&str> = fields["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let organization = &fields["organization"];
    let text_of_all = || {
        let organization = organization["name"].as_str().unwrap_or_default();
        plain(&format!("{} {} {} {organization}", text(fields, "title"), text(fields, "description"), tags.join(" ")))
    };
    let hidden = dataset.is_private() && !(call.query("private") == Some("true") && dataset.may_edit(call.user()));
    dataset.deleted.is_none()
        && !hidden
        && call.received.query_pairs.iter().all(|(key, wanted)| match key.as_str() {
            "q" => {
                let all = text_of_all();
                plain(wanted).split_whitespace().all(|word| all.contains(word))
            }
            "tag" => tags.contains(&wanted.as_str()),
            "organization" => organization["id"] == **wanted || organization["slug"] == **wanted,
            "license" => text(fields, "license") == wanted,
            "featured" => fields["featured"] == (wanted == "true"),
            "format" => dataset.resources.iter().any(|resource| text(&resource.fields, "format") == wanted),
            _ => true,
        })
}

/// The URL of a resource in the tabular API.
pub(super) fn tabular_url(origin: &str, id: &str) -> String {
    format!("{origin}{}/api/resources/{id}/", base(Api::Tabular))
}
