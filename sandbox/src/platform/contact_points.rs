//! Contact points of users and organizations.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, not_found};
use super::catalogue::{Catalogue, ContactPoint};
use super::class::Class;
use super::fields::{reference, text};
use super::object_operations::labelled;
use super::properties::{CONTACT_POINT, CONTACT_ROLES, defaults_of};
use super::state::Platform;
use super::writing::{check, save_as, write, wrong};
use crate::client::User;
use crate::response::Reply;
use crate::server_error::ServerError;

pub(super) const MAIN: [&str; 8] = [
    "contact_point_roles",
    "create_contact_point",
    "get_contact_point",
    "update_contact_point",
    "delete_contact_point",
    "get_organization_contact_point",
    "get_user_contact_point",
    "suggest_org_contact_points",
];

const ROLE_LABELS: [&str; 11] = [
    "Contact",
    "Créateur",
    "Éditeur",
    "Détenteur des droits",
    "Gestionnaire",
    "Distributeur",
    "Producteur",
    "Investigateur principal",
    "Exécutant",
    "Fournisseur",
    "Utilisateur",
];

/// The refusal of a change to what another one says already.
const TAKEN: &str = "Un point de contact existe déjà avec ces informations.";

impl Catalogue {
    pub(crate) fn show_contact_point(&self, one: &ContactPoint, viewer: Option<User>) -> Value {
        let mut shown = one.fields.clone();
        shown.insert("id".to_owned(), json!(one.id));
        shown.insert("owner".to_owned(), self.user_ref(one.owner.as_deref()));
        shown.insert("organization".to_owned(), self.organization_ref(one.organization.as_deref(), viewer));
        Value::Object(shown)
    }

    /// The contact points that an object refers to; of those that are gone, nothing is shown.
    pub(crate) fn contact_points(&self, references: &Value, viewer: Option<User>) -> Value {
        let ids = references.as_array().into_iter().flatten().filter_map(reference);
        let found = ids.filter_map(|id| self.contacts.iter().find(|one| one.id == id));
        found.map(|one| self.show_contact_point(one, viewer)).collect()
    }

    /// Writes a body, and refuses what the real catalogue does.
    fn write_contact_point(&self, one: &mut ContactPoint, body: &Value, is_new: bool) -> Result<(), Reply> {
        write(&mut one.fields, body, &CONTACT_POINT)?;
        for property in &CONTACT_POINT {
            check(property, &one.fields[property.name])?;
        }
        if text(&one.fields, "name").contains("://") {
            return Err(wrong("name", "URLs non autorisées dans ce champ"));
        }
        let refused = |reason: &str| Reply::json(400, &json!({"errors": {}, "message": reason}));
        let lacks = |names: &[&str]| names.iter().all(|name| one.fields[*name].is_null());
        if lacks(&["name", "email", "contact_form"]) {
            return Err(refused("A contact point requires a name, an email or a contact form"));
        }
        if one.fields["role"] == "contact" && lacks(&["email", "contact_form"]) {
            return Err(refused("Au moins un e-mail ou un formulaire de contact est requis pour un point de contact"));
        }
        save_as("ContactPoint", &CONTACT_POINT, (!is_new).then_some(one.id.as_str()), &one.fields, false)
    }

    /// The contact point that says the same of the same owner.
    fn same_contact_point(&self, one: &ContactPoint) -> Option<&ContactPoint> {
        self.contacts.iter().find(|other| {
            other.id != one.id
                && other.fields == one.fields
                && (&other.owner, &other.organization) == (&one.owner, &one.organization)
        })
    }
}

impl Platform {
    pub(super) fn respond_on_contact_points(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "contact_point_roles" => labelled(&CONTACT_ROLES, &ROLE_LABELS),
            "create_contact_point" => self.create_contact_point(call),
            "get_contact_point" => self.contact_point(call).map(|index| self.shown_contact_point(call, 200, index)),
            "update_contact_point" => self.update_contact_point(call),
            "delete_contact_point" => self.delete_contact_point(call),
            "get_organization_contact_point" | "suggest_org_contact_points" => {
                self.contact_points_of(call, Class::Organization)
            }
            "get_user_contact_point" => self.contact_points_of(call, Class::User),
            _ => return None,
        })
    }

    fn contact_point(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let id = call.capture("contact_point");
        self.catalogue.contacts.iter().position(|one| one.id == id).ok_or_else(not_found)
    }

    fn contact_point_to_change(&self, call: &Call<'_>) -> Result<usize, Reply> {
        let user = call.signed_in()?;
        let index = self.contact_point(call)?;
        match self.catalogue.community.edits(Some(user), self.catalogue.contacts[index].owned()) {
            true => Ok(index),
            false => Err(ServerError::forbidden().reply(call.api)),
        }
    }

    fn shown_contact_point(&self, call: &Call<'_>, status: u16, index: usize) -> Reply {
        Reply::json(status, &self.catalogue.show_contact_point(&self.catalogue.contacts[index], call.user()))
    }

    fn create_contact_point(&mut self, call: &Call<'_>) -> HandlerResult {
        let (user, body) = (call.signed_in()?, call.received.json());
        let organization = match body.get("organization").filter(|value| !value.is_null()) {
            Some(value) => Some(self.catalogue.known("organization", Class::Organization, value)?),
            None => None,
        };
        if organization.as_ref().is_some_and(|id| !self.catalogue.community.belongs(Some(user), id)) {
            return Err(wrong("organization", "Permission refusée pour cette organisation"));
        }
        let owner = organization.is_none().then(|| user.id().to_owned());
        let mut made = ContactPoint { id: String::new(), fields: defaults_of(&CONTACT_POINT), owner, organization };
        self.catalogue.write_contact_point(&mut made, &body, true)?;
        if let Some(same) = self.catalogue.same_contact_point(&made) {
            return Ok(Reply::json(200, &self.catalogue.show_contact_point(same, Some(user))));
        }
        made.id = self.catalogue.new_object_id();
        self.catalogue.contacts.push(made);
        Ok(self.shown_contact_point(call, 201, self.catalogue.contacts.len() - 1))
    }

    fn update_contact_point(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.contact_point_to_change(call)?;
        let mut changed = self.catalogue.contacts[index].clone();
        self.catalogue.write_contact_point(&mut changed, &call.received.json(), false)?;
        if self.catalogue.same_contact_point(&changed).is_some() {
            return Err(wrong("name", TAKEN));
        }
        self.catalogue.contacts[index] = changed;
        Ok(self.shown_contact_point(call, 200, index))
    }

    fn delete_contact_point(&mut self, call: &Call<'_>) -> HandlerResult {
        let index = self.contact_point_to_change(call)?;
        self.catalogue.contacts.remove(index);
        Ok(Reply::empty(204))
    }

    fn contact_points_of(&self, call: &Call<'_>, class: Class) -> HandlerResult {
        let id = &self.object(self.place(call, class)?).id;
        let wanted = call.query("q").unwrap_or_default().to_lowercase();
        let of = |one: &&ContactPoint| {
            (one.owner.as_ref() == Some(id) || one.organization.as_ref() == Some(id))
                && text(&one.fields, "name").to_lowercase().contains(&wanted)
        };
        let found: Vec<&ContactPoint> = self.catalogue.contacts.iter().filter(of).collect();
        if call.operation_id == "suggest_org_contact_points" {
            let size = call.query("size").and_then(|size| size.parse().ok()).unwrap_or(10);
            let shown = found.iter().take(size).map(|one| self.catalogue.show_contact_point(one, call.user()));
            return Ok(Reply::json(200, &shown.collect()));
        }
        let shown = self.page(call, &found, |one| self.catalogue.show_contact_point(one, call.user()))?;
        Ok(Reply::json(200, &shown))
    }
}
