//! What the sandbox remembers, and the way of a request through it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Uri};
use serde_json::json;

use crate::Api;
use crate::answer::{Answers, Reply, declared};
use crate::document::Document;
use crate::file::{self, File};
use crate::log::Received;
use crate::platform::{Call, Platform};
use crate::recorded::Recorded;
use crate::request::{self, Incoming, Violation};
use crate::route::{Found, Operation, Routes};
use crate::server::Delivery;

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
}

/// What an answer depends on.
pub(crate) type Asked = (Method, Uri, [Option<HeaderValue>; 3]);

fn asked(parts: &Parts) -> Asked {
    let header = |name: &str| parts.headers.get(name).cloned();
    (parts.method.clone(), parts.uri.clone(), [header("x-fields"), header("accept"), header("range")])
}

/// How many requests are being answered, and how many ever were at once.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    now: usize,
    pub(crate) peak: usize,
}

#[derive(Debug)]
pub(crate) struct State {
    apis: Vec<(Document, Routes)>,
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
    pub(crate) fn new(documents: Vec<Document>, origin: String) -> Self {
        let apis = documents
            .into_iter()
            .map(|document| {
                let routes = Routes::new(&document);
                (document, routes)
            })
            .collect();
        let mut files = file::samples();
        let platform = Platform::new(origin, &mut files);
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
        };
        Self { apis, memory: Mutex::new(memory) }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = (&Document, &Routes)> {
        self.apis.iter().map(|(document, routes)| (document, routes))
    }

    /// The answer to a request, remembered or new.
    pub(crate) async fn answer(&self, parts: Parts, body: Bytes) -> Delivery {
        let remembered = self.memory().remembered.as_ref().map(|answers| {
            let asked = asked(&parts);
            let reply = answers.get(&asked).cloned();
            (asked, reply)
        });
        let Some((asked, remembered)) = remembered else { return self.answer_anew(parts, body).await };
        let reply = match remembered {
            Some(reply) => reply,
            None => {
                let reply = self.answer_anew(parts, body).await.reply;
                let mut memory = self.memory();
                memory.remembered.get_or_insert_default().insert(asked, reply.clone());
                memory.log.clear();
                reply
            }
        };
        Delivery { reply, cut_after: None }
    }

    /// A new answer to a request. Everything that arrives is logged.
    async fn answer_anew(&self, parts: Parts, body: Bytes) -> Delivery {
        let _counted = Counted::new(self);
        let mut received = Received::new(&parts, body);
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
        let once = {
            let mut memory = self.memory();
            memory.log.push(received.clone());
            let refused = refusal.is_some() || (violation.is_some() && !memory.tolerant);
            if refused { None } else { memory.once.get_mut(&key).and_then(VecDeque::pop_front) }
        };
        let usual = || self.usual(target.as_ref(), &received, refusal, violation);
        match once {
            Some(Once::Answer(reply)) => Delivery { reply, cut_after: None },
            Some(Once::Cut(kept)) => Delivery { reply: usual(), cut_after: Some(kept) },
            Some(Once::Delay(duration)) => {
                tokio::time::sleep(duration).await;
                Delivery { reply: usual(), cut_after: None }
            }
            None => Delivery { reply: usual(), cut_after: None },
        }
    }

    /// The operation of a request, None for a file of the sandbox.
    fn find(&self, received: &mut Received) -> Result<Option<Target<'_>>, Reply> {
        let below =
            |api: Api| received.path.strip_prefix(base(api)).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some((document, routes, path)) =
            self.documents().find_map(|(document, routes)| Some((document, routes, below(document.api())?)))
        else {
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
            return Reply::json(violation.status, &json!({"message": violation.message}));
        }
        let Some(target) = target else {
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
            let call = Call { api, operation_id: &operation.id, captures: &target.captures, received };
            if let Some(reply) = memory.platform.answer(&call, &mut memory.files) {
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
