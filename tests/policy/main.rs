//! The policies of the client, against a server that fails on purpose: retries, budget, circuit breaker, limits,
//! timeouts, sizes, secrets, private networks, and events.

mod bodies;
mod limits;
mod observer;
mod origins;
mod retries;
mod timeouts;

use std::time::Duration;

use datagouv::main::types::UploadNewDatasetResourceForm;
use datagouv::{Api, Call, Client, ClientBuilder, File, Limits, RetryPolicy};
use datagouv_sandbox::Reply;
use datagouv_sandbox::fault::FaultServer;
use serde_json::{Value, json};

const KEY: &str = "udata_a-key-that-must-not-be-seen";
const SECOND: Duration = Duration::from_secs(1);

async fn server() -> FaultServer {
    FaultServer::responding(|_| Reply::json(200, &json!({"fine": true}))).await
}

/// A client with a short delay between attempts.
fn client_of(server: &FaultServer) -> ClientBuilder {
    Client::builder()
        .base_url(Api::Main, format!("{}/api/1", server.origin()))
        .api_key(KEY)
        .retries(quick())
        .limits(Limits::none())
}

fn quick() -> RetryPolicy {
    RetryPolicy::default().base_delay(Duration::from_millis(1))
}

async fn send(client: &Client, method: &str) -> datagouv::Result<Value> {
    client.request(Api::Main, method, "/x").send().await.map(datagouv::Response::into_inner)
}

fn upload(client: &Client, file: File) -> Call<Value> {
    let form = UploadNewDatasetResourceForm::new().file(file);
    client.main().upload_new_dataset_resource().dataset("d").body(form).call().json()
}
