//! Reports of inappropriate content.

use datagouv::main::types::{LazyReferenceInput, ReportInput};
use datagouv::{Client, Response};
use serde_json::{Value, json};

use crate::community::{reference, refused};
use crate::run;
use crate::support::{dataservice, dataset, me, organization, reuse, unique};

type Report = datagouv::main::types::Report;

const UNKNOWN: &str = "000000000000000000000000";

async fn report(client: &Client, body: Value) -> datagouv::Result<Response<Report>> {
    client.main().create_report().body(body).send().await
}

#[test]
fn every_kind_of_subject_is_reported_with_and_without_a_key() {
    run(|live| async move {
        let (admin, user, plain, anonymous) = (live.admin(), live.user(), live.plain(), live.anonymous());
        let dataset = dataset(&user).await;
        let question = json!({"title": "x", "comment": "Buvez !", "subject": reference("Dataset", &dataset.id)});
        let discussion = plain.main().create_discussion().body(question).send().await.unwrap();
        let subjects = [
            ("Dataset", dataset.id.clone(), "explicit_content"),
            ("Reuse", reuse(&user, &dataset.id).await.id, "illegal_content"),
            ("Dataservice", dataservice(&user).await.id, "security"),
            ("Organization", organization(&user).await.id, "others"),
            ("Discussion", discussion.id.clone(), "spam"),
            ("User", me(&plain).await.id, "personal_data"),
        ];
        for (class, id, reason) in subjects {
            let body = ReportInput::new(reason, LazyReferenceInput::new(class, id.as_str()));
            let made = anonymous.main().create_report().body(body.clone()).send().await.unwrap();
            assert_eq!(made.status(), 201);
            assert!(made.by.is_none() && made.message.is_none());
            let made = user.main().create_report().body(body.message("Regardez")).send().await.unwrap();
            assert_eq!(made.by.as_ref().unwrap().first_name, "Alice");
            let read = admin.main().get_report().report(&made.id).send().await.unwrap();
            assert_eq!((read.reason.as_str(), read.message.as_deref()), (reason, Some("Regardez")));
            assert_eq!(serde_json::to_value(&read.subject).unwrap(), reference(class, &id));
            assert!(!read.subject_label.is_empty());
            let page = admin.main().list_reports().subject_type(class).sort("-reported_at").send().await.unwrap();
            assert!(page.data.iter().any(|one| one.id == made.id));
        }
        // One message of a discussion.
        let message = &discussion.discussion[0].id;
        let body = json!({
            "reason": "spam", "subject": reference("Discussion", &discussion.id), "subject_embed_id": message,
        });
        let made = report(&user, body).await.unwrap();
        assert_eq!(made.subject_embed_id.as_ref(), Some(message));
        let reasons = anonymous.main().list_reports_reasons().send().await.unwrap();
        assert_eq!(reasons.len(), 7);
        assert!(reasons.iter().any(|reason| reason.value == "personal_data"));
    });
}

#[test]
fn a_report_is_dismissed_and_reopened() {
    run(|live| async move {
        let (admin, user) = (live.admin(), live.user());
        let subject = dataset(&user).await.id;
        let body = json!({"reason": "others", "subject": reference("Dataset", &subject)});
        let id = report(&user, body).await.unwrap().into_inner().id;
        let update = async |client: &Client, dismissed: Value| {
            client.main().update_report().report(&id).body(json!({"dismissed_at": dismissed})).send().await
        };
        let handled = async |handled: bool| {
            let page = admin.main().list_reports().handled(handled).sort("-reported_at").page_size(1000).send().await;
            page.unwrap().data.iter().any(|report| report.id == id)
        };
        assert!(handled(false).await && !handled(true).await);
        let dismissed = update(&admin, json!("2026-01-01T00:00:00+00:00")).await.unwrap();
        assert_eq!(dismissed.dismissed_by.as_ref().unwrap().first_name, "Ada");
        assert_eq!(dismissed.dismissed_at.as_ref().unwrap().as_str(), "2026-01-01T00:00:00+00:00");
        assert!(!handled(false).await && handled(true).await);
        let again = update(&admin, Value::Null).await.unwrap();
        assert!(again.dismissed_at.is_none() && again.dismissed_by.is_none());
        assert_eq!(refused(&update(&admin, json!("nope")).await.unwrap_err()), ["dismissed_at"]);
        assert!(update(&user, Value::Null).await.unwrap_err().is_forbidden());
    });
}

#[test]
fn a_report_outlives_its_subject() {
    run(|live| async move {
        let (admin, user) = (live.admin(), live.user());
        let subject = dataset(&user).await;
        let body = json!({"reason": "others", "subject": reference("Dataset", &subject.id)});
        let id = report(&user, body).await.unwrap().into_inner().id;
        user.main().delete_dataset().dataset(&subject.id).send().await.unwrap();
        let read = admin.main().get_report().report(&id).send().await.unwrap();
        assert!(read.subject_deleted_at.is_some());
        assert_eq!(read.subject_deleted_by.as_ref().unwrap().first_name, "Alice");
        assert_eq!(read.subject_label, subject.title);

        // The report of a deleted discussion keeps its subject.
        let other = dataset(&user).await.id;
        let body = json!({"title": unique("Question"), "comment": "?", "subject": reference("Dataset", &other)});
        let discussion = user.main().create_discussion().body(body).send().await.unwrap();
        let body = json!({"reason": "spam", "subject": reference("Discussion", &discussion.id)});
        let id = report(&live.anonymous(), body).await.unwrap().into_inner().id;
        admin.main().delete_discussion().id(&discussion.id).send().await.unwrap();
        let read = admin.main().get_report().report(&id).send().await.unwrap();
        assert_eq!(serde_json::to_value(&read.subject).unwrap(), reference("Discussion", &discussion.id));
        assert_eq!(read.subject_label, discussion.title);
        assert_eq!(read.subject_deleted_by.as_ref().unwrap().first_name, "Ada");
    });
}

#[test]
fn the_server_reports_spam_by_itself() {
    run(|live| async move {
        let (admin, plain) = (live.admin(), live.plain());
        let subject = dataset(&live.user()).await.id;
        let title = unique("Offre");
        let body = json!({"title": title, "comment": "Buy viagra now", "subject": reference("Dataset", &subject)});
        let discussion = plain.main().create_discussion().body(body).send().await.unwrap();
        let page = admin.main().list_reports().subject_type("Discussion").sort("-reported_at").send().await.unwrap();
        let found = page.data.iter().find(|report| report.subject_label == title).unwrap();
        assert_eq!(found.reason.as_str(), "auto_spam");
        assert!(found.by.is_none() && found.message.as_ref().unwrap().contains("viagra"));
        // The notifications of the discussion are sent when the report is dismissed.
        assert_eq!(found.callbacks_count, 1);
        let body = json!({"dismissed_at": "2026-01-01T00:00:00+00:00"});
        let dismissed = admin.main().update_report().report(&found.id).body(body).send().await.unwrap();
        assert_eq!(dismissed.callbacks_count, 0);
        assert!(admin.main().get_discussion().id(&discussion.id).send().await.is_ok());
    });
}

#[test]
fn reports_are_refused_and_hidden_from_strangers() {
    run(|live| async move {
        let (admin, user, anonymous) = (live.admin(), live.user(), live.anonymous());
        let subject = dataset(&user).await.id;
        let body = |reason: &str, class: &str, id: &str| json!({"reason": reason, "subject": reference(class, id)});
        let refuse = async |body: Value| refused(&report(&user, body).await.unwrap_err());
        assert_eq!(refuse(body("nope", "Dataset", &subject)).await, ["reason"]);
        assert_eq!(refuse(body("spam", "Topic", &subject)).await, ["subject"]);
        assert_eq!(refuse(body("spam", "Dataset", UNKNOWN)).await, ["subject"]);
        assert!(user.main().list_reports().send().await.unwrap_err().is_forbidden());
        assert!(anonymous.main().list_reports().send().await.unwrap_err().is_unauthorized());
        let id = report(&user, body("spam", "Dataset", &subject)).await.unwrap().into_inner().id;
        assert!(user.main().get_report().report(&id).send().await.unwrap_err().is_forbidden());
        assert!(admin.main().get_report().report(UNKNOWN).send().await.unwrap_err().is_not_found());
        let error = admin.main().list_reports().subject_type("Nope").send().await.unwrap_err();
        assert_eq!(refused(&error), ["subject_type"]);
    });
}
