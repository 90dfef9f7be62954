//! The JSON Schemas that the OpenAPI Initiative publishes.

use std::sync::LazyLock;

use datagouv_specs::faults::Version;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::finding::{Finding, Severity};

/// A schema, compiled once: that takes longer than to validate a small document.
type Compiled = LazyLock<Result<Validator, String>>;

static SWAGGER_2: Compiled = LazyLock::new(|| compile(include_str!("../../schemas/swagger-2.0.json")));
static OPENAPI_30: Compiled = LazyLock::new(|| compile(include_str!("../../schemas/openapi-3.0.json")));
static OPENAPI_31: Compiled = LazyLock::new(|| compile(include_str!("../../schemas/openapi-3.1.json")));

fn compile(text: &str) -> Result<Validator, String> {
    let schema: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    jsonschema::validator_for(&schema).map_err(|error| error.to_string())
}

/// What the schema of its version says of a document.
pub fn validate(document: &Value, version: Version) -> Vec<Finding> {
    let compiled = match version {
        Version::Swagger2 => &SWAGGER_2,
        Version::OpenApi30 => &OPENAPI_30,
        Version::OpenApi31 => &OPENAPI_31,
    };
    let mut findings = match &**compiled {
        Ok(validator) => all(validator, document),
        Err(error) => vec![Finding::new("schema", Severity::Error, "", format!("the schema cannot be read: {error}"))],
    };
    if version == Version::OpenApi31 {
        schemas(document, "", false, &mut findings);
    }
    findings
}

fn all(validator: &Validator, document: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    for error in validator.iter_errors(document) {
        collect(&error, &mut findings);
    }
    findings
}

/// An error, or of alternatives those of the one that was meant.
fn collect(error: &ValidationError<'_>, findings: &mut Vec<Finding>) {
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        // A document that was to be a reference has one; of the others, the one that fails latest is nearest.
        let is_reference = |errors: &&Vec<ValidationError<'static>>| {
            !errors.iter().any(|error| error.to_string().contains("\"$ref\" is a required property"))
        };
        let depth = |errors: &&Vec<ValidationError<'static>>| {
            errors.iter().map(|error| error.instance_path().as_str().matches('/').count()).max()
        };
        let meant: Vec<_> = context.iter().filter(is_reference).collect();
        let meant = meant.into_iter().max_by_key(|errors| (depth(errors), std::cmp::Reverse(errors.len())));
        if let Some(errors) = meant.filter(|errors| !errors.is_empty()) {
            errors.iter().for_each(|error| collect(error, findings));
            return;
        }
    }
    let text = error.masked_with("it").to_string();
    findings.push(Finding::new("schema", Severity::Error, error.instance_path().as_str(), text));
}

/// The schemas of an OpenAPI 3.1 document, which its own schema does not look into.
fn schemas(value: &Value, pointer: &str, is_schema: bool, findings: &mut Vec<Finding>) {
    if is_schema {
        if let Err(error) = jsonschema::draft202012::meta::validate(value) {
            let pointer = format!("{pointer}{}", error.instance_path().as_str());
            findings.push(Finding::new("schema", Severity::Error, pointer, error.masked_with("it").to_string()));
        }
        return;
    }
    match value {
        Value::Object(members) => {
            for (key, child) in members {
                if key == "example" || key == "examples" || key.starts_with("x-") {
                    continue;
                }
                let at = format!("{pointer}/{}", datagouv_specs::pointer::escape(key));
                if pointer == "/components/schemas" || (key == "schema" && !pointer.ends_with("/properties")) {
                    schemas(child, &at, true, findings);
                } else {
                    schemas(child, &at, false, findings);
                }
            }
        }
        Value::Array(list) => {
            for (index, child) in list.iter().enumerate() {
                schemas(child, &format!("{pointer}/{index}"), false, findings);
            }
        }
        _ => {}
    }
}
