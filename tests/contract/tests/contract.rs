//! The client, held against the documents: every operation of every API is called.

use std::fmt::Display;

use datagouv_contract::sample::{Style, given};
use datagouv_contract::{Bench, CALLS, Call};
use datagouv_sandbox::Answers;
use serde_json::json;

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
async fn every_call_arrives_as_the_document_says() {
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
async fn a_body_needs_no_more_than_the_server_requires() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    for call in CALLS {
        report.add(call, "required alone", bench.faults(call, Style::Required).await);
    }
    report.check();
}

#[tokio::test]
async fn what_can_be_emptied_arrives_empty() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    for call in CALLS {
        report.add(call, "emptied", bench.faults(call, Style::Emptied).await);
    }
    report.check();
}

#[tokio::test]
async fn answers_are_read_with_tolerance() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    let modes =
        [Answers::Nulls, Answers::AllNulls, Answers::Minimal, Answers::Empty, Answers::Unknown, Answers::Schema];
    for mode in modes {
        bench.sandbox.set_answers(mode);
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
async fn any_status_of_success_is_one() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    for status in [200, 201, 202, 204] {
        bench.sandbox.set_answers(Answers::Status(status));
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
async fn failures_tell_their_status_and_operation() {
    let bench = Bench::start().await;
    let mut report = Report::default();
    let body = r#"{"message": "Rien à voir ici"}"#;
    for status in [404, 410, 500] {
        for call in CALLS {
            bench.sandbox.answer_once(call.operation_id, status, &[], body);
            let fault = match bench.send(call, Style::Full(0)).await {
                Ok(seen) => Some(format!("a success, {seen}")),
                Err(error) => {
                    let seen = (error.status().map(|status| status.as_u16()), error.operation(), error.server_message());
                    let expected = (Some(status), Some(call.name), Some("Rien à voir ici".to_owned()));
                    (seen != expected).then(|| format!("expected {expected:?}, seen {seen:?} of {error:?}"))
                }
            };
            report.add(call, status, fault.into_iter().collect());
        }
    }
    report.check();
}
