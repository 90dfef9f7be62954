//! What the catalogue holds beside datasets, as rows of a few tables: organizations, reuses, dataservices, topics and
//! users; who follows what and belongs to which organization; and who may see and change it.

use serde_json::{Value, json};

use super::class::Class;
use super::fields::{Fields, slug};
use super::properties::defaults;
use super::samples::ORGANIZATIONS;
use crate::client::User;

/// An organization, a reuse, a dataservice, a topic or a user.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) class: Class,
    pub(crate) id: String,
    pub(crate) slug: String,
    /// Slugs that it had before it was renamed; they lead to it still.
    pub(crate) old_slugs: Vec<String>,
    /// What a client may write.
    pub(crate) fields: Fields,
    pub(crate) created: String,
    pub(crate) modified: String,
    pub(crate) deleted: Option<String>,
    /// The ids of its owner and of its organization, of which one is set at most.
    pub(crate) owner: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) featured: Value,
    pub(crate) badges: Vec<String>,
    /// The ids of what a reuse or a dataservice uses.
    pub(crate) datasets: Vec<String>,
    pub(crate) dataservices: Vec<String>,
}

/// A user as one of an organization.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) organization: String,
    pub(crate) user: String,
    pub(crate) role: String,
    pub(crate) since: String,
}

/// The wish of a user to belong to an organization, or an invitation.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) id: String,
    pub(crate) organization: String,
    pub(crate) user: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) invitation: bool,
    pub(crate) status: &'static str,
    pub(crate) role: String,
    pub(crate) comment: Option<String>,
    pub(crate) created: String,
    pub(crate) assignments: Vec<(Class, String)>,
}

/// Something of an organization that a partial editor edits.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    pub(crate) id: String,
    pub(crate) organization: String,
    pub(crate) user: String,
    pub(crate) class: Class,
    pub(crate) subject: String,
    pub(crate) created: String,
}

/// A user who follows something.
#[derive(Debug, Clone)]
pub(crate) struct Follow {
    pub(crate) id: String,
    pub(crate) follower: String,
    pub(crate) following: String,
    pub(crate) since: String,
}

/// An element of a topic.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) id: String,
    pub(crate) topic: String,
    pub(crate) fields: Fields,
    /// What it shows, if anything.
    pub(crate) shows: Option<(Class, String)>,
}

/// All of these.
#[derive(Debug, Default)]
pub(crate) struct Community {
    pub(crate) objects: Vec<Object>,
    pub(crate) members: Vec<Member>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) follows: Vec<Follow>,
    pub(crate) elements: Vec<Element>,
}

/// Who owns an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owned<'a> {
    pub(crate) class: Class,
    pub(crate) id: &'a str,
    pub(crate) owner: Option<&'a str>,
    pub(crate) organization: Option<&'a str>,
}

impl Object {
    pub(crate) fn owned(&self) -> Owned<'_> {
        let (owner, organization) = (self.owner.as_deref(), self.organization.as_deref());
        Owned { class: self.class, id: &self.id, owner, organization }
    }

    pub(crate) fn is_private(&self) -> bool {
        self.fields.get("private") == Some(&Value::Bool(true))
    }

    /// The text that a search looks into.
    pub(crate) fn title(&self) -> &str {
        super::fields::text(&self.fields, self.class.titled_by())
    }
}

impl User {
    /// The id of the account that has the key.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Admin => "5f43ab12cd34ef5678ab9100",
            Self::Stranger => "5f43ab12cd34ef5678ab9102",
            Self::Editor | Self::Revoked => "5f43ab12cd34ef5678ab9101",
        }
    }
}

impl Community {
    /// The organizations and the users from the start.
    pub(crate) fn new(now: &str) -> Self {
        let mut all = Self::default();
        for (user, first, last, email, roles) in [
            (User::Admin, "Sacha", "Administration", "sacha@example.org", json!(["admin"])),
            (User::Editor, "Camille", "Démonstration", "camille@example.org", json!([])),
            (User::Stranger, "Claude", "Passage", "claude@example.org", json!([])),
        ] {
            let fields = json!({
                "first_name": first, "last_name": last, "email": email, "active": true, "roles": roles, "about": null,
                "website": null, "mail_cadence": "immediate", "notifications_paused": false
            });
            let slug = slug(&format!("{first} {last}"));
            let person = Object::new(Class::User, user.id().to_owned(), fields, now);
            all.objects.push(Object { slug, ..person });
        }
        for (id, name, slug) in ORGANIZATIONS {
            let fields = json!({"name": name, "description": format!("{name}, pour essayer.")});
            let organization = Object::new(Class::Organization, id.to_owned(), fields, now);
            let badges = vec!["public-service".to_owned()];
            all.objects.push(Object { slug: slug.to_owned(), badges, ..organization });
            all.join(id, User::Editor.id(), "admin", now);
        }
        all
    }

    pub(crate) fn join(&mut self, organization: &str, user: &str, role: &str, now: &str) {
        self.members.push(Member {
            organization: organization.to_owned(),
            user: user.to_owned(),
            role: role.to_owned(),
            since: now.to_owned(),
        });
    }

    pub(crate) fn of(&self, class: Class) -> impl DoubleEndedIterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.class == class)
    }

    pub(crate) fn get(&self, class: Class, id: &str) -> Option<&Object> {
        self.of(class).find(|object| object.id == id)
    }

    /// The place of an object by its id, its slug, or one that it had.
    pub(crate) fn position(&self, class: Class, name: &str) -> Option<usize> {
        let find =
            |is: &dyn Fn(&Object) -> bool| self.objects.iter().position(|object| object.class == class && is(object));
        find(&|object| object.id == name || object.slug == name)
            .or_else(|| find(&|object| object.old_slugs.iter().any(|slug| slug == name)))
    }

    /// The role of a user in an organization.
    pub(crate) fn role(&self, organization: &str, user: &str) -> Option<&str> {
        let member = self.members.iter().find(|one| one.organization == organization && one.user == user)?;
        Some(&member.role)
    }

    pub(crate) fn administers(&self, user: Option<User>, organization: &str) -> bool {
        user.is_some_and(|user| user == User::Admin || self.role(organization, user.id()) == Some("admin"))
    }

    /// Whether a user sees what an organization keeps to itself.
    pub(crate) fn belongs(&self, user: Option<User>, organization: &str) -> bool {
        user.is_some_and(|user| user == User::Admin || self.role(organization, user.id()).is_some())
    }

    /// Whether a user owns an object, alone or as a member of its organization.
    pub(crate) fn owns(&self, user: Option<User>, object: Owned<'_>) -> bool {
        let Some(user) = user else { return false };
        match object.organization {
            Some(organization) => self.role(organization, user.id()).is_some(),
            None => object.owner == Some(user.id()),
        }
    }

    /// Whether a user may change an object.
    pub(crate) fn edits(&self, user: Option<User>, object: Owned<'_>) -> bool {
        let Some(user) = user else { return false };
        let Some(organization) = object.organization.filter(|_| user != User::Admin) else {
            return user == User::Admin || object.owner == Some(user.id());
        };
        match self.role(organization, user.id()) {
            Some("admin" | "editor") => true,
            Some(_) => self.assignments.iter().any(|one| one.user == user.id() && one.subject == object.id),
            None => false,
        }
    }

    /// Whether a user sees an object that is private or deleted.
    pub(crate) fn sees_hidden(&self, user: Option<User>, object: Owned<'_>) -> bool {
        user == Some(User::Admin) || self.owns(user, object)
    }

    pub(crate) fn followers(&self, id: &str) -> impl Iterator<Item = &Follow> {
        self.follows.iter().filter(move |follow| follow.following == id)
    }

    pub(crate) fn elements_of(&self, topic: &str) -> impl Iterator<Item = &Element> {
        self.elements.iter().filter(move |element| element.topic == topic)
    }
}

impl Object {
    /// An object with what is written, and the defaults of what is not.
    pub(crate) fn new(class: Class, id: String, written: Value, now: &str) -> Self {
        let mut fields = defaults(class);
        fields.extend(written.as_object().cloned().unwrap_or_default());
        Self {
            class,
            id,
            slug: String::new(),
            old_slugs: Vec::new(),
            fields,
            created: now.to_owned(),
            modified: now.to_owned(),
            deleted: None,
            owner: None,
            organization: None,
            featured: Value::Null,
            badges: Vec::new(),
            datasets: Vec::new(),
            dataservices: Vec::new(),
        }
    }
}
