//! The public surface of a generated client, parsed from its code.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Expr, Fields, FnArg, ImplItem, Item, ItemImpl, ReturnType, Stmt, Visibility};

/// The public surface of a generated client.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surface {
    /// Its methods, by name.
    pub methods: BTreeMap<String, Method>,
    /// Its types, by name.
    pub types: BTreeMap<String, Type>,
}

/// A method of the client, and the builder that it gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Method {
    /// The operation that it calls.
    pub operation: Operation,
    /// The arguments of the builder, by name; the body is one of them.
    pub arguments: BTreeMap<String, Argument>,
    /// The type of the response.
    pub response: String,
    /// The builder's other methods, by name.
    pub functions: BTreeMap<String, String>,
}

/// An operation, as the generated table has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    /// `GET`
    pub method: String,
    /// `/datasets/{dataset}/`
    pub path: String,
    /// `datasets`; empty without a tag
    pub tag: String,
}

/// An argument of a builder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Argument {
    /// The type that the argument converts into.
    pub rust: String,
    /// Whether the call fails without it.
    pub required: bool,
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// Its fields or variants.
    pub kind: Kind,
    /// Its functions, by name: the arguments of `new`, the signatures of the others.
    pub functions: BTreeMap<String, String>,
    /// The traits that it implements.
    pub traits: BTreeSet<String>,
}

/// The fields or variants of a type, by name.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Fields and their types.
    Structure(BTreeMap<String, String>),
    /// Variants of an enum and their values.
    Enumeration(BTreeMap<String, String>),
    /// Variants of a union and their types.
    Union(BTreeMap<String, String>),
}

impl Kind {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Structure(_) => "structure",
            Self::Enumeration(_) => "enumeration",
            Self::Union(_) => "union",
        }
    }

    /// The parts, whatever they are.
    pub fn parts(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Structure(parts) | Self::Enumeration(parts) | Self::Union(parts) => parts,
        }
    }
}

/// Parses generated code.
///
/// # Errors
///
/// If it is not Rust, or not in the form that is generated.
pub fn read(source: &str) -> Result<Surface, String> {
    let failed = |error: syn::Error| format!("what is generated is not Rust: {error}");
    let tokens: TokenStream = source.parse().map_err(|error: proc_macro2::LexError| failed(error.into()))?;
    let mut surface = Surface::default();
    let mut operations: BTreeMap<String, Operation> = BTreeMap::new();
    let mut builders: BTreeMap<String, Method> = BTreeMap::new();
    // Each method, and the builder that it gives.
    let mut given: Vec<(String, String)> = Vec::new();
    for item in split(tokens) {
        match module(&item) {
            Some((name, tokens)) if name == "types" => surface.types = types(&items(tokens).map_err(failed)?)?,
            Some((name, tokens)) if name == "builder" => builders = self::builders(&items(tokens).map_err(failed)?),
            Some(_) => {}
            None => match syn::parse2(item.into_iter().collect()).map_err(failed)? {
                Item::Impl(block) if block.trait_.is_none() => {
                    for function in public_functions(&block) {
                        let result = text_of(&function.sig.output);
                        if let Some(builder) = result.strip_suffix("<'_>") {
                            given.push((function.sig.ident.to_string(), builder.to_owned()));
                        }
                    }
                }
                Item::Static(list) if list.ident == "OPERATIONS" => operations = table(&list.expr),
                _ => {}
            },
        }
    }
    for (name, builder) in given {
        let mut method = builders.remove(&builder).ok_or_else(|| format!("`{name}` gives no builder"))?;
        method.operation = operations.remove(&name).ok_or_else(|| format!("`{name}` is not among the operations"))?;
        surface.methods.insert(name, method);
    }
    match operations.into_keys().next() {
        Some(name) => Err(format!("the operation `{name}` has no method")),
        None => Ok(surface),
    }
}

/// The tokens of each item: the syntax tree of a whole client has a hundred megabytes.
fn split(tokens: TokenStream) -> impl Iterator<Item = Vec<TokenTree>> {
    let mut tokens = tokens.into_iter();
    std::iter::from_fn(move || {
        let mut item = Vec::new();
        let mut ends_with_braces = true;
        for token in tokens.by_ref() {
            let is_end = match &token {
                TokenTree::Punct(punct) => punct.as_char() == ';',
                TokenTree::Group(group) => ends_with_braces && group.delimiter() == Delimiter::Brace,
                TokenTree::Ident(word) => {
                    ends_with_braces &= !["static", "const", "use", "type"].iter().any(|it| word == it);
                    false
                }
                TokenTree::Literal(_) => false,
            };
            item.push(token);
            if is_end {
                break;
            }
        }
        (!item.is_empty()).then_some(item)
    })
}

/// The name and the tokens of a module.
fn module(item: &[TokenTree]) -> Option<(String, TokenStream)> {
    match item {
        [.., TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(group)] if word == "mod" => {
            Some((name.to_string(), group.stream()))
        }
        _ => None,
    }
}

/// The items of a module, without the bodies of functions that nothing is read from.
fn items(tokens: TokenStream) -> syn::Result<Vec<Item>> {
    let mut items = Vec::new();
    for item in split(tokens) {
        let mut item: Item = syn::parse2(item.into_iter().collect())?;
        if let Item::Impl(block) = &mut item {
            for part in &mut block.items {
                if let ImplItem::Fn(function) = part {
                    function.attrs.clear();
                    if function.sig.ident != "new" {
                        function.block.stmts.clear();
                    }
                }
            }
        }
        items.push(item);
    }
    Ok(items)
}

/// The operations by the name of their methods.
fn table(list: &Expr) -> BTreeMap<String, Operation> {
    let entries = match list {
        Expr::Reference(reference) => match &*reference.expr {
            Expr::Array(array) => array.elems.iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let Expr::Struct(entry) = entry else { continue };
        let field = |name: &str| {
            let field = entry.fields.iter().find(|field| field.member.to_token_stream().to_string() == name);
            field.and_then(|field| literal(&field.expr.to_token_stream())).unwrap_or_default()
        };
        found.insert(field("name"), Operation { method: field("method"), path: field("path"), tag: field("tag") });
    }
    found
}

/// The first text that is written in some tokens.
fn literal(tokens: &TokenStream) -> Option<String> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Literal(literal) => {
            syn::parse_str::<syn::LitStr>(&literal.to_string()).ok().map(|text| text.value())
        }
        _ => None,
    })
}

fn builders(items: &[Item]) -> BTreeMap<String, Method> {
    let mut found: BTreeMap<String, Method> = BTreeMap::new();
    for item in items {
        if let Item::Struct(item) = item {
            let method = found.entry(item.ident.to_string()).or_default();
            for field in &item.fields {
                let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                // The builder holds the value, or the error of its conversion.
                let written = text_of(&field.ty);
                if let Some(rust) = written.strip_prefix("Result<").and_then(|rest| rest.strip_suffix(", String>")) {
                    method.arguments.insert(name, Argument { rust: rust.to_owned(), required: false });
                }
            }
        }
    }
    for item in items {
        let Item::Impl(block) = item else { continue };
        if block.trait_.is_some() {
            continue;
        }
        let Some(method) = found.get_mut(&name_of(block)) else { continue };
        for function in public_functions(block) {
            let name = function.sig.ident.to_string();
            match name.as_str() {
                "new" => require(method, &function.block.stmts),
                "send" => {}
                "call" => {
                    let result = text_of(&function.sig.output);
                    let response = result.strip_prefix("Call<").and_then(|rest| rest.strip_suffix('>'));
                    method.response = response.unwrap_or(&result).to_owned();
                }
                argument if method.arguments.contains_key(argument) => {}
                _ => {
                    method.functions.insert(name, text_of(&without_names(&function.sig)));
                }
            }
        }
    }
    found
}

/// Which arguments are required: those that a new builder holds an error for.
fn require(method: &mut Method, statements: &[Stmt]) {
    let Some(Stmt::Expr(Expr::Struct(made), _)) = statements.last() else { return };
    for field in &made.fields {
        let name = field.member.to_token_stream().to_string();
        let Some(argument) = method.arguments.get_mut(&name) else { continue };
        let value = field.expr.to_token_stream().to_string();
        argument.required = value.starts_with("Err");
        let optional = argument.rust.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>'));
        if let Some(rust) = optional.filter(|_| !argument.required) {
            argument.rust = rust.to_owned();
        }
    }
}

fn types(items: &[Item]) -> Result<BTreeMap<String, Type>, String> {
    let mut found: BTreeMap<String, Type> = BTreeMap::new();
    let made = |kind: Kind, traits: BTreeSet<String>| Type { kind, functions: BTreeMap::new(), traits };
    for item in items {
        match item {
            Item::Struct(item) => {
                let Fields::Named(fields) = &item.fields else { continue };
                let public = fields.named.iter().filter(|field| matches!(field.vis, Visibility::Public(_)));
                let fields = public.filter_map(|field| Some((field.ident.as_ref()?.to_string(), text_of(&field.ty))));
                let kind = Kind::Structure(fields.collect());
                found.insert(item.ident.to_string(), made(kind, derived(&item.attrs)));
            }
            Item::Enum(item) => {
                let variants = item.variants.iter().map(|variant| {
                    let held: Vec<String> = variant.fields.iter().map(|field| text_of(&field.ty)).collect();
                    (variant.ident.to_string(), held.join(", "))
                });
                let kind = Kind::Union(variants.collect());
                found.insert(item.ident.to_string(), made(kind, derived(&item.attrs)));
            }
            Item::Macro(item) if item.mac.path.segments.last().is_some_and(|last| last.ident == "open_enum") => {
                let (name, variants) = enumeration(item.mac.tokens.clone())?;
                found.insert(name, made(Kind::Enumeration(variants), BTreeSet::new()));
            }
            _ => {}
        }
    }
    for item in items {
        let Item::Impl(block) = item else { continue };
        let Some(made) = found.get_mut(&name_of(block)) else { continue };
        match &block.trait_ {
            Some((implemented, _)) => {
                made.traits.insert(text_of(implemented));
            }
            None => made.functions.extend(public_functions(block).map(|function| {
                let name = function.sig.ident.to_string();
                let text = if name == "new" {
                    let arguments = function.sig.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
                    arguments.map(text_of).collect::<Vec<_>>().join(", ")
                } else {
                    text_of(&without_names(&function.sig))
                };
                (name, text)
            })),
        }
    }
    Ok(found)
}

/// `#[doc = ".."] Name { Variant = "text", .. }`
fn enumeration(tokens: TokenStream) -> Result<(String, BTreeMap<String, String>), String> {
    let mut name = None;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => name = Some(ident.to_string()),
            TokenTree::Group(group) if name.is_some() => {
                let mut variants = BTreeMap::new();
                let mut variant = String::new();
                for token in group.stream() {
                    match &token {
                        TokenTree::Ident(ident) => variant = ident.to_string(),
                        TokenTree::Literal(_) => {
                            let text = literal(&token.clone().into()).unwrap_or_default();
                            variants.insert(std::mem::take(&mut variant), text);
                        }
                        _ => {}
                    }
                }
                return Ok((name.unwrap_or_default(), variants));
            }
            _ => {}
        }
    }
    Err("an enumeration without a name".to_owned())
}

fn derived(attributes: &[Attribute]) -> BTreeSet<String> {
    let lists = attributes.iter().filter(|attribute| attribute.path().is_ident("derive"));
    let names = lists.flat_map(|attribute| {
        let tokens = attribute.meta.require_list().map(|list| text_of(&list.tokens)).unwrap_or_default();
        tokens.split(", ").map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}

fn public_functions(block: &ItemImpl) -> impl Iterator<Item = &syn::ImplItemFn> {
    block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) if matches!(function.vis, Visibility::Public(_)) => Some(function),
        _ => None,
    })
}

/// The name of the type that a block is about.
fn name_of(block: &ItemImpl) -> String {
    let name = text_of(&block.self_ty);
    name.split('<').next().unwrap_or_default().to_owned()
}

/// A signature without the names of its arguments, which callers do not write.
fn without_names(signature: &syn::Signature) -> TokenStream {
    let arguments = signature.inputs.iter().map(|input| match input {
        FnArg::Typed(typed) => typed.ty.to_token_stream(),
        // `mut` does not matter to the caller.
        FnArg::Receiver(receiver) => {
            let own = |(at, token): &(usize, TokenTree)| *at == 0 && token.to_string() == "mut";
            let tokens = receiver.to_token_stream().into_iter().enumerate();
            tokens.filter(|token| !own(token)).map(|(_, token)| token).collect()
        }
    });
    let output = match &signature.output {
        ReturnType::Default => TokenStream::new(),
        written @ ReturnType::Type(..) => written.to_token_stream(),
    };
    let generics = signature.generics.where_clause.to_token_stream();
    quote::quote! { (#(#arguments),*) #output #generics }
}

/// Whether a word before `::` is no part of a path, or the part that tells it from another.
fn stays(ident: &proc_macro2::Ident) -> bool {
    ["as", "dyn", "impl", "mut", "serde_json"].iter().any(|word| ident == word)
}

/// Formats a type: each path by its last segment, with readable spacing.
pub fn text_of(tokens: &impl ToTokens) -> String {
    let mut out = String::new();
    write(tokens.to_token_stream(), &mut out);
    out.trim_start().trim_start_matches("-> ").to_owned()
}

fn write(tokens: TokenStream, out: &mut String) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            // `::` before a name, and whatever stood before it.
            TokenTree::Punct(_) if colon(at) && colon(at + 1) => at += 1,
            TokenTree::Ident(ident) if colon(at + 1) && colon(at + 2) && !stays(ident) => {}
            TokenTree::Ident(ident) => {
                if out.ends_with(|last: char| last.is_alphanumeric() || last == '_') {
                    out.push(' ');
                }
                out.push_str(&ident.to_string());
                if ident == "serde_json" && colon(at + 1) {
                    out.push_str("::");
                }
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' => out.push_str(", "),
                ':' => out.push_str(": "),
                '+' => out.push_str(" + "),
                '=' => out.push_str(" = "),
                '-' => out.push_str(" -"),
                '>' if out.ends_with('-') => out.push_str("> "),
                other => out.push(other),
            },
            TokenTree::Group(group) => {
                let [open, close] = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ["(", ")"],
                    proc_macro2::Delimiter::Bracket => ["[", "]"],
                    proc_macro2::Delimiter::Brace => ["{", "}"],
                    proc_macro2::Delimiter::None => ["", ""],
                };
                out.push_str(open);
                write(group.stream(), out);
                out.push_str(close);
            }
            TokenTree::Literal(literal) => out.push_str(&literal.to_string()),
        }
        at += 1;
    }
}
