//! The state of the sandbox, and how a request is handled.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Api;
use crate::api::{Apis, base};
use crate::document::Document;
use crate::example::Style;
use crate::fault::{Fault, RawRequest};
use crate::file::{self, Files};
use crate::log::Received;
use crate::page;
use crate::platform::{self, Call, Platform, masked};
use crate::recorded::Recorded;
use crate::request::{self, Incoming, Violation, header};
use crate::response::{Reply, Responses, declared, declared_schema};
use crate::route::{Found, Operation, Routes};
use crate::rule::{Rules, Source, Verdict, summary};
use crate::server::{Counters, Delivery, Service};
use crate::validate::{Checker, Direction, Mismatch};

/// What a test has set for the next response of an operation.
#[derive(Debug)]
pub(crate) enum Once {
    Reply(Reply),
    Cut(usize),
    Delay(Duration),
}

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) responses: Responses,
    pub(crate) tolerant: bool,
    pub(crate) once: HashMap<String, VecDeque<Once>>,
    pub(crate) recorded: Recorded,
    pub(crate) files: Files,
    pub(crate) log: Vec<Received>,
    pub(crate) platform: Platform,
    pub(crate) in_flight: InFlight,
    /// The responses so far, if they are cached.
    pub(crate) cached: Option<HashMap<CacheKey, Reply>>,
    pub(crate) rules: Rules,
    /// Whether unexpected requests and unused rules fail the test.
    pub(crate) strict: bool,
}

/// What a response depends on: method, target, and these headers.
pub(crate) type CacheKey = (String, String, [Option<String>; 3]);

fn cache_key(request: &RawRequest) -> CacheKey {
    let header = |name: &str| request.header(name).map(str::to_owned);
    (request.method.clone(), request.target.clone(), [header("x-fields"), header("accept"), header("range")])
}

/// How many requests are in flight, and the highest number so far.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    now: usize,
    pub(crate) peak: usize,
}

#[derive(Debug)]
pub(crate) struct State {
    origin: String,
    pub(crate) apis: Arc<Apis>,
    memory: Mutex<Memory>,
    counters: Counters,
}

/// The operation of a request.
struct Target<'a> {
    document: &'a Document,
    operation: &'a Operation,
    captures: Vec<(String, String)>,
}

/// Counts a request as in flight until it is dropped.
struct Counted<'a>(&'a State);

impl<'a> Counted<'a> {
    fn new(state: &'a State) -> Self {
        let in_flight = &mut state.memory().in_flight;
        in_flight.now += 1;
        in_flight.peak = in_flight.peak.max(in_flight.now);
        Self(state)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.memory().in_flight.now -= 1;
    }
}

impl State {
    pub(crate) fn new(apis: Arc<Apis>, origin: String) -> Self {
        let mut files = file::samples();
        let platform = Platform::new(origin.clone(), &mut files);
        let memory = Memory {
            responses: Responses::default(),
            tolerant: false,
            once: HashMap::new(),
            recorded: Recorded::default(),
            files,
            log: Vec::new(),
            platform,
            in_flight: InFlight::default(),
            cached: None,
            rules: Rules::default(),
            strict: false,
        };
        Self { origin, apis, memory: Mutex::new(memory), counters: Counters::default() }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = (&Document, &Routes)> {
        self.apis.iter().map(|(document, routes)| (document, routes))
    }

    /// An operation of a document, by its id.
    pub(crate) fn operation(&self, api: Api, id: &str) -> Option<(&Document, &Operation)> {
        let (document, routes) = self.documents().find(|(document, _)| document.api() == api)?;
        routes.operations().find(|operation| operation.id == id).map(|operation| (document, operation))
    }

    /// A response body of an operation with every declared property.
    pub(crate) fn example(&self, api: Api, id: &str) -> Option<Value> {
        let (document, operation) = self.operation(api, id)?;
        serde_json::from_slice(&declared(document, operation, Style::Full, "application/json").body).ok()
    }

    /// The response of an operation with a body, which the document must allow.
    pub(crate) fn declare(&self, api: Api, id: &str, body: &Value) -> Result<Reply, Mismatch> {
        let Some((document, operation)) = self.operation(api, id) else { return Ok(Reply::json(200, body)) };
        let status = declared(document, operation, Style::Minimal, "application/json").status;
        let Some(schema) = declared_schema(document, operation) else {
            return Ok(if body.is_null() { Reply::empty(status) } else { Reply::json(status, body) });
        };
        Checker::new(document, Direction::Response).check(schema, body)?;
        Ok(Reply::json(status, body))
    }

    /// The response to a request, cached or new.
    async fn cached_delivery(&self, request: RawRequest) -> Delivery {
        let cached = self.memory().cached.as_ref().map(|cache| {
            let key = cache_key(&request);
            let reply = cache.get(&key).cloned();
            (key, reply)
        });
        let Some((key, cached)) = cached else { return self.delivery(&request).await };
        let reply = match cached {
            Some(reply) => reply,
            None => {
                let reply = self.delivery(&request).await.reply;
                let mut memory = self.memory();
                memory.cached.get_or_insert_default().insert(key, reply.clone());
                memory.log.clear();
                reply
            }
        };
        Delivery { reply, fault: None }
    }

    /// Logs a request and makes its response.
    async fn delivery(&self, request: &RawRequest) -> Delivery {
        let _counted = Counted::new(self);
        let mut received = Received::new(request);
        if let Some(delivery) = self.refuse_other_host(&mut received) {
            return delivery;
        }
        let (target, refusal) = match self.find(&mut received) {
            Ok(target) => (target, None),
            Err(refusal) => (None, Some(refusal)),
        };
        let violation = match &target {
            Some(target) => check(target, &received).err(),
            None => None,
        };
        received.violation = violation.as_ref().map(|violation| violation.message.clone());
        let key = received.operation_id.clone().unwrap_or_else(|| received.path.clone());
        let (once, verdict) = {
            let mut memory = self.memory();
            memory.log.push(received.clone());
            let refused = violation.is_some() && !memory.tolerant;
            if refused {
                let reason =
                    format!("the document does not allow it: {}", violation.as_ref().map_or("", |it| &it.message));
                memory.unexpected(&received, &reason);
                (None, Verdict::None)
            } else {
                let once =
                    if refusal.is_some() { None } else { memory.once.get_mut(&key).and_then(VecDeque::pop_front) };
                let verdict = if once.is_some() { Verdict::None } else { memory.rules.verdict(&received) };
                if refusal.is_some() && matches!(verdict, Verdict::None) {
                    memory.unexpected(&received, "there is no such path, or it has no such method");
                }
                (once, verdict)
            }
        };
        let default_reply = || self.default_reply(target.as_ref(), &received, refusal, violation);
        match (once, verdict) {
            (Some(Once::Reply(reply)), _) => Delivery { reply, fault: None },
            (Some(Once::Cut(kept)), _) => Delivery { reply: default_reply(), fault: Some(Fault::CutBody(kept)) },
            (Some(Once::Delay(duration)), _) => {
                tokio::time::sleep(duration).await;
                Delivery { reply: default_reply(), fault: None }
            }
            (None, Verdict::Reply(step)) => {
                if !step.delay.is_zero() {
                    tokio::time::sleep(step.delay).await;
                }
                let serves = step.fault.as_ref().is_none_or(Fault::serves);
                let reply = match step.source {
                    _ if !serves => Reply::empty(200),
                    Source::Platform => default_reply(),
                    Source::Reply(reply) => masked(reply, header(&received.headers, "x-fields")),
                    Source::With(respond) => masked(respond(&received), header(&received.headers, "x-fields")),
                };
                Delivery { reply, fault: step.fault }
            }
            (None, Verdict::None) => Delivery { reply: default_reply(), fault: None },
            (None, Verdict::Unexpected(reason)) => {
                self.memory().unexpected(&received, &reason);
                let message = format!("the test did not expect this request: {reason}");
                Delivery { reply: Reply::json(501, &json!({"message": message})), fault: None }
            }
        }
    }

    /// Refuses a request to another host, which the client sends here as to a proxy.
    fn refuse_other_host(&self, received: &mut Received) -> Option<Delivery> {
        if received.path.starts_with('/') {
            return None;
        }
        if let Some(path) = received.path.strip_prefix(&self.origin).filter(|path| path.starts_with('/')) {
            received.path = path.to_owned();
            return None;
        }
        let mut memory = self.memory();
        memory.log.push(received.clone());
        memory.unexpected(received, "it is to another host, which a client of the sandbox does not reach");
        let message = format!("the client of a sandbox reaches no other host: {}", received.path);
        Some(Delivery { reply: Reply::json(421, &json!({"message": message})), fault: None })
    }

    /// The operation of a request, None for a file of the sandbox.
    fn find(&self, received: &mut Received) -> Result<Option<Target<'_>>, Reply> {
        let below =
            |api: Api| received.path.strip_prefix(base(api)).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some((document, routes, path)) =
            self.documents().find_map(|(document, routes)| Some((document, routes, below(document.api())?)))
        else {
            if received.path == "/" && matches!(received.method.as_str(), "GET" | "HEAD") {
                return Ok(None);
            }
            return if self.memory().files.contains_key(&received.path) { Ok(None) } else { Err(nowhere()) };
        };
        let found = routes.find(&received.method, path);
        received.api = Some(document.api());
        match found {
            Found::Operation(operation, captures) => {
                received.operation_id = Some(operation.id.clone());
                Ok(Some(Target { document, operation, captures }))
            }
            Found::OtherMethods(methods) => {
                let message = json!({"message": "The method is not allowed for the requested URL."});
                Err(Reply::json(405, &message).with_header("allow", methods.join(", ")))
            }
            Found::NoPath => Err(nowhere()),
        }
    }

    /// The HTML page at `/`.
    fn page(&self, memory: &Memory) -> String {
        let source = |api: Api, operation: &Operation| match () {
            () if memory.recorded.has(api, &operation.id) => "recorded",
            () if memory.responses == Responses::Platform && platform::handles(api, &operation.id) => "state",
            () => "made",
        };
        let operations = self.documents().flat_map(|(document, routes)| {
            let api = document.api();
            routes.operations().map(|operation| (api, operation, source(api, operation))).collect::<Vec<_>>()
        });
        page::html(&page::Shown {
            origin: &self.origin,
            datasets: memory.platform.datasets(),
            operations: operations.collect(),
            // Without the request for this page.
            requests: memory.log.split_last().map_or(&[], |(_, before)| before),
        })
    }

    fn default_reply(
        &self,
        target: Option<&Target<'_>>,
        received: &Received,
        refusal: Option<Reply>,
        violation: Option<Violation>,
    ) -> Reply {
        if let Some(refusal) = refusal {
            return refusal;
        }
        let mut memory = self.memory();
        let memory = &mut *memory;
        if let Some(violation) = violation.filter(|_| !memory.tolerant) {
            let api = target.map(|target| target.document.api());
            let of_catalogue = matches!(api, Some(Api::Main | Api::MainV2)) && memory.responses == Responses::Platform;
            return refused(&violation, of_catalogue);
        }
        let Some(target) = target else {
            if received.path == "/" {
                return Reply::new(200, "text/html; charset=utf-8", self.page(memory));
            }
            let file = memory.files.get(&received.path);
            return file.map_or_else(nowhere, |file| file.reply(&received.method, &received.headers));
        };
        let (api, operation) = (target.document.api(), target.operation);
        if matches!(memory.responses, Responses::Recorded | Responses::Platform)
            && let Some(reply) = memory.recorded.find(api, &operation.id, received)
        {
            return reply;
        }
        if memory.responses == Responses::Platform {
            let operation_id = platform::name(&operation.id);
            let call = Call { api, operation_id, captures: &target.captures, received, user: None };
            if let Some(reply) = memory.platform.handle(call, &mut memory.files) {
                // What the platform does not implement must not look as if it did.
                if reply.status == 501 {
                    let text = String::from_utf8_lossy(&reply.body).into_owned();
                    memory.unexpected(received, &text);
                }
                return reply;
            }
        }
        let accept = header(&received.headers, "accept");
        let reply = declared(target.document, operation, memory.responses.style(), accept);
        match memory.responses {
            Responses::Status(204) => Reply::empty(204),
            Responses::Status(status) => Reply { status, ..reply },
            _ => reply,
        }
    }
}

/// The response to a violation of the document: the catalogue names the parameter.
fn refused(violation: &Violation, by_catalogue: bool) -> Reply {
    let text = violation.message.as_str();
    if by_catalogue && text.starts_with("header parameter `X-Fields`") {
        return Reply::json(400, &json!({"message": "Mask parse error: Missing closing bracket"}));
    }
    let parameter = text.strip_prefix("query parameter `").and_then(|rest| rest.split_once("`: "));
    let property = text.strip_prefix("request body: /").and_then(|rest| rest.split_once(": "));
    match parameter {
        None if by_catalogue && property.is_some() => {
            let (pointer, reason) = property.unwrap_or_default();
            Reply::json(400, &json!({"errors": {pointer.replace('/', "."): reason}, "message": text}))
        }
        Some((name, reason)) if by_catalogue => {
            Reply::json(400, &json!({"errors": {name: reason}, "message": "Input payload validation failed"}))
        }
        _ => Reply::json(violation.status, &json!({"message": text})),
    }
}

fn nowhere() -> Reply {
    Reply::json(404, &json!({"error": "The requested URL was not found on the server.", "status": 404}))
}

fn check(target: &Target<'_>, received: &Received) -> Result<(), Violation> {
    request::check(&Incoming {
        document: target.document,
        operation: target.operation,
        captures: &target.captures,
        query: &received.query_pairs,
        headers: &received.headers,
        body: &received.body,
    })
}

impl Memory {
    fn unexpected(&mut self, received: &Received, reason: &str) {
        let line = format!("unexpected request: {}\n    {reason}", summary(received));
        self.rules.unexpected.push(line);
    }
}

impl Service for State {
    fn counters(&self) -> &Counters {
        &self.counters
    }

    fn early_fault(&self, request: &RawRequest) -> Option<Fault> {
        if !self.memory().rules.may_fail_in_request() {
            return None;
        }
        let mut received = Received::new(request);
        self.find(&mut received).ok();
        self.memory().rules.fault_in_request(&received)
    }

    fn log(&self, request: &RawRequest) {
        // Complete requests are logged when they are checked against the document.
        if !request.complete {
            let mut received = Received::new(request);
            self.find(&mut received).ok();
            self.memory().log.push(received);
        }
    }

    async fn respond(&self, request: RawRequest, fault: Option<Fault>) -> io::Result<Delivery> {
        Ok(match fault {
            Some(fault) => Delivery { reply: Reply::empty(200), fault: Some(fault) },
            None => self.cached_delivery(request).await,
        })
    }

    fn closed(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// The port of a sandbox stays open.
    fn close(&self) {}
}
