//! Generates the Rust code of a client from a shaped document.
//!
//! progenitor writes the operations. The types, the list of operations and the forms, which it cannot write as this
//! crate needs them, are written here from the same document.

mod builders;
mod docs;
mod operations;
mod progenitor;
mod prose;
mod requests;
mod responses;
mod structure;
mod syntax;
mod types;
mod unions;
mod usage;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use progenitor_impl::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use quote::quote;

use crate::Error;
use crate::shape::Shaped;

/// Returns the Rust source of an API's client, not formatted.
pub fn generate(shaped: &Shaped) -> Result<String, Error> {
    let mut tokens = client(shaped)?;
    let operations = operations::list(shaped);
    let round_trips = operations::round_trips(shaped);
    let (pages, calls) = (builders::page_types(shaped), builders::into_calls(shaped));
    tokens.extend([pages, calls, operations, round_trips]);
    Ok(tokens.to_string())
}

/// The code that progenitor writes for the document, with its types replaced by ours.
fn client(shaped: &Shaped) -> Result<TokenStream, Error> {
    let api = shaped.api;
    let failed = |reason: String| Error::new("", format!("{api}: {reason}"));
    let document = shaped.generator_document();
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_map_type("::std::collections::BTreeMap")
        .with_inner_type(quote! { crate::transport::Endpoint });
    for name in shaped.types.keys() {
        settings.with_replacement(name, format!("types::{name}"), std::iter::empty());
    }
    for name in ["DateTime", "Date", "Filters", "Values"] {
        settings.with_replacement(name, format!("crate::{name}"), std::iter::empty());
    }
    // progenitor panics on some documents. The passes of `shape` refuse those; this reports one that they miss.
    let tokens = catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&document)))
        .map_err(|panic| {
            let reason = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            failed(format!("the generator gave up: {}", reason.unwrap_or_default()))
        })?
        .map_err(|error| failed(error.to_string()))?;
    let tokens = builders::with_calls(shaped, tokens).map_err(failed)?;
    // Last, so that our own code is not searched for progenitor's.
    place_types(tokens, types::types(shaped)).ok_or_else(|| failed("the generator wrote no module `types`".to_owned()))
}

/// Puts our types into the module that progenitor made for its own.
fn place_types(tokens: TokenStream, types: TokenStream) -> Option<TokenStream> {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let at = tokens.windows(3).position(|found| {
        let opens = matches!(&found[2], TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        progenitor::is_ident(found.first(), "mod") && progenitor::is_ident(found.get(1), "types") && opens
    })?;
    tokens[at + 2] = TokenTree::Group(Group::new(Delimiter::Brace, types));
    Some(tokens.into_iter().collect())
}
