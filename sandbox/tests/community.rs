//! Organizations, reuses, dataservices, topics and users of the platform: what it sends of them satisfies the documents, and what
//! it does not implement fails the test.

mod support;
#[path = "support/visitor.rs"]
mod visitor;

use datagouv_sandbox::platform::COMMUNES;
use datagouv_sandbox::{Api, Sandbox, User};
use reqwest::Method;
use serde_json::{Value, json};

use visitor::Visitor;

const ADMIN: &str = "admin";

fn id(body: &Value) -> &str {
    body["id"].as_str().expect("an id")
}

impl Visitor {
    async fn post(&self, api: Api, path: &str, body: Value) -> Value {
        let request = self.request(Method::POST, api, path).header("X-API-KEY", ADMIN);
        let request = if body.is_null() { request } else { request.json(&body) };
        let (status, body) = self.send(request).await;
        assert!((200..300).contains(&status), "{path}: {status} {body}");
        body
    }

    /// The responses to these reads, each of which is checked against the document.
    async fn read_all(&self, api: Api, paths: &[String]) {
        for path in paths {
            let (status, body) = self.send(self.request(Method::GET, api, path).header("X-API-KEY", ADMIN)).await;
            assert_eq!(status, 200, "{path}: {body}");
            let (status, body) = self.get(api, path).await;
            assert!(matches!(status, 200 | 401), "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn responses_about_every_kind_of_object_satisfy_the_documents() {
    let visitor = Visitor::new().await;
    let (main, v2) = (Api::Main, Api::MainV2);
    let organization = visitor.post(main, "/organizations/", json!({"name": "Forests", "description": "Trees."})).await;
    let org = id(&organization);
    let reuse = json!({
        "title": "A map", "description": "Of trees.", "type": "visualization", "topic": "others", "organization": org,
        "url": "https://example.org/map", "datasets": [COMMUNES],
    });
    let reuse = visitor.post(main, "/reuses/", reuse).await;
    let service = json!({"title": "An API", "datasets": [COMMUNES], "organization": org});
    let service = visitor.post(main, "/dataservices/", service).await;
    let element = json!({"title": "Towns", "element": {"class": "Dataset", "id": COMMUNES}});
    let topic = json!({"name": "Trees", "description": "All.", "tags": ["tree"], "elements": [element]});
    let topic = visitor.post(v2, "/topics/", topic).await;
    let user = json!({"email": "nina@example.org", "first_name": "Nina", "last_name": "New"});
    let user = visitor.post(main, "/users/", user).await;
    let invitation = json!({"email": "oak@example.org", "role": "editor"});
    visitor.post(main, &format!("/organizations/{org}/member/"), invitation).await;
    visitor.post(main, &format!("/organizations/{org}/badges/"), json!({"kind": "certified"})).await;
    let subject = json!({"class": "Reuse", "id": id(&reuse)});
    visitor.post(main, "/discussions/", json!({"title": "Why?", "comment": "Which?", "subject": subject})).await;
    for path in [
        format!("/organizations/{org}/followers/"),
        format!("/reuses/{}/followers/", id(&reuse)),
        format!("/dataservices/{}/followers/", id(&service)),
        format!("/users/{}/followers/", id(&user)),
        format!("/datasets/{COMMUNES}/followers/"),
        format!("/reuses/{}/featured/", id(&reuse)),
        format!("/dataservices/{}/featured/", id(&service)),
        format!("/datasets/{COMMUNES}/featured/"),
    ] {
        visitor.post(main, &path, Value::Null).await;
    }

    let of = |path: &str, object: &Value| format!("/{path}/{}/", id(object));
    let mut paths: Vec<String> = ["organizations", "reuses", "dataservices", "users", "discussions", "datasets"]
        .iter()
        .map(|path| format!("/{path}/"))
        .collect();
    paths.retain(|path| path != "/users/");
    paths.extend([
        of("organizations", &organization),
        of("reuses", &reuse),
        of("dataservices", &service),
        format!("/organizations/{org}/membership/"),
        format!("/organizations/{org}/assignments/"),
        format!("/organizations/{org}/datasets/"),
        format!("/organizations/{org}/reuses/"),
        format!("/organizations/{org}/discussions/"),
        format!("/organizations/{org}/followers/"),
        format!("/reuses/{}/followers/", id(&reuse)),
        format!("/users/{}/followers/", id(&user)),
    ]);
    for path in [
        "/organizations/suggest/?q=forest",
        "/reuses/suggest/?q=map",
        "/dataservices/suggest/?q=api",
        "/users/suggest/?q=nina",
        "/datasets/suggest/?q=communes",
        "/organizations/badges/",
        "/organizations/roles/",
        "/reuses/types/",
        "/reuses/topics/",
        "/users/roles/",
        "/me/",
        "/me/datasets/",
        "/me/reuses/",
        "/me/metrics/",
        "/me/org_datasets/",
        "/me/org_reuses/",
        "/me/org_discussions/",
        "/me/org_invitations/",
    ] {
        paths.push(path.to_owned());
    }
    visitor.read_all(main, &paths).await;
    let (status, users) = visitor.send(visitor.request(Method::GET, main, "/users/").header("X-API-KEY", ADMIN)).await;
    assert_eq!((status, &users["total"]), (200, &json!(4)));
    let paths = [
        format!("/topics/{}/", id(&topic)),
        format!("/topics/{}/elements/", id(&topic)),
        "/topics/".to_owned(),
        "/topics/search/?q=trees".to_owned(),
        "/me/org_topics/".to_owned(),
        "/reuses/".to_owned(),
        "/reuses/search/?q=map".to_owned(),
        "/dataservices/search/?q=api".to_owned(),
        "/organizations/search/?q=forests".to_owned(),
        "/discussions/search/?q=why".to_owned(),
        "/datasets/search/?q=communes".to_owned(),
        format!("/organizations/{org}/extras/"),
    ];
    visitor.read_all(v2, &paths).await;
}

#[tokio::test]
async fn a_filter_that_is_not_implemented_is_refused_and_fails_the_test() {
    let platform = Sandbox::start_platform().await;
    let client = platform.client();
    let error = client.main_v2().search_reuses().badge("hvd").send().await.expect_err("a refusal");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(501));
    assert!(error.to_string().contains("the filter `badge` of `search_reuses`"), "{error}");
    let verified = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| platform.verify()));
    let message = verified.expect_err("a failure of the test");
    let message = message.downcast_ref::<String>().expect("a message");
    assert!(message.contains("the filter `badge` of `search_reuses`"), "{message}");
    platform.strict(false);
}

#[tokio::test]
async fn who_is_an_editor_elsewhere_does_not_edit_what_others_made() {
    let platform = Sandbox::start_platform().await;
    let made = json!({"title": "Mine", "description": "Alone."});
    let made = platform.client_of(User::Stranger).main().create_dataset().body(made).send().await.expect("a dataset");
    let update = async |user: User| platform.client_of(user).dataset(&made.id).update(|it| it.title("Theirs")).await;
    assert!(update(User::Editor).await.expect_err("a stranger to it").is_forbidden());
    assert_eq!(update(User::Admin).await.expect("a sysadmin").title, "Theirs");
    // From the start, the editor administers the organizations that there are.
    platform.client_of(User::Editor).dataset(COMMUNES).update(|it| it.title("Towns")).await.expect("an editor");
}

#[tokio::test]
async fn a_date_without_a_zone_satisfies_a_request_and_no_response() {
    let platform = Sandbox::start_platform().await;
    let client = platform.client_of(User::Editor);
    let body = |date: &str| json!({"title": "Trees", "description": "Elms.", "frequency_date": date});
    for (date, kept) in
        [("2030-01-02T03:04:05", "2030-01-02T03:04:05+00:00"), ("2030-01-02", "2030-01-02T00:00:00+00:00")]
    {
        let made = client.main().create_dataset().body(body(date)).send().await.expect("a dataset");
        assert_eq!(json!(made.frequency_date), kept);
    }
    let error = client.main().create_dataset().body(body("soon")).send().await.expect_err("no date");
    assert_eq!(error.field_errors().first().map(|error| error.field.as_str()), Some("frequency_date"));
    platform.strict(false);
}

#[tokio::test]
async fn a_new_key_is_its_users_until_it_expires_by_the_clock() {
    let platform = Sandbox::start_platform().await;
    let stranger = platform.client_of(User::Stranger);
    let body = json!({"name": "Trees", "expires_at": "2026-06-01T00:00:00+00:00"});
    let made = stranger.main().create_api_token().body(body).send().await.expect("a key");
    let of_key = || platform.client_builder().api_key(made.token.clone()).build().expect("a client");
    let me = of_key().main().get_me().send().await.expect("the user of the key");
    assert_eq!(me.first_name, stranger.main().get_me().send().await.expect("the same user").first_name);
    platform.set_clock("2026-06-02T00:00:00+00:00");
    // The clock moves with the next change.
    platform.dataset("Trees").add();
    let error = of_key().main().get_me().send().await.expect_err("an expired key");
    assert_eq!(error.server_message().as_deref(), Some("Expired API token"));
}

#[tokio::test]
async fn a_dataset_that_was_not_changed_in_time_loses_a_part_of_its_quality() {
    let platform = Sandbox::start_platform().await;
    let made = platform.dataset("Trees").set("frequency", "monthly").add();
    let quality = async || {
        let dataset = platform.client().dataset(&made.id).get().await.expect("the dataset");
        (dataset.quality.update_fulfilled_in_time, dataset.quality.score)
    };
    assert_eq!(quality().await, (Some(true), 2.0 / 9.0));
    platform.set_clock("2026-03-01T00:00:00+00:00");
    platform.dataset("Elms").add();
    assert_eq!(quality().await, (Some(false), 1.0 / 9.0));
}
