//! What the sandbox remembers, and the way of a request through it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::Api;
use crate::answer::{Answers, Reply, declared, declared_schema};
use crate::document::{Document, Error};
use crate::example::Style;
use crate::fault::{Arrival, Fault};
use crate::file::{self, File};
use crate::log::Received;
use crate::page;
use crate::platform::{self, Call, Platform, masked};
use crate::recorded::Recorded;
use crate::request::{self, Incoming, Violation};
use crate::route::{Found, Operation, Routes};
use crate::rule::{Rules, Source, Verdict, summary};
use crate::server::{Delivery, Service};
use crate::validate::{Checker, Direction, Mismatch};

/// What a test has asked for the next answer of an operation.
#[derive(Debug)]
pub(crate) enum Once {
    Answer(Reply),
    Cut(usize),
    Delay(Duration),
}

/// The files that are served, by path.
pub(crate) type Files = BTreeMap<String, File>;

#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) answers: Answers,
    pub(crate) tolerant: bool,
    pub(crate) once: HashMap<String, VecDeque<Once>>,
    pub(crate) recorded: Recorded,
    pub(crate) files: Files,
    pub(crate) log: Vec<Received>,
    pub(crate) platform: Platform,
    pub(crate) in_flight: InFlight,
    /// The answers given so far, where they are remembered.
    pub(crate) remembered: Option<HashMap<Asked, Reply>>,
    pub(crate) rules: Rules,
    /// Whether what is unexpected fails the test.
    pub(crate) strict: bool,
    connections: usize,
    arrivals: usize,
}

/// What an answer depends on: method, target, and these headers.
pub(crate) type Asked = (String, String, [Option<String>; 3]);

fn asked(arrival: &Arrival) -> Asked {
    let header = |name: &str| arrival.header(name).map(str::to_owned);
    (arrival.method.clone(), arrival.target.clone(), [header("x-fields"), header("accept"), header("range")])
}

/// How many requests are being answered, and how many ever were at once.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    now: usize,
    pub(crate) peak: usize,
}

/// The documents of the APIs, with their routes.
pub(crate) type Apis = Vec<(Document, Routes)>;

pub(crate) fn routed(documents: Vec<Document>) -> Apis {
    let routed = |document: Document| {
        let routes = Routes::new(&document);
        (document, routes)
    };
    documents.into_iter().map(routed).collect()
}

/// The corrected documents, read once in the life of a process.
pub(crate) fn corrected() -> Result<Arc<Apis>, Error> {
    static ALL: LazyLock<Result<Arc<Apis>, Error>> =
        LazyLock::new(|| Document::corrected().map(|documents| Arc::new(routed(documents))));
    ALL.clone()
}

#[derive(Debug)]
pub(crate) struct State {
    origin: String,
    apis: Arc<Apis>,
    memory: Mutex<Memory>,
}

/// The path of an API's base URL.
pub(crate) fn base(api: Api) -> &'static str {
    match api {
        Api::Main => "/api/1",
        Api::MainV2 => "/api/2",
        Api::Tabular => "/tabular",
        Api::Metrics => "/metrics",
    }
}

/// The name of an API in the client's crate.
pub(crate) fn theirs(api: Api) -> datagouv::Api {
    match api {
        Api::Main => datagouv::Api::Main,
        Api::MainV2 => datagouv::Api::MainV2,
        Api::Tabular => datagouv::Api::Tabular,
        Api::Metrics => datagouv::Api::Metrics,
    }
}

/// The API of a name of the client's crate.
pub(crate) fn ours(api: datagouv::Api) -> Option<Api> {
    Api::ALL.into_iter().find(|own| theirs(*own) == api)
}

/// The operation that a request has found.
struct Target<'a> {
    document: &'a Document,
    operation: &'a Operation,
    captures: Vec<(String, String)>,
}

/// A request that is being answered, until it is dropped.
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
            answers: Answers::default(),
            tolerant: false,
            once: HashMap::new(),
            recorded: Recorded::default(),
            files,
            log: Vec::new(),
            platform,
            in_flight: InFlight::default(),
            remembered: None,
            rules: Rules::default(),
            strict: false,
            connections: 0,
            arrivals: 0,
        };
        Self { origin, apis, memory: Mutex::new(memory) }
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

    /// A body that the document declares for an operation, with all that it may have.
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
        Checker::new(document, Direction::Answer).check(schema, body)?;
        Ok(Reply::json(status, body))
    }

    /// The answer to a request, remembered or new.
    async fn answer(&self, arrival: Arrival) -> Delivery {
        let remembered = self.memory().remembered.as_ref().map(|answers| {
            let asked = asked(&arrival);
            let reply = answers.get(&asked).cloned();
            (asked, reply)
        });
        let Some((asked, remembered)) = remembered else { return self.answer_anew(&arrival).await };
        let reply = match remembered {
            Some(reply) => reply,
            None => {
                let reply = self.answer_anew(&arrival).await.reply;
                let mut memory = self.memory();
                memory.remembered.get_or_insert_default().insert(asked, reply.clone());
                memory.log.clear();
                reply
            }
        };
        Delivery { reply, fault: None }
    }

    /// A new answer to a request. Everything that arrives is logged.
    async fn answer_anew(&self, arrival: &Arrival) -> Delivery {
        let _counted = Counted::new(self);
        let mut received = Received::new(arrival);
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
                let verdict = if once.is_some() { Verdict::None } else { memory.rules.answer(&received) };
                if refusal.is_some() && matches!(verdict, Verdict::None) {
                    memory.unexpected(&received, "there is no such path, or it has no such method");
                }
                (once, verdict)
            }
        };
        let usual = || self.usual(target.as_ref(), &received, refusal, violation);
        match (once, verdict) {
            (Some(Once::Answer(reply)), _) => Delivery { reply, fault: None },
            (Some(Once::Cut(kept)), _) => Delivery { reply: usual(), fault: Some(Fault::CutBody(kept)) },
            (Some(Once::Delay(duration)), _) => {
                tokio::time::sleep(duration).await;
                Delivery { reply: usual(), fault: None }
            }
            (None, Verdict::Answer(step)) => {
                if !step.delay.is_zero() {
                    tokio::time::sleep(step.delay).await;
                }
                let serves = step.fault.as_ref().is_none_or(Fault::serves);
                let reply = match step.source {
                    _ if !serves => Reply::empty(200),
                    Source::Platform => usual(),
                    Source::Reply(reply) => masked(reply, header(&received.headers, "x-fields")),
                    Source::With(answer) => masked(answer(&received), header(&received.headers, "x-fields")),
                };
                Delivery { reply, fault: step.fault }
            }
            (None, Verdict::None) => Delivery { reply: usual(), fault: None },
            (None, Verdict::Unexpected(reason)) => {
                self.memory().unexpected(&received, &reason);
                let message = format!("the test did not expect this request: {reason}");
                Delivery { reply: Reply::json(501, &json!({"message": message})), fault: None }
            }
        }
    }

    /// Refuses a request that came here as to a proxy: it was meant for another host.
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
            Found::Nothing => Err(nowhere()),
        }
    }

    /// The page for people.
    fn page(&self, memory: &Memory) -> String {
        let source = |api: Api, operation: &Operation| match () {
            () if memory.recorded.has(api, &operation.id) => "recorded",
            () if memory.answers == Answers::Platform && platform::answers(api, &operation.id) => "state",
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
            // Without the one that is being answered.
            requests: memory.log.split_last().map_or(&[], |(_, before)| before),
        })
    }

    fn usual(
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
            let of_catalogue = matches!(api, Some(Api::Main | Api::MainV2)) && memory.answers == Answers::Platform;
            return refused(&violation, of_catalogue);
        }
        let Some(target) = target else {
            if received.path == "/" {
                return Reply::new(200, "text/html; charset=utf-8", self.page(memory));
            }
            let file = memory.files.get(&received.path);
            return file.map_or_else(nowhere, |file| file.answer(&received.method, &received.headers));
        };
        let (api, operation) = (target.document.api(), target.operation);
        if matches!(memory.answers, Answers::Recorded | Answers::Platform)
            && let Some(reply) = memory.recorded.find(api, &operation.id, received)
        {
            return reply;
        }
        if memory.answers == Answers::Platform {
            let operation_id = platform::name(&operation.id);
            let call = Call { api, operation_id, captures: &target.captures, received };
            if let Some(reply) = memory.platform.answer(&call, &mut memory.files) {
                // What the platform does not implement must not look as if it did.
                if reply.status == 501 {
                    let text = String::from_utf8_lossy(&reply.body).into_owned();
                    memory.unexpected(received, &text);
                }
                return reply;
            }
        }
        let accept = header(&received.headers, "accept");
        let reply = declared(target.document, operation, memory.answers.style(), accept);
        match memory.answers {
            Answers::Status(204) => Reply::empty(204),
            Answers::Status(status) => Reply { status, ..reply },
            _ => reply,
        }
    }
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// How a server says what the document does not allow: the catalogue names the parameter.
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
    fn connected(&self) -> usize {
        let mut memory = self.memory();
        memory.connections += 1;
        memory.connections
    }

    fn begun(&self, arrival: &mut Arrival) -> Option<Fault> {
        let mut memory = self.memory();
        memory.arrivals += 1;
        arrival.number = memory.arrivals;
        if !memory.rules.may_fail_in_request() {
            return None;
        }
        drop(memory);
        let mut received = Received::new(arrival);
        self.find(&mut received).ok();
        self.memory().rules.fault_in_request(&received)
    }

    fn arrived(&self, arrival: &Arrival) {
        // What is whole is logged with what the document says of it.
        if !arrival.complete {
            let mut received = Received::new(arrival);
            self.find(&mut received).ok();
            self.memory().log.push(received);
        }
    }

    async fn respond(&self, arrival: Arrival, fault: Option<Fault>) -> io::Result<Delivery> {
        Ok(match fault {
            Some(fault) => Delivery { reply: Reply::empty(200), fault: Some(fault) },
            None => self.answer(arrival).await,
        })
    }

    fn gone(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// The port of a sandbox stays open.
    fn go(&self) {}
}
