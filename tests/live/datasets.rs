//! Datasets, from creation to deletion.

use datagouv::Error;
use datagouv::main::types::{DatasetInput, DatasetUpdate, GeoGranularityOrId, GeoJsonType, GeoZoneOrId, MetricValue};
use serde_json::json;

use crate::run;
use crate::support::{dataset, dataset_with, me, organization, resource, unique};

/// The fields that the server refused, sorted.
pub fn refused(error: &Error) -> Vec<String> {
    let mut fields: Vec<String> = error.field_errors().into_iter().map(|error| error.field).collect();
    fields.sort();
    fields
}

#[test]
fn a_dataset_has_every_property_that_was_sent() {
    run(|live| async move {
        let (client, title) = (live.user(), unique("Bornes de recharge"));
        let organization = organization(&client).await;
        let body = json!({
            "title": title,
            "acronym": "BR",
            "description": "Une description assez longue pour compter. ".repeat(8),
            "description_short": "Courte.",
            "organization": {"class": "Organization", "id": organization.id},
            "license": "lov2",
            "frequency": "monthly",
            "frequency_date": "2030-01-01T00:00:00",
            "tags": ["Été", "Alpha Beta", "transport"],
            "temporal_coverage": {"start": "2019-01-01", "end": "2020-12-31"},
            "spatial": {"zones": ["country:fr", "fr:region:11"], "granularity": "fr:region"},
            "extras": {"texte": "", "liste": [1, 2.5, null, {"profond": ["é", []]}], "": "clé vide", "grand": 9007199254740993_u64},
        });
        let made = client.main().create_dataset().body(body).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let read = client.main().get_dataset().dataset(&made.id).send().await.unwrap();
        assert_eq!(read.title, title);
        assert_eq!(read.acronym.as_deref(), Some("BR"));
        assert_eq!(read.description_short.as_deref(), Some("Courte."));
        assert_eq!(read.organization.as_ref().unwrap().id, organization.id);
        assert!(read.owner.is_none());
        assert_eq!(read.license, "lov2");
        assert_eq!(read.frequency.as_str(), "monthly");
        assert_eq!(read.frequency_date.as_ref().unwrap().as_str(), "2030-01-01T00:00:00+00:00");
        assert_eq!(read.tags, ["alpha-beta", "ete", "transport"]);
        let coverage = read.temporal_coverage.as_ref().unwrap();
        assert_eq!((coverage.start.as_str(), coverage.end.as_ref().unwrap().as_str()), ("2019-01-01", "2020-12-31"));
        assert_eq!(read.extras["liste"], json!([1, 2.5, null, {"profond": ["é", []]}]));
        assert_eq!((&read.extras["texte"], &read.extras[""]), (&json!(""), &json!("clé vide")));
        assert_eq!(read.extras["grand"], json!(9_007_199_254_740_993_u64));
        assert_eq!(read.metrics["followers"], MetricValue::Integer(0));
        assert!(read.quality.license && read.quality.dataset_description_quality && read.quality.spatial);
        assert!(read.permissions.delete);
    });
}

#[test]
fn only_title_and_description_are_required() {
    run(|live| async move {
        let (client, title) = (live.user(), unique("Minimal"));
        let body = DatasetInput::new(&title, "Une description.").tags(["essai"]);
        let made = client.main().create_dataset().body(body).send().await.unwrap();
        assert_eq!((made.title.as_str(), made.description.as_str()), (title.as_str(), "Une description."));
        assert_eq!(made.owner.as_ref().unwrap().id, me(&client).await.id);
        assert_eq!((made.license.as_str(), made.frequency.as_str()), ("notspecified", "unknown"));
        assert_eq!(made.access_type.as_str(), "open");
        assert_eq!(made.tags, ["essai"]);
        assert!(made.spatial.is_none() && made.temporal_coverage.is_none() && made.resources.is_empty());
    });
}

#[test]
fn titles_are_any_text_and_slugs_are_made_of_them() {
    run(|live| async move {
        let title = unique("Données «été» — 日本語 🦊 <b>\"'\\");
        let made = dataset_with(&live.user(), json!({"title": title, "acronym": "É"})).await;
        let read = live.anonymous().main().get_dataset().dataset(&made.slug).send().await.unwrap();
        assert_eq!((read.title.as_str(), read.acronym.as_deref()), (title.as_str(), Some("É")));
        assert!(read.slug.starts_with("donnees-ete-ri-ben-yu") && read.slug.is_ascii(), "{}", read.slug);
    });
}

#[test]
fn the_server_normalises_empty_and_unknown_values() {
    run(|live| async move {
        let extra = json!({"acronym": "", "description_short": "", "license": "nope", "frequency": null, "tags": []});
        let made = dataset_with(&live.user(), extra).await;
        assert_eq!((&made.acronym, &made.description_short), (&None, &None));
        assert_eq!((made.license.as_str(), made.frequency.as_str()), ("notspecified", "unknown"));
    });
}

#[test]
fn restricted_access_is_described() {
    run(|live| async move {
        let made = dataset_with(
            &live.user(),
            json!({
                "access_type": "restricted",
                "access_audiences": [
                    {"role": "private", "condition": "no"},
                    {"role": "company_and_association", "condition": "under_condition"},
                ],
                "access_type_reason": "Parce que.",
                "access_type_reason_category": "confidentiality_of_personal_data",
                "authorization_request_url": "https://example.org/demande",
            }),
        )
        .await;
        assert_eq!(made.access_type.as_str(), "restricted");
        let audiences: Vec<(&str, &str)> = made
            .access_audiences
            .iter()
            .map(|audience| (audience.role.as_str(), audience.condition.as_str()))
            .collect();
        assert_eq!(audiences, [("private", "no"), ("company_and_association", "under_condition")]);
        let category = made.access_type_reason_category.as_ref().map(|category| category.as_str().to_owned());
        assert_eq!(category.as_deref(), Some("confidentiality_of_personal_data"));
        assert_eq!(made.authorization_request_url.as_deref(), Some("https://example.org/demande"));
    });
}

#[test]
fn a_geometry_round_trips() {
    run(|live| async move {
        let client = live.user();
        let polygons = json!([[[[0, 0], [0, 1.5], [1, 1], [0, 0]]]]);
        let made = dataset_with(
            &client,
            json!({
                "spatial": {"geom": {"type": "MultiPolygon", "coordinates": polygons}, "granularity": "other"},
                "temporal_coverage": {"start": "2021-05-05"},
            }),
        )
        .await;
        let read = client.main().get_dataset().dataset(&made.id).send().await.unwrap().into_inner();
        let spatial = read.spatial.unwrap();
        let geometry = spatial.geom.unwrap();
        assert_eq!(geometry.type_, Some(GeoJsonType::MultiPolygon));
        assert_eq!(json!(geometry.coordinates), polygons);
        assert!(spatial.zones.is_empty());
        let coverage = read.temporal_coverage.unwrap();
        assert_eq!((coverage.start.as_str(), coverage.end), ("2021-05-05", None));
    });
}

#[test]
fn zones_are_ids_unless_full_objects_are_requested() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let made = dataset_with(
            &client,
            json!({
                "organization": {"class": "Organization", "id": organization.id},
                "spatial": {"zones": ["fr:region:11"], "granularity": "fr:region"},
                "license": "lov2",
            }),
        )
        .await;
        let spatial = made.spatial.clone().unwrap();
        assert_eq!(spatial.zones, [GeoZoneOrId::from("fr:region:11".to_owned())]);
        assert_eq!(spatial.granularity, GeoGranularityOrId::from("fr:region".to_owned()));

        let whole =
            client.main().get_dataset().dataset(&made.id).x_get_datasets_full_objects("True").send().await.unwrap();
        let list = client.main().list_datasets().organization(&organization.id).x_get_datasets_full_objects("True");
        let list = list.send().await.unwrap();
        for dataset in [&*whole, &list.data[0]] {
            let spatial = dataset.spatial.as_ref().unwrap();
            let GeoZoneOrId::GeoZoneReference(zone) = &spatial.zones[0] else { panic!("{:?}", spatial.zones) };
            assert_eq!((zone.id.as_str(), zone.name.as_str()), ("fr:region:11", "Île-de-France"));
            let GeoGranularityOrId::GeoGranularity(granularity) = &spatial.granularity else {
                panic!("{:?}", spatial.granularity)
            };
            assert_eq!(granularity.id, "fr:region");
            assert_eq!(dataset.license, "lov2");
        }
    });
}

#[test]
fn an_invalid_dataset_is_refused_by_field() {
    run(|live| async move {
        let create = |extra: serde_json::Value| {
            let base = json!({"title": unique("Refusé"), "description": "Une description."});
            let body = crate::support::merged(base, extra);
            async move { live.user().main().create_dataset().body(body).send().await.unwrap_err() }
        };
        for (extra, fields) in [
            (json!({"title": ""}), vec!["title"]),
            (json!({"title": "", "description": ""}), vec!["description", "title"]),
            (json!({"tags": ["a"]}), vec!["tags"]),
            (json!({"tags": ["virgule, dedans", "a".repeat(97)]}), vec!["tags"]),
            (json!({"spatial": {"zones": ["nope:1"]}}), vec!["spatial.zones"]),
            (json!({"spatial": {"geom": {"type": "Point", "coordinates": [1, 2]}}}), vec!["spatial.geom"]),
            (
                json!({"organization": {"class": "Organization", "id": "000000000000000000000000"}}),
                vec!["organization"],
            ),
            (json!({"owner": {"class": "User", "id": me(&live.plain()).await.id}}), vec!["owner"]),
            (json!({"access_type": "nope"}), vec!["access_type"]),
            (json!({"access_audiences": [{"role": "nope", "condition": "no"}]}), vec!["access_audiences.role"]),
        ] {
            let error = create(extra.clone()).await;
            assert_eq!(error.status().unwrap(), 400, "{extra}: {error}");
            assert_eq!(refused(&error), fields, "{extra}: {error}");
            assert_eq!(error.operation(), Some("create_dataset"));
        }
        let error = create(json!({"frequency": "nope"})).await;
        assert_eq!(error.server_message().as_deref(), Some("'nope' is not a valid UpdateFrequency"));
    });
}

#[test]
fn creating_a_dataset_needs_a_key_and_permission() {
    run(|live| async move {
        let body = json!({"title": unique("Sans clé"), "description": "Une description."});
        let error = live.anonymous().main().create_dataset().body(body.clone()).send().await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");

        let organization = organization(&live.user()).await;
        let body =
            crate::support::merged(body, json!({"organization": {"class": "Organization", "id": organization.id}}));
        let error = live.plain().main().create_dataset().body(body).send().await.unwrap_err();
        assert_eq!((error.status().unwrap().as_u16(), refused(&error)), (400, vec!["organization".to_owned()]));
    });
}

#[test]
fn read_modify_write_keeps_the_other_fields() {
    run(|live| async move {
        let client = live.user();
        let made = dataset_with(
            &client,
            json!({
                "tags": ["garde", "aussi"],
                "temporal_coverage": {"start": "2019-01-01", "end": "2020-12-31"},
                "spatial": {"zones": ["country:fr"], "granularity": "country"},
                "extras": {"garde": {"profond": [1]}},
                "license": "odc-odbl",
                "frequency": "weekly",
            }),
        )
        .await;
        resource(&client, &made.id).await;
        let before = client.main().get_dataset().dataset(&made.id).send().await.unwrap().into_inner();
        let title = unique("Titre changé");
        let update = DatasetUpdate::from(before.clone()).title(&title);
        client.main().update_dataset().dataset(&made.id).body(update).send().await.unwrap();
        let after = client.main().get_dataset().dataset(&made.id).send().await.unwrap().into_inner();
        assert_eq!(after.title, title);
        assert_eq!((&after.tags, &after.temporal_coverage), (&before.tags, &before.temporal_coverage));
        assert_eq!((&after.spatial, &after.extras), (&before.spatial, &before.extras));
        assert_eq!((&after.license, &after.frequency), (&before.license, &before.frequency));
        assert_eq!((&after.owner, &after.description), (&before.owner, &before.description));
        assert_eq!(after.resources[0].id, before.resources[0].id);
        assert_eq!(after.resources[0].title, before.resources[0].title);
    });
}

#[test]
fn read_modify_write_keeps_contact_points() {
    run(|live| async move {
        let client = live.user();
        let contact = json!({"name": unique("Contact"), "email": "contact@example.org", "role": "contact"});
        let contact = client.main().create_contact_point().body(contact).send().await.unwrap();
        let made = dataset_with(&client, json!({"contact_points": [{"id": contact.id}]})).await;
        assert_eq!(made.contact_points[0].email.as_deref(), Some("contact@example.org"));
        let update = DatasetUpdate::from(made.clone()).description("Autre.");
        let after = client.main().update_dataset().dataset(&made.id).body(update).send().await.unwrap();
        assert_eq!(after.contact_points[0].id, contact.id);
    });
}

#[test]
fn a_partial_update_clears_only_tags_and_temporal_coverage() {
    run(|live| async move {
        let client = live.user();
        let extra = json!({"tags": ["perdu"], "temporal_coverage": {"start": "2019-01-01"}, "license": "lov2", "extras": {"a": 1}});
        let made = dataset_with(&client, extra).await;
        let body = json!({"description": "Autre."});
        let after = client.main().update_dataset().dataset(&made.id).body(body).send().await.unwrap();
        assert_eq!(after.description, "Autre.");
        assert!(after.tags.is_empty() && after.temporal_coverage.is_none());
        assert_eq!((&after.title, &after.license, &after.extras), (&made.title, &made.license, &made.extras));
    });
}

#[test]
fn a_former_slug_finds_the_renamed_dataset() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let rename = json!({"title": unique("Renommé")});
        let renamed = client.main().update_dataset().dataset(&made.slug).body(rename).send().await.unwrap();
        assert_ne!(renamed.slug, made.slug);
        let read = client.main().get_dataset().dataset(&made.slug).send().await.unwrap();
        assert_eq!((&read.id, &read.slug), (&made.id, &renamed.slug));
        let body = json!({"description": "Par l'ancien nom."});
        let written = client.main().update_dataset().dataset(&made.slug).body(body).send().await.unwrap();
        assert_eq!((&written.id, written.description.as_str()), (&made.id, "Par l'ancien nom."));
    });
}

#[test]
fn a_deleted_dataset_is_gone_for_others_and_can_be_restored() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let error = live.plain().main().delete_dataset().dataset(&made.id).send().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(client.main().delete_dataset().dataset(&made.id).send().await.unwrap().status(), 204);

        let error = live.anonymous().main().get_dataset().dataset(&made.id).send().await.unwrap_err();
        assert!(error.is_gone(), "{error}");
        assert_eq!(error.server_message().as_deref(), Some("Dataset has been deleted"));
        assert!(client.main().get_dataset().dataset(&made.id).send().await.unwrap().deleted.is_some());
        let error = client.main().delete_dataset().dataset(&made.id).send().await.unwrap_err();
        assert!(error.is_gone(), "{error}");
        let update = || client.main().update_dataset().dataset(&made.id);
        assert!(update().body(json!({"title": "Non"})).send().await.unwrap_err().is_gone());

        update().body(json!({"deleted": null})).send().await.unwrap();
        let restored = live.anonymous().main().get_dataset().dataset(&made.id).send().await.unwrap();
        assert!(restored.deleted.is_none());
    });
}

#[test]
fn a_sysadmin_deletes_with_a_legal_notice() {
    run(|live| async move {
        let made = dataset(&live.user()).await;
        let delete =
            live.admin().main().delete_dataset().dataset(&made.id).send_legal_notice(true).send().await.unwrap();
        assert_eq!(delete.status(), 204);
        let error = live.plain().main().get_dataset().dataset(&made.id).send().await.unwrap_err();
        assert!(error.is_gone(), "{error}");
    });
}

#[test]
fn a_private_dataset_is_not_found_by_others() {
    run(|live| async move {
        let made = dataset_with(&live.user(), json!({"private": true})).await;
        for other in [live.plain(), live.anonymous()] {
            let error = other.main().get_dataset().dataset(&made.id).send().await.unwrap_err();
            assert!(error.is_not_found(), "{error}");
        }
        assert!(live.user().main().get_dataset().dataset(&made.id).send().await.unwrap().private);
        let error = live
            .plain()
            .main()
            .update_dataset()
            .dataset(&made.id)
            .body(json!({"title": "Non"}))
            .send()
            .await
            .unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        assert_eq!(error.server_message().as_deref(), Some("You do not have the permission to modify that object."));
    });
}

#[test]
fn the_owner_of_a_dataset_may_be_a_deleted_user() {
    run(|live| async move {
        let admin = live.admin();
        let email = format!("{}@example.org", unique("bob").replace(' ', "-"));
        let body = json!({"first_name": "Bob", "last_name": "Éphémère", "email": email});
        let bob = admin.main().create_user().body(body).send().await.unwrap();
        let made = dataset_with(&admin, json!({"owner": {"class": "User", "id": bob.id}})).await;
        assert_eq!(made.owner.unwrap().last_name, "Éphémère");
        admin.main().delete_user().user(&bob.id).send().await.unwrap();
        let read = live.anonymous().main().get_dataset().dataset(&made.id).send().await.unwrap();
        let owner = read.owner.as_ref().unwrap();
        assert_eq!((&owner.id, owner.first_name.as_str()), (&bob.id, "DELETED"));
        assert!(owner.deleted.is_some());
    });
}

#[test]
fn a_mask_returns_only_its_fields() {
    run(|live| async move {
        let (client, made) = (live.user(), dataset(&live.user()).await);
        let masked = client.main().get_dataset().dataset(&made.id).x_fields("{id,title}").send().await.unwrap();
        assert_eq!((&masked.id, &masked.title), (&made.id, &made.title));
        assert!(masked.description.is_empty() && masked.owner.is_none() && masked.uri.is_empty());
        let whole = client.main().get_dataset().dataset(&made.id).x_fields("*").send().await.unwrap();
        assert_eq!(whole.description, made.description);
        let nothing = client.main().get_dataset().dataset(&made.id).x_fields("nope").send().await.unwrap();
        assert!(nothing.id.is_empty());
        let error = client.main().get_dataset().dataset(&made.id).x_fields("{id").send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Mask parse error: Missing closing bracket"));
    });
}

#[test]
fn an_unknown_dataset_is_not_found() {
    run(|live| async move {
        let error = live.anonymous().main().get_dataset().dataset("nope-nope").send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert!(!error.server_message().unwrap().is_empty());
    });
}
