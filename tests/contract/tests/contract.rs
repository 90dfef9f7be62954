//! Every operation of every API is called, and its request checked against the document.

use std::collections::BTreeSet;
use std::fmt::Display;

use datagouv_contract::document::Kind;
use datagouv_contract::sample::{Style, given};
use datagouv_contract::{Bench, CALLS, Call};
use datagouv_sandbox::Responses;
use datagouv_specs::Api;
use serde_json::{Value, json};

/// Failures of calls, reported together.
#[derive(Default)]
struct Report {
    calls: usize,
    failures: Vec<String>,
}

impl Report {
    fn add(&mut self, call: &Call, about: impl Display, faults: Vec<String>) -> bool {
        self.calls += 1;
        let shown = |fault: String| format!("{} {} ({about}): {fault}", call.api, call.operation_id);
        let passed = faults.is_empty();
        self.failures.extend(faults.into_iter().map(shown));
        passed
    }

    fn check(self) {
        assert!(self.calls >= CALLS.len(), "only {} calls were made", self.calls);
        let count = self.failures.len();
        assert!(count == 0, "{count} faults in {} calls:\n{}", self.calls, self.failures.join("\n"));
    }
}

#[tokio::test]
async fn every_call_satisfies_the_document() {
    let bench = Bench::start().await;
    let (mut report, mut passed) = (Report::default(), Vec::new());
    for call in CALLS {
        let (document, operation) = bench.operation(call);
        let (_, alternatives) = given(document, operation, Style::Full(0));
        let mut good = true;
        for number in 0..alternatives {
            let style = Style::Full(number);
            good &= report.add(call, format_args!("{style:?}"), bench.faults(call, style).await);
        }
        if good {
            passed.push(json!({"api": call.api.name(), "operation_id": call.operation_id}));
        }
    }
    if let Some(file) = std::env::var_os("DATAGOUV_COVERAGE") {
        std::fs::write(file, json!(passed).to_string()).expect("the file of the coverage can be written");
    }
    report.check();
}

#[tokio::test]
async fn a_body_has_the_properties_that_the_server_requires() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    for call in CALLS {
        report.add(call, "required alone", bench.faults(call, Style::Required).await);
    }
    report.check();
}

#[tokio::test]
async fn required_properties_cannot_be_left_out() {
    let bench = Bench::start().await;
    let (mut tried, mut failures) = (0, Vec::new());
    for call in CALLS {
        let (document, operation) = bench.operation(call);
        let (whole, _) = given(document, operation, Style::Required);
        let Some(Value::Object(body)) = whole.0.get("body") else { continue };
        if document.kind(&operation.body.as_ref().expect("a body").schema) != Kind::Object {
            continue;
        }
        for name in body.keys() {
            let mut less = whole.clone();
            *less.0.get_mut("body").expect("a body") =
                body.iter().filter(|(other, _)| *other != name).map(|(k, v)| (k.clone(), v.clone())).collect();
            tried += 1;
            let outcome = (call.send)(&bench.client, &less).await;
            if !outcome.is_err_and(|error| error.is_request()) || !bench.sandbox.take_requests().is_empty() {
                failures.push(format!("{} {} was sent without `{name}`", call.api, call.operation_id));
            }
        }
    }
    assert!(tried > 30, "only {tried} properties are required");
    assert!(failures.is_empty(), "{} faults:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn cleared_properties_are_sent_empty() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    for call in CALLS {
        report.add(call, "emptied", bench.faults(call, Style::Emptied).await);
    }
    report.check();
}

#[tokio::test]
async fn responses_are_decoded_tolerantly() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    let modes = [
        Responses::Nulls,
        Responses::AllNulls,
        Responses::Minimal,
        Responses::Empty,
        Responses::Unknown,
        Responses::Schema,
    ];
    for mode in modes {
        bench.sandbox.set_responses(mode);
        for call in CALLS {
            let faults = match bench.send(call, Style::Full(0)).await {
                Ok(_) => Vec::new(),
                Err(error) => vec![datagouv_contract::with_sources(&error)],
            };
            report.add(call, format_args!("{mode:?}"), faults);
        }
    }
    report.check();
}

#[tokio::test]
async fn any_2xx_status_is_a_success() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    for status in [200, 201, 202, 204] {
        bench.sandbox.set_responses(Responses::Status(status));
        for call in CALLS {
            let faults = match bench.send(call, Style::Full(0)).await {
                Ok(seen) if seen == status => Vec::new(),
                Ok(seen) => vec![format!("the status is {seen}")],
                Err(error) => vec![datagouv_contract::with_sources(&error)],
            };
            report.add(call, status, faults);
        }
    }
    report.check();
}

#[tokio::test]
async fn errors_have_status_and_operation() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    let body = r#"{"message": "Rien à voir ici"}"#;
    for status in [404, 410, 500] {
        for call in CALLS {
            bench.sandbox.respond_once(call.operation_id, status, &[], body);
            let fault = match bench.send(call, Style::Full(0)).await {
                Ok(seen) => Some(format!("a success, {seen}")),
                Err(error) => {
                    let seen =
                        (error.status().map(|status| status.as_u16()), error.operation(), error.server_message());
                    let expected = (Some(status), Some(call.name), Some("Rien à voir ici".to_owned()));
                    (seen != expected).then(|| format!("expected {expected:?}, seen {seen:?} of {error:?}"))
                }
            };
            report.add(call, status, fault.into_iter().collect());
        }
    }
    report.check();
}

/// API, `operationId`, method and path.
type Listed = BTreeSet<(&'static str, String, String, String)>;

/// The operations of the vendored documents.
fn vendored() -> Listed {
    let mut listed = Listed::new();
    for api in Api::ALL {
        let document: Value = serde_json::from_str(api.document_text()).expect("a document of JSON");
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("a path item") {
                if method != "parameters" {
                    let id = operation["operationId"].as_str().expect("an operationId");
                    let inserted =
                        listed.insert((api.name(), id.to_owned(), method.to_ascii_uppercase(), path.clone()));
                    assert!(inserted, "{api} has {id} twice");
                }
            }
        }
    }
    listed
}

#[test]
fn every_operation_of_the_vendored_documents_is_called() {
    let listed: BTreeSet<(&str, String)> = vendored().into_iter().map(|(api, id, ..)| (api, id)).collect();
    let called: BTreeSet<(&str, String)> =
        CALLS.iter().map(|call| (call.api.name(), call.operation_id.to_owned())).collect();
    assert_eq!(called, listed);
    assert_eq!((CALLS.len(), listed.len()), (294, 294), "a document was refreshed: 247 + 36 + 8 + 3 no longer holds");
}

#[test]
fn the_clients_list_the_operations_of_the_documents() {
    let lists = [
        (Api::Main, datagouv::main::OPERATIONS),
        (Api::MainV2, datagouv::main_v2::OPERATIONS),
        (Api::Tabular, datagouv::tabular::OPERATIONS),
        (Api::Metrics, datagouv::metrics::OPERATIONS),
    ];
    let mut listed = Listed::new();
    let mut names = BTreeSet::new();
    for (api, operations) in lists {
        for operation in operations {
            names.insert((api.name(), operation.operation_id, operation.name));
            let entry = (operation.operation_id.to_owned(), operation.method.to_owned(), operation.path.to_owned());
            assert!(listed.insert((api.name(), entry.0, entry.1, entry.2)), "{api} lists {operation:?} twice");
        }
    }
    assert_eq!(listed, vendored());
    let called: BTreeSet<_> = CALLS.iter().map(|call| (call.api.name(), call.operation_id, call.name)).collect();
    assert_eq!(names, called);
}
