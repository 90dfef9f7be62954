//! The methods of request builders. progenitor's `send` builds a request, sends it and decodes the response. It is
//! replaced by methods that build the request and pass it to a `Call`, which sends all requests, is compiled once, and
//! takes parameters and headers that the document does not declare. progenitor's docs are replaced too.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToUpperCamelCase;
use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote;

use super::docs;
use super::progenitor::{self, braces, doc_text, is_ident, is_paren};
use super::syntax::{documentation, rust_type};
use crate::shape::types::Rust;
use crate::shape::{Operation, ResponseBody, Shaped};

/// Replaces each builder's `send` by `call`, and by a `send` that uses it; writes the docs of operations and builders.
pub fn with_calls(shaped: &Shaped, tokens: TokenStream) -> Result<TokenStream, String> {
    let mut pass = Pass {
        shaped,
        builder: None,
        documented: 0,
        operations: shaped
            .operations
            .iter()
            .enumerate()
            .map(|(at, found)| (found.name.as_str(), (at, found)))
            .collect(),
        done: BTreeSet::new(),
    };
    let tokens = pass.rewrite(tokens)?;
    if let Some(name) = pass.operations.keys().find(|name| !pass.done.contains(**name)) {
        return Err(format!("the generator wrote no `send` for `{name}`"));
    }
    // The client and, for each operation, its method, its builder and the setters of that.
    let setters = |operation: &Operation| operation.parameters.len() + usize::from(operation.body.is_some());
    let expected = 1 + shaped.operations.iter().map(|operation| 2 + setters(operation)).sum::<usize>();
    if pass.documented != expected {
        return Err(format!(
            "the generator wrote {expected} items with docs in another form: {} found",
            pass.documented
        ));
    }
    Ok(tokens)
}

struct Pass<'a> {
    shaped: &'a Shaped,
    /// The operation whose builder is being read.
    builder: Option<&'a Operation>,
    /// The number of items that have docs.
    documented: usize,
    operations: BTreeMap<&'a str, (usize, &'a Operation)>,
    done: BTreeSet<&'a str>,
}

impl<'a> Pass<'a> {
    fn rewrite(&mut self, tokens: TokenStream) -> Result<TokenStream, String> {
        let mut tokens = tokens.into_iter().collect::<Vec<TokenTree>>().into_iter();
        let mut out: Vec<TokenTree> = Vec::with_capacity(tokens.len());
        loop {
            let ahead = tokens.as_slice();
            match ahead.first() {
                Some(TokenTree::Punct(punct)) if punct.as_char() == '#' => {
                    if let Some(text) = self.replaced_docs(ahead) {
                        out.extend(documentation(text.as_deref()));
                        tokens.nth(1);
                        continue;
                    }
                }
                // `pub async fn send (self) -> ... { body }`
                Some(TokenTree::Ident(word)) if word == "pub" && is_ident(ahead.get(3), "send") => {
                    let body = ahead.iter().enumerate().find_map(|(end, token)| Some((end, braces(token)?)));
                    let (end, body) = body.ok_or("the generator wrote a `send` without a body")?;
                    out.extend(self.methods(body)?);
                    tokens.nth(end);
                    continue;
                }
                Some(TokenTree::Ident(word)) if word == "pub" && is_ident(ahead.get(1), "fn") => {
                    out.extend(self.added_docs(ahead));
                }
                // What the crate itself exports, under other paths.
                Some(TokenTree::Ident(word))
                    if word == "pub" && (is_ident(ahead.get(1), "use") || is_ident(ahead.get(2), "prelude")) =>
                {
                    out.extend(quote! { #[doc(hidden)] });
                }
                Some(TokenTree::Ident(word)) if word == "value" => {
                    if let Some((length, call)) = progenitor::setter_conversion(ahead) {
                        out.extend(call);
                        tokens.nth(length - 1);
                        continue;
                    }
                }
                // `Error < ( ) >`: no operation declares an error of its own, so the type parameter is dropped.
                Some(TokenTree::Ident(word)) if word == "Error" => {
                    if matches!(ahead.get(1), Some(TokenTree::Punct(punct)) if punct.as_char() == '<') {
                        out.extend(tokens.next());
                        tokens.nth(2);
                        continue;
                    }
                }
                _ => {}
            }
            match tokens.next() {
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let inner = group.stream();
                    // Dropped first: a stream with a second owner is cloned token by token.
                    drop(group);
                    out.push(TokenTree::Group(Group::new(Delimiter::Brace, self.rewrite(inner)?)));
                }
                Some(token) => out.push(token),
                None => return Ok(out.into_iter().collect()),
            }
        }
    }

    /// The docs that replace progenitor's at the start of these tokens, `None` inside where nothing replaces them.
    fn replaced_docs(&mut self, ahead: &[TokenTree]) -> Option<Option<String>> {
        // `# [doc = "..."] pub async fn send`, whose methods bring their own.
        if is_ident(ahead.get(3), "async") && is_ident(ahead.get(5), "send") {
            return Some(None);
        }
        let text = if is_ident(ahead.get(3), "fn") && is_paren(ahead.get(5)) {
            // `# [doc = "..."] pub fn list_things (& self)`
            let name = ahead.get(4)?.to_string();
            let (_, operation) = self.operations.get(name.as_str()).filter(|_| self.builder.is_none())?;
            docs::operation(self.shaped.api, operation, &self.shaped.types)
        } else {
            let text = doc_text(ahead.get(1)?)?;
            if let Some((name, _)) = text.strip_prefix("\"Builder for [`Client::").and_then(|name| name.split_once('`'))
            {
                let (_, operation) = self.operations.get(name)?;
                self.builder = Some(operation);
                docs::builder(operation)
            } else if text.starts_with("\"Client for ") {
                docs::client(self.shaped.api)
            } else {
                return None;
            }
        };
        self.documented += 1;
        Some(Some(text))
    }

    /// The docs of a method to which progenitor gives none.
    fn added_docs(&mut self, ahead: &[TokenTree]) -> TokenStream {
        let Some(TokenTree::Ident(name)) = ahead.get(2) else { return TokenStream::new() };
        // What they take cannot be had outside the crate.
        if name == "new" || name == "new_with_client" {
            return quote! { #[doc(hidden)] };
        }
        let Some(operation) = self.builder else { return TokenStream::new() };
        let parameter = operation.parameters.iter().find(|parameter| name == &parameter.name);
        let text = match parameter {
            Some(parameter) => docs::parameter(parameter),
            None if name == "body" => docs::body(operation),
            None => return TokenStream::new(),
        };
        self.documented += 1;
        documentation(Some(&text))
    }

    /// The methods that replace progenitor's `send`.
    fn methods(&mut self, body: TokenStream) -> Result<TokenStream, String> {
        let (making, name) = request_of(body).ok_or("the generator wrote a `send` of another form")?;
        let (&name, &(index, operation)) =
            self.operations.get_key_value(name.as_str()).ok_or(format!("no operation is called `{name}`"))?;
        self.done.insert(name);
        let types = Ident::new("types", Span::call_site());
        let (response, new) = match &operation.response {
            ResponseBody::Json(rust) => (rust_type(rust, Some(&types)), quote! { of_json }),
            ResponseBody::Bytes(_) => (quote! { crate::ByteStream }, quote! { new }),
            ResponseBody::Empty => (quote! { () }, quote! { new }),
        };
        let index = Literal::usize_unsuffixed(index);
        let (paged, masked) = (pages(operation, &response), mask(operation, &response));
        // Inlined, they are compiled in the programs that call them and not for all who build the crate.
        Ok(quote! {
            #paged
            #masked
            /// Sends the request and decodes its response.
            #[inline]
            pub fn send(self) -> impl ::std::future::Future<Output = crate::Result<crate::Response<#response>>> + Send + use<> {
                self.call().send()
            }
            /// The request, ready to be sent, open to what the document does not know: other parameters and
            /// headers, a time limit, another type.
            #[inline]
            pub fn call(self) -> crate::Call<#response> {
                let client = self.client;
                crate::Call::#new(&client.inner, &super::OPERATIONS[#index], self.into_request())
            }
            #[inline]
            fn into_request(self) -> crate::Result<reqwest::Request> {
                #making
            }
        })
    }
}

/// The methods of a paginated operation.
fn pages(operation: &Operation, response: &TokenStream) -> TokenStream {
    if operation.paginated.is_none() {
        return TokenStream::new();
    }
    quote! {
        /// The pages, as a stream, from the `page` that is set or the first.
        #[inline]
        pub fn pages(self) -> crate::Pages<#response> {
            self.call().pages()
        }
        /// What is on the pages, as a stream, from the `page` that is set or the first.
        #[inline]
        pub fn items(self) -> crate::Items<#response> {
            self.call().items()
        }
    }
}

/// The methods of an operation that takes a field mask.
fn mask(operation: &Operation, response: &TokenStream) -> TokenStream {
    if !operation.masked {
        return TokenStream::new();
    }
    let (chosen, method) = match (&operation.paginated, &operation.response) {
        (_, ResponseBody::Json(Rust::List(_))) => {
            (quote! { ::std::vec::Vec<T> }, quote! { fields::<::std::vec::Vec<T>> })
        }
        (Some(_), _) => (quote! { crate::Page<T> }, quote! { page_fields::<T> }),
        _ => (quote! { T }, quote! { fields::<T> }),
    };
    quote! {
        /// Requests only the fields of your own type.
        #[cfg(feature = "masks")]
        pub fn fields<T: ::serde::de::DeserializeOwned + ::schemars::JsonSchema>(self) -> crate::Call<#chosen> {
            self.call().#method()
        }
        /// Requests only the fields that a mask names (`X-Fields`).
        #[inline]
        pub fn fields_raw(self, mask: impl AsRef<str>) -> crate::Call<#response> {
            self.call().fields_raw(mask)
        }
    }
}

/// The implementations of `PageOf` for the types of pages.
pub fn page_types(shaped: &Shaped) -> TokenStream {
    let pages: BTreeMap<&str, &Rust> = shaped
        .operations
        .iter()
        .filter_map(|operation| match (&operation.response, &operation.paginated) {
            (ResponseBody::Json(Rust::Named(name)), Some(item)) => Some((name.as_str(), item)),
            _ => None,
        })
        .collect();
    let types = Ident::new("types", Span::call_site());
    let pages = pages.into_iter().map(|(name, item)| {
        let (page, item) = (rust_type(&Rust::Named(name.to_owned()), Some(&types)), rust_type(item, Some(&types)));
        quote! {
            impl crate::pages::PageOf for #page {
                type Item = #item;
                #[inline]
                fn items(&mut self) -> &mut ::std::vec::Vec<#item> {
                    &mut self.data
                }
                fn read<'de, D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<::std::option::Option<Self>, D::Error> {
                    crate::tolerant::page(deserializer)
                }
            }
        }
    });
    quote! { #(#pages)* }
}

/// The implementations of `IntoCall` for the builders.
pub fn into_calls(shaped: &Shaped) -> TokenStream {
    let types = Ident::new("types", Span::call_site());
    let builders = shaped.operations.iter().map(|operation| {
        let builder = Ident::new(&operation.name.to_upper_camel_case(), Span::call_site());
        let response = match &operation.response {
            ResponseBody::Json(rust) => rust_type(rust, Some(&types)),
            ResponseBody::Bytes(_) => quote! { crate::ByteStream },
            ResponseBody::Empty => quote! { () },
        };
        quote! {
            impl crate::IntoCall for builder::#builder<'_> {
                type Response = #response;
                #[inline]
                fn into_call(self) -> crate::Call<#response> {
                    self.call()
                }
            }
        }
    });
    quote! { #(#builders)* }
}

/// The statements of the body of `send` that build the request, and the operation's name.
fn request_of(body: TokenStream) -> Option<(TokenStream, String)> {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let end = tokens.windows(5).position(|found| {
        is_ident(found.first(), "let") && is_ident(found.get(1), "info") && is_ident(found.get(3), "OperationInfo")
    })?;
    let info = braces(tokens.get(end + 4)?)?;
    let name = info.into_iter().find_map(|token| match token {
        TokenTree::Literal(literal) => Some(literal.to_string().trim_matches('"').to_owned()),
        _ => None,
    })?;
    Some((progenitor::build_request(&tokens[..end])?, name))
}
