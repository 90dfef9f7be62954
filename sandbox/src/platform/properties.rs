//! The properties of objects that a client may write.

use super::class::Class;
use super::fields::Fields;

/// What a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A text of these alone.
    Choice(&'static [&'static str]),
    Url,
    Color,
    /// Tags, which become slugs in the order of the alphabet.
    Tags,
    DateTime,
    Email,
    Siret,
    /// Anything that the document allows.
    Any,
}

/// A property that a client may write.
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    /// What it is where nobody has written it, as JSON.
    pub(crate) default: &'static str,
}

const fn property(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: false, default: "null" }
}

const fn required(name: &'static str, kind: Kind) -> Property {
    Property { required: true, ..property(name, kind) }
}

const fn defaulting(name: &'static str, kind: Kind, default: &'static str) -> Property {
    Property { default, ..property(name, kind) }
}

const ORGANIZATION: [Property; 12] = [
    required("name", Kind::Text),
    property("acronym", Kind::Text),
    required("description", Kind::Text),
    property("url", Kind::Url),
    property("image_url", Kind::Text),
    property("banner_color", Kind::Color),
    defaulting("banner_image_position", Kind::Any, "50"),
    property("business_number_id", Kind::Siret),
    defaulting("extras", Kind::Any, "{}"),
    defaulting("presentation_blocs", Kind::Any, "[]"),
    property("presentation_blocs_published_at", Kind::DateTime),
    property("deleted", Kind::DateTime),
];

const REUSE: [Property; 10] = [
    required("title", Kind::Text),
    required("description", Kind::Text),
    required("type", Kind::Choice(&TYPES)),
    required("url", Kind::Url),
    required("topic", Kind::Choice(&TOPICS)),
    defaulting("tags", Kind::Tags, "[]"),
    defaulting("private", Kind::Any, "false"),
    defaulting("extras", Kind::Any, "{}"),
    property("deleted", Kind::DateTime),
    property("archived", Kind::DateTime),
];

const DATASERVICE: [Property; 24] = [
    required("title", Kind::Text),
    property("acronym", Kind::Text),
    defaulting("description", Kind::Text, "\"\""),
    property("base_api_url", Kind::Url),
    property("machine_documentation_url", Kind::Url),
    property("technical_documentation_url", Kind::Url),
    property("business_documentation_url", Kind::Url),
    property("rate_limiting", Kind::Text),
    property("rate_limiting_url", Kind::Url),
    property("availability", Kind::Any),
    property("availability_url", Kind::Url),
    property("format", Kind::Choice(&["REST", "WMS", "WSL"])),
    property("license", Kind::Any),
    defaulting("tags", Kind::Tags, "[]"),
    defaulting("private", Kind::Any, "false"),
    defaulting("extras", Kind::Any, "{}"),
    defaulting("contact_points", Kind::Any, "[]"),
    property("deleted_at", Kind::DateTime),
    property("archived_at", Kind::DateTime),
    defaulting("access_type", Kind::Any, "\"open\""),
    defaulting("access_audiences", Kind::Any, "[]"),
    property("access_type_reason", Kind::Text),
    property("access_type_reason_category", Kind::Text),
    property("authorization_request_url", Kind::Url),
];

const TOPIC: [Property; 7] = [
    required("name", Kind::Text),
    property("description", Kind::Text),
    defaulting("tags", Kind::Any, "[]"),
    property("color", Kind::Any),
    property("private", Kind::Any),
    defaulting("extras", Kind::Any, "{}"),
    property("spatial", Kind::Any),
];

pub(super) const ELEMENT: [Property; 4] = [
    property("title", Kind::Text),
    property("description", Kind::Text),
    defaulting("tags", Kind::Any, "[]"),
    defaulting("extras", Kind::Any, "{}"),
];

/// The roles of a contact point.
pub(super) const CONTACT_ROLES: [&str; 11] = [
    "contact",
    "creator",
    "publisher",
    "rightsHolder",
    "custodian",
    "distributor",
    "originator",
    "principalInvestigator",
    "processor",
    "resourceProvider",
    "user",
];

pub(super) const CONTACT_POINT: [Property; 4] = [
    required("role", Kind::Choice(&CONTACT_ROLES)),
    property("name", Kind::Text),
    property("email", Kind::Email),
    property("contact_form", Kind::Url),
];

pub(super) const POST: [Property; 10] = [
    required("name", Kind::Text),
    property("headline", Kind::Text),
    property("content", Kind::Text),
    property("image_url", Kind::Text),
    property("credit_to", Kind::Text),
    property("credit_url", Kind::Url),
    defaulting("tags", Kind::Any, "[]"),
    defaulting("body_type", Kind::Any, "\"markdown\""),
    defaulting("kind", Kind::Any, "\"news\""),
    defaulting("sidemenu", Kind::Any, "false"),
];

const USER: [Property; 7] = [
    required("email", Kind::Email),
    required("first_name", Kind::Text),
    required("last_name", Kind::Text),
    property("website", Kind::Url),
    property("about", Kind::Text),
    defaulting("mail_cadence", Kind::Any, "\"immediate\""),
    defaulting("notifications_paused", Kind::Any, "false"),
];

pub(super) fn properties(class: Class) -> &'static [Property] {
    match class {
        Class::Organization => &ORGANIZATION,
        Class::Reuse => &REUSE,
        Class::Dataservice => &DATASERVICE,
        Class::Topic => &TOPIC,
        Class::User => &USER,
        Class::Dataset => &[],
    }
}

pub(super) const TYPES: [&str; 8] =
    ["api", "application", "idea", "news_article", "paper", "post", "visualization", "hardware"];

pub(super) const TOPICS: [&str; 15] = [
    "health",
    "transport_and_mobility",
    "housing_and_development",
    "food_and_agriculture",
    "culture_and_recreation",
    "economy_and_business",
    "environment_and_energy",
    "work_and_training",
    "politics_and_public_life",
    "safety_and_security",
    "education_and_research",
    "society_and_demography",
    "law_and_justice",
    "open_data_tools",
    "others",
];

/// The properties of a class as nobody has written them.
pub(super) fn defaults(class: Class) -> Fields {
    defaults_of(properties(class))
}

pub(super) fn defaults_of(properties: &[Property]) -> Fields {
    let all = properties.iter().map(|one| {
        let default = serde_json::from_str(one.default).unwrap_or_default();
        (one.name.to_owned(), default)
    });
    all.collect()
}
