//! The plans that the README shows.

mod support;

use datagouv_datafusion::Options;

use support::{explain, serve};

const README: &str = include_str!("../README.md");

/// The blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let start = format!("\n```{language}\n");
    README.split(&start).skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

#[tokio::test]
async fn each_query_of_the_readme_has_the_plan_below_it() {
    let served = serve(Options::default()).await;
    let (queries, plans) = (blocks("sql"), blocks("text"));
    assert_eq!((queries.len(), plans.len()), (4, 4));
    let mut printed = Vec::new();
    for query in queries {
        let plan = explain(&served.context, query).await;
        let lines: Vec<&str> = plan.lines().map(str::trim).filter(|line| line.starts_with("Datagouv")).collect();
        printed.push(lines.join("\n"));
    }
    assert_eq!(printed, plans);
}
