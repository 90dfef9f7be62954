//! A call of an operation, and the error responses that all operations have.

use serde_json::{Value, json};

use super::vocabularies::replace_identifiers;
use crate::Api;
use crate::client::User;
use crate::log::Received;
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
    /// The user of the API key.
    pub(crate) user: Option<User>,
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
        self.user
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

    /// The response with whole objects in the place of identifiers, if the request has the header for them.
    pub(super) fn with_full_objects(&self, reply: Reply) -> Reply {
        // Any value will do, even `False`.
        let full = self.received.header("x-get-datasets-full-objects").is_some_and(|value| !value.is_empty());
        if !full || reply.status >= 300 {
            return reply;
        }
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(mut body) => {
                replace_identifiers(&mut body, self.api);
                Reply { body: body.to_string().into(), ..reply }
            }
            Err(_) => reply,
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
