//! The implementations of a structure, a line for each field: reading, writing and JSON Schema.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::syntax::{description, ident};
use crate::shape::types::{Field, Rust, Type};

/// The code of a structure's fields.
pub(super) struct StructureCode {
    /// The module that decodes: `tolerant` for responses, `strict` for requests.
    reader: Ident,
    /// The return type of decoding a property.
    read_as: TokenStream,
    /// The function that gives the JSON Schema of a property.
    describe: Ident,
    read: Vec<TokenStream>,
    written: Vec<TokenStream>,
    properties: Vec<TokenStream>,
    others: TokenStream,
    other: TokenStream,
}

impl StructureCode {
    pub(super) fn of_response() -> Self {
        Self::new("tolerant", quote! { crate::tolerant::ReadOutcome }, "with_default")
    }

    pub(super) fn of_request() -> Self {
        Self::new("strict", quote! { () }, "of")
    }

    fn new(reader: &str, read_as: TokenStream, describe: &str) -> Self {
        let reader = ident(reader);
        Self {
            read_as,
            describe: ident(describe),
            read: Vec::new(),
            written: Vec::new(),
            properties: Vec::new(),
            others: quote! { ::std::option::Option::None },
            other: quote! { _ => crate::#reader::unknown(map) },
            reader,
        }
    }

    /// Adds a field of the type `rust_type`: whether it may be absent, and when it is required.
    pub(super) fn add(&mut self, field: &Field, rust_type: &TokenStream, absent: bool, required: &str) {
        // Created once, since escaping its text is most of the cost.
        let (name, property) = (ident(&field.name), Literal::string(&field.property));
        let (reader, describe, required) = (&self.reader, &self.describe, ident(required));
        if field.rest {
            self.other = quote! { other => crate::#reader::other(map, other, &mut self.#name) };
            self.written.push(quote! { .others(&self.#name) });
            self.others = quote! { ::std::option::Option::Some(of::<#rust_type>) };
            return;
        }
        self.read.push(quote! { #property => crate::#reader::read(map, &mut self.#name), });
        let write = ident(match (reader == "tolerant" && is_number(&field.rust), absent) {
            (true, _) => "numbers",
            (false, true) => "present",
            (false, false) => "always",
        });
        self.written.push(quote! { .#write(#property, &self.#name) });
        let description = description(field.description.as_deref());
        self.properties.push(quote! { (#property, #description, #required, #describe::<#rust_type>) });
    }

    /// The method of `Structure` that decodes a property.
    pub(super) fn read(&self) -> TokenStream {
        let Self { read, read_as, other, .. } = self;
        quote! {
            fn read<'de, A: ::serde::de::MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> ::std::result::Result<#read_as, A::Error> {
                match property {
                    #(#read)*
                    #other,
                }
            }
        }
    }

    /// The implementations of `Serialize`, whose writer starts with these arguments, and of `JsonSchema`.
    pub(super) fn written(&self, made: &Type, start: &TokenStream) -> TokenStream {
        let (name, description) = (ident(&made.name), description(made.description.as_deref()));
        let Self { reader, written, properties, others, .. } = self;
        let schema = json_schema(&name, &quote! { structure(generator, #description, &[#(#properties),*], #others) });
        quote! {
            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    crate::#reader::ObjectSerializer::new(#start) #(#written)* .end()
                }
            }

            #schema
        }
    }
}

/// Whether a type contains numbers, which JSON cannot represent if they are not finite.
fn is_number(rust: &Rust) -> bool {
    match rust {
        Rust::Number => true,
        Rust::List(inner) | Rust::Map(inner) | Rust::Nullable(inner) => is_number(inner),
        _ => false,
    }
}

/// The implementation of `JsonSchema`: `schema` is an expression that may use `generator`. Inlined, so that only programs
/// that use it compile it.
pub(super) fn json_schema(name: &Ident, schema: &TokenStream) -> TokenStream {
    let text = name.to_string();
    quote! {
        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for #name {
            #[inline]
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                #text.into()
            }
            #[inline]
            fn schema_id() -> ::std::borrow::Cow<'static, str> {
                concat!(module_path!(), "::", #text).into()
            }
            #[inline]
            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                #schema
            }
        }
    }
}
