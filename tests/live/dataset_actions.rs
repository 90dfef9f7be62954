//! Actions on a dataset: badges, featuring, following, DOI, RDF.

use serde_json::json;

use crate::run;
use crate::support::{dataset, dataset_with, me, organization, resource};

#[test]
fn a_badge_is_added_and_removed_once() {
    run(|live| async move {
        let (admin, made) = (live.admin(), dataset(&live.user()).await);
        let kinds = admin.main().available_dataset_badges().send().await.unwrap();
        assert_eq!(kinds["hvd"], "Données de forte valeur");
        let give = |kind: &str| admin.main().add_dataset_badge().dataset(&made.id).body(json!({"kind": kind}));
        for kind in kinds.keys() {
            let given = give(kind).send().await.unwrap();
            assert_eq!((given.status().as_u16(), &given.kind), (201, kind));
        }
        assert_eq!(give("hvd").send().await.unwrap().status(), 200);
        let error = give("nope").send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Unknown badge type for Dataset: nope"));
        let read = admin.main().get_dataset().dataset(&made.id).send().await.unwrap();
        assert_eq!(read.badges.len(), kinds.len());

        let take = || admin.main().delete_dataset_badge().dataset(&made.id).badge_kind("hvd");
        assert_eq!(take().send().await.unwrap().status(), 204);
        assert!(take().send().await.unwrap_err().is_not_found());
        let read = admin.main().get_dataset().dataset(&made.id).send().await.unwrap();
        assert!(read.badges.len() == kinds.len() - 1 && read.badges.iter().all(|badge| badge.kind.as_str() != "hvd"));
    });
}

#[test]
fn only_sysadmins_add_badges() {
    run(|live| async move {
        let (client, made) = (live.user(), dataset(&live.user()).await);
        let error =
            client.main().add_dataset_badge().dataset(&made.id).body(json!({"kind": "hvd"})).send().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
    });
}

#[test]
fn a_sysadmin_features_and_unfeatures_a_dataset() {
    run(|live| async move {
        let (admin, made) = (live.admin(), dataset(&live.user()).await);
        let error = live.user().main().feature_dataset().dataset(&made.id).send().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert!(admin.main().feature_dataset().dataset(&made.id).send().await.unwrap().featured);
        let list = || admin.main().list_datasets().featured(true).q(&made.title).send();
        assert!(list().await.unwrap().data.iter().any(|dataset| dataset.id == made.id));
        assert!(!admin.main().unfeature_dataset().dataset(&made.id).send().await.unwrap().featured);
        assert!(list().await.unwrap().data.iter().all(|dataset| dataset.id != made.id));
    });
}

#[test]
fn a_dataset_is_followed_and_unfollowed() {
    run(|live| async move {
        let (client, made) = (live.plain(), dataset(&live.user()).await);
        let error = live.anonymous().main().follow_dataset().id(&made.id).send().await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
        let empty = client.main().list_dataset_followers().id(&made.id).send().await.unwrap();
        assert!(empty.total == 0 && empty.data.is_empty());

        let first = client.main().follow_dataset().id(&made.id).send().await.unwrap();
        assert_eq!((first.status().as_u16(), first.followers), (201, 1));
        assert_eq!(client.main().follow_dataset().id(&made.id).send().await.unwrap().status(), 200);
        assert_eq!(live.admin().main().follow_dataset().id(&made.id).send().await.unwrap().followers, 2);

        let carol = me(&client).await;
        let list = client.main().list_dataset_followers().id(&made.id);
        let page = list.page(1).page_size(1).send().await.unwrap();
        assert_eq!((page.total, page.data.len(), page.page_size), (2, 1, 1));
        assert!(page.next_page.is_some() && page.previous_page.is_none());
        let alone = client.main().list_dataset_followers().id(&made.id).user(&carol.id).send().await.unwrap();
        assert_eq!((alone.total, &alone.data[0].follower.last_name), (1, &me(&live.plain()).await.last_name));
        let beyond = client.main().list_dataset_followers().id(&made.id).page(9).send().await.unwrap_err();
        assert!(beyond.is_not_found(), "{beyond}");
        let followed = client.main().list_datasets().followed_by(&carol.id).q(&made.title).send().await.unwrap();
        assert!(followed.data.iter().any(|dataset| dataset.id == made.id));

        assert_eq!(client.main().unfollow_dataset().id(&made.id).send().await.unwrap().followers, 1);
        assert!(client.main().unfollow_dataset().id(&made.id).send().await.unwrap_err().is_not_found());
    });
}

#[test]
fn a_doi_needs_an_organization_and_a_registry() {
    run(|live| async move {
        let admin = live.admin();
        let personal = dataset(&live.user()).await;
        let error = admin.main().mint_dataset_doi().dataset(&personal.id).send().await.unwrap_err();
        assert_eq!(error.status().unwrap(), 400);
        assert_eq!(error.server_message().as_deref(), Some("Can only reference a dataset created by an organization"));

        let organization = organization(&live.user()).await;
        let made =
            dataset_with(&live.user(), json!({"organization": {"class": "Organization", "id": organization.id}})).await;
        let error = live.user().main().mint_dataset_doi().dataset(&made.id).send().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        let error = admin.main().mint_dataset_doi().dataset(&made.id).send().await.unwrap_err();
        assert_eq!(error.status().unwrap(), 400);
        assert_eq!(error.server_message().as_deref(), Some("DOI config is not properly set up"));
    });
}

#[test]
fn rdf_is_served_in_every_format() {
    run(|live| async move {
        let (client, made) = (live.anonymous(), dataset_with(&live.user(), json!({"tags": ["été"]})).await);
        resource(&live.user(), &made.id).await;
        for (format, media, sign) in [
            ("json", "application/ld+json", "\"@context\""),
            ("jsonld", "application/ld+json", "\"@context\""),
            ("xml", "application/rdf+xml", "<rdf:RDF"),
            ("rdf", "application/rdf+xml", "<rdf:RDF"),
            ("ttl", "application/x-turtle", "@prefix dcat:"),
            ("n3", "text/n3", "@prefix dcat:"),
            ("nt", "application/n-triples", "<http://purl.org/dc/terms/identifier>"),
            ("trig", "application/trig", "@prefix dcat:"),
        ] {
            let response = client.main().rdf_dataset_format().dataset(&made.id).format(format).send().await.unwrap();
            let (status, found) = (response.status(), response.headers()["content-type"].to_str().unwrap().to_owned());
            assert!(status == 200 && found.starts_with(media), "{format}: {status} {found}");
            let text = response.into_inner().text().await.unwrap();
            assert!(text.contains(sign) && text.contains(&made.id), "{format}: {text}");
        }
        let error = client.main().rdf_dataset_format().dataset(&made.id).format("nope").send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    });
}

#[test]
fn rdf_without_a_format_redirects_to_one() {
    run(|live| async move {
        let made = dataset(&live.user()).await;
        let response = live.anonymous().main().rdf_dataset().dataset(&made.id).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let text = response.into_inner().text().await.unwrap();
        assert!(text.contains("http://www.w3.org/ns/dcat#") && text.contains(&made.id), "{text}");
    });
}

#[test]
fn rdf_of_a_deleted_dataset_is_gone() {
    run(|live| async move {
        let (client, made) = (live.user(), dataset(&live.user()).await);
        client.main().delete_dataset().dataset(&made.id).send().await.unwrap();
        let error =
            live.anonymous().main().rdf_dataset_format().dataset(&made.id).format("ttl").send().await.unwrap_err();
        assert!(error.is_gone(), "{error}");
    });
}
