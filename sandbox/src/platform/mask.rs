//! Field masks: the header `X-Fields` selects the fields of a response.

use serde_json::{Map, Value};

use super::call::message;
use crate::response::Reply;

/// The names to keep, each with the mask of its value; `*` keeps all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mask(Vec<(String, Option<Mask>)>);

impl Mask {
    /// Reads `id,organization{name}`, with or without braces around it. None when a brace is missing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|char| !char.is_whitespace()).collect();
        let mut rest = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(&text);
        let mask = Self::read_names(&mut rest)?;
        rest.is_empty().then_some(mask)
    }

    fn read_names(rest: &mut &str) -> Option<Self> {
        let mut names = Vec::new();
        loop {
            let end = rest.find([',', '{', '}']).unwrap_or(rest.len());
            let (name, tail) = rest.split_at(end);
            *rest = tail;
            let below = match rest.strip_prefix('{') {
                Some(inner) => {
                    *rest = inner;
                    let below = Self::read_names(rest)?;
                    *rest = rest.strip_prefix('}')?;
                    Some(below)
                }
                None => None,
            };
            names.push((name.to_owned(), below));
            match rest.strip_prefix(',') {
                Some(tail) => *rest = tail,
                None => return Some(Self(names)),
            }
        }
    }

    /// Applies the mask to a value; unknown names are ignored.
    pub(crate) fn apply(&self, value: Value) -> Value {
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(object) => Value::Object(self.apply_to_object(object)),
            other => other,
        }
    }

    fn apply_to_object(&self, object: Map<String, Value>) -> Map<String, Value> {
        let all = self.0.iter().any(|(name, _)| name == "*");
        let kept =
            object.into_iter().filter_map(|(name, value)| match self.0.iter().find(|(wanted, _)| *wanted == name) {
                Some((_, Some(below))) => Some((name, below.apply(value))),
                Some((_, None)) => Some((name, value)),
                None => all.then_some((name, value)),
            });
        kept.collect()
    }
}

/// The response without the fields that a mask does not have.
pub(crate) fn masked(reply: Reply, mask: &str) -> Reply {
    if mask.is_empty() || reply.status >= 300 || reply.body.is_empty() {
        return reply;
    }
    match (Mask::read(mask), serde_json::from_slice::<Value>(&reply.body)) {
        (Some(mask), Ok(body)) => Reply { body: mask.apply(body).to_string().into(), ..reply },
        (None, _) => message(400, "Mask parse error: Missing closing bracket"),
        _ => reply,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Mask;

    #[test]
    fn a_mask_keeps_the_fields_that_it_names() {
        let value = json!({"data": [{"id": 1, "title": "a", "organization": {"id": 2, "name": "b"}}], "total": 1});
        for (mask, kept) in [
            ("data{id,organization{name}}", json!({"data": [{"id": 1, "organization": {"name": "b"}}]})),
            ("{data{title},*}", json!({"data": [{"title": "a"}], "total": 1})),
            ("{*}", value.clone()),
            ("nope", json!({})),
        ] {
            assert_eq!(Mask::read(mask).expect("a good mask").apply(value.clone()), kept, "{mask}");
        }
        assert_eq!(Mask::read("data{id"), None);
        assert_eq!(Mask::read("data}"), None);
    }
}
