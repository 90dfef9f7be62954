//! Dataservices of `/api/1`.

use datagouv::main::types::DataserviceDatasetsAdd;
use serde_json::json;

use crate::run;
use crate::support::{dataservice, dataset, me, organization, unique};
use crate::things::{refused, word};

#[test]
fn a_dataservice_with_everything_is_read_back_and_found() {
    run(|live| async move {
        let client = live.admin();
        let (owner, used) = (organization(&client).await, dataset(&client).await);
        let contact =
            json!({"name": unique("Contact"), "email": "c@example.org", "role": "contact", "organization": owner.id});
        let contact = client.main().create_contact_point().body(contact).send().await.unwrap();
        let tag = word();
        let body = json!({
            "title": unique("API complète"), "acronym": "API", "description": "Une **API**", "organization": owner.id,
            "base_api_url": format!("https://api.example.org/{tag}"),
            "machine_documentation_url": "https://example.org/openapi.json",
            "technical_documentation_url": "https://example.org/doc",
            "business_documentation_url": "https://example.org/metier",
            "authorization_request_url": "https://example.org/demande",
            "rate_limiting": "10/s", "rate_limiting_url": "https://example.org/limites",
            "availability": 99.5, "availability_url": "https://example.org/disponibilite",
            "format": "REST", "license": "lov2", "tags": [tag, "transport"], "datasets": [used.id],
            "contact_points": [contact.id], "extras": {"a": {"b": [1, null]}},
            "access_type": "restricted", "access_type_reason": "une raison",
            "access_type_reason_category": "intellectual_property_rights",
            "access_audiences": [
                {"role": "private", "condition": "no"},
                {"role": "company_and_association", "condition": "under_condition"},
                {"role": "local_authority_and_administration", "condition": "yes"},
            ],
        });
        let made = client.main().create_dataservice().body(body).send().await.unwrap();
        assert_eq!(made.status(), 201);
        assert_eq!((made.availability, made.license.as_deref()), (Some(99.5), Some("lov2")));
        assert_eq!(made.access_audiences.len(), 3);
        assert_eq!(made.access_audiences[1].condition.as_str(), "under_condition");
        assert_eq!(made.contact_points[0].name, contact.name);
        assert_eq!(made.datasets.total, 1);
        assert_eq!(made.harvest.backend, None);
        assert_eq!(made.extras["a"], json!({"b": [1, null]}));

        let list = || client.main().list_dataservices().tag([tag.clone()]);
        for page in [
            list().send().await.unwrap(),
            list().organization(&owner.id).access_type("restricted").send().await.unwrap(),
            list().dataset(&used.id).contact_point(&contact.id).send().await.unwrap(),
            list().q("complète").sort("-created").page_size(5).send().await.unwrap(),
        ] {
            assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&made.id]);
        }
        assert_eq!(list().access_type("open").send().await.unwrap().total, 0);

        let rdf = client.main().rdf_dataservice().dataservice(&made.id).send().await.unwrap();
        assert_eq!(rdf.status(), 200);
        let text = rdf.into_inner().text().await.unwrap();
        assert!(text.contains(&made.title), "{text}");
        for (format, mark) in [("ttl", "dcat:DataService"), ("xml", "rdf:RDF"), ("json", "@context")] {
            let rdf = client.main().rdf_dataservice_format().dataservice(&made.id).format(format).send().await.unwrap();
            assert!(rdf.into_inner().text().await.unwrap().contains(mark), "{format}");
        }
        let unknown = client.main().rdf_dataservice_format().dataservice(&made.id).format("nope").send().await;
        refused(unknown, 404);
    });
}

#[test]
fn datasets_are_added_to_a_dataservice_and_removed() {
    run(|live| async move {
        let client = live.user();
        let made = dataservice(&client).await;
        let (one, other) = (dataset(&client).await, dataset(&client).await);
        let both = [&one.id, &other.id].map(|id| DataserviceDatasetsAdd::new(id.as_str()));
        let added =
            client.main().dataservice_datasets_create().dataservice(&made.id).body(both.to_vec()).send().await.unwrap();
        assert_eq!((added.status().as_u16(), added.datasets.total), (201, 2));
        let gone = client.main().delete_dataservice_dataset().dataservice(&made.id).dataset(&one.id).send().await;
        assert_eq!(gone.unwrap().status(), 204);
        let seen = client.main().get_dataservice().dataservice(&made.id).send().await.unwrap();
        assert_eq!(seen.datasets.total, 1);
        let page = client.main().list_dataservices().dataset(&one.id).send().await.unwrap();
        assert_eq!(page.total, 0);
        let again = client.main().delete_dataservice_dataset().dataservice(&made.id).dataset(&one.id).send().await;
        refused(again, 404);
    });
}

#[test]
fn renaming_a_dataservice_keeps_the_absent_fields() {
    run(|live| async move {
        let client = live.user();
        let made = dataservice(&client).await;
        let title = unique("Renommée");
        let body = json!({"title": title, "format": "WMS", "archived_at": "2024-01-01T00:00:00+00:00"});
        let updated = client.main().update_dataservice().dataservice(&made.id).body(body).send().await.unwrap();
        assert_eq!(updated.title, title);
        assert_eq!(updated.format.as_ref().map(|format| format.as_str()), Some("WMS"));
        assert!(updated.archived_at.is_some());
        assert_eq!((&updated.base_api_url, &updated.description), (&made.base_api_url, &made.description));
        let renamed = client.main().get_dataservice().dataservice(&made.slug).send().await.unwrap();
        assert_eq!(renamed.id, made.id, "the old slug leads to the new one");
        let masked = client.main().get_dataservice().dataservice(&made.id).x_fields("{id,title}").send().await.unwrap();
        assert_eq!((masked.title.as_str(), masked.description.as_str()), (title.as_str(), ""));
        let stranger = live.plain();
        let body = json!({"title": "x"});
        refused(stranger.main().update_dataservice().dataservice(&made.id).body(body).send().await, 403);
    });
}

#[test]
fn a_deleted_dataservice_is_gone_for_strangers() {
    run(|live| async move {
        let client = live.user();
        let made = dataservice(&client).await;
        refused(live.plain().main().delete_dataservice().dataservice(&made.id).send().await, 403);
        assert_eq!(client.main().delete_dataservice().dataservice(&made.id).send().await.unwrap().status(), 204);
        let gone = refused(live.anonymous().main().get_dataservice().dataservice(&made.id).send().await, 410);
        assert!(gone.is_gone());
        let kept = client.main().get_dataservice().dataservice(&made.id).send().await.unwrap();
        assert!(kept.deleted_at.is_some());
        let other = dataservice(&client).await;
        let admin = live.admin();
        let noticed = admin.main().delete_dataservice().dataservice(&other.id).send_legal_notice(true);
        assert_eq!(noticed.send().await.unwrap().status(), 204);
    });
}

#[test]
fn a_private_dataservice_is_visible_to_its_owner_alone() {
    run(|live| async move {
        let body = json!({"title": unique("API privée"), "description": "d", "private": true, "format": "WSL"});
        let made = live.user().main().create_dataservice().body(body).send().await.unwrap();
        assert!(made.private);
        assert_eq!(made.base_api_url, None);
        assert!(live.user().main().get_dataservice().dataservice(&made.id).send().await.is_ok());
        refused(live.plain().main().get_dataservice().dataservice(&made.id).send().await, 404);
    });
}

#[test]
fn only_an_administrator_features_a_dataservice() {
    run(|live| async move {
        let made = dataservice(&live.user()).await;
        refused(live.user().main().feature_dataservice().dataservice(&made.id).send().await, 403);
        let featured = live.admin().main().feature_dataservice().dataservice(&made.id).send().await.unwrap();
        assert_eq!(featured.featured, Some(true));
        let page = live.anonymous().main().list_dataservices().featured(true).page_size(100).send().await.unwrap();
        assert!(page.data.iter().any(|found| found.id == made.id));
        let plain = live.admin().main().unfeature_dataservice().dataservice(&made.id).send().await.unwrap();
        assert_eq!(plain.featured, Some(false));
    });
}

#[test]
fn followers_of_a_dataservice_are_counted_and_listed() {
    run(|live| async move {
        let made = dataservice(&live.user()).await;
        let follower = live.plain();
        let first = follower.main().follow_dataservice().id(&made.id).send().await.unwrap();
        assert_eq!((first.status().as_u16(), first.followers), (201, 1));
        let page = follower.main().list_dataservice_followers().id(&made.id).send().await.unwrap();
        assert_eq!(page.data[0].follower.first_name, me(&follower).await.first_name);
        let user = page.data[0].follower.id.clone();
        let one = follower.main().list_dataservice_followers().id(&made.id).user(user).page(1).page_size(1);
        assert_eq!(one.send().await.unwrap().total, 1);
        let left = follower.main().unfollow_dataservice().id(&made.id).send().await.unwrap();
        assert_eq!(left.followers, 0);
        refused(follower.main().unfollow_dataservice().id(&made.id).send().await, 404);
    });
}

#[test]
fn dataservices_are_suggested_by_their_title() {
    run(|live| async move {
        let client = live.anonymous();
        let body = json!({"title": unique("API"), "acronym": "SUGG", "description": "d"});
        let made = live.user().main().create_dataservice().body(body).send().await.unwrap();
        let found = client.main().suggest_dataservices().q(&made.title).size(5).send().await.unwrap();
        assert_eq!((&found[0].id, found[0].acronym.as_deref()), (&made.id, Some("SUGG")));
    });
}

#[test]
fn dataservices_are_shown_in_the_feed() {
    run(|live| async move {
        dataservice(&live.user()).await;
        let feed = live.anonymous().main().recent_dataservices_atom_feed().send().await.unwrap();
        assert!(feed.into_inner().text().await.unwrap().contains("<entry>"));
    });
}

#[test]
fn an_invalid_dataservice_is_refused_by_field() {
    run(|live| async move {
        let body = json!({"title": unique("API"), "description": "d", "format": "SOAP"});
        let error = refused(live.user().main().create_dataservice().body(body).send().await, 400);
        assert_eq!(error.field_errors()[0].field, "format");
        let anonymous = live.anonymous();
        let body = json!({"title": "x", "description": "d"});
        assert!(refused(anonymous.main().create_dataservice().body(body).send().await, 401).is_unauthorized());
        refused(anonymous.main().list_dataservices().page(100_000).send().await, 404);
    });
}
