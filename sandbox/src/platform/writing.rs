//! What a client may write of a thing, and how the catalogue refuses it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Call;
use super::catalogue::{Catalogue, Fields, slug};
use super::moment::{read_timestamp, write_timestamp};
use super::objects::{Class, Object};
use crate::client::User;
use crate::response::Reply;
use crate::sort::sort_by;

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
    Moment,
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
    property("presentation_blocs_published_at", Kind::Moment),
    property("deleted", Kind::Moment),
];

const REUSE: [Property; 10] = [
    required("title", Kind::Text),
    required("description", Kind::Text),
    required("type", Kind::Choice(&super::reuses::TYPES)),
    required("url", Kind::Url),
    required("topic", Kind::Choice(&super::reuses::TOPICS)),
    defaulting("tags", Kind::Tags, "[]"),
    defaulting("private", Kind::Any, "false"),
    defaulting("extras", Kind::Any, "{}"),
    property("deleted", Kind::Moment),
    property("archived", Kind::Moment),
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
    property("deleted_at", Kind::Moment),
    property("archived_at", Kind::Moment),
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

const USER: [Property; 7] = [
    required("email", Kind::Email),
    required("first_name", Kind::Text),
    required("last_name", Kind::Text),
    property("website", Kind::Url),
    property("about", Kind::Text),
    defaulting("mail_cadence", Kind::Any, "\"immediate\""),
    defaulting("notifications_paused", Kind::Any, "false"),
];

fn properties(class: Class) -> &'static [Property] {
    match class {
        Class::Organization => &ORGANIZATION,
        Class::Reuse => &REUSE,
        Class::Dataservice => &DATASERVICE,
        Class::Topic => &TOPIC,
        Class::User => &USER,
        Class::Dataset => &[],
    }
}

/// A form with one wrong field.
pub(super) fn wrong(field: &str, reason: &str) -> Reply {
    Reply::json(400, &json!({"errors": {field: reason}, "message": reason}))
}

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

/// A moment as the catalogue writes it; a text without a zone is of UTC.
pub(super) fn moment(value: &Value) -> Value {
    match value.as_str().map(|text| read_timestamp(text, true)) {
        Some(Ok(micros)) => {
            // The catalogue writes all six digits of a fraction, or none.
            let text = write_timestamp(micros, 'T', "");
            let text = match text.split_once('.') {
                Some((seconds, fraction)) => format!("{seconds}.{fraction:0<6}"),
                None => text,
            };
            json!(format!("{text}+00:00"))
        }
        _ => value.clone(),
    }
}

/// Tags as the catalogue keeps them.
pub(super) fn tags(value: &Value) -> Value {
    let mut tags: Vec<String> = value.as_array().into_iter().flatten().filter_map(Value::as_str).map(slug).collect();
    sort_by(&mut tags, Ord::cmp);
    tags.dedup();
    json!(tags)
}

/// Writes the properties of a body, those that it has.
pub(super) fn write(fields: &mut Fields, body: &Value, properties: &[Property]) -> Result<(), Reply> {
    for property in properties {
        let Some(value) = body.get(property.name) else { continue };
        let value = match value.as_str() {
            Some(text) if text.trim().is_empty() && property.kind != Kind::Any => Value::Null,
            _ => value.clone(),
        };
        if let (Kind::Choice(choices), Some(text)) = (property.kind, value.as_str())
            && !choices.contains(&text)
        {
            let valid = choices.iter().map(|choice| format!("'{choice}'")).collect::<Vec<_>>().join(", ");
            return Err(wrong(property.name, &format!("'{text}' is not a valid choice. Valid choices: [{valid}]")));
        }
        let value = match property.kind {
            _ if value.is_null() => serde_json::from_str(property.default).unwrap_or_default(),
            Kind::Tags => tags(&value),
            Kind::Moment => moment(&value),
            _ => value,
        };
        fields.insert(property.name.to_owned(), value);
    }
    Ok(())
}

/// What is wrong with a property, where the catalogue looks when it saves.
fn fault(property: &Property, value: &Value) -> Option<String> {
    match (property.kind, value.as_str()) {
        _ if property.required && value.is_null() => Some("Field is required".to_owned()),
        (Kind::Url, Some(url)) => {
            let good =
                reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            (!good).then(|| format!("URL invalide \"{url}\""))
        }
        (Kind::Color, Some(color)) => {
            let digits = color.strip_prefix('#').unwrap_or_default();
            let good = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            (!good).then(|| "String value did not match validation regex".to_owned())
        }
        _ => None,
    }
}

/// What is wrong before anything is saved: the checks that look at one value that has changed.
fn check(property: &Property, value: &Value) -> Result<(), Reply> {
    let Some(text) = value.as_str() else { return Ok(()) };
    let reason = match property.kind {
        Kind::Siret if text.chars().count() != 14 => "Un numéro siret est composé de 14 chiffres",
        Kind::Siret if !text.bytes().take(9).all(|byte| byte.is_ascii_digit()) => {
            "Un numéro siret est composé uniquement de chiffres"
        }
        Kind::Siret if !is_siren(text) => "Numéro siret invalide",
        Kind::Email if !is_email(text) => "Invalid email address",
        _ => return Ok(()),
    };
    Err(wrong(property.name, reason))
}

/// Whether the first nine digits are those of an enterprise.
fn is_siren(text: &str) -> bool {
    let sum: u32 = text
        .bytes()
        .take(9)
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte.saturating_sub(b'0')) * if index % 2 == 1 { 2 } else { 1 };
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    text == "35600000000048" || sum.is_multiple_of(10)
}

pub(super) fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && domain.contains('.') && !domain.contains('@') && !text.contains(char::is_whitespace)
    })
}

/// Refuses a thing as the database does, all that is wrong at once.
fn save(class: Class, id: Option<&str>, fields: &Fields, hash: bool) -> Result<(), Reply> {
    let mut errors = Map::new();
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for property in properties(class) {
        let Some(reason) = fault(property, fields.get(property.name).unwrap_or(&Value::Null)) else { continue };
        // The hash of a URL is required as the URL is.
        let names: &[&str] =
            if property.name == "url" && property.required && hash { &["url", "urlhash"] } else { &[property.name] };
        for name in names.iter().filter(|name| **name != "urlhash" || reason == "Field is required") {
            errors.insert((*name).to_owned(), json!(reason));
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) => names.push(name),
                None => reasons.push((reason.clone(), vec![name])),
            }
        }
    }
    if errors.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for (reason, names) in &reasons {
        let names = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let _ = write!(text, "{}{reason}: [{names}]", if text.is_empty() { "" } else { " " });
    }
    let message = format!("ValidationError ({}:{}) ({text})", class.name(), id.unwrap_or("None"));
    Err(Reply::json(400, &json!({"errors": errors, "message": message})))
}

/// The id of a reference: written alone, or as an object.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["id"].as_str())
}

impl Catalogue {
    /// The thing with what a body writes, refused as the catalogue does.
    pub(super) fn written(
        &self,
        before: &Object,
        body: &Value,
        call: &Call<'_>,
        is_new: bool,
    ) -> Result<Object, Reply> {
        let mut object = before.clone();
        let class = object.class;
        write(&mut object.fields, body, properties(class))?;
        for (name, wanted) in [("datasets", Class::Dataset), ("dataservices", Class::Dataservice)] {
            if let (Some(list), Class::Reuse | Class::Dataservice) = (body.get(name).and_then(Value::as_array), class) {
                let ids = list.iter().map(|one| self.known(name, wanted, one)).collect::<Result<Vec<_>, _>>()?;
                *(if wanted == Class::Dataset { &mut object.datasets } else { &mut object.dataservices }) = ids;
            }
        }
        for property in properties(class) {
            let value = object.fields.get(property.name).unwrap_or(&Value::Null);
            if is_new || before.fields.get(property.name) != Some(value) {
                check(property, value)?;
            }
        }
        let url = |object: &Object| object.fields.get("url").cloned().unwrap_or_default();
        let taken = |other: &Object| other.id != object.id && !url(other).is_null() && url(other) == url(&object);
        if class == Class::Reuse && self.community.of(class).any(taken) {
            return Err(wrong("url", "Cette URL est déjà enregistrée"));
        }
        if !matches!(class, Class::Organization | Class::User) {
            self.write_ownership(&mut object, body, call, is_new)?;
        }
        save(class, (!is_new).then_some(object.id.as_str()), &object.fields, true)?;
        Ok(object)
    }

    /// The id of something that has to be there.
    pub(super) fn known(&self, field: &str, class: Class, value: &Value) -> Result<String, Reply> {
        let id = reference(value).unwrap_or_default();
        if !is_id(id) {
            let message =
                format!("'{id}' is not a valid ObjectId, it must be a 12-byte input or a 24-character hex string");
            return Err(Reply::json(400, &json!({"errors": {}, "message": message})));
        }
        match self.owned(class, id) {
            Some(_) => Ok(id.to_owned()),
            None => Err(wrong(field, &format!("Unknown reference '{id}'"))),
        }
    }

    /// Owner and organization: set once, by those who may.
    fn write_ownership(&self, object: &mut Object, body: &Value, call: &Call<'_>, is_new: bool) -> Result<(), Reply> {
        let user = call.user();
        let is_admin = user == Some(User::Admin);
        for (name, class) in [("owner", Class::User), ("organization", Class::Organization)] {
            let Some(value) = body.get(name) else { continue };
            let wanted = if value.is_null() { None } else { Some(self.known(name, class, value)?) };
            let current = if class == Class::User { &object.owner } else { &object.organization };
            if *current == wanted {
                continue;
            }
            match (class, wanted.as_deref()) {
                (Class::User, Some(id)) if !is_admin && user.map(User::id) != Some(id) => {
                    return Err(wrong(name, "Vous ne pouvez définir que vous-même en tant que propriétaire"));
                }
                (Class::Organization, Some(id)) if !self.community.belongs(user, id) => {
                    return Err(wrong(name, "Permission refusée pour cette organisation"));
                }
                _ => {}
            }
            if !is_new && !is_admin {
                return Err(wrong(name, &format!("Cannot modify {name} after creation")));
            }
            let (one, other) = (&mut object.owner, &mut object.organization);
            let (set, cleared) = if class == Class::User { (one, other) } else { (other, one) };
            if wanted.is_some() {
                *cleared = None;
            }
            *set = wanted;
        }
        if object.owner.is_none() && object.organization.is_none() && is_new {
            object.owner = user.map(|user| user.id().to_owned());
        }
        Ok(())
    }
}

pub(super) fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
