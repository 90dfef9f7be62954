//! Lists and searches: what a user sees of a class, filtered, in an order, by pages.

use serde_json::{Value, json};

use super::call::{Call, message, unimplemented};
use super::catalogue::{Catalogue, Dataset};
use super::class::Class;
use super::entries::Entry;
use super::fields::{is_id, plain, text};
use super::objects::{Object, Owned};
use super::state::Platform;
use super::timestamp::read_timestamp;
use crate::Api;
use crate::client::User;
use crate::response::Reply;
use crate::server_error::{NOT_FOUND, ServerError};
use crate::sort::sort_by_key;

/// Whether an operation is one of the search engine.
pub(super) fn is_search(operation_id: &str) -> bool {
    operation_id.starts_with("search_")
}

/// Whether an operation is an export of the whole catalogue.
fn is_export(operation_id: &str) -> bool {
    operation_id.starts_with("get_site_")
}

fn is_feed(operation_id: &str) -> bool {
    operation_id.ends_with("_atom_feed")
}

/// The parameters that ask for a page, an order or another form.
const OF_PAGES: [&str; 4] = ["page", "page_size", "sort", "lang"];

/// The filters of a class; the sandbox refuses all others.
fn filters(class: Class) -> &'static [&'static str] {
    match class {
        Class::Dataset => &[
            "q",
            "tag",
            "license",
            "featured",
            "geozone",
            "granularity",
            "temporal_coverage",
            "access_type",
            "organization",
            "badge",
            "organization_badge",
            "owner",
            "followed_by",
            "format",
            "schema",
            "schema_version",
            "topic",
            "credit",
            "dataservice",
            "reuse",
            "archived",
            "deleted",
            "private",
            "producer_type",
            "last_update_range",
        ],
        Class::Reuse => &[
            "q",
            "owner",
            "organization",
            "organization_badge",
            "type",
            "dataset",
            "dataservice",
            "tag",
            "topic",
            "private",
            "featured",
            "archived",
            "producer_type",
            "last_update_range",
        ],
        Class::Dataservice => &[
            "q",
            "topic",
            "reuse",
            "owner",
            "organization",
            "organization_badge",
            "access_type",
            "tag",
            "featured",
            "contact_point",
            "dataset",
            "archived",
            "is_restricted",
            "producer_type",
            "last_update_range",
        ],
        Class::Topic => &[
            "q",
            "private",
            "tag",
            "geozone",
            "granularity",
            "organization",
            "owner",
            "featured",
            "dataset",
            "reuse",
            "dataservice",
            "producer_type",
            "last_update_range",
        ],
        Class::Organization => &["q", "badge", "name", "business_number_id", "producer_type"],
        Class::User => &["q"],
    }
}

/// The values that a filter takes, where the document leaves them open.
fn choices(class: Class, name: &str) -> Option<&'static [&'static str]> {
    match (class, name) {
        (Class::Dataset, "badge") => Some(&super::datasets::BADGES),
        (_, "organization_badge") | (Class::Organization, "badge") => Some(&super::organizations::BADGES),
        (Class::Dataset | Class::Dataservice, "access_type") => Some(&["open", "open_with_account", "restricted"]),
        (Class::Reuse, "type") => Some(&super::properties::TYPES),
        (Class::Reuse, "topic") => Some(&super::properties::TOPICS),
        _ => None,
    }
}

/// The refusal of a value that is no id, in the words of the list.
fn no_id(call: &Call<'_>, class: Class, name: &str) -> Reply {
    let by_model = matches!(class, Class::Reuse | Class::Dataservice) && !is_search(call.operation_id);
    let text = match (class, name) {
        _ if by_model => format!("`{name}` must be an identifier"),
        (_, "followed_by") => "`followed_by` arg must be an identifier".to_owned(),
        (Class::Topic, "dataset" | "reuse" | "dataservice") => format!("{name} arg must be an identifier"),
        _ => {
            let (first, rest) = name.split_at(1);
            format!("{}{rest} arg must be an identifier", first.to_ascii_uppercase())
        }
    };
    message(400, &text)
}

/// Refuses the parameters of a list that are wrong, or that the sandbox would have to ignore.
fn check(call: &Call<'_>, class: Class) -> Result<(), Reply> {
    for (name, value) in &call.received.query_pairs {
        let name = name.as_str();
        if OF_PAGES.contains(&name) || value.is_empty() {
            continue;
        }
        if !filters(class).contains(&name) {
            return Err(unimplemented(&format!("the filter `{name}` of `{}`", call.operation_id)));
        }
        if choices(class, name).is_some_and(|choices| !choices.contains(&value.as_str())) {
            let reason = match class {
                Class::Organization => "Unknown badge type".to_owned(),
                _ => format!("The value '{value}' is not a valid choice for '{name}'."),
            };
            let body = json!({"errors": {name: reason}, "message": "Input payload validation failed"});
            return Err(Reply::json(400, &body));
        }
        let by_id = match name {
            "organization" | "owner" | "dataset" | "dataservice" | "reuse" | "followed_by" | "contact_point" => true,
            "topic" => class != Class::Reuse,
            _ => false,
        };
        if by_id && !is_id(value) {
            return Err(no_id(call, class, name));
        }
        let of_hidden = class == Class::Dataset && matches!(name, "archived" | "deleted" | "private")
            || class == Class::Topic && name == "private" && value == "true";
        if of_hidden && !is_search(call.operation_id) && call.user().is_none() {
            return Err(ServerError::unauthorized().reply(call.api));
        }
    }
    Ok(())
}

impl Catalogue {
    pub(super) fn entries(&self, class: Class) -> Vec<Entry<'_>> {
        match class {
            Class::Dataset => self.datasets.iter().map(Entry::Dataset).collect(),
            class => self.community.of(class).map(Entry::Object).collect(),
        }
    }

    /// What an organization is, by its badges.
    fn producer_types(&self, entry: Entry<'_>) -> Vec<&str> {
        let kinds = |organization: &Object| -> Vec<&str> {
            let kinds = organization.badges.iter().filter(|kind| *kind != "certified");
            // The kinds live as long as the list of all.
            kinds.filter_map(|kind| super::organizations::BADGES.into_iter().find(|known| known == kind)).collect()
        };
        let organization = match entry {
            Entry::Object(object) if object.class == Class::Organization => return kinds(object),
            entry => entry.owned().organization.and_then(|id| self.community.get(Class::Organization, id)),
        };
        match organization.map(kinds) {
            Some(kinds) if kinds.is_empty() => vec!["not-specified"],
            Some(kinds) => kinds,
            None => vec!["user"],
        }
    }

    /// The words of a query, each in the title; those of a search wherever the engine looks.
    fn finds(&self, entry: Entry<'_>, query: &str, in_search: bool) -> bool {
        let mut texts = vec![entry.title().to_owned()];
        if let (Entry::Object(topic), Class::Topic) = (entry, entry.owned().class) {
            texts.push(text(&topic.fields, "description").to_owned());
        }
        if let (Entry::Object(user), Class::User) = (entry, entry.owned().class) {
            texts.extend(["first_name", "last_name", "email"].map(|name| text(&user.fields, name).to_owned()));
        }
        if in_search {
            texts.push(text(entry.fields(), "description").to_owned());
            let tags = entry.field("tags").as_array().into_iter().flatten().filter_map(Value::as_str);
            texts.extend(tags.map(str::to_owned));
            let organization = entry.owned().organization.and_then(|id| self.community.get(Class::Organization, id));
            texts.extend(organization.map(|organization| organization.title().to_owned()));
        }
        let holds = |all: &str| plain(query).split_whitespace().all(|word| all.contains(word));
        if holds(&plain(&texts.join(" "))) {
            return true;
        }
        // A topic is found by its elements, too.
        entry.owned().class == Class::Topic
            && self.community.elements_of(entry.owned().id).any(|element| {
                let of = |name: &str| text(&element.fields, name);
                holds(&plain(&format!("{} {}", of("title"), of("description"))))
            })
    }

    /// Whether something is an element of a topic. A topic that there is not lets everything pass.
    fn in_topic(&self, topic: &str, id: &str) -> bool {
        self.community.get(Class::Topic, topic).is_none() || self.shows(topic, id)
    }

    fn shows(&self, topic: &str, id: &str) -> bool {
        self.community.elements_of(topic).any(|element| element.shows.as_ref().is_some_and(|(_, shown)| shown == id))
    }

    fn keeps(&self, entry: Entry<'_>, class: Class, name: &str, wanted: &str, in_search: bool) -> bool {
        let (owned, flag) = (entry.owned(), wanted == "true");
        let uses = |class: Class, id: &str, of: fn(&Object) -> &Vec<String>| {
            self.community.get(class, id).is_none_or(|object| of(object).iter().any(|used| used == owned.id))
        };
        match name {
            // The catalogue declares it and ignores it.
            "credit" => true,
            "q" => self.finds(entry, wanted, in_search),
            "tag" => entry.has("tags", wanted),
            "contact_point" => entry.has("contact_points", wanted),
            "geozone" => entry.field("spatial")["zones"]
                .as_array()
                .is_some_and(|zones| zones.iter().any(|zone| super::fields::reference(zone) == Some(wanted))),
            "granularity" => entry.field("spatial")["granularity"] == wanted,
            "temporal_coverage" => {
                let start = entry.field("temporal_coverage")["start"].as_str().and_then(|start| start.get(..10));
                let (from, to) = (wanted.get(..10).unwrap_or(wanted), wanted.get(11..).unwrap_or_default());
                start.is_some_and(|start| from <= start && start <= to)
            }
            "featured" => entry.featured() == flag,
            "private" => (entry.field("private") == true) == flag,
            "archived" => entry.is_archived() == flag,
            "deleted" => entry.is_deleted() == flag,
            "is_restricted" => (entry.field("access_type") == "restricted") == flag,
            "organization" => owned.organization == Some(wanted),
            "owner" => owned.owner == Some(wanted),
            "badge" => entry.badges().iter().any(|badge| badge == wanted),
            "organization_badge" => {
                let organization = owned.organization.and_then(|id| self.community.get(Class::Organization, id));
                organization.is_some_and(|organization| organization.badges.iter().any(|badge| badge == wanted))
            }
            "followed_by" => self.community.followers(owned.id).any(|follow| follow.follower == wanted),
            "producer_type" => self.producer_types(entry).contains(&wanted),
            "last_update_range" => self.is_within(entry.modified(), wanted),
            "format" => entry.resources(|fields| text(fields, "format") == wanted),
            "schema" => entry.resources(|fields| fields["schema"]["name"] == wanted),
            "schema_version" => entry.resources(|fields| fields["schema"]["version"] == wanted),
            "topic" if class != Class::Reuse => self.in_topic(wanted, owned.id),
            "dataset" | "reuse" | "dataservice" if class == Class::Topic => self.shows(owned.id, wanted),
            "dataset" => matches!(entry, Entry::Object(object) if object.datasets.iter().any(|id| id == wanted)),
            "dataservice" if class == Class::Reuse => {
                matches!(entry, Entry::Object(object) if object.dataservices.iter().any(|id| id == wanted))
            }
            "dataservice" => uses(Class::Dataservice, wanted, |object| &object.datasets),
            "reuse" if class == Class::Dataset => uses(Class::Reuse, wanted, |object| &object.datasets),
            "reuse" => uses(Class::Reuse, wanted, |object| &object.dataservices),
            "name" => text(entry.fields(), "name").to_lowercase() == wanted.to_lowercase(),
            name => entry.field(name) == wanted,
        }
    }

    pub(super) fn is_within(&self, modified: &str, range: &str) -> bool {
        const DAY: i64 = 86_400_000_000;
        let days = match range {
            "last_30_days" => 30,
            "last_12_months" => 365,
            _ => 3 * 365,
        };
        let at = |text: &str| read_timestamp(text, true).unwrap_or_default();
        at(modified) >= at(&self.time()) - days * DAY
    }

    pub(super) fn sort(&self, found: &mut Vec<Entry<'_>>, class: Class, call: &Call<'_>) {
        // Without an order the newest comes first, where the catalogue has not forgotten to say so.
        let forgets = class == Class::Dataservice && !is_search(call.operation_id);
        let default = if forgets { "created" } else { "-created" };
        let sort = call.query("sort").filter(|sort| !sort.is_empty()).unwrap_or(default);
        let (name, descends) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
        let key = |entry: &Entry<'_>| -> (usize, String) {
            let (id, entry) = (entry.owned().id, *entry);
            let by_text = |text: &str| (0, text.to_owned());
            match name {
                "title" | "name" => by_text(entry.title()),
                "created" => by_text(entry.created()),
                "last_update" | "last_modified" => by_text(entry.modified()),
                "followers" => (self.community.followers(id).count(), String::new()),
                "datasets" | "reuses" => (self.count_of(entry, class, name), String::new()),
                "views" => (0, String::new()),
                name => by_text(text(entry.fields(), name)),
            }
        };
        // What is equal comes in the order of its creation, the newest first.
        if !forgets {
            found.reverse();
        }
        sort_by_key(found, descends, key);
    }

    /// How many datasets or reuses an object has, or is used by.
    fn count_of(&self, entry: Entry<'_>, class: Class, name: &str) -> usize {
        let id = entry.owned().id;
        let of = |owned: Owned<'_>| owned.organization == Some(id) || owned.owner == Some(id);
        match (entry, class, name) {
            (Entry::Object(object), Class::Reuse, _) => object.datasets.len(),
            (_, Class::Dataset, _) => {
                self.community.of(Class::Reuse).filter(|reuse| reuse.datasets.iter().any(|used| used == id)).count()
            }
            (_, _, "datasets") => self.datasets.iter().filter(|one| one.is_visible() && of(one.owned())).count(),
            _ => self.community.of(Class::Reuse).filter(|one| one.is_visible() && of(one.owned())).count(),
        }
    }

    /// What a call finds, in its order.
    pub(super) fn found(&self, call: &Call<'_>, class: Class) -> Result<Vec<Entry<'_>>, Reply> {
        check(call, class)?;
        let (user, in_search) = (call.user(), is_search(call.operation_id));
        let sees = |entry: &Entry<'_>| match class {
            Class::Organization | Class::User => !entry.is_deleted(),
            // An export has all that is public, what is archived too.
            _ if is_export(call.operation_id) => entry.field("private") != true && !entry.is_deleted(),
            // A search leaves out what is hidden, whoever searches, and so does a feed; topics are searched as they are
            // listed.
            _ if in_search && class != Class::Topic || is_feed(call.operation_id) => entry.is_visible(true),
            _ => entry.is_visible(false) || user == Some(User::Admin) || self.community.owns(user, entry.owned()),
        };
        let mut found: Vec<Entry<'_>> = self.entries(class).into_iter().filter(sees).collect();
        for (name, value) in &call.received.query_pairs {
            if !OF_PAGES.contains(&name.as_str()) && !value.is_empty() {
                found.retain(|entry| self.keeps(*entry, class, name, value, in_search));
            }
        }
        self.sort(&mut found, class, call);
        Ok(found)
    }

    /// A member of a list as the API shows it.
    pub(super) fn show_entry(&self, entry: Entry<'_>, api: Api, viewer: Option<User>) -> Value {
        match entry {
            Entry::Dataset(dataset) => self.show(dataset, api, viewer),
            Entry::Object(object) => self.show_object(object, api, viewer),
        }
    }
}

impl Platform {
    /// A page of what there is of a class.
    pub(super) fn list_of(&self, call: &Call<'_>, class: Class) -> Result<Reply, Reply> {
        let found = self.catalogue.found(call, class)?;
        let mut page = self.page(call, &found, |entry| self.catalogue.show_entry(*entry, call.api, call.user()))?;
        if class == Class::Organization {
            for organization in page["data"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                organization.remove("presentation_blocs");
            }
        }
        if is_search(call.operation_id) {
            let datasets: Vec<&Dataset> = found.iter().filter_map(|entry| entry.dataset()).collect();
            page["facets"] = if class == Class::Dataset { super::editing::facets(&datasets) } else { json!({}) };
        }
        Ok(Reply::json(200, &page))
    }

    /// One page of these.
    pub(super) fn page<T>(&self, call: &Call<'_>, items: &[T], show: impl Fn(&T) -> Value) -> Result<Value, Reply> {
        let number = |name: &str, what: &str, default: usize| match call.query(name).map(str::parse::<usize>) {
            None => Ok(default),
            Some(Ok(number)) if number > 0 => Ok(number),
            Some(_) => {
                let given = call.query(name).unwrap_or_default();
                let reason = format!("{what} Invalid {name}: {given}. {name} must be a positive integer");
                let body = json!({"errors": {name: reason}, "message": "Input payload validation failed"});
                Err(Reply::json(400, &body))
            }
        };
        let (page, total) = (number("page", "The page to fetch", 1)?, items.len());
        let size = number("page_size", "The page size to fetch", 20)?;
        let before = (page - 1).saturating_mul(size);
        // The search engine goes no further.
        if is_search(call.operation_id) && before.saturating_add(size) > 10_000 {
            let last = 10_000 / size;
            return Err(message(
                400,
                &format!(
                    "Result window is too large: page {page} with page_size {size} exceeds the maximum of 10000 \
                     results. Maximum page for this page_size is {last}."
                ),
            ));
        }
        // The resources of a dataset end with an empty page.
        if before >= total && page > 1 && call.operation_id != "list_resources" {
            return Err(message(404, NOT_FOUND));
        }
        let link = |page: usize| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.extend_pairs(call.received.query_pairs.iter().filter(|(key, _)| key != "page"));
            query.append_pair("page", &page.to_string());
            format!("{}{}?{}", self.catalogue.origin, call.received.path, query.finish())
        };
        let next = (before.saturating_add(size) < total).then(|| link(page + 1));
        let previous = (page > 1).then(|| link(page - 1));
        let data: Vec<Value> = items.iter().skip(before).take(size).map(show).collect();
        Ok(json!({
            "data": data, "page": page, "page_size": size, "total": total,
            "next_page": next, "previous_page": previous
        }))
    }
}
