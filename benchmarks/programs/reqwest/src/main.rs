//! The first datasets that are found for a word.

#[path = "../../../src/call/types.rs"]
mod types;

use types::DatasetPage;

#[tokio::main]
pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = "https://www.data.gouv.fr/api/1/datasets/?q=transport&page_size=5";
    let response = reqwest::Client::new().get(url).send().await?.error_for_status()?;
    let page: DatasetPage = response.json().await?;
    for dataset in &page.data {
        println!("{} ({} resources)", dataset.title, dataset.resources.len());
    }
    Ok(())
}
