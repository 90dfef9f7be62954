//! What a structure does with its fields, a line for each: it reads, writes and describes itself.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::types::ident;
use crate::shape::types::{Field, Type};

/// The lines of a structure.
pub(super) struct Lines {
    /// The module that reads: answers with tolerance, requests strictly.
    reader: Ident,
    /// The function that describes what a property holds.
    describe: Ident,
    read: Vec<TokenStream>,
    written: Vec<TokenStream>,
    properties: Vec<TokenStream>,
    others: TokenStream,
    other: TokenStream,
}

impl Lines {
    pub(super) fn of_answer() -> Self {
        Self::new("tolerant", "with_default")
    }

    pub(super) fn of_request() -> Self {
        Self::new("strict", "of")
    }

    fn new(reader: &str, describe: &str) -> Self {
        Self {
            reader: ident(reader),
            describe: ident(describe),
            read: Vec::new(),
            written: Vec::new(),
            properties: Vec::new(),
            others: quote! { ::std::option::Option::None },
            other: quote! { _ => crate::tolerant::skip(map) },
        }
    }

    /// Adds a field of the type `held`: whether it may be absent, and when it is required.
    pub(super) fn add(&mut self, field: &Field, held: &TokenStream, absent: bool, required: &str) {
        // A literal is made once: to escape its text is most of what it takes.
        let (name, property) = (ident(&field.name), Literal::string(&field.property));
        let (reader, describe, required) = (&self.reader, &self.describe, ident(required));
        if field.rest {
            self.other = quote! { other => crate::tolerant::keep(map, other, &mut self.#name) };
            self.written.push(quote! { .kept(&self.#name) });
            self.others = quote! { ::std::option::Option::Some(of::<#held>) };
            return;
        }
        self.read.push(quote! { #property => crate::#reader::read(map, &mut self.#name), });
        let write = ident(if absent { "present" } else { "always" });
        self.written.push(quote! { .#write(#property, &self.#name) });
        let description = description(field.description.as_deref());
        self.properties.push(quote! { (#property, #description, #required, #describe::<#held>) });
    }

    /// How the value of a property is read, as a method of the reader's `Structure`.
    pub(super) fn read(&self) -> TokenStream {
        let (read, other) = (&self.read, &self.other);
        quote! {
            fn read<'de, A: ::serde::de::MapAccess<'de>>(&mut self, property: &str, map: &mut A) -> ::std::result::Result<(), A::Error> {
                match property {
                    #(#read)*
                    #other,
                }
            }
        }
    }

    /// All else: how the structure as a whole is read, written and described.
    pub(super) fn whole(&self, made: &Type) -> TokenStream {
        let (name, description) = (ident(&made.name), description(made.description.as_deref()));
        let Self { reader, written, properties, others, .. } = self;
        let schema = json_schema(&name, &quote! { structure(generator, #description, &[#(#properties),*], #others) });
        quote! {
            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    crate::#reader::structure(deserializer)
                }
            }

            impl ::serde::Serialize for #name {
                fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                    crate::tolerant::Written::start(serializer) #(#written)* .end()
                }
            }

            #schema
        }
    }
}

/// How a type describes itself in JSON Schema: `schema` is the expression, which has a `generator`. Inlined, it is compiled
/// in the programs that ask for it.
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

/// A description as JSON Schema has it: without the space around it.
pub(super) fn description(text: Option<&str>) -> &str {
    text.unwrap_or_default().trim_ascii()
}
