//! Reuses of `/api/1`.

use datagouv::File;
use datagouv::main::types::ReuseImageForm;
use serde_json::json;

use crate::run;
use crate::support::{dataservice, dataset, organization, png, unique};
use crate::things::{refused, reuse, word};

#[test]
fn a_reuse_of_every_type_and_topic_is_found_by_them() {
    run(|live| async move {
        let client = live.user();
        let types = client.main().reuse_types().send().await.unwrap();
        let topics = client.main().reuse_topics().send().await.unwrap();
        assert!(types.iter().any(|found| found.id == "news_article" && !found.label.is_empty()));
        assert!(topics.iter().any(|found| found.id == "transport_and_mobility" && !found.label.is_empty()));
        for (index, topic) in topics.iter().enumerate() {
            let type_ = &types[index % types.len()].id;
            let body = json!({
                "title": unique("Réutilisation"), "description": "d", "type": type_, "topic": topic.id,
                "url": format!("https://example.org/{}", word()),
            });
            let made = client.main().create_reuse().body(body).send().await.unwrap();
            assert_eq!(made.status(), 201);
            assert_eq!((made.type_.as_str(), made.topic.as_str()), (type_.as_str(), topic.id.as_str()));
            let page = client
                .main()
                .list_reuses()
                .type_(type_.as_str())
                .topic(topic.id.as_str())
                .sort("-created")
                .page_size(100)
                .send()
                .await
                .unwrap();
            assert!(page.data.iter().any(|listed| listed.id == made.id), "{type_} {}", topic.id);
            assert!(page.data.iter().all(|listed| listed.type_ == made.type_ && listed.topic == made.topic));
        }
    });
}

#[test]
fn a_reuse_with_everything_is_read_back_updated_and_listed() {
    run(|live| async move {
        let client = live.user();
        let (owner, used, other) = (organization(&client).await, dataset(&client).await, dataset(&client).await);
        let service = dataservice(&client).await;
        let tag = word();
        let body = json!({
            "title": unique("Réutilisation complète"), "description": "Une *réutilisation*", "type": "visualization",
            "topic": "others", "url": format!("https://example.org/{tag}"), "organization": owner.id,
            "datasets": [used.id], "tags": [tag], "extras": {"a": {"b": [1, 2.5, null, "x"]}, "n": 3},
        });
        let made = client.main().create_reuse().body(body).send().await.unwrap();
        assert_eq!(made.organization.as_ref().map(|found| found.id.as_str()), Some(owner.id.as_str()));
        assert_eq!(made.owner, None);
        assert_eq!(made.extras["a"], json!({"b": [1, 2.5, null, "x"]}));
        assert_eq!(made.tags, [tag.as_str()]);

        let added = client
            .main()
            .reuse_add_dataset()
            .reuse(&made.id)
            .body(json!({"class": "Dataset", "id": other.id}))
            .send()
            .await
            .unwrap();
        assert_eq!(added.status(), 201);
        assert_eq!(added.datasets.len(), 2);
        let again = client.main().reuse_add_dataset().reuse(&made.id).body(json!({"class": "Dataset", "id": other.id}));
        assert_eq!(again.send().await.unwrap().status(), 200);
        let body = json!({"class": "Dataservice", "id": service.id});
        let added = client.main().reuse_add_dataservice().reuse(&made.id).body(body.clone()).send().await.unwrap();
        assert_eq!(added.status(), 201);
        assert_eq!(added.dataservices[0].title, service.title);
        let again = client.main().reuse_add_dataservice().reuse(&made.id).body(body).send().await.unwrap();
        assert_eq!(again.status(), 200);

        let title = unique("Un autre titre");
        let body = json!({"title": title, "description": "d", "type": "api", "topic": "others", "url": made.url});
        let updated = client.main().update_reuse().reuse(&made.id).body(body).send().await.unwrap();
        assert_eq!((updated.title.as_str(), updated.type_.as_str()), (title.as_str(), "api"));
        assert_eq!(updated.datasets.len(), 2, "what is absent stays");

        for page in [
            client.main().list_reuses().tag([tag.clone()]).send().await.unwrap(),
            client.main().list_reuses().organization(&owner.id).send().await.unwrap(),
            client.main().list_reuses().dataset(&other.id).send().await.unwrap(),
            client.main().list_reuses().dataservice(&service.id).send().await.unwrap(),
        ] {
            assert_eq!(page.total, 1);
            assert_eq!(page.data[0].id, made.id);
            assert_eq!((page.next_page.as_ref(), page.previous_page.as_ref()), (None, None));
        }
        let masked = client.main().get_reuse().reuse(&made.slug).x_fields("{id,datasets{title}}").send().await;
        assert_eq!(masked.unwrap().datasets[0].title, used.title);
    });
}

#[test]
fn a_reuse_comes_with_whole_datasets_where_they_are_asked_for() {
    run(|live| async move {
        let (client, used) = (live.user(), dataset(&live.user()).await);
        let made = crate::support::reuse(&client, &used.id).await;
        let full = client.main().get_reuse().reuse(&made.id).x_get_datasets_full_objects("True").send().await.unwrap();
        assert_eq!(full.datasets.len(), 1);
        let page = client.main().list_reuses().dataset(&used.id).x_get_datasets_full_objects("True").send().await;
        assert_eq!(page.unwrap().data[0].datasets[0].title, used.title);
    });
}

#[test]
fn a_private_reuse_is_visible_to_its_owner_alone() {
    run(|live| async move {
        let owner = live.user();
        let body = json!({
            "title": unique("Réutilisation privée"), "description": "d", "type": "idea", "topic": "others",
            "url": format!("https://example.org/{}", word()), "private": true,
        });
        let made = owner.main().create_reuse().body(body).send().await.unwrap();
        assert!(made.private);
        let mine = owner.main().list_reuses().private(true).page_size(100).send().await.unwrap();
        assert!(mine.data.iter().any(|found| found.id == made.id));
        refused(live.plain().main().get_reuse().reuse(&made.id).send().await, 404);
        refused(live.anonymous().main().get_reuse().reuse(&made.id).send().await, 404);
    });
}

#[test]
fn a_reuse_is_archived_then_deleted() {
    run(|live| async move {
        let client = live.user();
        let made = reuse(&client).await;
        let body = json!({
            "title": made.title, "description": "d", "type": "paper", "topic": "others", "url": made.url,
            "archived": "2024-01-01T00:00:00+00:00",
        });
        let archived = client.main().update_reuse().reuse(&made.id).body(body).send().await.unwrap();
        assert_eq!(archived.archived.as_ref().unwrap().to_rfc3339().as_deref(), Some("2024-01-01T00:00:00+00:00"));
        refused(live.plain().main().delete_reuse().reuse(&made.id).send().await, 403);
        let gone = client.main().delete_reuse().reuse(&made.id).send().await.unwrap();
        assert_eq!(gone.status(), 204);
        let error = refused(live.anonymous().main().get_reuse().reuse(&made.id).send().await, 410);
        assert!(error.is_gone());
        let seen = client.main().get_reuse().reuse(&made.id).send().await.unwrap();
        assert!(seen.deleted.is_some(), "its owner sees it with the date");
        assert!(refused(client.main().delete_reuse().reuse(&made.id).send().await, 410).is_gone());
        assert!(refused(client.main().get_reuse().reuse("0123456789abcdef01234567").send().await, 404).is_not_found());
    });
}

#[test]
fn only_an_administrator_features_a_reuse() {
    run(|live| async move {
        let made = reuse(&live.user()).await;
        assert!(refused(live.user().main().feature_reuse().reuse(&made.id).send().await, 403).is_forbidden());
        let featured = live.admin().main().feature_reuse().reuse(&made.id).send().await.unwrap();
        assert_eq!(featured.featured, Some(true));
        let page = live.anonymous().main().list_reuses().featured(true).page_size(100).send().await.unwrap();
        assert!(page.data.iter().any(|found| found.id == made.id));
        let plain = live.admin().main().unfeature_reuse().reuse(&made.id).send().await.unwrap();
        assert_eq!(plain.featured, Some(false));
    });
}

#[test]
fn an_image_of_a_reuse_is_stored() {
    run(|live| async move {
        let client = live.user();
        let made = reuse(&client).await;
        assert_eq!(made.image, None);
        let form = ReuseImageForm::new(png(600, 600)).bbox("0,0,300,300");
        let uploaded = client.main().reuse_image().reuse(&made.id).body(form).send().await.unwrap();
        assert!(uploaded.success);
        let seen = client.main().get_reuse().reuse(&made.id).send().await.unwrap();
        assert!(seen.image.as_ref().unwrap().ends_with(".png"));
        assert!(seen.image_thumbnail.is_some());
        let text = ReuseImageForm::new(File::from_bytes("image.png", "this is no image"));
        refused(client.main().reuse_image().reuse(&made.id).body(text).send().await, 400);
    });
}

#[test]
fn followers_of_a_reuse_are_counted_and_listed() {
    run(|live| async move {
        let made = reuse(&live.user()).await;
        let follower = live.plain();
        let first = follower.main().follow_reuse().id(&made.id).send().await.unwrap();
        assert_eq!((first.status().as_u16(), first.followers), (201, 1));
        let again = follower.main().follow_reuse().id(&made.id).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.followers), (200, 1));
        live.admin().main().follow_reuse().id(&made.id).send().await.unwrap();
        let page = follower.main().list_reuse_followers().id(&made.id).page_size(1).send().await.unwrap();
        assert_eq!((page.total, page.data.len()), (2, 1));
        assert!(page.next_page.is_some());
        let user = &page.data[0].follower;
        let one = follower.main().list_reuse_followers().id(&made.id).user(&user.id).send().await.unwrap();
        assert_eq!(one.data[0].follower.id, user.id);
        let left = follower.main().unfollow_reuse().id(&made.id).send().await.unwrap();
        assert_eq!((left.status().as_u16(), left.followers), (200, 1));
        refused(follower.main().unfollow_reuse().id(&made.id).send().await, 404);
        refused(live.anonymous().main().follow_reuse().id(&made.id).send().await, 401);
    });
}

#[test]
fn no_badge_exists_for_reuses() {
    run(|live| async move {
        let client = live.admin();
        let made = reuse(&client).await;
        assert!(client.main().available_reuse_badges().send().await.unwrap().is_empty());
        let error =
            refused(client.main().add_reuse_badge().reuse(&made.id).body(json!({"kind": "hvd"})).send().await, 400);
        assert_eq!(error.server_message().as_deref(), Some("Unknown badge type for Reuse: hvd"));
        refused(client.main().delete_reuse_badge().reuse(&made.id).badge_kind("hvd").send().await, 404);
    });
}

#[test]
fn reuses_are_suggested_by_their_title() {
    run(|live| async move {
        let made = reuse(&live.user()).await;
        let found = live.anonymous().main().suggest_reuses().q(&made.title).size(5).send().await.unwrap();
        assert_eq!(found[0].id, made.id);
        assert_eq!(found[0].title, made.title);
    });
}

#[test]
fn reuses_are_shown_in_the_feed() {
    run(|live| async move {
        reuse(&live.user()).await;
        let feed = live.anonymous().main().recent_reuses_atom_feed().send().await.unwrap();
        assert!(feed.headers()["content-type"].to_str().unwrap().starts_with("application/atom+xml"));
        let text = feed.into_inner().text().await.unwrap();
        assert!(text.starts_with("<?xml") && text.contains("<entry>"), "{text}");
    });
}

#[test]
fn a_reuse_without_required_fields_is_refused_by_field() {
    run(|live| async move {
        let body = json!({
            "title": unique("Réutilisation"), "description": "d", "type": "nope", "topic": "others",
            "url": "https://example.org/nope",
        });
        let error = refused(live.user().main().create_reuse().body(body).send().await, 400);
        assert!(error.field_errors().iter().any(|refused| refused.field == "type"), "{error}");
        let page = refused(live.anonymous().main().list_reuses().page(100_000).send().await, 404);
        assert!(page.is_not_found(), "there is no page beyond the end");
        refused(live.anonymous().main().list_reuses().page(0).send().await, 400);
    });
}
