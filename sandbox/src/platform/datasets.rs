//! The operations of both main APIs on datasets and their resources.

use serde_json::{Map, Value, json};

use super::call::{Call, HandlerResult, message};
use super::catalogue::{Dataset, Resource, default_fields};
use super::class::Class;
use super::fields::{Fields, date_time, plain, reference, tags, text};
use super::object_operations::named;
use super::state::{Deleted, Platform};
use super::views::spatial;
use crate::Api;
use crate::api::base;
use crate::client::User;
use crate::file::Files;
use crate::response::Reply;
use crate::server_error::{NOT_FOUND, ServerError};
use crate::sort::sort_by_key;

pub(super) const BADGES: [&str; 6] = ["hvd", "inspire", "pivotal-data", "sl", "spd", "sr"];

const TRANSFER: &str = "Impossible de modifier le propriétaire après la création. Veuillez utiliser la fonctionnalité \
                        de transfert.";

const BADGE_NAMES: [&str; 6] = [
    "Données de forte valeur",
    "INSPIRE",
    "Données pivot",
    "Séries statistiques labellisées",
    "Service public de la donnée de référence",
    "Séries statistiques reconnues d’intérêt général",
];

impl Platform {
    pub(super) fn handle_main(&mut self, call: &Call<'_>, files: &mut Files) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_datasets" => self.list_of(call, Class::Dataset),
            "get_dataset" => self.get(call),
            "create_dataset" => self.create(call),
            "update_dataset" => self.update(call),
            "delete_dataset" => self.delete(call),
            "create_resource" => self.create_resource(call),
            "get_resource" => self.get_resource(call),
            "update_resource" => self.update_resource(call),
            "delete_resource" => self.delete_resource(call),
            "redirect_resource" => self.redirect(call),
            "update_resources" => self.reorder(call),
            "upload_new_dataset_resource" => self.upload_new(call, files),
            "upload_dataset_resource" => self.upload_again(call, files),
            "feature_dataset" | "unfeature_dataset" => self.feature_dataset(call),
            "available_dataset_badges" => named(&BADGES, &BADGE_NAMES),
            "add_dataset_badge" | "delete_dataset_badge" => self.badge_of_dataset(call),
            "list_dataset_followers" | "follow_dataset" | "unfollow_dataset" => self.followers(call, Class::Dataset),
            "suggest_datasets" => self.suggest_datasets(call),
            _ => return self.respond_on_community_resources(call, files).or_else(|| self.respond_on_objects(call)),
        })
    }

    /// What is neither a dataset nor a resource.
    fn respond_on_objects(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        self.respond_on_organizations(call)
            .or_else(|| self.respond_on_reuses(call))
            .or_else(|| self.respond_on_dataservices(call))
            .or_else(|| self.respond_on_topics(call))
            .or_else(|| self.respond_on_users(call))
            .or_else(|| self.respond_on_discussions(call))
            .or_else(|| self.respond_on_contact_points(call))
            .or_else(|| self.respond_on_posts(call))
            .or_else(|| self.respond_on_tokens(call))
            .or_else(|| self.respond_on_exports(call))
            .or_else(|| self.respond_on_feeds(call))
            .or_else(|| Self::respond_on_vocabularies(call))
    }

    pub(super) fn handle_main_v2(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_datasets" | "search_datasets" => self.list_of(call, Class::Dataset),
            "get_dataset" => self.get(call),
            "list_resources" => self.list_resources(call),
            "get_resource" => self.get_resource_of_any(call),
            "get_dataset_extras"
            | "update_dataset_extras"
            | "delete_dataset_extras"
            | "get_resource_extras"
            | "update_resource_extras"
            | "delete_resource_extras" => self.extras(call),
            _ => return self.respond_on_objects(call),
        })
    }

    /// The index of the dataset that the path names.
    pub(super) fn find(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let index = self.catalogue.dataset(call.capture("dataset"));
        let index = index.ok_or_else(|| message(404, NOT_FOUND))?;
        let dataset = &self.catalogue.datasets[index];
        match &dataset.deleted {
            _ if self.catalogue.community.sees_hidden(call.user(), dataset.owned()) => Ok(index),
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
            None if self.catalogue.community.edits(Some(user), dataset.owned()) => Ok(index),
            None => Err(ServerError::forbidden().reply(call.api)),
        }
    }

    pub(super) fn find_resource(&self, call: &Call<'_>, dataset: usize) -> Result<usize, Reply> {
        let id = call.capture("rid");
        let resources = &self.catalogue.datasets[dataset].resources;
        let index = resources.iter().position(|resource| resource.id == id);
        index.ok_or_else(|| message(404, "Resource does not exist"))
    }

    fn shown(&self, call: &Call<'_>, status: u16, index: usize) -> HandlerResult {
        let dataset = &self.catalogue.datasets[index];
        Ok(Reply::json(status, &self.catalogue.show(dataset, call.api, call.user())))
    }

    fn get(&self, call: &Call<'_>) -> HandlerResult {
        self.shown(call, 200, self.find(call)?)
    }

    fn create(&mut self, call: &Call<'_>) -> HandlerResult {
        let (user, body) = (call.signed_in()?, call.received.json());
        let mut fields = default_fields();
        let (owner, organization) = self.owners_of(&body, user)?;
        Self::write(&mut fields, &body)?;
        let slug = self.catalogue.free_slug(text(&fields, "title"));
        let mut dataset = Dataset { slug, owner, organization, ..self.catalogue.new_dataset(fields) };
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
            let dataset = &self.catalogue.datasets[*index];
            self.catalogue.community.edits(call.user(), dataset.owned()) && body.get("deleted") == Some(&Value::Null)
        }) {
            self.catalogue.datasets[index].deleted = None;
        }
        let index = self.find_to_change(call)?;
        let mut fields = self.catalogue.datasets[index].fields.clone();
        for name in ["tags", "temporal_coverage"] {
            fields.insert(name.to_owned(), default_fields()[name].clone());
        }
        Self::write(&mut fields, &body)?;
        self.change_owner(index, &body, call)?;
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

    fn write(fields: &mut Fields, body: &Value) -> Result<(), Reply> {
        let defaults = default_fields();
        for (name, default) in &defaults {
            match body.get(name) {
                // What is empty is as if it were left out.
                Some(Value::Null) if matches!(name.as_str(), "spatial" | "license") => None,
                Some(value) if name == "spatial" && value.as_object().is_some_and(Map::is_empty) => None,
                Some(Value::Null) => fields.insert(name.clone(), default.clone()),
                Some(value) if name == "spatial" => fields.insert(name.clone(), spatial(value)),
                Some(value) if name == "temporal_coverage" => fields.insert(name.clone(), days(value)),
                Some(value) if name == "tags" => fields.insert(name.clone(), tags(value)),
                Some(value) if matches!(name.as_str(), "frequency_date" | "archived") => {
                    fields.insert(name.clone(), date_time(value))
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

    /// Owner and organization of a new dataset.
    pub(super) fn owners_of(&self, body: &Value, user: User) -> Result<(Option<String>, Option<String>), Reply> {
        let written = |name: &str| body.get(name).filter(|value| !value.is_null()).and_then(reference);
        if let Some(id) = written("organization") {
            let community = &self.catalogue.community;
            if community.get(Class::Organization, id).is_none() {
                return Err(refused("organization", "Organization n'existe pas"));
            }
            return match community.belongs(Some(user), id) {
                true => Ok((None, Some(id.to_owned()))),
                false => Err(refused("organization", "Permission refusée pour cette organisation")),
            };
        }
        match written("owner") {
            Some(id) if id != user.id() && user != User::Admin => {
                Err(refused("owner", "Vous ne pouvez définir que vous-même en tant que propriétaire"))
            }
            id => Ok((Some(id.unwrap_or(user.id()).to_owned()), None)),
        }
    }

    /// After its creation, only sysadmins give a dataset to somebody else without a transfer.
    fn change_owner(&mut self, index: usize, body: &Value, call: &Call<'_>) -> Result<(), Reply> {
        let user = call.signed_in()?;
        let dataset = &self.catalogue.datasets[index];
        let changed = [("organization", &dataset.organization), ("owner", &dataset.owner)].into_iter().find_map(
            |(name, current)| {
                let wanted = body.get(name).and_then(reference)?;
                (current.as_deref() != Some(wanted)).then_some((name, wanted))
            },
        );
        let Some((name, wanted)) = changed else { return Ok(()) };
        if user != User::Admin {
            return Err(refused(name, TRANSFER));
        }
        let (owner, organization) = self.owners_of(&json!({name: wanted}), user)?;
        let dataset = &mut self.catalogue.datasets[index];
        (dataset.owner, dataset.organization) = (owner, organization);
        Ok(())
    }

    fn feature_dataset(&mut self, call: &Call<'_>) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.find(call)?;
        let dataset = &mut self.catalogue.datasets[index];
        dataset.fields.insert("featured".to_owned(), json!(call.received.method == "POST"));
        self.shown(call, 200, index)
    }

    fn badge_of_dataset(&mut self, call: &Call<'_>) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.find(call)?;
        Self::badge(call, Class::Dataset, &mut self.catalogue.datasets[index].badges, &BADGES)
    }

    fn suggest_datasets(&self, call: &Call<'_>) -> HandlerResult {
        let wanted = call.query("q").unwrap_or_default().to_lowercase();
        let size = call.query("size").and_then(|size| size.parse().ok()).unwrap_or(10);
        let holds = |dataset: &&Dataset| {
            let of = |name: &str| text(&dataset.fields, name).to_lowercase().contains(&wanted);
            dataset.is_visible() && (of("title") || of("acronym"))
        };
        let mut found: Vec<&Dataset> = self.catalogue.datasets.iter().rev().filter(holds).collect();
        sort_by_key(&mut found, true, |dataset| self.catalogue.community.followers(&dataset.id).count());
        let shown = found.into_iter().take(size).map(|dataset| {
            json!({
                "id": dataset.id, "title": dataset.fields["title"], "acronym": dataset.fields["acronym"],
                "slug": dataset.slug, "image_url": null,
                "page": format!("{}/datasets/{}", self.catalogue.origin, dataset.slug)
            })
        });
        Ok(Reply::json(200, &shown.collect()))
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
        let errors = required(&body, &["title", "url"]);
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
        let id = call.capture("rid");
        if let Some(one) = self.catalogue.community_resources.iter().find(|one| one.resource.id == id) {
            return Ok(Reply::json(200, &json!({"resource": one.resource.fields, "dataset_id": one.dataset})));
        }
        let (dataset, resource) = self.catalogue.resource(id).ok_or_else(|| message(404, "Resource does not exist"))?;
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
        Ok(Reply::json(200, &self.page(call, &found, |resource| json!(resource.fields))?))
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

/// The response to an invalid form.
fn refused(field: &str, reason: &str) -> Reply {
    Reply::json(400, &json!({"errors": {field: [reason]}}))
}

/// The errors of the fields of a form that are empty.
pub(super) fn required(body: &Value, names: &[&str]) -> Map<String, Value> {
    let empty = names.iter().filter(|name| body[**name].as_str().is_none_or(str::is_empty));
    empty.map(|name| ((*name).to_owned(), json!(["Ce champ est requis."]))).collect()
}

/// The fields of a resource that a client may write.
pub(super) fn write_resource(resource: &mut Resource, body: &Value) {
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

/// A temporal coverage as it is read back: of a date and time the date is kept.
fn days(coverage: &Value) -> Value {
    let mut coverage = coverage.clone();
    for end in coverage.as_object_mut().into_iter().flat_map(|ends| ends.values_mut()) {
        if let Some(day) = end.as_str().and_then(|text| text.get(..10)) {
            *end = json!(day);
        }
    }
    coverage
}

/// The URL of a resource in the tabular API.
pub(super) fn tabular_url(origin: &str, id: &str) -> String {
    format!("{origin}{}/api/resources/{id}/", base(Api::Tabular))
}
