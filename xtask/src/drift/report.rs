//! The report: for people, for an issue, for programs.

use std::fmt::Write;

use datagouv_specs::pointer::unescape;
use serde_json::{Value, json};

use super::observe::{Departure, Kind};
use super::seen::Drift;
use crate::format::Format;

pub fn write(drifts: &[Drift], format: Format) -> String {
    match format {
        Format::Markdown => markdown(drifts),
        Format::Json => json(drifts),
        _ => text(drifts),
    }
}

/// A departure in a sentence, without its place.
fn sentence(departure: &Departure) -> String {
    let counts = format!("{} of {}", departure.seen, departure.of);
    match &departure.kind {
        Kind::UnknownProperty(name) => {
            let types = departure.types.iter().copied().collect::<Vec<_>>().join(" or ");
            format!("has a property `{name}` that is not described ({types}; {counts})")
        }
        Kind::EnumValue(value) => format!("is `{value}`, which is none of its values ({counts})"),
        Kind::Null => format!("is null, which is not described ({counts})"),
        Kind::Type { expected, found } => format!("is of the type {found}, and not {expected} ({counts})"),
        Kind::Missing(name) => format!("lacks `{name}`, which is described as required ({counts})"),
        Kind::Status(status) => format!("is {status}, which is not described ({counts})"),
        Kind::Body(status) => format!("has a JSON body with {status}, which is not described ({counts})"),
        Kind::MediaType(name) => format!("comes as `{name}`, which is not described ({counts})"),
    }
}

fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn counts(drift: &Drift) -> String {
    let bodies: usize = drift.called.iter().map(|(_, bodies)| bodies).sum();
    let mut counts = format!("{} operations called, {bodies} bodies seen", drift.called.len());
    if !drift.refused.is_empty() {
        let _ = write!(counts, ", {} operations called in vain", drift.refused.len());
    }
    let _ = write!(counts, ", {} operations not called", drift.skipped.len());
    match drift.accepted().len() {
        0 => {}
        count => drop(write!(counts, ", {count} departures accepted before (specs/{}/accepted.toml)", drift.api)),
    }
    counts
}

fn text(drifts: &[Drift]) -> String {
    let mut out = String::new();
    for drift in drifts {
        let _ = writeln!(out, "{}, at {}: {}", drift.api, plain(&drift.base), counts(drift));
        for line in &drift.served {
            let _ = writeln!(out, "  served document: {}", plain(line));
        }
        for departure in drift.departures() {
            let line = format!("{} {} [{}]", departure.place, sentence(&departure), departure.operation);
            let _ = writeln!(out, "  {}", plain(&line));
        }
        if drift.is_expected() {
            let _ = writeln!(out, "  nothing unexpected");
        }
        for (what, list) in [("called in vain", &drift.refused), ("not called", &drift.skipped)] {
            for (name, reason) in list {
                let _ = writeln!(out, "  {what}: {}: {}", plain(name), plain(reason));
            }
        }
    }
    out
}

fn markdown(drifts: &[Drift]) -> String {
    let code = |text: &str| format!("`{}`", plain(text).replace('`', "'"));
    let mut out = String::new();
    for drift in drifts {
        let _ = writeln!(out, "## {} at {}\n\n{}.\n", drift.api, code(&drift.base), counts(drift));
        if drift.is_expected() {
            let _ = writeln!(out, "Nothing unexpected.\n");
        }
        if !drift.served.is_empty() {
            let _ = writeln!(out, "### The served document\n");
            drift.served.iter().for_each(|line| out.push_str(&format!("- {}\n", plain(line))));
            out.push('\n');
        }
        let departures = drift.departures();
        if !departures.is_empty() {
            let _ = writeln!(out, "### What responses have that the document does not say\n");
            for departure in &departures {
                let _ = writeln!(
                    out,
                    "- {} {}, first in {}",
                    code(&departure.place),
                    plain(&sentence(departure)),
                    code(&departure.operation)
                );
            }
            let drafts: String = departures.iter().filter_map(draft).collect();
            if !drafts.is_empty() {
                let _ = writeln!(out, "\n### Drafts of overlay actions\n\n```yaml\n{drafts}```\n");
            }
        }
        for (what, list) in [("called in vain", &drift.refused), ("not called", &drift.skipped)] {
            if list.is_empty() {
                continue;
            }
            let _ = writeln!(out, "<details><summary>{} operations {what}</summary>\n", list.len());
            list.iter().for_each(|(name, reason)| out.push_str(&format!("- {}: {}\n", code(name), plain(reason))));
            let _ = writeln!(out, "\n</details>\n");
        }
    }
    out
}

/// A draft of the overlay action that would say it.
fn draft(departure: &Departure) -> Option<String> {
    let counts = format!("{} of {}", departure.seen, departure.of);
    let path = json_path(&departure.place);
    let (target, description, update) = match &departure.kind {
        Kind::UnknownProperty(name) => {
            let types: Vec<&str> = departure.types.iter().copied().filter(|name| *name != "null").collect();
            let mut schema = json!({});
            if let [only] = types.as_slice() {
                schema["type"] = (*only).into();
            }
            if departure.types.contains("null") {
                schema["nullable"] = true.into();
            }
            (format!("{path}.properties"), format!("Undeclared; there in {counts}"), json!({ name.as_str(): schema }))
        }
        Kind::EnumValue(value) => {
            (format!("{path}.enum"), format!("Undeclared value; {counts}"), Value::from(value.as_str()))
        }
        Kind::Null => (path, format!("null in {counts}"), json!({ "nullable": true })),
        // The replacement has to be written by hand.
        _ => return None,
    };
    let target = Value::from(target);
    let description = Value::from(format!("{description} (cargo xtask drift, {}).", departure.operation));
    Some(format!("- target: {target}\n  description: {description}\n  update: {update}\n"))
}

/// A pointer as JSONPath.
fn json_path(pointer: &str) -> String {
    let mut path = String::from("$");
    for token in pointer.split('/').skip(1).map(unescape) {
        let is_word = !token.is_empty() && token.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_');
        match (is_word, token.parse::<usize>()) {
            (true, _) => path.push_str(&format!(".{token}")),
            (false, Ok(index)) => path.push_str(&format!("[{index}]")),
            (false, Err(_)) => path.push_str(&format!("['{}']", token.replace('\\', "\\\\").replace('\'', "\\'"))),
        }
    }
    path
}

fn json(drifts: &[Drift]) -> String {
    let departure = |departure: &Departure| {
        json!({
            "kind": departure.kind.name(), "detail": departure.kind.detail(), "place": departure.place, "seen": departure.seen, "of": departure.of,
            "types": departure.types, "operation": departure.operation, "text": sentence(departure),
        })
    };
    let drift = |drift: &Drift| {
        let named = |(name, bodies): &(String, usize)| json!({"operation": name, "bodies": bodies});
        let skipped = |(name, reason): &(String, String)| json!({"operation": name, "reason": reason});
        json!({
            "api": drift.api.name(),
            "base": drift.base,
            "served": drift.served,
            "departures": drift.departures().iter().map(departure).collect::<Value>(),
            "accepted": drift.accepted().iter().map(departure).collect::<Value>(),
            "called": drift.called.iter().map(named).collect::<Value>(),
            "called_in_vain": drift.refused.iter().map(skipped).collect::<Value>(),
            "not_called": drift.skipped.iter().map(skipped).collect::<Value>(),
        })
    };
    format!("{:#}\n", drifts.iter().map(drift).collect::<Value>())
}
