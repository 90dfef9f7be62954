//! Community resources: files that others add to a dataset.

use serde_json::{Map, Value, json};

use super::call::{Call, HandlerResult, message, not_found};
use super::catalogue::{Catalogue, CommunityResource, Content};
use super::class::Class;
use super::datasets::{required, write_resource};
use super::fields::{is_id, reference, text};
use super::state::Platform;
use super::uploads::{Upload, part_is_stored, uploaded};
use crate::client::User;
use crate::file::Files;
use crate::response::Reply;
use crate::server_error::ServerError;
use crate::sort::sort_by_key;

pub(super) const MAIN: [&str; 8] = [
    "list_community_resources",
    "create_community_resource",
    "retrieve_community_resource",
    "update_community_resource",
    "delete_community_resource",
    "upload_new_community_resource",
    "upload_community_resource",
    "my_org_community_resources",
];

impl Catalogue {
    pub(crate) fn community_resources_of<'a>(
        &'a self,
        dataset: &'a str,
    ) -> impl Iterator<Item = &'a CommunityResource> + 'a {
        self.community_resources.iter().rev().filter(move |one| one.dataset == dataset)
    }

    pub(crate) fn show_community_resource(&self, one: &CommunityResource, viewer: Option<User>) -> Value {
        let mut shown = one.resource.fields.clone();
        let may_edit = self.community.edits(viewer, one.owned());
        let dataset = self.datasets.iter().find(|dataset| dataset.id == one.dataset);
        let dataset = dataset.map(|dataset| {
            json!({
                "class": "Dataset", "id": dataset.id, "title": dataset.fields["title"],
                "acronym": dataset.fields["acronym"], "page": format!("{}/datasets/{}", self.origin, dataset.slug),
                "uri": self.api_url(Class::Dataset, &dataset.slug)
            })
        });
        let known = json!({
            "dataset": dataset, "owner": self.user_ref(one.owner.as_deref()),
            "organization": self.organization_ref(one.organization.as_deref(), viewer),
            "permissions": {"delete": may_edit, "edit": may_edit}
        });
        shown.extend(known.as_object().cloned().unwrap_or_default());
        Value::Object(shown)
    }
}

impl Platform {
    pub(super) fn respond_on_community_resources(
        &mut self,
        call: &Call<'_>,
        files: &mut Files,
    ) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_community_resources" => self.list_community_resources(call),
            "my_org_community_resources" => self.my_community_resources(call),
            "create_community_resource" => self.create_community_resource(call),
            "retrieve_community_resource" => {
                self.community_resource(call).map(|index| self.shown_community_resource(call, 200, index))
            }
            "update_community_resource" => self.update_community_resource(call),
            "delete_community_resource" => self.delete_community_resource(call),
            "upload_new_community_resource" => self.upload_new_community_resource(call, files),
            "upload_community_resource" => self.upload_community_resource(call, files),
            _ => return None,
        })
    }

    fn community_resource(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let id = call.capture("community");
        self.catalogue.community_resources.iter().position(|one| one.resource.id == id).ok_or_else(not_found)
    }

    fn community_resource_to_change(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let user = call.signed_in()?;
        let index = self.community_resource(call)?;
        match self.catalogue.community.edits(Some(user), self.catalogue.community_resources[index].owned()) {
            true => Ok(index),
            false => Err(ServerError::forbidden().reply(call.api)),
        }
    }

    fn shown_community_resource(&self, call: &Call<'_>, status: u16, index: usize) -> Reply {
        let one = &self.catalogue.community_resources[index];
        Reply::json(status, &self.catalogue.show_community_resource(one, call.user()))
    }

    fn list_community_resources(&self, call: &Call<'_>) -> HandlerResult {
        let mut found: Vec<&CommunityResource> = self.catalogue.community_resources.iter().rev().collect();
        for name in ["dataset", "organization", "owner"] {
            let Some(wanted) = call.query(name).filter(|wanted| !wanted.is_empty()) else { continue };
            if !is_id(wanted) {
                let text = format!(
                    "'{wanted}' is not a valid ObjectId, it must be a 12-byte input or a 24-character hex string"
                );
                return Err(Reply::json(400, &json!({"errors": {}, "message": text})));
            }
            found.retain(|one| match name {
                "dataset" => one.dataset == wanted,
                "organization" => one.organization.as_deref() == Some(wanted),
                _ => one.owner.as_deref() == Some(wanted),
            });
        }
        let sort = call.query("sort").unwrap_or("-created_at_internal");
        let (key, descends) = sort.strip_prefix('-').map_or((sort, false), |key| (key, true));
        sort_by_key(&mut found, descends, |one| {
            let fields = &one.resource.fields;
            let internal = fields["internal"].get(key).and_then(Value::as_str);
            internal.unwrap_or_else(|| text(fields, key)).to_owned()
        });
        let shown = self.page(call, &found, |one| self.catalogue.show_community_resource(one, call.user()))?;
        Ok(Reply::json(200, &shown))
    }

    fn my_community_resources(&self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let wanted = call.query("q").unwrap_or_default().to_lowercase();
        let mine = self.catalogue.community_resources.iter().rev().filter(|one| {
            self.catalogue.community.owns(Some(user), one.owned())
                && text(&one.resource.fields, "title").to_lowercase().contains(&wanted)
        });
        let shown = mine.map(|one| self.catalogue.show_community_resource(one, Some(user)));
        Ok(Reply::json(200, &shown.collect()))
    }

    fn create_community_resource(&mut self, call: &Call<'_>) -> HandlerResult {
        let (user, body) = (call.signed_in()?, call.received.json());
        let Some(dataset) = body.get("dataset").and_then(reference) else {
            return Err(Reply::json(400, &json!({"errors": {"dataset": "A dataset identifier is required"}})));
        };
        let mut errors: Map<String, Value> = required(&body, &["title", "url"]);
        if !self.catalogue.datasets.iter().any(|one| one.id == dataset) {
            errors.insert("dataset".to_owned(), json!(["Dataset n'existe pas"]));
        }
        if !errors.is_empty() {
            return Err(Reply::json(400, &json!({"errors": errors})));
        }
        let (owner, organization) = self.owners_of(&body, user)?;
        let mut resource = self.new_resource("");
        resource.fields.insert("type".to_owned(), json!("other"));
        write_resource(&mut resource, &body);
        let dataset = dataset.to_owned();
        self.catalogue.community_resources.push(CommunityResource { resource, dataset, owner, organization });
        Ok(self.shown_community_resource(call, 201, self.catalogue.community_resources.len() - 1))
    }

    fn update_community_resource(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.community_resource_to_change(call)?;
        let now = self.catalogue.now();
        let resource = &mut self.catalogue.community_resources[index].resource;
        write_resource(resource, &call.received.json());
        resource.touch(&now);
        Ok(self.shown_community_resource(call, 200, index))
    }

    fn delete_community_resource(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.community_resource_to_change(call)?;
        self.catalogue.community_resources.remove(index);
        Ok(Reply::empty(204))
    }

    fn upload_new_community_resource(&mut self, call: &Call<'_>, files: &mut Files) -> HandlerResult {
        let user = call.signed_in()?;
        let dataset = self.find(call)?;
        let Upload::File { name, data } = self.receive(call)? else { return Ok(part_is_stored()) };
        let mut resource = self.new_resource(&name);
        let (id, folder) = {
            let dataset = &self.catalogue.datasets[dataset];
            (dataset.id.clone(), dataset.slug.clone())
        };
        self.catalogue.store(&mut resource, &folder, &name, Content::new(data), files);
        let owner = Some(user.id().to_owned());
        let made = CommunityResource { resource, dataset: id, owner, organization: None };
        self.catalogue.community_resources.push(made);
        self.uploaded_community_resource(call, 201, self.catalogue.community_resources.len() - 1)
    }

    fn upload_community_resource(&mut self, call: &Call<'_>, files: &mut Files) -> HandlerResult {
        let index = self.community_resource_to_change(call)?;
        let Upload::File { name, data } = self.receive(call)? else { return Ok(part_is_stored()) };
        let mut one = self.catalogue.community_resources.remove(index);
        let folder = self.catalogue.datasets.iter().find(|dataset| dataset.id == one.dataset);
        let folder = folder.map_or_else(String::new, |dataset| dataset.slug.clone());
        self.catalogue.store(&mut one.resource, &folder, &name, Content::new(data), files);
        self.catalogue.community_resources.insert(index, one);
        self.uploaded_community_resource(call, 200, index)
    }

    fn uploaded_community_resource(&self, call: &Call<'_>, status: u16, index: usize) -> HandlerResult {
        let shown = self.catalogue.show_community_resource(&self.catalogue.community_resources[index], call.user());
        match shown {
            Value::Object(shown) => Ok(Reply::json(status, &uploaded(&shown))),
            _ => Err(message(500, "Internal Server Error")),
        }
    }
}
