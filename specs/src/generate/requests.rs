//! The types that are sent: structures of requests, and forms.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::structure::StructureCode;
use super::syntax::{constructor_order, documentation, ident, rust_type};
use super::writer::{Writer, raw_field, text_of};
use crate::shape::types::{Field, Kind, Role, Rust, Type};

impl Writer<'_> {
    /// A structure of requests: `new` takes the required fields, and fields that are not set are not sent.
    pub(super) fn request(&self, fields: &[Field]) -> TokenStream {
        let (name, doc, undocumented) = (self.name(), self.documentation(), self.undocumented(fields));
        let (mut declared, mut blank, mut lines) = (Vec::new(), Vec::new(), StructureCode::of_request());
        for field in fields {
            let (doc, name) = (documentation(text_of(field).as_deref()), ident(&field.name));
            let (rust_type, presence) = (self.request_type(field), self.presence(field));
            declared.push(quote! { #doc pub #name: #rust_type, });
            let value = self.blank(field);
            blank.push(quote! { #name: #value });
            let required = match presence {
                Presence::Required => "ALWAYS",
                Presence::Nullable => "SERIALIZED",
                Presence::Optional | Presence::Emptiable | Presence::Rest => "NEVER",
            };
            let absent = matches!(presence, Presence::Optional | Presence::Emptiable);
            lines.add(field, &rust_type, absent, required);
        }
        let required: Vec<&str> =
            fields.iter().filter(|field| field.required && !field.rest).map(|field| field.property.as_str()).collect();
        let title = &self.made.name;
        let (default, blank) = if fields.iter().any(|field| field.required) {
            (quote! {}, quote! { Self { #(#blank),* } })
        } else {
            (quote! { Default, }, quote! { <Self as ::std::default::Default>::default() })
        };
        let constructor = self.constructor(fields);
        let from = self.read_modify_write(fields);
        let (read, written) = (lines.read(), lines.written(self.made, &quote! { serializer }));
        quote! {
            #doc
            #undocumented
            #[derive(Clone, Debug, #default PartialEq)]
            #[non_exhaustive]
            pub struct #name { #(#declared)* }

            #constructor
            #from

            impl crate::strict::Structure for #name {
                const NAME: &'static str = #title;
                const REQUIRED: &'static [&'static str] = &[#(#required),*];
                #[inline]
                fn blank() -> Self {
                    #blank
                }
                #read
            }

            impl<'de> ::serde::Deserialize<'de> for #name {
                fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                    crate::strict::deserialize(deserializer)
                }
            }

            #written

            impl ::std::convert::TryFrom<::serde_json::Value> for #name {
                type Error = ::serde_json::Error;
                #[inline]
                fn try_from(value: ::serde_json::Value) -> ::std::result::Result<Self, Self::Error> {
                    ::serde_json::from_value(value)
                }
            }
        }
    }

    fn presence(&self, field: &Field) -> Presence {
        match (&field.rust, field.required) {
            _ if field.rest => Presence::Rest,
            (_, true) if field.nullable => Presence::Nullable,
            (_, true) => Presence::Required,
            (Rust::List(_) | Rust::Map(_) | Rust::Any, false) => Presence::Optional,
            (_, false) if field.nullable => Presence::Emptiable,
            (_, false) => Presence::Optional,
        }
    }

    /// The initial value of a field while the structure is decoded.
    fn blank(&self, field: &Field) -> TokenStream {
        match &field.rust {
            Rust::Named(name) if field.required && !field.nullable && !has_default(&field.rust, self.types) => {
                let name = ident(name);
                let blank = quote! { <#name as crate::strict::Structure>::blank() };
                if self.recursive(&field.rust) {
                    quote! { ::std::boxed::Box::new(#blank) }
                } else {
                    blank
                }
            }
            _ => quote! { ::std::default::Default::default() },
        }
    }

    fn request_type(&self, field: &Field) -> TokenStream {
        let written = self.field_type(&field.rust);
        match self.presence(field) {
            Presence::Required | Presence::Rest => written,
            Presence::Optional | Presence::Nullable => quote! { ::std::option::Option<#written> },
            Presence::Emptiable => quote! { crate::Field<#written> },
        }
    }

    /// `new`, which takes the required fields, and a method for each of the others.
    fn constructor(&self, fields: &[Field]) -> TokenStream {
        let type_name = self.name();
        let (mut arguments, mut values, mut methods) = (Vec::new(), Vec::new(), Vec::new());
        for field in constructor_order(fields) {
            let name = ident(&field.name);
            match self.presence(field) {
                Presence::Nullable => {
                    let written = self.field_type(&field.rust);
                    arguments.push(quote! { #name: impl ::std::convert::Into<::std::option::Option<#written>> });
                    values.push(quote! { #name: #name.into() });
                }
                Presence::Required => {
                    let (argument, value) = self.argument(field, &quote! { #name });
                    arguments.push(quote! { #name: #argument });
                    values.push(quote! { #name: #value });
                }
                presence => {
                    values.push(quote! { #name: ::std::default::Default::default() });
                    let doc = setter_docs(field, &presence);
                    let (argument, value) = match presence {
                        Presence::Emptiable => {
                            let written = self.field_type(&field.rust);
                            (quote! { impl ::std::convert::Into<crate::Field<#written>> }, quote! { value.into() })
                        }
                        Presence::Rest => self.argument(field, &quote! { value }),
                        _ => {
                            let (argument, value) = self.argument(field, &quote! { value });
                            (argument, quote! { ::std::option::Option::Some(#value) })
                        }
                    };
                    // `new` is taken.
                    let method = if field.name == "new" { ident("new_") } else { name.clone() };
                    methods.push(quote! {
                        #doc
                        #[must_use]
                        #[inline]
                        pub fn #method(mut self, value: #argument) -> Self {
                            self.#name = #value;
                            self
                        }
                    });
                }
            }
        }
        quote! {
            impl #type_name {
                /// With what the server requires.
                #[must_use]
                #[inline]
                pub fn new(#(#arguments),*) -> Self {
                    Self { #(#values),* }
                }
                #(#methods)*
            }
        }
    }

    /// The type of the argument that sets a field, and its conversion to the field's type.
    fn argument(&self, field: &Field, value: &TokenStream) -> (TokenStream, TokenStream) {
        match &field.rust {
            Rust::List(inner) => {
                let inner = rust_type(inner, None);
                (
                    quote! { impl ::std::iter::IntoIterator<Item = impl ::std::convert::Into<#inner>> },
                    quote! { #value.into_iter().map(::std::convert::Into::into).collect() },
                )
            }
            Rust::Integer | Rust::Number | Rust::Boolean => (rust_type(&field.rust, None), quote! { #value }),
            rust => {
                let written = self.field_type(rust);
                (quote! { impl ::std::convert::Into<#written> }, quote! { #value.into() })
            }
        }
    }

    /// The conversion from a response to the request that writes it back: read, modify, write.
    fn read_modify_write(&self, fields: &[Field]) -> TokenStream {
        let Some(response) = self.made.converts_from.as_ref().and_then(|name| self.types.get(name)) else {
            return quote! {};
        };
        let Kind::Structure(Role::Response, theirs) = &response.kind else { return quote! {} };
        let (mut values, raw) = (Vec::new(), raw_field(theirs));
        for field in fields {
            let name = ident(&field.name);
            let source = theirs.iter().find(|other| other.property == field.property);
            let value = source.and_then(|source| self.conversion(field, source, &response.name, &raw));
            match (value, field.required) {
                (Some(value), _) => values.push(quote! { #name: #value }),
                (None, false) => values.push(quote! { #name: ::std::default::Default::default() }),
                // A required field that the response lacks cannot be filled.
                (None, true) => return quote! {},
            }
        }
        let (type_name, response) = (self.name(), ident(&response.name));
        quote! {
            impl ::std::convert::From<#response> for #type_name {
                #[inline]
                fn from(response: #response) -> Self {
                    Self { #(#values),* }
                }
            }
        }
    }

    fn conversion(&self, field: &Field, source: &Field, response: &str, raw: &Ident) -> Option<TokenStream> {
        let (from, property) = (ident(&source.name), &source.property);
        // A value that was decoded with loss is not sent: it would overwrite the original.
        let matching = quote! { response.#raw.matching(#property, response.#from) };
        let item = convert(&source.rust, &field.rust, self.types)?;
        let boxed = |rust: &Rust, owner: &str| {
            self.types.get(owner).is_some_and(|made| {
                Writer { made, types: self.types, direct: self.direct, usage: self.usage }.recursive(rust)
            })
        };
        let item = match (boxed(&source.rust, response), self.recursive(&field.rust)) {
            (false, false) => item,
            (true, true) => quote! { ::std::boxed::Box::new({ let item = *item; #item }) },
            (true, false) => quote! { { let item = *item; #item } },
            (false, true) => quote! { ::std::boxed::Box::new(#item) },
        };
        // An empty list or map may be one that the server left out: sending it would clear it.
        let option = match &source.rust {
            Rust::List(_) | Rust::Map(_) => {
                quote! { #matching.filter(|item| !item.is_empty()) }
            }
            Rust::Any => quote! { ::std::option::Option::Some(response.#from).filter(|item| !item.is_null()) },
            _ if source.required => matching,
            _ => quote! { response.#from },
        };
        let mapped = quote! { #option.map(|item| #item) };
        Some(match self.presence(field) {
            Presence::Required
                if source.required && !matches!(source.rust, Rust::List(_) | Rust::Map(_) | Rust::Any) =>
            {
                quote! { { let item = response.#from; #item } }
            }
            Presence::Required if has_default(&field.rust, self.types) => quote! { #mapped.unwrap_or_default() },
            Presence::Required => return None,
            Presence::Optional | Presence::Nullable => mapped,
            Presence::Rest => quote! { #mapped.unwrap_or_default() },
            Presence::Emptiable => quote! { crate::Field::value_or_absent(#mapped) },
        })
    }

    pub(super) fn form(&self, fields: &[Field], multipart: bool) -> TokenStream {
        let (name, doc, undocumented) = (self.name(), self.documentation(), self.undocumented(fields));
        let declared = fields.iter().map(|field| {
            let (doc, name, written) =
                (documentation(text_of(field).as_deref()), ident(&field.name), self.request_type(&plain(field)));
            quote! { #doc pub #name: #written, }
        });
        let plain_fields: Vec<Field> = fields.iter().map(plain).collect();
        let constructor = self.constructor(&plain_fields);
        let default = if fields.iter().any(|field| field.required) {
            quote! {}
        } else {
            quote! { Default, }
        };
        let added = fields.iter().map(|field| {
            let (name, property) = (ident(&field.name), &field.property);
            let add = match &field.rust {
                Rust::File => quote! { form.file(#property, value); },
                Rust::List(_) => quote! { for value in value { form.text(#property, value); } },
                _ => quote! { form.text(#property, value); },
            };
            if field.required {
                quote! { { let value = &self.#name; #add } }
            } else {
                quote! { if let ::std::option::Option::Some(value) = &self.#name { #add } }
            }
        });
        let start = if multipart {
            quote! { multipart }
        } else {
            quote! { urlencoded }
        };
        quote! {
            #doc
            #undocumented
            #[derive(Clone, Debug, #default)]
            #[non_exhaustive]
            pub struct #name { #(#declared)* }

            #constructor

            impl crate::form::FormBody for #name {
                fn form(&self) -> crate::form::Form {
                    let mut form = crate::form::Form::#start();
                    #(#added)*
                    form
                }
            }
        }
    }
}

/// The docs of the method that sets a field.
fn setter_docs(field: &Field, presence: &Presence) -> TokenStream {
    let text = match (text_of(field), presence) {
        (Some(text), Presence::Emptiable) => format!("{text}\n\n`None` clears the value."),
        (Some(text), _) => text,
        (None, Presence::Rest) => "The other properties.".to_owned(),
        (None, Presence::Emptiable) => {
            format!("The property `{}`: not sent unless set, cleared by `None`.", field.property)
        }
        (None, _) => format!("The property `{}`: not sent unless set.", field.property),
    };
    documentation(Some(&text))
}

/// How a property of a request may be absent or null.
enum Presence {
    Required,
    /// Required, and may be null.
    Nullable,
    Optional,
    Emptiable,
    /// The additional properties.
    Rest,
}

/// The field of a form, which cannot be null.
fn plain(field: &Field) -> Field {
    Field { nullable: false, ..field.clone() }
}

fn has_default(rust: &Rust, types: &BTreeMap<String, Type>) -> bool {
    match rust {
        Rust::Named(name) => types.get(name).is_some_and(|made| match &made.kind {
            Kind::Structure(Role::Request, fields) => !fields.iter().any(|field| field.required),
            Kind::Form(..) => false,
            _ => true,
        }),
        Rust::File => false,
        _ => true,
    }
}

/// The expression that converts `item` from one type to another; `None` where there is no conversion.
fn convert(from: &Rust, to: &Rust, types: &BTreeMap<String, Type>) -> Option<TokenStream> {
    if from == to {
        return Some(quote! { item });
    }
    match (from, to) {
        (Rust::List(from), Rust::List(to)) => {
            let item = convert(from, to, types)?;
            Some(quote! { item.into_iter().map(|item| #item).collect() })
        }
        (Rust::Map(from), Rust::Map(to)) => {
            let item = convert(from, to, types)?;
            Some(quote! { item.into_iter().map(|(key, item)| (key, #item)).collect() })
        }
        (Rust::Named(from), Rust::Named(to)) => {
            let target = types.get(to)?;
            let Kind::Structure(Role::Request, fields) = &target.kind else { return None };
            // The conversion exists only if it can fill every required property.
            let source = types.get(from)?;
            let Kind::Structure(Role::Response, theirs) = &source.kind else { return None };
            let whole = fields.iter().filter(|field| field.required).all(|field| {
                theirs
                    .iter()
                    .any(|other| other.property == field.property && convert(&other.rust, &field.rust, types).is_some())
            });
            (target.converts_from.as_deref() == Some(from.as_str()) && whole).then(|| quote! { item.into() })
        }
        // A request refers by id to an object that a response embeds.
        (Rust::Named(from), Rust::String) => {
            let Kind::Structure(Role::Response, fields) = &types.get(from)?.kind else { return None };
            let id = fields.iter().find(|field| field.property == "id" && field.rust == Rust::String)?;
            Some(if id.required {
                quote! { item.id }
            } else {
                quote! { item.id.unwrap_or_default() }
            })
        }
        (Rust::DateTime | Rust::Date, Rust::String) => Some(quote! { item.to_string() }),
        (_, Rust::Any) => Some(quote! { ::serde_json::to_value(item).unwrap_or_default() }),
        _ => None,
    }
}
