//! Rules as a test writes them.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datagouv::{Client, IntoCall};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::fault::Fault;
use crate::log::Received;
use crate::response::Reply;
use crate::rule::{Condition, Rule, Scope, Source, Step};
use crate::server_error::ServerError;
use crate::{Api, Sandbox, api, recorded};

/// A rule, made by [`Sandbox::on`]; it is in effect as soon as it has a response.
///
/// `T` is the type of the operation's response. Each method that names a response adds one to the rule: they are sent
/// one after the other, each once, the last for all further requests. [`times`](Self::times) sets how often.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> datagouv::Result<()> {
/// use datagouv_sandbox::Sandbox;
///
/// let platform = Sandbox::start_platform().await;
/// // Twice 503, then the responses of the platform.
/// platform.on(|client| client.main().list_datasets()).status(503).times(2).then_platform();
///
/// let datasets = platform.client().main().list_datasets().send().await?;
/// assert_eq!((datasets.total, platform.received().of("list_datasets").len()), (4, 3));
/// # Ok(())
/// # }
/// ```
///
/// A rule that is used less often than it says fails the test, and so does a request after the last response of a rule.
#[derive(Debug)]
pub struct On<'p, T> {
    platform: &'p Sandbox,
    index: usize,
    response: PhantomData<fn() -> T>,
}

/// The client that builds the requests of rules. It sends nothing.
fn naming() -> &'static Client {
    static CLIENT: std::sync::LazyLock<Client> = std::sync::LazyLock::new(|| {
        let builder = Api::ALL.iter().fold(Client::builder().http_only(true), |builder, api| {
            builder.base_url(*api, format!("http://sandbox.invalid{}", api::base(*api)))
        });
        builder.build().unwrap_or_else(|error| panic!("no client can be built: {error}"))
    });
    &CLIENT
}

impl Sandbox {
    /// Adds a rule for an operation, which takes precedence over the platform and over earlier rules.
    ///
    /// The closure names the operation. With its required arguments, the rule is for requests with the same path, body
    /// and header of fields (`X-Fields`), and with the query parameters that are set; without, for all requests of the
    /// operation.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> datagouv::Result<()> {
    /// use datagouv_sandbox::Sandbox;
    ///
    /// let platform = Sandbox::start_platform().await;
    /// let mut trees = platform.example(|client| client.main().get_dataset());
    /// trees.title = "Trees".to_owned();
    /// platform.on(|client| client.main().get_dataset().dataset("trees")).reply(&trees);
    /// platform.on(|client| client.main().get_dataset().dataset("secret")).status(403);
    ///
    /// let client = platform.client();
    /// assert_eq!(client.dataset("trees").get().await?.title, "Trees");
    /// assert!(client.dataset("secret").get().await.unwrap_err().is_forbidden());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When an argument is invalid.
    #[track_caller]
    pub fn on<R: IntoCall>(&self, request: impl FnOnce(&'static Client) -> R) -> On<'_, R::Response> {
        let call = request(naming()).into_call();
        let (scope, _) = self.scope_of(&call);
        let mut rule = Rule::new(scope, std::panic::Location::caller());
        match call.into_request() {
            Ok(request) => rule.conditions = conditions(&request),
            // A required argument is not set.
            Err(error) if is_incomplete(&error) => {}
            Err(error) => panic!("the request of a rule is invalid: {error}"),
        }
        self.add_rule(rule)
    }

    /// Adds a rule for a path of the server, such as that of a file ([`Sandbox::serve_file`]).
    #[track_caller]
    pub fn on_path(&self, path: impl Into<String>) -> On<'_, ()> {
        self.add_rule(Rule::new(Scope::Path(path.into()), std::panic::Location::caller()))
    }

    /// Adds a rule for all requests, whatever their operation.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> datagouv::Result<()> {
    /// use datagouv_sandbox::Sandbox;
    /// use datagouv_sandbox::platform::COMMUNES;
    ///
    /// let platform = Sandbox::start_platform().await;
    /// // The third request fails.
    /// platform.on_any().platform().times(2).status(500).then_platform();
    ///
    /// let client = platform.client();
    /// for _ in 0..3 {
    ///     client.dataset(COMMUNES).get().await?;
    /// }
    /// assert_eq!(platform.received().len(), 4);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn on_any(&self) -> On<'_, ()> {
        self.add_rule(Rule::new(Scope::Any, std::panic::Location::caller()))
    }

    /// A response of an operation with a plausible value for each property of the document, to start from.
    ///
    /// # Panics
    ///
    /// When the operation has no response in JSON.
    #[track_caller]
    pub fn example<R: IntoCall>(&self, request: impl FnOnce(&'static Client) -> R) -> R::Response
    where
        R::Response: DeserializeOwned,
    {
        let (scope, operation) = self.scope_of(&request(naming()).into_call());
        let Scope::Operation(api, id) = scope else { panic!("`{operation}` has no document") };
        let example = self.state.example(api, &id).unwrap_or_else(|| panic!("`{operation}` has no response in JSON"));
        match serde_json::from_value(example) {
            Ok(example) => example,
            Err(error) => panic!("the example of `{operation}` is not of its type: {error}"),
        }
    }

    /// The scope of a call, and the name of its operation.
    fn scope_of<T>(&self, call: &datagouv::Call<T>) -> (Scope, &'static str) {
        let operation = call.operation();
        let api = call.api();
        match api.filter(|api| self.state.operation(*api, operation.operation_id).is_some()) {
            Some(api) => (Scope::Operation(api, operation.operation_id.to_owned()), operation.name),
            None => panic!("`{}` is no operation of the documents that are served", operation.name),
        }
    }

    fn add_rule<T>(&self, rule: Rule) -> On<'_, T> {
        let index = self.state.memory().rules.add(rule);
        On { platform: self, index, response: PhantomData }
    }
}

fn is_incomplete(error: &datagouv::Error) -> bool {
    std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source())
        .any(|error| error.to_string().contains("was not initialized"))
}

/// The conditions under which another request is like this one.
fn conditions(request: &reqwest::Request) -> Vec<Condition> {
    let mut conditions = vec![Condition::Path(request.url().path().to_owned())];
    let pairs = request.url().query_pairs();
    conditions.extend(pairs.map(|(name, value)| Condition::Query(name.into_owned(), value.into_owned())));
    let mask = request.headers().get("x-fields").and_then(|value| value.to_str().ok());
    conditions.extend(mask.map(|mask| Condition::Header("x-fields".to_owned(), mask.to_owned())));
    let body = request.body().and_then(|body| serde_json::from_slice(body.as_bytes()?).ok());
    conditions.extend(body.map(Condition::Body));
    conditions
}

impl<T> On<'_, T> {
    fn change(self, change: impl FnOnce(&mut Rule)) -> Self {
        change(self.platform.state.memory().rules.get(self.index));
        self
    }

    fn condition(self, condition: Condition) -> Self {
        self.change(|rule| rule.conditions.push(condition))
    }

    fn step(self, step: Step) -> Self {
        self.change(|rule| {
            if let Some(before) = rule.steps.last_mut() {
                before.times.get_or_insert(1);
            }
            rule.steps.push(step);
        })
    }

    fn last(self, change: impl FnOnce(&mut Step)) -> Self {
        self.change(|rule| {
            if rule.steps.is_empty() {
                rule.steps.push(Step::new(Source::Platform));
            }
            if let Some(step) = rule.steps.last_mut() {
                change(step);
            }
        })
    }

    /// Restricts the rule to requests with a query parameter.
    pub fn query(self, name: &str, value: &str) -> Self {
        self.condition(Condition::Query(name.to_owned(), value.to_owned()))
    }

    /// Restricts the rule to requests with a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.condition(Condition::Header(name.to_owned(), value.to_owned()))
    }

    /// Restricts the rule to requests whose body, in JSON, is this.
    pub fn body(self, body: &impl Serialize) -> Self {
        self.condition(Condition::Body(to_value(body)))
    }

    /// Restricts the rule to requests for which a predicate is true; `what` describes it in error messages.
    pub fn when(self, what: &str, predicate: impl Fn(&Received) -> bool + Send + Sync + 'static) -> Self {
        self.condition(Condition::Predicate(what.to_owned(), Arc::new(predicate)))
    }

    /// Sends the last response so many times, instead of once or, at the end of the rule, for all further requests.
    pub fn times(self, times: usize) -> Self {
        self.last(|step| step.times = Some(times))
    }

    /// Delays the last response, by the clock of Tokio.
    pub fn after(self, delay: Duration) -> Self {
        self.last(|step| step.delay = delay)
    }

    /// Adds a fault to the last response.
    pub fn broken_by(self, fault: Fault) -> Self {
        self.last(|step| step.fault = Some(fault))
    }

    /// Lets the test succeed if the rule is not used.
    pub fn optional(self) -> Self {
        self.change(|rule| rule.optional = true)
    }

    /// Responds as without the rule.
    pub fn platform(self) -> Self {
        self.step(Step::new(Source::Platform))
    }

    /// Responds to all further requests, if any, as without the rule.
    pub fn then_platform(self) {
        let _ = self.step(Step { optional: true, ..Step::new(Source::Platform) });
    }

    /// Responds with a reply that is not checked.
    pub fn respond(self, reply: Reply) -> Self {
        self.step(Step::new(Source::Reply(reply)))
    }

    /// Responds with JSON, checked against the response that the document declares.
    ///
    /// # Panics
    ///
    /// When the document does not allow the body: the message has the place. [`reply_unchecked`](Self::reply_unchecked)
    /// sends it all the same.
    #[track_caller]
    pub fn reply_json(self, body: Value) -> Self {
        let reply = self.checked(&body);
        self.respond(reply)
    }

    /// Responds with JSON that the document need not allow.
    pub fn reply_unchecked(self, status: u16, body: &impl Serialize) -> Self {
        self.respond(Reply::json(status, &to_value(body)))
    }

    /// Responds with bytes of a media type.
    pub fn reply_bytes(self, content_type: &str, data: impl Into<Bytes>) -> Self {
        self.respond(Reply::new(200, content_type, data))
    }

    /// Responds with a recorded response, a file as [`Sandbox::load_fixtures`] reads them.
    ///
    /// # Panics
    ///
    /// When the file cannot be read or is of another form.
    #[track_caller]
    pub fn fixture(self, file: impl AsRef<Path>) -> Self {
        match recorded::read(file.as_ref()) {
            Ok(reply) => self.respond(reply),
            Err(error) => panic!("{error}"),
        }
    }

    /// Responds with an error in the words of the platform; see [`ServerError`].
    pub fn error(self, error: ServerError) -> Self {
        let scope = self.platform.state.memory().rules.get(self.index).scope.clone();
        let api = match scope {
            Scope::Operation(api, _) => api,
            _ => Api::Main,
        };
        self.respond(error.reply(api))
    }

    /// Responds with a status and the body that the platform sends with it.
    pub fn status(self, status: u16) -> Self {
        self.error(ServerError::status(status))
    }

    /// Responds with 429 and a `Retry-After` in seconds. The client of the sandbox does not wait for it.
    pub fn too_many_requests(self, retry_after: u32) -> Self {
        let Fault::Reply(reply) = Fault::too_many_requests(Some(&retry_after.to_string())) else { return self };
        self.respond(reply)
    }

    /// Responds as without the rule, with a fault.
    pub fn fault(self, fault: Fault) -> Self {
        match fault {
            Fault::Reply(reply) => self.respond(reply),
            fault => self.step(Step { fault: Some(fault), ..Step::new(Source::Platform) }),
        }
    }

    /// Responds as without the rule, after a delay by the clock of Tokio.
    pub fn delay(self, delay: Duration) -> Self {
        self.step(Step { delay, ..Step::new(Source::Platform) })
    }

    /// Closes the connection after so many bytes of the response's body.
    pub fn cut_at(self, bytes: usize) -> Self {
        self.fault(Fault::CutBody(bytes))
    }

    /// Sends nothing after so many bytes of the response's body, and leaves the connection open.
    pub fn stall_at(self, bytes: usize) -> Self {
        self.fault(Fault::StallBody(bytes))
    }

    /// Sends nothing at all, and leaves the connection open.
    pub fn stall(self) -> Self {
        self.fault(Fault::StallBeforeHeaders)
    }

    /// Resets the connection before the response. The request has been served.
    pub fn reset(self) -> Self {
        self.fault(Fault::ResetBeforeHeaders)
    }

    /// Resets the connection after so many bytes of the request's body. The request is not served.
    pub fn reset_upload_at(self, bytes: usize) -> Self {
        self.fault(Fault::ResetInRequest(bytes))
    }

    /// Sends a `Content-Length` larger than the body by so many bytes, and closes the connection after it.
    pub fn wrong_length(self, more: usize) -> Self {
        self.fault(Fault::LengthTooLarge(more))
    }

    /// Responds with the first half of the body, in a complete message.
    pub fn malformed(self) -> Self {
        self.fault(Fault::Halved)
    }

    /// Sends the body byte by byte, with a pause before each by the clock of Tokio.
    pub fn drip(self, pause: Duration) -> Self {
        self.fault(Fault::Drip(pause))
    }

    /// The reply with the status that the document declares.
    #[track_caller]
    fn checked(&self, body: &Value) -> Reply {
        let scope = self.platform.state.memory().rules.get(self.index).scope.clone();
        let Scope::Operation(api, id) = &scope else { return Reply::json(200, body) };
        match self.platform.state.declare(*api, id, body) {
            Ok(reply) => reply,
            Err(mismatch) => panic!(
                "the response for {scope} violates the document: {mismatch} (`reply_unchecked` sends it all the same)"
            ),
        }
    }
}

impl<T: Serialize> On<'_, T> {
    /// Responds with a value of the operation's response type, which is checked against the document.
    ///
    /// [`Sandbox::example`] gives a value to start from.
    ///
    /// ```compile_fail
    /// # async fn example() {
    /// use datagouv_sandbox::Sandbox;
    ///
    /// let platform = Sandbox::start_platform().await;
    /// let reuse = platform.example(|client| client.main().get_reuse());
    /// // A reuse is no dataset.
    /// platform.on(|client| client.main().get_dataset()).reply(reuse);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When the document does not allow the value: the message has the place.
    #[track_caller]
    pub fn reply(self, value: impl Borrow<T>) -> Self {
        let body = to_value(value.borrow());
        self.reply_json(body)
    }

    /// Responds with the value that a function makes from the request. The value is checked when it is sent: one that violates the
    /// document fails the test.
    pub fn reply_with(self, respond: impl Fn(&Received) -> T + Send + Sync + 'static) -> Self {
        let scope = self.platform.state.memory().rules.get(self.index).scope.clone();
        // The state holds the rules.
        let state = Arc::downgrade(&self.platform.state);
        let checked = move |received: &Received| {
            let body = to_value(&respond(received));
            let Scope::Operation(api, id) = &scope else { return Reply::json(200, &body) };
            let Some(state) = state.upgrade() else { return Reply::empty(500) };
            state.declare(*api, id, &body).unwrap_or_else(|mismatch| {
                let words = format!("the response for {scope} violates the document: {mismatch}");
                state.memory().rules.unexpected.push(words.clone());
                Reply::json(500, &serde_json::json!({"message": words}))
            })
        };
        self.step(Step::new(Source::With(Arc::new(checked))))
    }
}

#[track_caller]
fn to_value(body: &(impl Serialize + ?Sized)) -> Value {
    match serde_json::to_value(body) {
        Ok(value) => value,
        Err(error) => panic!("the body cannot be written as JSON: {error}"),
    }
}
