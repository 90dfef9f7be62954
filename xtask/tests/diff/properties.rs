//! What holds for any document.

use std::collections::BTreeSet;

use datagouv_specs::{Api, document};
use serde_json::{Value, json};
use xtask::diff::change::{Change, Direction};
use xtask::diff::compare;
use xtask::diff::document::Document;

use super::documents::{both_ways, changes, rules};

fn vendored(api: Api) -> Value {
    document::to_openapi(document::parse(api.document_text()).unwrap()).unwrap()
}

/// A document in which most constructs stand.
fn everything() -> Value {
    serde_json::from_str(include_str!("everything.json")).unwrap()
}

/// The same for OpenAPI 3.1.
fn everything_31() -> Value {
    serde_json::from_str(include_str!("everything-31.json")).unwrap()
}

fn documents() -> Vec<Value> {
    let mut documents: Vec<Value> = Api::ALL.map(vendored).into();
    documents.push(everything());
    documents.push(everything_31());
    documents
}

/// Random numbers that are the same in each run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

#[test]
fn a_document_against_itself_has_no_change() {
    for document in documents() {
        assert_eq!(rules(&document, &document), [""; 0]);
    }
}

#[test]
fn a_swagger_document_and_its_openapi_twin_are_the_same() {
    for api in [Api::Main, Api::MainV2] {
        let swagger = document::parse(api.document_text()).unwrap();
        assert_eq!(rules(&swagger, &vendored(api)), [""; 0]);
        assert_eq!(rules(&vendored(api), &swagger), [""; 0]);
    }
}

/// The lists that have no order.
const UNORDERED: [&str; 9] =
    ["parameters", "required", "enum", "oneOf", "anyOf", "allOf", "tags", "servers", "security"];

fn shuffle(value: &mut Value, random: &mut Random) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if let (true, Value::Array(list)) = (UNORDERED.contains(&key.as_str()), &mut *member) {
                    for index in (1..list.len()).rev() {
                        list.swap(index, random.below(index + 1));
                    }
                }
                shuffle(member, random);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|element| shuffle(element, random)),
        _ => {}
    }
}

#[test]
fn the_order_of_what_has_none_changes_nothing() {
    let mut random = Random(1);
    for document in documents() {
        let mut shuffled = document.clone();
        shuffle(&mut shuffled, &mut random);
        assert_eq!(rules(&document, &shuffled), [""; 0]);
    }
}

#[test]
fn the_order_of_keys_changes_nothing() {
    /// A text in which the members of objects stand in the reverse order.
    fn reversed(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let members = members.iter().rev().map(|(key, value)| format!("{}:{}", json!(key), reversed(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
            Value::Array(list) => format!("[{}]", list.iter().map(reversed).collect::<Vec<_>>().join(",")),
            other => other.to_string(),
        }
    }
    for document in documents() {
        let turned: Value = serde_json::from_str(&reversed(&document)).unwrap();
        assert_eq!(rules(&document, &turned), [""; 0]);
    }
}

/// Puts in the place of each reference to a schema what it refers to, and leaves the references in there.
fn inline(value: &mut Value, root: &Value) {
    if let Some(target) = value.get("$ref").and_then(Value::as_str) {
        if let Some(schema) = target.strip_prefix('#').filter(|it| it.starts_with("/components/schemas/")) {
            *value = root.pointer(schema).unwrap().clone();
        }
        return;
    }
    match value {
        // A mapping is of texts, whatever they look like.
        Value::Object(members) => members.iter_mut().for_each(|(_, member)| inline(member, root)),
        Value::Array(list) => list.iter_mut().for_each(|element| inline(element, root)),
        _ => {}
    }
}

#[test]
fn what_a_reference_refers_to_can_stand_in_its_place() {
    for document in documents() {
        let mut inlined = document.clone();
        inline(&mut inlined, &document);
        assert_ne!(document, inlined);
        assert_eq!(rules(&document, &inlined), [""; 0]);
        assert_eq!(rules(&inlined, &document), [""; 0]);
    }
}

#[test]
fn a_reference_can_be_wrapped_and_a_component_can_have_another_name() {
    fn wrap(value: &mut Value) {
        match value {
            Value::Object(members) => {
                if let Some(target) = members.get("$ref").and_then(Value::as_str).map(str::to_owned)
                    && let Some(name) = target.strip_prefix("#/components/schemas/")
                {
                    *value = json!({"allOf": [{"$ref": format!("#/components/schemas/New{name}")}]});
                    return;
                }
                if let Some(Value::Object(schemas)) = members.get_mut("schemas") {
                    *schemas =
                        std::mem::take(schemas).into_iter().map(|(name, it)| (format!("New{name}"), it)).collect();
                }
                members.iter_mut().for_each(|(_, member)| wrap(member));
            }
            Value::Array(list) => list.iter_mut().for_each(wrap),
            _ => {}
        }
    }
    for api in Api::ALL {
        let document = vendored(api);
        let mut wrapped = document.clone();
        wrap(&mut wrapped);
        assert_eq!(rules(&document, &wrapped), [""; 0]);
    }
}

#[test]
fn schemas_that_contain_themselves_end() {
    let node = |kind: &str| {
        json!({"type": "object", "properties": {
            "value": {"type": kind},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
            "parent": {"allOf": [{"$ref": "#/components/schemas/Node"}], "nullable": true},
            "other": {"oneOf": [{"$ref": "#/components/schemas/Node"}, {"type": "string"}]},
            "not": {"not": {"$ref": "#/components/schemas/Node"}},
        }})
    };
    let (old, new) = (node("string"), node("integer"));
    let thing = json!({"$ref": "#/components/schemas/Node"});
    let found = rules(&both_ways(&thing, &json!({"Node": old})), &both_ways(&thing, &json!({"Node": new})));
    // `not` a node is something else where a node is.
    let expected = ["request-not-changed", "request-type-changed", "response-not-changed", "response-type-changed"];
    assert_eq!(found, expected);
    // One turn of the recursion written out is the same schema.
    let unrolled = |mut schema: Value| {
        schema["properties"]["children"]["items"] = node("string");
        schema
    };
    let (rolled, unrolled) = (node("string"), unrolled(node("string")));
    let found = rules(&both_ways(&thing, &json!({"Node": rolled})), &both_ways(&thing, &json!({"Node": unrolled})));
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_chain_of_ten_thousand_references_is_walked() {
    let chain = |last: &str| {
        let mut schemas = serde_json::Map::new();
        for index in 0..10_000 {
            let next = json!({"$ref": format!("#/components/schemas/N{}", index + 1)});
            schemas.insert(format!("N{index}"), json!({"type": "object", "properties": {"next": next}}));
        }
        schemas.insert("N10000".to_owned(), json!({"type": last}));
        both_ways(&json!({"$ref": "#/components/schemas/N0"}), &schemas.into())
    };
    assert_eq!(rules(&chain("string"), &chain("integer")), ["request-type-changed", "response-type-changed"]);
}

#[test]
fn what_would_never_end_is_given_up() {
    // Each schema of one circle meets each of the other.
    let circle = |length: usize| {
        let next = |index: usize| json!({"$ref": format!("#/components/schemas/N{}", (index + 1) % length)});
        let node = |index| (format!("N{index}"), json!({"type": "object", "properties": {"next": next(index)}}));
        both_ways(&json!({"$ref": "#/components/schemas/N0"}), &(0..length).map(node).collect())
    };
    let [old, new] = [circle(280), circle(281)].map(|document| Document::new("circle", document).unwrap());
    assert!(compare(&old, &new).unwrap_err().to_string().contains("too many"));
    assert!(compare(&old, &old).unwrap().is_empty());
}

#[test]
fn a_change_that_fifty_operations_show_is_told_once() {
    let document = |kind: &str| {
        let mut document = both_ways(&json!({"type": "object", "properties": {"a": {"type": kind}}}), &json!({}));
        let media = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}});
        for index in 0..50 {
            document["paths"][format!("/things/{index}")]["get"] = json!({"responses": {"200": media}});
        }
        document
    };
    let found = changes(&document("string"), &document("integer"));
    let way = |way: Direction| found.iter().filter(|change| change.direction == Some(way)).collect::<Vec<&Change>>();
    let (request, response) = (way(Direction::Request), way(Direction::Response));
    assert_eq!((request.len(), response.len()), (1, 1));
    assert_eq!((request[0].operations.len(), response[0].operations.len()), (1, 51));
    assert_eq!(response[0].location, "/components/schemas/Thing/properties/a");
}

#[test]
fn what_is_written_out_in_each_operation_is_told_once_too() {
    let document = |default: u32| {
        let operation = json!({
            "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer", "default": default}}],
            "responses": {"200": {"description": ""}},
        });
        let paths: Value = (0..5).map(|index| (format!("/p{index}"), json!({"get": operation}))).collect();
        json!({"openapi": "3.0.3", "info": {}, "paths": paths})
    };
    let found = changes(&document(1), &document(2));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].operations.len()), ("request-default-changed", 5));
}

/// The places of a document.
fn pointers(value: &Value, pointer: String, found: &mut Vec<String>) {
    let mut below = |token: &str, child: &Value| {
        pointers(child, format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1")), found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, child)| below(name, child)),
        Value::Array(list) => list.iter().enumerate().for_each(|(index, child)| below(&index.to_string(), child)),
        _ => {}
    }
    found.push(pointer);
}

/// A document with something taken away, or replaced by something odd.
fn mutated(document: &Value, random: &mut Random) -> Value {
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("x"),
        json!("integer"),
        json!([]),
        json!([0]),
        json!(["a"]),
        json!({}),
        json!({"$ref": "#/x"}),
        json!({"$ref": "#/components/schemas/Pet"}),
        json!({"a": {}}),
        json!({"type": "array"}),
        json!([{"type": "string"}, {"nullable": true}]),
    ];
    let mut places = Vec::new();
    pointers(document, String::new(), &mut places);
    let mut mutated = document.clone();
    for _ in 0..=random.below(3) {
        let place = &places[random.below(places.len())];
        let Some((parent, token)) = place.rsplit_once('/') else { continue };
        let token = token.replace("~1", "/").replace("~0", "~");
        match mutated.pointer_mut(parent) {
            Some(Value::Object(members)) if random.below(3) > 0 => {
                members.remove(&token);
            }
            Some(Value::Object(members)) => {
                members.insert(token, odd[random.below(odd.len())].clone());
            }
            Some(Value::Array(list)) => {
                if let Some(index) = token.parse().ok().filter(|index| *index < list.len()) {
                    list.remove(index);
                }
            }
            _ => {}
        }
    }
    mutated
}

/// What a rule is about, whichever way it went: `request-property-added` and `request-property-removed` are one.
fn subject(change: &Change) -> String {
    const WAYS: [&str; 42] = [
        "more",
        "less",
        "invalid",
        "added",
        "removed",
        "refused",
        "allowed",
        "raised",
        "lowered",
        "widened",
        "narrowed",
        "loosened",
        "tightened",
        "opened",
        "closed",
        "typed",
        "untyped",
        "became",
        "no",
        "longer",
        "required",
        "optional",
        "exclusive",
        "inclusive",
        "earlier",
        "later",
        "changed",
        "operation",
        "path",
        "deprecated",
        "value",
        "mapping",
        "kind",
        "variant",
        "union",
        "type",
        "format",
        "read",
        "write",
        "only",
        "alternative",
        "scope",
    ];
    let id = change.id.replace("stable", "stability");
    let words: Vec<&str> = id.split('-').filter(|word| !WAYS.contains(word)).collect();
    words.join("-")
}

#[test]
fn there_and_back_are_mirrored() {
    let mut random = Random(2);
    let (mut compared, mut differing) = (0, 0);
    for number in 0..400 {
        let document = if number % 2 == 0 { everything() } else { everything_31() };
        let other = mutated(&document, &mut random);
        let Ok(new) = Document::new("new", other.clone()) else { continue };
        let old = Document::new("old", document.clone()).unwrap();
        let (there, back) = (compare(&old, &new).unwrap(), compare(&new, &old).unwrap());
        let subjects = |changes: &[Change]| changes.iter().map(subject).collect::<BTreeSet<_>>();
        assert_eq!(subjects(&there), subjects(&back), "{there:#?}\n{back:#?}");
        compared += 1;
        differing += usize::from(!there.is_empty());
        assert!(compare(&new, &new).unwrap().is_empty());
    }
    // Most mutations are seen; some strike what says nothing.
    assert!(compared > 100 && differing > compared / 3, "{differing} of {compared}");
}
