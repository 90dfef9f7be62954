//! The rules of everything but schemas: each with what triggers it, and what nearly does.

use serde_json::{Value, json};

use super::documents::{patch, patched, rules};

/// The rule; patches of the base that trigger it, and patches that do not.
pub struct Case {
    pub rule: &'static str,
    trigger: (Value, Value),
    miss: (Value, Value),
}

fn case(rule: &'static str, trigger: [Value; 2], miss: [Value; 2]) -> Case {
    let [old, new] = trigger;
    let [old_miss, new_miss] = miss;
    Case { rule, trigger: (old, new), miss: (old_miss, new_miss) }
}

/// Nothing but the base.
fn base() -> Value {
    json!({})
}

/// A patch of a method of the base's path.
fn on(method: &str, patch: Value) -> Value {
    json!({"paths": {"/things/{id}": {method: patch}}})
}

fn get(patch: Value) -> Value {
    on("get", patch)
}

fn put(patch: Value) -> Value {
    on("put", patch)
}

/// The parameters of `get`.
fn parameters(list: Value) -> Value {
    get(json!({"parameters": list}))
}

/// The query parameter of `get`, with more members.
fn q(members: Value) -> Value {
    let mut parameter = json!({"name": "q", "in": "query", "schema": {"type": "string"}});
    super::documents::patch(&mut parameter, &members);
    parameters(json!([parameter]))
}

/// An operation without anything.
fn bare() -> Value {
    json!({"responses": {"204": {"description": ""}}})
}

fn operations() -> Vec<Case> {
    let path = |path: &str, item: Value| json!({"paths": {path: item}});
    let deprecated = get(json!({"deprecated": true}));
    let stability = |level: &str| get(json!({"x-stability-level": level}));
    let sunset = |date: &str| get(json!({"x-sunset": date}));
    let renamed = |name: &str| {
        let mut document = super::documents::base();
        let mut item = document["paths"]["/things/{id}"].take();
        item["parameters"][0]["name"] = name.into();
        json!({"paths": {"/things/{id}": null, format!("/things/{{{name}}}"): item}})
    };
    vec![
        case("path-added", [base(), path("/others", json!({"get": bare()}))], [base(), path("/others", json!({}))]),
        case(
            "path-removed",
            [path("/others", json!({"get": bare()})), base()],
            [path("/others", json!({"summary": ""})), base()],
        ),
        case("operation-added", [base(), on("post", bare())], [base(), on("x-post", bare())]),
        case("operation-removed", [base(), on("put", Value::Null)], [base(), renamed("id")]),
        case(
            "deprecated-operation-removed",
            [deprecated.clone(), on("get", Value::Null)],
            [deprecated.clone(), get(json!({"deprecated": true, "description": "gone soon"}))],
        ),
        case("operation-deprecated", [base(), deprecated.clone()], [base(), get(json!({"deprecated": false}))]),
        case("operation-no-longer-deprecated", [deprecated, base()], [get(json!({"deprecated": false})), base()]),
        case("sunset-invalid", [base(), sunset("soon")], [sunset("2027-01-01"), sunset("2027-01-01")]),
        case("stability-invalid", [base(), stability("soon")], [stability("beta"), stability("beta")]),
        case("operation-less-stable", [base(), stability("beta")], [base(), stability("stable")]),
        case("operation-more-stable", [stability("alpha"), stability("beta")], [stability("beta"), stability("beta")]),
        case("sunset-added", [base(), sunset("2027-01-01")], [sunset("2027-01-01"), sunset("2027-01-01")]),
        case(
            "sunset-earlier",
            [sunset("2027-02-01"), sunset("2027-01-31")],
            [sunset("2027-02-01"), sunset("2027-02-01")],
        ),
        case(
            "sunset-later",
            [sunset("2027-01-31"), sunset("2027-02-01")],
            [sunset("2027-01-31"), sunset("2027-01-31")],
        ),
        case("sunset-removed", [sunset("2027-01-01"), base()], [get(json!({"x-sunrise": "2027-01-01"})), base()]),
        case(
            "operation-id-added",
            [get(json!({"operationId": null})), base()],
            [get(json!({"operationId": null})), get(json!({"operationId": null, "summary": "get_thing"}))],
        ),
        case(
            "operation-id-changed",
            [base(), get(json!({"operationId": "read_thing"}))],
            [base(), get(json!({"summary": "read_thing"}))],
        ),
        case("operation-id-removed", [base(), get(json!({"operationId": null}))], [base(), renamed("id")]),
        case(
            "operation-tags-changed",
            [base(), get(json!({"tags": ["objects"]}))],
            [get(json!({"tags": ["a", "b"]})), get(json!({"tags": ["b", "a"]}))],
        ),
        case("path-parameter-renamed", [base(), renamed("thing")], [base(), renamed("id")]),
    ]
}

fn of_parameters() -> Vec<Case> {
    let text = json!({"type": "string"});
    let one = |name: &str, place: &str| json!({"name": name, "in": place, "schema": {"type": "string"}});
    let mut needed = one("n", "query");
    needed["required"] = true.into();
    let list = |members: Value| {
        let mut parameter = json!({"schema": {"type": "array", "items": {}}});
        super::documents::patch(&mut parameter, &members);
        q(parameter)
    };
    let content =
        |media_type: &str| q(json!({"schema": null, "content": {media_type: {"schema": {"type": "string"}}}}));
    let required = |is: bool| q(json!({"required": is}));
    // A parameter of the path stands for each operation that has none of the same name and place.
    let shared = json!({"paths": {"/things/{id}": {"parameters": [
        {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}, one("q", "query"),
    ]}}});
    vec![
        case(
            "parameter-added",
            [base(), parameters(json!([one("q", "query"), one("r", "query")]))],
            // A header that other parts of the document speak of.
            [base(), parameters(json!([one("q", "query"), one("Accept", "header")]))],
        ),
        case(
            "required-parameter-added",
            [base(), parameters(json!([one("q", "query"), needed]))],
            [parameters(json!([needed, one("q", "query")])), parameters(json!([one("q", "query"), needed]))],
        ),
        case(
            "parameter-removed",
            [base(), parameters(json!([]))],
            [put(json!({"parameters": [one("q", "query")]})), {
                let mut moved = shared.clone();
                super::documents::patch(&mut moved, &get(json!({"parameters": null})));
                moved
            }],
        ),
        case("parameter-became-required", [base(), required(true)], [base(), required(false)]),
        case("parameter-became-optional", [required(true), base()], [required(false), base()]),
        case(
            "parameter-moved",
            [base(), parameters(json!([one("q", "header")]))],
            [parameters(json!([one("X-Q", "header")])), parameters(json!([one("x-q", "header")]))],
        ),
        case(
            "parameter-style-changed",
            [
                list(json!({"style": "form", "explode": false})),
                list(json!({"style": "pipeDelimited", "explode": false})),
            ],
            [base(), q(json!({"style": "form"}))],
        ),
        case(
            "parameter-explode-changed",
            [list(json!({})), list(json!({"explode": false}))],
            // One value is written one way.
            [base(), q(json!({"explode": false}))],
        ),
        case(
            "parameter-empty-value-allowed",
            [base(), q(json!({"allowEmptyValue": true}))],
            [base(), q(json!({"allowEmptyValue": false}))],
        ),
        case(
            "parameter-empty-value-refused",
            [q(json!({"allowEmptyValue": true})), base()],
            [q(json!({"allowEmptyValue": false})), base()],
        ),
        case(
            "parameter-reserved-allowed",
            [base(), q(json!({"allowReserved": true}))],
            [base(), q(json!({"allowReserved": false}))],
        ),
        case(
            "parameter-reserved-refused",
            [q(json!({"allowReserved": true})), base()],
            [q(json!({"allowReserved": false})), base()],
        ),
        case(
            "parameter-content-changed",
            [base(), content("application/json")],
            [content("application/json"), content("Application/JSON; charset=utf-8")],
        ),
        case(
            "parameter-deprecated",
            [base(), q(json!({"deprecated": true}))],
            [base(), q(json!({"deprecated": false}))],
        ),
        case(
            "parameter-no-longer-deprecated",
            [q(json!({"deprecated": true})), base()],
            [q(json!({"schema": text})), base()],
        ),
    ]
}

fn of_bodies() -> Vec<Case> {
    let body = |value: Value| put(json!({"requestBody": value}));
    let none = || body(Value::Null);
    let required = |is: bool| body(json!({"required": is}));
    let json_type = json!({"schema": {"type": "string"}});
    let form = |encoding: Value| {
        let media = json!({"schema": {"type": "object", "properties": {"a": {"type": "array", "items": {}}}}, "encoding": encoding});
        body(json!({"content": {"application/json": null, "application/x-www-form-urlencoded": media}}))
    };
    vec![
        case(
            "request-body-added",
            [none(), base()],
            [none(), put(json!({"requestBody": null, "description": "body"}))],
        ),
        case(
            "required-request-body-added",
            [none(), required(true)],
            [required(true), body(json!({"description": "", "required": true}))],
        ),
        case("request-body-removed", [base(), none()], [base(), body(json!({"description": "the thing"}))]),
        case("request-body-became-required", [base(), required(true)], [base(), required(false)]),
        case("request-body-became-optional", [required(true), base()], [required(false), base()]),
        case(
            "request-media-type-added",
            [base(), body(json!({"content": {"text/plain": json_type}}))],
            [base(), body(json!({"content": {"application/json": null, "Application/JSON;charset=utf-8": json_type}}))],
        ),
        case(
            "request-media-type-removed",
            [body(json!({"content": {"text/plain": json_type}})), base()],
            [
                body(json!({"content": {"application/json": null, "application/json; charset=UTF-8": json_type}})),
                base(),
            ],
        ),
        case(
            "request-encoding-changed",
            [form(json!({})), form(json!({"a": {"explode": false}}))],
            // What goes without saying.
            [form(json!({})), form(json!({"a": {"style": "form", "explode": true}}))],
        ),
    ]
}

fn of_responses() -> Vec<Case> {
    let responses = |value: Value| get(json!({"responses": value}));
    let status = |status: &str| responses(json!({status: {"description": ""}}));
    let both = |one: &str, other: &str| responses(json!({one: {"description": ""}, other: {"description": ""}}));
    let types = |value: Value| responses(json!({"200": {"content": value}}));
    let media = json!({"schema": {"type": "string"}});
    let headers = |value: Value| responses(json!({"200": {"headers": value}}));
    let header = |required: bool| headers(json!({"X-Next": {"required": required, "schema": {"type": "string"}}}));
    let link = get(json!({"responses": {"200": {"links": {"next": {"operationId": "get_thing"}}}}}));
    let webhooks = |value: Value| json!({"openapi": "3.1.0", "webhooks": value});
    let callbacks = |value: Value| get(json!({"callbacks": value}));
    let callback = json!({"done": {"{$request.query.url}": {"post": bare()}}});
    vec![
        case(
            "response-success-added",
            [base(), status("202")],
            // The range has it already.
            [status("2XX"), both("202", "2XX")],
        ),
        case("response-success-removed", [status("202"), base()], [both("202", "2XX"), status("2XX")]),
        case("response-error-added", [base(), status("404")], [status("4XX"), both("404", "4xx")]),
        case("response-error-removed", [status("404"), base()], [both("404", "4XX"), status("4XX")]),
        case("default-response-added", [base(), status("default")], [base(), status("x-default")]),
        case("default-response-removed", [status("default"), base()], [status("x-default"), base()]),
        case(
            "response-body-added",
            [put(json!({})), put(json!({"responses": {"204": {"content": {"text/plain": media}}}}))],
            [base(), put(json!({"responses": {"204": {"content": {}}}}))],
        ),
        case(
            "response-body-removed",
            [base(), types(Value::Null)],
            [put(json!({"responses": {"204": {"content": {}}}})), base()],
        ),
        case(
            "response-media-type-added",
            [base(), types(json!({"text/plain": media}))],
            [base(), types(json!({"application/json": null, "application/json;charset=utf-8": media}))],
        ),
        case(
            "response-media-type-removed",
            [types(json!({"text/plain": media})), base()],
            [types(json!({"application/json": null, "APPLICATION/JSON": media})), base()],
        ),
        case(
            "response-header-added",
            [base(), header(false)],
            [base(), headers(json!({"Content-Type": {"schema": {}}}))],
        ),
        case(
            "response-header-removed",
            [header(false), base()],
            [headers(json!({"content-type": {"required": false}})), base()],
        ),
        case(
            "response-required-header-removed",
            [header(true), base()],
            [headers(json!({"content-type": {"required": true}})), base()],
        ),
        case(
            "response-header-became-required",
            [header(false), header(true)],
            [header(true), headers(json!({"x-next": {"required": true, "schema": {"type": "string"}}}))],
        ),
        case(
            "response-header-became-optional",
            [header(true), header(false)],
            [header(false), headers(json!({"X-Next": {"schema": {"type": "string"}}}))],
        ),
        case("response-link-added", [base(), link.clone()], [link.clone(), link.clone()]),
        case("response-link-removed", [link.clone(), base()], [link.clone(), link]),
        case(
            "webhook-added",
            [base(), webhooks(json!({"changed": {"post": bare()}}))],
            [base(), webhooks(json!({"changed": {}}))],
        ),
        case(
            "webhook-removed",
            [webhooks(json!({"changed": {"post": bare()}})), base()],
            [webhooks(json!({"changed": {}})), base()],
        ),
        case("callback-added", [base(), callbacks(callback.clone())], [base(), callbacks(json!({}))]),
        case("callback-removed", [callbacks(callback), base()], [callbacks(json!({})), base()]),
    ]
}

fn of_security() -> Vec<Case> {
    let security = |list: Value| get(json!({"security": list}));
    let (key, other) = (json!({"key": []}), json!({"other": []}));
    let scopes = |list: Value| security(json!([{"oauth": list}]));
    let schemes = |value: Value| json!({"components": {"securitySchemes": value}});
    let renamed = |with: Value| {
        let mut patch = schemes(json!({"key": null, "token": {"type": "apiKey", "in": "header", "name": "x-key"}}));
        super::documents::patch(&mut patch, &with);
        patch
    };
    let flows = |value: Value| schemes(json!({"oauth": {"flows": value}}));
    let implicit = |value: Value| flows(json!({"implicit": value}));
    let described = || implicit(json!({"description": "", "x-note": ""}));
    vec![
        case("security-required", [base(), security(json!([key]))], [base(), security(json!([]))]),
        case("security-no-longer-required", [security(json!([key])), base()], [security(json!([{}])), base()]),
        case(
            "security-alternative-added",
            [security(json!([key])), security(json!([key, other]))],
            [security(json!([key, other])), security(json!([other, key]))],
        ),
        case(
            "security-alternative-removed",
            [security(json!([key, other])), security(json!([key]))],
            [security(json!([key])), renamed(security(json!([{"token": []}])))],
        ),
        case(
            "security-scope-added",
            [scopes(json!(["read"])), scopes(json!(["read", "write"]))],
            [scopes(json!(["read", "write"])), scopes(json!(["write", "read"]))],
        ),
        case(
            "security-scope-removed",
            [scopes(json!(["read", "write"])), scopes(json!(["read"]))],
            [scopes(json!(["read", "read"])), scopes(json!(["read"]))],
        ),
        case("security-scheme-added", [schemes(json!({"other": null})), base()], [base(), renamed(base())]),
        case("security-scheme-removed", [base(), schemes(json!({"other": null}))], [renamed(base()), base()]),
        case(
            "security-scheme-changed",
            [base(), schemes(json!({"key": {"in": "query"}}))],
            [
                base(),
                schemes(json!({"key": {"name": "X-KEY", "description": "The key"}, "other": {"scheme": "Bearer"}})),
            ],
        ),
        case(
            "security-bearer-format-changed",
            [base(), schemes(json!({"other": {"bearerFormat": "opaque"}}))],
            [base(), schemes(json!({"other": {"description": "opaque"}}))],
        ),
        case(
            "oauth-flow-added",
            [base(), flows(json!({"password": {"tokenUrl": "https://a.test/t", "scopes": {}}}))],
            [base(), flows(json!({"x-password": {}}))],
        ),
        case(
            "oauth-flow-removed",
            [flows(json!({"password": {"tokenUrl": "https://a.test/t", "scopes": {}}})), base()],
            [flows(json!({"x-password": {}})), base()],
        ),
        case(
            "oauth-url-changed",
            [base(), implicit(json!({"authorizationUrl": "https://b.test"}))],
            [base(), described()],
        ),
        case(
            "oauth-scope-added",
            [base(), implicit(json!({"scopes": {"delete": ""}}))],
            [base(), implicit(json!({"scopes": {"read": "Reads everything"}}))],
        ),
        case(
            "oauth-scope-removed",
            [base(), implicit(json!({"scopes": {"read": null}}))],
            [implicit(json!({"scopes": {"read": "Reads everything"}})), base()],
        ),
    ]
}

fn of_servers() -> Vec<Case> {
    let servers = |urls: &[&str]| json!({"servers": urls.iter().map(|url| json!({"url": url})).collect::<Value>()});
    let variable = |value: Value| json!({"servers": [{"url": "https://{name}.test", "variables": {"name": value}}]});
    let (here, there) = ("https://a.test/api", "https://b.test/api");
    vec![
        case("server-added", [base(), servers(&[here, there])], [servers(&[here, there]), servers(&[there, here])]),
        case("server-removed", [servers(&[here, there]), base()], [base(), servers(&["https://a.test/api/"])]),
        case("server-scheme-changed", [base(), servers(&["http://a.test/api"])], [base(), servers(&[here])]),
        case("server-host-changed", [base(), servers(&[there])], [servers(&[here, there]), servers(&[there, here])]),
        case(
            "server-base-path-changed",
            [base(), servers(&["https://a.test/api/2"])],
            [
                // Without servers, the document's own place is the server.
                json!({"servers": null}),
                servers(&["/"]),
            ],
        ),
        case(
            "server-variable-changed",
            [variable(json!({"default": "a"})), variable(json!({"default": "b"}))],
            [variable(json!({"default": "a"})), variable(json!({"default": "a", "description": "b"}))],
        ),
    ]
}

fn of_properties() -> Vec<Case> {
    let sent = |schema: Value| put(json!({"requestBody": {"content": {"application/json": {"schema": schema}}}}));
    let with_response =
        |schema: Value| get(json!({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}));
    let object =
        |properties: Value, required: Value| json!({"type": "object", "properties": properties, "required": required});
    let flagged = |flag: &str, is: bool| object(json!({"a": {"type": "string", flag: is}}), json!([]));
    let text = json!({"a": {"type": "string"}});
    let closed = |properties: Value| json!({"type": "object", "properties": properties, "additionalProperties": false});
    vec![
        case(
            "request-property-refused",
            [sent(closed(text.clone())), sent(closed(json!({})))],
            [sent(closed(json!({"a": {"type": "string", "readOnly": true}}))), sent(closed(json!({})))],
        ),
        case(
            "response-required-property-removed",
            [with_response(object(text.clone(), json!(["a"]))), with_response(object(json!({}), json!([])))],
            [
                with_response(object(json!({"a": {"type": "string", "writeOnly": true}}), json!(["a"]))),
                with_response(object(json!({}), json!([]))),
            ],
        ),
        case(
            "request-property-became-read-only",
            [sent(flagged("readOnly", false)), sent(flagged("readOnly", true))],
            [with_response(flagged("readOnly", false)), with_response(flagged("readOnly", true))],
        ),
        case(
            "request-property-no-longer-read-only",
            [sent(flagged("readOnly", true)), sent(flagged("readOnly", false))],
            [with_response(flagged("readOnly", true)), with_response(flagged("readOnly", false))],
        ),
        case(
            "response-property-became-write-only",
            [with_response(flagged("writeOnly", false)), with_response(flagged("writeOnly", true))],
            [sent(flagged("writeOnly", false)), sent(flagged("writeOnly", true))],
        ),
        case(
            "response-property-no-longer-write-only",
            [with_response(flagged("writeOnly", true)), with_response(flagged("writeOnly", false))],
            [sent(flagged("writeOnly", true)), sent(flagged("writeOnly", false))],
        ),
    ]
}

pub fn cases() -> Vec<Case> {
    let mut cases = operations();
    for more in [of_parameters(), of_bodies(), of_responses(), of_security(), of_servers(), of_properties()] {
        cases.extend(more);
    }
    cases
}

#[test]
fn each_rule_is_triggered_and_no_other_with_it() {
    for Case { rule, trigger: (old, new), .. } in cases() {
        assert_eq!(rules(&patched(&old), &patched(&new)), [rule], "{old} to {new}");
    }
}

#[test]
fn what_is_nearly_a_change_is_none() {
    for Case { rule, miss: (old, new), .. } in cases() {
        let found = rules(&patched(&old), &patched(&new));
        assert!(found.is_empty(), "{rule}: {old} to {new} is {found:?}");
    }
}

#[test]
fn what_nothing_is_promised_of_may_change() {
    use super::documents::changes;
    use xtask::diff::change::Level;
    let document = |level: Option<&str>, kind: &str| {
        let mut get = json!({"responses": {"200": {"content": {"application/json": {"schema": {"type": kind}}}}}});
        if let Some(level) = level {
            get["x-stability-level"] = level.into();
        }
        patched(&super::operation_rules::get(get))
    };
    for (level, expected) in [
        (None, Level::Breaking),
        (Some("beta"), Level::Breaking),
        (Some("alpha"), Level::Warning),
        (Some("draft"), Level::Warning),
    ] {
        let found = changes(&document(level, "string"), &document(level, "integer"));
        assert_eq!(found.iter().map(|change| change.level).collect::<Vec<_>>(), [expected], "{level:?}");
        let gone = changes(&document(level, "string"), &patched(&super::operation_rules::get(Value::Null)));
        assert_eq!(gone.iter().map(|change| change.level).collect::<Vec<_>>(), [expected], "{level:?}");
    }
}

#[test]
fn what_travels_as_text_is_compared_as_text() {
    let query = |schema: Value| {
        patched(&json!({"paths": {"/things/{id}": {"get": {"parameters": [
            {"name": "n", "in": "query", "schema": schema},
        ]}}}}))
    };
    let (number, text) = (query(json!({"type": "integer"})), query(json!({"type": "string"})));
    assert_eq!(rules(&number, &text), ["request-type-widened"]);
    assert_eq!(rules(&text, &number), ["request-type-narrowed"]);
    assert_eq!(rules(&number, &query(json!({"type": "string", "format": "uuid"}))), ["request-type-changed"]);
    let union = query(json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}));
    assert_eq!(rules(&text, &union), ["request-variant-added"]);
    assert_eq!(rules(&union, &text), ["request-type-widened"]);
    // One value is a list of one where lists repeat the name.
    let list = |members: Value| {
        let mut schema = json!({"type": "array", "items": {"type": "integer"}});
        patch(&mut schema, &members);
        schema
    };
    assert_eq!(rules(&number, &query(list(json!({})))), ["request-type-widened"]);
    assert_eq!(rules(&query(list(json!({}))), &number), ["request-type-narrowed"]);
    assert_eq!(rules(&number, &query(list(json!({"minItems": 2})))), ["request-type-changed"]);
    let bounded = query(list(json!({"items": {"maximum": 9}})));
    assert_eq!(rules(&number, &bounded), ["request-maximum-added", "request-type-widened"]);
    let header = |kind: &str| {
        patched(&json!({"paths": {"/things/{id}": {"get": {"responses": {"200": {"headers": {
            "X-N": {"schema": {"type": kind}},
        }}}}}}}))
    };
    assert_eq!(rules(&header("string"), &header("integer")), ["response-type-narrowed"]);
    assert_eq!(rules(&header("integer"), &header("string")), ["response-type-widened"]);
    assert_eq!(rules(&header("boolean"), &header("integer")), ["response-type-changed"]);
}

#[test]
fn more_credentials_than_are_needed_are_enough() {
    let security = |list: Value| patched(&json!({"security": list}));
    let (one, both) = (json!({"key": []}), json!({"key": [], "other": []}));
    let (one_alone, both_alone) = (security(json!([one])), security(json!([both])));
    assert_eq!(rules(&both_alone, &one_alone), ["security-alternative-added"]);
    assert_eq!(rules(&one_alone, &both_alone), ["security-alternative-removed"]);
    assert_eq!(rules(&security(json!([one, both])), &one_alone), [""; 0]);
}
