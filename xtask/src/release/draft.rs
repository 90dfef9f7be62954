//! A draft of the changelog's section, for those who use the crate.

use std::collections::BTreeMap;
use std::fmt::Write;

use datagouv_specs::Api;

use super::documents::Compared;
use super::surface::{Surface, path};
use super::version::Version;
use crate::diff::change::{Change, Level, RustChange};

/// How many names a line has.
const NAMED: usize = 12;

/// How many lines a list has.
const LINES: usize = 200;

/// Writes the section of a version.
pub fn section(version: Version, compared: &[Compared], surface: Option<&Surface>) -> String {
    let mut breaking = Vec::new();
    let mut added = Vec::new();
    let mut behaviour = Vec::new();
    for Compared { api, report } in compared {
        let Some(report) = report else {
            added.push(format!("The API {api}, as `client.{}()`.", api.module()));
            continue;
        };
        let rust: Vec<&RustChange> = report.changes.iter().flat_map(|change| &change.rust).collect();
        breaking.extend(rust.iter().filter(|change| change.breaking).map(|change| sentence(*api, change)));
        added.extend(additions(*api, &rust));
        // What a program notices when it compiles is listed above.
        let told = |change: &Change| change.rust.iter().any(|rust| rust.breaking || rust.id == "rust-method-added");
        let noticed = report.changes.iter().filter(|it| it.level != Level::Info && !it.id.starts_with("rust-"));
        behaviour.extend(noticed.filter(|it| !told(it)).map(|change| on_the_wire(*api, change)));
    }
    if let Some(surface) = surface {
        breaking.extend(
            surface.removed.iter().filter(|line| is_own(line)).map(|line| format!("`{}` is gone.", short(line))),
        );
        for changed in surface.changed.iter().filter(|changed| is_own(&changed.old)) {
            breaking.push(format!(
                "`{}` is now `{}`; it was `{}`.",
                short(&changed.new),
                tidy(&changed.new),
                tidy(&changed.old)
            ));
        }
        added.extend(own_additions(&surface.added));
    }
    // Methods are what most programs notice first, then what is written by hand.
    for lines in [&mut breaking, &mut added] {
        lines.sort_by_key(|line: &String| (!line.starts_with("`client."), !line.starts_with("`datagouv")));
    }
    let mut out = format!("## {version} (unreleased)\n");
    for (title, mut lines) in [("Breaking", breaking), ("New", added), ("How the platform responds", behaviour)] {
        lines.dedup();
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{title}:\n");
        lines.iter().take(LINES).for_each(|line| out.push_str(&format!("- {line}\n")));
        if let Some(rest) = lines.len().checked_sub(LINES).filter(|rest| *rest > 0) {
            let _ = writeln!(out, "- … and {rest} more: `cargo xtask diff` lists them.");
        }
    }
    out
}

/// The call of a method: `client.main().list_datasets()`.
fn call(api: Api, method: &str) -> String {
    format!("client.{}().{method}()", api.module())
}

/// A breaking change, with what to write instead.
fn sentence(api: Api, change: &RustChange) -> String {
    let parts: Vec<&str> = change.item.split("::").collect();
    let (old, new) = (change.old.as_deref().unwrap_or_default(), change.new.as_deref().unwrap_or_default());
    let last = parts.last().copied().unwrap_or_default();
    // `datagouv::main::Client::method::argument`, `datagouv::main::types::Type::field`
    let method = call(api, parts.get(3).copied().unwrap_or_default());
    let owner = parts.get(3).copied().unwrap_or_default();
    let field = format!("{}::types::{owner}::{last}", api.module());
    match change.id {
        "rust-method-removed" => {
            let request = change.text.rsplit_once("it called `").and_then(|(_, rest)| rest.split_once('`'));
            let (verb, path) = request.and_then(|(request, _)| request.split_once(' ')).unwrap_or(("GET", "/"));
            let api = format!("{api:?}");
            format!(
                "`{method}` is gone, since the platform no longer has `{verb} {path}`. On a server that still has it: \
                 `client.request(Api::{api}, \"{verb}\", \"{path}\")`."
            )
        }
        "rust-method-renamed" => format!("`{}` is `{}`: write that instead.", call(api, old), call(api, new)),
        "rust-argument-removed" => {
            format!(
                "`{method}` no longer takes `{old}`: drop `.{old}(…)`. `call().query(\"{old}\", …)` still sends it."
            )
        }
        "rust-argument-renamed" => format!("`.{old}(…)` of `{method}` is `.{new}(…)`: write that instead."),
        "rust-argument-required-added" | "rust-argument-now-required" => {
            format!("`{method}` needs `.{last}(…)`: what compiles without it fails when it is sent.")
        }
        "rust-argument-type-changed" => format!("`.{last}(…)` of `{method}` takes `{new}`; it took `{old}`."),
        "rust-response-changed" => format!("`{method}` gives `{new}`; it gave `{old}`."),
        "rust-type-renamed" => {
            format!("`{0}::types::{old}` is `{0}::types::{new}`: write that instead.", api.module())
        }
        "rust-type-removed" => format!("`{}::types::{old}` is gone.", api.module()),
        "rust-field-removed" => {
            format!("`{field}` is gone. Where a server still sends it, it is in `unknown()` of its structure.")
        }
        "rust-field-option-changed" => {
            let advice = if new.starts_with("Field<") {
                "the method that sets it takes a value as before"
            } else if new.starts_with("Option<") {
                "match `Some`, or say with `unwrap_or` what holds where it is absent"
            } else {
                "drop what handled its absence"
            };
            format!("`{field}` is `{new}`; it was `{old}`: {advice}.")
        }
        "rust-field-type-changed" => format!("`{field}` is `{new}`; it was `{old}`."),
        "rust-variant-removed" => {
            format!("`{field}` is gone: a value that a server still sends is kept as an unknown one.")
        }
        "rust-feature-moved" => format!("`{method}` needs the feature `{new}`; it needed `{old}`."),
        _ => format!("{}: {}", api.module(), change.text),
    }
}

/// What is new, by method and type.
fn additions(api: Api, rust: &[&RustChange]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut parts: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    for change in rust.iter().filter(|change| !change.breaking) {
        let path: Vec<&str> = change.item.split("::").collect();
        let owner = path.get(3).copied().unwrap_or_default();
        let last = path.last().copied().unwrap_or_default().to_owned();
        let of_type = format!("{}::types::{owner}", api.module());
        match change.id {
            "rust-method-added" => {
                let request = change.text.rsplit_once("it calls `").map_or("", |(_, rest)| rest.trim_end_matches("`."));
                lines.push(format!("`{}`: `{request}`.", call(api, owner)));
            }
            "rust-argument-added" => parts.entry(("takes", call(api, owner))).or_default().push(format!(".{last}(…)")),
            "rust-argument-now-optional" => {
                parts.entry(("goes without", call(api, owner))).or_default().push(format!(".{last}(…)"));
            }
            "rust-field-added" => parts.entry(("has", of_type)).or_default().push(last),
            "rust-variant-added" => parts.entry(("has the value", of_type)).or_default().push(last),
            _ => {}
        }
    }
    lines.extend(parts.into_iter().map(|((verb, owner), names)| format!("`{owner}` {verb} {}.", list(&names))));
    lines
}

/// A change that no compiler notices.
fn on_the_wire(api: Api, change: &Change) -> String {
    let operation = change.operations.first().map(|it| {
        let rest = change.operations.len() - 1;
        let others = if rest > 0 { format!(" and {rest} others") } else { String::new() };
        format!(" ({api}: `{} {}`{others})", it.method, it.path)
    });
    format!("{}{}", change.text.trim_end_matches('.'), operation.unwrap_or_else(|| format!(" ({api})"))) + "."
}

/// Whether an item is written by hand: those of the generated clients follow from their documents.
fn is_own(line: &str) -> bool {
    let generated = Api::ALL.map(|api| format!("datagouv::{}::", api.module()));
    let path = path(line);
    let is_item = !line.starts_with("impl") && path.starts_with("datagouv");
    is_item && !generated.iter().any(|module| path.starts_with(module.as_str()))
}

/// The items written by hand that are new, by what they are part of.
fn own_additions(added: &[String]) -> Vec<String> {
    let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let all: Vec<String> = added.iter().map(|line| short(line)).collect();
    for (line, name) in added.iter().zip(&all).filter(|(line, _)| is_own(line)) {
        let Some((parent, own)) = name.rsplit_once("::") else { continue };
        // A part of something new is listed with it.
        if all.iter().any(|other| other == parent) && !line.starts_with("pub mod") {
            continue;
        }
        let called = if line.contains("fn ") { format!("{own}()") } else { own.to_owned() };
        modules.entry(parent.to_owned()).or_default().push(called);
    }
    modules.into_iter().map(|(parent, names)| format!("`{parent}`: {}.", list(&names))).collect()
}

/// The path of an item, without generics.
fn short(line: &str) -> String {
    let mut depth = 0usize;
    let mut out = String::new();
    for letter in path(line).chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(letter),
            _ => {}
        }
    }
    out
}

/// A signature without the paths that all know.
fn tidy(line: &str) -> String {
    let mut out = line.trim_start_matches("pub ").to_owned();
    for known in
        ["core::option::", "core::result::", "alloc::string::", "alloc::vec::", "core::convert::", "datagouv::"]
    {
        out = out.replace(known, "");
    }
    out
}

/// Names in a sentence.
fn list(names: &[String]) -> String {
    let code: Vec<String> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    match (names.len().saturating_sub(NAMED), code.split_last()) {
        (0, Some((last, rest))) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        (0, _) => code.join(""),
        (rest, _) => format!("{} and {rest} more", code.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::surface::compare;
    use super::*;

    #[test]
    fn items_written_by_hand_are_in_it_and_those_of_the_generated_clients_are_not() {
        let old = "\
pub struct datagouv::Client
pub fn datagouv::Client::old(&self)
pub fn datagouv::Client::name(&self) -> alloc::string::String
pub fn datagouv::main::Client::list_datasets(&self) -> usize
";
        let new = "\
pub struct datagouv::Client
pub fn datagouv::Client::name(&self) -> core::option::Option<alloc::string::String>
pub fn datagouv::Client::more(&self, impl core::convert::Into<alloc::string::String>)
pub mod datagouv::rows
pub struct datagouv::rows::Rows<T>
pub fn datagouv::rows::Rows<T>::filter(self) -> Self
pub fn datagouv::main::Client::get_dataset(&self) -> usize
pub fn alloc::vec::Vec<T>::items(&mut self) -> datagouv::Items
impl<T> core::clone::Clone for datagouv::rows::Rows<T>
";
        let surface = compare(old, new);
        let draft = section(Version::parse("0.2.0").unwrap(), &[], Some(&surface));
        assert_eq!(
            draft,
            "\
## 0.2.0 (unreleased)

Breaking:

- `datagouv::Client::old` is gone.
- `datagouv::Client::name` is now `fn Client::name(&self) -> Option<String>`; it was `fn Client::name(&self) -> String`.

New:

- `datagouv`: `rows`.
- `datagouv::Client`: `more()`.
"
        );
    }
}
