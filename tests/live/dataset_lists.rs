//! Lists of datasets, and of the values of their properties.

use datagouv::main::types::{DatasetPage, ListDatasetsSort};
use serde_json::json;

use crate::datasets::refused;
use crate::run;
use crate::support::{dataset, dataset_with, me, organization, resource_with, reuse, unique};

fn ids(page: &DatasetPage) -> Vec<&str> {
    page.data.iter().map(|dataset| dataset.id.as_str()).collect()
}

#[test]
fn pages_are_read_to_the_last() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let mut titles: Vec<String> = Vec::new();
        for _ in 0..3 {
            titles.push(
                dataset_with(&client, json!({"organization": {"class": "Organization", "id": organization.id}}))
                    .await
                    .title,
            );
        }
        let anonymous = live.anonymous();
        let list = |page: i64| {
            let list = anonymous.main().list_datasets().organization(&organization.id);
            list.page_size(2).sort(ListDatasetsSort::Title).page(page)
        };
        let first = live_page(list(1)).await;
        assert_eq!((first.total, first.page, first.page_size, first.data.len()), (3, 1, 2, 2));
        assert!(first.next_page.as_ref().unwrap().contains("page=2") && first.previous_page.is_none());
        let second = live_page(list(2)).await;
        assert!(second.next_page.is_none() && second.previous_page.is_some());
        let found: Vec<&str> = first.data.iter().chain(&second.data).map(|dataset| dataset.title.as_str()).collect();
        titles.sort();
        assert_eq!(found, titles);
        let error = list(3).send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    });
}

async fn live_page(list: datagouv::main::builder::ListDatasets<'_>) -> DatasetPage {
    list.send().await.unwrap().into_inner()
}

#[test]
fn invalid_pages_and_orders_are_refused_by_name() {
    run(|live| async move {
        let client = live.anonymous();
        for (list, field) in [
            (client.main().list_datasets().page(0), "page"),
            (client.main().list_datasets().page_size(0), "page_size"),
            (client.main().list_datasets().page_size(-1), "page_size"),
            (client.main().list_datasets().sort(ListDatasetsSort::from("nope")), "sort"),
            (client.main().list_datasets().badge("nope"), "badge"),
            (client.main().list_datasets().access_type("nope"), "access_type"),
        ] {
            let error = list.send().await.unwrap_err();
            assert_eq!((error.status().unwrap().as_u16(), refused(&error)), (400, vec![field.to_owned()]), "{error}");
            assert_eq!(error.server_message().as_deref(), Some("Input payload validation failed"));
        }
        for (list, message) in [
            (client.main().list_datasets().organization("nope"), "Organization arg must be an identifier"),
            (client.main().list_datasets().owner("nope"), "Owner arg must be an identifier"),
            (client.main().list_datasets().topic("nope"), "Topic arg must be an identifier"),
            (client.main().list_datasets().reuse("nope"), "Reuse arg must be an identifier"),
            (client.main().list_datasets().dataservice("nope"), "Dataservice arg must be an identifier"),
            (client.main().list_datasets().followed_by("nope"), "`followed_by` arg must be an identifier"),
        ] {
            let error = list.send().await.unwrap_err();
            assert_eq!(error.server_message().as_deref(), Some(message));
        }
    });
}

#[test]
fn each_filter_returns_its_matches() {
    run(|live| async move {
        let (client, tag) = (live.user(), unique("filtre").replace(' ', "-"));
        let organization = organization(&client).await;
        let rich = dataset_with(
            &client,
            json!({
                "organization": {"class": "Organization", "id": organization.id},
                "tags": [tag, "commun"],
                "license": "odc-odbl",
                "spatial": {"zones": ["fr:departement:75"], "granularity": "fr:departement"},
                "temporal_coverage": {"start": "2001-01-01", "end": "2002-12-31"},
                "access_type": "open",
            }),
        )
        .await;
        let schema = json!({"format": "csv", "schema": {"name": "etalab/schema-irve-statique", "version": "2.2.0"}});
        resource_with(&client, &rich.id, schema).await;
        live.admin()
            .main()
            .add_dataset_badge()
            .dataset(&rich.id)
            .body(json!({"kind": "inspire"}))
            .send()
            .await
            .unwrap();
        live.admin()
            .main()
            .add_organization_badge()
            .org(&organization.id)
            .body(json!({"kind": "certified"}))
            .send()
            .await
            .unwrap();
        let poor =
            dataset_with(&client, json!({"organization": {"class": "Organization", "id": organization.id}, "access_type": "open_with_account"})).await;
        let list = || client.main().list_datasets().organization(&organization.id);
        let both = live_page(list()).await;
        assert_eq!(both.total, 2);
        for (name, filtered) in [
            ("tag", list().tag(vec![tag.clone()])),
            ("tags", list().tag(vec![tag.clone(), "commun".to_owned()])),
            ("license", list().license("odc-odbl")),
            ("geozone", list().geozone("fr:departement:75")),
            ("granularity", list().granularity("fr:departement")),
            ("temporal_coverage", list().temporal_coverage("2001-01-01-2002-12-31")),
            ("format", list().format("csv")),
            ("schema", list().schema("etalab/schema-irve-statique")),
            ("schema_version", list().schema_version("2.2.0")),
            ("badge", list().badge("inspire")),
            ("access_type", list().access_type("open")),
            ("q", list().q(&rich.title)),
        ] {
            assert_eq!(ids(&live_page(filtered).await), [rich.id.as_str()], "{name}");
        }
        let certified = live_page(list().organization_badge("certified")).await;
        assert_eq!(certified.total, 2);
        assert_eq!(live_page(list().access_type("open_with_account")).await.data[0].id, poor.id);
        assert_eq!(live_page(list().license("lov2")).await.total, 0);
        assert_eq!(live_page(list().credit("nobody")).await.total, 2, "the server ignores it");
    });
}

#[test]
fn private_archived_and_deleted_datasets_are_listed_for_their_owner_on_demand() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let with = |extra: serde_json::Value| {
            let extra = crate::support::merged(
                json!({"organization": {"class": "Organization", "id": organization.id}}),
                extra,
            );
            let client = client.clone();
            async move { dataset_with(&client, extra).await }
        };
        let private = with(json!({"private": true})).await;
        let archived = with(json!({"archived": "2024-01-01T00:00:00+00:00"})).await;
        let deleted = with(json!({})).await;
        let open = with(json!({})).await;
        client.main().delete_dataset().dataset(&deleted.id).send().await.unwrap();
        assert_eq!(archived.archived.as_ref().unwrap().as_str(), "2024-01-01T00:00:00+00:00");

        let list = || client.main().list_datasets().organization(&organization.id);
        assert_eq!(ids(&live_page(list().private(true)).await), [private.id.as_str()]);
        assert_eq!(ids(&live_page(list().archived(true)).await), [archived.id.as_str()]);
        let page = live_page(list().deleted(true)).await;
        assert_eq!(ids(&page), [deleted.id.as_str()]);
        assert!(page.data[0].deleted.is_some());

        let stranger = live.anonymous();
        let seen = live_page(stranger.main().list_datasets().organization(&organization.id)).await;
        assert!(ids(&seen).contains(&open.id.as_str()));
        assert!(!ids(&seen).contains(&private.id.as_str()) && !ids(&seen).contains(&deleted.id.as_str()));
        let error = stranger.main().list_datasets().private(true).send().await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
    });
}

#[test]
fn a_dataset_is_found_by_its_owner() {
    run(|live| async move {
        let (client, made) = (live.plain(), dataset(&live.plain()).await);
        let page = live_page(client.main().list_datasets().owner(me(&client).await.id).q(&made.title)).await;
        assert_eq!(ids(&page), [made.id.as_str()]);
        assert!(page.data[0].organization.is_none());
    });
}

#[test]
fn datasets_are_found_by_their_reuses_and_dataservices() {
    run(|live| async move {
        let (client, made) = (live.user(), dataset(&live.user()).await);
        let reuse = reuse(&live.plain(), &made.id).await;
        let body = json!({"title": unique("API"), "description": "Un service.", "datasets": [made.id]});
        let dataservice = client.main().create_dataservice().body(body).send().await.unwrap();
        let list = || client.main().list_datasets();
        assert_eq!(ids(&live_page(list().reuse(&reuse.id)).await), [made.id.as_str()]);
        assert_eq!(ids(&live_page(list().dataservice(&dataservice.id)).await), [made.id.as_str()]);
    });
}

#[test]
fn a_mask_applies_to_the_items_of_a_page() {
    run(|live| async move {
        let made = dataset(&live.user()).await;
        let list = live.user().main().list_datasets().q(&made.title).x_fields("data{id,title},total").send().await;
        let page = list.unwrap();
        assert_eq!((page.total, page.page_size), (1, 0));
        assert_eq!((&page.data[0].id, &page.data[0].title), (&made.id, &made.title));
        assert!(page.data[0].slug.is_empty() && page.data[0].owner.is_none());
    });
}

#[test]
fn titles_are_suggested() {
    run(|live| async move {
        let made = dataset_with(&live.user(), json!({"title": unique("Suggestion"), "acronym": "SUG"})).await;
        let word = made.title.clone();
        let found = live.anonymous().main().suggest_datasets().q(&word).size(5).send().await.unwrap();
        let found = found.iter().find(|suggestion| suggestion.id == made.id).unwrap();
        assert_eq!((&found.title, found.acronym.as_deref()), (&made.title, Some("SUG")));
        // The image is that of the owner, which another test may have set.
        assert!(found.page.ends_with(&found.slug));
    });
}

#[test]
fn formats_and_media_types_are_suggested() {
    run(|live| async move {
        let client = live.anonymous();
        let formats = client.main().suggest_formats().q("cs").size(10).send().await.unwrap();
        assert!(formats.iter().any(|format| format.text == "csv"));
        let one = client.main().suggest_mime().q("json").size(1).send().await.unwrap();
        assert_eq!((one.len(), one[0].text.as_str()), (1, "application/json"));
    });
}

#[test]
fn licenses_frequencies_and_other_values_are_listed() {
    run(|live| async move {
        let client = live.anonymous();
        let main = client.main();
        assert!(main.allowed_extensions().send().await.unwrap().contains(&"csv".to_owned()));
        let frequencies = main.list_frequencies().send().await.unwrap();
        assert!(frequencies.iter().any(|one| (one.id.as_str(), one.label.as_str()) == ("continuous", "Temps réel")));
        let licenses = main.list_licenses().send().await.unwrap();
        let lov2 = licenses.iter().find(|license| license.id == "lov2").unwrap();
        assert_eq!(lov2.flags, ["domain_content", "domain_data"]);
        assert!(licenses.iter().any(|license| license.url.is_none()));
        let types = main.resource_types().send().await.unwrap();
        assert!(types.iter().any(|one| one.id.as_str() == "main" && one.label == "Fichier principal"));
        let schemas = main.schemas().send().await.unwrap();
        let schema = schemas.iter().find(|schema| schema.name == "etalab/schema-irve-statique").unwrap();
        assert!(!schema.versions.is_empty() && !schema.schema_url.is_empty());
    });
}

#[test]
fn the_feed_has_the_datasets_of_a_filter() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let title = unique("Flux «été» & <b>");
        let made = dataset_with(
            &client,
            json!({"organization": {"class": "Organization", "id": organization.id}, "title": title}),
        )
        .await;
        let feed = live.anonymous().main().recent_datasets_atom_feed().organization(&organization.id).send().await;
        let feed = feed.unwrap();
        assert_eq!(feed.headers()["content-type"], "application/atom+xml");
        let text = feed.into_inner().text().await.unwrap();
        assert!(text.contains("<feed") && text.contains(&made.slug), "{text}");
        assert!(text.contains("Flux «été» &amp; "), "{text}");
        let error = live.anonymous().main().recent_datasets_atom_feed().organization("nope").send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Organization arg must be an identifier"));
    });
}
