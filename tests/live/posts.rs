//! Posts of `/api/1`, and the blocs that pages are made of.

use datagouv::main::types::{Bloc, PostImageForm, ResizePostImageForm};
use serde_json::json;

use crate::run;
use crate::support::{dataset, me, organization, png, unique};
use crate::things::{post, refused, reuse, shown, word};

#[test]
fn a_post_with_everything_is_published_listed_and_withdrawn() {
    run(|live| async move {
        let client = live.admin();
        let (used, reused, tag) = (dataset(&client).await, reuse(&client).await, word());
        let name = unique("Article");
        let body = json!({
            "name": name, "slug": word(), "headline": "Un chapeau", "content": "Un *article*", "kind": "news",
            "body_type": "markdown", "tags": [tag], "datasets": [used.id], "reuses": [reused.id], "sidemenu": true,
            "credit_to": "quelqu'un", "credit_url": "https://example.org/", "image_url": "https://example.org/i.png",
        });
        let made = client.main().create_post().body(body).send().await.unwrap();
        assert_eq!(made.status(), 201);
        assert_eq!(made.published, None);
        assert_eq!(made.owner.as_ref().map(|owner| owner.id.clone()), Some(me(&client).await.id));
        assert_eq!((&made.datasets[0].id, &made.reuses[0].title), (&used.id, &reused.title));
        refused(live.anonymous().main().get_post().post(&made.id).send().await, 404);

        let drafts = client.main().list_posts().with_drafts(true).q(&name).page_size(5).send().await.unwrap();
        assert!(drafts.data.iter().any(|found| found.id == made.id));
        let published = client.main().publish_post().post(&made.id).send().await.unwrap();
        assert!(published.published.is_some());
        let page = live.anonymous().main().list_posts().kind("news").sort("-published").page_size(50).send().await;
        assert!(page.unwrap().data.iter().any(|found| found.id == made.id && found.blocs.is_empty()));
        let full = client.main().list_posts().q(&name).x_get_datasets_full_objects("True").send().await.unwrap();
        assert_eq!(full.data[0].datasets[0].id, used.id);
        let one = client.main().get_post().post(&made.slug).x_get_datasets_full_objects("True").send().await.unwrap();
        assert_eq!(one.datasets[0].title, used.title);
        let feed = client.main().recent_posts_atom_feed().send().await.unwrap().into_inner().text().await.unwrap();
        assert!(feed.contains(&name), "{feed}");

        let withdrawn = client.main().unpublish_post().post(&made.id).send().await.unwrap();
        assert_eq!(withdrawn.published, None);
        let page = live.anonymous().main().list_posts().q(&name).send().await.unwrap();
        assert_eq!(page.total, 0);
    });
}

#[test]
fn a_post_is_renamed_then_deleted() {
    run(|live| async move {
        let client = live.admin();
        let made = post(&client).await;
        let (name, slug) = (unique("Renommé"), word());
        let body = json!({"name": name, "slug": slug, "content": "<p>du html</p>", "body_type": "html"});
        let updated = client.main().update_post().post(&made.id).body(body).send().await.unwrap();
        assert_eq!((&updated.name, &updated.slug, updated.body_type.as_str()), (&name, &slug, "html"));
        refused(
            live.user().main().update_post().post(&made.id).body(json!({"name": "x", "slug": "x"})).send().await,
            403,
        );
        assert_eq!(client.main().delete_post().post(&made.id).send().await.unwrap().status(), 204);
        refused(client.main().get_post().post(&made.id).send().await, 404);
        refused(client.main().delete_post().post(&made.id).send().await, 404);
    });
}

#[test]
fn pages_have_a_parent_and_ancestors() {
    run(|live| async move {
        let client = live.admin();
        let mut parent = None;
        let mut pages = Vec::new();
        for depth in 0..3 {
            let body = json!({
                "name": unique("Page"), "slug": word(), "kind": "page", "content": format!("profondeur {depth}"), "parent": parent,
            });
            let page = client.main().create_post().body(body).send().await.unwrap().into_inner();
            client.main().publish_post().post(&page.id).send().await.unwrap();
            parent = Some(page.id.clone());
            pages.push(page);
        }
        let deepest = client.main().get_post().post(&pages[2].id).send().await.unwrap();
        assert_eq!(deepest.parent.as_ref().map(|found| &found.id), Some(&pages[1].id));
        let ancestors: Vec<&String> = deepest.ancestors.iter().map(|found| &found.name).collect();
        assert_eq!(ancestors, [&pages[0].name, &pages[1].name], "from the root down");
        let page = live.anonymous().main().list_posts().kind("page").page_size(50).send().await.unwrap();
        assert!(page.data.iter().any(|found| found.id == deepest.id));

        refused(client.main().delete_post().post(&pages[0].id).send().await, 400);
        refused(client.main().unpublish_post().post(&pages[0].id).send().await, 400);
        let news = json!({"name": unique("Article"), "slug": word(), "content": "x", "parent": pages[0].id});
        let error = refused(client.main().create_post().body(news).send().await, 400);
        assert!(error.to_string().contains("page"), "{error}");
    });
}

/// The classes of blocs and of those inside, in the order of reading.
fn classes(blocs: &[Bloc]) -> Vec<String> {
    let mut found = Vec::new();
    for bloc in blocs {
        found.push(bloc.class.clone());
        found.extend(classes(&bloc.blocs));
        bloc.items.iter().for_each(|item| found.extend(classes(&item.content)));
    }
    found
}

#[test]
fn a_page_of_blocs_shows_every_kind_of_bloc() {
    run(|live| async move {
        let client = live.admin();
        let shown = shown(&client).await;
        for color in [None, Some("primary"), Some("green"), Some("purple")] {
            let body = json!({
                "name": unique("Page de blocs"), "slug": word(), "kind": "page", "body_type": "blocs",
                "blocs": shown.blocs(color),
            });
            let made = client.main().create_post().body(body).send().await.unwrap();
            assert_eq!(
                classes(&made.blocs),
                [
                    "SectionBloc",
                    "TitleBloc",
                    "TitleBloc",
                    "MarkdownBloc",
                    "ButtonBloc",
                    "LinksListBloc",
                    "ExploreBloc",
                    "DatasetBloc",
                    "ReuseBloc",
                    "DataserviceBloc",
                    "SectionBloc",
                    "AccordionListBloc",
                    "TitleBloc",
                    "MarkdownBloc",
                    "LinksListBloc",
                    "ButtonBloc",
                    "DatasetBloc",
                    "ReuseBloc",
                    "DataserviceBloc",
                ]
            );
            assert_eq!(made.blocs[0].color.as_deref(), color);
            assert_eq!(made.content, None);
            let inner = &made.blocs[0].blocs;
            assert_eq!(inner[0].width.as_ref().map(|width| width.as_str()), Some("1/2"));
            assert_eq!(inner[4].links[1].url, None);
            assert_eq!(inner[5].resource_id.as_ref(), Some(&shown.resource));
            assert_eq!(inner[6].dataset.as_ref().map(|card| &card.id), Some(&shown.datasets[0]));
            assert_eq!(inner[7].reuse.as_ref().map(|card| &card.id), Some(&shown.reuses[0]));
            assert_eq!(inner[8].dataservice.as_ref().map(|card| &card.id), Some(&shown.dataservices[0]));

            client.main().publish_post().post(&made.id).send().await.unwrap();
            let reader = live.anonymous();
            let masked = reader.main().list_posts().kind("page").x_fields("*").sort("-created_at").page_size(20);
            let page = masked.send().await.unwrap();
            let listed = page.data.iter().find(|found| found.id == made.id).unwrap();
            assert_eq!(listed.blocs, made.blocs, "a mask brings the blocs into lists");
            let found = reader.main_v2().search_posts().q(&made.name).x_fields("*").send().await.unwrap();
            assert_eq!(found.data[0].blocs.len(), 2);
        }
    });
}

#[test]
fn blocs_in_the_wrong_place_are_refused() {
    run(|live| async move {
        for (blocs, reason) in [
            (json!([{"class": "TitleBloc", "title": "x"}]), "TitleBloc is not allowed here"),
            (json!([{"class": "SectionBloc", "blocs": []}]), "SectionBloc cannot be empty"),
        ] {
            let body =
                json!({"name": unique("Page"), "slug": word(), "kind": "page", "body_type": "blocs", "blocs": blocs});
            let error = refused(live.admin().main().create_post().body(body).send().await, 400);
            assert_eq!(error.field_errors()[0].field, "blocs");
            assert!(error.field_errors()[0].message.contains(reason), "{error:?}");
        }
    });
}

#[test]
fn blocs_of_an_organization_are_returned_only_with_a_mask() {
    run(|live| async move {
        let client = live.admin();
        let (owner, shown) = (organization(&client).await, shown(&client).await);
        let body = json!({
            "name": owner.name, "description": owner.description, "presentation_blocs": shown.blocs(None),
            "presentation_blocs_published_at": "2024-01-01T00:00:00+00:00",
        });
        let updated = client.main().update_organization().org(&owner.id).body(body).x_fields("*").send().await.unwrap();
        assert_eq!(classes(&updated.presentation_blocs).len(), 19);
        assert!(updated.presentation_blocs_published_at.is_some());
        let plain = client.main().get_organization().org(&owner.id).send().await.unwrap();
        assert_eq!(plain.presentation_blocs, []);
        let masked = client.main().get_organization().org(&owner.id).x_fields("*").send().await.unwrap();
        assert_eq!(masked.presentation_blocs, updated.presentation_blocs);
        let found =
            client.main_v2().search_organizations().q(&owner.name).x_fields("data{*},total").send().await.unwrap();
        assert_eq!(found.data[0].presentation_blocs.len(), 2);

        let colored = json!({"name": owner.name, "description": "d", "presentation_blocs": shown.blocs(Some("green"))});
        refused(client.main().update_organization().org(&owner.id).body(colored).send().await, 400);
    });
}

#[test]
fn blocs_of_the_site_are_returned_only_with_a_mask() {
    run(|live| async move {
        let admin = live.admin();
        let body = json!({"dataservices_blocs": shown(&admin).await.blocs(Some("purple"))});
        let site = admin.main().set_site().body(body).x_fields("*").send().await.unwrap();
        assert_eq!(classes(&site.dataservices_blocs).len(), 19);
        let plain = live.anonymous().main().get_site().send().await.unwrap();
        assert_eq!(plain.dataservices_blocs, []);
        let masked = live.anonymous().main().get_site().x_fields("*").send().await.unwrap();
        assert!(!masked.dataservices_blocs.is_empty());
    });
}

#[test]
fn images_of_a_post_are_uploaded_and_cropped() {
    run(|live| async move {
        let client = live.admin();
        let made = post(&client).await;
        let form = PostImageForm::new(png(500, 500));
        let uploaded = client.main().post_image().post(&made.id).body(form).send().await.unwrap();
        assert!(uploaded.success && uploaded.image.ends_with(".png"));
        let form = ResizePostImageForm::new(png(500, 500)).bbox("0,0,100,100");
        let cropped = client.main().resize_post_image().post(&made.id).body(form).send().await.unwrap();
        assert!(cropped.success);
        let seen = client.main().get_post().post(&made.id).send().await.unwrap();
        assert!(seen.image.is_some() && seen.image_thumbnail.is_some());
        let form = PostImageForm::new(png(50, 50)).bbox("a,b");
        refused(client.main().post_image().post(&made.id).body(form).send().await, 400);
    });
}

#[test]
fn only_administrators_write_posts() {
    run(|live| async move {
        let body = || json!({"name": unique("Article"), "slug": word(), "content": "x"});
        refused(live.user().main().create_post().body(body()).send().await, 403);
        refused(live.anonymous().main().create_post().body(body()).send().await, 401);
        let empty = json!({"name": unique("Article"), "slug": word()});
        let error = refused(live.admin().main().create_post().body(empty).send().await, 400);
        assert!(error.server_message().unwrap().contains("content is required"));
        let made = post(&live.admin()).await;
        let taken = json!({"name": unique("Article"), "slug": made.slug, "content": "x"});
        let error = refused(live.admin().main().create_post().body(taken).send().await, 400);
        assert_eq!(error.field_errors()[0].field, "slug");
    });
}
