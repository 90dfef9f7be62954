//! The objects of responses.

use proc_macro2::TokenStream;
use quote::quote;

use super::structure::StructureCode;
use super::syntax::{documentation, ident};
use super::writer::{Writer, raw_field};
use crate::shape::types::{Field, Rust};

impl Writer<'_> {
    /// A structure of responses: missing and null properties become the default, and no value is refused. Its
    /// implementations have a line per field, since derived ones would dominate the crate's build time.
    pub(super) fn response(&self, fields: &[Field]) -> TokenStream {
        let (name, doc) = (self.name(), self.documentation());
        let (mut declared, mut lines) = (Vec::new(), StructureCode::of_response());
        for field in fields {
            let doc = documentation(field.description.as_deref());
            let (field_name, held) = (ident(&field.name), self.field_type(&field.rust));
            let emptiable = matches!(field.rust, Rust::List(_) | Rust::Map(_) | Rust::Any);
            let held = if emptiable || field.required || field.rest {
                held
            } else {
                quote! { ::std::option::Option<#held> }
            };
            declared.push(quote! { #doc pub #field_name: #held, });
            lines.add(field, &held, emptiable || !field.required, "SERIALIZED");
        }
        let raw = raw_field(fields);
        let (read, written) = (lines.read(), lines.written(self.made, &quote! { serializer, &self.#raw }));
        quote! {
            #doc
            #[derive(Clone, Debug, Default, PartialEq)]
            #[non_exhaustive]
            pub struct #name { #(#declared)* #raw: crate::tolerant::RawProperties }

            crate::tolerant::structure! { #name, #raw }

            impl crate::tolerant::Structure for #name {
                #read
                fn raw(&mut self) -> &mut crate::tolerant::RawProperties {
                    &mut self.#raw
                }
            }

            #written
        }
    }
}
