//! Rewrites of the code that progenitor writes for builders: setters and the building of requests. progenitor writes an
//! expression or two with a `?` for each parameter; `runtime` has a function for each, which compiles faster.

use proc_macro2::{Delimiter, Literal, TokenStream, TokenTree};
use quote::quote;

/// `value.try_into().map(Some).map_err(|_| "...".to_string())`, as a call of `runtime`: its
/// length in tokens, and the call.
pub(super) fn setter_conversion(tokens: &[TokenTree]) -> Option<(usize, TokenStream)> {
    if !(is_ident(tokens.first(), "value") && is_ident(tokens.get(2), "try_into")) {
        return None;
    }
    let optional = is_ident(tokens.get(5), "map");
    let reason = if optional { 9 } else { 6 };
    if !is_ident(tokens.get(reason - 1), "map_err") {
        return None;
    }
    let message = literal(group(tokens.get(reason)?)?)?;
    let call = if optional {
        quote! { crate::runtime::optional(value, #message) }
    } else {
        quote! { crate::runtime::required(value, #message) }
    };
    Some((reason + 1, call))
}

/// The statements of `send` that build a request, as one expression.
pub(super) fn build_request(making: &[TokenTree]) -> Option<TokenStream> {
    let mut parameters: Vec<(TokenTree, TokenStream)> = Vec::new();
    let mut left: Vec<TokenTree> = Vec::with_capacity(making.len());
    let mut at = 0;
    while at < making.len() {
        let ahead = &making[at..];
        if let Some((length, name, variable)) = query(ahead) {
            parameters.push((variable.clone(), quote! { .query(#name, #variable) }));
            at += length;
        } else if let Some((length, name, variable)) = header(ahead) {
            parameters.push((variable.clone(), quote! { .header(#name, #variable) }));
            at += length;
        } else {
            left.push(making[at].clone());
            at += 1;
        }
    }
    let named = |token: Option<&TokenTree>| {
        token.is_some_and(|token| parameters.iter().any(|(variable, _)| variable.to_string() == token.to_string()))
    };
    let mut statements: Vec<Vec<TokenTree>> = left.split_inclusive(ends).map(<[_]>::to_vec).collect();
    let request = statements.pop()?;
    // The platform does not know progenitor's header `api-version`. No document has a required header.
    let appended = |statement: &[TokenTree]| is_ident(statement.first(), "header_map");
    let version = |statement: &[TokenTree]| statement.iter().any(|token| token.to_string().contains("\"api-version\""));
    if statements.iter().any(|statement| appended(statement) && !version(statement)) {
        return None;
    }
    statements.retain(|statement| {
        // `runtime` sets the headers and checks the parameters.
        let headers = appended(statement) || is_ident(statement.get(2), "header_map");
        let looked_at =
            is_ident(statement.first(), "let") && is_ident(statement.get(5), "map_err") && named(statement.get(1));
        !(headers || looked_at)
    });
    // `let mut request = ... . build () ? ;`
    let start = request.iter().position(|token| is_ident(Some(token), "request"))? + 2;
    let build = request.iter().rposition(|token| is_ident(Some(token), "build"))?;
    let mut built: Vec<TokenTree> = request.get(start..build + 2)?.to_vec();
    if let Some(at) = built.iter().position(|token| is_ident(Some(token), "headers")) {
        built.drain(at - 1..=at + 1);
    }
    let set = parameters.iter().map(|(_, set)| set);
    let statements = statements.iter().flatten();
    Some(quote! { #(#statements)* crate::runtime::RequestBuilder::new(#(#built)*) #(#set)* .done() })
}

/// `. query (& progenitor_client :: QueryParam :: new ("name" , & variable))`: its length, the name, the variable.
fn query(tokens: &[TokenTree]) -> Option<(usize, Literal, TokenTree)> {
    if !is_ident(tokens.get(1), "query") {
        return None;
    }
    let arguments = group(tokens.get(2)?)?.into_iter().last()?;
    let arguments = group(&arguments)?;
    Some((3, literal(arguments.clone())?, arguments.into_iter().last()?))
}

/// `if let Some (value) = variable { header_map . append ("name" , ...) ; }`: its length, the name, the variable.
fn header(tokens: &[TokenTree]) -> Option<(usize, Literal, TokenTree)> {
    if !(is_ident(tokens.first(), "if") && is_ident(tokens.get(1), "let")) {
        return None;
    }
    let appended: Vec<TokenTree> = group(tokens.get(6)?)?.into_iter().collect();
    if !(is_ident(appended.first(), "header_map") && is_ident(appended.get(2), "append")) {
        return None;
    }
    Some((7, literal(group(appended.get(3)?)?)?, tokens.get(5)?.clone()))
}

fn ends(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';')
}

fn literal(tokens: TokenStream) -> Option<Literal> {
    tokens.into_iter().find_map(|token| if let TokenTree::Literal(found) = token { Some(found) } else { None })
}

fn group(token: &TokenTree) -> Option<TokenStream> {
    if let TokenTree::Group(group) = token { Some(group.stream()) } else { None }
}

pub(super) fn is_ident(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

pub(super) fn is_paren(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// The literal of `[doc = "..."]`.
pub(super) fn doc_text(token: &TokenTree) -> Option<String> {
    let tokens = group(token)?;
    is_ident(tokens.clone().into_iter().next().as_ref(), "doc").then(|| literal(tokens))?.map(|text| text.to_string())
}

/// The tokens between braces.
pub(super) fn braces(token: &TokenTree) -> Option<TokenStream> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    }
}
