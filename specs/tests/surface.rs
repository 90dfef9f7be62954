//! The public surface that the documents give, as a snapshot: a refresh that changes it is read before it is accepted.

use std::fmt::Write;

use datagouv_specs::shape::types::{Kind, Role};
use datagouv_specs::shape::{Shaped, shape};
use datagouv_specs::{Api, corrected};

fn surface(shaped: &Shaped) -> String {
    let mut text = String::new();
    for operation in &shaped.operations {
        let body = operation.body.as_ref().map(|body| format!(" body {body:?}")).unwrap_or_default();
        let (name, method, path) = (&operation.name, &operation.method, &operation.path);
        let pages = operation.paginated.as_ref().map(|item| format!(", pages of {item:?}")).unwrap_or_default();
        let mask = if operation.masked { ", masked" } else { "" };
        writeln!(text, "{name}: {method} {path}{body} -> {:?}{pages}{mask}", operation.response).unwrap();
    }
    for made in shaped.types.values() {
        let kind = match &made.kind {
            Kind::Structure(Role::Response, fields) => format!("response of {} fields", fields.len()),
            Kind::Structure(Role::Request, fields) => {
                let required: Vec<&str> =
                    fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
                format!("request of {} fields, required: {}", fields.len(), required.join(", "))
            }
            Kind::Form(fields, _) => format!("form of {} fields", fields.len()),
            Kind::Enumeration(values) => format!("one of {}", values.join(" | ")),
            Kind::Union(variants) => {
                let labels: Vec<&str> = variants.iter().map(|(label, _)| label.as_str()).collect();
                format!("union of {}", labels.join(" | "))
            }
        };
        writeln!(text, "{}: {kind}", made.name).unwrap();
    }
    text
}

#[test]
fn the_surface_is_the_one_that_was_reviewed() {
    for api in Api::ALL {
        let shaped = shape(api, &corrected(api).unwrap()).unwrap();
        insta::assert_snapshot!(format!("surface-{api}"), surface(&shaped));
    }
}
