//! Users, as a sysadmin manages them, and contact points.

use datagouv::main::types::{ContactPointInput, UserAvatarForm, UserInput};
use datagouv::{Client, Error};
use serde_json::{Value, json};

use crate::community::{image, no_image, refused};
use crate::run;
use crate::support::{dataset, me, organization, unique};

const UNKNOWN: &str = "000000000000000000000000";

fn address() -> String {
    format!("{}@example.org", unique("personne").replace(' ', "-"))
}

/// A user of their own, who cannot log in.
async fn user(admin: &Client) -> datagouv::main::types::User {
    let body = UserInput::new(address(), "Nina", unique("Nouvelle"));
    admin.main().create_user().body(body).send().await.unwrap().into_inner()
}

#[test]
fn sysadmins_create_change_and_delete_users() {
    run(|live| async move {
        let (admin, anonymous) = (live.admin(), live.anonymous());
        let (email, name) = (address(), unique("Nouveau"));
        let body = UserInput::new(email.as_str(), "Noé", name.as_str()).mail_cadence("weekly").about("Bonjour *moi*");
        let created = admin.main().create_user().body(body).send().await.unwrap();
        assert_eq!(created.status(), 201);
        assert_eq!(created.email.as_deref(), Some(email.as_str()));
        assert_eq!(created.mail_cadence.as_ref().unwrap().as_str(), "weekly");
        let id = created.id.as_str();

        let body = json!({"website": "https://example.org/", "active": true, "roles": ["admin"]});
        let changed = admin.main().update_user().user(id).body(body).send().await.unwrap();
        assert_eq!(changed.roles, ["admin"]);
        let read = anonymous.main().get_user().user(&created.slug).send().await.unwrap();
        assert_eq!((read.id.as_str(), read.last_name.as_str()), (id, name.as_str()));
        assert_eq!(read.website.as_deref(), Some("https://example.org/"));
        // Private properties are visible to the user and to sysadmins.
        assert!(read.email.is_none() && read.mail_cadence.is_none() && read.notifications_paused.is_none());

        admin.main().update_user().user(id).body(json!({"active": false})).send().await.unwrap();
        let error = anonymous.main().get_user().user(id).send().await.unwrap_err();
        assert!(error.is_gone());
        assert_eq!(error.server_message().as_deref(), Some("User is not active"));
        assert_eq!(admin.main().get_user().user(id).send().await.unwrap().active, Some(false));

        let delete =
            || admin.main().delete_user().user(id).no_mail(true).delete_comments(true).send_legal_notice(true).send();
        assert_eq!(delete().await.unwrap().status(), 204);
        assert!(delete().await.unwrap_err().is_gone());
        let read = admin.main().get_user().user(id).send().await.unwrap();
        assert_eq!((read.first_name.as_str(), read.email.as_deref()), ("DELETED", Some(&*format!("{id}@deleted"))));
        assert!(read.deleted.is_some());
    });
}

#[test]
fn an_invalid_user_is_refused_by_field() {
    run(|live| async move {
        let admin = live.admin();
        let refuse = async |body: UserInput| refused(&admin.main().create_user().body(body).send().await.unwrap_err());
        assert_eq!(refuse(UserInput::new("nope", "A", "B")).await, ["email"]);
        assert_eq!(refuse(UserInput::new("", "A", "B")).await, ["email"]);
        assert_eq!(refuse(UserInput::new(address(), "A", "B").website("nope")).await, ["website"]);
        assert_eq!(refuse(UserInput::new(address(), "A", "B").mail_cadence("nope")).await, ["mail_cadence"]);
        let id = user(&admin).await.id;
        let error = admin.main().update_user().user(&id).body(json!({"roles": ["nope"]})).send().await.unwrap_err();
        assert_eq!(refused(&error), ["roles"]);
    });
}

#[test]
fn users_are_administered_by_sysadmins_only() {
    run(|live| async move {
        let (admin, plain, anonymous) = (live.admin(), live.plain(), live.anonymous());
        let id = user(&admin).await.id;
        let main = plain.main();
        let errors: [Error; 5] = [
            main.list_users().send().await.unwrap_err(),
            main.create_user().body(UserInput::new(address(), "A", "B")).send().await.unwrap_err(),
            main.update_user().user(&id).body(json!({"about": "x"})).send().await.unwrap_err(),
            main.delete_user().user(&id).send().await.unwrap_err(),
            main.rotate_user_password().user(&id).send().await.unwrap_err(),
        ];
        assert!(errors.iter().all(Error::is_forbidden), "{errors:?}");
        assert!(anonymous.main().list_users().send().await.unwrap_err().is_unauthorized());
        assert!(anonymous.main().delete_user().user(&id).send().await.unwrap_err().is_unauthorized());
        let own = me(&admin).await.id;
        let error = admin.main().delete_user().user(&own).send().await.unwrap_err();
        assert!(error.is_forbidden());
        assert!(error.server_message().unwrap().starts_with("You cannot delete yourself"));
        for error in [
            admin.main().get_user().user(UNKNOWN).send().await.unwrap_err(),
            admin.main().delete_user().user("nobody-at-all").send().await.unwrap_err(),
        ] {
            assert!(error.is_not_found(), "{error}");
        }
    });
}

#[test]
fn a_password_is_rotated_by_a_sysadmin() {
    run(|live| async move {
        let admin = live.admin();
        let id = user(&admin).await.id;
        assert_eq!(admin.main().rotate_user_password().user(&id).send().await.unwrap().status(), 204);
        assert!(admin.main().get_user().user(&id).send().await.unwrap().password_rotation_demanded.is_some());
        assert!(admin.main().rotate_user_password().user(UNKNOWN).send().await.unwrap_err().is_not_found());
    });
}

#[test]
fn an_avatar_is_set_by_a_sysadmin() {
    run(|live| async move {
        let admin = live.admin();
        let id = user(&admin).await.id;
        let form = UserAvatarForm::new(image()).bbox("0,0,4,4");
        let avatar = admin.main().user_avatar().user(&id).body(form).send().await.unwrap();
        let read = admin.main().get_user().user(&id).send().await.unwrap();
        assert_eq!(read.avatar.as_deref(), Some(avatar.image.as_str()));
        assert!(read.avatar_thumbnail.is_some());
        let form = UserAvatarForm::new(image());
        assert!(admin.main().user_avatar().user(&id).body(form).send().await.unwrap().success);
        let form = UserAvatarForm::new(no_image());
        let error = admin.main().user_avatar().user(&id).body(form).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Unsupported image format"));
        let form = UserAvatarForm::new(image());
        assert!(live.plain().main().user_avatar().user(&id).body(form).send().await.unwrap_err().is_forbidden());
    });
}

#[test]
fn users_are_listed_searched_and_suggested() {
    run(|live| async move {
        let (admin, plain) = (live.admin(), live.plain());
        let created = user(&admin).await;
        let page = admin.main().list_users().sort("-created").page_size(100).send().await.unwrap();
        assert!(page.data.iter().any(|user| user.id == created.id));
        assert!(page.total >= 4);
        let known = me(&live.user()).await;
        let page = admin.main().list_users().q(&known.first_name).send().await.unwrap();
        assert!(page.data.iter().any(|user| user.id == known.id));
        assert!(admin.main().list_users().page(99_999).send().await.unwrap_err().is_not_found());

        let suggested = plain.main().suggest_users().q(&known.last_name).size(5).send().await.unwrap();
        let found = suggested.iter().find(|user| user.id == known.id).unwrap();
        assert_eq!(found.email, "***@example.org");
        let error = plain.main().suggest_users().q("dupont").size(50).send().await.unwrap_err();
        assert_eq!(refused(&error), ["size"]);
        let roles = plain.main().user_roles().send().await.unwrap();
        assert!(roles.iter().any(|role| role.name == "admin"));
    });
}

#[test]
fn following_a_user_counts_once_and_following_oneself_is_refused() {
    run(|live| async move {
        let (plain, anonymous) = (live.plain(), live.anonymous());
        let id = user(&live.admin()).await.id;
        let own = me(&plain).await.id;
        let followed = plain.main().follow_user().id(&id).send().await.unwrap();
        assert_eq!((followed.status().as_u16(), followed.followers), (201, 1));
        let again = plain.main().follow_user().id(&id).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.followers), (200, 1));
        let page = anonymous.main().list_user_followers().id(&id).user(&own).send().await.unwrap();
        assert_eq!(page.data[0].follower.last_name, me(&plain).await.last_name);
        assert_eq!(plain.main().unfollow_user().id(&id).send().await.unwrap().followers, 0);
        assert!(plain.main().unfollow_user().id(&id).send().await.unwrap_err().is_not_found());
        let error = plain.main().follow_user().id(&own).send().await.unwrap_err();
        assert!(error.is_forbidden());
        assert_eq!(error.server_message().as_deref(), Some("You can't follow yourself"));
        assert!(anonymous.main().follow_user().id(&id).send().await.unwrap_err().is_unauthorized());
    });
}

#[test]
fn contact_points_of_every_role_belong_to_a_user_or_an_organization() {
    run(|live| async move {
        let (user, anonymous) = (live.user(), live.anonymous());
        let id = organization(&user).await.id;
        let roles = anonymous.main().contact_point_roles().send().await.unwrap().into_inner();
        assert_eq!(roles.len(), 11);
        for role in &roles {
            let body = ContactPointInput::new(role.id.as_str()).name(role.label.as_str()).email("a@example.org");
            let created = user.main().create_contact_point().body(body.organization(id.as_str())).send().await.unwrap();
            assert_eq!((created.status().as_u16(), created.role.as_str()), (201, role.id.as_str()));
            assert_eq!(created.organization.as_ref().unwrap().id, id);
            assert!(created.owner.is_none());
        }
        let page = anonymous.main().get_organization_contact_point().org(&id).page_size(5).send().await.unwrap();
        assert_eq!((page.total, page.data.len()), (11, 5));
        assert!(page.next_page.is_some());
        let found = anonymous.main().suggest_org_contact_points().org(&id).q("Producteur").send().await.unwrap();
        assert_eq!(found.iter().map(|one| one.role.as_str()).collect::<Vec<_>>(), ["originator"]);

        let form = format!("https://example.org/{}", unique("formulaire").replace(' ', "-"));
        let body = ContactPointInput::new("publisher").contact_form(form.as_str());
        let own = user.main().create_contact_point().body(body).send().await.unwrap();
        assert_eq!(own.owner.as_ref().unwrap().id, me(&user).await.id);
        assert!(own.name.is_none() && own.email.is_none());
        let page = anonymous.main().get_user_contact_point().user(me(&user).await.id).page_size(1000).send().await;
        assert!(page.unwrap().data.iter().any(|contact| contact.id == own.id));

        // A dataset names its contact points.
        let dataset = dataset(&user).await;
        let body = json!({"title": dataset.title, "description": "x", "contact_points": [{"id": own.id}]});
        let changed = user.main().update_dataset().dataset(&dataset.id).body(body).send().await.unwrap();
        assert_eq!(changed.contact_points[0].contact_form.as_deref(), Some(form.as_str()));
    });
}

#[test]
fn the_same_contact_point_is_not_created_twice() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let create = async |name: &str| {
            let body = json!({"role": "contact", "name": name, "email": "c@example.org", "contact_form": null});
            user.main().create_contact_point().body(body).send().await.unwrap()
        };
        let (name, other) = (unique("Contact"), unique("Contact"));
        let first = create(&name).await;
        let again = create(&name).await;
        assert_eq!((first.status().as_u16(), again.status().as_u16()), (201, 200));
        assert_eq!(first.id, again.id);

        let second = create(&other).await.into_inner().id;
        let change = async |client: &Client, body: Value| {
            client.main().update_contact_point().contact_point(&second).body(body).send().await
        };
        assert_eq!(refused(&change(&user, json!({"role": "contact", "name": name})).await.unwrap_err()), ["name"]);
        let body = json!({"role": "contact", "name": other, "email": "d@example.org"});
        assert!(change(&plain, body.clone()).await.unwrap_err().is_forbidden());
        change(&user, body).await.unwrap();
        let read = live.anonymous().main().get_contact_point().contact_point(&second).send().await.unwrap();
        assert_eq!(read.email.as_deref(), Some("d@example.org"));

        let delete = async |client: &Client| client.main().delete_contact_point().contact_point(&second).send().await;
        assert!(delete(&plain).await.unwrap_err().is_forbidden());
        assert_eq!(delete(&user).await.unwrap().status(), 204);
        assert!(delete(&user).await.unwrap_err().is_not_found());
        let read = user.main().get_contact_point().contact_point(&second).send().await;
        assert!(read.unwrap_err().is_not_found());
    });
}

#[test]
fn invalid_contact_points_are_refused() {
    run(|live| async move {
        let user = live.user();
        let refuse =
            async |body: ContactPointInput| user.main().create_contact_point().body(body).send().await.unwrap_err();
        let nobody = refuse(ContactPointInput::new("contact")).await;
        assert_eq!(nobody.status().unwrap(), 400);
        assert!(nobody.server_message().unwrap().starts_with("A contact point requires"));
        let unreachable = refuse(ContactPointInput::new("contact").name("x")).await;
        assert!(refused(&unreachable).is_empty());
        assert_eq!(refused(&refuse(ContactPointInput::new("nope").name("x")).await), ["role"]);
        assert_eq!(refused(&refuse(ContactPointInput::new("user").email("nope")).await), ["email"]);
        assert_eq!(refused(&refuse(ContactPointInput::new("user").name("http://example.org")).await), ["name"]);
        let foreign = organization(&live.plain()).await.id;
        let body = ContactPointInput::new("user").name("x").organization(foreign);
        assert_eq!(refused(&refuse(body).await), ["organization"]);
        let body = ContactPointInput::new("user").name("x");
        let error = live.anonymous().main().create_contact_point().body(body).send().await.unwrap_err();
        assert!(error.is_unauthorized());
    });
}
