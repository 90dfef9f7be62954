//! Requests to a platform, whose responses have to satisfy the documents.

use datagouv_sandbox::response::declared_schema;
use datagouv_sandbox::route::Routes;
use datagouv_sandbox::validate::{Checker, Direction};
use datagouv_sandbox::{Api, Document, Sandbox};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

pub struct Visitor {
    pub sandbox: Sandbox,
    pub client: Client,
    documents: Vec<Document>,
}

impl Visitor {
    pub async fn new() -> Self {
        let client = crate::support::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let documents = Document::corrected().expect("the corrected documents");
        Self { sandbox: Sandbox::start_platform().await, client, documents }
    }

    pub fn request(&self, method: Method, api: Api, path: &str) -> RequestBuilder {
        self.client.request(method, self.sandbox.url(api) + path)
    }

    /// Status and JSON body of the response; the body of a success must satisfy the document.
    pub async fn send(&self, request: RequestBuilder) -> (u16, Value) {
        let response = request.send().await.expect("a response");
        let (status, masked) = (response.status(), response.headers().contains_key("x-masked"));
        let text = response.text().await.expect("a body");
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let received = self.sandbox.take_requests().pop().expect("a request");
        assert_eq!(received.violation, None, "{}", received.path);
        let mask = received.header("x-fields").is_some() || masked;
        if status.is_success() && !mask && (body.is_object() || body.is_array()) {
            let api = received.api.expect("an API");
            let document = self.documents.iter().find(|document| document.api() == api).expect("a document");
            let routes = Routes::new(document);
            let id = received.operation_id.expect("an operation");
            let operation = routes.operations().find(|operation| operation.id == id).expect("the operation");
            if let Some(schema) = declared_schema(document, operation) {
                let checked = Checker::new(document, Direction::Response).check(schema, &body);
                assert_eq!(checked.map_err(|mismatch| mismatch.to_string()), Ok(()), "{id}");
            }
        }
        (status.as_u16(), body)
    }

    pub async fn get(&self, api: Api, path: &str) -> (u16, Value) {
        self.send(self.request(Method::GET, api, path)).await
    }
}
