//! Generate: a shaped document to the Rust of a client.
//!
//! progenitor writes the operations; the types, the list of operations and the forms, which it cannot write
//! as this crate needs them, are written beside them from the same shape.

mod builders;
mod lines;
mod making;
mod operations;
mod requests;
mod types;

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use quote::quote;

use crate::Error;
use crate::shape::Shaped;

/// The Rust source of an API's client, on few lines: it is for the compiler.
pub fn generate(shaped: &Shaped) -> Result<String, Error> {
    let client = client(shaped)?;
    let operations = operations::list(shaped);
    let round_trips = operations::round_trips(shaped);
    let pages = builders::page_types(shaped);
    let tokens = quote! { #client #pages #operations #round_trips };
    // The examples that progenitor writes into the docs cannot be compiled, and must not be counted as tests.
    Ok(tokens.to_string().replace("```ignore", "```text"))
}

/// What progenitor makes of the document, with our types in the place of its own.
fn client(shaped: &Shaped) -> Result<TokenStream, Error> {
    let api = shaped.api;
    let failed = |reason: String| Error::new("", format!("{api}: {reason}"));
    let document = shaped.generator_document();
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_map_type("::std::collections::BTreeMap")
        .with_inner_type(quote! { crate::exec::Endpoint });
    for name in shaped.types.keys() {
        settings.with_replacement(name, format!("types::{name}"), std::iter::empty());
    }
    for name in ["DateTime", "Date", "Filters", "Values"] {
        settings.with_replacement(name, format!("crate::{name}"), std::iter::empty());
    }
    // progenitor refuses some documents by a panic; the shape keeps those from it, and this says so if one slips through.
    let tokens = catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&document)))
        .map_err(|panic| {
            let reason = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            failed(format!("the generator gave up: {}", reason.unwrap_or_default()))
        })?
        .map_err(|error| failed(error.to_string()))?;
    let types = types::types(shaped);
    let mut placed = false;
    let tokens = one_error(place_types(tokens, &types, &mut placed));
    if !placed {
        return Err(failed("the generator wrote no module `types`".to_owned()));
    }
    builders::with_calls(shaped, tokens).map_err(failed)
}

/// Puts our types into the module that progenitor made for its own.
fn place_types(tokens: TokenStream, types: &TokenStream, placed: &mut bool) -> TokenStream {
    let mut before = [String::new(), String::new()];
    tokens
        .into_iter()
        .map(|token| {
            let opens = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
            if opens && before == ["mod", "types"] && !*placed {
                *placed = true;
                return TokenTree::Group(Group::new(Delimiter::Brace, types.clone()));
            }
            before.swap(0, 1);
            before[1] = if let TokenTree::Ident(ident) = &token { ident.to_string() } else { String::new() };
            token
        })
        .collect()
}

/// `Error<()>` to `Error`: no operation declares an error of its own, so the parameter says nothing.
fn one_error(tokens: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), one_error(group.stream()));
                inner.set_span(group.span());
                out.push(TokenTree::Group(inner));
            }
            TokenTree::Ident(ident) if ident == "Error" => {
                out.push(TokenTree::Ident(ident));
                let generic = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '<');
                if generic {
                    // `< ( ) >`: three tokens, the middle one a group.
                    tokens.by_ref().take(3).for_each(drop);
                }
            }
            other => out.push(other),
        }
    }
    out.into_iter().collect()
}
