//! Security schemes and requirements.

use serde_json::{Map, Value, json};

use super::converter::Converter;
use crate::Error;
use crate::node::{Kind, Node, Optional, Required};

/// A security scheme.
pub(super) fn scheme(node: &Node) -> Result<Value, Error> {
    let kind = node.need("type")?;
    let mut scheme = node.carry(&["description"]);
    match kind.text()? {
        "basic" => {
            node.check(&[&[(Optional, Kind::Text, &["type", "description"])]])?;
            scheme["type"] = "http".into();
            scheme["scheme"] = "basic".into();
        }
        "apiKey" => {
            node.check(&[&[
                (Required, Kind::Text, &["name", "in"]),
                (Optional, Kind::Text, &["type", "description"]),
            ]])?;
            let pointer = node.need("in")?;
            if !["query", "header"].contains(&pointer.text()?) {
                return Err(pointer.error("an API key is in `query` or `header`"));
            }
            scheme = node.carry(&["description", "type", "name", "in"]);
        }
        "oauth2" => {
            let flow = node.need("flow")?;
            let (name, urls): (_, &[_]) = match flow.text()? {
                "implicit" => ("implicit", &["authorizationUrl"]),
                "password" => ("password", &["tokenUrl"]),
                "application" => ("clientCredentials", &["tokenUrl"]),
                "accessCode" => ("authorizationCode", &["authorizationUrl", "tokenUrl"]),
                other => return Err(flow.error(format!("`{other}` is no flow of OAuth 2"))),
            };
            let texts: (_, _, &[_]) = (Optional, Kind::Text, &["type", "description", "flow"]);
            node.check(&[&[texts, (Required, Kind::Text, urls), (Required, Kind::Object, &["scopes"])]])?;
            scheme["type"] = "oauth2".into();
            scheme["flows"] = json!({ name: oauth2_flow(node)? });
        }
        other => return Err(kind.error(format!("`{other}` is no type of security scheme"))),
    }
    Ok(scheme)
}

fn oauth2_flow(node: &Node) -> Result<Value, Error> {
    let scopes = node.need("scopes")?;
    // Scopes have vendor extensions in Swagger; in OpenAPI the flow has.
    let mut flow = scopes.carry(&[]);
    let mut converted = Map::new();
    for (name, scope) in scopes.entries()? {
        if !name.starts_with("x-") {
            converted.insert(name.to_owned(), scope.text()?.into());
        }
    }
    flow["scopes"] = converted.into();
    for url in ["authorizationUrl", "tokenUrl"] {
        if let Some(node) = node.get(url) {
            flow[url] = node.value.clone();
        }
    }
    Ok(flow)
}

impl<'a> Converter<'a> {
    /// Security requirements, of the document or of an operation.
    pub fn security(&self, list: &Node<'a>) -> Result<Value, Error> {
        let schemes = self.root.get("securityDefinitions");
        let mut requirements = Vec::new();
        for requirement in list.elements()? {
            let mut converted = Map::new();
            for (name, scopes) in requirement.entries()? {
                if schemes.as_ref().is_none_or(|all| all.get(name).is_none()) {
                    let message = format!("`{name}` is not in `securityDefinitions`");
                    return Err(requirement.error(message));
                }
                converted.insert(self.security.of(name).to_owned(), scopes.texts()?.into());
            }
            requirements.push(Value::from(converted));
        }
        Ok(requirements.into())
    }
}
