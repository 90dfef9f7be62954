//! The API keys of users, which the API calls tokens.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult, message, not_found};
use super::fields::date_time;
use super::state::Platform;
use super::timestamp::read_timestamp;
use crate::client::User;
use crate::log::Received;
use crate::response::Reply;

pub(super) const MAIN: [&str; 3] = ["list_api_tokens", "create_api_token", "revoke_api_token"];

/// How many user agents a key remembers.
const USER_AGENTS: usize = 20;

/// An API key.
#[derive(Debug)]
pub(crate) struct Token {
    key: String,
    user: User,
    /// Its properties as the API shows them.
    shown: Value,
}

impl Token {
    fn new(id: &str, key: String, user: User, now: &str) -> Self {
        let prefix: String = key.chars().take("udata_".len() + 8).collect();
        let shown = json!({
            "id": id, "name": null, "token_prefix": prefix, "scopes": ["admin"], "kind": "api_key", "created_at": now,
            "last_used_at": null, "user_agents": [], "revoked_at": null, "expires_at": null
        });
        Self { key, user, shown }
    }

    /// The keys of the users that there are at the start, and a revoked one.
    pub(crate) fn of_the_start(now: &str) -> Vec<Self> {
        let users = [User::Admin, User::Editor, User::Stranger, User::Revoked];
        let keys = users.into_iter().enumerate().map(|(index, user)| {
            let mut token = Self::new(&format!("5f43ab12cd34ef5678ab920{index}"), user.key().to_owned(), user, now);
            if user == User::Revoked {
                token.shown["revoked_at"] = json!(now);
            }
            token
        });
        keys.collect()
    }

    fn is_revoked(&self) -> bool {
        !self.shown["revoked_at"].is_null()
    }
}

fn refused(reason: &str) -> Reply {
    message(401, reason).with_header("www-authenticate", "Bearer realm=\"uData\"")
}

impl Platform {
    /// The user of the key of a request. A key that nobody was given is an editor's.
    pub(super) fn authenticate(&mut self, received: &Received) -> Result<Option<User>, Reply> {
        let Some(key) = received.header("x-api-key").filter(|key| !key.is_empty()) else { return Ok(None) };
        let now = self.catalogue.time();
        let Some(token) = self.tokens.iter_mut().find(|token| token.key == key) else {
            return Ok(Some(User::Editor));
        };
        let micros = |text: &str| read_timestamp(text, true).ok();
        if token.is_revoked() {
            return Err(refused("Revoked API token"));
        }
        if token.shown["expires_at"].as_str().and_then(micros).is_some_and(|end| Some(end) < micros(&now)) {
            return Err(refused("Expired API token"));
        }
        token.shown["last_used_at"] = json!(now);
        if let (Some(agent), Some(agents)) = (received.header("user-agent"), token.shown["user_agents"].as_array_mut())
            && agents.len() < USER_AGENTS
            && !agents.iter().any(|known| known == agent)
        {
            agents.push(json!(agent));
        }
        Ok(Some(token.user))
    }

    pub(super) fn respond_on_tokens(&mut self, call: &Call<'_>) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "list_api_tokens" => self.list_tokens(call),
            "create_api_token" => self.create_token(call),
            "revoke_api_token" => self.revoke_token(call),
            _ => return None,
        })
    }

    /// The keys of the user that are not revoked, the newest first.
    fn list_tokens(&self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let own = self.tokens.iter().rev().filter(|token| token.user == user && !token.is_revoked());
        Ok(Reply::json(200, &own.map(|token| token.shown.clone()).collect()))
    }

    fn create_token(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let body = call.received.json();
        let expires = &body["expires_at"];
        if let Some(text) = expires.as_str().filter(|text| !text.is_empty()) {
            let micros = |text: &str| read_timestamp(text, true);
            match (micros(text), micros(&self.catalogue.time())) {
                (Err(_), _) => return Err(message(400, "Invalid expires_at format")),
                (Ok(end), Ok(now)) if end < now => return Err(message(400, "expires_at must be in the future")),
                _ => {}
            }
        }
        let (now, id) = (self.catalogue.now(), self.catalogue.new_object_id());
        let key = format!("udata_{}", id.chars().rev().collect::<String>());
        let mut token = Token::new(&id, key, user, &now);
        for (name, value) in [("name", body["name"].clone()), ("expires_at", date_time(expires))] {
            token.shown[name] = value;
        }
        let mut shown = token.shown.clone();
        shown["token"] = json!(token.key);
        self.tokens.push(token);
        Ok(Reply::json(201, &shown))
    }

    fn revoke_token(&mut self, call: &Call<'_>) -> HandlerResult {
        let user = call.signed_in()?;
        let now = self.catalogue.now();
        let id = call.capture("api_token");
        let token = self.tokens.iter_mut().find(|token| token.shown["id"] == *id).ok_or_else(not_found)?;
        if token.user != user {
            return Err(message(404, "Token not found"));
        }
        if token.is_revoked() {
            return Err(message(410, "Token already revoked"));
        }
        token.shown["revoked_at"] = json!(now);
        Ok(Reply::empty(204))
    }
}
