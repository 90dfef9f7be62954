//! Members of organizations: requests, invitations, roles, leaving.

use datagouv::main::types::{GenericReferenceInput, MemberInput, MembershipInvite, MembershipRequestInput};
use serde_json::json;

use crate::community::{join, reference, refused};
use crate::run;
use crate::support::{dataservice, dataset, dataset_with, me, organization, reuse, unique};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

#[test]
fn an_accepted_request_makes_an_editor() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let id = organization(&user).await.id;
        let asker = me(&plain).await.id;
        let ask = |comment: &str| {
            plain.main().post_membership_request().org(&id).body(MembershipRequestInput::new(comment)).send()
        };
        let request = ask("Laissez-moi entrer").await.unwrap();
        assert_eq!((request.status().as_u16(), request.status.as_str()), (201, "pending"));
        assert_eq!(request.kind.as_str(), "request");
        let again = ask("Toujours là").await.unwrap();
        assert_eq!((again.status().as_u16(), again.id.as_str()), (200, request.id.as_str()));

        let list = user.main().list_membership_requests().org(&id).status("pending").send().await.unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].comment.as_deref(), Some("Toujours là"));
        // Two letters of it are left.
        let email = me(&plain).await.email.unwrap();
        let shown = list[0].user.as_ref().unwrap().email.as_str();
        assert!(shown.starts_with(&format!("{}**", &email[..2])) && shown.ends_with("*@example.org"), "{shown}");
        let own = plain.main().list_membership_requests().org(&id).user(&asker).send().await.unwrap();
        assert_eq!(own[0].id, request.id);

        let accept = || user.main().accept_membership().org(&id).id(&request.id).send();
        let member = accept().await.unwrap();
        assert_eq!((member.user.id.as_str(), member.role.as_str()), (asker.as_str(), "editor"));
        let error = accept().await.unwrap_err();
        assert_eq!(error.status().unwrap(), 409);
        assert_eq!(error.body_json().unwrap()["user"]["id"], json!(asker));
        assert!(plain.main().get_organization().org(&id).send().await.unwrap().permissions.private);
        let error = ask("Encore").await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("You are already a member of this organization"));
        let done = user.main().list_membership_requests().org(&id).status("accepted").send().await.unwrap();
        assert_eq!(done.len(), 1);
    });
}

#[test]
fn a_membership_request_is_refused() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let id = organization(&user).await.id;
        let ask = || plain.main().post_membership_request().org(&id).body(json!({"comment": "Moi aussi"})).send();
        let request = ask().await.unwrap();
        let error = plain.main().accept_membership().org(&id).id(&request.id).send().await.unwrap_err();
        assert!(error.is_forbidden());
        // Only invitations are cancelled.
        let error = user.main().cancel_membership().org(&id).id(&request.id).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Only invitations can be canceled"));
        let body = json!({"comment": "Désolé"});
        let refusal = user.main().refuse_membership().org(&id).id(&request.id).body(body).send().await.unwrap();
        assert_eq!(refusal.status(), 200);
        let list = user.main().list_membership_requests().org(&id).send().await.unwrap();
        assert_eq!(list[0].status.as_str(), "refused");
        assert_eq!(user.main().get_organization().org(&id).send().await.unwrap().members.len(), 1);

        let again = ask().await.unwrap();
        assert_eq!(again.status(), 201);
        assert_ne!(again.id, request.id);
        let refusal = user.main().refuse_membership().org(&id).id(UNKNOWN).body(json!({})).send().await;
        assert!(refusal.unwrap_err().is_not_found());
        let body = json!({"comment": ""});
        let other = organization(&user).await.id;
        let error = plain.main().post_membership_request().org(&other).body(body).send().await.unwrap_err();
        assert_eq!(refused(&error), ["comment"]);
        let error = plain.main().list_membership_requests().org(&id).send().await.unwrap_err();
        assert!(error.is_forbidden());
        let anonymous = live.anonymous();
        let body = MembershipRequestInput::new("x");
        let error = anonymous.main().post_membership_request().org(&id).body(body).send().await.unwrap_err();
        assert!(error.is_unauthorized());
    });
}

#[test]
fn an_invitation_is_accepted() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let created = organization(&user).await;
        let id = created.id.as_str();
        let invited = me(&plain).await.id;
        let body = MembershipInvite::new().user(invited.as_str()).role("admin").comment("Viens");
        let invitation = user.main().invite_organization_member().org(id).body(body.clone()).send().await.unwrap();
        assert_eq!((invitation.status().as_u16(), invitation.kind.as_str()), (201, "invitation"));
        let error = user.main().invite_organization_member().org(id).body(body).send().await.unwrap_err();
        assert_eq!(refused(&error), ["user"]);
        // An invitation is not accepted like a request.
        let error = user.main().accept_membership().org(id).id(&invitation.id).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Use the cancel endpoint for invitations"));
        let body = MembershipRequestInput::new("Moi");
        let error = plain.main().post_membership_request().org(id).body(body).send().await.unwrap_err();
        assert!(error.server_message().unwrap().starts_with("You are already invited"));

        let pending = plain.main().list_org_invitations().send().await.unwrap();
        let pending = pending.iter().find(|one| one.id == invitation.id).unwrap();
        assert_eq!((pending.organization.name.as_str(), pending.role.as_str()), (created.name.as_str(), "admin"));
        assert_eq!(pending.comment.as_deref(), Some("Viens"));

        // Only the invited user can accept.
        let error = user.main().accept_org_invitation().id(&invitation.id).send().await.unwrap_err();
        assert!(error.is_not_found());
        let accepted = plain.main().accept_org_invitation().id(&invitation.id).send().await.unwrap();
        assert_eq!(accepted.message, "Invitation accepted");
        let error = plain.main().accept_org_invitation().id(&invitation.id).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Invitation is not pending"));
        let members = plain.main().get_organization().org(id).send().await.unwrap().into_inner().members;
        let member = members.iter().find(|member| member.user.id == invited).unwrap();
        assert_eq!((member.role.as_str(), member.label.as_str()), ("admin", "Administrateur"));
    });
}

#[test]
fn an_invitation_is_refused() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let id = organization(&user).await.id;
        let body = json!({"user": me(&plain).await.id, "role": "editor"});
        let invitation = user.main().invite_organization_member().org(&id).body(body).send().await.unwrap();
        let response = plain.main().refuse_org_invitation().id(&invitation.id).send().await.unwrap();
        assert_eq!(response.message, "Invitation refused");
        let error = plain.main().refuse_org_invitation().id(&invitation.id).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Invitation is not pending"));
        assert!(plain.main().refuse_org_invitation().id(UNKNOWN).send().await.unwrap_err().is_not_found());
        let pending = plain.main().list_org_invitations().send().await.unwrap();
        assert!(pending.iter().all(|one| one.id != invitation.id));
        let error = live.anonymous().main().list_org_invitations().send().await.unwrap_err();
        assert!(error.is_unauthorized());
        let list = user.main().list_membership_requests().org(&id).send().await.unwrap();
        assert_eq!(list[0].status.as_str(), "refused");
    });
}

#[test]
fn an_invitation_by_email_is_cancelled() {
    run(|live| async move {
        let user = live.user();
        let id = organization(&user).await.id;
        let address = format!("{}@example.org", unique("invite").replace(' ', "-"));
        let invite =
            async |body: MembershipInvite| user.main().invite_organization_member().org(&id).body(body).send().await;
        let invitation = invite(MembershipInvite::new().email(address.as_str()).role("editor")).await.unwrap();
        assert!(invitation.user.is_none());
        assert_eq!(invitation.email.as_deref(), Some(address.as_str()));
        let error = invite(MembershipInvite::new().email(address.to_uppercase())).await.unwrap_err();
        assert_eq!(refused(&error), ["email"]);
        // The address of an account invites that account.
        let email = me(&live.plain()).await.email.unwrap().to_uppercase();
        let known = invite(MembershipInvite::new().email(email)).await.unwrap();
        assert_eq!(known.user.as_ref().unwrap().id, me(&live.plain()).await.id);
        assert!(known.email.is_none());

        assert_eq!(refused(&invite(MembershipInvite::new()).await.unwrap_err()), ["user"]);
        assert_eq!(refused(&invite(MembershipInvite::new().email("nope")).await.unwrap_err()), ["email"]);
        let both = MembershipInvite::new().email("a@example.org").user(me(&user).await.id);
        assert_eq!(refused(&invite(both).await.unwrap_err()), ["user"]);
        let unknown = MembershipInvite::new().user("000000000000000000000000");
        assert_eq!(refused(&invite(unknown).await.unwrap_err()), ["user"]);
        let role = MembershipInvite::new().email("b@example.org").role("nope");
        assert_eq!(refused(&invite(role).await.unwrap_err()), ["role"]);
        let own = MembershipInvite::new().user(me(&user).await.id);
        assert_eq!(refused(&invite(own).await.unwrap_err()), ["user"]);

        let cancel = || user.main().cancel_membership().org(&id).id(&invitation.id).send();
        assert_eq!(cancel().await.unwrap().status(), 200);
        let error = cancel().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Only pending invitations can be canceled"));
        let list = user.main().list_membership_requests().org(&id).status("canceled").send().await.unwrap();
        assert_eq!(list.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [invitation.id.as_str()]);
        let stranger = live.plain();
        let error = stranger.main().invite_organization_member().org(&id).body(json!({"email": "c@example.org"}));
        assert!(error.send().await.unwrap_err().is_forbidden());
    });
}

#[test]
fn roles_of_members_change_and_members_leave() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let id = organization(&user).await.id;
        let member = me(&plain).await.id;
        join(&id, &user, &plain, "editor").await;
        let error =
            plain.main().update_organization_member().org(&id).user(&member).body(MemberInput::new().role("admin"));
        assert!(error.send().await.unwrap_err().is_forbidden());
        for role in ["admin", "partial_editor", "editor"] {
            let body = MemberInput::new().role(role);
            let changed = user.main().update_organization_member().org(&id).user(&member).body(body);
            assert_eq!(changed.send().await.unwrap().role.as_str(), role);
        }
        let body = MemberInput::new().role("nope");
        let error =
            user.main().update_organization_member().org(&id).user(&member).body(body).send().await.unwrap_err();
        assert_eq!(error.status().unwrap(), 400);

        let error = plain.main().delete_organization_member().org(&id).user(&member).send().await.unwrap_err();
        assert!(error.is_forbidden());
        let remove = || user.main().delete_organization_member().org(&id).user(&member).send();
        assert_eq!(remove().await.unwrap().status(), 204);
        assert!(remove().await.unwrap_err().is_not_found());
        let body = MemberInput::new().role("admin");
        let error =
            user.main().update_organization_member().org(&id).user(&member).body(body).send().await.unwrap_err();
        assert!(error.is_not_found());
        assert!(!plain.main().get_organization().org(&id).send().await.unwrap().permissions.private);
    });
}

#[test]
fn partial_editors_edit_only_assigned_objects() {
    run(|live| async move {
        let (admin, user, plain) = (live.admin(), live.user(), live.plain());
        let id = organization(&user).await.id;
        let editor = me(&plain).await.id;
        let ours = dataset_with(&user, json!({"organization": reference("Organization", &id)})).await;
        let other = dataset_with(&user, json!({"organization": reference("Organization", &id)})).await;
        let foreign = dataset(&user).await;
        let reuse = reuse(&user, &ours.id).await;
        // After its creation, only sysadmins give an object to an organization without a transfer.
        let body = json!({"organization": id});
        admin.main().update_reuse().reuse(&reuse.id).body(body.clone()).send().await.unwrap();
        let service = dataservice(&user).await;
        admin.main().update_dataservice().dataservice(&service.id).body(body).send().await.unwrap();

        let invite = async |assignments: serde_json::Value, role: &str| {
            let body = json!({"user": editor, "role": role, "assignments": assignments});
            user.main().invite_organization_member().org(&id).body(body).send().await
        };
        let error = invite(json!([reference("Dataset", &foreign.id)]), "partial_editor").await.unwrap_err();
        assert_eq!(refused(&error), ["assignments"]);
        let error = invite(json!([reference("Dataset", &ours.id)]), "editor").await.unwrap_err();
        assert_eq!(refused(&error), ["assignments"]);
        let invitation = invite(json!([reference("Dataset", &ours.id)]), "partial_editor").await.unwrap();
        assert_eq!(invitation.assignments[0].id, ours.id);
        let pending = plain.main().list_org_invitations().send().await.unwrap();
        let pending = pending.iter().find(|one| one.id == invitation.id).unwrap();
        assert_eq!(pending.assignments[0].class, "Dataset");
        plain.main().accept_org_invitation().id(&invitation.id).send().await.unwrap();

        let change = async |dataset: &str| {
            let body = json!({"title": unique("Changé"), "description": "Par un éditeur partiel"});
            plain.main().update_dataset().dataset(dataset).body(body).send().await
        };
        change(&ours.id).await.unwrap();
        assert!(change(&other.id).await.unwrap_err().is_forbidden());

        let all = [("Dataset", &other.id), ("Reuse", &reuse.id), ("Dataservice", &service.id)];
        let assign = async |subjects: &[(&str, &String)]| {
            let body: Vec<GenericReferenceInput> =
                subjects.iter().map(|(class, id)| GenericReferenceInput::new(*class, id.as_str())).collect();
            user.main().sync_member_assignments().org(&id).user(&editor).body(body).send().await
        };
        let assigned = assign(&all).await.unwrap();
        assert_eq!(assigned.len(), 3);
        assert!(assigned.iter().all(|one| one.user.id == editor && one.organization.id == id));
        change(&other.id).await.unwrap();
        assert!(change(&ours.id).await.unwrap_err().is_forbidden());
        assert_eq!(refused(&assign(&[("Dataset", &foreign.id)]).await.unwrap_err()), ["assignments"]);

        let list = user.main().list_organization_assignments().org(&id).send().await.unwrap();
        let mut classes: Vec<&str> = list.iter().map(|one| one.subject.class.as_str()).collect();
        classes.sort_unstable();
        assert_eq!(classes, ["Dataservice", "Dataset", "Reuse"]);
        assert!(plain.main().list_organization_assignments().org(&id).send().await.unwrap_err().is_forbidden());

        // Another role than partial editor has no assignments.
        let body = MemberInput::new().role("editor");
        user.main().update_organization_member().org(&id).user(&editor).body(body).send().await.unwrap();
        assert!(user.main().list_organization_assignments().org(&id).send().await.unwrap().is_empty());
        let error = assign(&[]).await.unwrap_err();
        assert!(error.server_message().unwrap().starts_with("User must be a partial_editor"));
    });
}
