//! A service that is tested without the platform: fifty lines, and five tests.
//!
//! `cargo test --example testing`; `cargo run --example testing` shows the service at work.

use datagouv::rows::col;
use datagouv::{Client, File, Result};

/// The open data of the trees of a town.
struct Trees {
    client: Client,
    dataset: String,
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Tree {
    name: String,
    height: f64,
}

impl Trees {
    fn new(client: Client, dataset: impl Into<String>) -> Self {
        Self { client, dataset: dataset.into() }
    }

    /// The title of the dataset; `None` if there is no such dataset.
    async fn title(&self) -> Result<Option<String>> {
        match self.client.dataset(&self.dataset).get().await {
            Ok(dataset) => Ok(Some(dataset.title)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The trees of the first file that are higher than so many metres, the highest first.
    async fn higher_than(&self, metres: f64) -> Result<Vec<Tree>> {
        let dataset = self.client.dataset(&self.dataset).get().await?;
        let Some(file) = dataset.resources.first() else { return Ok(Vec::new()) };
        let rows = self.client.resource(file.id.to_string()).rows::<Tree>();
        rows.filter(col("height").gt(metres)).sort(col("height").desc()).collect(1_000).await
    }

    /// Publishes a file, on a second attempt if the first breaks off; returns its URL.
    async fn publish(&self, csv: &str) -> Result<String> {
        let file = || File::from_bytes("trees.csv", csv.to_owned());
        let upload = || self.client.dataset(&self.dataset).upload(file()).send();
        let resource = match upload().await {
            Err(error) if error.is_transport() => upload().await?,
            other => other?,
        };
        Ok(resource.url)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let platform = datagouv_sandbox::Sandbox::start_platform().await;
    let dataset = platform.dataset("Trees of the town").add();
    let trees = Trees::new(platform.client_of(datagouv_sandbox::User::Editor), dataset.id);
    println!("{}", trees.publish("name,height\nElm,12.5\nOak,9.0\nAsh,21.0\n").await?);
    println!("{:?}: {:?}", trees.title().await?, trees.higher_than(10.0).await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use datagouv_sandbox::{Sandbox, User};

    use super::{Tree, Trees};

    #[tokio::test]
    async fn the_title_is_that_of_the_dataset() {
        let platform = Sandbox::start_platform().await;
        let dataset = platform.dataset("Trees of the town").add();
        let trees = Trees::new(platform.client(), dataset.slug);
        assert_eq!(trees.title().await.unwrap().as_deref(), Some("Trees of the town"));
    }

    #[tokio::test]
    async fn a_dataset_that_is_not_there_has_no_title() {
        let platform = Sandbox::start_platform().await;
        assert_eq!(Trees::new(platform.client(), "bushes").title().await.unwrap(), None);
        // A refusal is another error.
        platform.on(|client| client.main().get_dataset().dataset("secret")).status(403);
        assert!(Trees::new(platform.client(), "secret").title().await.unwrap_err().is_forbidden());
    }

    #[tokio::test]
    async fn a_short_outage_goes_unnoticed() {
        let platform = Sandbox::start_platform().await;
        let dataset = platform.dataset("Trees").add();
        platform.on(|client| client.main().get_dataset()).status(503).times(2).then_platform();
        let trees = Trees::new(platform.client(), dataset.id);
        assert_eq!(trees.title().await.unwrap().as_deref(), Some("Trees"));
        assert_eq!(platform.received().of("get_dataset").len(), 3);
    }

    #[tokio::test]
    async fn an_upload_that_breaks_off_is_sent_again() {
        let platform = Sandbox::start_platform().await;
        let dataset = platform.dataset("Trees").add();
        let upload = platform.on(|client| client.main().upload_new_dataset_resource());
        upload.reset_upload_at(100).then_platform();
        let trees = Trees::new(platform.client_of(User::Editor), &dataset.id);
        trees.publish("name,height\nElm,12.5\n").await.unwrap();
        let kept = platform.client().dataset(&dataset.id).get().await.unwrap();
        assert_eq!(kept.resources.len(), 1);
    }

    #[tokio::test]
    async fn only_high_trees_are_read() {
        let platform = Sandbox::start_platform().await;
        let file = "name,height\nElm,12.5\nOak,9.0\nAsh,21.0\n";
        let dataset = platform.dataset("Trees").file("trees.csv", file).add();
        let trees = Trees::new(platform.client(), dataset.id).higher_than(10.0).await.unwrap();
        let tree = |name: &str, height| Tree { name: name.to_owned(), height };
        assert_eq!(trees, [tree("Ash", 21.0), tree("Elm", 12.5)]);
        // The server filters.
        assert!(platform.received().of("get_resource_data").iter().all(|request| request.query.contains("height")));
    }
}
