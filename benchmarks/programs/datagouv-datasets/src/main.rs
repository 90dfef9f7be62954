//! The first datasets that are found for a word.

#[tokio::main]
pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = datagouv::Client::new()?;
    let page = client.main().list_datasets().q("transport").page_size(5).send().await?;
    for dataset in &page.data {
        println!("{} ({} resources)", dataset.title, dataset.resources.len());
    }
    Ok(())
}
