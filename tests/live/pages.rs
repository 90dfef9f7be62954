//! Streams of lists that change during the stream, and masks derived from types.

use std::collections::{BTreeSet, HashMap};

use datagouv::Client;
use datagouv::main::types::Dataset;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::run;
use crate::support::{dataset_with, organization, resource, unique};

/// Datasets of a new organization.
async fn datasets_of(client: &Client, organization: &str, count: usize) -> Vec<Dataset> {
    let mut made = Vec::new();
    for _ in 0..count {
        let owner = json!({"organization": {"class": "Organization", "id": organization}});
        made.push(dataset_with(client, owner).await);
    }
    made
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
struct Titled {
    title: String,
    organization: Option<Named>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
struct Named {
    name: String,
}

#[test]
fn yields_every_item_once_at_any_concurrency() {
    run(|live| async move {
        let client = live.user();
        let owner = organization(&client).await;
        let made: BTreeSet<String> =
            datasets_of(&client, &owner.id, 7).await.into_iter().map(|dataset| dataset.id).collect();
        for concurrency in [1, 3] {
            let list = client.main().list_datasets().organization(&owner.id).page_size(2);
            let found = list.items().concurrency(concurrency).collect_up_to(100).await.unwrap();
            assert_eq!(found.len(), 7);
            assert_eq!(found.into_iter().map(|dataset| dataset.id).collect::<BTreeSet<_>>(), made);
            let list = client.main().list_organization_datasets().org(&owner.id).page_size(3);
            let pages = list.pages().concurrency(concurrency).collect_up_to(100).await.unwrap();
            assert_eq!(pages.iter().map(|page| page.data.len()).collect::<Vec<_>>(), [3, 3, 1]);
        }
        let mut searched = client.main_v2().search_datasets().organization(&owner.id).page_size(3).items();
        let mut ids = BTreeSet::new();
        while let Some(dataset) = searched.next().await {
            ids.insert(dataset.unwrap().id);
        }
        assert_eq!((ids, searched.total()), (made, Some(7)));
    });
}

#[test]
fn a_list_that_shrinks_during_the_stream_ends() {
    run(|live| async move {
        let client = live.user();
        let owner = organization(&client).await;
        let made = datasets_of(&client, &owner.id, 4).await;
        // Deleted datasets are still found by those who may edit them.
        let reader = live.anonymous();
        let mut pages = reader.main().list_datasets().organization(&owner.id).page_size(2).pages();
        assert_eq!(pages.next().await.unwrap().unwrap().total, 4);
        for dataset in &made[..2] {
            client.main().delete_dataset().dataset(&dataset.id).send().await.unwrap();
        }
        assert!(pages.next().await.is_none());
        let beyond = reader.main().list_datasets().organization(&owner.id).page(2).page_size(2);
        assert!(beyond.pages().next().await.unwrap().unwrap_err().is_not_found());
    });
}

#[test]
fn an_item_that_moves_to_a_later_page_is_yielded_once() {
    run(|live| async move {
        let client = live.user();
        let owner = organization(&client).await;
        let made = datasets_of(&client, &owner.id, 5).await;
        let list = client.main().list_datasets().organization(&owner.id).sort("-created").page_size(2);
        let mut pages = list.fields::<Titled>().pages();
        let mut titles: Vec<String> = Vec::new();
        titles.extend(pages.next().await.unwrap().unwrap().data.into_iter().map(|found| found.title));
        datasets_of(&client, &owner.id, 1).await;
        while let Some(page) = pages.next().await {
            titles.extend(page.unwrap().data.into_iter().map(|found| found.title));
        }
        titles.sort();
        let mut expected: Vec<String> = made.into_iter().map(|dataset| dataset.title).collect();
        expected.sort();
        assert_eq!((titles, pages.total()), (expected, Some(6)));
    });
}

#[test]
fn a_type_selects_its_fields_of_objects_lists_and_searches() {
    run(|live| async move {
        let client = live.user();
        let owner = organization(&client).await;
        let made = datasets_of(&client, &owner.id, 2).await;
        let expected: BTreeSet<Titled> = made
            .iter()
            .map(|dataset| Titled {
                title: dataset.title.clone(),
                organization: Some(Named { name: owner.name.clone() }),
            })
            .collect();
        let one = client.main().get_dataset().dataset(&made[0].id).fields::<Titled>();
        let bytes = one.send().await.unwrap();
        assert!(expected.contains(&*bytes));
        let (v1, v2) = (client.main().list_datasets(), client.main_v2().search_datasets());
        let v1 = v1.organization(&owner.id).fields::<Titled>().items().collect_up_to(9).await.unwrap();
        let v2 = v2.organization(&owner.id).fields::<Titled>().items().collect_up_to(9).await.unwrap();
        assert_eq!(v1.into_iter().collect::<BTreeSet<_>>(), expected);
        assert_eq!(v2.into_iter().collect::<BTreeSet<_>>(), expected);
        let page = client.main().list_datasets().organization(&owner.id).page_size(1).fields::<Titled>();
        let page = page.send().await.unwrap();
        assert_eq!((page.total, page.page, page.page_size), (Some(2), Some(1), Some(1)));
        assert!(page.next_page.is_some() && page.previous_page.is_none());
    });
}

/// All that masks can express: lists of objects, null objects, maps, any value, all other fields.
#[test]
fn the_server_accepts_the_mask_of_every_type() {
    #[derive(Deserialize, JsonSchema)]
    struct Resource {
        title: String,
        checksum: Option<Checksum>,
    }
    #[derive(Deserialize, JsonSchema)]
    #[allow(dead_code)]
    struct Checksum {
        value: String,
    }
    #[derive(Deserialize, JsonSchema)]
    struct Wide {
        resources: Vec<Resource>,
        organization: Option<Named>,
        extras: HashMap<String, Value>,
        spatial: Option<Value>,
        #[serde(flatten)]
        rest: HashMap<String, Value>,
    }
    #[derive(Deserialize, JsonSchema)]
    struct License {
        id: String,
        title: String,
    }
    run(|live| async move {
        let client = live.user();
        let made = dataset_with(&client, json!({"extras": {"with": "a value"}})).await;
        resource(&client, &made.id).await;
        let wide = client.main().get_dataset().dataset(&made.id).fields::<Wide>().send().await.unwrap();
        assert_eq!((wide.resources.len(), wide.organization.is_none()), (1, true));
        assert!(!wide.resources[0].title.is_empty() && wide.resources[0].checksum.is_none());
        assert_eq!((wide.extras["with"].as_str(), wide.spatial.as_ref()), (Some("a value"), None));
        assert_eq!(wide.rest["title"], made.title.as_str());
        let whole = client.main().get_dataset().dataset(&made.id).fields::<Value>().send().await.unwrap();
        assert!(whole.as_object().unwrap().len() > 30);
        // A bare list: the mask is that of its items.
        let licenses = client.main().list_licenses().fields::<License>().send().await.unwrap();
        assert!(!licenses.is_empty());
        assert!(licenses.iter().all(|license| !license.id.is_empty() && !license.title.is_empty()));
        let title = unique("none");
        assert!(client.main().list_datasets().tag(title).fields::<Titled>().items().next().await.is_none());
    });
}
