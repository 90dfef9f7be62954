//! Transfers: objects change hands when their recipient agrees.

use datagouv::main::types::{BaseReferenceInput, Transfer, TransferRequest, TransferResponse};
use datagouv::{Client, Response};
use serde_json::json;

use crate::community::{reference, refused};
use crate::run;
use crate::support::{dataservice, dataset, dataset_with, me, organization, reuse, unique};

const UNKNOWN: &str = "000000000000000000000000";

async fn offer(
    client: &Client,
    subject: (&str, &str),
    recipient: (&str, &str),
) -> datagouv::Result<Response<Transfer>> {
    let (subject, recipient) =
        (BaseReferenceInput::new(subject.0, subject.1), BaseReferenceInput::new(recipient.0, recipient.1));
    let body = TransferRequest::new(recipient, subject).comment("Prenez");
    client.main().request_transfer().body(body).send().await
}

async fn respond(client: &Client, id: &str, response: &str) -> datagouv::Result<Response<Transfer>> {
    let body = TransferResponse::new(response).comment("Bien");
    client.main().respond_to_transfer().id(id).body(body).send().await
}

#[test]
fn an_accepted_transfer_changes_the_owner() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let (giver, taker) = (me(&user).await.id, me(&plain).await.id);
        let created = dataset(&user).await;
        let subject = ("Dataset", created.id.as_str());
        let offered = offer(&user, subject, ("User", &taker)).await.unwrap();
        assert_eq!((offered.status().as_u16(), offered.status.as_str()), (201, "pending"));
        assert_eq!(offered.user.id, giver);
        assert_eq!(offered.owner.id.as_ref(), Some(&giver));
        assert_eq!(offered.recipient.id.as_ref(), Some(&taker));
        assert_eq!(offered.subject.title.as_ref(), Some(&created.title));
        assert!(offered.responded.is_none());

        let page = plain.main().list_notifications().type_("transfer.requested").page_size(1000).send().await.unwrap();
        let notification_of = |id: &str| {
            page.data
                .iter()
                .find(|one| one.details.transfer_subject.as_ref().is_some_and(|of| of.id.as_deref() == Some(id)))
        };
        let notification = notification_of(&created.id).unwrap();
        assert!(notification.requires_action);
        assert_eq!(notification.details.transfer_owner.as_ref().unwrap().first_name.as_deref(), Some("Alice"));

        assert!(respond(&user, &offered.id, "accept").await.unwrap_err().is_forbidden());
        let accepted = respond(&plain, &offered.id, "accept").await.unwrap();
        assert_eq!(accepted.status.as_str(), "accepted");
        assert!(accepted.responded.is_some());
        let read = live.anonymous().main().get_dataset().dataset(&created.id).send().await.unwrap();
        assert_eq!(read.owner.as_ref().unwrap().id, taker);
        let error = respond(&plain, &offered.id, "refuse").await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Cannot update transfer after accepting/refusing"));
        let read = live.anonymous().main().get_transfer().id(&offered.id).send().await.unwrap();
        assert_eq!(read.status.as_str(), "accepted");
    });
}

#[test]
fn every_kind_of_object_is_transferred_to_an_organization() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let taker = organization(&plain).await.id;
        let subject = dataset(&user).await.id;
        let topic = json!({"name": unique("Thème"), "description": "Un thème", "tags": ["alpha"]});
        let topic = user.main_v2().create_topic().body(topic).send().await.unwrap().into_inner().id;
        let subjects = [
            ("Reuse", reuse(&user, &subject).await.id),
            ("Dataservice", dataservice(&user).await.id),
            ("Topic", topic),
            ("Dataset", subject),
        ];
        for (class, id) in &subjects {
            let offered = offer(&user, (class, id), ("Organization", &taker)).await.unwrap();
            assert_eq!(offered.subject.class, *class);
            assert_eq!(offered.recipient.class, "Organization");
            let found = user.main().list_transfers().subject(id).subject_type(*class).status("pending").send().await;
            assert_eq!(found.unwrap().len(), 1);
            respond(&plain, &offered.id, "accept").await.unwrap();
            let found = plain.main().list_transfers().recipient(&taker).subject_type(*class).send().await.unwrap();
            assert_eq!(found.iter().map(|one| one.status.as_str()).collect::<Vec<_>>(), ["accepted"]);
        }
        let reuse = user.main().get_reuse().reuse(&subjects[0].1).send().await.unwrap();
        assert_eq!(reuse.organization.as_ref().unwrap().id, taker);
        assert!(reuse.owner.is_none());
        // Strangers see none.
        let found = live.anonymous().main().list_transfers().recipient(&taker).send().await.unwrap();
        assert!(found.is_empty());
    });
}

#[test]
fn a_refused_transfer_changes_nothing() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let giver = organization(&user).await.id;
        let subject = dataset_with(&user, json!({"organization": reference("Organization", &giver)})).await.id;
        let taker = me(&plain).await.id;
        let offered = offer(&user, ("Dataset", &subject), ("User", &taker)).await.unwrap();
        assert_eq!(offered.owner.class, "Organization");
        let refusal = respond(&plain, &offered.id, "refuse").await.unwrap();
        assert_eq!((refusal.status.as_str(), refusal.comment.as_deref()), ("refused", Some("Prenez")));
        let read = user.main().get_dataset().dataset(&subject).send().await.unwrap();
        assert_eq!(read.organization.as_ref().unwrap().id, giver);
        let found = user.main().list_transfers().subject(&subject).status("refused").send().await.unwrap();
        assert_eq!(found.len(), 1);
    });
}

#[test]
fn transfers_are_refused_and_found_by_subject() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let subject = dataset(&user).await.id;
        let (giver, taker) = (me(&user).await.id, me(&plain).await.id);
        let error = offer(&plain, ("Dataset", &subject), ("User", &taker)).await.unwrap_err();
        assert!(error.is_forbidden());
        let error = offer(&user, ("Dataset", &subject), ("User", &giver)).await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Recipient should be different than the current owner"));
        let error = offer(&user, ("Nope", &subject), ("User", &taker)).await.unwrap_err();
        assert_eq!(refused(&error), ["subject"]);
        let error = offer(&user, ("Dataset", &subject), ("User", UNKNOWN)).await.unwrap_err();
        assert_eq!(refused(&error), ["recipient"]);
        let anonymous = live.anonymous();
        let error = offer(&anonymous, ("Dataset", &subject), ("User", &taker)).await.unwrap_err();
        assert!(error.is_unauthorized());

        // Without a comment.
        let body = json!({"subject": reference("Dataset", &subject), "recipient": reference("User", &taker)});
        let offered = user.main().request_transfer().body(body).send().await.unwrap();
        assert!(respond(&anonymous, &offered.id, "accept").await.unwrap_err().is_unauthorized());
        assert!(respond(&plain, UNKNOWN, "accept").await.unwrap_err().is_not_found());
        assert_eq!(respond(&plain, &offered.id, "nope").await.unwrap_err().status().unwrap(), 400);
        assert!(anonymous.main().get_transfer().id(UNKNOWN).send().await.unwrap_err().is_not_found());
        let error = user.main().list_transfers().send().await.unwrap_err();
        assert!(error.server_message().unwrap().starts_with("Please provide at least"));
        let error = user.main().list_transfers().subject("nope").send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("`subject` must be an identifier"));
    });
}
