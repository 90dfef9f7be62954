//! The operations on reuses.

use serde_json::json;

use super::call::{Call, HandlerResult, message, not_found};
use super::class::Class;
use super::object_operations::labelled;
use super::properties::{TOPICS, TYPES};
use super::state::Platform;
use crate::response::Reply;

const TYPE_LABELS: [&str; 8] =
    ["API", "Application", "Idée", "Article de presse", "Papier", "Article de blog", "Visualisation", "Objet connecté"];

const TOPIC_LABELS: [&str; 15] = [
    "Santé",
    "Transports et mobilité",
    "Aménagement du territoire et logement",
    "Alimentation et agriculture",
    "Culture et loisirs",
    "Économie et entreprise",
    "Environnement et énergie",
    "Emploi et formation",
    "Politique et vie publique",
    "Sécurité",
    "Éducation et recherche",
    "Société et démographie",
    "Droit et justice",
    "Outils open data",
    "Autres",
];

pub(super) const MAIN: [&str; 18] = [
    "list_reuses",
    "create_reuse",
    "get_reuse",
    "update_reuse",
    "delete_reuse",
    "reuse_add_dataset",
    "reuse_add_dataservice",
    "feature_reuse",
    "unfeature_reuse",
    "available_reuse_badges",
    "add_reuse_badge",
    "delete_reuse_badge",
    "list_reuse_followers",
    "follow_reuse",
    "unfollow_reuse",
    "suggest_reuses",
    "reuse_types",
    "reuse_topics",
];

impl Platform {
    pub(super) fn respond_on_reuses(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        const CLASS: Class = Class::Reuse;
        Some(match call.operation_id {
            "list_reuses" | "search_reuses" => self.list_of(call, CLASS),
            "create_reuse" => self.create_object(call, CLASS).and_then(|index| self.shown_object(call, 201, index)),
            "get_reuse" => self.get_object(call, CLASS),
            "update_reuse" => self.update_object(call, CLASS).and_then(|index| self.shown_object(call, 200, index)),
            "delete_reuse" => self.delete_object(call, CLASS),
            "reuse_add_dataset" => self.add_to_reuse(call, Class::Dataset),
            "reuse_add_dataservice" => self.add_to_reuse(call, Class::Dataservice),
            "feature_reuse" | "unfeature_reuse" => self.feature(call, CLASS),
            "available_reuse_badges" => Ok(Reply::json(200, &json!({}))),
            "add_reuse_badge" | "delete_reuse_badge" => self.badge_of(call, CLASS, &[]),
            "list_reuse_followers" | "follow_reuse" | "unfollow_reuse" => self.followers(call, CLASS),
            "suggest_reuses" => self.suggest(call, CLASS),
            "reuse_types" => labelled(&TYPES, &TYPE_LABELS),
            "reuse_topics" => labelled(&TOPICS, &TOPIC_LABELS),
            _ => return None,
        })
    }

    fn add_to_reuse(&mut self, call: &Call<'_>, class: Class) -> HandlerResult {
        let index = self.place_to_change(call, Class::Reuse)?;
        let body = call.received.json();
        let Some(id) = body["id"].as_str() else {
            let what = if class == Class::Dataset { "dataset" } else { "dataservice" };
            return Err(message(400, &format!("Expect a {what} identifier")));
        };
        self.catalogue.owned(class, id).ok_or_else(not_found)?;
        let now = self.catalogue.now();
        let reuse = self.object_mut(index);
        let used = if class == Class::Dataset { &mut reuse.datasets } else { &mut reuse.dataservices };
        let known = used.iter().any(|used| used == id);
        if !known {
            used.push(id.to_owned());
            reuse.modified = now;
        }
        self.shown_object(call, if known { 200 } else { 201 }, index)
    }
}
