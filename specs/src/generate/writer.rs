//! What the code of a type needs to know of it and of the other types.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::syntax::{documentation, ident, rust_type};
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
            let held = match &made.kind {
                Kind::Structure(_, fields) | Kind::Form(fields, _) => {
                    fields.iter().filter_map(|field| named(&field.rust)).collect()
                }
                Kind::Union(variants) => variants.iter().filter_map(|(_, rust)| named(rust)).collect(),
                Kind::Enumeration(_) => BTreeSet::new(),
            };
            (name.as_str(), held)
        })
        .collect()
}

/// Writes the code of a type.
pub(super) struct Writer<'a> {
    pub(super) made: &'a Type,
    pub(super) types: &'a BTreeMap<String, Type>,
    pub(super) direct: &'a BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl Writer<'_> {
    pub(super) fn name(&self) -> Ident {
        ident(&self.made.name)
    }

    pub(super) fn documentation(&self) -> TokenStream {
        documentation(self.made.description.as_deref())
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
