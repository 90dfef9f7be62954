//! Organizations: lifecycle, images, badges, followers, catalogues and lists.

use datagouv::main::types::{
    OrganizationBannerUploadForm, OrganizationInput, OrganizationLogoForm, ResizeOrganizationLogoForm,
};
use serde_json::json;

use crate::community::{image, no_image, reference, refused};
use crate::run;
use crate::support::{dataservice, dataset_with, me, organization, resource, reuse, unique};

const UNKNOWN: &str = "000000000000000000000000";

#[test]
fn an_organization_is_created_read_changed_and_deleted() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let name = unique("Organisation");
        let body = OrganizationInput::new(name.as_str(), "Une organisation **test**");
        let created = user.main().create_organization().body(body).send().await.unwrap();
        assert_eq!(created.status(), 201);
        assert_eq!(created.members[0].role.as_str(), "admin");
        // Its creator has the rights of an administrator from the next call on.
        assert!(!created.permissions.edit);

        let id = created.id.as_str();
        let read = user.main().get_organization().org(&created.slug).send().await.unwrap();
        assert_eq!((read.name.as_str(), read.id.as_str()), (name.as_str(), id));
        assert!(read.permissions.edit && read.permissions.delete && read.permissions.members);
        assert!(!plain.main().get_organization().org(id).send().await.unwrap().permissions.edit);

        let body = json!({
            "name": name,
            "description": "Changée",
            "acronym": "ORG",
            "url": "https://example.org/",
            "business_number_id": "13002526500013",
            "banner_color": "#000091",
            "image_url": "https://example.org/logo.png",
            "extras": {"nested": {"list": [1, 2.5, null, "x"]}, "number": 3},
        });
        let changed = user.main().update_organization().org(id).body(body).send().await.unwrap();
        assert_eq!(changed.status(), 200);
        let read = live.anonymous().main().get_organization().org(id).send().await.unwrap();
        assert_eq!(read.description, "Changée");
        assert_eq!(read.acronym.as_deref(), Some("ORG"));
        assert_eq!(read.business_number_id.as_deref(), Some("13002526500013"));
        assert_eq!(read.banner_color.as_deref(), Some("#000091"));
        assert_eq!(read.extras["nested"], json!({"list": [1, 2.5, null, "x"]}));

        let error = plain.main().delete_organization().org(id).send().await.unwrap_err();
        assert!(error.is_forbidden());
        let deleted = user.main().delete_organization().org(id).send().await.unwrap();
        assert_eq!(deleted.status(), 204);
    });
}

#[test]
fn a_deleted_organization_is_gone_for_strangers_until_it_is_restored() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let id = organization(&user).await.id;
        live.admin().main().delete_organization().org(&id).send_legal_notice(true).send().await.unwrap();

        let error = plain.main().get_organization().org(&id).send().await.unwrap_err();
        assert!(error.is_gone());
        assert_eq!(error.server_message().as_deref(), Some("Organization has been deleted"));
        assert!(user.main().get_organization().org(&id).send().await.unwrap().deleted.is_some());
        assert!(user.main().delete_organization().org(&id).send().await.unwrap_err().is_gone());
        let body = json!({"name": "x", "description": "x"});
        assert!(user.main().update_organization().org(&id).body(body).send().await.unwrap_err().is_gone());

        user.main().update_organization().org(&id).body(json!({"deleted": null})).send().await.unwrap();
        assert!(plain.main().get_organization().org(&id).send().await.unwrap().deleted.is_none());
    });
}

#[test]
fn the_catalogue_of_a_deleted_organization_is_gone() {
    run(|live| async move {
        let user = live.user();
        let id = organization(&user).await.id;
        user.main().delete_organization().org(&id).send().await.unwrap();
        let catalog = user.main().rdf_organization_format().org(&id).path_format("ttl").send().await;
        assert!(catalog.unwrap_err().is_gone());
    });
}

#[test]
fn an_invalid_organization_is_refused_by_field() {
    run(|live| async move {
        let user = live.user();
        let refuse = async |body: serde_json::Value| {
            refused(&user.main().create_organization().body(body).send().await.unwrap_err())
        };
        let named = |field: &str, value: &str| {
            let mut body = json!({"name": unique("Refusée"), "description": "x"});
            body[field] = json!(value);
            body
        };
        assert_eq!(refuse(named("name", "")).await, ["name"]);
        assert_eq!(refuse(named("description", "")).await, ["description"]);
        assert_eq!(refuse(named("url", "not a url")).await, ["url"]);
        assert_eq!(refuse(named("business_number_id", "123")).await, ["business_number_id"]);
        assert_eq!(refuse(named("banner_color", "red")).await, ["banner_color"]);

        let body = json!({"name": "x", "description": "x"});
        let error = live.anonymous().main().create_organization().body(body).send().await.unwrap_err();
        assert!(error.is_unauthorized());
        let error = user.main().get_organization().org(UNKNOWN).send().await.unwrap_err();
        assert!(error.is_not_found());
        let error = user.main().update_organization().org(UNKNOWN).body(json!({"name": "x"})).send().await.unwrap_err();
        assert!(error.is_not_found());
        let id = organization(&user).await.id;
        let body = json!({"name": "x", "description": "x"});
        let error = live.plain().main().update_organization().org(&id).body(body).send().await.unwrap_err();
        assert!(error.is_forbidden());
    });
}

#[test]
fn a_renamed_organization_is_found_by_its_old_slug() {
    run(|live| async move {
        let user = live.user();
        let created = organization(&user).await;
        let name = unique("Renommée");
        let body = json!({"name": name, "description": "x"});
        user.main().update_organization().org(&created.slug).body(body).send().await.unwrap();
        let read = user.main().get_organization().org(&created.slug).send().await.unwrap();
        assert_eq!(read.name, name);
        assert_ne!(read.slug, created.slug);
        // A change through the old slug arrives too, with its body.
        let body = json!({"name": name, "description": "Par son ancien nom"});
        let changed = user.main().update_organization().org(&created.slug).body(body).send().await.unwrap();
        assert_eq!(changed.description, "Par son ancien nom");
    });
}

#[test]
fn presentation_blocs_are_returned_on_request() {
    run(|live| async move {
        let user = live.user();
        let created = organization(&user).await;
        let body = json!({
            "name": created.name,
            "description": created.description,
            "presentation_blocs": [
                {"class": "SectionBloc", "blocs": [
                    {"class": "TitleBloc", "title": "Bienvenue", "subtitle": "chez nous"},
                    {"class": "MarkdownBloc", "content": "du **texte**"},
                ]},
            ],
            "presentation_blocs_published_at": "2024-01-01T00:00:00+00:00",
        });
        let changed = user.main().update_organization().org(&created.id).x_fields("*").body(body).send().await.unwrap();
        assert_eq!(changed.presentation_blocs.len(), 1);
        let published = changed.presentation_blocs_published_at.as_ref().unwrap();
        assert_eq!(published.as_str(), "2024-01-01T00:00:00+00:00");

        let anonymous = live.anonymous();
        let read = anonymous.main().get_organization().org(&created.id).x_fields("*").send().await.unwrap();
        assert_eq!(read.presentation_blocs[0].blocs.len(), 2);
        let read = anonymous.main().get_organization().org(&created.id).send().await.unwrap();
        assert!(read.presentation_blocs.is_empty());
        let read = anonymous.main().get_organization().org(&created.id).x_fields("{name}").send().await.unwrap();
        assert_eq!(read.name, created.name);
        assert!(read.slug.is_empty());
    });
}

#[test]
fn logos_and_banners_are_uploaded_with_and_without_a_box() {
    run(|live| async move {
        let user = live.user();
        let id = organization(&user).await.id;
        let main = user.main();
        let logo = main.organization_logo().org(&id).body(OrganizationLogoForm::new(image())).send().await.unwrap();
        assert!(logo.success);
        let read = main.get_organization().org(&id).send().await.unwrap();
        assert_eq!(read.logo.as_deref(), Some(logo.image.as_str()));
        assert!(read.logo_thumbnail.as_ref().unwrap().ends_with("-100.png"));

        let boxed = OrganizationLogoForm::new(image()).bbox("0,0,4,4");
        let again = main.organization_logo().org(&id).body(boxed).send().await.unwrap();
        assert_ne!(again.image, logo.image);
        let boxed = ResizeOrganizationLogoForm::new(image()).bbox("2,2,6,6");
        assert!(main.resize_organization_logo().org(&id).body(boxed).send().await.unwrap().success);

        let banner = OrganizationBannerUploadForm::new(image()).bbox("0,0,8,4");
        let banner = main.organization_banner_upload().org(&id).body(banner).send().await.unwrap();
        let read = main.get_organization().org(&id).send().await.unwrap();
        assert_eq!(read.banner_image.as_deref(), Some(banner.image.as_str()));
        assert_eq!(read.banner_image_position, 50);
        let plain = OrganizationBannerUploadForm::new(image());
        assert!(main.organization_banner_upload().org(&id).body(plain).send().await.unwrap().success);
        assert_eq!(main.organization_banner_delete().org(&id).send().await.unwrap().status(), 204);
        assert!(main.get_organization().org(&id).send().await.unwrap().banner_image.is_none());
    });
}

#[test]
fn invalid_images_and_crop_boxes_are_refused() {
    run(|live| async move {
        let user = live.user();
        let id = organization(&user).await.id;
        let refuse = async |form: OrganizationLogoForm| {
            let error = user.main().organization_logo().org(&id).body(form).send().await.unwrap_err();
            assert_eq!(error.status().unwrap(), 400);
            error.server_message().unwrap()
        };
        assert_eq!(refuse(OrganizationLogoForm::new(no_image())).await, "Unsupported image format");
        assert_eq!(refuse(OrganizationLogoForm::new(image()).bbox("0,0")).await, "Invalid bounding box");
        let outside = OrganizationLogoForm::new(image()).bbox("0,0,99,99");
        assert_eq!(refuse(outside).await, "Bounding box outside of the image");
        let form = OrganizationBannerUploadForm::new(no_image());
        let error = user.main().organization_banner_upload().org(&id).body(form).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Unsupported image format"));

        let stranger = live.plain();
        let form = OrganizationLogoForm::new(image());
        assert!(stranger.main().organization_logo().org(&id).body(form).send().await.unwrap_err().is_forbidden());
        let error = stranger.main().organization_banner_delete().org(&id).send().await.unwrap_err();
        assert!(error.is_forbidden());
    });
}

#[test]
fn badges_are_added_once_and_removed_by_sysadmins() {
    run(|live| async move {
        let (admin, user) = (live.admin(), live.user());
        let id = organization(&user).await.id;
        let kinds = admin.main().available_organization_badges().send().await.unwrap().into_inner();
        let kinds: Vec<String> =
            serde_json::from_value::<std::collections::BTreeMap<String, String>>(serde_json::to_value(kinds).unwrap())
                .unwrap()
                .into_keys()
                .collect();
        assert_eq!(kinds, ["association", "certified", "company", "local-authority", "public-service"]);
        for kind in &kinds {
            let body = json!({"kind": kind});
            let badge = admin.main().add_organization_badge().org(&id).body(body).send().await.unwrap();
            assert_eq!((badge.status().as_u16(), badge.kind.as_str()), (201, kind.as_str()));
        }
        let again = admin.main().add_organization_badge().org(&id).body(json!({"kind": "company"})).send().await;
        assert_eq!(again.unwrap().status(), 200);
        assert_eq!(user.main().get_organization().org(&id).send().await.unwrap().badges.len(), 5);
        let page = user.main().list_organizations().badge("company").sort("-created").send().await.unwrap();
        assert!(page.data.iter().any(|organization| organization.id == id));

        let remove = || admin.main().delete_organization_badge().org(&id).badge_kind("company").send();
        assert_eq!(remove().await.unwrap().status(), 204);
        let error = remove().await.unwrap_err();
        assert!(error.is_not_found());
        assert!(error.server_message().unwrap().starts_with("Badge does not exists"));
        let body = json!({"kind": "nope"});
        let error = admin.main().add_organization_badge().org(&id).body(body).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Unknown badge type for Organization: nope"));
        let body = json!({"kind": "certified"});
        let error = user.main().add_organization_badge().org(&id).body(body).send().await.unwrap_err();
        assert!(error.is_forbidden());
    });
}

#[test]
fn following_an_organization_counts_once() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let id = organization(&user).await.id;
        let followed = plain.main().follow_organization().id(&id).send().await.unwrap();
        assert_eq!((followed.status().as_u16(), followed.followers), (201, 1));
        let again = plain.main().follow_organization().id(&id).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.followers), (200, 1));
        assert_eq!(user.main().follow_organization().id(&id).send().await.unwrap().followers, 2);

        let follower = me(&plain).await.id;
        let anonymous = live.anonymous();
        let page = anonymous.main().list_organization_followers().id(&id).send().await.unwrap();
        assert_eq!(page.total, 2);
        let page = anonymous.main().list_organization_followers().id(&id).user(&follower).send().await.unwrap();
        assert_eq!(page.data.len(), 1);
        assert_eq!(page.data[0].follower.id, follower);
        let beyond = anonymous.main().list_organization_followers().id(&id).page(9).send().await.unwrap_err();
        assert!(beyond.is_not_found());

        assert_eq!(plain.main().unfollow_organization().id(&id).send().await.unwrap().followers, 1);
        assert!(plain.main().unfollow_organization().id(&id).send().await.unwrap_err().is_not_found());
        assert!(anonymous.main().follow_organization().id(&id).send().await.unwrap_err().is_unauthorized());
    });
}

#[test]
fn organizations_are_listed_searched_and_suggested() {
    run(|live| async move {
        let (user, anonymous) = (live.user(), live.anonymous());
        let created = organization(&user).await;
        let main = anonymous.main();
        let page = main.list_organizations().name(&created.name).send().await.unwrap();
        assert_eq!((page.total, page.data[0].id.as_str()), (1, created.id.as_str()));
        assert!(page.next_page.is_none() && page.previous_page.is_none());
        let page = main.list_organizations().name(&created.name).x_fields("data{id,name}").send().await.unwrap();
        assert_eq!((page.data[0].name.as_str(), page.data[0].slug.as_str()), (created.name.as_str(), ""));
        let page = main.list_organizations().q(&created.name).page_size(50).send().await.unwrap();
        assert!(page.data.iter().any(|organization| organization.id == created.id));
        let page = main.list_organizations().business_number_id("99999999900000").send().await.unwrap();
        assert!(page.data.is_empty());
        let page = main.list_organizations().sort("-created").page(1).page_size(1).send().await.unwrap();
        assert_eq!(page.data.len(), 1);
        assert!(main.list_organizations().page(99_999).send().await.unwrap_err().is_not_found());
        assert_eq!(refused(&main.list_organizations().badge("nope").send().await.unwrap_err()), ["badge"]);
        assert_eq!(refused(&main.list_organizations().sort("nope").send().await.unwrap_err()), ["sort"]);

        let suggested = main.suggest_organizations().q(&created.name).size(3).send().await.unwrap();
        assert_eq!(suggested.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [created.id.as_str()]);
        let roles = main.org_roles().send().await.unwrap();
        let roles: Vec<&str> = roles.iter().map(|role| role.id.as_str()).collect();
        assert_eq!(roles, ["admin", "editor", "partial_editor"]);
    });
}

#[test]
fn what_an_organization_publishes_is_listed_and_counted() {
    run(|live| async move {
        let (admin, user, anonymous) = (live.admin(), live.user(), live.anonymous());
        let organization = organization(&user).await;
        let id = organization.id.as_str();
        let dataset = dataset_with(&user, json!({"organization": reference("Organization", id)})).await;
        dataset_with(&user, json!({"organization": reference("Organization", id), "private": true})).await;
        let reuse = reuse(&user, &dataset.id).await;
        let body = json!({"title": reuse.title, "organization": id});
        admin.main().update_reuse().reuse(&reuse.id).body(body).send().await.unwrap();
        let service = dataservice(&user).await;
        let body = json!({"title": service.title, "organization": id, "datasets": [dataset.id]});
        admin.main().update_dataservice().dataservice(&service.id).body(body).send().await.unwrap();
        let body = json!({
            "title": "Une question", "comment": "Laquelle ?", "subject": {"class": "Dataset", "id": dataset.id},
        });
        let discussion = live.plain().main().create_discussion().body(body).send().await.unwrap();

        let main = anonymous.main();
        let page = main.list_organization_datasets().org(id).send().await.unwrap();
        assert_eq!(page.total, 1);
        let page = user.main().list_organization_datasets().org(id).page_size(1).sort("title").send().await.unwrap();
        assert_eq!((page.total, page.data.len()), (2, 1));
        assert!(page.next_page.is_some());
        let discussions = main.list_organization_discussions().org(id).send().await.unwrap();
        assert_eq!(discussions[0].id, discussion.id);
        let reuses = main.list_organization_reuses().org(id).send().await.unwrap();
        assert_eq!(reuses.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [reuse.id.as_str()]);

        let counts = json!(main.get_organization().org(id).send().await.unwrap().metrics);
        let of = |name: &str| counts[name].clone();
        assert_eq!((of("datasets"), of("reuses"), of("dataservices")), (json!(1), json!(1), json!(1)), "{counts}");
        assert_eq!((of("members"), of("followers")), (json!(1), json!(0)));
        let uses = json!(main.get_dataset().dataset(&dataset.id).send().await.unwrap().metrics);
        assert_eq!((&uses["reuses"], &uses["dataservices"]), (&json!(1), &json!(1)), "{uses}");
        assert_eq!(uses["discussions_open"], json!(1));
        // What is deleted counts no more.
        admin.main().delete_reuse().reuse(&reuse.id).send().await.unwrap();
        let counts = json!(main.get_organization().org(id).send().await.unwrap().metrics);
        assert_eq!(counts["reuses"], json!(0));
    });
}

#[test]
fn what_an_organization_publishes_comes_as_csv_and_rdf() {
    run(|live| async move {
        let (admin, user, anonymous) = (live.admin(), live.user(), live.anonymous());
        let organization = organization(&user).await;
        let id = organization.id.as_str();
        let dataset =
            dataset_with(&user, json!({"organization": reference("Organization", id), "license": "lov2"})).await;
        resource(&user, &dataset.id).await;
        dataset_with(&user, json!({"organization": reference("Organization", id), "private": true})).await;
        let service = dataservice(&user).await;
        let body = json!({"title": service.title, "organization": id, "datasets": [dataset.id]});
        admin.main().update_dataservice().dataservice(&service.id).body(body).send().await.unwrap();
        let body = json!({
            "title": "Une question", "comment": "Laquelle ?", "subject": {"class": "Dataset", "id": dataset.id},
        });
        live.plain().main().create_discussion().body(body).send().await.unwrap();

        let main = anonymous.main();
        let csv = main.get_datasets_csv().org(id).send().await.unwrap();
        assert!(csv.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
        let csv = csv.into_inner().text().await.unwrap();
        assert!(csv.starts_with("\"id\";\"title\"") && csv.contains(&dataset.id));
        assert_eq!(csv.trim().lines().count(), 2);
        let csv = main.get_datasets_resources_csv().org(id).send().await.unwrap().into_inner().text().await.unwrap();
        assert!(csv.contains("https://example.org/donnees.csv"));
        let csv = main.get_dataservices_csv().org(id).send().await.unwrap().into_inner().text().await.unwrap();
        assert!(csv.contains(&service.title));
        let csv = main.get_discussions_csv().org(id).send().await.unwrap().into_inner().text().await.unwrap();
        assert!(csv.contains("Une question"));

        for (format, sign) in [("jsonld", "@context"), ("ttl", "@prefix"), ("xml", "<rdf:RDF")] {
            let catalog = main.rdf_organization_format().org(id).path_format(format).send().await.unwrap();
            let catalog = catalog.into_inner().text().await.unwrap();
            assert!(catalog.contains(sign) && catalog.contains(&dataset.title), "{format}: {catalog}");
        }
        // Redirects to the catalogue in the format that the client prefers.
        let catalog = main.rdf_organization().org(id).page_size(1).send().await.unwrap().into_inner().text().await;
        assert!(catalog.unwrap().contains(&dataset.title));
        assert!(main.rdf_organization_format().org(id).path_format("nope").send().await.unwrap_err().is_not_found());
        assert!(main.get_datasets_csv().org(UNKNOWN).send().await.unwrap_err().is_not_found());
    });
}
