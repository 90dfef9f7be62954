//! The operations on organizations themselves; those on their members are in `memberships`.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, message, not_found, unimplemented};
use super::class::Class;
use super::object_operations::named;
use super::state::Platform;
use super::views::ROLES;
use crate::response::Reply;
use crate::server_error::ServerError;

pub(super) const BADGES: [&str; 5] = ["association", "certified", "company", "local-authority", "public-service"];

/// The operations on organizations.
pub(super) const MAIN: [&str; 21] = [
    "list_organizations",
    "create_organization",
    "get_organization",
    "update_organization",
    "delete_organization",
    "suggest_organizations",
    "available_organization_badges",
    "add_organization_badge",
    "delete_organization_badge",
    "org_roles",
    "list_organization_followers",
    "follow_organization",
    "unfollow_organization",
    "list_organization_datasets",
    "list_organization_reuses",
    "list_organization_discussions",
    "list_membership_requests",
    "post_membership_request",
    "accept_membership",
    "refuse_membership",
    "cancel_membership",
];

impl Platform {
    pub(super) fn respond_on_organizations(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        const CLASS: Class = Class::Organization;
        Some(match call.operation_id {
            "list_organizations" | "search_organizations" => self.list_of(call, CLASS),
            "create_organization" => self.create_organization(call),
            "get_organization" => self.get_object(call, CLASS),
            "update_organization" => {
                self.update_object(call, CLASS).and_then(|index| self.shown_object(call, 200, index))
            }
            "delete_organization" => self.delete_object(call, CLASS),
            "suggest_organizations" => self.suggest(call, CLASS),
            "available_organization_badges" => named(
                &BADGES,
                &["Association", "Certifié", "Entreprise", "Collectivité territoriale", "Service Public"],
            ),
            "add_organization_badge" | "delete_organization_badge" => self.badge_of(call, CLASS, &BADGES),
            "org_roles" => {
                let roles: Value = ROLES
                    .iter()
                    .map(|(id, label, description)| json!({"id": id, "label": label, "description": description}))
                    .collect();
                Ok(Reply::json(200, &roles))
            }
            "list_organization_followers" | "follow_organization" | "unfollow_organization" => {
                self.followers(call, CLASS)
            }
            "list_organization_datasets" => self.datasets_of_organization(call),
            "list_organization_reuses" => self.reuses_of_organization(call),
            "list_organization_discussions" => self.discussions_of_organization(call),
            "get_organization_extras" | "update_organization_extras" | "delete_organization_extras" => {
                self.extras_of_organization(call)
            }
            _ => return self.respond_on_memberships(call),
        })
    }

    /// Who creates an organization has the rights of its administrator from the next call on.
    fn create_organization(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.create_object(call, Class::Organization)?;
        let viewer = call.user().filter(|user| *user == crate::client::User::Admin);
        let object = self.object(index);
        let mut shown = self.catalogue.show_object(object, call.api, call.user());
        let all = viewer.is_some();
        shown["permissions"] = json!({"delete": all, "edit": all, "harvest": all, "members": all, "private": all});
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("presentation_blocs");
        }
        Ok(Reply::json(201, &shown))
    }

    /// All datasets of an organization, the deleted ones too; the private ones for its members.
    fn datasets_of_organization(&self, call: &Call<'_>) -> HandlerResult {
        // The real catalogue reads the filters of this list, and does nothing with them.
        let extra = call
            .received
            .query_pairs
            .iter()
            .find(|(name, _)| !matches!(name.as_str(), "page" | "page_size" | "sort" | "lang"));
        if let Some((name, _)) = extra {
            return Err(unimplemented(&format!("the filter `{name}` of `{}`", call.operation_id)));
        }
        let id = self.object(self.place(call, Class::Organization)?).id.clone();
        let (user, community) = (call.user(), &self.catalogue.community);
        let belongs = community.belongs(user, &id);
        let mut found: Vec<_> = self
            .catalogue
            .datasets
            .iter()
            .filter(|dataset| dataset.organization.as_deref() == Some(&*id) && (belongs || !dataset.is_private()))
            .map(super::entries::Entry::Dataset)
            .collect();
        self.catalogue.sort(&mut found, Class::Dataset, call);
        let page = self.page(call, &found, |entry| self.catalogue.show_entry(*entry, call.api, call.user()))?;
        Ok(Reply::json(200, &page))
    }

    fn reuses_of_organization(&self, call: &Call<'_>) -> HandlerResult {
        let id = self.object(self.place(call, Class::Organization)?).id.as_str();
        let (user, community) = (call.user(), &self.catalogue.community);
        let belongs = community.belongs(user, id);
        let reuses = community.of(Class::Reuse).rev();
        let found =
            reuses.filter(|reuse| reuse.organization.as_deref() == Some(id) && (belongs || !reuse.is_private()));
        let shown: Value = found.map(|reuse| self.catalogue.show_object(reuse, call.api, user)).collect();
        Ok(Reply::json(200, &shown))
    }

    /// The discussions about the datasets and reuses of an organization, the newest first.
    fn discussions_of_organization(&self, call: &Call<'_>) -> HandlerResult {
        let id = self.object(self.place(call, Class::Organization)?).id.as_str();
        let of = |class: Class, subject: &str| {
            let owned = self.catalogue.owned(class, subject);
            owned.is_some_and(|owned| owned.organization == Some(id))
        };
        let found = self.catalogue.discussions.iter().rev().filter(|discussion| {
            let subject = discussion["subject"]["id"].as_str().unwrap_or_default();
            of(Class::Dataset, subject) || of(Class::Reuse, subject)
        });
        let shown: Value = found.map(|discussion| self.catalogue.discussion_seen_by(discussion, call.user())).collect();
        Ok(Reply::json(200, &shown))
    }

    fn extras_of_organization(&mut self, call: &Call<'_>) -> HandlerResult {
        let reads = call.received.method == "GET";
        if !reads {
            call.signed_in()?;
        }
        let index = self.place(call, Class::Organization)?;
        if self.object(index).deleted.is_some() {
            return Err(message(410, "Organization has been deleted"));
        }
        if !reads && !self.catalogue.community.administers(call.user(), &self.object(index).id) {
            return Err(ServerError::forbidden().reply(call.api));
        }
        let extras = self.object_mut(index).fields.get_mut("extras").and_then(Value::as_object_mut);
        let extras = extras.ok_or_else(not_found)?;
        match call.received.json() {
            Value::Object(body) => {
                for (key, value) in body {
                    if value.is_null() {
                        extras.remove(&key);
                    } else {
                        extras.insert(key, value);
                    }
                }
            }
            Value::Array(keys) => {
                for key in keys.iter().filter_map(Value::as_str) {
                    extras.remove(key);
                }
                return Ok(Reply::empty(204));
            }
            _ => {}
        }
        Ok(Reply::json(200, &json!(extras)))
    }
}
