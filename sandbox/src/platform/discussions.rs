//! What people say about objects.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, message, unimplemented};
use super::catalogue::Catalogue;
use super::class::Class;
use super::fields::{is_id, plain, reference};
use super::state::Platform;
use super::writing::wrong;
use crate::Api;
use crate::api::base;
use crate::client::User;
use crate::response::Reply;
use crate::server_error::ServerError;
use crate::sort::sort_by_key;

pub(super) const MAIN: [&str; 8] = [
    "list_discussions",
    "create_discussion",
    "get_discussion",
    "comment_discussion",
    "update_discussion",
    "delete_discussion",
    "edit_discussion_comment",
    "delete_discussion_comment",
];

/// The id that a discussion keeps under a name.
fn id_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str()
}

fn comments(discussion: &mut Value) -> Option<&mut Vec<Value>> {
    discussion["discussion"].as_array_mut()
}

fn forbidden() -> Reply {
    ServerError::forbidden().reply(Api::Main)
}

impl Catalogue {
    /// Whether a user may speak as who wrote something: its author, or the organization that they spoke for.
    fn is_author(&self, user: Option<User>, author: Option<&str>, organization: Option<&str>) -> bool {
        let Some(user) = user else { return false };
        match organization {
            _ if user == User::Admin => true,
            Some(id) => matches!(self.community.role(id, user.id()), Some("admin" | "editor")),
            None => author == Some(user.id()),
        }
    }

    fn is_author_of(&self, user: Option<User>, discussion: &Value) -> bool {
        self.is_author(user, id_of(discussion, "user"), id_of(discussion, "organization"))
    }

    fn is_author_of_comment(&self, user: Option<User>, comment: &Value) -> bool {
        self.is_author(user, id_of(comment, "posted_by"), id_of(comment, "posted_by_organization"))
    }

    fn may_close(&self, user: Option<User>, discussion: &Value) -> bool {
        let subject = &discussion["subject"];
        let class = Class::of(subject["class"].as_str().unwrap_or_default());
        let owned = class.and_then(|class| self.owned(class, subject["id"].as_str().unwrap_or_default()));
        self.is_author_of(user, discussion) || owned.is_some_and(|owned| self.community.edits(user, owned))
    }

    /// A discussion as a user sees it: who is named in it is shown, and what the user may do.
    pub(super) fn discussion_seen_by(&self, discussion: &Value, user: Option<User>) -> Value {
        let mut seen = discussion.clone();
        for name in ["user", "closed_by"] {
            seen[name] = self.user_ref(id_of(discussion, name));
        }
        for name in ["organization", "closed_by_organization"] {
            seen[name] = self.organization_ref(id_of(discussion, name), user);
        }
        let edit = self.is_author_of(user, discussion);
        seen["permissions"] = json!({"close": self.may_close(user, discussion), "delete": edit, "edit": edit});
        for comment in comments(&mut seen).into_iter().flatten() {
            let edit = self.is_author_of_comment(user, comment);
            comment["permissions"] = json!({"delete": edit, "edit": edit});
            let author = self.user_ref(id_of(comment, "posted_by"));
            let organization = self.organization_ref(id_of(comment, "posted_by_organization"), user);
            comment["posted_by"] = author;
            comment["posted_by_organization"] = organization;
        }
        seen
    }

    fn new_comment(&mut self, text: &str, user: User, organization: Option<&str>, now: &str) -> Value {
        json!({
            "id": self.new_uuid(), "content": text, "posted_by": user.id(), "posted_by_organization": organization,
            "posted_on": now, "last_modified_at": null
        })
    }

    /// The organization that a body speaks for, which the user must be allowed to.
    fn voice(&self, body: &Value, user: User) -> Result<Option<String>, Reply> {
        let Some(organization) = body.get("organization").filter(|organization| !organization.is_null()) else {
            return Ok(None);
        };
        let id = self.known("organization", Class::Organization, organization)?;
        if user == User::Admin || matches!(self.community.role(&id, user.id()), Some("admin" | "editor")) {
            return Ok(Some(id));
        }
        Err(wrong("organization", "Permission refusée pour cette organisation"))
    }
}

impl Platform {
    pub(super) fn respond_on_discussions(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_discussions" | "search_discussions" => self.list_discussions(call),
            "create_discussion" => self.start_discussion(call),
            "get_discussion" => self.discussion(call).map(|index| self.shown_discussion(call, 200, index)),
            "comment_discussion" => self.comment(call),
            "update_discussion" => self.retitle_discussion(call),
            "delete_discussion" => self.delete_discussion(call),
            "edit_discussion_comment" => self.edit_comment(call),
            "delete_discussion_comment" => self.delete_comment(call),
            _ => return None,
        })
    }

    fn discussion(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let id = call.capture("id");
        let found = self.catalogue.discussions.iter().position(|discussion| discussion["id"] == *id);
        found.ok_or_else(super::call::not_found)
    }

    fn shown_discussion(&self, call: &Call<'_>, status: u16, index: usize) -> Reply {
        Reply::json(status, &self.catalogue.discussion_seen_by(&self.catalogue.discussions[index], call.user()))
    }

    fn list_discussions(&self, call: &Call<'_>) -> HandlerResult {
        let all = self.catalogue.discussions.iter().rev();
        let mut found: Vec<&Value> = all.collect();
        for (name, wanted) in call.received.query_pairs.iter().filter(|(_, value)| !value.is_empty()) {
            let name = name.as_str();
            if matches!(name, "for" | "org" | "user") && !is_id(wanted) {
                return Err(message(400, &format!("`{name}` must be an identifier")));
            }
            let of_organization = |discussion: &Value| {
                let subject = &discussion["subject"];
                let class = Class::of(subject["class"].as_str().unwrap_or_default());
                let owned =
                    class.and_then(|class| self.catalogue.owned(class, subject["id"].as_str().unwrap_or_default()));
                owned.is_some_and(|owned| owned.organization == Some(wanted))
            };
            match name {
                "page" | "page_size" | "lang" | "for" => {}
                "sort" if matches!(wanted.trim_start_matches('-'), "created" | "title" | "closed") => {}
                "q" => found.retain(|discussion| {
                    let text = plain(&format!("{} {}", discussion["title"], discussion["discussion"]));
                    plain(wanted).split_whitespace().all(|word| text.contains(word))
                }),
                "closed" => found.retain(|discussion| discussion["closed"].is_null() != (wanted == "true")),
                "user" => found.retain(|discussion| discussion["user"] == **wanted),
                "org" => found.retain(|discussion| of_organization(discussion)),
                name => {
                    return Err(unimplemented(&format!("the parameter `{name}={wanted}` of `{}`", call.operation_id)));
                }
            }
        }
        let subjects: Vec<&str> =
            call.received.query_pairs.iter().filter(|(name, _)| name == "for").map(|(_, id)| id.as_str()).collect();
        found.retain(|discussion| {
            subjects.is_empty() || discussion["subject"]["id"].as_str().is_some_and(|id| subjects.contains(&id))
        });
        let sort = call.query("sort").unwrap_or("-created");
        let (key, descends) = sort.strip_prefix('-').map_or((sort, false), |key| (key, true));
        let key = |discussion: &&Value| discussion[key].as_str().unwrap_or_default().to_owned();
        sort_by_key(&mut found, descends, key);
        let mut page =
            self.page(call, &found, |discussion| self.catalogue.discussion_seen_by(discussion, call.user()))?;
        if super::lists::is_search(call.operation_id) {
            page["facets"] = json!({});
        }
        Ok(Reply::json(200, &page))
    }

    fn start_discussion(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let body = call.received.json();
        let subject = &body["subject"];
        let name = subject["class"].as_str().unwrap_or_default();
        let class = Class::of(name);
        if name == "Post" {
            let id = reference(subject).unwrap_or_default();
            if self.catalogue.posts.iter().all(|post| post.id != id) {
                return Err(wrong("subject", &format!("Unknown reference '{id}'")));
            }
        } else {
            let class = class
                .filter(|class| matches!(class, Class::Dataset | Class::Reuse | Class::Dataservice | Class::Topic))
                .ok_or_else(|| {
                    wrong("subject", "Value must be one of ['Dataset', 'Reuse', 'Post', 'Dataservice', 'Topic']")
                })?;
            self.catalogue.known("subject", class, subject)?;
        }
        let organization = self.catalogue.voice(&body, user)?;
        let blank = |name: &str| body[name].as_str().is_none_or(|text| text.trim().is_empty());
        if blank("title") {
            let text = "ValidationError (Discussion:None) (Field is required: ['title'])";
            return Err(Reply::json(400, &json!({"errors": {"title": "Field is required"}, "message": text})));
        }
        if blank("comment") {
            let text = "ValidationError (Discussion:None) (content.Field is required: ['discussion'])";
            let errors = json!({"discussion": {"0": {"content": "Field is required"}}});
            return Err(Reply::json(400, &json!({"errors": errors, "message": text})));
        }
        let now = self.catalogue.now();
        let made = format!("6514cd34ef56ab7890{:06x}", self.catalogue.changes());
        let id = self.catalogue.new_id(made);
        let text = body["comment"].as_str().unwrap_or_default();
        let comment = self.catalogue.new_comment(text, user, organization.as_deref(), &now);
        let extras = if body["extras"].is_object() { body["extras"].clone() } else { json!({}) };
        let subject = json!({"class": name, "id": reference(subject)});
        let discussion = json!({
            "id": id, "title": body["title"], "subject": subject, "extras": extras, "created": now,
            "discussion": [comment], "user": user.id(), "organization": organization, "closed": null,
            "closed_by": null, "closed_by_organization": null,
            "url": format!("{}{}/discussions/{id}/", self.catalogue.origin, base(Api::Main)),
            "self_web_url": format!("{}/discussions/{id}", self.catalogue.origin)
        });
        self.catalogue.discussions.push(discussion);
        Ok(self.shown_discussion(call, 201, self.catalogue.discussions.len() - 1))
    }

    /// A comment, an end, or both.
    fn comment(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let body = call.received.json();
        let index = self.discussion(call)?;
        if !self.catalogue.discussions[index]["closed"].is_null() {
            return Err(message(403, "Can't add comments on a closed discussion"));
        }
        let organization = self.catalogue.voice(&body, user)?;
        let text = body["comment"].as_str().filter(|text| !text.trim().is_empty());
        let closes = body["close"] == true;
        if text.is_none() && !closes {
            let text = "Can only close without message. Please provide either `close` or a `comment`.";
            return Err(message(400, text));
        }
        if closes && !self.catalogue.may_close(Some(user), &self.catalogue.discussions[index]) {
            return Err(forbidden());
        }
        let now = self.catalogue.now();
        if let Some(text) = text {
            let comment = self.catalogue.new_comment(text, user, organization.as_deref(), &now);
            comments(&mut self.catalogue.discussions[index]).into_iter().for_each(|all| all.push(comment.clone()));
        }
        if closes {
            let discussion = &mut self.catalogue.discussions[index];
            discussion["closed"] = json!(now);
            discussion["closed_by"] = json!(user.id());
            discussion["closed_by_organization"] = json!(organization);
        }
        Ok(self.shown_discussion(call, 200, index))
    }

    fn retitle_discussion(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.own_discussion(call)?;
        let body = call.received.json();
        let title = body["title"].as_str().filter(|title| !title.trim().is_empty());
        let Some(title) = title else {
            let id = call.capture("id");
            let text = format!("ValidationError (Discussion:{id}) (Field is required: ['title'])");
            return Err(Reply::json(400, &json!({"errors": {"title": "Field is required"}, "message": text})));
        };
        self.catalogue.discussions[index]["title"] = json!(title);
        Ok(self.shown_discussion(call, 200, index))
    }

    /// The place of a discussion that the user of the call may change.
    fn own_discussion(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let user = call.signed_in()?;
        let index = self.discussion(call)?;
        match self.catalogue.is_author_of(Some(user), &self.catalogue.discussions[index]) {
            true => Ok(index),
            false => Err(forbidden()),
        }
    }

    fn delete_discussion(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.own_discussion(call)?;
        self.catalogue.discussions.remove(index);
        Ok(Reply::empty(204))
    }

    /// The places of a discussion and of one of its comments, which the path names by its place or its id.
    fn comment_of_path(&self, call: &Call<'_>) -> Result<(usize, usize), Reply> {
        call.signed_in()?;
        let index = self.discussion(call)?;
        let all = self.catalogue.discussions[index]["discussion"].as_array();
        let all = all.map_or(&[][..], Vec::as_slice);
        let name = call.capture("cidx");
        let place = match name.parse::<usize>() {
            Ok(place) => Some(place).filter(|place| *place < all.len()),
            Err(_) => all.iter().position(|comment| comment["id"] == *name),
        };
        Ok((index, place.ok_or_else(|| message(404, "Comment does not exist"))?))
    }

    fn edit_comment(&mut self, call: &Call<'_>) -> HandlerResult {
        let (index, place) = self.comment_of_path(call)?;
        let comment = &self.catalogue.discussions[index]["discussion"][place];
        if !self.catalogue.is_author_of_comment(call.user(), comment) {
            return Err(forbidden());
        }
        let (now, body) = (self.catalogue.now(), call.received.json());
        let comment = &mut self.catalogue.discussions[index]["discussion"][place];
        comment["content"] = body["comment"].clone();
        comment["last_modified_at"] = json!(now);
        Ok(self.shown_discussion(call, 200, index))
    }

    fn delete_comment(&mut self, call: &Call<'_>) -> HandlerResult {
        let (index, place) = self.comment_of_path(call)?;
        if place == 0 {
            return Err(message(400, "You cannot delete the first comment of a discussion"));
        }
        let comment = &self.catalogue.discussions[index]["discussion"][place];
        if !self.catalogue.is_author_of_comment(call.user(), comment) {
            return Err(forbidden());
        }
        comments(&mut self.catalogue.discussions[index]).map(|all| all.remove(place));
        Ok(Reply::empty(204))
    }
}
