//! The events of an observer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datagouv::Api;
use datagouv::observe::{
    CallFinished, CircuitChanged, CircuitState, Observe, Outcome, RetryBudgetExhausted, Retrying, Throttled,
};
use datagouv_sandbox::clock;
use datagouv_sandbox::fault::Fault;

use crate::{SECOND, client_of, send, server};

/// Status, attempts, bytes and outcome.
pub type Finished = (Option<u16>, u32, u64, Outcome);

#[derive(Default)]
pub struct Events {
    pub retries: Mutex<Vec<(u32, Option<u16>)>>,
    pub finished: Mutex<Vec<Finished>>,
    pub circuit: Mutex<Vec<CircuitState>>,
    pub throttled: Mutex<Vec<Duration>>,
    pub exhausted: AtomicUsize,
}

impl Observe for Events {
    fn retrying(&self, event: &Retrying<'_>) {
        let status = event.error.status().map(|status| status.as_u16());
        self.retries.lock().unwrap().push((event.attempt, status));
    }

    fn retry_budget_exhausted(&self, event: &RetryBudgetExhausted<'_>) {
        assert_eq!(event.operation, Some("request"));
        self.exhausted.fetch_add(1, Ordering::Relaxed);
    }

    fn call_finished(&self, event: &CallFinished<'_>) {
        let status = event.status.map(|status| status.as_u16());
        self.finished.lock().unwrap().push((status, event.attempts, event.bytes, event.outcome));
    }

    fn circuit_changed(&self, event: &CircuitChanged<'_>) {
        self.circuit.lock().unwrap().push(event.state);
    }

    fn throttled(&self, event: &Throttled<'_>) {
        self.throttled.lock().unwrap().push(event.waited);
    }
}

#[tokio::test]
async fn an_observer_gets_the_events_of_every_call() {
    clock::by_steps();
    let server = server().await;
    let events = Arc::new(Events::default());
    let client = client_of(&server).observer(Arc::clone(&events) as Arc<dyn Observe>).build().unwrap();
    let length = br#"{"fine":true}"#.len() as u64;
    server.fault_once(Fault::status(503));
    send(&client, "GET").await.unwrap();
    assert_eq!(*events.retries.lock().unwrap(), [(1, Some(503))]);
    server.fault_once(Fault::status(404));
    send(&client, "GET").await.unwrap_err();
    let stream = client.request(Api::Main, "GET", "/x").bytes().send().await.unwrap().into_inner();
    assert_eq!(events.finished.lock().unwrap().len(), 2, "a stream is not over before it is read");
    stream.bytes().await.unwrap();
    drop(client.request(Api::Main, "GET", "/x").bytes().send().await.unwrap());
    server.fault_always(Fault::StallBeforeHeaders);
    let _ = tokio::time::timeout(SECOND / 5, send(&client, "GET")).await;
    let refused = br#"{"message":"on purpose"}"#.len() as u64;
    assert_eq!(
        *events.finished.lock().unwrap(),
        [
            (Some(200), 2, length, Outcome::Success),
            (Some(404), 1, refused, Outcome::Failure),
            (Some(200), 1, length, Outcome::Success),
            (Some(200), 1, 0, Outcome::Dropped),
            (None, 1, 0, Outcome::Dropped),
        ]
    );
}
