//! Topics of `/api/2`.

use datagouv::Client;
use datagouv::main_v2::types::{Topic, TopicElementInput};
use serde_json::{Value, json};

use crate::run;
use crate::support::{dataservice, dataset, organization, unique};
use crate::things::{refused, reuse, word};

async fn topic(client: &Client, more: Value) -> Topic {
    let mut body = json!({"name": unique("Thème")});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = client.main_v2().create_topic().body(body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    made.into_inner()
}

#[test]
fn a_topic_with_elements_of_every_class_is_read_back() {
    run(|live| async move {
        let client = live.user();
        let (used, reused, service) = (dataset(&client).await, reuse(&client).await, dataservice(&client).await);
        let made = topic(
            &client,
            json!({
                "description": "Un thème", "color": 3, "tags": ["transport", "velo"], "extras": {"a": {"b": [1, null]}},
                "spatial": {"zones": ["fr:region:11", "country:fr"], "granularity": "fr:commune"},
                "elements": [
                    {"title": "Un jeu", "description": "d", "tags": ["premier"], "extras": {"n": 1.5},
                     "element": {"class": "Dataset", "id": used.id}},
                    {"title": "Une réutilisation", "element": {"class": "Reuse", "id": reused.id}},
                    {"title": "Une API", "element": {"class": "Dataservice", "id": service.id}},
                    {"title": "Rien encore", "description": "à venir", "tags": ["vide"]},
                ],
            }),
        )
        .await;
        assert_eq!((made.color, made.private, made.featured), (Some(3), None, false));
        assert_eq!(made.elements.total, 4);
        assert_eq!(made.extras["a"], json!({"b": [1, null]}));
        let spatial = made.spatial.as_ref().unwrap();
        assert_eq!(json!(spatial.zones), json!(["fr:region:11", "country:fr"]));
        assert_eq!(json!(spatial.granularity), json!("fr:commune"));

        let elements = client.main_v2().topic_elements().topic(&made.id).send().await.unwrap();
        let classes: Vec<Option<&str>> =
            elements.data.iter().map(|found| found.element.as_ref().map(|element| element.class.as_str())).collect();
        assert_eq!(classes, [Some("Dataset"), Some("Reuse"), Some("Dataservice"), None]);
        assert_eq!(elements.data[0].extras["n"], json!(1.5));
        let first = client.main_v2().topic_elements().topic(&made.id).page_size(1).send().await.unwrap();
        assert_eq!((first.total, first.data.len()), (4, 1));
        let last = client.main_v2().topic_elements().topic(&made.id).page(4).page_size(1).send().await.unwrap();
        assert!(last.previous_page.is_some() && last.next_page.is_none());
        refused(client.main_v2().topic_elements().topic(&made.id).page(6).page_size(1).send().await, 404);
        for (class, title) in [("Dataset", "Un jeu"), ("Reuse", "Une réutilisation"), ("None", "Rien encore")] {
            let page = client.main_v2().topic_elements().topic(&made.id).class(class).send().await.unwrap();
            assert_eq!(page.data.iter().map(|found| found.title.as_deref()).collect::<Vec<_>>(), [Some(title)]);
        }
        let tagged = client.main_v2().topic_elements().topic(&made.id).tag(["vide".to_owned()]).send().await.unwrap();
        assert_eq!(tagged.data[0].title.as_deref(), Some("Rien encore"));
    });
}

#[test]
fn zones_of_a_topic_are_whole_where_they_are_asked_for() {
    run(|live| async move {
        let client = live.user();
        let spatial = json!({"zones": ["fr:region:11", "country:fr"], "granularity": "fr:commune"});
        let tag = word();
        let made = topic(&client, json!({"spatial": spatial, "tags": [tag]})).await;
        let list = || client.main_v2().get_topics_api().tag([tag.clone()]).x_get_datasets_full_objects("True");
        assert_eq!(list().send().await.unwrap().data[0].id, made.id);
        let mine = client.main_v2().my_org_topics().tag([tag.clone()]).x_get_datasets_full_objects("True").sort("name");
        assert_eq!(mine.send().await.unwrap().total, 1);
        let full =
            client.main_v2().get_topic().topic(&made.slug).x_get_datasets_full_objects("True").send().await.unwrap();
        let spatial = json!(full.spatial);
        assert_eq!(spatial["zones"][0]["name"], json!("Île-de-France"), "{spatial}");
        assert_eq!(spatial["granularity"]["id"], json!("fr:commune"));
    });
}

#[test]
fn elements_are_added_changed_and_removed() {
    run(|live| async move {
        let client = live.user();
        let used = dataset(&client).await;
        let made = topic(&client, json!({})).await;
        assert_eq!((made.description.as_ref(), made.spatial.as_ref(), made.elements.total), (None, None, 0));
        let elements = vec![
            TopicElementInput::try_from(json!({"element": {"class": "Dataset", "id": used.id}})).unwrap(),
            TopicElementInput::new().title("Seulement un titre"),
        ];
        let added = client.main_v2().topic_elements_create().topic(&made.id).body(elements).send().await.unwrap();
        assert_eq!((added.status().as_u16(), added.len()), (201, 2));
        assert_eq!((added[0].title.as_ref(), added[1].element.as_ref()), (None, None));

        let body = json!({"title": "Un autre titre", "description": "d", "tags": ["change"], "extras": {"a": [1]}});
        let change =
            client.main_v2().topic_element_update().topic(&made.id).element_id(&added[1].id).body(body.clone());
        let changed = change.send().await.unwrap();
        assert_eq!((changed.title.as_deref(), changed.extras["a"].clone()), (Some("Un autre titre"), json!([1])));
        let stranger = live.plain();
        let change = stranger.main_v2().topic_element_update().topic(&made.id).element_id(&added[1].id).body(body);
        refused(change.send().await, 403);

        let gone =
            client.main_v2().delete_topic_element().topic(&made.id).element_id(&added[0].id).send().await.unwrap();
        assert_eq!(gone.status(), 204);
        let again = client.main_v2().delete_topic_element().topic(&made.id).element_id(&added[0].id).send().await;
        refused(again, 404);
        let left = client.main_v2().topic_elements().topic(&made.id).send().await.unwrap();
        assert_eq!(left.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&added[1].id]);
        assert_eq!(client.main_v2().topic_elements_delete().topic(&made.id).send().await.unwrap().status(), 204);
        assert_eq!(client.main_v2().topic_elements().topic(&made.id).send().await.unwrap().total, 0);
    });
}

#[test]
fn a_topic_is_changed_then_deleted() {
    run(|live| async move {
        let client = live.user();
        let geometry = json!({"type": "MultiPolygon", "coordinates": [[[[0, 0], [0, 1], [1.5, 1], [0, 0]]]]});
        let made = topic(&client, json!({"spatial": {"geom": geometry, "granularity": "other"}})).await;
        let body = json!({"name": made.name, "description": "changé", "color": 7, "tags": ["change"]});
        let updated = client.main_v2().update_topic().topic(&made.id).body(body).send().await.unwrap();
        assert_eq!((updated.description.as_deref(), updated.color), (Some("changé"), Some(7)));
        let geom = updated.spatial.as_ref().and_then(|spatial| spatial.geom.as_ref()).unwrap();
        assert_eq!(json!(geom), geometry, "what is absent stays");
        refused(live.plain().main_v2().update_topic().topic(&made.id).body(json!({"name": "x"})).send().await, 403);
        refused(live.plain().main_v2().delete_topic().topic(&made.id).send().await, 403);
        assert_eq!(client.main_v2().delete_topic().topic(&made.id).send().await.unwrap().status(), 204);
        refused(client.main_v2().get_topic().topic(&made.id).send().await, 404);
    });
}

#[test]
fn topics_are_listed_by_every_filter() {
    run(|live| async move {
        let client = live.user();
        let (used, reused, service) = (dataset(&client).await, reuse(&client).await, dataservice(&client).await);
        let (owner, tag) = (organization(&client).await, word());
        let made = topic(&client, json!({
            "tags": [tag], "organization": owner.id, "spatial": {"zones": ["fr:commune:75056"], "granularity": "fr:commune"},
            "elements": [
                {"element": {"class": "Dataset", "id": used.id}}, {"element": {"class": "Reuse", "id": reused.id}},
                {"element": {"class": "Dataservice", "id": service.id}},
            ],
        })).await;
        assert_eq!(made.organization.as_ref().map(|found| &found.id), Some(&owner.id));
        let list = || client.main_v2().get_topics_api();
        for request in [
            list().tag([tag.clone()]),
            list().organization(&owner.id).sort("-created"),
            list().dataset(&used.id),
            list().reuse(&reused.id),
            list().dataservice(&service.id),
            list().q(&made.name),
            list().tag([tag.clone()]).geozone("fr:commune:75056"),
            list().tag([tag.clone()]).granularity("fr:commune"),
        ] {
            let page = request.send().await.unwrap();
            assert!(page.data.iter().any(|found| found.id == made.id));
        }
        assert_eq!(list().tag([tag.clone()]).featured(true).send().await.unwrap().total, 0);
        let mine = client.main_v2().my_org_topics().organization(&owner.id).send().await.unwrap();
        assert_eq!(mine.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&made.id]);
        let mine = client.main_v2().my_org_topics().tag([tag.clone()]).sort("name");
        assert_eq!(mine.send().await.unwrap().total, 1);
        refused(live.anonymous().main_v2().my_org_topics().send().await, 401);
        refused(list().page(100_000).send().await, 404);
    });
}

#[test]
fn a_private_topic_is_listed_to_its_owner_alone() {
    run(|live| async move {
        let client = live.user();
        let tag = word();
        let made = topic(&client, json!({"private": true, "tags": [tag]})).await;
        assert_eq!(made.private, Some(true));
        let owner = made.owner.as_ref().unwrap().id.clone();
        let mine =
            client.main_v2().get_topics_api().private(true).owner(&owner).tag([tag.clone()]).send().await.unwrap();
        assert_eq!(mine.total, 1);
        let theirs = live.anonymous().main_v2().get_topics_api().tag([tag.clone()]).send().await.unwrap();
        assert_eq!(theirs.total, 0);
        let mine = client.main_v2().my_org_topics().private(true).tag([tag.clone()]).send().await.unwrap();
        assert!(mine.data.iter().any(|found| found.id == made.id));
    });
}

#[test]
fn only_an_administrator_features_a_topic() {
    run(|live| async move {
        let tag = word();
        let made = topic(&live.user(), json!({"tags": [tag]})).await;
        refused(live.user().main_v2().feature_topic().topic(&made.id).send().await, 403);
        let featured = live.admin().main_v2().feature_topic().topic(&made.id).send().await.unwrap();
        assert!(featured.featured);
        let page = live.anonymous().main_v2().get_topics_api().featured(true).tag([tag.clone()]).send().await.unwrap();
        assert_eq!(page.total, 1);
        let found = live.anonymous().main_v2().search_topics().featured(true).tag([tag.clone()]).send().await.unwrap();
        assert_eq!(found.total, 1);
        let plain = live.admin().main_v2().unfeature_topic().topic(&made.id).send().await.unwrap();
        assert!(!plain.featured);
    });
}

#[test]
fn an_invalid_topic_is_refused() {
    run(|live| async move {
        let client = live.user();
        refused(client.main_v2().create_topic().body(json!({"name": ""})).send().await, 400);
        let body = json!({"name": unique("Thème"), "elements": [{"element": {"class": "Organization", "id": "0123456789abcdef01234567"}}]});
        refused(client.main_v2().create_topic().body(body).send().await, 400);
        refused(live.anonymous().main_v2().create_topic().body(json!({"name": "x"})).send().await, 401);
    });
}
