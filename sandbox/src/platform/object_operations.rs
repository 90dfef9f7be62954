//! What organizations, reuses, dataservices, topics and users have in common: they are found, created, changed,
//! deleted, featured, followed, given badges, and suggested in the same way.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, message, not_found};
use super::class::Class;
use super::fields::is_id;
use super::objects::{Follow, Object};
use super::state::Platform;
use super::writing::wrong;
use crate::client::User;
use crate::response::Reply;
use crate::server_error::ServerError;
use crate::sort::sort_by_key;

/// The parameter of paths that names an object.
fn parameter(class: Class) -> &'static str {
    match class {
        Class::Dataset => "dataset",
        Class::Reuse => "reuse",
        Class::Dataservice => "dataservice",
        Class::Topic => "topic",
        Class::Organization => "org",
        Class::User => "user",
    }
}

/// The errors of reading and of writing an object that was deleted.
fn gone(class: Class, reads: bool) -> Reply {
    let text = match class {
        Class::Reuse => "This reuse has been deleted",
        Class::Dataservice if reads => "Dataservice has been deleted",
        Class::Dataservice => "dataservice has been deleted",
        Class::User => "User has been deleted",
        _ => "Organization has been deleted",
    };
    message(410, text)
}

/// The property that says when an object was deleted.
fn deletion(class: Class) -> &'static str {
    if class == Class::Dataservice { "deleted_at" } else { "deleted" }
}

impl Platform {
    /// The place of the object that the path names.
    pub(super) fn place(&self, call: &Call<'_>, class: Class) -> Result<usize, Reply> {
        let name = call.capture(parameter(class));
        self.catalogue.community.position(class, name).ok_or_else(not_found)
    }

    pub(super) fn object(&self, index: usize) -> &Object {
        &self.catalogue.community.objects[index]
    }

    pub(super) fn object_mut(&mut self, index: usize) -> &mut Object {
        &mut self.catalogue.community.objects[index]
    }

    /// The place of an object that the user of the call may change.
    pub(super) fn place_to_change(&self, call: &Call<'_>, class: Class) -> Result<usize, Reply> {
        let user = call.signed_in()?;
        let index = self.place(call, class)?;
        let object = self.object(index);
        if object.deleted.is_some() {
            return Err(gone(class, false));
        }
        self.may_edit(object, user, call)?;
        Ok(index)
    }

    fn may_edit(&self, object: &Object, user: User, call: &Call<'_>) -> Result<(), Reply> {
        let community = &self.catalogue.community;
        let may = match object.class {
            Class::Organization => community.administers(Some(user), &object.id),
            Class::User => user == User::Admin,
            _ => community.edits(Some(user), object.owned()),
        };
        match object.class {
            _ if may => Ok(()),
            Class::Topic => Err(message(403, "Forbidden")),
            _ => Err(ServerError::forbidden().reply(call.api)),
        }
    }

    pub(super) fn shown_object(&self, call: &Call<'_>, status: u16, index: usize) -> HandlerResult {
        let mut shown = self.catalogue.show_object(self.object(index), call.api, call.user());
        // Blocs come where a mask asks for them.
        if self.object(index).class == Class::Organization
            && call.received.header("x-fields").is_none()
            && let Some(shown) = shown.as_object_mut()
        {
            shown.remove("presentation_blocs");
        }
        Ok(Reply::json(status, &shown))
    }

    pub(super) fn get_object(&self, call: &Call<'_>, class: Class) -> HandlerResult {
        let index = self.place(call, class)?;
        let (object, user, community) = (self.object(index), call.user(), &self.catalogue.community);
        let sees = match class {
            Class::Organization => community.belongs(user, &object.id),
            Class::User => user == Some(User::Admin),
            // Who knows the name of a topic sees it.
            Class::Topic => true,
            _ => community.sees_hidden(user, object.owned()),
        };
        match class {
            _ if sees => {}
            Class::User if object.fields["active"] != true => return Err(message(410, "User is not active")),
            Class::Reuse | Class::Dataservice if object.is_private() => return Err(not_found()),
            _ if object.deleted.is_some() => return Err(gone(class, true)),
            _ => {}
        }
        self.shown_object(call, 200, index)
    }

    pub(super) fn create_object(&mut self, call: &Call<'_>, class: Class) -> Result<usize, Reply> {
        let user = if class == Class::User { call.by_sysadmin()? } else { call.signed_in()? };
        let blank = Object::new(class, String::new(), Value::Null, "");
        let mut object = self.catalogue.written(&blank, &call.received.json(), call, true)?;
        let made = self.catalogue.new_object(class, Value::Null);
        object.id = made.id;
        (object.created, object.modified) = (made.created.clone(), made.modified);
        object.slug = self.catalogue.free_slug_of(class, object.title());
        if class == Class::Organization {
            self.catalogue.community.join(&object.id, user.id(), "admin", &made.created);
        }
        self.catalogue.community.objects.push(object);
        Ok(self.catalogue.community.objects.len() - 1)
    }

    /// A partial body keeps what it leaves out. Null as the date of deletion brings an object back.
    pub(super) fn update_object(&mut self, call: &Call<'_>, class: Class) -> Result<usize, Reply> {
        let user = call.signed_in()?;
        let index = self.place(call, class)?;
        let (object, body) = (self.object(index), call.received.json());
        let restores = body.get(deletion(class)) == Some(&Value::Null);
        if object.deleted.is_some() && !restores {
            return Err(gone(class, false));
        }
        self.may_edit(object, user, call)?;
        let mut changed = self.catalogue.written(&object.clone(), &body, call, false)?;
        match body.get(deletion(class)) {
            Some(Value::Null) => changed.deleted = None,
            Some(when) if class != Class::User => {
                changed.deleted = super::fields::date_time(when).as_str().map(str::to_owned)
            }
            _ => {}
        }
        changed.modified = self.catalogue.now();
        *self.object_mut(index) = changed;
        self.catalogue.rename(index);
        Ok(index)
    }

    pub(super) fn delete_object(&mut self, call: &Call<'_>, class: Class) -> HandlerResult {
        let index = self.place_to_change(call, class)?;
        let now = self.catalogue.now();
        let object = self.object_mut(index);
        object.deleted = Some(now.clone());
        object.modified = now;
        Ok(Reply::empty(204))
    }

    pub(super) fn feature(&mut self, call: &Call<'_>, class: Class) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.place(call, class)?;
        let now = self.catalogue.now();
        let object = self.object_mut(index);
        object.featured = json!(call.received.method == "POST");
        object.modified = now;
        self.shown_object(call, 200, index)
    }

    /// Things that a text is in the name of, the most followed first.
    pub(super) fn suggest(&self, call: &Call<'_>, class: Class) -> HandlerResult {
        let wanted = call.query("q").unwrap_or_default().to_lowercase();
        let size = call.query("size").and_then(|size| size.parse().ok()).unwrap_or(10);
        if class == Class::User && !(1..=20).contains(&size) {
            let reason = "The size must be an integer between 1 and 20.";
            let body = json!({"errors": {"size": reason}, "message": "Input payload validation failed"});
            return Err(Reply::json(400, &body));
        }
        let holds = |object: &Object, name: &str| {
            object.fields.get(name).and_then(Value::as_str).is_some_and(|text| text.to_lowercase().contains(&wanted))
        };
        let mut found: Vec<&Object> = self
            .catalogue
            .community
            .of(class)
            .filter(|object| match class {
                Class::User => object.deleted.is_none() && object.slug.contains(&super::fields::slug(&wanted)),
                Class::Organization => object.deleted.is_none() && (holds(object, "name") || holds(object, "acronym")),
                Class::Reuse => object.deleted.is_none() && !object.is_private() && holds(object, "title"),
                _ => object.is_visible() && (holds(object, "title") || holds(object, "acronym")),
            })
            .collect();
        found.reverse();
        if class != Class::User {
            sort_by_key(&mut found, true, |object| self.catalogue.community.followers(&object.id).count());
        }
        let shown: Value = found.iter().take(size).map(|object| self.suggestion(object, call)).collect();
        Ok(Reply::json(200, &shown))
    }

    fn suggestion(&self, object: &Object, call: &Call<'_>) -> Value {
        let page = format!("{}/{}/{}", self.catalogue.origin, object.class.path(), object.slug);
        let (id, slug, field) = (&object.id, &object.slug, |name: &str| object.fields.get(name));
        match object.class {
            Class::User => json!({
                "id": id, "slug": slug, "first_name": field("first_name"), "last_name": field("last_name"),
                "avatar_url": null, "email": super::views::visible_email(object, false, call.user())
            }),
            Class::Organization => json!({
                "id": id, "slug": slug, "name": field("name"), "acronym": field("acronym"), "image_url": null,
                "page": page
            }),
            Class::Dataservice => {
                json!({"id": id, "slug": slug, "title": field("title"), "acronym": field("acronym"), "page": page})
            }
            _ => json!({"id": id, "slug": slug, "title": field("title"), "image_url": null, "page": page}),
        }
    }

    /// The followers of an object, which the path names by its id.
    pub(super) fn followers(&mut self, call: &Call<'_>, class: Class) -> HandlerResult {
        let name = call.capture("id");
        let reads = call.received.method == "GET";
        let user = if reads { None } else { Some(call.signed_in()?) };
        let id = self.id_of(class, name, reads)?;
        let mine = |follow: &Follow| follow.following == id && user.map(User::id) == Some(follow.follower.as_str());
        let known = self.catalogue.community.follows.iter().position(mine);
        match (call.received.method.as_str(), user, known) {
            ("POST", Some(user), _) if class == Class::User && user.id() == id => {
                return Err(message(403, "You can't follow yourself"));
            }
            ("POST", Some(user), None) => {
                let (since, made) = (self.catalogue.now(), self.catalogue.new_object_id());
                let follower = user.id().to_owned();
                let follow = Follow { id: made, follower, following: id.clone(), since };
                self.catalogue.community.follows.push(follow);
            }
            ("DELETE", _, Some(position)) => {
                self.catalogue.community.follows.remove(position);
            }
            ("DELETE", ..) => return Err(not_found()),
            ("POST", ..) => {}
            _ => {
                let wanted = call.query("user").filter(|wanted| !wanted.is_empty());
                if wanted.is_some_and(|wanted| !is_id(wanted)) {
                    return Err(message(400, "`user` must be an identifier"));
                }
                let all = self.catalogue.community.followers(&id);
                let found: Vec<&Follow> =
                    all.filter(|follow| wanted.is_none_or(|wanted| follow.follower == wanted)).collect();
                let page = self.page(call, &found, |follow| self.catalogue.follow(follow))?;
                return Ok(Reply::json(200, &page));
            }
        }
        let status = if call.received.method == "POST" && known.is_none() { 201 } else { 200 };
        let left = self.catalogue.community.followers(&id).count();
        Ok(Reply::json(status, &json!({"followers": left})))
    }

    /// The id of an object by its id; by its slug as well where it is only read.
    fn id_of(&self, class: Class, name: &str, or_slug: bool) -> Result<String, Reply> {
        let found = if class == Class::Dataset {
            let datasets = &self.catalogue.datasets;
            let found = datasets.iter().find(|one| one.id == name || or_slug && one.slug == name);
            found.map(|one| one.id.clone())
        } else {
            let found = self.catalogue.community.of(class).find(|one| one.id == name || or_slug && one.slug == name);
            found.map(|one| one.id.clone())
        };
        found.ok_or_else(not_found)
    }

    /// A badge of an object, given or taken back by a sysadmin. `kinds` are those that there are, with their names.
    pub(super) fn badge(call: &Call<'_>, class: Class, badges: &mut Vec<String>, kinds: &[&str]) -> HandlerResult {
        if call.received.method == "DELETE" {
            let kind = call.capture("badge_kind");
            let position = badges.iter().position(|badge| badge == kind);
            let position = position.ok_or_else(|| message(404, "Badge does not exists"))?;
            badges.remove(position);
            return Ok(Reply::empty(204));
        }
        let body = call.received.json();
        let kind = body["kind"].as_str().unwrap_or_default();
        if !kinds.contains(&kind) {
            let text = format!("Unknown badge type for {}: {kind}", class.name());
            return Err(Reply::json(400, &json!({"errors": {}, "message": text})));
        }
        let known = badges.iter().any(|badge| badge == kind);
        if !known {
            badges.push(kind.to_owned());
        }
        Ok(Reply::json(if known { 200 } else { 201 }, &json!({"kind": kind})))
    }

    pub(super) fn badge_of(&mut self, call: &Call<'_>, class: Class, kinds: &[&str]) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.place(call, class)?;
        Self::badge(call, class, &mut self.object_mut(index).badges, kinds)
    }
}

/// The kinds of badges with their names.
pub(super) fn named(kinds: &[&str], names: &[&str]) -> HandlerResult {
    let all = kinds.iter().zip(names).map(|(kind, name)| ((*kind).to_owned(), json!(name)));
    Ok(Reply::json(200, &Value::Object(all.collect())))
}

/// Identifiers with their labels.
pub(super) fn labelled(ids: &[&str], labels: &[&str]) -> HandlerResult {
    let all: Value = ids.iter().zip(labels).map(|(id, label)| json!({"id": id, "label": label})).collect();
    Ok(Reply::json(200, &all))
}

/// A field that has to be there.
pub(super) fn choice(field: &str, value: &str, choices: &[&str]) -> Result<(), Reply> {
    if choices.contains(&value) {
        return Ok(());
    }
    let valid = choices.iter().map(|choice| format!("'{choice}'")).collect::<Vec<_>>().join(", ");
    Err(wrong(field, &format!("'{value}' is not a valid choice. Valid choices: [{valid}]")))
}
