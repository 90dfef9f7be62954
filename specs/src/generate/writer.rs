//! What the code of a type needs to know of it and of the other types.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::prose::markdown;
use super::syntax::{documentation, ident, rust_type};
use super::usage::Usage;
use crate::shape::names;
use crate::shape::types::{Field, Kind, Rust, Type};

/// The name of the field that holds the undeclared properties of a response.
pub(super) fn raw_field(fields: &[Field]) -> Ident {
    ident(&names::free("raw".to_owned(), &fields.iter().map(|field| field.name.clone()).collect()))
}

/// The types that each type contains directly, without a list or a map between.
pub(super) fn direct_mentions(types: &BTreeMap<String, Type>) -> BTreeMap<&str, BTreeSet<&str>> {
    let named = |rust: &'_ Rust| {
        if let Rust::Named(name) = rust { types.get_key_value(name).map(|(name, _)| name.as_str()) } else { None }
    };
    types
        .iter()
        .map(|(name, made)| {
            let mentioned = match &made.kind {
                Kind::Structure(_, fields) | Kind::Form(fields, _) => {
                    fields.iter().filter_map(|field| named(&field.rust)).collect()
                }
                Kind::Union(variants) => variants.iter().filter_map(|(_, rust)| named(rust)).collect(),
                Kind::Enumeration(_) => BTreeSet::new(),
            };
            (name.as_str(), mentioned)
        })
        .collect()
}

/// The docs of a field: its description in the document.
pub(super) fn text_of(field: &Field) -> Option<String> {
    field.description.as_deref().map(markdown).filter(|text| !text.is_empty())
}

/// Writes the code of a type.
pub(super) struct Writer<'a> {
    pub(super) made: &'a Type,
    pub(super) types: &'a BTreeMap<String, Type>,
    pub(super) direct: &'a BTreeMap<&'a str, BTreeSet<&'a str>>,
    pub(super) usage: &'a Usage<'a>,
}

impl Writer<'_> {
    pub(super) fn name(&self) -> Ident {
        ident(&self.made.name)
    }

    /// The docs of the type: its description, and which operations return and take it.
    pub(super) fn documentation(&self) -> TokenStream {
        let description = self.made.description.as_deref().map(markdown).filter(|text| !text.is_empty());
        let parts: Vec<String> = description.into_iter().chain(self.usage.describe(self.made)).collect();
        documentation(Some(&parts.join("\n\n")).filter(|text| !text.is_empty()).map(String::as_str))
    }

    /// Lets fields be without docs, where some are.
    pub(super) fn undocumented(&self, fields: &[Field]) -> TokenStream {
        if fields.iter().all(|field| text_of(field).is_some()) {
            return TokenStream::new();
        }
        quote! { #[allow(missing_docs, reason = "the document does not describe every property")] }
    }

    /// Whether a field of that type would make this type infinitely large.
    pub(super) fn recursive(&self, rust: &Rust) -> bool {
        let Rust::Named(name) = rust else { return false };
        let mut open = vec![name.as_str()];
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop() {
            if name == self.made.name {
                return true;
            }
            if seen.insert(name) {
                open.extend(self.direct.get(name).into_iter().flatten());
            }
        }
        false
    }

    pub(super) fn field_type(&self, rust: &Rust) -> TokenStream {
        let written = rust_type(rust, None);
        if self.recursive(rust) {
            quote! { ::std::boxed::Box<#written> }
        } else {
            written
        }
    }
}
