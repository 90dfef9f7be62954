//! Adapts a corrected document to the generator, by rules that are the same for every API.
//!
//! A document travels through these passes, each a file with one public function that takes what the ones before gave.
//! None calls back into an earlier one.
//!
//! | pass | gives |
//! |---|---|
//! | 1 `operations` | the operations, their references followed and their parameters merged |
//! | 2 `parameters` | names in Rust for parameters |
//! | 3 `roles` | which components are met in responses and which in requests |
//! | 4 `naming` | names in Rust for components, in each role |
//! | 5 `enums` | one name for each set of values |
//! | 6 `requirements` | what operations require of the components that they send |
//! | 7 `hoisting` | a type for every schema, and a name for every object, union and enum in one |
//! | 8 `responses` | objects of responses that are read with tolerance |
//! | 9 `requests` | objects of requests that are written strictly |
//! | 10 `pages` | which operations are paginated, and which take a field mask |
//! | 11 `generator` | the operations in the form that the generator reads |
//!
//! `components` looks schemas up, [`names`] spells names, [`types`] and `shaped` hold the result. What the generator
//! cannot take is an error that names the operation and the reason.

mod components;
mod enums;
mod generator;
mod hoisting;
pub mod names;
mod naming;
mod operations;
mod pages;
mod parameters;
mod requests;
mod requirements;
mod responses;
mod roles;
mod shaped;
pub mod types;

use serde_json::Value;

use crate::{Api, Error};
pub use shaped::{Operation, Parameter, ResponseBody, Shaped};

/// Shapes a corrected document.
pub fn shape(api: Api, document: &Value) -> Result<Shaped, Error> {
    let components = components::Components::of(document);
    let operations = parameters::parameters(operations::operations(api, document)?)?;
    let roles = roles::roles(components, &operations);
    let names = naming::naming(components, &roles);
    let names = enums::enums(components, &operations, names);
    let requirements = requirements::requirements(components, &operations)?;
    let hoisted = hoisting::hoisting(components, operations, requirements, names)?;
    let hoisted = requests::requests(responses::responses(hoisted));
    let pages = pages::pages(&hoisted);
    let operations = generator::operations(hoisted.operations, pages);
    let info = document.get("info").cloned().unwrap_or_default();
    Ok(Shaped { api, operations, types: hoisted.types, info })
}
