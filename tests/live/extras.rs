//! Extras, resources and schemas of `/api/2`.

use datagouv::main_v2::types;
use serde_json::{Map, Value, json};

use crate::run;
use crate::support::{community_resource, dataset, dataset_with, organization, resource};
use crate::things::{refused, word};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Extras with every kind of value.
fn extras() -> Map<String, Value> {
    object(json!({
        "text": "é", "number": 1, "float": 2.5, "yes": true, "list": [1, "x", {"a": null}], "nested": {"b": {"c": []}},
    }))
}

#[test]
fn extras_of_a_dataset_are_merged_and_removed() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let api = client.main_v2();
        let put = api.update_dataset_extras().dataset(&made.id).body(extras()).send().await.unwrap();
        assert_eq!(Value::from_iter(put.into_inner()), Value::Object(extras()));
        let more = object(json!({"text": null, "number": 2}));
        api.update_dataset_extras().dataset(&made.id).body(more).send().await.unwrap();
        let seen = api.get_dataset_extras().dataset(&made.id).send().await.unwrap();
        assert_eq!((seen.get("text"), seen.get("number")), (None, Some(&json!(2))));
        assert_eq!(seen.len(), 5);
        let gone = api.delete_dataset_extras().dataset(&made.id).body(vec!["list".to_owned(), "nested".to_owned()]);
        assert_eq!(gone.send().await.unwrap().status(), 204);
        let seen = live.anonymous().main_v2().get_dataset_extras().dataset(&made.slug).send().await.unwrap();
        assert_eq!(seen.keys().collect::<Vec<_>>(), ["float", "number", "yes"]);
        refused(live.plain().main_v2().update_dataset_extras().dataset(&made.id).body(extras()).send().await, 403);
        refused(live.anonymous().main_v2().update_dataset_extras().dataset(&made.id).body(extras()).send().await, 401);
        let unknown = api.delete_dataset_extras().dataset(&made.id).body(vec!["nope".to_owned()]);
        assert_eq!(unknown.send().await.unwrap().status(), 204, "what is not there is not missed");
    });
}

#[test]
fn extras_of_a_resource_are_merged_and_removed() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let rid = resource(&client, &made.id).await.id;
        let api = client.main_v2();
        let put = api.update_resource_extras().dataset(&made.id).rid(&rid).body(extras()).send().await.unwrap();
        assert_eq!(Value::from_iter(put.into_inner()), Value::Object(extras()));
        let gone = api.delete_resource_extras().dataset(&made.id).rid(&rid).body(vec!["text".to_owned()]).send().await;
        assert_eq!(gone.unwrap().status(), 204);
        let seen = api.get_resource_extras().dataset(&made.id).rid(&rid).send().await.unwrap();
        assert_eq!((seen.len(), &seen["nested"]), (5, &json!({"b": {"c": []}})));
        let unknown =
            api.delete_resource_extras().dataset(&made.id).rid(&rid).body(vec!["nope".to_owned()]).send().await;
        refused(unknown, 404);
        let stranger = live.plain();
        refused(
            stranger.main_v2().update_resource_extras().dataset(&made.id).rid(&rid).body(extras()).send().await,
            403,
        );
        let none = "0b1d2c3e-0000-4000-8000-000000000000";
        refused(api.get_resource_extras().dataset(&made.id).rid(none).send().await, 404);
    });
}

#[test]
fn extras_of_an_organization_are_merged_and_removed() {
    run(|live| async move {
        let client = live.user();
        let made = organization(&client).await;
        let api = client.main_v2();
        let put = api.update_organization_extras().org(&made.id).body(extras()).send().await.unwrap();
        assert_eq!(Value::from_iter(put.into_inner()), Value::Object(extras()));
        let gone = api.delete_organization_extras().org(&made.id).body(vec!["yes".to_owned()]).send().await.unwrap();
        assert_eq!(gone.status(), 204);
        let seen = live.anonymous().main_v2().get_organization_extras().org(&made.id).send().await.unwrap();
        assert_eq!((seen.len(), seen.get("yes")), (5, None));
        refused(live.plain().main_v2().update_organization_extras().org(&made.id).body(extras()).send().await, 403);
        client.main().delete_organization().org(&made.id).send().await.unwrap();
        assert!(refused(api.get_organization_extras().org(&made.id).send().await, 410).is_gone());
    });
}

#[test]
fn resources_are_paged_and_filtered_by_type_and_words() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        for type_ in ["main", "documentation", "update", "api", "code", "other"] {
            let body = json!({
                "title": format!("Ressource {type_}"), "url": "https://example.org/a.csv", "filetype": "remote", "type": type_,
                "description": "une *ressource*", "filesize": 12, "format": "csv", "mime": "text/csv",
                "checksum": {"type": "sha256", "value": "ab".repeat(32)}, "extras": {"a": 1},
                "schema": {"name": "etalab/schema-irve-statique", "version": "2.2.0"},
            });
            client.main().create_resource().dataset(&made.id).body(body).send().await.unwrap();
        }
        let bare = resource(&client, &made.id).await;
        let list = || client.main_v2().list_resources().dataset(&made.id);
        let page = list().page(2).page_size(3).send().await.unwrap();
        assert_eq!((page.total, page.data.len()), (7, 3));
        assert!(page.next_page.is_some() && page.previous_page.is_some());
        let documents = list().type_("documentation").send().await.unwrap();
        assert_eq!(documents.data[0].title, "Ressource documentation");
        assert_eq!(documents.data[0].checksum.as_ref().map(|checksum| checksum.type_.as_str()), Some("sha256"));
        let words = list().q("code").send().await.unwrap();
        assert_eq!(words.total, 1);
        let beyond = list().page(50).send().await.unwrap();
        assert_eq!((beyond.data.len(), beyond.total), (0, 7), "here, and only here, there are pages beyond the end");
        let masked = list().x_fields("data{id,title},total").send().await.unwrap();
        assert_eq!((masked.total, masked.data[0].url.as_str()), (7, ""));

        let alone = client.main_v2().get_resource().rid(&bare.id).send().await.unwrap();
        assert_eq!((alone.dataset_id.as_ref(), &alone.resource.title), (Some(&made.id), &bare.title));
        assert_eq!(alone.resource.schema, None);
        refused(client.main_v2().get_resource().rid("0b1d2c3e-0000-4000-8000-000000000000").send().await, 404);

        let schemas = client.main_v2().get_dataset_schemas().dataset(&made.id).send().await.unwrap();
        assert_eq!(schemas.len(), 1);
        assert_eq!(schemas[0].name.as_deref(), Some("etalab/schema-irve-statique"));
        assert_eq!(schemas[0].version.as_deref(), Some("2.2.0"));
    });
}

#[test]
fn a_community_resource_is_found_by_its_id_alone() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let community = community_resource(&client, &made.id).await;
        let found = client.main_v2().get_resource().rid(&community.id).send().await.unwrap();
        assert_eq!(found.resource.title, community.title);
        assert_eq!(found.dataset_id.as_ref(), Some(&made.id));
        let light = client.main_v2().get_dataset().dataset(&made.id).send().await.unwrap();
        assert_eq!(light.community_resources.total, 1);
        let masked = client.main().get_dataset().dataset(&made.id).x_fields("*").send().await.unwrap();
        assert_eq!(masked.community_resources[0].title, community.title);
        let masked = client.main_v2().get_dataset().dataset(&made.id).x_fields("*").send().await.unwrap();
        assert_eq!(masked.id, made.id);
    });
}

#[test]
fn the_full_objects_header_changes_the_fields_of_a_dataset() {
    run(|live| async move {
        let client = live.user();
        let tag = word();
        let body = json!({
            "frequency": "monthly", "license": "lov2", "tags": [tag],
            "spatial": {"zones": ["fr:region:11"], "granularity": "fr:region"},
            "temporal_coverage": {"start": "2019-01-01", "end": "2020-12-31"},
        });
        let made = dataset_with(&client, body).await;
        let api = client.main_v2();
        let light = api.get_dataset().dataset(&made.id).send().await.unwrap();
        assert_eq!(light.license, types::LicenseOrId::String("lov2".to_owned()));
        assert_eq!(json!(light.frequency), json!("monthly"));
        assert_eq!(light.resources.total, 0);
        let full = api.get_dataset().dataset(&made.id).x_get_datasets_full_objects("True").send().await.unwrap();
        let types::LicenseOrId::License(license) = &full.license else { panic!("{:?}", full.license) };
        assert_eq!((license.id.as_str(), license.maintainer.as_ref()), ("lov2", None));
        let types::FrequencyOrId::Frequency(frequency) = &full.frequency else { panic!("{:?}", full.frequency) };
        assert!(!frequency.label.is_empty());
        let types::GeoZoneOrId::GeoZoneReference(zone) = &full.spatial.as_ref().unwrap().zones[0] else { panic!() };
        assert_eq!(zone.name, "Île-de-France");
        for page in [
            api.list_datasets()
                .tag([tag.clone()])
                .x_get_datasets_full_objects("True")
                .send()
                .await
                .unwrap()
                .into_inner()
                .data,
            api.search_datasets()
                .tag([tag.clone()])
                .x_get_datasets_full_objects("True")
                .send()
                .await
                .unwrap()
                .into_inner()
                .data,
        ] {
            assert_eq!(page.len(), 1);
            assert_eq!((&page[0].license, &page[0].spatial), (&full.license, &full.spatial));
        }
    });
}
