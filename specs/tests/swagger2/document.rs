use super::*;

#[test]
fn the_smallest_document_is_converted() {
    let expected = json!({
        "openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "servers": [{"url": "/"}], "paths": {},
    });
    assert_eq!(convert(&document(json!({}))), expected);
}

#[test]
fn info_and_tags_are_kept_with_vendor_extensions() {
    let described = json!({
        "info": {"title": "t", "version": "1", "description": "d", "termsOfService": "s", "x-i": 1,
            "contact": {"name": "n", "url": "u", "email": "e"}, "license": {"name": "n", "url": "u"}},
        "tags": [{"name": "n", "description": "d", "externalDocs": {"url": "u", "description": "d"}, "x-t": 1}],
        "externalDocs": {"url": "u"}, "x-d": {"any": "thing"},
    });
    let openapi = convert(&document(described.clone()));
    for (name, value) in described.as_object().unwrap() {
        assert_eq!(&openapi[name], value);
    }
    let paths = convert(&document(json!({"paths": {"x-p": 1, "/a": {"x-i": 2}}})))["paths"].clone();
    assert_eq!(paths, json!({"x-p": 1, "/a": {"x-i": 2}}));
}

#[test]
fn host_base_path_and_schemes_become_servers() {
    let servers = |members| {
        let servers = convert(&document(members))["servers"].clone();
        let urls = servers.as_array().unwrap().iter().map(|server| server["url"].as_str().unwrap().to_owned());
        urls.collect::<Vec<_>>()
    };
    let all = json!({"host": "h:7", "basePath": "/b", "schemes": ["https", "http"]});
    assert_eq!(servers(all), ["https://h:7/b", "http://h:7/b"]);
    assert_eq!(servers(json!({"host": "h", "basePath": "/b"})), ["//h/b"]);
    assert_eq!(servers(json!({"host": "h", "basePath": "/", "schemes": ["https"]})), ["https://h"]);
    assert_eq!(servers(json!({"host": "h", "schemes": ["wss"]})), ["wss://h"]);
    assert_eq!(servers(json!({"basePath": "/b/", "schemes": ["https"]})), ["/b"]);
    assert_eq!(servers(json!({"basePath": "/"})), ["/"]);
    assert_eq!(servers(json!({"basePath": ""})), ["/"]);
}

#[test]
fn schemes_of_an_operation_are_its_servers() {
    let own = operation(json!({"schemes": ["wss"]}));
    let servers = |document: &Value| convert(document)["paths"]["/a"]["get"].get("servers").cloned();
    assert_eq!(servers(&with(own.clone(), "host", json!("h"))), Some(json!([{"url": "wss://h"}])));
    assert_eq!(servers(&own), None, "without a host a scheme has nothing to stand on");
}

#[test]
fn documents_that_are_not_swagger_2_are_refused() {
    assert_refused(&json!([]), "", "must be an object");
    assert_refused(&json!({"openapi": "3.0.3"}), "", "`swagger` is missing");
    assert_refused(&document(json!({"swagger": "1.2"})), "/swagger", "must be 2.0");
    assert_refused(&document(json!({"components": {}})), "", "`components` has no place here");
    assert_refused(&document(json!({"info": {"title": "t"}})), "/info", "`version` is missing");
    assert_refused(&document(json!({"tags": [{"name": 1}]})), "/tags/0/name", "must be a string");
    assert_refused(&document(json!({"host": "https://h"})), "/host", "must be a host");
    assert_refused(&document(json!({"host": ""})), "/host", "must be a host");
    assert_refused(&document(json!({"basePath": "b"})), "/basePath", "must start with `/`");
    assert_refused(&document(json!({"host": "h", "schemes": ["ftp"]})), "/schemes/0", "`ftp`");
    assert_refused(&document(json!({"paths": {"a": {}}})), "/paths", "`a` must start with `/`");
    let elsewhere = json!({"paths": {"/a": {"$ref": "a.json"}}});
    assert_refused(&document(elsewhere), "/paths/~1a/$ref", "elsewhere");
    assert_refused(&document(json!({"paths": {"/a/{b~}": {"trace": {}}}})), "/paths/~1a~1{b~0}", "`trace`");
}
