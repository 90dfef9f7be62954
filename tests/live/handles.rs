//! Handles against the real platform.

use std::time::Duration;

use datagouv::File;
use datagouv::main::types::{DatasetInput, ResourceInput};
use datagouv::main_v2::types::{TopicElementInput, TopicInput};
use datagouv::objects::{ResourceKey, Wait};
use serde_json::json;

use crate::run;
use crate::support::{dataset_with, organization, unique};

#[test]
fn an_update_by_handle_keeps_the_other_fields() {
    run(|live| async move {
        let client = live.user();
        let extra = json!({
            "tags": ["eau", "mesure"], "temporal_coverage": {"start": "2019-01-01", "end": "2020-12-31"},
            "spatial": {"zones": ["country:fr"]}, "acronym": "AB", "extras": {"k": 1}, "license": "lov2"
        });
        let before = dataset_with(&client, extra).await;
        let handle = client.dataset(&before.id);
        let file = File::from_bytes("stations.csv", "id,nom\n1,Brest\n");
        let resource = handle.create_from_file(file, |update| update.title("Stations")).await.unwrap();
        assert_eq!(resource.title, "Stations");

        let title = unique("Renommé");
        let after = handle.update(|update| update.title(&title)).await.unwrap();
        assert_eq!(after.title, title);
        assert_eq!((&after.tags, &after.temporal_coverage), (&before.tags, &before.temporal_coverage));
        assert_eq!(
            (&after.spatial, &after.acronym, &after.license),
            (&before.spatial, &before.acronym, &before.license)
        );
        assert_eq!((&after.extras, after.resources.len()), (&before.extras, 1));

        let error = handle.update_unless_changed(&before, |update| update.title("Trop tard")).await.unwrap_err();
        assert!(error.is_conflict(), "{error}");
        handle.update_unless_changed(&after, |update| update.acronym("CD")).await.unwrap();
    });
}

#[test]
fn resources_are_sorted_and_compared_by_their_handles() {
    run(|live| async move {
        let client = live.user();
        let dataset = client.dataset(dataset_with(&client, json!({})).await.id);
        for title in ["b", "c", "a"] {
            dataset.create_remote(ResourceInput::remote(title, "https://example.org/x.csv")).await.unwrap();
        }
        let sorted = dataset.sort_resources(ResourceKey::Title.descending()).await.unwrap();
        let titles: Vec<&str> = sorted.iter().map(|resource| resource.title.as_str()).collect();
        assert_eq!(titles, ["c", "b", "a"]);
        let first = client.resource(&sorted[0].id);
        assert_eq!(first.get().await.unwrap().type_.as_str(), "main");
        first.update(|update| update.description("La plus récente")).await.unwrap();
        assert!(dataset.has_more_recent_update_than(&sorted[1].id).await.unwrap());
        assert!(!dataset.has_more_recent_update_than(&sorted[0].id).await.unwrap());
        let error = first.wait_for_analysis(Wait::up_to(Duration::ZERO)).await.unwrap_err();
        assert!(error.is_timeout(), "nobody analyses files here: {error}");
    });
}

#[test]
fn operations_that_need_an_id_work_with_a_slug() {
    run(|live| async move {
        let client = live.user();
        let made = dataset_with(&client, json!({})).await;
        let dataset = client.dataset(&made.slug);
        let followers = dataset.follow().await.unwrap();
        assert_eq!(dataset.unfollow().await.unwrap(), followers - 1);
        let discussion = dataset.discuss("Bonjour", "Quelle unité ?").await.unwrap();
        assert_eq!(discussion.subject.id, made.id);
        let closed = client.discussion(discussion.id).close_with("Le mètre.").await.unwrap();
        assert_eq!((closed.discussion.len(), closed.closed.is_some()), (2, true));
    });
}

#[test]
fn organizations_and_topics_have_what_their_handles_add() {
    run(|live| async move {
        let client = live.user();
        let organization = client.organization(organization(&client).await.id);
        let draft = DatasetInput::new(unique("Arbres"), "Tous.").private(true);
        let made = organization.create_dataset(draft).await.unwrap();
        assert_eq!(made.organization.unwrap().id, organization.id());

        let topic = client.topic(client.create_topic(TopicInput::new(unique("Eau")).tags(["eau"])).await.unwrap().id);
        let shown = dataset_with(&client, json!({})).await;
        topic.add_elements([TopicElementInput::dataset(&shown.id)]).await.unwrap();
        let name = unique("Eaux");
        let renamed = topic.update(|update| update.name(&name)).await.unwrap();
        assert_eq!((renamed.name.as_str(), &renamed.tags[..]), (name.as_str(), &["eau".to_owned()][..]));
        let elements = topic.elements().class("Dataset").send().await.unwrap();
        assert_eq!(elements.data.len(), 1, "an update leaves the elements where they are");
        topic.clear_elements().await.unwrap();
        topic.delete().await.unwrap();
    });
}
