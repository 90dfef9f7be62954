//! Which resources the tabular API aggregates.

use serde_json::Value;

use crate::tabular::types::AggregationExceptions;

impl AggregationExceptions {
    /// Whether a resource can be aggregated, in the form that the server gives: a list of ids until version 0.3, rules and
    /// exceptions since 0.4.
    ///
    /// ```
    /// use datagouv::tabular::types::AggregationExceptions;
    ///
    /// let id = "1c5075ec-7ce1-49cb-ab89-94f507812daf";
    /// for body in [format!(r#"["{id}"]"#), format!(r#"{{"allowed": false, "exceptions": ["{id}"]}}"#)] {
    ///     let known: AggregationExceptions = serde_json::from_str(&body).unwrap();
    ///     assert!(known.allows(id) && !known.allows("other"));
    /// }
    /// ```
    #[must_use]
    pub fn allows(&self, resource: &str) -> bool {
        let everywhere = match self {
            Self::AggregationRules(rules) => rules.allowed == Value::Bool(true),
            _ => false,
        };
        everywhere || self.resources().any(|id| id == resource)
    }

    /// The resources that the server names as those that can be aggregated.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        let (listed, allowed) = match self {
            Self::List(listed) => (listed.as_slice(), &Value::Null),
            Self::AggregationRules(rules) => (rules.exceptions.as_slice(), &rules.allowed),
            Self::Other(_) => (&[][..], &Value::Null),
        };
        let allowed = allowed.as_array().into_iter().flatten().filter_map(Value::as_str);
        listed.iter().map(String::as_str).chain(allowed)
    }
}
