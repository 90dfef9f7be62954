//! Folders that follow topics and organizations of the real catalogue.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use datagouv::main::types::Dataset;
use datagouv::main_v2::types::{TopicElement, TopicElementInput, TopicInput};
use datagouv::mirror::{ChangeKind, MirrorReport, Orphans};
use datagouv::{Client, File};
use serde_json::json;

use crate::run;
use crate::support::{csv, dataset, dataset_with, organization, unique};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("datagouv-live-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A dataset with a file of this content.
async fn filled(client: &Client, dataset: Dataset, content: &'static str) -> Dataset {
    let file = File::from_bytes(csv().name(), content);
    client.dataset(&dataset.id).create_from_file(file, |update| update).await.unwrap();
    dataset
}

/// The content of the files of a report, by their dataset.
fn contents(report: &MirrorReport, folder: &Path) -> BTreeMap<String, String> {
    let content = |path: &PathBuf| {
        let relative = path.strip_prefix(folder).unwrap();
        assert_eq!(relative.components().count(), 2, "each dataset has a folder: {}", relative.display());
        std::fs::read_to_string(path).unwrap()
    };
    report.files.iter().map(|file| (file.dataset.clone(), content(&file.path))).collect()
}

#[test]
fn a_mirror_of_a_topic_follows_its_datasets_and_no_others() {
    run(|live| async move {
        let client = live.user();
        let folder = Folder::new("topic");
        let one = filled(&client, dataset(&client).await, "a;b\n1;2\n").await;
        let two = filled(&client, dataset(&client).await, "a;b\n3;4\n").await;
        filled(&client, dataset(&client).await, "elsewhere\n").await;
        let made = client.create_topic(TopicInput::new(unique("Sujet")).tags(["mobilite"])).await.unwrap();
        let topic = client.topic(&made.id);
        topic.add_elements([&one, &two].map(|dataset| TopicElementInput::dataset(&dataset.id))).await.unwrap();

        // By its slug as well.
        let by_slug = client.topic(&made.slug).mirror(&folder.0);
        let report = by_slug.clone().run().await.unwrap();
        assert_eq!(report.to_string(), "2 new");
        let expected = [(&one, "a;b\n1;2\n"), (&two, "a;b\n3;4\n")];
        let expected = BTreeMap::from(expected.map(|(dataset, content)| (dataset.id.clone(), content.to_owned())));
        assert_eq!(contents(&report, &folder.0), expected);
        assert_eq!(topic.mirror(&folder.0).run().await.unwrap().to_string(), "2 unchanged");

        let elements = topic.elements().send().await.unwrap();
        topic.remove_element(elements.data[1].id.as_str()).await.unwrap();
        assert_eq!(by_slug.clone().run().await.unwrap().to_string(), "1 unchanged, 1 orphaned");

        // The catalogue lists all datasets by a topic that it does not have.
        topic.delete().await.unwrap();
        for handle in [&topic, &client.topic(&made.slug)] {
            let error = handle.mirror(&folder.0).orphans(Orphans::Remove).run().await.unwrap_err();
            assert!(error.is_not_found() || error.is_gone(), "{error}");
            assert!(handle.datasets().await.is_err());
        }
        assert_eq!(contents(&report, &folder.0), expected, "nothing was removed");
    });
}

#[test]
fn a_watch_of_a_topic_reports_what_joins_changes_and_leaves() {
    run(|live| async move {
        let client = live.user();
        let one = filled(&client, dataset(&client).await, "a\n1\n").await;
        let two = filled(&client, dataset(&client).await, "a\n2\n").await;
        let topic = client.topic(client.create_topic(TopicInput::new(unique("Suivi")).tags(["eau"])).await.unwrap().id);
        topic.add_elements([TopicElementInput::dataset(&one.id)]).await.unwrap();

        let mut watch = topic.mirror("unused").watch(Duration::from_millis(100));
        let (told, mut changes) = tokio::sync::mpsc::unbounded_channel();
        let watching = tokio::spawn(async move {
            while let Some(change) = watch.next().await {
                told.send(change.unwrap()).unwrap();
            }
        });
        // The platform's analysis of each file is a change as well, at a time of its own.
        let mut reported = async |kind: ChangeKind, dataset: &str| {
            loop {
                let change = changes.recv().await.unwrap();
                assert!([&one.id, &two.id].contains(&&change.dataset), "{change}");
                if change.kind == kind && change.dataset == dataset {
                    break;
                }
            }
        };
        let remove = async |dataset: &str| {
            let elements = topic.elements().send().await.unwrap().into_inner().data;
            let of_dataset =
                |element: &&TopicElement| element.element.as_ref().is_some_and(|object| object.id == dataset);
            topic.remove_element(elements.iter().find(of_dataset).unwrap().id.as_str()).await.unwrap();
        };
        // The state at the first response is no change, and when that response was sent cannot be seen.
        loop {
            topic.add_elements([TopicElementInput::dataset(&two.id)]).await.unwrap();
            match tokio::time::timeout(Duration::from_secs(3), reported(ChangeKind::New, &two.id)).await {
                Ok(()) => break,
                Err(_) => remove(&two.id).await,
            }
        }
        let resource = client.dataset(&two.id).get().await.unwrap().resources.remove(0);
        let replaced = File::from_bytes(csv().name(), "a\n3\n");
        client.dataset(&two.id).resource(&resource.id).upload(replaced).send().await.unwrap();
        reported(ChangeKind::Changed, &two.id).await;
        remove(&one.id).await;
        reported(ChangeKind::Removed, &one.id).await;
        watching.abort();
    });
}

#[test]
fn a_mirror_of_an_organization_is_found_by_its_slug() {
    run(|live| async move {
        let client = live.user();
        let folder = Folder::new("organization");
        let owner = organization(&client).await;
        let made = dataset_with(&client, json!({"organization": {"class": "Organization", "id": owner.id}})).await;
        let made = filled(&client, made, "a;b\n5;6\n").await;
        let report = client.organization(&owner.slug).mirror(&folder.0).run().await.unwrap();
        assert_eq!(contents(&report, &folder.0), BTreeMap::from([(made.id, "a;b\n5;6\n".to_owned())]));
    });
}
