//! Masks derived from types.

use std::collections::HashMap;

use datagouv::{Api, Client};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::AIR_QUALITY;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

async fn platform() -> (Sandbox, Client) {
    let sandbox = Sandbox::start_platform().await;
    let builder = Client::builder().base_url(Api::Main, sandbox.url(Api::Main)).api_key("key");
    let client = builder.base_url(Api::MainV2, sandbox.url(Api::MainV2)).build().unwrap();
    (sandbox, client)
}

/// The mask that is sent for a type, in the order of the schema's names.
async fn mask_of<T: DeserializeOwned + JsonSchema>() -> String {
    let (_sandbox, client) = platform().await;
    let call = client.main().get_dataset().dataset(AIR_QUALITY).fields::<T>();
    call.request().expect("a mask").headers()["x-fields"].to_str().unwrap().to_owned()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Organization {
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Found {
    title: String,
    organization: Option<Organization>,
}

#[tokio::test]
async fn requests_the_fields_of_the_type_and_no_others() {
    let (sandbox, client) = platform().await;
    let found = client.main().get_dataset().dataset(AIR_QUALITY).fields::<Found>().send().await.unwrap();
    assert!(!found.title.is_empty() && found.organization.as_ref().is_some_and(|found| !found.name.is_empty()));
    assert_eq!(sandbox.requests()[0].header("x-fields"), Some("organization{name},title"));
    let body = client.main().get_dataset().dataset(AIR_QUALITY).fields::<Value>();
    let masked =
        client.main().get_dataset().dataset(AIR_QUALITY).fields::<Found>().json::<Value>().send().await.unwrap();
    let names: Vec<&String> = masked.as_object().unwrap().keys().collect();
    assert_eq!(names, ["organization", "title"]);
    let whole = body.send().await.unwrap();
    assert!(masked.to_string().len() * 10 < whole.to_string().len(), "a tenth of the bytes");
}

#[tokio::test]
async fn a_page_keeps_its_envelope() {
    let (sandbox, client) = platform().await;
    let page = client.main().list_datasets().page_size(2).fields::<Found>().send().await.unwrap();
    assert_eq!((page.data.len(), page.total, page.page, page.page_size), (2, Some(4), Some(1), Some(2)));
    assert!(page.next_page.is_some() && page.previous_page.is_none());
    let mask = "data{id,organization{name},title},next_page,page,page_size,previous_page,total";
    assert_eq!(sandbox.requests()[0].header("x-fields"), Some(mask));
}

#[tokio::test]
async fn every_request_of_a_list_has_the_mask() {
    let (sandbox, client) = platform().await;
    sandbox.add_datasets(10);
    let mut items = client.main().list_datasets().page_size(4).fields::<Found>().items().concurrency(3);
    let mut titles = Vec::new();
    while let Some(item) = items.next().await {
        titles.push(item.unwrap().title);
    }
    assert_eq!((titles.len(), items.total()), (14, Some(14)));
    let requests = sandbox.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.header("x-fields").is_some_and(|mask| mask.contains("data{id,"))));
}

#[tokio::test]
async fn pages_of_plain_fields_are_larger_unless_their_size_is_given() {
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only the mask matters")]
    struct Titled {
        title: String,
    }
    let (sandbox, client) = platform().await;
    let list = || client.main().list_datasets();
    list().fields::<Titled>().items().next().await.unwrap().unwrap();
    list().fields::<Titled>().items().limit(7).next().await.unwrap().unwrap();
    list().page_size(3).fields::<Titled>().items().next().await.unwrap().unwrap();
    list().fields::<Found>().items().next().await.unwrap().unwrap();
    list().fields_raw("*").items().next().await.unwrap().unwrap();
    list().fields_raw("data{id,title},next_page").items().next().await.unwrap().unwrap();
    let requests = sandbox.requests();
    let parameters = requests.iter().flat_map(|request| &request.query_pairs);
    let sizes: Vec<&str> = parameters.filter(|(name, _)| name == "page_size").map(|(_, size)| size.as_str()).collect();
    assert_eq!(sizes, ["500", "7", "3", "100", "100", "500"]);
}

/// Items are identified by `id`, even if the type does not have it.
#[tokio::test]
async fn items_that_move_are_yielded_once_without_an_id_in_the_type() {
    let (_sandbox, client) = platform().await;
    let mut pages = client.main().list_datasets().sort("-created").page_size(2).fields::<Found>().pages();
    let first = pages.next().await.unwrap().unwrap();
    let body = datagouv::main::types::DatasetInput::new("d", "A new one comes first");
    client.main().create_dataset().body(body).send().await.unwrap();
    let second = pages.next().await.unwrap().unwrap();
    assert_eq!((first.data.len(), second.data.len()), (2, 1));
    assert_ne!(first.data[1].title, second.data[0].title);
}

#[tokio::test]
async fn an_explicit_mask_is_sent_unchanged() {
    let (sandbox, client) = platform().await;
    let page = client.main().list_datasets().fields_raw("data{id,title},next_page").send().await.unwrap();
    assert!(page.data.iter().all(|dataset| !dataset.title.is_empty() && dataset.description.is_empty()));
    assert_eq!(sandbox.requests()[0].header("x-fields"), Some("data{id,title},next_page"));
}

#[tokio::test]
async fn refuses_a_mask_with_unbalanced_braces() {
    let (sandbox, client) = platform().await;
    for mask in ["data{id", "data}id{", "id}"] {
        let error = client.main().list_datasets().fields_raw(mask).send().await.unwrap_err();
        assert!(error.is_request() && error.to_string().contains(mask), "{error}");
    }
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn uses_the_names_of_serde() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    #[allow(dead_code)]
    struct Renamed {
        created_at: String,
        #[serde(rename(serialize = "written", deserialize = "last_update"))]
        read: String,
        #[serde(skip)]
        skipped: String,
        #[serde(default)]
        slug: String,
    }
    assert_eq!(mask_of::<Renamed>().await, "createdAt,last_update,slug");
}

#[tokio::test]
async fn requests_the_fields_of_nested_optional_and_listed_types() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Checksum {
        value: String,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Resource {
        url: String,
        checksum: Option<Box<Checksum>>,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Dataset {
        tags: Option<Vec<String>>,
        resources: Vec<Option<Resource>>,
        publisher: (Organization, Checksum),
    }
    assert_eq!(mask_of::<Dataset>().await, "publisher{name,value},resources{checksum{value},url},tags");
    assert_eq!(mask_of::<Vec<Dataset>>().await, mask_of::<Dataset>().await);
}

#[tokio::test]
async fn flattened_fields_are_at_their_outer_level() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Dates {
        created_at: String,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Dataset {
        id: String,
        #[serde(flatten)]
        dates: Dates,
        #[serde(flatten)]
        organization: Option<Found>,
    }
    assert_eq!(mask_of::<Dataset>().await, "created_at,id,organization{name},title");
}

#[tokio::test]
async fn requests_maps_and_values_as_a_whole_and_flattened_rests_by_a_star() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Extras {
        extras: HashMap<String, Organization>,
        harvest: Option<Value>,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct AndTheRest {
        organization: Organization,
        #[serde(flatten)]
        rest: HashMap<String, Value>,
    }
    assert_eq!(mask_of::<Extras>().await, "extras,harvest");
    assert_eq!(mask_of::<AndTheRest>().await, "organization{name},*");
    assert_eq!(mask_of::<Value>().await, "*");
    assert_eq!(mask_of::<HashMap<String, Value>>().await, "*");
}

#[tokio::test]
async fn requests_the_fields_of_every_variant_of_an_enum() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Owner {
        Organization { name: String },
        User { first_name: String, last_name: String },
    }
    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum License {
        Id(String),
        Full { id: String, title: String },
    }
    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "class")]
    #[allow(dead_code)]
    enum Subject {
        Dataset { id: String },
        Reuse { id: String, title: String },
    }
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Frequency {
        Daily,
        Monthly,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Dataset {
        owner: Owner,
        license: License,
        subject: Subject,
        frequency: Option<Frequency>,
    }
    let mask = "frequency,license,owner{first_name,last_name,name},subject{class,id,title}";
    assert_eq!(mask_of::<Dataset>().await, mask);
}

#[tokio::test]
async fn a_type_of_two_fields_is_not_recursive() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Two {
        organization: Organization,
        publisher: Vec<Organization>,
    }
    assert_eq!(mask_of::<Two>().await, "organization{name},publisher{name}");
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Topic {
    title: String,
    within: Within,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Within {
    parents: Vec<Topic>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)]
struct Spaced {
    #[serde(rename = "the title")]
    title: String,
}

#[tokio::test]
async fn refuses_a_recursive_type_with_the_field() {
    let (sandbox, client) = platform().await;
    let error = client.main().list_datasets().fields::<Topic>().send().await.unwrap_err();
    assert!(error.is_request(), "{error}");
    assert!(error.to_string().contains("`within.parents`") && error.to_string().contains("Topic"), "{error}");
    let error = client.main().list_datasets().fields::<Within>().items().next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("`parents.within`"), "{error}");
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn refuses_a_name_that_a_mask_cannot_express() {
    let (sandbox, client) = platform().await;
    let error = client.main().get_dataset().dataset(AIR_QUALITY).fields::<Spaced>().send().await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains("`the title`"), "{error}");
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_type_decodes_responses_of_both_versions() {
    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    struct Named {
        id: String,
        title: String,
    }
    let (sandbox, client) = platform().await;
    let one = client.main().get_dataset().dataset(AIR_QUALITY).fields::<Named>().send().await.unwrap();
    let two = client.main_v2().get_dataset().dataset(AIR_QUALITY).fields::<Named>().send().await.unwrap();
    assert_eq!(*one, *two);
    let first = client.main().list_datasets().fields::<Named>().items().collect_up_to(9).await.unwrap();
    let second = client.main_v2().search_datasets().fields::<Named>().items().collect_up_to(9).await.unwrap();
    assert_eq!((first.len(), first), (4, second));
    let masks: Vec<_> =
        sandbox.requests().iter().map(|request| request.header("x-fields").map(str::to_owned)).collect();
    assert_eq!((&masks[0], &masks[2]), (&masks[1], &masks[3]));
}

#[cfg(feature = "schemars")]
#[tokio::test]
async fn requests_the_fields_of_a_generated_type_within_a_users_type() {
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Dataset {
        title: String,
        quality: datagouv::main::types::DatasetQuality,
    }
    let mask = mask_of::<Dataset>().await;
    assert!(mask.starts_with("quality{") && mask.ends_with("},title") && mask.contains("score"), "{mask}");
}
