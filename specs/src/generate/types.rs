//! The types of a client: what comes back, open enums and unions; `requests` has those that go in.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::lines::{Lines, description, json_schema};
use crate::shape::Shaped;
use crate::shape::names;
use crate::shape::types::{Field, Kind, Role, Rust, Type};

/// All types of a shaped document.
pub fn types(shaped: &Shaped) -> TokenStream {
    let direct = direct_mentions(&shaped.types);
    let made = shaped.types.values().map(|made| {
        let writer = Writer { made, types: &shaped.types, direct: &direct };
        match &made.kind {
            Kind::Structure(Role::Answer, fields) => writer.answer(fields),
            Kind::Structure(Role::Request, fields) => writer.request(fields),
            Kind::Form(fields, multipart) => writer.form(fields, *multipart),
            Kind::Enumeration(values) => writer.enumeration(values),
            Kind::Union(variants) => writer.union(variants),
        }
    });
    // Values have other names than types, whatever those are called.
    let describing = quote! {
        #[cfg(feature = "schemars")]
        use crate::schema::{ALWAYS, NEVER, WRITTEN, of, structure, union, with_default};
    };
    std::iter::once(describing).chain(made).collect()
}

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

pub(super) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// The field of an answer for what is in none of the others.
pub(super) fn kept(fields: &[Field]) -> Ident {
    ident(&names::free("kept".to_owned(), &fields.iter().map(|field| field.name.clone()).collect()))
}

pub(super) fn documentation(description: Option<&str>) -> TokenStream {
    description.map(|text| quote! { #[doc = #text] }).unwrap_or_default()
}

/// The types that each type holds in itself, without a list or a map between.
fn direct_mentions(types: &BTreeMap<String, Type>) -> BTreeMap<&str, BTreeSet<&str>> {
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

/// Writes a type.
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

    /// Whether a value of the type would hold a value of this one in itself.
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

    /// A structure that comes back: whatever is missing or null is the default, nothing is refused. How it is read,
    /// written and described is a line for each field, since what would be derived is most of what building the crate takes.
    fn answer(&self, fields: &[Field]) -> TokenStream {
        let (name, doc) = (self.name(), self.documentation());
        let (mut declared, mut lines) = (Vec::new(), Lines::of_answer());
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
            lines.add(field, &held, emptiable || !field.required, "WRITTEN");
        }
        let kept = kept(fields);
        let (read, written) = (lines.read(), lines.written(self.made, &quote! { serializer, &self.#kept }));
        quote! {
            #doc
            #[derive(Clone, Debug, Default, PartialEq)]
            #[non_exhaustive]
            pub struct #name { #(#declared)* #kept: crate::tolerant::Kept }

            crate::tolerant::answer! { #name, #kept }

            impl crate::tolerant::Structure for #name {
                #read
                fn kept(&mut self) -> &mut crate::tolerant::Kept {
                    &mut self.#kept
                }
            }

            #written
        }
    }

    fn enumeration(&self, values: &[String]) -> TokenStream {
        let (name, doc) = (self.name(), self.documentation());
        let mut taken = BTreeSet::new();
        let variants = values.iter().map(|value| {
            let variant = names::free(names::variant(value), &taken);
            taken.insert(variant.clone());
            let variant = ident(&variant);
            quote! { #variant = #value }
        });
        let variants: Vec<TokenStream> = variants.collect();
        quote! { crate::open_enum! { #doc #name { #(#variants),* } } }
    }

    fn is_enumeration(&self, name: &str) -> bool {
        self.types.get(name).is_some_and(|made| matches!(made.kind, Kind::Enumeration(_)))
    }

    /// Whether a union is of what goes in: what comes back has no structures of requests in it.
    fn goes_in(&self, variants: &[(String, Rust)]) -> bool {
        let (mut open, mut seen) = (BTreeSet::new(), BTreeSet::new());
        variants.iter().for_each(|(_, rust)| rust.mentions(&mut open));
        while let Some(name) = open.pop_first() {
            let Some(made) = self.types.get(&name) else { continue };
            if matches!(made.kind, Kind::Structure(Role::Request, _)) {
                return true;
            }
            if seen.insert(name) {
                open.extend(made.mentions());
            }
        }
        false
    }

    /// The method that says whether a value of JSON may be of a type, where its form alone tells that it is not: a number
    /// is as good as a text only where there is no other choice.
    fn takes(&self, rust: &Rust) -> Option<TokenStream> {
        match rust {
            Rust::Integer | Rust::Number => Some(quote! { is_number }),
            Rust::String | Rust::DateTime | Rust::Date => Some(quote! { is_string }),
            Rust::Boolean => Some(quote! { is_boolean }),
            Rust::List(_) => Some(quote! { is_array }),
            Rust::Map(_) => Some(quote! { is_object }),
            Rust::Named(name) => match self.types.get(name)?.kind {
                Kind::Structure(..) => Some(quote! { is_object }),
                Kind::Enumeration(_) => Some(quote! { is_string }),
                Kind::Form(..) | Kind::Union(_) => None,
            },
            _ => None,
        }
    }

    /// One of several types. They are tried in order; what none of them takes is kept as it came.
    fn union(&self, variants: &[(String, Rust)]) -> TokenStream {
        let (name, doc) = (self.name(), self.documentation());
        let (mut from, mut tried, mut described) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        let declared: Vec<TokenStream> = variants
            .iter()
            .map(|(label, rust)| {
                let (label, written) = (ident(label), rust_type(rust, None));
                let boxed = matches!(rust, Rust::Named(name) if !self.is_enumeration(name));
                let held = if boxed {
                    quote! { ::std::boxed::Box<#written> }
                } else {
                    written.clone()
                };
                if seen.insert(rust.clone()) && *rust != Rust::Any {
                    let value = if boxed {
                        quote! { ::std::boxed::Box::new(value) }
                    } else {
                        quote! { value }
                    };
                    from.push(quote! {
                        impl ::std::convert::From<#written> for #name {
                            fn from(value: #written) -> Self {
                                Self::#label(#value)
                            }
                        }
                    });
                }
                tried.push(match self.takes(rust) {
                    // To find that a variant does not take a value is an error made for nothing.
                    Some(takes) => quote! { value.#takes().then(|| variant(&value, Self::#label)).flatten() },
                    None => quote! { variant(&value, Self::#label) },
                });
                let text = label.to_string();
                described.push(quote! { (#text, of::<#held>) });
                quote! { #[allow(missing_docs)] #label(#held), }
            })
            .collect();
        let reading = if self.goes_in(variants) {
            quote! {
                impl<'de> ::serde::Deserialize<'de> for #name {
                    fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                        use crate::strict::variant;
                        let value = ::serde_json::Value::deserialize(deserializer)?;
                        let taken = ::std::option::Option::None;
                        #(let taken = taken.or_else(|| #tried);)*
                        ::std::result::Result::Ok(taken.unwrap_or(Self::Other(value)))
                    }
                }
            }
        } else {
            quote! {
                impl crate::tolerant::Union for #name {
                    fn read(value: ::serde_json::Value) -> (Self, crate::tolerant::Fit) {
                        use crate::tolerant::variant;
                        let taken = ::std::option::Option::None;
                        #(let taken = taken.or_else(|| #tried);)*
                        taken.unwrap_or_else(|| (Self::Other(value), ::std::option::Option::None))
                    }
                }

                crate::tolerant::union! { #name }
            }
        };
        let description = description(self.made.description.as_deref());
        let schema = json_schema(&name, &quote! { union(generator, #description, &[#(#described),*]) });
        quote! {
            #doc
            #[derive(Clone, Debug, PartialEq, ::serde::Serialize)]
            #[serde(untagged)]
            #[non_exhaustive]
            pub enum #name {
                #(#declared)*
                /// What the document does not say.
                Other(::serde_json::Value),
            }

            impl ::std::default::Default for #name {
                fn default() -> Self {
                    Self::Other(::serde_json::Value::Null)
                }
            }

            #reading

            #(#from)*

            #schema
        }
    }
}
