//! The operations on users, and on what is the user's of a key.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, message};
use super::class::Class;
use super::entries::Entry;
use super::objects::Object;
use super::state::Platform;
use super::writing::wrong;
use crate::response::Reply;
use crate::sort::sort_by_key;

pub(super) const MAIN: [&str; 16] = [
    "list_users",
    "create_user",
    "get_user",
    "update_user",
    "delete_user",
    "rotate_user_password",
    "suggest_users",
    "user_roles",
    "list_user_followers",
    "follow_user",
    "unfollow_user",
    "get_me",
    "update_me",
    "my_datasets",
    "my_reuses",
    "my_metrics",
];

/// What the organizations of the user of a key have beside.
pub(super) const OF_ORGANIZATIONS: [&str; 3] = ["my_org_datasets", "my_org_reuses", "my_org_discussions"];

impl Platform {
    pub(super) fn respond_on_users(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        const CLASS: Class = Class::User;
        Some(match call.operation_id {
            "list_users" => call.by_sysadmin().and_then(|_| self.list_of(call, CLASS)),
            "create_user" => self.create_user(call),
            "get_user" => self.get_object(call, CLASS),
            "update_user" => self.update_user(call),
            "delete_user" => self.delete_user(call),
            "rotate_user_password" => self.rotate_password(call),
            "suggest_users" => self.suggest(call, CLASS),
            "user_roles" => Ok(Reply::json(200, &json!([{"name": "admin"}]))),
            "list_user_followers" | "follow_user" | "unfollow_user" => self.followers(call, CLASS),
            "get_me" => self.me(call).and_then(|index| self.shown_object(call, 200, index)),
            "update_me" => self.update_me(call),
            "my_datasets" | "my_org_datasets" => self.my(call, Class::Dataset),
            "my_reuses" | "my_org_reuses" => self.my(call, Class::Reuse),
            "my_org_discussions" => self.my_discussions(call),
            "my_metrics" => self.my_metrics(call),
            _ => return None,
        })
    }

    /// The place of the user of the key.
    fn me(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let id = call.signed_in()?.id();
        self.catalogue.community.position(Class::User, id).ok_or_else(super::call::not_found)
    }

    /// What only sysadmins write of a user.
    fn write_by_sysadmin(object: &mut Object, body: &Value) -> Result<(), Reply> {
        if let Some(roles) = body.get("roles") {
            let names = roles.as_array().into_iter().flatten().filter_map(Value::as_str);
            if let Some(unknown) = names.into_iter().find(|name| *name != "admin") {
                return Err(wrong("roles", &format!("The role {unknown} does not exist")));
            }
            object.fields.insert("roles".to_owned(), if roles.is_null() { json!([]) } else { roles.clone() });
        }
        if let Some(active) = body.get("active") {
            object.fields.insert("active".to_owned(), active.clone());
        }
        Ok(())
    }

    fn create_user(&mut self, call: &Call<'_>) -> HandlerResult {
        call.by_sysadmin()?;
        let body = call.received.json();
        Self::write_by_sysadmin(&mut Object::new(Class::User, String::new(), json!({}), ""), &body)?;
        let taken = |user: &Object| body["email"].is_string() && user.fields["email"] == body["email"];
        if self.catalogue.community.of(Class::User).any(taken) {
            return Err(message(500, "Internal Server Error"));
        }
        let index = self.create_object(call, Class::User)?;
        let user = self.object_mut(index);
        for (name, value) in [("roles", json!([])), ("active", Value::Null)] {
            user.fields.insert(name.to_owned(), value);
        }
        Self::write_by_sysadmin(user, &body)?;
        self.shown_object(call, 201, index)
    }

    fn update_user(&mut self, call: &Call<'_>) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.place(call, Class::User)?;
        self.write_user(call, index, true)
    }

    fn update_me(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.me(call)?;
        self.write_user(call, index, false)
    }

    fn write_user(&mut self, call: &Call<'_>, index: usize, by_sysadmin: bool) -> HandlerResult {
        let body = call.received.json();
        let before = self.object(index);
        let is_new_address = body.get("email").is_some_and(|email| *email != before.fields["email"]);
        let mut changed = self.catalogue.written(before, &body, call, false)?;
        if is_new_address && !by_sysadmin {
            return Err(wrong("email", "Cannot modify email after creation"));
        }
        if by_sysadmin {
            Self::write_by_sysadmin(&mut changed, &body)?;
        }
        *self.object_mut(index) = changed;
        self.shown_object(call, 200, index)
    }

    fn delete_user(&mut self, call: &Call<'_>) -> HandlerResult {
        let sysadmin = call.by_sysadmin()?;
        let index = self.place(call, Class::User)?;
        if self.object(index).deleted.is_some() {
            return Err(message(410, "User has already been deleted"));
        }
        if self.object(index).id == sysadmin.id() {
            let text = "You cannot delete yourself with this API. Use the \"me\" API instead.";
            return Err(message(403, text));
        }
        let now = self.catalogue.now();
        let user = self.object_mut(index);
        let written = json!({
            "first_name": "DELETED", "last_name": "DELETED", "email": format!("{}@deleted", user.id), "active": false,
            "about": null, "website": null, "roles": []
        });
        user.fields.extend(written.as_object().cloned().unwrap_or_default());
        user.slug = format!("deleted-{}", user.id);
        user.deleted = Some(now);
        let id = user.id.clone();
        let community = &mut self.catalogue.community;
        community.members.retain(|member| member.user != id);
        community.follows.retain(|follow| follow.follower != id);
        Ok(Reply::empty(204))
    }

    fn rotate_password(&mut self, call: &Call<'_>) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.place(call, Class::User)?;
        let now = self.catalogue.now();
        self.object_mut(index).fields.insert("password_rotation_demanded".to_owned(), json!(now));
        Ok(Reply::empty(204))
    }

    /// What is the user's, and with the operations that say so what is of their organizations.
    fn my(&self, call: &Call<'_>, class: Class) -> HandlerResult {
        let user = call.signed_in()?;
        let with_organizations = call.operation_id.starts_with("my_org_");
        let wanted = call.query("q").unwrap_or_default().to_lowercase();
        let community = &self.catalogue.community;
        let mine = |entry: &Entry<'_>| {
            let owned = entry.owned();
            let of_me = owned.owner == Some(user.id());
            let holds = entry.title().to_lowercase().contains(&wanted);
            holds && if with_organizations { community.owns(Some(user), owned) } else { of_me }
        };
        let mut found: Vec<Entry<'_>> = self.catalogue.entries(class).into_iter().filter(mine).collect();
        found.reverse();
        if with_organizations {
            sort_by_key(&mut found, true, |entry| entry.modified().to_owned());
        }
        let shown: Value =
            found.into_iter().map(|entry| self.catalogue.show_entry(entry, call.api, call.user())).collect();
        Ok(Reply::json(200, &shown))
    }

    fn my_discussions(&self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let wanted = call.query("q").unwrap_or_default().to_lowercase();
        let found = self.catalogue.discussions.iter().rev().filter(|discussion| {
            let id = discussion["subject"]["id"].as_str().unwrap_or_default();
            let class = Class::of(discussion["subject"]["class"].as_str().unwrap_or_default());
            let owned = class.and_then(|class| self.catalogue.owned(class, id));
            owned.is_some_and(|owned| self.catalogue.community.owns(Some(user), owned))
                && discussion["title"].as_str().is_some_and(|title| title.to_lowercase().contains(&wanted))
        });
        let shown: Value = found.map(|discussion| self.catalogue.discussion_seen_by(discussion, Some(user))).collect();
        Ok(Reply::json(200, &shown))
    }

    fn my_metrics(&self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let community = &self.catalogue.community;
        let mine: Vec<&str> = community
            .members
            .iter()
            .filter(|member| member.user == user.id())
            .map(|member| member.organization.as_str())
            .collect();
        let datasets = self.catalogue.datasets.iter().filter(|dataset| dataset.is_visible());
        let of =
            |dataset: &super::catalogue::Dataset| dataset.organization.as_deref().is_some_and(|id| mine.contains(&id));
        let (own, ours) = datasets.fold((0, 0), |(own, ours), dataset| {
            let is_own = dataset.owner.as_deref() == Some(user.id());
            (own + usize::from(is_own), ours + usize::from(of(dataset)))
        });
        let followers: usize = mine.iter().map(|id| community.followers(id).count()).sum();
        Ok(Reply::json(
            200,
            &json!({
                "id": user.id(), "resources_availability": 100.0, "datasets_count": own, "datasets_org_count": ours,
                "followers_count": community.followers(user.id()).count(), "followers_org_count": followers
            }),
        ))
    }
}
