//! Notifications of every kind, and the rules about them.

use datagouv::main::types::{ModelReferenceInput, Notification, NotificationFollow, NotificationResolved};
use datagouv::{Client, Response};
use serde_json::{Value, json};

use crate::community::{join, reference, refused};
use crate::run;
use crate::support::{dataset, dataset_with, me, organization, reuse, unique};

/// All notifications of a user, of one kind.
async fn notifications(client: &Client, kind: &str) -> Vec<Notification> {
    let page = client.main().list_notifications().type_(kind).page_size(1000).send().await.unwrap();
    page.into_inner().data
}

/// The only notification of a kind that matches.
async fn notification_of(client: &Client, kind: &str, holds: impl Fn(&Notification) -> bool) -> Notification {
    let mut found: Vec<Notification> = notifications(client, kind).await.into_iter().filter(holds).collect();
    assert_eq!(found.len(), 1, "{kind}");
    let found = found.remove(0);
    assert_eq!(found.type_.as_str(), kind);
    found
}

fn reasons(notification: &Notification) -> Vec<&str> {
    notification.reasons.iter().map(|reason| reason.as_str()).collect()
}

#[test]
fn discussions_notify_the_owner_and_the_participants() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let subject = dataset(&user).await.id;
        let body = json!({"title": unique("Question"), "comment": "?", "subject": reference("Dataset", &subject)});
        let id = plain.main().create_discussion().body(body).send().await.unwrap().into_inner().id;
        let about = |one: &Notification| one.details.discussion.as_ref().is_some_and(|of| of.id == id);

        let new = notification_of(&user, "discussion.new", about).await;
        assert_eq!(reasons(&new), ["owner"]);
        assert_eq!(new.details.class, "DiscussionNotificationDetails");
        assert!(!new.requires_action && new.handled_at.is_none());

        let body = json!({"comment": "!"});
        let commented = user.main().comment_discussion().id(&id).body(body).send().await.unwrap();
        let comment = notification_of(&plain, "discussion.comment", about).await;
        assert_eq!(comment.details.message_id.as_ref(), Some(&commented.discussion[1].id));
        assert_eq!(reasons(&comment), ["discussion.participant"]);

        user.main().comment_discussion().id(&id).body(json!({"close": true})).send().await.unwrap();
        notification_of(&plain, "discussion.closed", about).await;

        // Notifications of a deleted subject are not listed.
        plain.main().delete_discussion().id(&id).send().await.unwrap();
        assert!(!notifications(&user, "discussion.new").await.iter().any(about));
    });
}

#[test]
fn membership_requests_notify_admins_and_applicants() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let asker = me(&plain).await.id;
        let id = organization(&user).await.id;
        let requested = |one: &Notification| one.details.request_organization.as_ref().is_some_and(|of| of.id == id);
        let decided = |one: &Notification| one.details.organization.as_ref().is_some_and(|of| of.id == id);
        let ask = async || {
            let body = json!({"comment": "Moi"});
            plain.main().post_membership_request().org(&id).body(body).send().await.unwrap().into_inner().id
        };

        let request = ask().await;
        let pending = notification_of(&user, "organization.membership.requested", requested).await;
        assert!(pending.requires_action && pending.handled_at.is_none());
        assert_eq!(pending.details.request_user.as_ref().unwrap().id, asker);
        user.main().refuse_membership().org(&id).id(&request).body(json!({"comment": "Non"})).send().await.unwrap();
        let refusal = notification_of(&plain, "organization.membership.refused", decided).await;
        assert_eq!(reasons(&refusal), ["requester"]);
        let pending = notification_of(&user, "organization.membership.requested", requested).await;
        assert!(pending.handled_at.is_some());

        let request = ask().await;
        user.main().accept_membership().org(&id).id(&request).send().await.unwrap();
        notification_of(&plain, "organization.membership.accepted", decided).await;

        let other = organization(&user).await.id;
        join(&other, &user, &plain, "editor").await;
        let invited = |one: &Notification| one.details.request_organization.as_ref().is_some_and(|of| of.id == other);
        let invitation = notification_of(&plain, "organization.membership.invited", invited).await;
        assert!(invitation.requires_action && invitation.handled_at.is_some());
    });
}

#[test]
fn badges_notify_the_members() {
    run(|live| async move {
        let (admin, user) = (live.admin(), live.user());
        let id = organization(&user).await.id;
        for kind in ["association", "certified", "company", "local-authority", "public-service"] {
            admin.main().add_organization_badge().org(&id).body(json!({"kind": kind})).send().await.unwrap();
            let about = |one: &Notification| one.details.organization.as_ref().is_some_and(|of| of.id == id);
            let badge = notification_of(&user, &format!("organization.badge.{kind}"), about).await;
            assert_eq!(badge.details.class, "NewBadgeNotificationDetails");
            assert_eq!(reasons(&badge), ["organization.admin"]);
        }
    });
}

#[test]
fn reuses_of_a_dataset_notify_its_owner() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let subject = dataset(&user).await;
        let reuse = reuse(&plain, &subject.id).await.id;
        let about = |one: &Notification| one.details.reuse.as_ref().is_some_and(|of| of.id == reuse);
        let used = notification_of(&user, "reuse.created", about).await;
        assert_eq!(used.details.dataset.as_ref().unwrap().title, subject.title);

        let body = json!({"title": unique("API"), "description": "x", "datasets": [subject.id]});
        let service = plain.main().create_dataservice().body(body).send().await.unwrap().into_inner().id;
        let about = |one: &Notification| one.details.dataservice.as_ref().is_some_and(|of| of.id == service);
        let used = notification_of(&user, "dataservice.created", about).await;
        assert_eq!(used.details.dataset.as_ref().unwrap().id, subject.id);
    });
}

#[test]
fn harvest_sources_notify_sysadmins_and_requesters() {
    run(|live| async move {
        let (admin, user) = (live.admin(), live.user());
        for (state, kind) in [("accepted", "harvest.source.accepted"), ("refused", "harvest.source.refused")] {
            let name = unique("Moissonneur");
            let body = json!({"name": name, "backend": "dcat", "url": "https://example.org/catalog.xml"});
            let source = user.main().create_harvest_source().body(body).send().await.unwrap().into_inner().id;
            let about = |one: &Notification| one.details.source.as_ref().is_some_and(|of| of.id == source);
            let pending = notification_of(&admin, "harvest.source.pending", about).await;
            assert!(pending.requires_action && pending.handled_at.is_none());
            assert_eq!(pending.details.source.as_ref().unwrap().name, name);
            let body = json!({"state": state, "comment": "Vu"});
            admin.main().validate_harvest_source().source(&source).body(body).send().await.unwrap();
            notification_of(&user, kind, about).await;
            assert!(notification_of(&admin, "harvest.source.pending", about).await.handled_at.is_some());
        }
    });
}

#[test]
fn a_notification_is_marked_read_by_its_recipient() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let subject = dataset(&user).await.id;
        let reuse = reuse(&plain, &subject).await.id;
        let about = |one: &Notification| one.details.reuse.as_ref().is_some_and(|of| of.id == reuse);
        let id = notification_of(&user, "reuse.created", about).await.id;
        let read = async |client: &Client| client.main().read_notification().notification(&id).send().await;
        assert!(read(&plain).await.unwrap_err().is_forbidden());
        assert!(read(&live.anonymous()).await.unwrap_err().is_unauthorized());
        assert!(read(&user).await.unwrap().handled_at.is_some());

        let list = async |handled: bool| {
            let list = user.main().list_notifications().handled(handled).sort("-created").page_size(1000);
            list.send().await.unwrap().into_inner().data.into_iter().any(|one| one.id == id)
        };
        assert!(list(true).await && !list(false).await);
        let unknown = user.main().read_notification().notification("00000000-0000-4000-8000-000000000000");
        assert!(unknown.send().await.unwrap_err().is_not_found());
        assert!(live.anonymous().main().list_notifications().send().await.unwrap_err().is_unauthorized());
        assert_eq!(refused(&user.main().list_notifications().type_("nope").send().await.unwrap_err()), ["type"]);
        let page = user.main().list_notifications().page_size(1).sort("-last_modified").send().await.unwrap();
        assert_eq!(page.data.len(), 1);
        assert!(user.main().list_notifications().page(99_999).send().await.unwrap_err().is_not_found());
    });
}

#[test]
fn a_subject_is_followed_and_unfollowed() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let subject = dataset(&user).await;
        let scope = format!("Dataset:{}", subject.id);
        let follow = async |followed: bool, event: Value| -> Response<NotificationResolved> {
            let body = json!({"scope": reference("Dataset", &subject.id), "event": event, "followed": followed});
            plain.main().follow_notifications().body(body).send().await.unwrap()
        };
        let resolved = async || -> NotificationResolved {
            let scopes = vec![scope.clone()];
            plain.main().resolve_notifications().scope(scopes).send().await.unwrap().into_inner().remove(0)
        };
        let before = resolved().await;
        assert!(!before.heard && before.reasons.is_empty() && before.event.is_none());
        assert_eq!(before.subject.as_ref().unwrap().title, subject.title);

        let some = follow(true, json!("discussion.new")).await;
        assert!(some.heard && !some.partial);
        assert_eq!(some.event.as_deref(), Some("discussion.new"));
        let some = resolved().await;
        assert!(some.heard && some.partial);
        assert_eq!(
            (some.followed_events, some.heard_types),
            (vec!["discussion.new".to_owned()], vec!["discussion.new".to_owned()])
        );
        assert_eq!(some.reasons, ["explicit_subscriber"]);

        assert!(follow(true, Value::Null).await.heard);
        let all = resolved().await;
        assert!(all.heard && !all.partial && all.followed_events.is_empty());
        // Followers are notified of the actions of others.
        let body = json!({"title": unique("Question"), "comment": "?", "subject": reference("Dataset", &subject.id)});
        let id = live.admin().main().create_discussion().body(body).send().await.unwrap().into_inner().id;
        let about = |one: &Notification| one.details.discussion.as_ref().is_some_and(|of| of.id == id);
        assert_eq!(reasons(&notification_of(&plain, "discussion.new", about).await), ["explicit_subscriber"]);

        assert!(!follow(false, Value::Null).await.heard);
        assert!(!resolved().await.heard);
        let body =
            NotificationFollow::new(true, ModelReferenceInput::new("Dataset", subject.id.as_str())).event("nope");
        let error = plain.main().follow_notifications().body(body).send().await.unwrap_err();
        assert_eq!(refused(&error), ["event"]);
        let body = NotificationFollow::new(true, ModelReferenceInput::new("Nope", subject.id.as_str()));
        let error = plain.main().follow_notifications().body(body).send().await.unwrap_err();
        assert_eq!(refused(&error), ["scope"]);
    });
}

#[test]
fn rules_are_set_replaced_and_removed() {
    run(|live| async move {
        let user = live.user();
        let id = organization(&user).await.id;
        let subject = dataset_with(&user, json!({"organization": reference("Organization", &id)})).await.id;
        let set = async |class: &str, id: &str, event: Value, enabled: Value| {
            let body = json!({"scope": reference(class, id), "event": event, "enabled": enabled});
            user.main().set_notification_setting().body(body).send().await
        };
        let rules = async |id: &str, followed: Option<bool>| {
            let mut list = user.main().list_notification_settings().page_size(1000);
            if let Some(followed) = followed {
                list = list.followed(followed);
            }
            let mut rules = list.send().await.unwrap().into_inner().data;
            rules.retain(|rule| rule.scope.as_ref().is_some_and(|scope| scope.id == id));
            rules
        };
        let response = set("Organization", &id, json!("discussion"), json!(false)).await.unwrap();
        assert_eq!(response.status(), 204);
        let made = rules(&id, None).await;
        assert_eq!(made.len(), 1);
        assert!(!made[0].enabled);
        assert_eq!((made[0].event.as_deref(), made[0].origin.as_str()), (Some("discussion"), "followed"));
        assert!(made[0].subject.is_some());
        assert!(rules(&id, Some(true)).await.is_empty());

        set("Organization", &id, json!("discussion"), json!(true)).await.unwrap();
        assert!(rules(&id, Some(true)).await[0].enabled);

        // Muted subjects cause no notification.
        set("Dataset", &subject, Value::Null, json!(false)).await.unwrap();
        let scopes = vec![format!("Dataset:{subject}"), format!("Organization:{id}")];
        let resolved = user.main().resolve_notifications().scope(scopes).send().await.unwrap();
        assert_eq!(
            resolved.iter().map(|one| (one.muted, one.heard)).collect::<Vec<_>>(),
            [(true, false), (false, true)]
        );
        assert_eq!(resolved[1].reasons, ["explicit_subscriber", "organization.admin"]);
        let body = json!({"title": unique("Tue"), "comment": "?", "subject": reference("Dataset", &subject)});
        let id = live.plain().main().create_discussion().body(body).send().await.unwrap().into_inner().id;
        let about = |one: &Notification| one.details.discussion.as_ref().is_some_and(|of| of.id == id);
        assert!(!notifications(&user, "discussion.new").await.iter().any(about));

        let error = set("Dataset", &subject, json!("nope"), json!(true)).await.unwrap_err();
        assert_eq!(refused(&error), ["event"]);
        let error = set("User", &subject, Value::Null, json!(true)).await.unwrap_err();
        assert_eq!(refused(&error), ["scope"]);
    });
}

#[test]
fn a_rule_without_a_subject_is_about_all_of_them() {
    run(|live| async move {
        let plain = live.plain();
        // A kind of which this user gets no other notification here.
        let event = "organization.badge.company";
        let set = async |enabled: Value| {
            let body = json!({"event": event, "enabled": enabled});
            plain.main().set_notification_setting().body(body).send().await.unwrap()
        };
        set(json!(false)).await;
        let rules = plain.main().list_notification_settings().followed(false).page_size(1000).send().await.unwrap();
        let rule = rules.data.iter().find(|rule| rule.event.as_deref() == Some(event)).unwrap();
        assert!(rule.scope.is_none() && rule.subject.is_none() && !rule.enabled);
        set(json!(true)).await;
        let anonymous = live.anonymous();
        assert!(anonymous.main().list_notification_settings().send().await.unwrap_err().is_unauthorized());
        let body = json!({"event": event, "enabled": true});
        let error = anonymous.main().set_notification_setting().body(body).send().await.unwrap_err();
        assert!(error.is_unauthorized());
    });
}

#[test]
fn unreachable_subjects_are_null_and_invalid_ones_refused() {
    run(|live| async move {
        let plain = live.plain();
        let private = dataset_with(&live.user(), json!({"private": true})).await.id;
        let resolve = async |scope: &str, event: Option<&str>| {
            let mut call = plain.main().resolve_notifications().scope(vec![scope.to_owned()]);
            if let Some(event) = event {
                call = call.event(event);
            }
            call.send().await
        };
        let resolved = resolve(&format!("Dataset:{private}"), Some("discussion")).await.unwrap();
        assert!(resolved[0].subject.is_none() && !resolved[0].heard);
        assert_eq!(resolved[0].event.as_deref(), Some("discussion"));
        assert_eq!(resolved[0].scope.id, private);
        let error = resolve(&format!("Dataset:{private}"), Some("nope")).await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Unknown event"));
        assert_eq!(refused(&resolve("nope", None).await.unwrap_err()), ["scope"]);
        let anonymous = live.anonymous();
        let error = anonymous.main().resolve_notifications().scope(vec![format!("Dataset:{private}")]).send().await;
        assert!(error.unwrap_err().is_unauthorized());
        let body = json!({"scope": reference("Dataset", &private), "followed": true});
        assert!(anonymous.main().follow_notifications().body(body).send().await.unwrap_err().is_unauthorized());
    });
}
