//! The first repositories of an organisation.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = octocrab::Octocrab::builder().build()?;
    let page = client.orgs("etalab").list_repos().per_page(5).send().await?;
    for repository in &page.items {
        println!("{} ({} stars)", repository.name, repository.stargazers_count.unwrap_or_default());
    }
    Ok(())
}
