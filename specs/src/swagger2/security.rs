//! Security schemes and requirements.

use serde_json::{Map, Value, json};

use super::Converter;
use super::node::{Kind, Node};
use crate::Error;

/// A security scheme.
pub(super) fn scheme(node: &Node) -> Result<Value, Error> {
    let kind = node.need("type")?;
    let mut scheme = node.carry("description");
    match kind.text()? {
        "basic" => {
            node.check(&[&[(Kind::Text, "type description")]])?;
            scheme.extend([("type".to_owned(), "http".into()), ("scheme".to_owned(), "basic".into())]);
        }
        "apiKey" => {
            node.check(&[&[(Kind::Text, "type description name! in!")]])?;
            let place = node.need("in")?;
            if !["query", "header"].contains(&place.text()?) {
                return Err(place.refuse("an API key is in `query` or `header`"));
            }
            scheme.append(&mut node.pick("type name in"));
        }
        "oauth2" => {
            let flow = node.need("flow")?;
            let (name, urls) = match flow.text()? {
                "implicit" => ("implicit", "authorizationUrl!"),
                "password" => ("password", "tokenUrl!"),
                "application" => ("clientCredentials", "tokenUrl!"),
                "accessCode" => ("authorizationCode", "authorizationUrl! tokenUrl!"),
                other => return Err(flow.refuse(format!("`{other}` is no flow of OAuth 2"))),
            };
            let text = "type description flow";
            node.check(&[&[(Kind::Text, text), (Kind::Text, urls), (Kind::Object, "scopes!")]])?;
            let mut converted = node.pick("authorizationUrl tokenUrl");
            let mut scopes = Map::new();
            for (name, scope) in node.need("scopes")?.entries()? {
                if name.starts_with("x-") {
                    converted.insert(name.to_owned(), scope.value.clone());
                } else {
                    scopes.insert(name.to_owned(), scope.text()?.into());
                }
            }
            converted.insert("scopes".to_owned(), scopes.into());
            scheme.insert("type".to_owned(), "oauth2".into());
            scheme.insert("flows".to_owned(), json!({ name: converted }));
        }
        other => return Err(kind.refuse(format!("`{other}` is no type of security scheme"))),
    }
    Ok(scheme.into())
}

impl<'a> Converter<'a> {
    /// The security requirements of the document or of an operation, if it has any of its own.
    pub fn security(&self, owner: &Node<'a>) -> Result<Option<Value>, Error> {
        let Some(list) = owner.get("security") else {
            return Ok(None);
        };
        let mut requirements = Vec::new();
        for requirement in list.elements()? {
            let mut converted = Map::new();
            for (name, scopes) in requirement.entries()? {
                if self.root.get("securityDefinitions").and_then(|all| all.get(name)).is_none() {
                    return Err(requirement.refuse(format!("`{name}` is not in `securityDefinitions`")));
                }
                converted.insert(self.security.of(name).to_owned(), scopes.texts()?.into());
            }
            requirements.push(Value::from(converted));
        }
        Ok(Some(requirements.into()))
    }
}
