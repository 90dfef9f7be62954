//! Pass 2, parameters: names in Rust for the parameters of each operation.
//!
//! Guarantees: the parameters of an operation have different names in Rust, none that its builder needs for itself, and
//! every placeholder of the path has a parameter. A parameter of the path gives way to others, since its name is never
//! sent.

use std::collections::BTreeMap;

use super::names;
use super::operations::DocumentOperation;
use crate::Error;

/// Methods and fields that a builder has in addition to those of its parameters.
const BUILDER_NAMES: [&str; 9] = ["body", "call", "client", "fields", "fields_raw", "items", "new", "pages", "send"];

/// Names the parameters of all operations.
pub fn parameters(mut operations: Vec<DocumentOperation<'_>>) -> Result<Vec<DocumentOperation<'_>>, Error> {
    for operation in &mut operations {
        name(operation).map_err(|error| operation.error(error))?;
    }
    Ok(operations)
}

fn name(operation: &mut DocumentOperation<'_>) -> Result<(), Error> {
    let pointer = operation.pointer();
    for name in operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        if !operation.has_parameter("path", name) {
            return Err(Error::new(pointer, format!("`{name}` is in the path, and no parameter describes it")));
        }
    }
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for parameter in &mut operation.parameters {
        let (location, name) = (parameter.location, parameter.name);
        let failed = |message| Err(Error::new(format!("{pointer}/parameters/{name}"), message));
        if !matches!(location, "query" | "header" | "path") {
            return failed(format!("a {location} parameter (`{name}`) cannot be generated"));
        }
        let mut snake = names::snake(name);
        if location == "path" {
            while taken.contains_key(&snake) || BUILDER_NAMES.contains(&snake.as_str()) {
                parameter.generator_name = format!("path_{}", parameter.generator_name.trim_start_matches('_'));
                snake = names::snake(&parameter.generator_name);
            }
            if parameter.generator_name != name {
                let renamed = format!("{{{}}}", parameter.generator_name);
                operation.generator_path = operation.generator_path.replace(&format!("{{{name}}}"), &renamed);
            }
        }
        if let Some(other) = taken.insert(snake.clone(), name) {
            return failed(format!("`{name}` and `{other}` are both `{snake}` in Rust"));
        }
        if BUILDER_NAMES.contains(&snake.as_str()) {
            return failed(format!("the builder needs the name `{snake}` for itself"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Api;
    use crate::shape::operations::operations;

    fn named(path: &str, parameters: Value) -> Result<(String, Vec<String>), Error> {
        let document = json!({"paths": {path: {"get": {"operationId": "x", "parameters": parameters}}}});
        let named = super::parameters(operations(Api::Main, &document)?)?;
        let names = named[0].parameters.iter().map(|parameter| parameter.generator_name.clone()).collect();
        Ok((named[0].generator_path.clone(), names))
    }

    #[test]
    fn a_path_parameter_gives_way_to_a_query_parameter_of_its_name() {
        let parameters = json!([{"in": "path", "name": "_format"}, {"in": "query", "name": "format"}]);
        let (path, names) = named("/catalog.{_format}", parameters).unwrap();
        assert_eq!(path, "/catalog.{path_format}");
        assert_eq!(names, ["format", "path_format"]);
    }

    #[test]
    fn two_parameters_of_one_name_in_rust_are_an_error() {
        let parameters = json!([{"in": "query", "name": "pageSize"}, {"in": "query", "name": "page_size"}]);
        let error = named("/things", parameters).unwrap_err().to_string();
        assert!(error.contains("`page_size` and `pageSize` are both `page_size` in Rust"), "{error}");
    }
}
