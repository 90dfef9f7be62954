//! What a client may write of an object, and how the catalogue refuses it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::catalogue::Catalogue;
use super::class::Class;
use super::fields::{Fields, date_time, is_id, reference, tags};
use super::objects::Object;
use super::properties::{Kind, Property, properties};
use crate::client::User;
use crate::response::Reply;

/// A form with one wrong field.
pub(super) fn wrong(field: &str, reason: &str) -> Reply {
    Reply::json(400, &json!({"errors": {field: reason}, "message": reason}))
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
            Kind::DateTime => date_time(&value),
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
pub(super) fn check(property: &Property, value: &Value) -> Result<(), Reply> {
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

/// Refuses an object as the database does, all that is wrong at once.
fn save(class: Class, id: Option<&str>, fields: &Fields, hash: bool) -> Result<(), Reply> {
    save_as(class.name(), properties(class), id, fields, hash)
}

/// As [`save`], for what is of no class.
pub(super) fn save_as(
    class: &str,
    properties: &[Property],
    id: Option<&str>,
    fields: &Fields,
    hash: bool,
) -> Result<(), Reply> {
    let mut errors = Map::new();
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for property in properties {
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
    let message = format!("ValidationError ({class}:{}) ({text})", id.unwrap_or("None"));
    Err(Reply::json(400, &json!({"errors": errors, "message": message})))
}

impl Catalogue {
    /// The object with what a body writes, refused as the catalogue does.
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
