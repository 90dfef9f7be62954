//! Streams of pages and items: which pages are requested, which items yielded, and when they end.

use std::collections::BTreeSet;
use std::time::Duration;

use datagouv::main::types::{Dataset, DatasetInput, DatasetPage, ListDatasetsSort};
use datagouv::{Api, Client, Page, Pages, Result};
use datagouv_sandbox::{Sandbox, clock};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

/// A platform with so many datasets.
async fn platform(datasets: usize) -> (Sandbox, Client) {
    let sandbox = Sandbox::start_platform().await;
    let client = Client::builder().base_url(Api::Main, sandbox.url(Api::Main)).api_key("key").build().unwrap();
    let there = client.main().list_datasets().send().await.unwrap().total as usize;
    sandbox.add_datasets(datasets - there);
    sandbox.take_requests();
    (sandbox, client)
}

/// The requested pages, with their sizes.
fn requested(sandbox: &Sandbox) -> Vec<(u64, u64)> {
    let number = |pairs: &[(String, String)], name: &str| {
        let found: Vec<u64> =
            pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.parse().unwrap()).collect();
        assert_eq!(found.len(), 1, "one `{name}` in {pairs:?}");
        found[0]
    };
    let requests = sandbox.requests();
    let lists = requests.iter().filter(|request| request.operation_id.as_deref() == Some("list_datasets"));
    lists.map(|request| (number(&request.query_pairs, "page"), number(&request.query_pairs, "page_size"))).collect()
}

fn ids(page: &DatasetPage) -> Vec<&str> {
    page.data.iter().map(|dataset| dataset.id.as_str()).collect()
}

async fn all(mut pages: Pages<DatasetPage>) -> Vec<DatasetPage> {
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        all.push(page.unwrap());
    }
    all
}

fn page_of(ids: &[&str], page: u64, total: u64) -> String {
    let data: Vec<Value> = ids.iter().map(|id| json!({"id": id, "title": "t"})).collect();
    let next = "http://elsewhere.invalid/api/1/datasets/?page=2";
    json!({"data": data, "page": page, "page_size": 2, "total": total, "next_page": next}).to_string()
}

#[tokio::test]
async fn yields_every_item_once_in_order() {
    let (sandbox, client) = platform(10).await;
    let whole = client.main().list_datasets().page_size(10).send().await.unwrap().into_inner();
    sandbox.take_requests();
    let walked: Vec<Dataset> = client.main().list_datasets().page_size(4).items().try_collect().await.unwrap();
    assert_eq!(walked, whole.data);
    assert_eq!(requested(&sandbox), [(1, 4), (2, 4), (3, 4)]);
}

#[tokio::test]
async fn does_not_follow_next_page_links() {
    let (sandbox, client) = platform(4).await;
    sandbox.respond_once("list_datasets", 200, &[], page_of(&["a", "b"], 1, 4));
    sandbox.respond_once("list_datasets", 200, &[], page_of(&["c", "d"], 2, 4));
    let mut pages = client.main().list_datasets().page_size(2).pages();
    assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["a", "b"]);
    assert_eq!(ids(&pages.next().await.unwrap().unwrap()), ["c", "d"]);
    assert_eq!(requested(&sandbox), [(1, 2), (2, 2)]);
}

#[tokio::test]
async fn requests_pages_lazily() {
    let (sandbox, client) = platform(10).await;
    let mut pages = client.main().list_datasets().page_size(2).pages();
    assert_eq!((requested(&sandbox), pages.total()), (vec![], None));
    pages.next().await.unwrap().unwrap();
    assert_eq!((requested(&sandbox), pages.total()), (vec![(1, 2)], Some(10)));
    pages.next().await.unwrap().unwrap();
    assert_eq!(requested(&sandbox), [(1, 2), (2, 2)]);
}

#[tokio::test]
async fn the_default_page_size_is_a_hundred() {
    let (sandbox, client) = platform(150).await;
    let pages = all(client.main().list_datasets().pages()).await;
    assert_eq!(pages.iter().map(|page| page.data.len()).collect::<Vec<_>>(), [100, 50]);
    assert_eq!(requested(&sandbox), [(1, 100), (2, 100)]);
}

#[tokio::test]
async fn starts_at_the_page_of_the_call() {
    let (sandbox, client) = platform(10).await;
    all(client.main().list_datasets().page(4).page_size(2).pages()).await;
    assert_eq!(requested(&sandbox), [(4, 2), (5, 2)]);
}

#[tokio::test]
async fn every_page_has_the_other_parameters_of_the_call() {
    let (sandbox, client) = platform(10).await;
    let call = client.main().list_datasets().q("données & autres").page_size(2).call().header("x-trace", "7");
    call.query("lang", "en").pages().collect_up_to(3).await.unwrap();
    let requests = sandbox.requests();
    assert_eq!(requests.len(), 1, "nothing is called so, which the first page says");
    sandbox.take_requests();
    let call = client.main().list_datasets().q("données").page_size(2).call().header("x-trace", "7");
    call.query("lang", "en").pages().collect_up_to(3).await.unwrap();
    for request in sandbox.requests() {
        let own: Vec<&(String, String)> =
            request.query_pairs.iter().filter(|(name, _)| !name.starts_with("page")).collect();
        assert_eq!(own, [&("q".to_owned(), "données".to_owned()), &("lang".to_owned(), "en".to_owned())]);
        assert_eq!(request.header("x-trace"), Some("7"));
    }
    assert_eq!(requested(&sandbox), [(1, 2), (2, 2), (3, 2)]);
}

#[tokio::test]
async fn a_missing_first_page_is_an_error() {
    let (sandbox, client) = platform(10).await;
    let mut pages = client.main().list_datasets().page(9).page_size(2).pages();
    assert!(pages.next().await.unwrap().unwrap_err().is_not_found());
    assert!(pages.next().await.is_none());
    assert_eq!(requested(&sandbox), [(9, 2)]);
}

#[tokio::test]
async fn a_shrinking_list_ends_at_its_new_end() {
    for concurrency in [1, 3] {
        let (sandbox, client) = platform(8).await;
        // Who owns datasets would find the deleted ones too.
        let list = client.main().list_datasets().deleted(false);
        let mut pages = list.page_size(2).pages().concurrency(concurrency);
        let first = pages.next().await.unwrap().unwrap();
        let second = pages.next().await.unwrap().unwrap();
        // Four are left: the third page is beyond the last.
        for id in ids(&first).into_iter().chain(ids(&second)) {
            client.main().delete_dataset().dataset(id).send().await.unwrap();
        }
        if concurrency == 1 {
            assert!(pages.next().await.is_none());
            assert_eq!(requested(&sandbox), [(1, 2), (2, 2), (3, 2)]);
        } else {
            // Those requested before it shrank.
            while let Some(page) = pages.next().await {
                page.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_growing_list_is_read_to_its_new_end() {
    let (sandbox, client) = platform(6).await;
    let list = client.main().list_datasets().sort(ListDatasetsSort::Created);
    let mut pages = list.page_size(2).pages().concurrency(4);
    let mut walked = ids(&pages.next().await.unwrap().unwrap()).len();
    sandbox.add_datasets(4);
    while let Some(page) = pages.next().await {
        walked += page.unwrap().data.len();
    }
    assert_eq!((walked, pages.total()), (10, Some(10)));
}

#[tokio::test]
async fn an_item_that_moved_to_a_later_page_is_yielded_once() {
    let (sandbox, client) = platform(9).await;
    let mut pages = client.main().list_datasets().sort("-created").page_size(3).pages();
    let first = pages.next().await.unwrap().unwrap();
    client.main().create_dataset().body(DatasetInput::new("d", "A new one comes first")).send().await.unwrap();
    let second = pages.next().await.unwrap().unwrap();
    assert_eq!(second.data.len(), 2, "the last of the first page is the first of the second");
    let mut seen: Vec<String> = first.data.into_iter().chain(second.data).map(|dataset| dataset.id).collect();
    while let Some(page) = pages.next().await {
        seen.extend(page.unwrap().data.into_iter().map(|dataset| dataset.id));
    }
    assert_eq!(seen.len(), 9);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 9);
    assert_eq!(requested(&sandbox), [(1, 3), (2, 3), (3, 3), (4, 3)]);
}

#[tokio::test]
async fn skips_a_page_whose_items_were_all_yielded() {
    let (_sandbox, client) = platform(6).await;
    let mut pages = client.main().list_datasets().sort("-created").page_size(2).pages();
    let first = pages.next().await.unwrap().unwrap();
    for title in ["One comes first", "Another does"] {
        client.main().create_dataset().body(DatasetInput::new("d", title)).send().await.unwrap();
    }
    let second = pages.next().await.unwrap().unwrap();
    assert!(ids(&second).iter().all(|id| !ids(&first).contains(id)));
    assert_eq!(all(pages).await.len(), 1);
}

#[tokio::test]
async fn a_repeated_page_ends_the_stream() {
    for second in [page_of(&["a", "b"], 1, 8), page_of(&["a", "b"], 2, 8), page_of(&["c", "d"], 1, 8)] {
        let (sandbox, client) = platform(4).await;
        sandbox.respond_once("list_datasets", 200, &[], page_of(&["a", "b"], 1, 8));
        sandbox.respond_once("list_datasets", 200, &[], second);
        assert_eq!(all(client.main().list_datasets().page_size(2).pages()).await.len(), 1);
        assert_eq!(requested(&sandbox), [(1, 2), (2, 2)]);
    }
}

#[tokio::test]
async fn an_empty_page_ends_the_stream() {
    let (sandbox, client) = platform(4).await;
    sandbox.respond_once("list_datasets", 200, &[], page_of(&["a", "b"], 1, 8));
    sandbox.respond_once("list_datasets", 200, &[], page_of(&[], 2, 8));
    assert_eq!(all(client.main().list_datasets().page_size(2).pages()).await.len(), 1);
    assert_eq!(requested(&sandbox), [(1, 2), (2, 2)]);
}

#[tokio::test]
async fn an_empty_list_is_an_empty_page_and_no_items() {
    let (sandbox, client) = platform(4).await;
    let mut pages = client.main().list_datasets().tag("no-such-tag").pages();
    assert!(pages.next().await.unwrap().unwrap().data.is_empty());
    assert_eq!((pages.next().await.is_none(), pages.total()), (true, Some(0)));
    let items = client.main().list_datasets().tag("no-such-tag").items().collect_up_to(5).await.unwrap();
    assert!(items.is_empty());
    assert_eq!(requested(&sandbox), [(1, 100), (1, 5)]);
}

#[tokio::test]
async fn limits_requests_in_flight_and_keeps_the_order_of_pages() {
    clock::by_steps();
    let (sandbox, client) = platform(60).await;
    sandbox.delay_once("list_datasets", Duration::ZERO);
    for _ in 0..4 {
        sandbox.delay_once("list_datasets", Duration::from_secs(1));
    }
    let walked: Vec<Dataset> =
        client.main().list_datasets().page_size(4).items().concurrency(4).try_collect().await.unwrap();
    assert_eq!(sandbox.peak_in_flight(), 4);
    let mut pages: Vec<u64> = requested(&sandbox).into_iter().map(|(page, _)| page).collect();
    assert_eq!(pages[0], 1);
    pages.sort_unstable();
    assert_eq!(pages, (1..=15).collect::<Vec<u64>>());
    let whole = client.main().list_datasets().page_size(60).send().await.unwrap().into_inner();
    assert_eq!(walked, whole.data);
}

#[tokio::test]
async fn a_dropped_stream_sends_no_more_requests() {
    clock::by_steps();
    let (sandbox, client) = platform(60).await;
    let mut pages = client.main().list_datasets().page_size(2).pages().concurrency(4);
    pages.next().await.unwrap().unwrap();
    pages.next().await.unwrap().unwrap();
    drop(pages);
    // The requests in flight arrive, and no others: the second page and three more.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(requested(&sandbox).len() <= 5, "{:?}", requested(&sandbox));
}

#[tokio::test]
async fn a_cancelled_poll_loses_no_item() {
    clock::by_steps();
    let (sandbox, client) = platform(4).await;
    sandbox.delay_once("list_datasets", Duration::from_millis(500));
    let mut pages = client.main().list_datasets().page_size(2).pages();
    assert!(tokio::time::timeout(Duration::from_millis(50), pages.next()).await.is_err());
    let first = pages.next().await.unwrap().unwrap();
    assert_eq!((first.page, requested(&sandbox)), (1, vec![(1, 2)]));
}

#[tokio::test]
async fn a_limit_requests_only_the_pages_that_it_needs() {
    let (sandbox, client) = platform(60).await;
    let list = || client.main().list_datasets();
    assert_eq!(list().items().collect_up_to(7).await.unwrap().len(), 7);
    assert_eq!(requested(&sandbox), [(1, 7)]);
    sandbox.take_requests();
    assert_eq!(list().page_size(3).items().concurrency(8).collect_up_to(7).await.unwrap().len(), 7);
    assert_eq!(requested(&sandbox), [(1, 3), (2, 3), (3, 3)]);
    sandbox.take_requests();
    assert_eq!(list().page_size(3).pages().concurrency(8).collect_up_to(2).await.unwrap().len(), 2);
    assert_eq!(requested(&sandbox), [(1, 3), (2, 3)]);
    sandbox.take_requests();
    assert!(list().items().collect_up_to(0).await.unwrap().is_empty());
    assert_eq!(requested(&sandbox), []);
}

#[tokio::test]
async fn an_error_ends_the_stream() {
    let (sandbox, client) = platform(10).await;
    let mut pages = client.main().list_datasets().page_size(2).pages().concurrency(2);
    pages.next().await.unwrap().unwrap();
    sandbox.respond_once("list_datasets", 403, &[], r#"{"message": "no"}"#);
    assert!(pages.next().await.unwrap().unwrap_err().is_forbidden());
    assert!(pages.next().await.is_none());
}

#[tokio::test]
async fn a_page_that_cannot_be_decoded_is_an_error() {
    let (sandbox, client) = platform(10).await;
    for body in [r#"{"data": "none", "total": 10}"#, "<html>"] {
        let mut items = client.main().list_datasets().page_size(2).items();
        items.next().await.unwrap().unwrap();
        items.next().await.unwrap().unwrap();
        sandbox.respond_once("list_datasets", 200, &[("content-type", "application/json")], body);
        let error = items.next().await.unwrap().unwrap_err();
        assert!(error.is_decode(), "{error}");
        assert!(items.next().await.is_none());
    }
}

#[tokio::test]
async fn skips_an_item_that_cannot_be_decoded() {
    let (sandbox, client) = platform(6).await;
    let all: Vec<String> = client
        .main()
        .list_datasets()
        .page_size(2)
        .items()
        .collect_up_to(9)
        .await
        .unwrap()
        .into_iter()
        .map(|dataset| dataset.id)
        .collect();
    let mut items = client.main().list_datasets().page_size(2).items();
    assert_eq!(items.next().await.unwrap().unwrap().id, all[0]);
    assert_eq!(items.next().await.unwrap().unwrap().id, all[1]);
    // Items of the previous page, an invalid item, and new ones.
    let body = format!(
        r#"{{"data": [{{"id": "{}"}}, null, "?", {{"id": "{}"}}], "total": 6, "page": 2, "page_size": 2}}"#,
        all[1], all[3]
    );
    sandbox.respond_once("list_datasets", 200, &[("content-type", "application/json")], body);
    let rest: Vec<String> = items.collect_up_to(9).await.unwrap().into_iter().map(|dataset| dataset.id).collect();
    assert_eq!(rest, all[3..]);
}

#[tokio::test]
async fn an_invalid_call_is_an_error_and_sends_nothing() {
    let (sandbox, client) = platform(4).await;
    let mut pages = client.main().list_dataset_followers().pages();
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(error.is_request(), "{error}");
    assert!(pages.next().await.is_none());
    assert!(sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_bare_list_is_one_page() {
    let (sandbox, client) = platform(4).await;
    // The operation knows nothing of pages; the platform ignores unknown parameters.
    sandbox.tolerate_violations(true);
    let call = client.request(Api::Main, "GET", "/datasets/licenses/").json::<Vec<Value>>();
    assert_eq!(call.pages().collect_up_to(9).await.unwrap().len(), 1);
    assert_eq!(sandbox.requests().len(), 1);
}

#[tokio::test]
async fn pages_of_a_users_type_are_streamed() -> Result<()> {
    #[derive(serde::Deserialize)]
    struct Titled {
        title: String,
    }
    let (sandbox, client) = platform(10).await;
    let mut items = client.main().list_datasets().page_size(4).call().json::<Page<Titled>>().items();
    let mut titles = BTreeSet::new();
    while let Some(item) = items.next().await {
        titles.insert(item?.title);
    }
    assert_eq!((titles.len(), items.total()), (10, Some(10)));
    assert_eq!(requested(&sandbox), [(1, 4), (2, 4), (3, 4)]);
    Ok(())
}

#[tokio::test]
async fn requests_pages_one_by_one_without_a_total() {
    let (sandbox, client) = platform(6).await;
    let pages = client.main().list_datasets().page_size(2).fields_raw("data{id}").pages().concurrency(8);
    assert_eq!(all(pages).await.len(), 3);
    assert_eq!(requested(&sandbox), [(1, 2), (2, 2), (3, 2), (4, 2)]);
    assert_eq!(sandbox.peak_in_flight(), 1);
}

#[tokio::test]
async fn a_stream_can_be_spawned() {
    let (_sandbox, client) = platform(10).await;
    let items = client.main().list_datasets().page_size(4).items().concurrency(2);
    let walk = tokio::spawn(async move {
        let mut items = items;
        let mut found = 0;
        while let Some(item) = items.next().await {
            item.unwrap();
            found += 1;
        }
        found
    });
    assert_eq!(walk.await.unwrap(), 10);
}
