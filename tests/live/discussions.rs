//! Discussions of every kind of subject, and reports about them.

use datagouv::main::types::{DiscussionStart, ModelReferenceInput};
use datagouv::{Client, Response};
use serde_json::{Value, json};

use crate::Live;
use crate::community::{join, reference, refused};
use crate::run;
use crate::support::{dataservice, dataset, dataset_with, me, organization, reuse, unique};

type Discussion = datagouv::main::types::Discussion;

const UNKNOWN: &str = "000000000000000000000000";

async fn start(client: &Client, class: &str, id: &str) -> Response<Discussion> {
    let subject = ModelReferenceInput::new(class, id);
    let body = DiscussionStart::new(unique("Question"), "Bonjour ?", subject);
    client.main().create_discussion().body(body).send().await.unwrap()
}

async fn comment(client: &Client, id: &str, body: Value) -> datagouv::Result<Response<Discussion>> {
    client.main().comment_discussion().id(id).body(body).send().await
}

/// One of everything that can be discussed, but for articles.
async fn subjects(live: &Live) -> Vec<(&'static str, String)> {
    let user = live.user();
    let dataset = dataset(&user).await.id;
    let topic = json!({"name": unique("Thème"), "description": "Un thème", "tags": ["alpha"]});
    let topic = user.main_v2().create_topic().body(topic).send().await.unwrap();
    vec![
        ("Reuse", reuse(&user, &dataset).await.id),
        ("Dataset", dataset),
        ("Dataservice", dataservice(&user).await.id),
        ("Topic", topic.id.clone()),
    ]
}

#[test]
fn discussions_are_started_on_every_kind_of_subject() {
    run(|live| async move {
        let (plain, anonymous) = (live.plain(), live.anonymous());
        for (class, id) in subjects(live).await {
            discuss(&plain, &anonymous, class, &id).await;
        }
    });
}

#[test]
fn an_article_is_discussed() {
    run(|live| async move {
        let admin = live.admin();
        let post = json!({"name": unique("Article"), "content": "Un article"});
        let post = admin.main().create_post().body(post).send().await.unwrap();
        admin.main().publish_post().post(&post.id).send().await.unwrap();
        discuss(&live.plain(), &live.anonymous(), "Post", &post.id).await;
    });
}

async fn discuss(plain: &Client, anonymous: &Client, class: &str, id: &str) {
    let started = start(plain, class, id).await;
    assert_eq!(started.status(), 201);
    let read = anonymous.main().get_discussion().id(&started.id).send().await.unwrap();
    assert_eq!((read.subject.class.as_str(), read.subject.id.as_str()), (class, id));
    assert_eq!(read.discussion[0].content, "Bonjour ?");
    assert!(read.closed.is_none() && !read.permissions.edit && started.permissions.edit);
    let page = anonymous.main().list_discussions().for_(vec![id.to_owned()]).send().await.unwrap();
    assert_eq!((page.total, page.data[0].id.as_str()), (1, started.id.as_str()), "{class}");
}

#[test]
fn a_discussion_takes_comments_until_it_is_closed() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let subject = dataset(&user).await.id;
        let body = json!({
            "title": unique("Question"),
            "comment": "Où sont les données ?",
            "subject": reference("Dataset", &subject),
            "extras": {"source": "test", "nested": {"list": [1]}},
        });
        let started = plain.main().create_discussion().body(body).send().await.unwrap();
        assert_eq!(started.extras["nested"], json!({"list": [1]}));
        let id = started.id.as_str();
        let commented = comment(&user, id, json!({"comment": "Ici."})).await.unwrap();
        assert_eq!((commented.status().as_u16(), commented.discussion.len()), (200, 2));
        assert_eq!(commented.discussion[1].posted_by.id, me(&user).await.id);
        assert!(commented.discussion[1].permissions.edit && !commented.discussion[0].permissions.edit);

        let closed = comment(&user, id, json!({"comment": "Voilà.", "close": true})).await.unwrap();
        assert_eq!(closed.closed_by.as_ref().unwrap().id, me(&user).await.id);
        assert!(closed.closed.is_some());
        let error = comment(&plain, id, json!({"comment": "Encore"})).await.unwrap_err();
        assert!(error.is_forbidden());
        assert_eq!(error.server_message().as_deref(), Some("Can't add comments on a closed discussion"));

        // Closed without a comment.
        let other = start(&plain, "Dataset", &subject).await.into_inner().id;
        let closed = comment(&plain, &other, json!({"close": true})).await.unwrap();
        assert_eq!(closed.discussion.len(), 1);
        assert!(closed.closed.is_some());
        let page = plain.main().list_discussions().for_(vec![subject.clone()]).closed(true).send().await.unwrap();
        assert_eq!(page.total, 2);
        let page = plain.main().list_discussions().for_(vec![subject.clone()]).closed(false).send().await.unwrap();
        assert!(page.data.is_empty());
    });
}

#[test]
fn titles_and_comments_are_edited_and_deleted_with_permission() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let subject = dataset(&user).await.id;
        let id = start(&plain, "Dataset", &subject).await.into_inner().id;
        let commented = comment(&user, &id, json!({"comment": "Réponse"})).await.unwrap();
        let message = commented.discussion[1].id.clone();
        comment(&plain, &id, json!({"comment": "Merci"})).await.unwrap();

        let title = unique("Mieux dit");
        let renamed = plain.main().update_discussion().id(&id).body(json!({"title": title})).send().await.unwrap();
        assert_eq!(renamed.title, title);
        let edit = async |client: &Client, index: &str| {
            let body = json!({"comment": "Réponse corrigée"});
            client.main().edit_discussion_comment().id(&id).cidx(index).body(body).send().await
        };
        let edited = edit(&user, "1").await.unwrap();
        assert_eq!(edited.discussion[1].content, "Réponse corrigée");
        assert!(edited.discussion[1].last_modified_at.is_some());
        // A comment is identified by its position or its id.
        edit(&user, &message).await.unwrap();
        assert!(edit(&plain, "1").await.unwrap_err().is_forbidden());
        let error = edit(&user, "9").await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Comment does not exist"));

        let remove = async |client: &Client, index: &str| {
            client.main().delete_discussion_comment().id(&id).cidx(index).send().await
        };
        assert!(remove(&plain, "1").await.unwrap_err().is_forbidden());
        assert_eq!(remove(&plain, "2").await.unwrap().status(), 204);
        assert_eq!(remove(&user, &message).await.unwrap().status(), 204);
        let error = remove(&live.admin(), "0").await.unwrap_err();
        assert_eq!(error.status().unwrap(), 400);
        assert_eq!(plain.main().get_discussion().id(&id).send().await.unwrap().discussion.len(), 1);
    });
}

#[test]
fn deleting_a_discussion_twice_is_not_found() {
    run(|live| async move {
        let (user, plain, admin) = (live.user(), live.plain(), live.admin());
        let subject = dataset(&user).await.id;
        let own = start(&plain, "Dataset", &subject).await.into_inner().id;
        let body = json!({"title": "x"});
        let error = user.main().update_discussion().id(&own).body(body).send().await.unwrap_err();
        assert!(error.is_forbidden());
        assert!(user.main().delete_discussion().id(&own).send().await.unwrap_err().is_forbidden());
        assert_eq!(plain.main().delete_discussion().id(&own).send().await.unwrap().status(), 204);
        assert!(plain.main().delete_discussion().id(&own).send().await.unwrap_err().is_not_found());
        assert!(plain.main().get_discussion().id(&own).send().await.unwrap_err().is_not_found());

        let other = start(&plain, "Dataset", &subject).await.into_inner().id;
        comment(&plain, &other, json!({"comment": "Bis"})).await.unwrap();
        let comment = admin.main().delete_discussion_comment().id(&other).cidx("1").send_legal_notice(true);
        assert_eq!(comment.send().await.unwrap().status(), 204);
        let whole = admin.main().delete_discussion().id(&other).send_legal_notice(true).send().await.unwrap();
        assert_eq!(whole.status(), 204);
    });
}

#[test]
fn members_comment_for_their_organization() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let created = organization(&user).await;
        let id = created.id.as_str();
        join(id, &user, &plain, "editor").await;
        let voice = reference("Organization", id);
        let subject = dataset_with(&user, json!({"organization": voice})).await.id;
        let body = json!({
            "title": unique("Annonce"),
            "comment": "Nous annonçons",
            "subject": reference("Dataset", &subject),
            "organization": voice,
        });
        let started = user.main().create_discussion().body(body).send().await.unwrap();
        assert_eq!(started.organization.as_ref().unwrap().name, created.name);
        let author = started.discussion[0].posted_by_organization.as_ref().unwrap();
        assert_eq!(author.id, id);
        // Another member of the organization may close it, in its name.
        let body = json!({"comment": "Nous fermons", "close": true, "organization": voice});
        let closed = comment(&plain, &started.id, body).await.unwrap();
        assert_eq!(closed.closed_by_organization.as_ref().unwrap().id, id);
        assert_eq!(closed.closed_by.as_ref().unwrap().id, me(&plain).await.id);

        let foreign = organization(&user).await.id;
        let other = start(&plain, "Dataset", &subject).await.into_inner().id;
        let body = json!({"comment": "Nous aussi", "organization": reference("Organization", &foreign)});
        assert_eq!(refused(&comment(&plain, &other, body).await.unwrap_err()), ["organization"]);

        let page = live.anonymous().main().list_discussions().org(id).sort("-created").send().await.unwrap();
        assert_eq!(page.total, 2);
    });
}

#[test]
fn discussions_are_refused_and_filtered() {
    run(|live| async move {
        let (user, plain) = (live.user(), live.plain());
        let subject = dataset(&user).await.id;
        let refuse =
            async |body: Value| refused(&plain.main().create_discussion().body(body).send().await.unwrap_err());
        let body = |class: &str, id: &str, comment: &str| json!({"title": "x", "comment": comment, "subject": reference(class, id)});
        assert_eq!(refuse(body("Dataset", &subject, "")).await, ["discussion.0.content"]);
        assert_eq!(refuse(body("Dataset", UNKNOWN, "x")).await, ["subject"]);
        let organization = organization(&user).await.id;
        assert_eq!(refuse(body("Organization", &organization, "x")).await, ["subject"]);
        let started = start(&plain, "Dataset", &subject).await;
        let error = comment(&plain, &started.id, json!({"comment": ""})).await.unwrap_err();
        assert!(error.server_message().unwrap().starts_with("Can only close without message"));
        let anonymous = live.anonymous();
        assert!(comment(&anonymous, &started.id, json!({"comment": "x"})).await.unwrap_err().is_unauthorized());
        let error = anonymous.main().create_discussion().body(body("Dataset", &subject, "x")).send().await;
        assert!(error.unwrap_err().is_unauthorized());
        assert!(comment(&plain, UNKNOWN, json!({"comment": "x"})).await.unwrap_err().is_not_found());

        let main = anonymous.main();
        let author = me(&plain).await.id;
        let page = main.list_discussions().user(&author).sort("-created").page_size(2).send().await.unwrap();
        assert!(page.data.iter().all(|one| one.user.id == author));
        let page = main.list_discussions().q(&started.title).send().await.unwrap();
        assert!(page.data.iter().any(|one| one.id == started.id));
        assert_eq!(refused(&main.list_discussions().sort("nope").send().await.unwrap_err()), ["sort"]);
        assert!(main.list_discussions().page(99_999).send().await.unwrap_err().is_not_found());
    });
}
