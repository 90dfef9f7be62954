//! A call of an operation, with its arguments.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use datagouv::{ByteStream, Client, File, Filters, Response, Result, Values};
use datagouv_specs::Api;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A running call: the status of its response, whose body is read to the end.
pub type Sent<'a> = Pin<Box<dyn Future<Output = Result<u16>> + Send + 'a>>;

/// A call of one operation through the generated client.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// The API.
    pub api: Api,
    /// The document's `operationId`.
    pub operation_id: &'static str,
    /// The name of the method of the client.
    pub name: &'static str,
    /// Sets every parameter and the body, and sends.
    pub send: for<'a> fn(&'a Client, &'a Given) -> Sent<'a>,
}

/// The arguments of a call: parameters by `place.name`, the fields of a form by `form.name`, any
/// other body as `body`.
#[derive(Debug, Clone, Default)]
pub struct Given(pub BTreeMap<String, Value>);

/// The samples in the types of the builders. A sample of the wrong kind is an error of these tests.
impl Given {
    fn sample(&self, key: &str) -> &Value {
        self.0.get(key).unwrap_or_else(|| panic!("no sample of {key}"))
    }

    pub(crate) fn text(&self, key: &str) -> String {
        plain(self.sample(key))
    }

    pub(crate) fn integer(&self, key: &str) -> i64 {
        self.sample(key).as_i64().unwrap_or_else(|| panic!("the sample of {key} is no integer"))
    }

    #[allow(dead_code, reason = "no document has a number among its parameters today")]
    pub(crate) fn number(&self, key: &str) -> f64 {
        self.sample(key).as_f64().unwrap_or_else(|| panic!("the sample of {key} is no number"))
    }

    pub(crate) fn boolean(&self, key: &str) -> bool {
        self.sample(key).as_bool().unwrap_or_else(|| panic!("the sample of {key} is no boolean"))
    }

    pub(crate) fn list(&self, key: &str) -> List {
        List(self.sample(key).clone())
    }

    pub(crate) fn map(&self, key: &str) -> Map {
        Map(self.sample(key).clone())
    }

    pub(crate) fn value(&self, key: &str) -> Value {
        self.sample(key).clone()
    }

    pub(crate) fn filters(&self, key: &str) -> Filters {
        self.sample(key).as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), plain(value))).collect()
    }

    pub(crate) fn file(&self, key: &str) -> File {
        let part = |name: &str| plain(&self.sample(key)[name]);
        File::from_bytes(part("file_name"), part("data"))
    }
}

/// A sample as the text that a path, a query, a header or a form carries.
#[must_use]
pub fn plain(sample: &Value) -> String {
    match sample {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A list of the type that the receiver takes.
#[derive(Debug)]
pub(crate) struct List(Value);

impl<T: DeserializeOwned> TryFrom<List> for Vec<T> {
    type Error = serde_json::Error;

    fn try_from(list: List) -> std::result::Result<Self, Self::Error> {
        serde_json::from_value(list.0)
    }
}

impl From<List> for Values {
    fn from(list: List) -> Self {
        list.0.as_array().into_iter().flatten().map(plain).collect()
    }
}

/// An object whose keys are data.
#[derive(Debug)]
pub(crate) struct Map(Value);

impl TryFrom<Map> for serde_json::Map<String, Value> {
    type Error = serde_json::Error;

    fn try_from(map: Map) -> std::result::Result<Self, Self::Error> {
        serde_json::from_value(map.0)
    }
}

/// Reads a response to its end. Method lookup takes the implementation by value for streams, and the one by reference
/// for all others, which are read before they are returned.
pub(crate) trait Finish {
    fn finish(self) -> impl Future<Output = Result<u16>> + Send;
}

impl Finish for Response<ByteStream> {
    async fn finish(self) -> Result<u16> {
        let status = self.status().as_u16();
        self.into_inner().bytes().await?;
        Ok(status)
    }
}

impl<T> Finish for &Response<T> {
    fn finish(self) -> impl Future<Output = Result<u16>> + Send {
        std::future::ready(Ok(self.status().as_u16()))
    }
}
