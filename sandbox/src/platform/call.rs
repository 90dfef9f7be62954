//! A call of an operation, and the error responses that all operations have.

use serde_json::json;

use crate::Api;
use crate::client::User;
use crate::log::Received;
use crate::request::header;
use crate::response::Reply;
use crate::server_error::{NOT_FOUND, ServerError};

/// The response to a call, or an error response.
pub(super) type HandlerResult = Result<Reply, Reply>;

/// A valid request for an operation.
pub(crate) struct Call<'a> {
    pub(crate) api: Api,
    pub(crate) operation_id: &'a str,
    pub(crate) captures: &'a [(String, String)],
    pub(crate) received: &'a Received,
}

impl Call<'_> {
    pub(super) fn capture(&self, name: &str) -> &str {
        self.captures.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let pairs = &self.received.query_pairs;
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn user(&self) -> Option<User> {
        User::of_key(header(&self.received.headers, "x-api-key"))
    }

    /// The user of the API key; 401 without one.
    pub(super) fn signed_in(&self) -> Result<User, Reply> {
        self.user().ok_or_else(|| ServerError::unauthorized().reply(Api::Main))
    }

    /// Refuses who is no sysadmin.
    pub(super) fn by_sysadmin(&self) -> Result<User, Reply> {
        match self.signed_in()? {
            User::Admin => Ok(User::Admin),
            _ => Err(ServerError::forbidden().reply(self.api)),
        }
    }

    /// Refuses what there would be only for the header that asks for more.
    pub(super) fn without_full_objects(&self) -> Result<(), Reply> {
        let full = self.received.header("x-get-datasets-full-objects");
        match full.filter(|value| value.eq_ignore_ascii_case("true")) {
            Some(_) => Err(unimplemented("`X-Get-Datasets-Full-Objects`")),
            None => Ok(()),
        }
    }
}

pub(super) fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({"message": text}))
}

pub(super) fn not_found() -> Reply {
    message(404, NOT_FOUND)
}

/// The error of what the sandbox does not implement, so that no test passes by it.
pub(super) fn unimplemented(what: &str) -> Reply {
    let text = format!("the sandbox does not implement {what}: reply to the request by a rule, or do without it");
    message(501, &text)
}
