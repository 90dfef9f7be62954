//! Enums and unions.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::structure::json_schema;
use super::syntax::{description, ident, rust_type};
use super::writer::Writer;
use crate::shape::names;
use crate::shape::types::{Kind, Role, Rust};

impl Writer<'_> {
    /// An open enum of strings.
    pub(super) fn enumeration(&self, values: &[String]) -> TokenStream {
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

    /// Whether a union is sent: unions of responses contain no structures of requests.
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

    /// The method of `serde_json::Value` that must hold before a variant is tried. Without it, a number would be accepted
    /// as a string although another variant fits better.
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

    /// An untagged union. Its variants are tried in order; `Other` keeps a value that fits none.
    pub(super) fn union(&self, variants: &[(String, Rust)]) -> TokenStream {
        let (name, doc) = (self.name(), self.documentation());
        let (mut from, mut tried, mut described) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        let declared: Vec<TokenStream> = variants
            .iter()
            .map(|(label, rust)| {
                let (label, written) = (ident(label), rust_type(rust, None));
                let boxed = matches!(rust, Rust::Named(name) if !self.is_enumeration(name));
                let rust_type = if boxed {
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
                    // Checked first, since a failed attempt allocates an error.
                    Some(takes) => quote! { value.#takes().then(|| variant(&value, Self::#label)).flatten() },
                    None => quote! { variant(&value, Self::#label) },
                });
                let text = label.to_string();
                described.push(quote! { (#text, of::<#rust_type>) });
                quote! { #label(#rust_type), }
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
                    fn read(value: ::serde_json::Value) -> (Self, crate::tolerant::ReadOutcome) {
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
            #[allow(missing_docs, reason = "a variant is named after the type that it holds")]
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
