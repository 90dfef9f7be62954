//! The spans of a call. A test binary of its own, since spans of concurrent tests would be recorded too.

use std::sync::{Arc, Mutex};

use datagouv::{Api, Client, ClientBuilder};
use datagouv_sandbox::Reply;
use datagouv_sandbox::fault::FaultServer;
use serde_json::json;

const KEY: &str = "udata_a-key-that-must-not-be-seen";

fn client_of(server: &FaultServer) -> ClientBuilder {
    Client::builder().base_url(Api::Main, format!("{}/api/1", server.origin()))
}

#[test]
fn a_span_of_a_call_has_neither_its_query_nor_its_key() {
    let spans = Spans::default();
    let recorded = Arc::clone(&spans.0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(spans, || {
        runtime.block_on(async {
            let server = FaultServer::responding(|_| Reply::json(200, &json!({"fine": true}))).await;
            for with_query in [false, true] {
                let client = client_of(&server).api_key(KEY).trace_queries(with_query).build().unwrap();
                client.request(Api::Main, "GET", "/x").query("q", "mine").send().await.unwrap();
            }
        });
    });
    let recorded = recorded.lock().unwrap();
    let (quiet, with_query) = (&recorded[0], &recorded[1]);
    for field in ["operation=request", "method=GET", "status=200", "attempts=1", "bytes=13", "outcome=success"] {
        assert!(quiet.iter().any(|recorded| recorded.replace('"', "") == field), "{field}: {quiet:?}");
    }
    assert!(!format!("{quiet:?}").contains("mine") && format!("{with_query:?}").contains("q=mine"), "{recorded:?}");
    assert!(!format!("{recorded:?}").contains(KEY));
}

/// Records the fields of spans named `datagouv`, and enables no others.
#[derive(Default)]
struct Spans(Arc<Mutex<Vec<Vec<String>>>>);

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span() && metadata.name() == "datagouv"
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        let mut spans = self.0.lock().unwrap();
        let mut fields = Vec::new();
        span.record(&mut Fields(&mut fields));
        spans.push(fields);
        tracing::span::Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        let index = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut Fields(&mut self.0.lock().unwrap()[index]));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Fields<'a>(&'a mut Vec<String>);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.push(format!("{}={value:?}", field.name()));
    }
}
