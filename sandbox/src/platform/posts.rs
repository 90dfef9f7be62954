//! The articles and pages of the site. Those that are made of blocs are left out.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, message, not_found, unimplemented};
use super::catalogue::Catalogue;
use super::class::Class;
use super::fields::{Fields, plain, slug, text};
use super::properties::{POST, defaults_of};
use super::state::Platform;
use super::writing::{save_as, write, wrong};
use crate::Api;
use crate::api::base;
use crate::client::User;
use crate::response::Reply;
use crate::sort::sort_by_key;

pub(super) const MAIN: [&str; 7] =
    ["list_posts", "create_post", "get_post", "update_post", "delete_post", "publish_post", "unpublish_post"];

/// An article, or a page.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) slug: String,
    /// Slugs that it had before; they lead to it still.
    old_slugs: Vec<String>,
    pub(crate) fields: Fields,
    owner: String,
    created: String,
    pub(crate) modified: String,
    pub(crate) published: Option<String>,
    datasets: Vec<String>,
    reuses: Vec<String>,
    /// The id of the page above.
    parent: Option<String>,
}

impl Post {
    fn is_page(&self) -> bool {
        self.fields["kind"] == "page"
    }
}

impl Catalogue {
    fn post(&self, id: Option<&str>) -> Option<&Post> {
        self.posts.iter().find(|post| Some(post.id.as_str()) == id)
    }

    /// The pages above a page, from the root down.
    fn ancestors<'a>(&'a self, post: &'a Post) -> Vec<&'a Post> {
        let mut ancestors = Vec::new();
        let mut above = self.post(post.parent.as_deref());
        while let Some(page) = above.filter(|page| ancestors.iter().all(|known: &&Post| known.id != page.id)) {
            ancestors.insert(0, page);
            above = self.post(page.parent.as_deref());
        }
        ancestors
    }

    pub(super) fn page_of_post(&self, post: &Post) -> String {
        let above = self.ancestors(post).into_iter().map(|page| page.slug.as_str());
        if post.is_page() {
            let path: Vec<&str> = above.chain([post.slug.as_str()]).collect();
            return format!("{}/pages/{}", self.origin, path.join("/"));
        }
        format!("{}/posts/{}", self.origin, post.slug)
    }

    fn show_post(&self, post: &Post, viewer: Option<User>) -> Value {
        let datasets = self.datasets.iter().filter(|one| post.datasets.contains(&one.id));
        let reuses = self.community.of(Class::Reuse).filter(|one| post.reuses.contains(&one.id));
        let reuses = reuses.map(|one| {
            json!({
                "class": "Reuse", "id": one.id, "title": one.title(), "image": null, "image_thumbnail": null,
                "page": format!("{}/reuses/{}", self.origin, one.slug), "uri": self.api_url(Class::Reuse, &one.slug)
            })
        });
        let link = |page: &Post| json!({"id": page.id, "name": page.fields["name"], "page": self.page_of_post(page)});
        let known = json!({
            "id": post.id, "slug": post.slug, "owner": self.user_ref(Some(&post.owner)), "created_at": post.created,
            "last_modified": post.modified, "published": post.published, "blocs": [], "image": null,
            "image_thumbnail": null, "parent": self.post(post.parent.as_deref()).map(link),
            "datasets": datasets.map(|one| self.show(one, Api::Main, viewer)).collect::<Value>(),
            "reuses": reuses.collect::<Value>(),
            "ancestors": self.ancestors(post).into_iter().map(link).collect::<Value>(),
            "page": self.page_of_post(post),
            "uri": format!("{}{}/posts/{}/", self.origin, base(Api::Main), post.slug)
        });
        let mut shown = post.fields.clone();
        shown.extend(known.as_object().cloned().unwrap_or_default());
        Value::Object(shown)
    }

    /// Writes a body, and refuses what the real catalogue does.
    fn write_post(&self, post: &mut Post, body: &Value, is_new: bool) -> Result<(), Reply> {
        if body["body_type"] == "blocs" || body["blocs"].as_array().is_some_and(|blocs| !blocs.is_empty()) {
            return Err(unimplemented("posts made of blocs"));
        }
        write(&mut post.fields, body, &POST)?;
        let taken = |slug: &str| self.posts.iter().any(|other| other.id != post.id && other.slug == slug);
        let named = match body.get("slug").map(|chosen| slug(chosen.as_str().unwrap_or_default())) {
            Some(chosen) if chosen.is_empty() && !is_new => {
                return Err(wrong("slug", "The slug must contain letters or digits"));
            }
            Some(chosen) if taken(&chosen) => return Err(wrong("slug", "This slug is already used by another post")),
            Some(chosen) if !chosen.is_empty() => chosen,
            _ if is_new => {
                let wanted = slug(text(&post.fields, "name"));
                let numbered = (1..).map(|number| format!("{wanted}-{number}"));
                std::iter::once(wanted.clone()).chain(numbered).find(|slug| !taken(slug)).unwrap_or(wanted)
            }
            _ => post.slug.clone(),
        };
        let before = std::mem::replace(&mut post.slug, named);
        if !is_new && before != post.slug {
            post.old_slugs.push(before);
        }
        for (name, class) in [("datasets", Class::Dataset), ("reuses", Class::Reuse)] {
            let Some(list) = body.get(name).and_then(Value::as_array) else { continue };
            let ids = list.iter().map(|one| self.known(name, class, one)).collect::<Result<Vec<_>, _>>()?;
            *(if class == Class::Dataset { &mut post.datasets } else { &mut post.reuses }) = ids;
        }
        if let Some(parent) = body.get("parent") {
            let id = super::fields::reference(parent);
            if let Some(unknown) = id.filter(|id| self.post(Some(id)).is_none()) {
                return Err(wrong("parent", &format!("Unknown reference '{unknown}'")));
            }
            post.parent = id.map(str::to_owned);
        }
        save_as("Post", &POST, (!is_new).then_some(post.id.as_str()), &post.fields, false)?;
        self.check_post(post, is_new)
    }

    /// What holds of articles and pages whenever they are saved.
    fn check_post(&self, post: &Post, is_new: bool) -> Result<(), Reply> {
        let parent = self.post(post.parent.as_deref());
        let children = || self.posts.iter().filter(|page| !is_new && page.parent.as_ref() == Some(&post.id));
        let reason = if post.fields["content"].is_null() {
            "content is required when body_type is 'markdown' or 'html'"
        } else if parent.is_some_and(|parent| !post.is_page() || !parent.is_page()) {
            "Only a page can have a parent, and its parent must be a page"
        } else if parent
            .is_some_and(|parent| parent.id == post.id || self.ancestors(parent).iter().any(|page| page.id == post.id))
        {
            "A page cannot be its own ancestor"
        } else if post.published.is_some() && parent.is_some_and(|parent| parent.published.is_none()) {
            "A published page cannot be under an unpublished page"
        } else if !post.is_page() && children().next().is_some() {
            "A page with sub-pages must stay a page"
        } else if post.published.is_none() && children().any(|page| page.published.is_some()) {
            "A page with published sub-pages cannot be unpublished"
        } else {
            return Ok(());
        };
        let id = if is_new { "None" } else { &post.id };
        let text = format!("ValidationError (Post:{id}) ({reason}: ['__all__'])");
        Err(Reply::json(400, &json!({"errors": {"__all__": reason}, "message": text})))
    }

    /// The published articles, the newest first.
    pub(super) fn articles(&self) -> Vec<&Post> {
        let news = self.posts.iter().filter(|post| !post.is_page() && post.published.is_some());
        let mut found: Vec<&Post> = news.collect();
        sort_by_key(&mut found, true, |post| post.published.clone());
        found
    }
}

impl Platform {
    pub(super) fn respond_on_posts(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_posts" | "search_posts" => self.list_posts(call),
            "create_post" => self.create_post(call),
            "get_post" => self.get_post(call),
            "update_post" => self.update_post(call),
            "delete_post" => self.delete_post(call),
            "publish_post" | "unpublish_post" => self.publish_post(call),
            _ => return None,
        })
    }

    /// The place of the post that the path names.
    fn post(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let (posts, name) = (&self.catalogue.posts, call.capture("post"));
        let found = posts.iter().position(|post| post.id == name || post.slug == name);
        let found = found.or_else(|| posts.iter().position(|post| post.old_slugs.iter().any(|slug| slug == name)));
        found.ok_or_else(not_found)
    }

    fn shown_post(&self, call: &Call<'_>, status: u16, index: usize) -> HandlerResult {
        Ok(Reply::json(status, &self.catalogue.show_post(&self.catalogue.posts[index], call.user())))
    }

    fn list_posts(&self, call: &Call<'_>) -> HandlerResult {
        let in_search = super::lists::is_search(call.operation_id);
        let drafts = !in_search
            && call.user() == Some(User::Admin)
            && call.query("with_drafts").is_some_and(|it| !it.is_empty());
        let mut found: Vec<&Post> =
            self.catalogue.posts.iter().rev().filter(|post| drafts || post.published.is_some()).collect();
        for (name, wanted) in call.received.query_pairs.iter().filter(|(_, value)| !value.is_empty()) {
            let tags =
                |post: &Post| post.fields["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == wanted));
            match name.as_str() {
                "q" => found.retain(|post| {
                    let texts = ["name", "headline", "content"].map(|name| plain(text(&post.fields, name)));
                    plain(wanted).split_whitespace().all(|word| texts.join(" ").contains(word))
                }),
                "kind" => found.retain(|post| post.fields["kind"] == **wanted),
                "tag" => found.retain(|post| tags(post)),
                "last_update_range" => found.retain(|post| self.catalogue.is_within(&post.modified, wanted)),
                _ => {}
            }
        }
        let sort = call.query("sort").filter(|sort| !sort.is_empty()).unwrap_or("-published");
        let (key, descends) = sort.strip_prefix('-').map_or((sort, false), |key| (key, true));
        sort_by_key(&mut found, descends, |post| match key {
            "published" => post.published.clone().unwrap_or_default(),
            "created_at" | "created" => post.created.clone(),
            "modified" | "last_modified" => post.modified.clone(),
            name => text(&post.fields, name).to_owned(),
        });
        let mut page = self.page(call, &found, |post| self.catalogue.show_post(post, call.user()))?;
        if in_search {
            page["facets"] = json!({});
        }
        Ok(Reply::json(200, &page))
    }

    fn create_post(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.by_sysadmin()?;
        let mut post = Post {
            id: String::new(),
            slug: String::new(),
            old_slugs: Vec::new(),
            fields: defaults_of(&POST),
            owner: user.id().to_owned(),
            created: String::new(),
            modified: String::new(),
            published: None,
            datasets: Vec::new(),
            reuses: Vec::new(),
            parent: None,
        };
        self.catalogue.write_post(&mut post, &call.received.json(), true)?;
        post.id = self.catalogue.new_object_id();
        post.created = self.catalogue.now();
        post.modified = post.created.clone();
        self.catalogue.posts.push(post);
        self.shown_post(call, 201, self.catalogue.posts.len() - 1)
    }

    /// A draft is for sysadmins.
    fn get_post(&self, call: &Call<'_>) -> HandlerResult {
        let index = self.post(call)?;
        if self.catalogue.posts[index].published.is_none() && call.user() != Some(User::Admin) {
            return Err(not_found());
        }
        self.shown_post(call, 200, index)
    }

    fn update_post(&mut self, call: &Call<'_>) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.post(call)?;
        let mut post = self.catalogue.posts[index].clone();
        self.catalogue.write_post(&mut post, &call.received.json(), false)?;
        self.keep_post(call, index, post)
    }

    fn keep_post(&mut self, call: &Call<'_>, index: usize, mut post: Post) -> HandlerResult {
        post.modified = self.catalogue.now();
        self.catalogue.posts[index] = post;
        self.shown_post(call, 200, index)
    }

    fn publish_post(&mut self, call: &Call<'_>) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.post(call)?;
        let mut post = self.catalogue.posts[index].clone();
        post.published = (call.received.method == "POST").then(|| self.catalogue.now());
        self.catalogue.check_post(&post, false)?;
        self.keep_post(call, index, post)
    }

    fn delete_post(&mut self, call: &Call<'_>) -> HandlerResult {
        call.by_sysadmin()?;
        let index = self.post(call)?;
        let id = self.catalogue.posts[index].id.clone();
        if self.catalogue.posts.iter().any(|page| page.parent.as_ref() == Some(&id)) {
            return Err(message(400, "This page has sub-pages: move or delete them first"));
        }
        self.catalogue.posts.remove(index);
        self.catalogue.discussions.retain(|discussion| discussion["subject"]["id"] != id);
        Ok(Reply::empty(204))
    }
}
