//! Names, types and descriptions as tokens of Rust, and the order of arguments.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::shape::types::{Field, Rust};

/// A type as it is written; names of the document are looked up in `module` where one is given.
pub fn rust_type(rust: &Rust, module: Option<&Ident>) -> TokenStream {
    match rust {
        Rust::String => quote! { ::std::string::String },
        Rust::Integer => quote! { i64 },
        Rust::Number => quote! { f64 },
        Rust::Boolean => quote! { bool },
        Rust::DateTime => quote! { crate::DateTime },
        Rust::Date => quote! { crate::Date },
        Rust::Any => quote! { ::serde_json::Value },
        Rust::File => quote! { crate::File },
        Rust::Filters => quote! { crate::Filters },
        Rust::Values => quote! { crate::Values },
        Rust::Named(name) => {
            let name = ident(name);
            match module {
                Some(module) => quote! { #module::#name },
                None => quote! { #name },
            }
        }
        Rust::List(inner) => {
            let inner = rust_type(inner, module);
            quote! { ::std::vec::Vec<#inner> }
        }
        Rust::Map(inner) => {
            let inner = rust_type(inner, module);
            quote! { ::std::collections::BTreeMap<::std::string::String, #inner> }
        }
        Rust::Nullable(inner) => {
            let inner = rust_type(inner, module);
            quote! { ::std::option::Option<#inner> }
        }
    }
}

/// An identifier.
pub(super) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// A doc comment.
pub(super) fn documentation(description: Option<&str>) -> TokenStream {
    description.map(|text| quote! { #[doc = #text] }).unwrap_or_default()
}

/// A description as JSON Schema has it: trimmed.
pub(super) fn description(text: Option<&str>) -> &str {
    text.unwrap_or_default().trim_ascii()
}

/// Fields in the order of the arguments of a constructor.
pub(super) fn constructor_order(fields: &[Field]) -> Vec<&Field> {
    let mut fields: Vec<&Field> = fields.iter().collect();
    fields.sort_by_key(|field| precedence(&field.property));
    fields
}

/// The order of an argument in a constructor: names come first. In alphabetical order, a description would come before
/// the name, and both are strings.
fn precedence(property: &str) -> u8 {
    match property {
        "class" | "id" => 0,
        "title" | "name" => 1,
        _ => 2,
    }
}
