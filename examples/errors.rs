//! Shows what errors contain: status, refused fields, server messages.
//!
//! `cargo run --example errors`. Nothing is written: each request is refused or finds nothing.

mod support;

use std::process::ExitCode;

use clap::Parser;
use datagouv::main::types::DatasetInput;
use datagouv::{Api, Error, Filters};

use support::{Outcome, Server, heading};

#[derive(Parser)]
#[command(about = "What does an error contain?")]
struct Arguments {
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(errors(arguments).await)
}

async fn errors(arguments: Arguments) -> Outcome {
    let platform = arguments.server.open().await?;
    let client = &platform.client;

    heading("A dataset that is not there");
    show(client.main().get_dataset().dataset("no-such-dataset").send().await.err());

    heading("A dataset without a title");
    show(client.main().create_dataset().body(DatasetInput::new("", "")).send().await.err());

    heading("An argument that would lead to another path: nothing is sent");
    show(client.main().get_dataset().dataset("..").send().await.err());

    if platform.has(Api::Metrics) {
        heading("A model of metrics that is not there");
        show(client.metrics().get_metrics_by_model().model("dataset").send().await.err());

        heading("A column that is not there");
        let filters = Filters::from([("nowhere__exact", "1")]);
        show(client.metrics().get_metrics_by_model().model("datasets").filters(filters).send().await.err());
    }
    Ok(())
}

fn show(error: Option<Error>) {
    let Some(error) = error else {
        println!("  no error");
        return;
    };
    println!("  {error}");
    println!("  operation       {}", error.operation().unwrap_or("-"));
    println!("  status          {}", error.status().map_or_else(|| "-".to_owned(), |status| status.to_string()));
    let kinds = [
        ("not found", error.is_not_found()),
        ("gone", error.is_gone()),
        ("unauthorized", error.is_unauthorized()),
        ("forbidden", error.is_forbidden()),
        ("not sent", error.is_request()),
        ("no response", error.is_transport()),
        ("unreadable", error.is_decode()),
    ];
    let kinds: Vec<&str> = kinds.iter().filter(|(_, holds)| *holds).map(|(name, _)| *name).collect();
    println!("  it is           {}", if kinds.is_empty() { "-".to_owned() } else { kinds.join(", ") });
    println!("  the server says {}", error.server_message().as_deref().unwrap_or("-"));
    for refused in error.field_errors() {
        println!("  field {:<9} {}", refused.field, refused.message);
    }
}
