//! The Atom feeds of what was published last.

use serde_json::Value;

use super::call::{Call, HandlerResult};
use super::class::Class;
use super::entries::Entry;
use super::fields::text;
use super::posts::Post;
use super::state::Platform;
use crate::Api;
use crate::response::Reply;
use crate::sort::sort_by_key;

pub(super) const MAIN: [&str; 4] =
    ["recent_datasets_atom_feed", "recent_reuses_atom_feed", "recent_dataservices_atom_feed", "recent_posts_atom_feed"];

/// How many entries a feed has at most, and how many that of articles.
const SIZE: usize = 20;
const ARTICLES: usize = 15;

impl Platform {
    pub(super) fn respond_on_feeds(&self, call: &Call<'_>) -> Option<HandlerResult> {
        let (class, title) = match call.operation_id {
            "recent_posts_atom_feed" => return Some(self.feed_of_articles(call)),
            "recent_datasets_atom_feed" => (Class::Dataset, "Derniers jeux de données"),
            "recent_reuses_atom_feed" => (Class::Reuse, "Dernières réutilisations"),
            "recent_dataservices_atom_feed" => (Class::Dataservice, "Dernières APIs"),
            _ => return None,
        };
        let is_filter = |(name, value): &(String, String)| {
            !matches!(name.as_str(), "page" | "page_size" | "sort") && !value.is_empty()
        };
        let title = match call.query("q").map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => format!("Recherche de jeux de données : {text}"),
            None if call.received.query_pairs.iter().any(is_filter) => "Jeux de données filtrés".to_owned(),
            None => title.to_owned(),
        };
        Some(self.feed_of_class(call, class, &title))
    }

    fn feed_of_class(&self, call: &Call<'_>, class: Class, title: &str) -> HandlerResult {
        let mut found = self.catalogue.found(call, class)?;
        sort_by_key(&mut found, true, |entry| entry.created().to_owned());
        found.truncate(SIZE);
        let entries = found.iter().map(|entry| self.feed_entry(*entry)).collect();
        self.feed(call, title, entries, found.iter().map(|entry| entry.modified()).max())
    }

    fn feed_of_articles(&self, call: &Call<'_>) -> HandlerResult {
        let mut found = self.catalogue.articles();
        found.truncate(ARTICLES);
        let entry = |post: &&Post| {
            let field = |name: &str| escaped(text(&post.fields, name));
            let headline = field("headline");
            let summary =
                if headline.is_empty() { headline } else { format!("<summary type=\"html\">{headline}</summary>") };
            format!(
                "<entry><title>{}</title><link href=\"{}\" rel=\"alternate\"/><published>{}</published>\
                 <updated>{}</updated><author><name>data.gouv.fr</name></author><id>{}/posts/{}</id>{summary}{}</entry>",
                field("name"),
                self.catalogue.page_of_post(post),
                utc(post.published.as_deref().unwrap_or_default()),
                utc(&post.modified),
                self.catalogue.origin,
                post.id,
                content(&field("content"))
            )
        };
        let entries = found.iter().map(entry).collect();
        self.feed(call, "Derniers articles", entries, found.iter().map(|post| post.modified.as_str()).max())
    }

    fn feed(&self, call: &Call<'_>, title: &str, entries: String, updated: Option<&str>) -> HandlerResult {
        let updated = updated.map_or_else(|| self.catalogue.time(), str::to_owned);
        let (root, received) = (format!("{}/", self.catalogue.origin), call.received);
        let query = if received.query.is_empty() { String::new() } else { format!("?{}", received.query) };
        let own = format!("{}{}{query}", self.catalogue.origin, received.path);
        let feed = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>{}</title>\
             <link href=\"{root}\" rel=\"alternate\"/><link href=\"{}\" rel=\"self\"/><id>{root}</id>\
             <updated>{}</updated>{entries}</feed>",
            escaped(title),
            escaped(&own).replace('"', "&quot;"),
            utc(&updated)
        );
        Ok(Reply::new(200, "application/atom+xml", feed))
    }

    fn feed_entry(&self, entry: Entry<'_>) -> String {
        let shown = self.catalogue.show_entry(entry, Api::Main, None);
        let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
        let page = if shown["page"].is_null() { &shown["self_web_url"] } else { &shown["page"] };
        let (organization, owner) = (&shown["organization"], &shown["owner"]);
        let author = if organization.is_null() {
            let name = format!("{} {}", text(&owner["first_name"]), text(&owner["last_name"]));
            format!("<name>{name}</name><uri>{}</uri>", text(&owner["page"]))
        } else {
            format!("<name>{}</name><uri>{}</uri>", text(&organization["name"]), text(&organization["page"]))
        };
        let owned = entry.owned();
        let id = format!("{}/{}/{}", self.catalogue.origin, owned.class.path(), owned.id);
        let description = text(&shown["description"]);
        format!(
            "<entry><title>{}</title><link href=\"{}\" rel=\"alternate\"/><published>{}</published>\
             <updated>{}</updated><author>{author}</author><id>{id}</id><summary type=\"html\">{description}</summary>\
             {}</entry>",
            text(&shown["title"]),
            text(page),
            utc(entry.created()),
            utc(entry.modified()),
            content(&description)
        )
    }
}

/// The content of an entry: HTML with an escaped text.
fn content(text: &str) -> String {
    let html = format!("<div class=\"markdown\"><p>{text}</p></div>");
    format!("<content type=\"html\">{}</content>", escaped(&html))
}

/// A time with the zone of feeds.
fn utc(time: &str) -> String {
    time.replace("+00:00", "Z")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
