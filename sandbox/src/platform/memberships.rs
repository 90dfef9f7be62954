//! How people become members of organizations, what they are there, and how they leave.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, message, not_found};
use super::class::Class;
use super::object_operations::choice;
use super::objects::{Assignment, Member, Membership};
use super::state::Platform;
use super::writing::{is_email, wrong};
use crate::client::User;
use crate::response::Reply;
use crate::server_error::ServerError;

pub(super) const MAIN: [&str; 8] = [
    "invite_organization_member",
    "update_organization_member",
    "delete_organization_member",
    "list_organization_assignments",
    "sync_member_assignments",
    "list_org_invitations",
    "accept_org_invitation",
    "refuse_org_invitation",
];

const ROLES: [&str; 3] = ["admin", "editor", "partial_editor"];

impl Platform {
    pub(super) fn respond_on_memberships(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_membership_requests" => self.list_requests(call),
            "post_membership_request" => self.ask_to_join(call),
            "accept_membership" => self.accept_request(call),
            "refuse_membership" => self.end_request(call, "refused"),
            "cancel_membership" => self.end_request(call, "canceled"),
            "invite_organization_member" => self.invite(call),
            "update_organization_member" => self.change_member(call),
            "delete_organization_member" => self.remove_member(call),
            "list_organization_assignments" => self.list_assignments(call),
            "sync_member_assignments" => self.assign(call),
            "list_org_invitations" => self.my_invitations(call),
            "accept_org_invitation" => self.end_invitation(call, true),
            "refuse_org_invitation" => self.end_invitation(call, false),
            _ => return None,
        })
    }

    fn organization_id(&self, call: &Call<'_>) -> Result<String, Reply> {
        Ok(self.object(self.place(call, Class::Organization)?).id.clone())
    }

    /// The organization of the path, whose members the user of the call may change.
    fn administered(&self, call: &Call<'_>) -> Result<String, Reply> {
        let user = call.signed_in()?;
        let id = self.organization_id(call)?;
        if self.catalogue.community.administers(Some(user), &id) {
            return Ok(id);
        }
        Err(ServerError::forbidden().reply(call.api))
    }

    fn list_requests(&self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let wanted = call.query("user").filter(|id| !id.is_empty());
        let id = match wanted {
            Some(wanted) if wanted == user.id() => self.organization_id(call)?,
            Some(_) => self.administered(call).map_err(|refusal| match refusal.status {
                403 => {
                    message(403, "You can only access your own membership requests or the one of your organizations.")
                }
                _ => refusal,
            })?,
            None => self.administered(call)?,
        };
        let status = call.query("status").filter(|status| !status.is_empty());
        let found = self.catalogue.community.memberships.iter().filter(|one| {
            one.organization == id
                && wanted.is_none_or(|wanted| one.user.as_deref() == Some(wanted))
                && status.is_none_or(|status| one.status == status)
        });
        let shown: Value = found.map(|one| self.catalogue.membership(one, Some(user))).collect();
        Ok(Reply::json(200, &shown))
    }

    fn ask_to_join(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let id = self.organization_id(call)?;
        let community = &self.catalogue.community;
        if community.role(&id, user.id()).is_some() {
            return Err(message(400, "You are already a member of this organization"));
        }
        let pending = community.memberships.iter().position(|one| {
            one.organization == id && one.user.as_deref() == Some(user.id()) && one.status == "pending"
        });
        if pending.is_some_and(|index| community.memberships[index].invitation) {
            let text = "You are already invited to this organization, accept the invitation";
            return Err(message(400, text));
        }
        let comment = call.received.json()["comment"].as_str().unwrap_or_default().to_owned();
        if comment.trim().is_empty() {
            return Err(wrong("comment", "'comment' is required when 'kind' is 'request'"));
        }
        let (index, status) = match pending {
            Some(index) => (index, 200),
            None => {
                let created = self.catalogue.now();
                let made = Membership {
                    id: self.catalogue.new_uuid(),
                    organization: id,
                    user: Some(user.id().to_owned()),
                    email: None,
                    invitation: false,
                    status: "pending",
                    role: "editor".to_owned(),
                    comment: None,
                    created,
                    assignments: Vec::new(),
                };
                self.catalogue.community.memberships.push(made);
                (self.catalogue.community.memberships.len() - 1, 201)
            }
        };
        self.catalogue.community.memberships[index].comment = Some(comment);
        let shown = self.catalogue.membership(&self.catalogue.community.memberships[index], Some(user));
        Ok(Reply::json(status, &shown))
    }

    /// The place of the request that the path names.
    fn request(&self, call: &Call<'_>, organization: &str) -> Result<usize, Reply> {
        let id = call.capture("id");
        let all = &self.catalogue.community.memberships;
        let found = all.iter().position(|one| one.organization == organization && one.id == id);
        found.ok_or_else(|| message(404, "Unknown membership request id"))
    }

    fn accept_request(&mut self, call: &Call<'_>) -> HandlerResult {
        let organization = self.administered(call)?;
        let index = self.request(call, &organization)?;
        let request = self.catalogue.community.memberships[index].clone();
        if request.invitation {
            return Err(message(400, "Use the cancel endpoint for invitations"));
        }
        let user = request.user.unwrap_or_default();
        let known = self.catalogue.community.role(&organization, &user).is_some();
        if !known {
            let now = self.catalogue.now();
            self.catalogue.community.memberships[index].status = "accepted";
            self.catalogue.community.join(&organization, &user, &request.role, &now);
        }
        let member = self.member_of(&organization, &user).ok_or_else(not_found)?;
        let shown = self.catalogue.member(member, call.user());
        Ok(Reply::json(if known { 409 } else { 200 }, &shown))
    }

    fn end_request(&mut self, call: &Call<'_>, status: &'static str) -> HandlerResult {
        let organization = self.administered(call)?;
        let index = self.request(call, &organization)?;
        let request = &mut self.catalogue.community.memberships[index];
        match (status, request.invitation) {
            ("refused", true) => return Err(message(400, "Use the cancel endpoint for invitations")),
            ("canceled", false) => return Err(message(400, "Only invitations can be canceled")),
            ("canceled", true) if request.status != "pending" => {
                return Err(message(400, "Only pending invitations can be canceled"));
            }
            _ => request.status = status,
        }
        Ok(Reply::json(200, &json!({})))
    }

    fn member_of(&self, organization: &str, user: &str) -> Option<&Member> {
        let members = &self.catalogue.community.members;
        members.iter().find(|member| member.organization == organization && member.user == user)
    }

    /// What references of a body name, all of it of the organization.
    fn subjects(&self, body: &Value, organization: &str) -> Result<Vec<(Class, String)>, Reply> {
        let refused = |reason: String| wrong("assignments", &reason);
        let subject = |entry: &Value| {
            let (name, id) = (entry["class"].as_str().unwrap_or("None"), entry["id"].as_str().unwrap_or("None"));
            let class = Class::of(name)
                .filter(|class| matches!(class, Class::Dataset | Class::Reuse | Class::Dataservice))
                .ok_or_else(|| refused(format!("Invalid object class '{name}'")))?;
            let owned = self.catalogue.owned(class, id).ok_or_else(|| refused(format!("{name} '{id}' not found")))?;
            if owned.organization != Some(organization) {
                return Err(refused(format!("{name} '{id}' does not belong to this organization")));
            }
            Ok((class, id.to_owned()))
        };
        body.as_array().into_iter().flatten().map(subject).collect()
    }

    fn invite(&mut self, call: &Call<'_>) -> HandlerResult {
        let organization = self.administered(call)?;
        let body = call.received.json();
        let written = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let community = &self.catalogue.community;
        let mut user = written("user");
        if let Some(id) = user.as_deref().filter(|id| community.get(Class::User, id).is_none()) {
            return Err(wrong("user", &format!("Unknown user '{id}'")));
        }
        let assignments = self.subjects(&body["assignments"], &organization)?;
        let mut email = written("email");
        match (&user, &email) {
            (Some(_), Some(_)) => return Err(wrong("user", "Cannot provide both user and email")),
            (None, None) => return Err(wrong("user", "Either user or email is required")),
            (None, Some(email)) if !is_email(email) => return Err(wrong("email", "Invalid email address")),
            _ => {}
        }
        let role = written("role").unwrap_or_else(|| "editor".to_owned());
        if !ROLES.contains(&role.as_str()) {
            return Err(wrong("role", &format!("Invalid role '{role}'")));
        }
        email = email.map(|email| email.to_lowercase());
        // The address of an account invites that account.
        let of_address = |email: &str| {
            let known = |text: &str| text.to_lowercase() == email;
            community.of(Class::User).find(|user| user.fields["email"].as_str().is_some_and(known))
        };
        if let Some(known) = email.as_deref().and_then(of_address) {
            user = Some(known.id.clone());
            email = None;
        }
        if user.as_deref().is_some_and(|user| community.role(&organization, user).is_some()) {
            return Err(wrong("user", "User is already a member"));
        }
        let pending = |one: &&Membership| one.organization == organization && one.status == "pending";
        for one in community.memberships.iter().filter(pending) {
            if user.is_some() && one.user == user {
                return Err(wrong("user", "A request or invitation is already pending for this user"));
            }
            if email.is_some() && one.email == email {
                return Err(wrong("email", "An invitation is already pending for this email"));
            }
        }
        if !assignments.is_empty() && role != "partial_editor" {
            return Err(wrong("assignments", "Assignments can only be set for partial_editor role"));
        }
        let created = self.catalogue.now();
        let invitation = Membership {
            id: self.catalogue.new_uuid(),
            organization,
            user,
            email,
            invitation: true,
            status: "pending",
            role,
            comment: written("comment"),
            created,
            assignments,
        };
        let shown = self.catalogue.membership(&invitation, call.user());
        self.catalogue.community.memberships.push(invitation);
        Ok(Reply::json(201, &shown))
    }

    /// The id of the user that the path names.
    fn user_of_path(&self, call: &Call<'_>) -> Result<String, Reply> {
        Ok(self.object(self.place(call, Class::User)?).id.clone())
    }

    fn change_member(&mut self, call: &Call<'_>) -> HandlerResult {
        let organization = self.administered(call)?;
        let user = self.user_of_path(call)?;
        let body = call.received.json();
        let members = &mut self.catalogue.community.members;
        let member = members.iter_mut().find(|one| one.organization == organization && one.user == user);
        let member = member.ok_or_else(not_found)?;
        if let Some(role) = body["role"].as_str() {
            choice("role", role, &ROLES)?;
            role.clone_into(&mut member.role);
        }
        if member.role != "partial_editor" {
            let assignments = &mut self.catalogue.community.assignments;
            assignments.retain(|one| one.organization != organization || one.user != user);
        }
        let member = self.member_of(&organization, &user).ok_or_else(not_found)?;
        Ok(Reply::json(200, &self.catalogue.member(member, call.user())))
    }

    fn remove_member(&mut self, call: &Call<'_>) -> HandlerResult {
        let organization = self.administered(call)?;
        let user = self.user_of_path(call)?;
        self.member_of(&organization, &user).ok_or_else(not_found)?;
        let community = &mut self.catalogue.community;
        community.members.retain(|one| one.organization != organization || one.user != user);
        community.assignments.retain(|one| one.organization != organization || one.user != user);
        Ok(Reply::empty(204))
    }

    fn shown_assignments(&self, call: &Call<'_>, organization: &str, user: Option<&str>) -> Reply {
        let found = self.catalogue.community.assignments.iter();
        let found = found.filter(|one| one.organization == organization && user.is_none_or(|user| one.user == user));
        let shown: Value = found
            .map(|one| {
                json!({
                    "id": one.id, "user": self.catalogue.user_ref(Some(&one.user)),
                    "organization": self.catalogue.organization_ref(Some(&one.organization), call.user()),
                    "subject": {"class": one.class.name(), "id": one.subject}, "created_at": one.created
                })
            })
            .collect();
        Reply::json(200, &shown)
    }

    fn list_assignments(&self, call: &Call<'_>) -> HandlerResult {
        let organization = self.administered(call)?;
        Ok(self.shown_assignments(call, &organization, None))
    }

    fn assign(&mut self, call: &Call<'_>) -> HandlerResult {
        let organization = self.administered(call)?;
        let user = self.user_of_path(call)?;
        if self.catalogue.community.role(&organization, &user) != Some("partial_editor") {
            return Err(message(400, "User must be a partial_editor member of this organization"));
        }
        let subjects = self.subjects(&call.received.json(), &organization)?;
        let kept = |one: &Assignment| subjects.iter().any(|(_, id)| *id == one.subject);
        self.catalogue
            .community
            .assignments
            .retain(|one| one.organization != organization || one.user != user || kept(one));
        self.add_assignments(&organization, &user, &subjects);
        Ok(self.shown_assignments(call, &organization, Some(&user)))
    }

    fn add_assignments(&mut self, organization: &str, user: &str, subjects: &[(Class, String)]) {
        for (class, subject) in subjects {
            let known = |one: &Assignment| one.user == user && one.subject == *subject;
            if self.catalogue.community.assignments.iter().any(known) {
                continue;
            }
            let (id, created) = (self.catalogue.new_object_id(), self.catalogue.time());
            self.catalogue.community.assignments.push(Assignment {
                id,
                organization: organization.to_owned(),
                user: user.to_owned(),
                class: *class,
                subject: subject.clone(),
                created,
            });
        }
    }

    fn my_invitations(&self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let mine =
            |one: &&Membership| one.invitation && one.status == "pending" && one.user.as_deref() == Some(user.id());
        let shown: Value = self
            .catalogue
            .community
            .memberships
            .iter()
            .filter(mine)
            .map(|one| {
                let shown = self.catalogue.membership(one, Some(User::Admin));
                json!({
                    "id": one.id, "role": one.role, "comment": one.comment, "created": one.created,
                    "organization": self.catalogue.organization_ref(Some(&one.organization), Some(user)),
                    "assignments": shown["assignments"]
                })
            })
            .collect();
        Ok(Reply::json(200, &shown))
    }

    fn end_invitation(&mut self, call: &Call<'_>, accepts: bool) -> HandlerResult {
        let user = call.signed_in()?;
        let id = call.capture("id");
        let all = &mut self.catalogue.community.memberships;
        let mine = |one: &&mut Membership| one.id == id && one.invitation && one.user.as_deref() == Some(user.id());
        let invitation = all.iter_mut().find(mine).ok_or_else(|| message(404, "Invitation not found"))?;
        if invitation.status != "pending" {
            return Err(message(400, "Invitation is not pending"));
        }
        invitation.status = if accepts { "accepted" } else { "refused" };
        let invitation = invitation.clone();
        if accepts {
            let now = self.catalogue.now();
            self.catalogue.community.join(&invitation.organization, user.id(), &invitation.role, &now);
            self.add_assignments(&invitation.organization, user.id(), &invitation.assignments);
        }
        let text = if accepts { "Invitation accepted" } else { "Invitation refused" };
        Ok(Reply::json(200, &json!({"message": text})))
    }
}
