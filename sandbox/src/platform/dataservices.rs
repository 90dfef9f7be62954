//! The operations on dataservices.

use serde_json::json;

use super::call::{Call, HandlerResult, message};
use super::class::Class;
use super::fields::is_id;
use super::state::Platform;
use crate::response::Reply;

pub(super) const MAIN: [&str; 13] = [
    "list_dataservices",
    "create_dataservice",
    "get_dataservice",
    "update_dataservice",
    "delete_dataservice",
    "dataservice_datasets_create",
    "delete_dataservice_dataset",
    "feature_dataservice",
    "unfeature_dataservice",
    "list_dataservice_followers",
    "follow_dataservice",
    "unfollow_dataservice",
    "suggest_dataservices",
];

impl Platform {
    pub(super) fn respond_on_dataservices(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        const CLASS: Class = Class::Dataservice;
        Some(match call.operation_id {
            "list_dataservices" | "search_dataservices" => self.list_of(call, CLASS),
            "create_dataservice" => {
                self.create_object(call, CLASS).and_then(|index| self.shown_service(call, 201, index))
            }
            "get_dataservice" => self.get_object(call, CLASS),
            "update_dataservice" => {
                self.update_object(call, CLASS).and_then(|index| self.shown_service(call, 200, index))
            }
            "delete_dataservice" => self.delete_object(call, CLASS),
            "dataservice_datasets_create" => self.add_to_service(call),
            "delete_dataservice_dataset" => self.remove_from_service(call),
            "feature_dataservice" | "unfeature_dataservice" => self.feature(call, CLASS),
            "list_dataservice_followers" | "follow_dataservice" | "unfollow_dataservice" => self.followers(call, CLASS),
            "suggest_dataservices" => self.suggest(call, CLASS),
            _ => return None,
        })
    }

    /// A dataservice that was written: only one of restricted access has audiences.
    fn shown_service(&mut self, call: &Call<'_>, status: u16, index: usize) -> HandlerResult {
        let fields = &mut self.object_mut(index).fields;
        if fields["access_type"] != "restricted" {
            fields.insert("access_audiences".to_owned(), json!([]));
        }
        self.shown_object(call, status, index)
    }

    fn add_to_service(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.place_to_change(call, Class::Dataservice)?;
        let body = call.received.json();
        let ids: Vec<&str> = body.as_array().into_iter().flatten().filter_map(|one| one["id"].as_str()).collect();
        if ids.is_empty() || body.as_array().is_some_and(|list| list.len() != ids.len()) {
            return Err(message(400, "Expecting a list of dicts with id attribute"));
        }
        if ids.iter().any(|id| !is_id(id)) {
            return Err(message(400, "Malformed object id(s) in request"));
        }
        let used = &self.object(index).datasets;
        let there = |id: &&&str| self.catalogue.owned(Class::Dataset, id).is_some();
        let new = ids.iter().filter(there).filter(|id| !used.iter().any(|used| used == *id));
        let new: Vec<String> = new.map(|id| (*id).to_owned()).collect();
        if !new.is_empty() {
            let now = self.catalogue.now();
            let service = self.object_mut(index);
            service.datasets.extend(new);
            service.modified = now;
        }
        self.shown_object(call, 201, index)
    }

    fn remove_from_service(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.place_to_change(call, Class::Dataservice)?;
        let dataset = self.catalogue.dataset(call.capture("dataset"));
        let dataset = dataset.map(|index| self.catalogue.datasets[index].id.clone());
        let dataset = dataset.ok_or_else(super::call::not_found)?;
        let now = self.catalogue.now();
        let service = self.object_mut(index);
        let position = service.datasets.iter().position(|used| *used == dataset);
        let position = position.ok_or_else(|| message(404, "Dataset not found in dataservice"))?;
        service.datasets.remove(position);
        service.modified = now;
        Ok(Reply::empty(204))
    }
}
