//! Rules, and how they fail a test.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use datagouv::files::RemoteFile;
use datagouv::main::types::{Dataset, DatasetInput};
use datagouv_sandbox::fault::Fault;
use datagouv_sandbox::platform::{CHARGING_POINTS, CHARGING_POINTS_RESOURCE, COMMUNES};
use datagouv_sandbox::{On, Sandbox, ServerError, User, clock};
use serde_json::json;

/// The panic message of dropping or verifying a sandbox.
fn complaint(of: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(of)).expect_err("a failure");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .expect("a text")
}

#[tokio::test]
async fn the_client_decodes_a_typed_reply() {
    let platform = Sandbox::start_platform().await;
    let mut dataset = platform.example(|client| client.main().get_dataset());
    dataset.title = "Trees".to_owned();
    platform.on(|client| client.main().get_dataset()).reply(&dataset);
    let got = platform.client().main().get_dataset().dataset("any").send().await.expect("a dataset");
    assert_eq!(got.into_inner(), dataset);
}

#[tokio::test]
async fn all_four_apis_take_typed_replies() {
    let platform = Sandbox::start_platform().await;
    let mut resource = platform.example(|client| client.main_v2().get_resource());
    resource.dataset_id = Some("of-trees".to_owned());
    platform.on(|client| client.main_v2().get_resource()).reply(&resource);
    let mut page = platform.example(|client| client.tabular().get_resource_data());
    page.data = vec![[("height".to_owned(), json!(3.5))].into()];
    platform.on(|client| client.tabular().get_resource_data()).reply(&page);
    let mut months = platform.example(|client| client.metrics().get_metrics_by_model());
    months.meta.total = Some(17);
    platform.on(|client| client.metrics().get_metrics_by_model()).reply(&months);

    let (client, id) = (platform.client(), CHARGING_POINTS_RESOURCE);
    let got = client.main_v2().get_resource().rid(id).send().await.expect("a resource");
    assert_eq!(got.dataset_id.as_deref(), Some("of-trees"));
    let got = client.tabular().get_resource_data().rid(id).send().await.expect("rows");
    assert_eq!(got.data[0]["height"], 3.5);
    let got = client.metrics().get_metrics_by_model().model("datasets").send().await.expect("months");
    assert_eq!(got.meta.total, Some(17));
}

#[tokio::test]
async fn panics_at_the_line_of_a_reply_that_violates_the_document() {
    let platform = Sandbox::start_platform().await;
    let mut example = serde_json::to_value(platform.example(|client| client.main().get_dataset())).expect("JSON");
    example["resources"][0]["title"] = json!(7);
    let words = complaint(|| {
        platform.on(|client| client.main().get_dataset()).optional().reply_json(example.clone());
    });
    assert!(words.contains("get_dataset") && words.contains("/resources/0/title"), "{words}");
    platform.on(|client| client.main().get_dataset()).reply_unchecked(200, &example);
    let error = platform.client().main().get_dataset().dataset("x").call().json::<serde_json::Value>().send().await;
    assert_eq!(error.expect("as it was written")["resources"][0]["title"], 7);
}

#[tokio::test]
async fn a_rule_matches_the_arguments_of_its_operation() {
    let platform = Sandbox::start_platform().await;
    platform.on(|client| client.main().get_dataset().dataset("secret")).status(403);
    platform.on(|client| client.main().list_datasets().q("nothing")).status(404);
    let client = platform.client();
    assert!(client.main().get_dataset().dataset("secret").send().await.is_err_and(|error| error.is_forbidden()));
    client.main().get_dataset().dataset(COMMUNES).send().await.expect("that of the platform");
    let list = || client.main().list_datasets();
    assert!(list().q("nothing").page_size(5).send().await.is_err_and(|error| error.is_not_found()));
    list().q("communes").send().await.expect("that of the platform");
}

#[tokio::test]
async fn the_last_matching_rule_takes_precedence() {
    let platform = Sandbox::start_platform().await;
    platform.on(|client| client.main().get_dataset()).status(404).optional();
    platform.on(|client| client.main().get_dataset()).status(410);
    let error = platform.client().main().get_dataset().dataset("x").send().await.expect_err("gone");
    assert!(error.is_gone());
}

#[tokio::test]
async fn responses_of_a_rule_are_sent_in_order() {
    let platform = Sandbox::start_platform().await;
    platform.on(|client| client.main().list_datasets()).status(503).times(2).too_many_requests(5).then_platform();
    let client = platform.client();
    let error = client.main().list_datasets().send().await.expect_err("three attempts");
    assert_eq!((error.status().map(|status| status.as_u16()), error.attempts()), (Some(429), 3));
    assert_eq!(client.main().list_datasets().send().await.expect("the fourth").total, 4);
}

#[tokio::test]
async fn a_rule_that_is_used_up_fails_the_test() {
    let platform = Sandbox::start_platform().await;
    platform.on(|client| client.main().list_datasets()).status(404).times(1);
    let client = platform.client();
    client.main().list_datasets().send().await.expect_err("as the rule says");
    client.main().list_datasets().send().await.expect_err("nothing is left");
    let words = complaint(|| drop(platform));
    assert!(words.contains("GET /api/1/datasets/") && words.contains("is used up"), "{words}");
}

#[tokio::test]
async fn a_rule_that_was_not_used_fails_the_test_with_the_nearest_request() {
    let platform = Sandbox::start_platform().await;
    platform.on(|client| client.main().list_datasets().q("trees").page(2)).status(404);
    platform.client().main().list_datasets().q("bikes").page(2).send().await.expect_err("there is no page 2");
    let words = complaint(|| platform.verify());
    assert!(words.contains("tests/rules.rs") && words.contains("never used"), "{words}");
    assert!(words.contains("the query parameter `q` is `bikes`, not `trees`"), "{words}");
    platform.strict(false);
}

#[tokio::test]
async fn unused_responses_of_a_rule_fail_the_test() {
    let platform = Sandbox::start_platform().await;
    platform.on(|client| client.main().list_datasets()).status(404).platform().times(2);
    platform.client().main().list_datasets().send().await.expect_err("as the rule says");
    let words = complaint(|| drop(platform));
    assert!(words.contains("response 2") && words.contains("0 of 2 times"), "{words}");
}

#[tokio::test]
async fn only_rules_makes_a_request_without_a_rule_fail_the_test() {
    let platform = Sandbox::start_platform().await;
    platform.only_rules();
    platform.on(|client| client.main().create_dataset()).body(&json!({"title": "Elms"})).status(400).optional();
    let client = platform.client_of(User::Editor);
    let error = client.main().create_dataset().body(DatasetInput::new("Oaks", "All of them.")).send().await;
    assert_eq!(error.expect_err("no rule").status().map(|status| status.as_u16()), Some(501));
    client.main().list_datasets().send().await.expect_err("no rule");
    let words = complaint(|| drop(platform));
    assert!(words.contains("POST /api/1/datasets/ (create_dataset)"), "{words}");
    assert!(words.contains("the body differs at `/title`: \"Oaks\", not \"Elms\""), "{words}");
    assert!(words.contains("there is no rule for it"), "{words}");
}

#[tokio::test]
async fn a_request_that_violates_the_document_fails_the_test() {
    let platform = Sandbox::start_platform().await;
    let call = platform.client().main().get_dataset().dataset(COMMUNES).call().query("colour", "red");
    call.send().await.expect_err("no such parameter");
    let words = complaint(|| drop(platform));
    assert!(words.contains("`colour`: not declared"), "{words}");
}

#[tokio::test]
async fn a_request_to_another_host_is_not_sent_and_fails_the_test() {
    let platform = Sandbox::start_platform().await;
    let client = platform.client();
    for url in ["http://files.example.org/trees.csv", "https://files.example.org/trees.csv"] {
        client.file(RemoteFile::new(url)).bytes(1 << 20).await.expect_err("another host");
    }
    let words = complaint(|| drop(platform));
    assert!(words.contains("http://files.example.org/trees.csv"), "{words}");
    assert!(words.contains("CONNECT files.example.org:443"), "{words}");
}

#[tokio::test]
async fn a_panic_of_the_test_is_not_replaced_by_that_of_the_sandbox() {
    let platform = Sandbox::start_platform().await;
    platform.on(|client| client.main().list_datasets()).status(404);
    let words = complaint(move || {
        let _platform = platform;
        panic!("the reason");
    });
    assert_eq!(words, "the reason");
}

#[tokio::test]
async fn conditions_match_query_header_and_body() {
    let platform = Sandbox::start_platform().await;
    let create = || platform.on(|client| client.main().create_dataset());
    create().header("x-api-key", "stranger").status(403);
    create()
        .when("the title is in capitals", |request| {
            request.json()["title"].as_str().is_some_and(|title| title.to_uppercase() == title)
        })
        .error(ServerError::fields([("title", "Ne criez pas.")]));
    platform.on(|client| client.main().list_datasets()).query("page_size", "1").status(404);
    let body = || DatasetInput::new("OAKS", "All of them.");
    let error = platform.client_of(User::Stranger).main().create_dataset().body(body()).send().await;
    assert_eq!(error.expect_err("capitals go first").field_errors()[0].message, "Ne criez pas.");
    let body = DatasetInput::new("Oaks", "All of them.");
    let error = platform.client_of(User::Stranger).main().create_dataset().body(body).send().await;
    assert!(error.expect_err("a stranger").is_forbidden());
    platform.client().main().list_datasets().page_size(1).send().await.expect_err("as the rule says");
}

#[tokio::test]
async fn reply_with_makes_the_response_from_the_request() {
    let platform = Sandbox::start_platform().await;
    let example = platform.example(|client| client.main().get_dataset());
    platform.on(|client| client.main().get_dataset()).reply_with(move |request| {
        let mut dataset = example.clone();
        dataset.title = request.path.rsplit('/').nth(1).unwrap_or_default().to_uppercase();
        dataset
    });
    let client = platform.client();
    assert_eq!(client.main().get_dataset().dataset("oaks").send().await.expect("a dataset").title, "OAKS");
}

#[tokio::test]
async fn the_mask_of_a_request_applies_to_replies() {
    let platform = Sandbox::start_platform().await;
    let example = platform.example(|client| client.main().get_dataset());
    platform.on(|client| client.main().get_dataset()).reply(example);
    let call = platform.client().main().get_dataset().dataset("x").fields_raw("id,title");
    let body = call.json::<serde_json::Value>().send().await.expect("a part");
    assert_eq!(body.as_object().map(|body| body.len()), Some(2));
}

#[tokio::test]
async fn the_client_reports_each_fault_without_real_delays() {
    clock::by_steps();
    let platform = Sandbox::start_platform().await;
    let client = platform.client();
    let get = || {
        client
            .main()
            .get_dataset()
            .dataset(COMMUNES)
            .call()
            .head_timeout(Duration::from_secs(2))
            .idle_timeout(Duration::from_secs(2))
    };
    let on = || platform.on(|client| client.main().get_dataset());
    let attempts = async || {
        let before = platform.received().len();
        get().send().await.expect("the last attempt");
        platform.received().len() - before
    };
    type Verb = fn(On<'_, Dataset>) -> On<'_, Dataset>;
    let verbs: [Verb; 5] =
        [|on| on.reset(), |on| on.cut_at(10), |on| on.wrong_length(9), |on| on.stall(), |on| on.stall_at(10)];
    for verb in verbs {
        verb(on()).then_platform();
        assert_eq!(attempts().await, 2);
    }
    on().delay(Duration::from_secs(1)).drip(Duration::ZERO).then_platform();
    assert_eq!((attempts().await, attempts().await), (1, 1));
    on().malformed().then_platform();
    assert!(get().send().await.expect_err("half of JSON").is_decode());
    on().too_many_requests(31);
    assert_eq!(get().send().await.expect_err("a long wait").retry_after(), Some(Duration::from_secs(31)));
}

#[tokio::test]
async fn an_upload_that_is_reset_is_not_served() {
    let platform = Sandbox::start_platform().await;
    let upload = platform.on(|client| client.main().upload_new_dataset_resource());
    upload.reset_upload_at(1_000).then_platform();
    let client = platform.client_of(User::Editor);
    let file = || datagouv::File::from_bytes("trees.csv", "code,nom\n1,Orme\n".repeat(10_000));
    client.dataset(CHARGING_POINTS).upload(file()).send().await.expect_err("reset");
    let dataset = client.dataset(CHARGING_POINTS).get().await.expect("a dataset");
    assert_eq!(dataset.resources.len(), 1);
    client.dataset(CHARGING_POINTS).upload(file()).send().await.expect("the second time");
    assert_eq!(platform.received().of("upload_new_dataset_resource").len(), 2);
}

#[tokio::test]
async fn a_rule_for_a_path_applies_to_a_file() {
    let platform = Sandbox::start_platform().await;
    let url = platform.serve_file("/trees.csv", "text/csv", "code\n1\n".repeat(1_000));
    platform.on_path("/trees.csv").cut_at(100).then_platform();
    let data = platform.client().file(RemoteFile::new(url.as_str())).bytes(1 << 20).await.expect("resumed");
    assert_eq!((data.len(), platform.received().of_path("/trees.csv").len()), (7_000, 2));
}

#[tokio::test]
async fn permissions_depend_on_the_user_of_the_key() {
    let platform = Sandbox::start_platform().await;
    let update =
        async |client: datagouv::Client| client.dataset(COMMUNES).update(|dataset| dataset.title("Towns")).await;
    assert!(update(platform.client()).await.expect_err("no key").is_unauthorized());
    assert!(update(platform.client_of(User::Revoked)).await.expect_err("an old key").is_unauthorized());
    assert!(update(platform.client_of(User::Stranger)).await.expect_err("a stranger").is_forbidden());
    update(platform.client_of(User::Editor)).await.expect("an editor");
}

#[tokio::test]
async fn panics_on_an_unknown_operation() {
    let platform = Sandbox::start_platform().await;
    let words = complaint(|| drop(platform.received().of("create_resources")));
    assert!(words.contains("create_resources"), "{words}");
}

#[tokio::test]
async fn a_rule_for_any_request_fails_the_nth() {
    let platform = Sandbox::start_platform().await;
    platform.on_any().platform().times(2).fault(Fault::status(400)).then_platform();
    let client = platform.client();
    let mut failed = Vec::new();
    for number in 1..=4 {
        if client.dataset(COMMUNES).get().await.is_err() {
            failed.push(number);
        }
    }
    assert_eq!(failed, [3]);
}
