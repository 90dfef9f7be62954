//! Lists and searches of `/api/2`.

use datagouv::Client;
use serde_json::json;

use crate::run;
use crate::support::{dataservice, dataset, organization, unique};
use crate::things::{post, refused, reuse, word};

/// A dataset that every filter can find.
struct Found {
    id: String,
    title: String,
    tag: String,
    organization: String,
    topic: String,
}

async fn found(client: &Client) -> Found {
    let tag = word();
    let owner = organization(client).await;
    for kind in ["certified", "public-service"] {
        client.main().add_organization_badge().org(&owner.id).body(json!({"kind": kind})).send().await.unwrap();
    }
    let body = json!({
        "title": unique("Jeu à trouver"), "description": "d", "frequency": "monthly", "license": "lov2", "tags": [tag],
        "organization": {"class": "Organization", "id": owner.id}, "access_type": "open",
        "spatial": {"zones": ["fr:region:11"], "granularity": "fr:region"},
        "temporal_coverage": {"start": "2019-01-01", "end": "2020-12-31"},
    });
    let made = client.main().create_dataset().body(body).send().await.unwrap();
    let resource = json!({
        "title": "Ressource", "url": "https://example.org/a.csv", "filetype": "remote", "type": "main", "format": "csv",
        "schema": {"name": "etalab/schema-irve-statique", "version": "2.2.0"},
    });
    client.main().create_resource().dataset(&made.id).body(resource).send().await.unwrap();
    client.main().add_dataset_badge().dataset(&made.id).body(json!({"kind": "hvd"})).send().await.unwrap();
    client.main().feature_dataset().dataset(&made.id).send().await.unwrap();
    let body = json!({"name": unique("Thème"), "elements": [{"element": {"class": "Dataset", "id": made.id}}]});
    let topic = client.main_v2().create_topic().body(body).send().await.unwrap();
    Found { id: made.id.clone(), title: made.title.clone(), tag, organization: owner.id, topic: topic.id.clone() }
}

#[test]
fn datasets_are_searched_by_every_filter() {
    run(|live| async move {
        let admin = live.admin();
        let one = found(&admin).await;
        let client = live.anonymous();
        let search = || client.main_v2().search_datasets().tag([one.tag.clone()]);
        for (filter, request) in [
            ("tag", search()),
            ("badge", search().badge("hvd")),
            ("organization", search().organization(&one.organization)),
            ("organization_badge", search().organization_badge("certified")),
            ("license", search().license("lov2")),
            ("geozone", search().geozone("fr:region:11")),
            ("include_geozone_ancestors", search().geozone("fr:region:11").include_geozone_ancestors(true)),
            ("temporal_coverage", search().temporal_coverage("2019-01-01-2020-01-01")),
            ("featured", search().featured(true)),
            ("topic", search().topic(&one.topic)),
            ("access_type", search().access_type("open")),
            ("format_family", search().format_family("tabular")),
            ("producer_type", search().producer_type("public-service")),
            ("last_update_range", search().last_update_range("last_30_days")),
            ("q", search().q(&one.title).sort("-created").page_size(5)),
        ] {
            let page = request.send().await.unwrap_or_else(|error| panic!("{filter}: {error}"));
            assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&one.id], "{filter}");
            assert!(page.facets.is_empty(), "without a search engine there are no facets");
            assert_eq!(page.data[0].resources.total, 1);
        }
        for (filter, request) in [
            // Without a search engine the database is searched, and takes these lists for single values.
            ("granularity", search().granularity(["fr:region".to_owned()])),
            ("format", search().format(["csv".to_owned()])),
            ("schema", search().schema(["etalab/schema-irve-statique".to_owned()])),
            ("tag", search().tag(["nothing-has-this-tag".to_owned()])),
            ("badge", search().badge("inspire")),
            ("license", search().license("odc-odbl")),
            ("geozone", search().geozone("fr:commune:75056")),
            ("featured", search().featured(false)),
        ] {
            assert_eq!(request.send().await.unwrap().total, 0, "{filter}");
        }
        let masked = search().x_fields("data{id,title},total").send().await.unwrap();
        assert_eq!((masked.total, masked.data[0].title.as_str()), (1, one.title.as_str()));
        refused(search().badge("nope").send().await, 400);
    });
}

#[test]
fn searches_beyond_the_end_or_too_deep_are_refused() {
    run(|live| async move {
        let client = live.anonymous();
        dataset(&live.user()).await;
        let api = client.main_v2();
        refused(api.search_datasets().page(200).page_size(50).send().await, 404);
        refused(api.search_datasets().page(1001).page_size(10).send().await, 400);
        refused(api.search_reuses().page(200).page_size(50).send().await, 404);
        refused(api.search_dataservices().page(200).page_size(50).send().await, 404);
        refused(api.search_organizations().page(200).page_size(50).send().await, 404);
        refused(api.search_discussions().page(200).page_size(50).send().await, 404);
        refused(api.search_posts().page(200).page_size(50).send().await, 404);
        refused(api.search_topics().page(200).page_size(50).send().await, 404);
        refused(api.list_datasets().page(100_000).send().await, 404);
        refused(api.list_reuses().page(100_000).send().await, 404);
        refused(api.search_datasets().page(0).send().await, 400);
    });
}

#[test]
fn datasets_are_listed_by_every_filter() {
    run(|live| async move {
        let admin = live.admin();
        let one = found(&admin).await;
        let service = json!({"title": unique("API"), "description": "d", "datasets": [one.id]});
        let service = admin.main().create_dataservice().body(service).send().await.unwrap();
        let body = json!({
            "title": unique("Réutilisation"), "description": "d", "type": "api", "topic": "others",
            "url": format!("https://example.org/{}", word()), "datasets": [one.id],
        });
        let reused = admin.main().create_reuse().body(body).send().await.unwrap();
        live.plain().main().follow_dataset().id(&one.id).send().await.unwrap();
        let follower = live.plain().main().get_me().send().await.unwrap().id.clone();

        let list = || admin.main_v2().list_datasets().tag([one.tag.clone()]);
        for (filter, request) in [
            ("badge", list().badge("hvd")),
            ("organization", list().organization(&one.organization)),
            ("organization_badge", list().organization_badge("public-service")),
            ("license", list().license("lov2")),
            ("geozone", list().geozone("fr:region:11")),
            ("granularity", list().granularity("fr:region")),
            ("format", list().format("csv")),
            ("schema", list().schema("etalab/schema-irve-statique").schema_version("2.2.0")),
            ("temporal_coverage", list().temporal_coverage("2019-01-01-2020-01-01")),
            ("featured", list().featured(true)),
            ("topic", list().topic(&one.topic)),
            ("access_type", list().access_type("open")),
            ("dataservice", list().dataservice(&service.id)),
            ("reuse", list().reuse(&reused.id)),
            ("followed_by", list().followed_by(&follower)),
            ("archived", list().archived(false).deleted(false).private(false)),
            ("q", list().q(&one.title).sort("title").page(1).page_size(5)),
        ] {
            let page = request.send().await.unwrap_or_else(|error| panic!("{filter}: {error}"));
            assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&one.id], "{filter}");
        }
        assert_eq!(list().owner(&follower).send().await.unwrap().total, 0);
        let all = admin.main_v2().list_datasets().page(1).page_size(1).send().await.unwrap();
        assert_eq!((all.data.len(), all.previous_page.as_ref()), (1, None));
        assert!(all.next_page.is_some());
    });
}

#[test]
fn archived_private_and_deleted_datasets_are_listed_only_on_request() {
    run(|live| async move {
        let client = live.user();
        let tag = word();
        let make = |more: serde_json::Value| {
            let mut body = json!({"title": unique("Jeu"), "description": "d", "frequency": "unknown", "tags": [tag]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            client.main().create_dataset().body(body).send()
        };
        let archived = make(json!({"archived": "2024-01-01T00:00:00+00:00"})).await.unwrap();
        let private = make(json!({"private": true})).await.unwrap();
        let deleted = make(json!({})).await.unwrap();
        client.main().delete_dataset().dataset(&deleted.id).send().await.unwrap();
        let list = || client.main_v2().list_datasets().tag([tag.clone()]);
        assert_eq!(list().archived(true).send().await.unwrap().data[0].id, archived.id);
        assert_eq!(list().private(true).send().await.unwrap().data[0].id, private.id);
        let gone = list().deleted(true).send().await.unwrap();
        assert!(gone.data.iter().all(|dataset| dataset.id == deleted.id && dataset.deleted.is_some()));
        let stranger = live.anonymous();
        refused(stranger.main_v2().list_datasets().tag([tag.clone()]).private(true).send().await, 401);
        refused(live.anonymous().main_v2().get_dataset().dataset(&private.id).send().await, 404);
        refused(live.anonymous().main_v2().get_dataset().dataset(&deleted.id).send().await, 410);
    });
}

#[test]
fn reuses_are_listed_and_searched_by_every_filter() {
    run(|live| async move {
        let admin = live.admin();
        let (owner, used, service, tag) =
            (organization(&admin).await, dataset(&admin).await, dataservice(&admin).await, word());
        admin.main().add_organization_badge().org(&owner.id).body(json!({"kind": "association"})).send().await.unwrap();
        let body = json!({
            "title": unique("Réutilisation"), "description": "d", "type": "hardware", "topic": "law_and_justice",
            "url": format!("https://example.org/{tag}"), "datasets": [used.id], "dataservices": [service.id],
            "organization": owner.id, "tags": [tag],
        });
        let made = admin.main().create_reuse().body(body).send().await.unwrap();
        admin.main().feature_reuse().reuse(&made.id).send().await.unwrap();
        let client = live.anonymous();
        let list = || client.main_v2().list_reuses();
        for (filter, request) in [
            ("tag", list().tag([tag.clone()])),
            ("organization", list().organization(&owner.id)),
            ("dataset", list().dataset(&used.id)),
            ("dataservice", list().dataservice(&service.id)),
            (
                "others",
                list().type_("hardware").topic("law_and_justice").tag([tag.clone()]).featured(true).private(false),
            ),
            ("organization_badge", list().organization_badge("association").tag([tag.clone()])),
            ("q", list().q(&made.title).tag([tag.clone()]).sort("-created").page_size(5)),
        ] {
            let page = request.send().await.unwrap_or_else(|error| panic!("{filter}: {error}"));
            assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&made.id], "{filter}");
            assert_eq!((page.data[0].dataservices.total, page.data[0].datasets.rel.as_str()), (1, "subsection"));
        }
        let search = || client.main_v2().search_reuses().tag([tag.clone()]);
        for (filter, request) in [
            ("organization", search().organization(&owner.id)),
            ("organization_badge", search().organization_badge("association")),
            ("type", search().type_("hardware")),
            ("topic", search().topic("law_and_justice")),
            ("featured", search().featured(true)),
            ("archived", search().archived(false)),
            ("producer_type", search().producer_type("association")),
            ("last_update_range", search().last_update_range("last_12_months")),
            ("q", search().q(&made.title).sort("-followers").page(1).page_size(5)),
        ] {
            let page = request.send().await.unwrap_or_else(|error| panic!("{filter}: {error}"));
            assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&made.id], "{filter}");
        }
        let mine = reuse(&live.user()).await;
        let user = mine.owner.as_ref().unwrap().id.clone();
        let page = client.main_v2().search_reuses().owner(&user).page_size(100).send().await.unwrap();
        assert!(page.data.iter().any(|found| found.id == mine.id));
        let page = client.main_v2().list_reuses().owner(&user).page_size(100).send().await.unwrap();
        assert!(page.data.iter().any(|found| found.id == mine.id));
    });
}

#[test]
fn no_badge_of_reuses_exists_and_none_is_looked_at() {
    run(|live| async move {
        let (used, tag) = (dataset(&live.user()).await, word());
        let body = json!({
            "title": unique("Réutilisation"), "description": "d", "type": "api", "topic": "others", "tags": [tag],
            "url": format!("https://example.org/{tag}"), "datasets": [used.id],
        });
        live.user().main().create_reuse().body(body).send().await.unwrap();
        let found = live.anonymous().main_v2().search_reuses().tag([tag.clone()]).badge("hvd").send().await.unwrap();
        assert_eq!(found.total, 1);
    });
}

#[test]
fn dataservices_are_searched_by_every_filter() {
    run(|live| async move {
        let admin = live.admin();
        let (owner, tag) = (organization(&admin).await, word());
        let body = json!({
            "title": unique("API"), "description": "d", "organization": owner.id, "tags": [tag], "format": "REST",
            "access_type": "restricted", "access_audiences": [{"role": "private", "condition": "no"}],
        });
        let made = admin.main().create_dataservice().body(body).send().await.unwrap();
        admin.main().feature_dataservice().dataservice(&made.id).send().await.unwrap();
        let body = json!({"name": unique("Thème"), "elements": [{"element": {"class": "Dataservice", "id": made.id}}]});
        let topic = admin.main_v2().create_topic().body(body).send().await.unwrap();
        let client = live.anonymous();
        let search = || client.main_v2().search_dataservices().tag([tag.clone()]);
        for (filter, request) in [
            ("topic", search().topic(&topic.id)),
            ("organization", search().organization(&owner.id)),
            ("archived", search().archived(false)),
            ("featured", search().featured(true)),
            ("access_type", search().access_type("restricted")),
            ("producer_type", search().producer_type("not-specified")),
            ("last_update_range", search().last_update_range("last_3_years")),
            ("is_restricted", search().is_restricted(true)),
            ("q", search().q(&made.title).sort("-views").page(1).page_size(5)),
        ] {
            let page = request.send().await.unwrap_or_else(|error| panic!("{filter}: {error}"));
            assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&made.id], "{filter}");
            assert_eq!(page.data[0].access_audiences.len(), 1);
        }
        assert_eq!(search().is_restricted(false).send().await.unwrap().total, 0);
    });
}

#[test]
fn organizations_discussions_posts_and_topics_are_searched() {
    run(|live| async move {
        let (admin, client) = (live.admin(), live.anonymous());
        let api = client.main_v2();
        let owner = organization(&admin).await;
        admin.main().add_organization_badge().org(&owner.id).body(json!({"kind": "company"})).send().await.unwrap();
        let page = api.search_organizations().q(&owner.name).badge("company").producer_type("company").page_size(5);
        let page = page.sort("-created").send().await.unwrap();
        assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&owner.id]);
        assert_eq!(page.data[0].badges[0].kind, "company");

        let used = dataset(&admin).await;
        let body = json!({
            "title": unique("Question"), "comment": "Bonjour ?", "subject": {"class": "Dataset", "id": used.id},
            "extras": {"a": [1]},
        });
        let started = live.user().main().create_discussion().body(body).send().await.unwrap();
        let body = json!({"comment": "Fini", "close": true});
        admin.main().comment_discussion().id(&started.id).body(body).send().await.unwrap();
        let page = api.search_discussions().sort("-created").page_size(50).send().await.unwrap();
        let found = page.data.iter().find(|found| found.id == started.id).unwrap();
        assert_eq!(
            (found.discussion.len(), found.closed.is_some(), found.subject.id.as_str()),
            (2, true, used.id.as_str())
        );
        let page =
            api.search_discussions().q("Bonjour").closed(true).last_update_range("last_30_days").page(1).send().await;
        assert!(page.unwrap().total >= 1);

        let (written, tag) = (post(&admin).await, word());
        let body = json!({
            "name": written.name, "slug": written.slug, "content": "x", "tags": [tag], "datasets": [used.id],
            "headline": "Un chapeau",
        });
        admin.main().update_post().post(&written.id).body(body).send().await.unwrap();
        admin.main().publish_post().post(&written.id).send().await.unwrap();
        let search = || api.search_posts().tag([tag.clone()]);
        for (filter, request) in [
            ("tag", search()),
            ("last_update_range", search().last_update_range("last_30_days").sort("-published").page_size(5)),
            ("q", search().q(&written.name).page(1)),
            ("full objects", search().x_get_datasets_full_objects("True")),
            ("mask", search().x_fields("*")),
        ] {
            let page = request.send().await.unwrap_or_else(|error| panic!("{filter}: {error}"));
            assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&written.id], "{filter}");
            assert_eq!(page.data[0].datasets[0].title, used.title, "{filter}");
        }

        let body = json!({"name": unique("Thème"), "tags": [tag], "organization": owner.id});
        let topic = admin.main_v2().create_topic().body(body).send().await.unwrap();
        let search = || api.search_topics().tag([tag.clone()]);
        for (filter, request) in [
            ("organization", search().organization(&owner.id)),
            ("producer_type", search().producer_type("company")),
            ("last_update_range", search().last_update_range("last_30_days").sort("name")),
            ("q", search().q(&topic.name).page(1).page_size(5)),
            ("featured", search().featured(false).x_get_datasets_full_objects("True")),
        ] {
            let page = request.send().await.unwrap_or_else(|error| panic!("{filter}: {error}"));
            assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&topic.id], "{filter}");
        }
    });
}

#[test]
fn without_its_service_there_is_no_captcha() {
    run(|live| async move {
        let error = live.anonymous().main_v2().captchetat().get("image").c("captchaFR").t("x").send().await;
        let error = refused(error, 500);
        assert_eq!(error.server_message().as_deref(), Some("Catptcha internal error"));
    });
}
