//! Organizations, reuses, dataservices, topics and users as the API shows them, and as others refer to them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::catalogue::Catalogue;
use super::class::Class;
use super::fields::{Fields, badges};
use super::objects::{Element, Follow, Member, Membership, Object};
use crate::Api;
use crate::api::base;
use crate::client::User;

/// How a role is called.
pub(super) const ROLES: [(&str, &str, &str); 3] = [
    ("admin", "Administrateur", "Peut gérer l'organisation, les membres et tous les contenus."),
    ("editor", "Éditeur", "Peut créer et modifier tous les contenus de l'organisation."),
    ("partial_editor", "Éditeur partiel", "Peut créer des contenus et modifier seulement certains contenus."),
];

fn merged(fields: &Fields, known: Value) -> Value {
    let mut all = fields.clone();
    all.extend(known.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

impl Catalogue {
    pub(super) fn api_url(&self, class: Class, slug: &str) -> String {
        let api = if class == Class::Topic { Api::MainV2 } else { Api::Main };
        format!("{}{}/{}/{slug}/", self.origin, base(api), class.path())
    }

    fn web_url(&self, class: Class, slug: &str) -> String {
        format!("{}/{}/{slug}", self.origin, class.path())
    }

    /// A user as others refer to them; null where there is none.
    pub(crate) fn user_ref(&self, id: Option<&str>) -> Value {
        let Some(user) = id.and_then(|id| self.community.get(Class::User, id)) else { return Value::Null };
        json!({
            "class": "User", "id": user.id, "slug": user.slug, "first_name": user.fields["first_name"],
            "last_name": user.fields["last_name"], "avatar": null, "avatar_thumbnail": null,
            "deleted": user.deleted, "page": self.web_url(Class::User, &user.slug),
            "uri": self.api_url(Class::User, &user.slug)
        })
    }

    /// A user as those see them who deal with members: with an address of which little is left.
    fn contact(&self, id: Option<&str>, belongs: bool, viewer: Option<User>) -> Value {
        let mut person = self.user_ref(id);
        let user = id.and_then(|id| self.community.get(Class::User, id));
        if let (Some(person), Some(user)) = (person.as_object_mut(), user) {
            person.insert("email".to_owned(), visible_email(user, belongs, viewer));
            person.insert("last_login_at".to_owned(), Value::Null);
        }
        person
    }

    /// An organization as its objects refer to it; null where there is none.
    pub(crate) fn organization_ref(&self, id: Option<&str>, viewer: Option<User>) -> Value {
        let Some(found) = id.and_then(|id| self.community.get(Class::Organization, id)) else { return Value::Null };
        json!({
            "class": "Organization", "id": found.id, "name": found.fields["name"], "slug": found.slug,
            "acronym": found.fields.get("acronym"), "badges": badges(&found.badges), "logo": null,
            "logo_thumbnail": null, "page": self.web_url(Class::Organization, &found.slug),
            "uri": self.api_url(Class::Organization, &found.slug),
            "permissions": self.organization_permissions(&found.id, viewer)
        })
    }

    fn organization_permissions(&self, id: &str, viewer: Option<User>) -> Value {
        let (edit, private) = (self.community.administers(viewer, id), self.community.belongs(viewer, id));
        json!({"delete": edit, "edit": edit, "harvest": edit, "members": edit, "private": private})
    }

    pub(crate) fn member(&self, member: &Member, viewer: Option<User>) -> Value {
        let label = ROLES.iter().find(|(role, ..)| *role == member.role).map(|(_, label, _)| *label);
        let belongs = self.community.belongs(viewer, &member.organization);
        json!({
            "user": self.contact(Some(&member.user), belongs, viewer), "role": member.role, "since": member.since,
            "label": label
        })
    }

    pub(crate) fn membership(&self, one: &Membership, viewer: Option<User>) -> Value {
        let belongs = self.community.belongs(viewer, &one.organization);
        let assignments: Value =
            one.assignments.iter().map(|(class, id)| json!({"class": class.name(), "id": id})).collect();
        json!({
            "id": one.id, "user": one.user.as_deref().map(|id| self.contact(Some(id), true, viewer).clone()),
            "email": one.email.as_ref().filter(|_| belongs), "status": one.status, "created": one.created,
            "kind": if one.invitation { "invitation" } else { "request" }, "role": one.role, "comment": one.comment,
            "assignments": assignments
        })
    }

    pub(crate) fn follow(&self, follow: &Follow) -> Value {
        json!({"id": follow.id, "follower": self.user_ref(Some(&follow.follower)), "since": follow.since})
    }

    pub(crate) fn element(&self, element: &Element) -> Value {
        let shows = element.shows.as_ref().map(|(class, id)| json!({"class": class.name(), "id": id}));
        merged(&element.fields, json!({"id": element.id, "element": shows}))
    }

    /// An object as the API shows it.
    pub(crate) fn show_object(&self, object: &Object, api: Api, viewer: Option<User>) -> Value {
        match object.class {
            Class::Organization => self.show_organization(object, viewer),
            Class::Reuse => self.show_reuse(object, api, viewer),
            Class::Dataservice => self.show_dataservice(object, viewer),
            Class::Topic => self.show_topic(object, viewer),
            Class::User => self.show_user(object, viewer),
            Class::Dataset => Value::Null,
        }
    }

    fn show_organization(&self, organization: &Object, viewer: Option<User>) -> Value {
        let id = organization.id.as_str();
        let members: Value = self
            .community
            .members
            .iter()
            .filter(|member| member.organization == id)
            .map(|member| self.member(member, viewer))
            .collect();
        let published = !organization.fields["presentation_blocs_published_at"].is_null();
        let mut shown = merged(
            &organization.fields,
            json!({
                "id": id, "slug": organization.slug, "created_at": organization.created,
                "last_modified": organization.modified, "deleted": organization.deleted, "members": members,
                "badges": badges(&organization.badges), "metrics": self.organization_metrics(id), "teams": [],
                "ext": {}, "zone": null, "logo": null, "logo_thumbnail": null, "banner_image": null,
                "page": self.web_url(Class::Organization, &organization.slug),
                "uri": self.api_url(Class::Organization, &organization.slug),
                "permissions": self.organization_permissions(id, viewer)
            }),
        );
        if !published && !self.community.administers(viewer, id) {
            shown["presentation_blocs"] = json!([]);
        }
        shown
    }

    fn organization_metrics(&self, id: &str) -> Value {
        let datasets = || self.datasets.iter().filter(|dataset| dataset.organization.as_deref() == Some(id));
        let of = |class: Class| {
            self.community.of(class).filter(|object| object.organization.as_deref() == Some(id)).collect::<Vec<_>>()
        };
        let (reuses, services) = (of(Class::Reuse), of(Class::Dataservice));
        let visible: Vec<&str> = datasets().filter(|one| one.is_visible()).map(|one| one.created_at.as_str()).collect();
        let reuse_dates: Vec<&str> =
            reuses.iter().filter(|one| one.is_visible()).map(|one| one.created.as_str()).collect();
        let service_dates: Vec<&str> =
            services.iter().filter(|one| one.is_visible()).map(|one| one.created.as_str()).collect();
        let follows = |ids: Vec<&str>| -> Vec<&str> {
            let follows = self.community.follows.iter().filter(|follow| ids.contains(&follow.following.as_str()));
            follows.map(|follow| follow.since.as_str()).collect()
        };
        let dataset_ids: Vec<&str> = datasets().map(|one| one.id.as_str()).collect();
        let uses = |reuse: &&Object| {
            reuse.is_visible() && reuse.datasets.iter().any(|used| dataset_ids.contains(&used.as_str()))
        };
        let reusing: Vec<&str> =
            self.community.of(Class::Reuse).filter(uses).map(|reuse| reuse.created.as_str()).collect();
        // What was never counted is 0, in the place of months.
        let months = |dates: &[&str], counted: bool| if counted { self.by_months(dates) } else { json!(0) };
        let any = !dataset_ids.is_empty();
        json!({
            "dataservices": service_dates.len(),
            "dataservices_by_months": months(&service_dates, !services.is_empty()),
            "datasets": visible.len(), "datasets_by_months": months(&visible, any),
            "datasets_followers_by_months": months(&follows(dataset_ids.clone()), any),
            "datasets_reuses_by_months": months(&reusing, any),
            "followers": self.community.followers(id).count(),
            "members": self.community.members.iter().filter(|member| member.organization == id).count(),
            "reuses": reuse_dates.len(), "reuses_by_months": months(&reuse_dates, !reuses.is_empty()),
            "reuses_followers_by_months":
                months(&follows(reuses.iter().map(|one| one.id.as_str()).collect()), !reuses.is_empty()),
            "views": 0
        })
    }

    /// How many there were of something in each of thirteen months, the last one being that of the clock.
    pub(crate) fn by_months(&self, dates: &[&str]) -> Value {
        let now = self.time();
        let (year, month) = now.split_once('-').unwrap_or_default();
        let month = month.get(..2).and_then(|month| month.parse::<i64>().ok()).unwrap_or(1);
        let last = year.parse::<i64>().unwrap_or(2026) * 12 + month - 1;
        let mut months: BTreeMap<String, usize> =
            (last - 12..=last).map(|month| (format!("{:04}-{:02}", month / 12, month % 12 + 1), 0)).collect();
        for date in dates {
            if let Some(count) = date.get(..7).and_then(|month| months.get_mut(month)) {
                *count += 1;
            }
        }
        json!(months)
    }

    /// The counts of discussions of an object, and of its followers.
    pub(crate) fn attention(&self, id: &str) -> Map<String, Value> {
        let about = || self.discussions.iter().filter(|discussion| discussion["subject"]["id"] == *id);
        let followers = self.community.followers(id).count();
        // By month, the real catalogue finds none.
        let months = if followers == 0 { json!(0) } else { self.by_months(&[]) };
        let counts = json!({
            "discussions": about().count(),
            "discussions_open": about().filter(|discussion| discussion["closed"].is_null()).count(),
            "followers": followers, "followers_by_months": months, "views": 0
        });
        counts.as_object().cloned().unwrap_or_default()
    }

    fn owners(&self, object: &Object, viewer: Option<User>) -> Value {
        let edits = self.community.edits(viewer, object.owned());
        json!({
            "owner": self.user_ref(object.owner.as_deref()),
            "organization": self.organization_ref(object.organization.as_deref(), viewer),
            "permissions": {"delete": edits, "edit": edits}
        })
    }

    fn show_reuse(&self, reuse: &Object, api: Api, viewer: Option<User>) -> Value {
        let mut metrics = self.attention(&reuse.id);
        metrics.insert("datasets".to_owned(), json!(reuse.datasets.len()));
        let used = |ids: &[String]| ids.iter().filter(|id| self.owned(Class::Dataset, id).is_some()).count();
        let (datasets, dataservices) = if api == Api::MainV2 {
            let link = |api: Api, class: Class, total: usize| {
                let query = format!("reuse={}&page=1&page_size=50", reuse.id);
                let href = format!("{}{}/{}/?{query}", self.origin, base(api), class.path());
                json!({"rel": "subsection", "href": href, "type": "GET", "total": total})
            };
            let datasets = link(Api::MainV2, Class::Dataset, used(&reuse.datasets));
            (datasets, link(Api::Main, Class::Dataservice, reuse.dataservices.len()))
        } else {
            let datasets = reuse.datasets.iter().filter_map(|id| self.datasets.iter().find(|one| one.id == *id));
            let datasets = datasets.map(|one| self.show(one, Api::Main, viewer));
            let services = reuse.dataservices.iter().filter_map(|id| self.community.get(Class::Dataservice, id));
            (datasets.collect(), services.map(|one| self.service_ref(one)).collect())
        };
        let known = merged(
            &reuse.fields,
            json!({
                "id": reuse.id, "slug": reuse.slug, "created_at": reuse.created, "last_modified": reuse.modified,
                "deleted": reuse.deleted, "badges": badges(&reuse.badges), "featured": reuse.featured,
                "image_thumbnail": null, "image": null, "metrics": metrics, "datasets": datasets,
                "dataservices": dataservices, "page": self.web_url(Class::Reuse, &reuse.slug),
                "uri": self.api_url(Class::Reuse, &reuse.slug)
            }),
        );
        merged(&known.as_object().cloned().unwrap_or_default(), self.owners(reuse, viewer))
    }

    fn service_ref(&self, service: &Object) -> Value {
        json!({
            "class": "Dataservice", "id": service.id, "title": service.fields["title"],
            "self_api_url": self.api_url(Class::Dataservice, &service.slug),
            "self_web_url": self.web_url(Class::Dataservice, &service.slug)
        })
    }

    fn show_dataservice(&self, service: &Object, viewer: Option<User>) -> Value {
        let mut metrics = self.attention(&service.id);
        let reuses = self.community.of(Class::Reuse).filter(|reuse| reuse.dataservices.contains(&service.id)).count();
        metrics.insert("reuses".to_owned(), json!(reuses));
        let href = format!("{}{}/datasets/?dataservice={}", self.origin, base(Api::Main), service.id);
        let known = merged(
            &service.fields,
            json!({
                "id": service.id, "slug": service.slug, "created_at": service.created,
                "contact_points": self.contact_points(&service.fields["contact_points"], viewer),
                "metadata_modified_at": service.modified, "deleted_at": service.deleted, "featured": service.featured,
                "badges": badges(&service.badges), "metrics": metrics,
                "datasets": {"rel": "subsection", "href": href, "type": "GET", "total": service.datasets.len()},
                "harvest": {
                    "archived_at": null, "archived_reason": null, "backend": null, "created_at": null, "domain": null,
                    "issued_at": null, "last_update": null, "modified_at": null, "remote_id": null,
                    "remote_url": null, "source_id": null, "source_url": null, "uri": null
                },
                "self_api_url": self.api_url(Class::Dataservice, &service.slug),
                "self_web_url": self.web_url(Class::Dataservice, &service.slug)
            }),
        );
        merged(&known.as_object().cloned().unwrap_or_default(), self.owners(service, viewer))
    }

    fn show_topic(&self, topic: &Object, viewer: Option<User>) -> Value {
        let url = format!("{}{}/topics/{}/elements/", self.origin, base(Api::MainV2), topic.id);
        let total = self.community.elements_of(&topic.id).count();
        let mut known = merged(
            &topic.fields,
            json!({
                "id": topic.id, "slug": topic.slug, "created_at": topic.created, "last_modified": topic.modified,
                "featured": topic.featured == true, "page": self.web_url(Class::Topic, &topic.slug),
                "uri": self.api_url(Class::Topic, &topic.slug),
                "elements": {
                    "rel": "subsection", "href": format!("{url}?page=1&page_size=20"), "type": "GET", "total": total
                },
                "owner": self.user_ref(topic.owner.as_deref()),
                "organization": self.organization_ref(topic.organization.as_deref(), viewer)
            }),
        );
        known["spatial"] = spatial(&known["spatial"]);
        known
    }

    /// A user: what is between them and the platform is for themselves and sysadmins.
    fn show_user(&self, user: &Object, viewer: Option<User>) -> Value {
        let own = viewer.is_some_and(|viewer| viewer == User::Admin || viewer.id() == user.id);
        let id = user.id.as_str();
        let owned = |class: Class| {
            let of = self.community.of(class).filter(|one| one.owner.as_deref() == Some(id) && one.is_visible());
            of.count()
        };
        let datasets = self.datasets.iter().filter(|one| one.owner.as_deref() == Some(id) && one.is_visible()).count();
        let organizations: Value = self
            .community
            .of(Class::Organization)
            .filter(|one| one.deleted.is_none() && self.community.role(&one.id, id).is_some())
            .map(|one| self.organization_ref(Some(&one.id), viewer))
            .collect();
        let mut shown = merged(
            &user.fields,
            json!({
                "id": id, "slug": user.slug, "since": user.created, "deleted": user.deleted, "avatar": null,
                "avatar_thumbnail": null, "organizations": organizations,
                "last_login_at": if own { json!(user.created) } else { Value::Null },
                "password_rotation_performed": null, "page": self.web_url(Class::User, &user.slug),
                "uri": self.api_url(Class::User, &user.slug),
                "metrics": {
                    "dataservices": owned(Class::Dataservice), "datasets": datasets, "reuses": owned(Class::Reuse),
                    "followers": self.community.followers(id).count(),
                    "following": self.community.follows.iter().filter(|follow| follow.follower == id).count()
                }
            }),
        );
        for name in ["email", "mail_cadence", "notifications_paused", "password_rotation_demanded"] {
            if !own || shown.get(name).is_none() {
                shown[name] = Value::Null;
            }
        }
        shown
    }
}

impl Object {
    /// Whether an object counts, and is found by everybody.
    pub(crate) fn is_visible(&self) -> bool {
        let archived =
            ["archived", "archived_at"].iter().any(|name| !self.fields.get(*name).is_none_or(Value::is_null));
        match self.class {
            Class::Reuse => !self.is_private() && self.deleted.is_none() && !self.datasets.is_empty(),
            Class::Dataservice => !self.is_private() && self.deleted.is_none() && !archived,
            _ => !self.is_private() && self.deleted.is_none(),
        }
    }
}

/// A spatial coverage as it is read back: all three of its properties.
pub(super) fn spatial(value: &Value) -> Value {
    let Some(written) = value.as_object() else { return Value::Null };
    let ids = |value: &Value| super::fields::reference(value).map(str::to_owned);
    let zones: Vec<String> =
        written.get("zones").and_then(Value::as_array).into_iter().flatten().filter_map(ids).collect();
    let granularity = written.get("granularity").and_then(ids);
    json!({
        "zones": zones, "granularity": granularity.unwrap_or_else(|| "other".to_owned()),
        "geom": written.get("geom").filter(|geom| !geom.is_null())
    })
}

/// An address as a viewer may see it.
pub(super) fn visible_email(user: &Object, belongs: bool, viewer: Option<User>) -> Value {
    let Some(email) = user.fields["email"].as_str() else { return Value::Null };
    let Some((name, domain)) = email.split_once('@') else { return json!(email) };
    if viewer == Some(User::Admin) {
        return json!(email);
    }
    if !belongs {
        return json!(format!("***@{domain}"));
    }
    let shown: String = name.chars().take(2).collect();
    json!(format!("{shown}{}@{domain}", "*".repeat(name.chars().count().saturating_sub(2))))
}
