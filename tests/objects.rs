//! The requests that handles send: their order and their bodies.

use std::time::Duration;

use datagouv::main::types::{
    CommunityResourceInput, DatasetFrequency, DatasetInput, HarvestJobPreviewStatus, MemberRole, MembershipInvite,
    ResourceInput, TemporalCoverageInput,
};
use datagouv::main_v2::types::{TopicElementInput, TopicInput};
use datagouv::objects::{ResourceKey, Wait};
use datagouv::{Api, Client, Date, File};
use datagouv_sandbox::platform::{COMMUNES, COMMUNES_RESOURCE, STOPS};
use datagouv_sandbox::{Received, Sandbox, User, clock};
use serde_json::{Value, json};

async fn platform() -> (Sandbox, Client) {
    let sandbox = Sandbox::start_platform().await;
    let builder = Client::builder().base_url(Api::Main, sandbox.url(Api::Main)).api_key("key");
    let client = builder.base_url(Api::MainV2, sandbox.url(Api::MainV2)).build().unwrap();
    (sandbox, client)
}

/// The operations called since the last time, those of v2 with a mark, and their requests.
fn taken(sandbox: &Sandbox) -> (Vec<String>, Vec<Received>) {
    let requests = sandbox.take_requests();
    for request in &requests {
        assert_eq!(request.violation, None, "{} {}", request.method, request.path);
    }
    let name = |request: &Received| {
        let mark = if request.api == Some(Api::MainV2) { "v2 " } else { "" };
        format!("{mark}{}", request.operation_id.as_deref().unwrap_or(&request.path))
    };
    (requests.iter().map(name).collect(), requests)
}

fn last(requests: &[Received]) -> Value {
    requests.last().unwrap().json()
}

#[tokio::test]
async fn an_update_sends_what_changes_and_what_the_server_would_empty() {
    let (sandbox, client) = platform().await;
    let dataset = client.dataset(COMMUNES);
    let coverage = TemporalCoverageInput::new("2025-01-01").end(Date::from("2025-12-31"));
    let before = dataset.update(|update| update.temporal_coverage(coverage)).await.unwrap();
    sandbox.take_requests();

    let after = dataset.update(|update| update.title("Towns").frequency(DatasetFrequency::Monthly)).await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["get_dataset", "update_dataset"]);
    let sent = json!({
        "title": "Towns", "frequency": "monthly", "tags": ["communes", "population", "territoires"],
        "temporal_coverage": {"start": "2025-01-01", "end": "2025-12-31"}
    });
    assert_eq!(last(&requests), sent);
    assert_eq!((after.title.as_str(), &after.tags), ("Towns", &before.tags));
    assert_eq!((after.temporal_coverage, after.description), (before.temporal_coverage, before.description));
}

#[tokio::test]
async fn an_update_keeps_a_file_added_after_its_read() {
    let (sandbox, client) = platform().await;
    let dataset = client.dataset(COMMUNES);
    let read = serde_json::to_string(&dataset.get().await.unwrap()).unwrap();
    let added = dataset.create_remote(ResourceInput::remote("New", "https://example.org/new.csv")).await.unwrap();
    // The update reads the dataset before the change.
    sandbox.respond_once("get_dataset", 200, &[], read);
    let after = dataset.update(|update| update.title("Towns")).await.unwrap();
    let ids: Vec<&str> = after.resources.iter().map(|resource| resource.id.as_str()).collect();
    assert_eq!(ids, [added.id.as_str(), COMMUNES_RESOURCE]);
}

#[tokio::test]
async fn an_update_without_changes_sends_no_write() {
    let (sandbox, client) = platform().await;
    let dataset = client.dataset(COMMUNES).update(|update| update.private(false)).await.unwrap();
    assert_eq!(dataset.id, COMMUNES);
    assert_eq!(taken(&sandbox).0, ["get_dataset"]);
}

#[tokio::test]
async fn an_update_can_empty_tags() {
    let (sandbox, client) = platform().await;
    let after = client.dataset(COMMUNES).update(|update| update.tags(Vec::<String>::new())).await.unwrap();
    assert_eq!(last(&taken(&sandbox).1), json!({"tags": []}));
    assert!(after.tags.is_empty());
}

#[tokio::test]
async fn a_concurrent_change_is_a_conflict_before_the_write() {
    let (sandbox, client) = platform().await;
    let dataset = client.dataset(COMMUNES);
    let seen = dataset.get().await.unwrap();
    let mine = dataset.update_unless_changed(&seen, |update| update.title("Mine")).await.unwrap();
    sandbox.take_requests();
    let error = dataset.update_unless_changed(&seen, |update| update.title("Theirs")).await.unwrap_err();
    assert!(error.is_conflict() && !error.is_transport(), "{error:?}");
    assert_eq!(taken(&sandbox).0, ["get_dataset"]);
    let theirs = dataset.update_unless_changed(&mine, |update| update.title("Theirs")).await.unwrap();
    assert_eq!(theirs.title, "Theirs");
}

#[tokio::test]
async fn a_resource_looks_up_its_dataset_only_if_unknown() {
    let (sandbox, client) = platform().await;
    let known = client.dataset(COMMUNES).resource(COMMUNES_RESOURCE);
    known.update(|update| update.title("Codes")).await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["get_resource", "update_resource"]);
    assert_eq!(last(&requests), json!({"title": "Codes"}));

    let unknown = client.resource(COMMUNES_RESOURCE);
    unknown.update(|update| update.description("By code")).await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["v2 get_resource", "get_resource", "update_resource"]);
    assert_eq!(requests[0].header("x-fields"), Some("dataset_id"));
    assert_eq!(unknown.get().await.unwrap().title, "Codes");
    assert_eq!(taken(&sandbox).0, ["v2 get_resource"]);
    unknown.delete().await.unwrap();
    assert!(unknown.get().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn an_id_is_one_encoded_path_segment() {
    let (sandbox, client) = platform().await;
    client.resource("../../site").get().await.unwrap_err();
    let (_, requests) = taken(&sandbox);
    assert_eq!(requests[0].path, "/api/2/datasets/resources/..%2F..%2Fsite/");
    assert!(client.resource("..").get().await.unwrap_err().is_request());
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn resources_are_sorted_by_a_property_in_either_direction() {
    let (sandbox, client) = platform().await;
    let dataset = client.dataset(COMMUNES);
    for title in ["Zones", "arrondissements"] {
        dataset.create_remote(ResourceInput::remote(title, "https://example.org/x.csv")).await.unwrap();
    }
    sandbox.take_requests();
    let titles = |resources: Vec<datagouv::main::types::Resource>| {
        resources.into_iter().map(|resource| resource.title).collect::<Vec<_>>()
    };
    let sorted = titles(dataset.sort_resources(ResourceKey::Title).await.unwrap());
    assert_eq!(sorted, ["arrondissements", "communes.csv", "Zones"]);
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["get_dataset", "update_resources"]);
    assert_eq!(last(&requests)[1], json!({"id": COMMUNES_RESOURCE}));

    dataset.sort_resources(ResourceKey::Title).await.unwrap();
    assert_eq!(taken(&sandbox).0, ["get_dataset"], "nothing is written where all is in order");
    let sorted = titles(dataset.sort_resources(ResourceKey::Title.descending()).await.unwrap());
    assert_eq!(sorted, ["Zones", "communes.csv", "arrondissements"]);
    let by_length = dataset.sort_resources_by(|one, other| one.title.len().cmp(&other.title.len())).await.unwrap();
    assert_eq!(titles(by_length), ["Zones", "communes.csv", "arrondissements"]);
}

#[tokio::test]
async fn compares_the_dates_of_updates() {
    let (sandbox, client) = platform().await;
    let communes = client.dataset(COMMUNES);
    let stops = client.dataset(STOPS).get().await.unwrap().resources[0].id.clone();
    sandbox.take_requests();
    assert!(!communes.has_more_recent_update_than(&stops).await.unwrap());
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["get_dataset", "v2 get_resource"]);
    assert_eq!(requests[0].header("x-fields"), Some("resources{internal{last_modified_internal}}"));
    communes.resource(COMMUNES_RESOURCE).update(|update| update.title("Codes")).await.unwrap();
    assert!(communes.has_more_recent_update_than(&stops).await.unwrap());
    assert!(!communes.has_more_recent_update_than(COMMUNES_RESOURCE).await.unwrap(), "not than itself");
}

#[tokio::test]
async fn extras_are_changed_by_key() {
    let (sandbox, client) = platform().await;
    let dataset = client.dataset(COMMUNES);
    let all = dataset.update_extras([("pipeline", json!("nightly")), ("runs", json!(3))]).await.unwrap();
    assert_eq!(all["runs"], json!(3));
    let all = dataset.update_extras([("runs", Value::Null), ("ok", json!(true))]).await.unwrap();
    assert_eq!(json!(all), json!({"pipeline": "nightly", "ok": true}));
    dataset.delete_extras(["pipeline"]).await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["v2 update_dataset_extras", "v2 update_dataset_extras", "v2 delete_dataset_extras"]);
    assert_eq!(requests[1].json(), json!({"runs": null, "ok": true}));
    assert_eq!(last(&requests), json!(["pipeline"]));
    assert_eq!(json!(dataset.extras().await.unwrap()), json!({"ok": true}));

    let resource = dataset.resource(COMMUNES_RESOURCE);
    resource.update_extras([("k", "v")]).await.unwrap();
    resource.delete_extras(["k"]).await.unwrap();
    assert!(resource.extras().await.unwrap().is_empty());
}

#[tokio::test]
async fn resolves_a_slug_for_operations_that_need_an_id() {
    let (sandbox, client) = platform().await;
    client.dataset(COMMUNES).follow().await.unwrap();
    assert_eq!(taken(&sandbox).0, ["follow_dataset"]);
    client.dataset("communes-population-et-superficie").follow().await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["get_dataset", "follow_dataset"]);
    assert_eq!(requests[0].header("x-fields"), Some("id"));
    assert_eq!(requests[1].path, format!("/api/1/datasets/{COMMUNES}/followers/"));
}

#[tokio::test]
async fn a_discussion_is_started_commented_and_closed() {
    let (sandbox, client) = platform().await;
    let started = client.dataset(COMMUNES).discuss("Units", "Which unit has the area?").await.unwrap();
    let discussion = client.discussion(&started.id);
    discussion.comment("Square kilometres.").await.unwrap();
    let closed = discussion.close_with("Said in the description now.").await.unwrap();
    let comments: Vec<&str> = closed.discussion.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(comments, ["Which unit has the area?", "Square kilometres.", "Said in the description now."]);
    assert!(closed.closed.is_some());
    assert!(discussion.comment("Thanks").await.unwrap_err().is_forbidden());
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations[..2], ["create_discussion", "comment_discussion"]);
    let subject = json!({"class": "Dataset", "id": COMMUNES});
    let start = json!({"title": "Units", "comment": "Which unit has the area?", "subject": subject});
    assert_eq!(requests[0].json(), start);
    assert_eq!(requests[2].json(), json!({"comment": "Said in the description now.", "close": true}));
}

#[tokio::test]
async fn a_transfer_has_its_subject_and_recipient() {
    let (sandbox, client) = platform().await;
    let (organization, user) = ("5f43ab12cd34ef5678ab9002", "5f43ab12cd34ef5678ab9101");
    let dataset = client.dataset(COMMUNES);
    dataset.transfer_to_organization(organization, "It is yours.").await.unwrap();
    dataset.transfer_to_user(user, "Or yours.").await.unwrap();
    client.transfer("6512ab34cd56ef7890ab1299").refuse("No, thanks.").await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["request_transfer", "request_transfer", "respond_to_transfer"]);
    let request = json!({
        "subject": {"class": "Dataset", "id": COMMUNES}, "comment": "It is yours.",
        "recipient": {"class": "Organization", "id": organization}
    });
    assert_eq!(requests[0].json(), request);
    assert_eq!(requests[1].json()["recipient"], json!({"class": "User", "id": user}));
    assert_eq!(last(&requests), json!({"response": "refuse", "comment": "No, thanks."}));
}

#[tokio::test]
async fn members_are_invited_changed_and_removed() {
    let (sandbox, client) = platform().await;
    let organization = client.organization("5f43ab12cd34ef5678ab9001");
    let stranger = sandbox.client_of(User::Stranger);
    let user = stranger.main().get_me().send().await.unwrap().id.clone();
    let ask = async || {
        let body = json!({"comment": "Let me in."});
        let request = stranger.main().post_membership_request().org(organization.id()).body(body).send().await.unwrap();
        request.id.clone()
    };
    let request = ask().await;
    taken(&sandbox);
    let invitation = MembershipInvite::new().email("someone@example.org").role(MemberRole::Editor);
    organization.invite(invitation).await.unwrap();
    organization.accept_membership(&request).await.unwrap();
    organization.set_member_role(&user, MemberRole::Admin).await.unwrap();
    organization.remove_member(&user).await.unwrap();
    let (operations, requests) = taken(&sandbox);
    let expected =
        ["invite_organization_member", "accept_membership", "update_organization_member", "delete_organization_member"];
    assert_eq!(operations, expected);
    assert_eq!(requests[0].json(), json!({"email": "someone@example.org", "role": "editor"}));
    assert_eq!(requests[2].json(), json!({"role": "admin"}));

    let request = ask().await;
    taken(&sandbox);
    organization.refuse_membership(&request, "Not yet.").await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["refuse_membership"]);
    assert_eq!(last(&requests), json!({"comment": "Not yet."}));
}

#[tokio::test]
async fn a_created_object_has_its_owner_and_subject() {
    let (sandbox, client) = platform().await;
    let organization = "5f43ab12cd34ef5678ab9001";
    let dataset = client.organization(organization).create_dataset(DatasetInput::new("Trees", "All of them.")).await;
    let dataset = client.dataset(dataset.unwrap().id);
    dataset.create_remote(ResourceInput::remote("2026", "https://example.org/2026.csv")).await.unwrap();
    let resource = CommunityResourceInput::remote(dataset.id(), "On a map", "https://example.org/map");
    client.create_community_resource(resource).await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["create_dataset", "create_resource", "create_community_resource"]);
    let created = json!({"title": "Trees", "description": "All of them.", "organization": {"id": organization}});
    assert_eq!(requests[0].json(), created);
    let remote = json!({"title": "2026", "filetype": "remote", "type": "main", "url": "https://example.org/2026.csv"});
    assert_eq!(requests[1].json(), remote);
    assert_eq!(last(&requests)["dataset"], json!({"id": dataset.id()}));
}

#[tokio::test]
async fn an_upload_creates_a_resource_with_a_title() {
    let (sandbox, client) = platform().await;
    let file = File::from_bytes("arbres.csv", "id,genre\n1,Tilia\n");
    let dataset = client.dataset(COMMUNES);
    let resource = dataset.create_from_file(file, |update| update.title("Trees")).await.unwrap();
    assert_eq!((resource.title.as_str(), resource.filesize), ("Trees", Some(17)));
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["upload_new_dataset_resource", "get_resource", "update_resource"]);
    assert_eq!(last(&requests), json!({"title": "Trees"}));
}

#[tokio::test]
async fn topics_are_changed_without_their_elements() {
    let (sandbox, client) = platform().await;
    let topic = client.topic(client.create_topic(TopicInput::new("Transport")).await.unwrap().id);
    taken(&sandbox);
    topic.update(|update| update.name("Mobility")).await.unwrap();
    topic.add_elements([TopicElementInput::dataset(COMMUNES)]).await.unwrap();
    topic.elements().class("Dataset").send().await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["v2 get_topic", "v2 update_topic", "v2 topic_elements_create", "v2 topic_elements"]);
    assert_eq!(requests[1].json(), json!({"name": "Mobility"}));
    assert_eq!(requests[2].json(), json!([{"element": {"class": "Dataset", "id": COMMUNES}}]));
}

#[tokio::test]
async fn a_search_filters_counts_and_streams() {
    let (sandbox, client) = platform().await;
    let page = client.search().datasets("bus").tag(["mobilite"]).format("csv").page_size(1).send().await.unwrap();
    let (operations, requests) = taken(&sandbox);
    assert_eq!(operations, ["v2 search_datasets"]);
    let mut pairs = requests[0].query_pairs.clone();
    pairs.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(pairs, [pair("format", "csv"), pair("page_size", "1"), pair("q", "bus"), pair("tag", "mobilite")]);
    assert_eq!(page.total, 1);
    let tags: Vec<(String, u64)> = page.facet("tag").into_iter().map(|facet| (facet.value, facet.count)).collect();
    assert_eq!(tags[0], ("arrets".to_owned(), 1));
    assert!(page.facet("nothing").is_empty());

    let all = client.search().datasets("").page_size(3).items().collect_up_to(100).await.unwrap();
    assert_eq!(all.len(), 4);
    let (_, requests) = taken(&sandbox);
    assert!(requests[0].query_pairs.iter().all(|(name, _)| name != "q"), "no words, no parameter");
}

fn quickly(deadline: Duration) -> Wait {
    Wait::up_to(deadline).first_pause(Duration::from_millis(10)).longest_pause(Duration::from_millis(20))
}

fn harvest_source(job: Value) -> String {
    json!({"id": "s", "name": "n", "url": "https://example.org", "backend": "dcat", "last_job": job}).to_string()
}

#[tokio::test]
async fn waits_for_a_harvest_job_to_end() {
    clock::by_steps();
    let (sandbox, client) = platform().await;
    let job = |id: &str, status: &str| json!({"id": id, "status": status});
    for job in [
        job("before", "done"),
        job("before", "done"),
        job("new", "pending"),
        job("new", "processing"),
        job("new", "done-errors"),
    ] {
        sandbox.respond_once("get_harvest_source", 200, &[], harvest_source(job));
    }
    let ended = client.harvest_source("s").run_and_wait(quickly(Duration::from_secs(600))).await.unwrap();
    assert_eq!((ended.id.as_str(), ended.status), ("new", HarvestJobPreviewStatus::DoneErrors));
    let (operations, _) = taken(&sandbox);
    let reads = operations.iter().filter(|name| *name == "get_harvest_source").count();
    assert_eq!((operations[1].as_str(), reads), ("run_harvest_source", 5));
}

#[tokio::test]
async fn a_wait_that_times_out_has_the_last_state() {
    clock::by_steps();
    let (sandbox, client) = platform().await;
    sandbox.respond_once("get_harvest_job", 200, &[], json!({"id": "j", "status": "processing"}).to_string());
    let error = client.harvest_job("j").wait(Wait::up_to(Duration::ZERO)).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(error.to_string(), "the run j is still `processing` after 0ns");
    sandbox.respond_once("get_harvest_job", 500, &[], r#"{"message": "no"}"#);
    sandbox.respond_once("get_harvest_job", 404, &[], r#"{"message": "no"}"#);
    let error = client.harvest_job("j").wait(quickly(Duration::from_secs(600))).await.unwrap_err();
    assert!(error.is_not_found(), "an error ends the wait: {error:?}");
}

#[tokio::test]
async fn waits_for_a_new_analysis() {
    clock::by_steps();
    let (sandbox, client) = platform().await;
    let extras = |extras: Value| json!({"resource": {"extras": extras}, "dataset_id": COMMUNES}).to_string();
    let before = json!({"analysis:parsing:finished_at": "2026-01-01T00:00:00+00:00"});
    let after = json!({"analysis:parsing:finished_at": "2026-01-02T00:00:00+00:00", "analysis:content-length": 12});
    for seen in [before.clone(), before, after] {
        sandbox.respond_once("get_resource", 200, &[], extras(seen));
    }
    let resource = client.dataset(COMMUNES).resource(COMMUNES_RESOURCE);
    let analysis = resource.analyse(quickly(Duration::from_secs(600))).await.unwrap();
    assert_eq!((analysis.content_length, analysis.error, analysis.parsing_error), (Some(12), None, None));
    let (operations, requests) = taken(&sandbox);
    let expected = ["v2 get_resource", "force_resource_analysis", "v2 get_resource", "v2 get_resource"];
    assert_eq!(operations, expected);
    assert_eq!(requests[0].header("x-fields"), Some("resource{extras,url}"));

    sandbox.respond_once("get_resource", 200, &[], extras(json!({"check:date": "2026-01-01T00:00:00+00:00"})));
    let error = resource.wait_for_analysis(Wait::up_to(Duration::ZERO)).await.unwrap_err();
    assert!(error.is_timeout() && error.to_string().contains("it was only checked"), "{error}");
}

#[tokio::test]
async fn a_dropped_wait_sends_no_more_requests() {
    clock::by_steps();
    let (sandbox, client) = platform().await;
    for _ in 0..3 {
        sandbox.respond_once("get_harvest_job", 200, &[], json!({"id": "j", "status": "pending"}).to_string());
    }
    let job = client.harvest_job("j");
    let patient = Wait::default().first_pause(Duration::from_secs(600)).longest_pause(Duration::from_secs(600));
    let dropped = tokio::time::timeout(Duration::from_millis(500), job.wait(patient)).await;
    assert!(dropped.is_err());
    assert_eq!(taken(&sandbox).0.len(), 1);
}
