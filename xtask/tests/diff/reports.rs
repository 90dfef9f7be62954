//! The reports, as they are read.

use serde_json::{Value, json};
use xtask::diff::Format;
use xtask::diff::change::{Release, RustChange};
use xtask::diff::report::Report;

use super::documents::{both_ways, changes, patch};

/// A report with something of everything.
fn report() -> Report {
    let thing =
        |kind: &str| json!({"type": "object", "properties": {"size": {"type": kind}, "<b>": {"type": "string"}}});
    let document = |kind: &str, with: Value| {
        let mut document = both_ways(&thing(kind), &json!({}));
        let media = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
        for name in ["a", "b", "c", "d", "e", "f"] {
            document["paths"][format!("/things/{name}")]["get"] =
                json!({"operationId": format!("get_{name}"), "tags": ["things"], "responses": {"200": media}});
        }
        document["paths"]["/things"]["post"]["tags"] = json!(["writing"]);
        document["servers"] = json!([{"url": "https://a.test"}]);
        patch(&mut document, &with);
        document
    };
    let old = document("integer", json!({}));
    let new = document(
        "number",
        json!({
            "servers": [{"url": "https://b.test"}],
            "paths": {
                "/things/f": null,
                "/things/a": {"get": {"operationId": "read_a"}},
                "/things/{id}": {"get": {"tags": ["things"], "responses": {"204": {"description": ""}}}},
                "/things/b": {"get": {"parameters": [
                    {"name": "page_*size*", "in": "query", "schema": {"type": "integer", "default": 20}},
                ]}},
            },
            "components": {"schemas": {"Thing": {"properties": {"<b>": {"enum": ["x|y", "`z`"]}}}}},
        }),
    );
    let mut changes = changes(&old, &new);
    let rust = |breaking: bool, item: &str, text: &str| RustChange {
        id: "rust-method-renamed",
        breaking,
        item: item.to_owned(),
        old: Some("get_a".to_owned()),
        new: Some("read_a".to_owned()),
        text: text.to_owned(),
        origin: None,
    };
    for change in changes.iter_mut().filter(|change| change.id == "operation-id-changed") {
        change.rust.push(rust(true, "datagouv::main::Client::read_a", "`get_a` is `read_a` now."));
        change.rust.push(rust(false, "datagouv::main::Client::other", "`other` is new."));
    }
    Report {
        old: "old.json".to_owned(),
        new: "udata:17.18.0".to_owned(),
        changes,
        release: Some(Release::Major),
        notes: vec!["old.json: 3 of the overlay's corrections do not apply".to_owned()],
        ..Report::default()
    }
}

#[test]
fn the_text_groups_by_level_tag_and_operations() {
    insta::assert_snapshot!(report().write(Format::Text, false));
}

#[test]
fn colour_is_for_the_terminal_and_changes_no_word() {
    let (plain, coloured) = (report().write(Format::Text, false), report().write(Format::Text, true));
    assert!(coloured.contains('\x1b') && !plain.contains('\x1b'));
    let mut words = String::new();
    for (index, part) in coloured.split('\x1b').enumerate() {
        words.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(words, plain);
}

#[test]
fn the_markdown_is_for_a_pull_request() {
    insta::assert_snapshot!(report().write(Format::Markdown, false));
}

#[test]
fn the_html_is_one_file_without_markup_of_others() {
    let html = report().write(Format::Html, false);
    assert!(!html.contains("<b>") && !html.contains("src=") && !html.contains("href="));
    insta::assert_snapshot!(html);
}

#[test]
fn the_json_names_every_change() {
    insta::assert_snapshot!(report().write(Format::Json, false));
}

#[test]
fn no_change_is_said() {
    let report = Report { changes: Vec::new(), release: Some(Release::Patch), notes: Vec::new(), ..report() };
    let text = "old.json → udata:17.18.0\nNo change.\nThis release may be a patch: programs notice nothing.\n";
    assert_eq!(report.write(Format::Text, false), text);
}

#[test]
fn what_documents_say_does_not_steer_the_terminal() {
    let mut report = report();
    report.old = "\x1b[2Jold".to_owned();
    report.changes[0].text = "a\x07b\nc".to_owned();
    let text = report.write(Format::Text, false);
    assert!(text.contains("a b c") && !text.contains(['\x1b', '\x07']), "{text}");
    for format in [Format::Markdown, Format::Json, Format::Html, Format::Github, Format::Junit, Format::Sarif] {
        let text = report.write(format, false);
        assert!(!text.contains(['\x1b', '\x07']), "{format:?}: {text}");
    }
}

#[test]
fn what_documents_say_is_no_markup() {
    let mut report = report();
    report.changes.truncate(1);
    // One backtick more than a sentence should have, and what would be markup outside of code.
    report.changes[0].text = "`a` is ``` <img src=x onerror=alert(1)> @everyone [b](https://c.test)".to_owned();
    let (html, markdown) = (report.write(Format::Html, false), report.write(Format::Markdown, false));
    assert!(!html.contains("<img"), "{html}");
    assert!(
        markdown.contains("\\`a\\` is \\`\\`\\` \\<img src=x onerror=alert(1)\\> \\@everyone \\[b\\](https://c.test)"),
        "{markdown}"
    );
}
