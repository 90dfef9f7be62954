//! The objects of responses.

use proc_macro2::TokenStream;
use quote::quote;

use super::structure::StructureCode;
use super::syntax::{documentation, ident};
use super::writer::{Writer, raw_field, text_of};
use crate::shape::types::{Field, Rust};

impl Writer<'_> {
    /// A structure of responses: missing and null properties become the default, and no value is refused. Its
    /// implementations have a line per field, since derived ones would dominate the crate's build time.
    pub(super) fn response(&self, fields: &[Field]) -> TokenStream {
        let (name, doc) = (self.name(), self.documentation());
        let (mut declared, mut lines) = (Vec::new(), StructureCode::of_response());
        for field in fields {
            let doc = documentation(text_of(field).as_deref());
            let (field_name, rust_type) = (ident(&field.name), self.field_type(&field.rust));
            let emptiable = matches!(field.rust, Rust::List(_) | Rust::Map(_) | Rust::Any);
            let rust_type = if emptiable || field.required || field.rest {
                rust_type
            } else {
                quote! { ::std::option::Option<#rust_type> }
            };
            declared.push(quote! { #doc pub #field_name: #rust_type, });
            lines.add(field, &rust_type, emptiable || !field.required, "SERIALIZED");
        }
        let (raw, undocumented) = (raw_field(fields), self.undocumented(fields));
        let (read, written) = (lines.read(), lines.written(self.made, &quote! { serializer, &self.#raw }));
        quote! {
            #doc
            #undocumented
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
