//! The catalogue as a whole: the site, its exports and its activity, places, tags, avatars, kinds of access.

use datagouv::ByteStream;
use datagouv::main::types::ActivitySort;
use serde_json::json;

use crate::datasets::refused;
use crate::run;
use crate::support::{dataservice, dataset, dataset_with, me, organization, resource, reuse, unique};

async fn text(response: datagouv::Response<ByteStream>) -> String {
    response.into_inner().text().await.unwrap()
}

#[test]
fn the_site_is_described_and_changed_by_sysadmins_only() {
    run(|live| async move {
        let site = live.anonymous().main().get_site().send().await.unwrap();
        assert_eq!((site.id.as_str(), site.version.as_str()), ("default", "17.18.0"));
        assert!(site.metrics.contains_key("public-service"));
        assert!(site.datasets_blocs.is_empty());
        let error = live.user().main().set_site().body(json!({"title": "Non"})).send().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");

        let made = dataset(&live.user()).await;
        let admin = live.admin();
        let blocs = json!([{
            "class": "SectionBloc",
            "color": "green",
            "blocs": [
                {"class": "TitleBloc", "title": "Titre", "subtitle": null, "width": "1/2"},
                {"class": "MarkdownBloc", "content": "du **texte**"},
                {"class": "DatasetBloc", "dataset": {"id": made.id}},
                {"class": "LinksListBloc", "links": [{"title": "Lien", "url": "https://example.org/", "color": "blue"}]},
            ],
        }]);
        let body =
            json!({"feed_size": 25, "keywords": ["opendata", "été"], "datasets_blocs": blocs, "reuses_blocs": []});
        let changed = admin.main().set_site().body(body).x_fields("*").send().await.unwrap();
        assert_eq!((changed.feed_size, changed.datasets_blocs.len()), (25, 1));
        let read = live.anonymous().main().get_site().x_fields("*").send().await.unwrap();
        assert_eq!((read.feed_size, &read.datasets_blocs), (25, &changed.datasets_blocs));
        let text = serde_json::to_string(&read.datasets_blocs).unwrap();
        assert!(text.contains(&made.id) && text.contains("du **texte**"), "{text}");

        for (body, field) in
            [(json!({"title": ""}), "title"), (json!({"datasets_blocs": [{"class": "NopeBloc"}]}), "datasets_blocs")]
        {
            let error = admin.main().set_site().body(body).send().await.unwrap_err();
            assert_eq!((error.status().unwrap().as_u16(), refused(&error)), (400, vec![field.to_owned()]), "{error}");
        }
        let back =
            admin.main().set_site().body(json!({"feed_size": 20, "datasets_blocs": []})).x_fields("*").send().await;
        assert!(back.unwrap().datasets_blocs.is_empty());
    });
}

#[test]
fn the_catalogue_is_served_in_every_rdf_format() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let made =
            dataset_with(&client, json!({"organization": {"class": "Organization", "id": organization.id}})).await;
        let anonymous = live.anonymous();
        for (format, media) in [
            ("json", "application/ld+json"),
            ("xml", "application/rdf+xml"),
            ("ttl", "application/x-turtle"),
            ("n3", "text/n3"),
            ("nt", "application/n-triples"),
            ("trig", "application/trig"),
        ] {
            let request =
                anonymous.main().get_site_rdf_catalog_format().path_format(format).organization(&organization.id);
            let response = request.page_size(5).send().await.unwrap();
            let found = response.headers()["content-type"].to_str().unwrap().to_owned();
            assert!(found.starts_with(media), "{format}: {found}");
            assert!(text(response).await.contains(&made.id), "{format}");
        }
        let request = anonymous.main().get_site_rdf_catalog_format().path_format("nope");
        assert!(request.send().await.unwrap_err().is_not_found());
    });
}

#[test]
fn the_old_urls_of_the_catalogue_redirect_to_it() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let made =
            dataset_with(&client, json!({"organization": {"class": "Organization", "id": organization.id}})).await;
        let anonymous = live.anonymous();
        let catalogue =
            anonymous.main().get_site_rdf_catalog().organization(&organization.id).page(1).page_size(5).send().await;
        assert!(text(catalogue.unwrap()).await.contains(&made.id));
        let portal = anonymous.main().get_site_data_portal().format("ttl").send().await.unwrap();
        assert!(text(portal).await.contains("dcat:Catalog"));
        let error = anonymous.main().get_site_data_portal().format("nope").send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        let context = text(anonymous.main().get_site_json_ld_context().send().await.unwrap()).await;
        let context: serde_json::Value = serde_json::from_str(&context).unwrap();
        assert_eq!(context["@vocab"], "http://www.w3.org/ns/dcat#");
    });
}

#[test]
fn datasets_and_resources_are_exported_with_the_filters_of_the_list() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let title = unique("Export; «\"guillemets\"» é");
        let extra = json!({"organization": {"class": "Organization", "id": organization.id}, "title": title, "license": "odc-odbl", "tags": ["exporté"]});
        let made = dataset_with(&client, extra).await;
        let held = resource(&client, &made.id).await;
        let anonymous = live.anonymous();

        let response = anonymous.main().get_site_datasets_csv().organization(&organization.id).license("odc-odbl");
        let response = response.tag(vec!["exporte".to_owned()]).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
        assert!(response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
        let csv = text(response).await;
        assert!(csv.starts_with("\"id\";\"title\";\"slug\""), "{csv}");
        assert!(csv.contains(&made.id) && csv.contains(&title.replace('"', "\"\"")), "{csv}");
        assert_eq!(csv.trim_end().lines().count(), 2, "{csv}");
        let none = anonymous.main().get_site_datasets_csv().organization(&organization.id).license("lov2").send().await;
        assert_eq!(text(none.unwrap()).await.trim_end().lines().count(), 1);
        let error = anonymous.main().get_site_datasets_csv().organization("nope").send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Organization arg must be an identifier"));

        let csv = anonymous.main().get_site_resources_csv().organization(&organization.id).send().await.unwrap();
        let csv = text(csv).await;
        assert!(csv.starts_with("\"dataset.id\";") && csv.contains(&held.id) && csv.contains(&made.id), "{csv}");
    });
}

#[test]
fn the_other_objects_are_exported() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let (organization, reuse) = (organization(&client).await, reuse(&client, &made.id).await);
        let dataservice = dataservice(&client).await;
        let harvester =
            json!({"name": unique("Moissonneur"), "backend": "dcat", "url": "https://example.org/catalogue.xml"});
        let harvester = client.main().create_harvest_source().body(harvester).send().await.unwrap();
        let anonymous = live.anonymous();
        let main = anonymous.main();
        let organizations = text(main.get_site_organizations_csv().send().await.unwrap()).await;
        assert!(organizations.contains(&organization.id), "{organizations}");
        let reuses = text(main.get_site_reuses_csv().send().await.unwrap()).await;
        assert!(reuses.contains(&reuse.id) && reuses.contains(&made.id), "{reuses}");
        let dataservices = text(main.get_site_dataservices_csv().send().await.unwrap()).await;
        assert!(dataservices.contains(&dataservice.id), "{dataservices}");
        let harvests = text(main.get_site_harvests_csv().send().await.unwrap()).await;
        assert!(harvests.starts_with("\"id\";\"name\";\"url\""), "{harvests}");
        assert!(
            harvests.contains(&harvester.id) && harvests.contains("https://example.org/catalogue.xml"),
            "{harvests}"
        );
        let tags = text(main.get_site_tags_csv().send().await.unwrap()).await;
        assert!(tags.starts_with("\"name\";\"datasets\";\"reuses\";\"total\""), "{tags}");
    });
}

#[test]
fn changes_of_an_object_are_its_activity() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let made =
            dataset_with(&client, json!({"organization": {"class": "Organization", "id": organization.id}})).await;
        let held = resource(&client, &made.id).await;
        let update = json!({"description": "Changée."});
        client.main().update_dataset().dataset(&made.id).body(update).send().await.unwrap();
        let anonymous = live.anonymous();
        let list = || anonymous.main().activity().related_to(&made.id);
        let all = list().sort(ActivitySort::CreatedAt).send().await.unwrap();
        let keys: Vec<&str> = all.data.iter().map(|activity| activity.key.as_str()).collect();
        assert_eq!(keys[0], "dataset:created");
        assert!(keys.contains(&"dataset:resource:added") && keys.contains(&"dataset:updated"), "{keys:?}");
        let added = list().key(vec!["dataset:resource:added".to_owned()]).send().await.unwrap();
        let added = &added.data[0];
        assert_eq!(added.extras["resource_id"], json!(held.id));
        assert_eq!((&added.related_to, &added.related_to_id), (&made.title, &made.id));
        assert_eq!((added.related_to_kind.as_str(), added.actor.class.as_str()), ("Dataset", "User"));
        assert_eq!(added.actor.first_name.as_deref(), Some("Alice"));
        assert_eq!(added.organization.as_ref().unwrap().id, organization.id);
        let updated = list().key(vec!["dataset:updated".to_owned()]).send().await.unwrap();
        assert!(updated.data[0].changes.contains(&"description".to_owned()), "{:?}", updated.data[0].changes);
    });
}

#[test]
fn users_and_organizations_have_activity() {
    run(|live| async move {
        let client = live.plain();
        let organization = organization(&client).await;
        dataset_with(&client, json!({"organization": {"class": "Organization", "id": organization.id}})).await;
        let carol = me(&client).await;
        let reused = reuse(&client, &dataset(&live.user()).await.id).await;
        let anonymous = live.anonymous();
        let of_user = anonymous.main().activity().user(&carol.id).page(1).page_size(50).send().await.unwrap();
        assert!(of_user.data.iter().all(|activity| activity.actor.id.as_ref() == Some(&carol.id)));
        assert!(of_user.data.iter().any(|activity| activity.related_to_id == reused.id));
        let of_organization = anonymous.main().activity().organization(&organization.id).send().await.unwrap();
        let its = |activity: &datagouv::main::types::Activity| {
            activity.organization.as_ref().is_some_and(|its| its.id == organization.id)
        };
        assert!(of_organization.total > 0 && of_organization.data.iter().all(its));
        let masked =
            anonymous.main().activity().organization(&organization.id).x_fields("data{key},total").send().await;
        let masked = masked.unwrap();
        assert!(!masked.data[0].key.is_empty() && masked.data[0].id.is_empty());

        let error = anonymous.main().activity().organization("nope").send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("`organization` must be an identifier"));
        let error = anonymous.main().activity().sort("nope").send().await.unwrap_err();
        assert_eq!(refused(&error), ["sort"]);
        let error = anonymous.main().activity().organization(&organization.id).page(99).send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    });
}

#[test]
fn places_are_found_by_level_by_id_and_by_name() {
    run(|live| async move {
        let client = live.anonymous();
        let main = client.main();
        let levels = main.spatial_levels().send().await.unwrap();
        assert!(levels.iter().any(|level| (level.id.as_str(), level.name.as_str()) == ("country", "Pays")));
        let granularities = main.spatial_granularities().send().await.unwrap();
        assert!(granularities.iter().any(|granularity| granularity.id == "poi"));
        assert!(granularities.len() > levels.len());

        let coverage = main.spatial_coverage().level("fr:region").send().await.unwrap();
        assert_eq!((coverage.features.len(), coverage.features[0].id.as_str()), (1, "fr:region:11"));
        assert!(coverage.features[0].properties.datasets.is_some());
        assert!(main.spatial_coverage().level("nope").send().await.unwrap_err().is_not_found());

        let zone = main.spatial_zone().id("fr:region:11").send().await.unwrap();
        assert_eq!((zone.properties.name.as_str(), zone.properties.code.as_str()), ("Île-de-France", "11"));
        assert!(main.spatial_zone().id("nope").send().await.unwrap_err().is_not_found());
        let zones = main.spatial_zones().ids("fr:region:11,country:fr").send().await.unwrap();
        let ids: Vec<&str> = zones.features.iter().map(|zone| zone.id.as_str()).collect();
        assert_eq!(ids, ["fr:region:11", "country:fr"]);
        assert!(zones.features[0].geometry.type_.is_none());
        let error = main.spatial_zones().ids("nope").send().await.unwrap_err();
        assert!(error.is_not_found() && error.server_message().unwrap().starts_with("Unknown zone identifiers: nope"));

        let found = main.suggest_zones().q("par").size(5).send().await.unwrap();
        let ids: Vec<&str> = found.iter().map(|zone| zone.id.as_str()).collect();
        assert_eq!(ids, ["fr:departement:75", "fr:commune:75056"]);
        assert!(main.suggest_zones().q("zzzz").send().await.unwrap().is_empty());
    });
}

#[test]
fn a_place_has_its_datasets() {
    run(|live| async move {
        let client = live.anonymous();
        let spatial = json!({"spatial": {"zones": ["fr:commune:75056"], "granularity": "fr:commune"}});
        let made = dataset_with(&live.user(), spatial).await;
        let found = client.main().spatial_zone_datasets().id("fr:commune:75056").size(100).send().await.unwrap();
        let found = found.iter().find(|dataset| dataset.id == made.id).unwrap();
        assert_eq!((&found.title, found.class.as_str()), (&made.title, "Dataset"));
        let dynamic = client.main().spatial_zone_datasets().id("fr:commune:75056").dynamic(true).size(1).send().await;
        assert!(dynamic.unwrap().len() <= 1);
        let error = client.main().spatial_zone_datasets().id("nope").send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    });
}

#[test]
fn tags_are_suggested() {
    run(|live| async move {
        // Tags are counted by a nightly job, which this server does not run.
        let tags = live.anonymous().main().suggest_tags().q("alpha").size(5).send().await.unwrap();
        assert!(tags.len() <= 5 && tags.iter().all(|tag| tag.text.contains("alpha")));
    });
}

#[test]
fn an_avatar_is_generated_for_any_identifier() {
    run(|live| async move {
        let client = live.anonymous();
        let response = client.main().avatars().identifier("6b031c37ef6c02ceb57c9049").size(32).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "image/png");
        assert!(response.headers().contains_key("etag"));
        let image = response.into_inner().bytes().await.unwrap();
        assert!(image.starts_with(b"\x89PNG\r\n\x1a\n"));
        assert_eq!(image[16..24], [0, 0, 0, 32, 0, 0, 0, 32]);
        let error = client.main().avatars().identifier("abc").size(0).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("x1 must be greater than or equal to x0"));
    });
}

#[test]
fn reasons_to_restrict_access_are_defined() {
    run(|live| async move {
        let reasons = live.anonymous().main().reason_categories().send().await.unwrap();
        let reason = reasons.iter().find(|reason| reason.value.as_str() == "confidentiality_of_personal_data").unwrap();
        assert!(!reason.label.is_empty() && !reason.definition.is_empty());
    });
}
