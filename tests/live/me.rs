//! The user of a key: profile, avatar, keys, objects, deletion.

use datagouv::main::types::{ApiTokenInput, MyAvatarForm};
use serde_json::json;

use crate::community::{image, leaving, no_image, reference, refused, with_key};
use crate::run;
use crate::support::{community_resource, dataset, dataset_with, me, organization, reuse, unique};

#[test]
fn a_profile_is_changed() {
    run(|live| async move {
        let plain = live.plain();
        let before = me(&plain).await;
        assert!(before.email.as_ref().unwrap().ends_with("@example.org"));
        let about = unique("Bonjour");
        let body = json!({"about": about, "website": "https://example.org/carol", "mail_cadence": "daily"});
        let changed = plain.main().update_me().body(body).send().await.unwrap();
        assert_eq!(changed.first_name, before.first_name);
        let after = me(&plain).await;
        assert_eq!(
            (after.about.as_deref(), after.website.as_deref()),
            (Some(&*about), Some("https://example.org/carol"))
        );
        assert_eq!(after.mail_cadence.unwrap().as_str(), "daily");
        // Users cannot change their own roles.
        plain.main().update_me().body(json!({"roles": ["admin"], "website": null})).send().await.unwrap();
        let after = me(&plain).await;
        assert!(after.roles.is_empty() && after.website.is_none());
    });
}

#[test]
fn an_avatar_is_set_and_set_again() {
    run(|live| async move {
        let plain = live.plain();
        let avatar = plain.main().my_avatar().body(MyAvatarForm::new(image())).send().await.unwrap();
        assert!(avatar.success);
        assert_eq!(me(&plain).await.avatar.as_deref(), Some(avatar.image.as_str()));
        let boxed = MyAvatarForm::new(image()).bbox("1,1,7,7");
        let boxed = plain.main().my_avatar().body(boxed).send().await.unwrap();
        assert_ne!(boxed.image, avatar.image);
        let error = plain.main().my_avatar().body(MyAvatarForm::new(no_image())).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Unsupported image format"));
    });
}

#[test]
fn an_invalid_profile_is_refused_by_field() {
    run(|live| async move {
        let plain = live.plain();
        let refuse =
            async |body: serde_json::Value| refused(&plain.main().update_me().body(body).send().await.unwrap_err());
        assert_eq!(refuse(json!({"email": "nope"})).await, ["email"]);
        assert_eq!(refuse(json!({"website": "nope"})).await, ["website"]);
        assert_eq!(refuse(json!({"mail_cadence": "nope"})).await, ["mail_cadence"]);
        let anonymous = live.anonymous();
        assert!(anonymous.main().get_me().send().await.unwrap_err().is_unauthorized());
        assert!(anonymous.main().update_me().body(json!({"about": "x"})).send().await.unwrap_err().is_unauthorized());
        let form = MyAvatarForm::new(image());
        assert!(anonymous.main().my_avatar().body(form).send().await.unwrap_err().is_unauthorized());
        assert!(anonymous.main().delete_me().send().await.unwrap_err().is_unauthorized());
    });
}

#[test]
fn a_key_is_created_used_and_revoked() {
    run(|live| async move {
        let plain = live.plain();
        let name = unique("clé");
        let body = ApiTokenInput::new().name(name.as_str()).expires_at("2099-01-01T00:00:00+00:00").scopes(["admin"]);
        let made = plain.main().create_api_token().body(body).send().await.unwrap();
        assert_eq!(made.status(), 201);
        assert!(made.token.starts_with(&made.token_prefix));
        assert_eq!(made.kind.as_str(), "api_key");

        let other = with_key(live, &made.token);
        assert_eq!(me(&other).await.id, me(&plain).await.id);
        let list = plain.main().list_api_tokens().send().await.unwrap();
        let listed = list.iter().find(|token| token.id == made.id).unwrap();
        assert_eq!(listed.name.as_deref(), Some(name.as_str()));
        assert!(listed.last_used_at.is_some() && listed.expires_at.is_some());
        assert!(!listed.user_agents.is_empty());

        // Another user cannot revoke the key.
        let error = live.user().main().revoke_api_token().api_token(&made.id).send().await.unwrap_err();
        assert!(error.is_not_found());
        let revoke = || plain.main().revoke_api_token().api_token(&made.id).send();
        assert_eq!(revoke().await.unwrap().status(), 204);
        let error = revoke().await.unwrap_err();
        assert!(error.is_gone());
        assert_eq!(error.server_message().as_deref(), Some("Token already revoked"));
        let error = other.main().get_me().send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Revoked API token"));
        let list = plain.main().list_api_tokens().send().await.unwrap();
        assert!(list.iter().all(|token| token.id != made.id));
    });
}

#[test]
fn a_key_needs_no_properties_and_an_invalid_one_is_refused() {
    run(|live| async move {
        let plain = live.plain();
        let made = plain.main().create_api_token().body(ApiTokenInput::new()).send().await.unwrap();
        assert!(made.name.is_none() && made.expires_at.is_none());
        assert_eq!(made.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(), ["admin"]);
        plain.main().revoke_api_token().api_token(&made.id).send().await.unwrap();

        let body = ApiTokenInput::new().expires_at("2001-01-01T00:00:00+00:00");
        let error = plain.main().create_api_token().body(body).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("expires_at must be in the future"));
        let body = ApiTokenInput::new().scopes(["nope"]);
        let error = plain.main().create_api_token().body(body).send().await.unwrap_err();
        assert_eq!(refused(&error), ["scopes.0"]);
        let unknown = plain.main().revoke_api_token().api_token("000000000000000000000000").send().await;
        assert!(unknown.unwrap_err().is_not_found());
        let anonymous = live.anonymous();
        assert!(anonymous.main().list_api_tokens().send().await.unwrap_err().is_unauthorized());
        let error = anonymous.main().create_api_token().body(ApiTokenInput::new()).send().await.unwrap_err();
        assert!(error.is_unauthorized());
    });
}

#[test]
fn objects_of_the_user_and_their_organizations_are_listed() {
    run(|live| async move {
        let user = live.user();
        let organization = organization(&user).await.id;
        let title = unique("Le mien");
        let mine = dataset_with(&user, json!({"title": title, "private": true})).await;
        let ours = dataset_with(
            &user,
            json!({"title": format!("{title} bis"), "organization": reference("Organization", &organization)}),
        )
        .await;
        let reuse = reuse(&user, &mine.id).await;
        let body = json!({
            "title": title, "comment": "Bonjour ?", "subject": {"class": "Dataset", "id": ours.id},
        });
        let discussion = live.plain().main().create_discussion().body(body).send().await.unwrap();

        let main = user.main();
        let datasets = main.my_datasets().send().await.unwrap();
        assert!(datasets.iter().any(|dataset| dataset.id == mine.id && dataset.private));
        assert!(datasets.iter().all(|dataset| dataset.id != ours.id));
        let datasets = main.my_org_datasets().q(&title).send().await.unwrap();
        assert_eq!(datasets.len(), 2);
        assert!(main.my_reuses().send().await.unwrap().iter().any(|one| one.id == reuse.id));
        let reuses = main.my_org_reuses().q(&reuse.title).send().await.unwrap();
        assert_eq!(reuses.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [reuse.id.as_str()]);
        let discussions = main.my_org_discussions().q(&title).send().await.unwrap();
        assert_eq!(discussions.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [discussion.id.as_str()]);
        assert!(main.my_org_datasets().q("nothing is called so").send().await.unwrap().is_empty());

        let metrics = main.my_metrics().send().await.unwrap();
        assert_eq!(metrics.id, me(&user).await.id);
        assert!((0.0..=100.0).contains(&metrics.resources_availability));

        let anonymous = live.anonymous();
        let main = anonymous.main();
        for error in [
            main.my_datasets().send().await.unwrap_err(),
            main.my_reuses().send().await.unwrap_err(),
            main.my_org_datasets().send().await.unwrap_err(),
            main.my_org_reuses().send().await.unwrap_err(),
            main.my_org_discussions().send().await.unwrap_err(),
            main.my_metrics().send().await.unwrap_err(),
        ] {
            assert!(error.is_unauthorized(), "{error}");
        }
    });
}

#[test]
fn resources_of_the_community_that_are_mine_are_listed() {
    run(|live| async move {
        let user = live.user();
        let community = community_resource(&user, &dataset(&user).await.id).await;
        let resources = user.main().my_org_community_resources().q(&community.title).send().await.unwrap();
        assert_eq!(resources.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [community.id.as_str()]);
        let error = live.anonymous().main().my_org_community_resources().send().await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
    });
}

#[test]
fn a_deleted_user_has_no_valid_keys() {
    run(|live| async move {
        let (leaving, admin) = (leaving(live), live.admin());
        // The server accepts this once: later runs see only its effect.
        if let Ok(user) = leaving.main().get_me().send().await {
            let left = dataset(&leaving).await;
            assert_eq!(leaving.main().delete_me().send().await.unwrap().status(), 204);
            let read = admin.main().get_user().user(&user.id).send().await.unwrap();
            assert_eq!((read.first_name.as_str(), read.active), ("DELETED", Some(false)));
            assert!(read.deleted.is_some());
            assert!(live.plain().main().get_user().user(&user.id).send().await.unwrap_err().is_gone());
            let dataset = admin.main().get_dataset().dataset(&left.id).send().await.unwrap();
            assert!(dataset.owner.as_ref().unwrap().deleted.is_some());
        }
        let error = leaving.main().get_me().send().await.unwrap_err();
        assert!(error.is_unauthorized());
        assert_eq!(error.server_message().as_deref(), Some("Revoked API token"));
    });
}
