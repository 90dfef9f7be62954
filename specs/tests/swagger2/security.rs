use super::*;

fn scheme(scheme: Value) -> Value {
    let openapi = convert(&document(json!({"securityDefinitions": {"s": scheme}})));
    openapi["components"]["securitySchemes"]["s"].clone()
}

#[test]
fn every_scheme_is_converted() {
    let basic = scheme(json!({"type": "basic", "description": "d", "x-b": 1}));
    assert_eq!(basic, json!({"type": "http", "scheme": "basic", "description": "d", "x-b": 1}));
    let key = json!({"type": "apiKey", "name": "X-API-KEY", "in": "header", "description": "d"});
    assert_eq!(scheme(key.clone()), key);
    let flows = [
        ("implicit", "implicit", json!({"authorizationUrl": "a"})),
        ("password", "password", json!({"tokenUrl": "t"})),
        ("application", "clientCredentials", json!({"tokenUrl": "t"})),
        ("accessCode", "authorizationCode", json!({"authorizationUrl": "a", "tokenUrl": "t"})),
    ];
    for (flow, name, urls) in flows {
        let mut swagger = urls.clone();
        swagger["type"] = json!("oauth2");
        swagger["description"] = json!("d");
        swagger["flow"] = json!(flow);
        swagger["scopes"] = json!({"read": "all", "x-s": {"any": 1}});
        let mut expected = urls;
        expected["scopes"] = json!({"read": "all"});
        expected["x-s"] = json!({"any": 1});
        assert_eq!(scheme(swagger), json!({"type": "oauth2", "description": "d", "flows": {name: expected}}));
    }
}

#[test]
fn requirements_follow_the_names_of_the_schemes() {
    let definitions = json!({"my key": {"type": "apiKey", "name": "k", "in": "query"}, "b": {"type": "basic"}});
    let requirements = json!([{"my key": [], "b": []}, {}]);
    let document = with(operation(json!({"security": []})), "securityDefinitions", definitions);
    let openapi = convert(&with(document, "security", requirements));
    assert_eq!(openapi["security"], json!([{"my_key": [], "b": []}, {}]));
    assert_eq!(openapi["components"]["securitySchemes"]["my_key"]["name"], "k");
    assert_eq!(openapi["paths"]["/a"]["get"]["security"], json!([]), "an empty list lifts that of the document");
}

#[test]
fn invalid_security_schemes_are_refused() {
    let refused = |scheme: Value, pointer: &str, words| {
        let document = document(json!({"securityDefinitions": {"s": scheme}}));
        assert_refused(&document, &format!("/securityDefinitions/s{pointer}"), words);
    };
    refused(json!({}), "", "`type` is missing");
    refused(json!({"type": "http"}), "/type", "`http`");
    refused(json!({"type": "basic", "scheme": "basic"}), "", "`scheme` has no place here");
    refused(json!({"type": "apiKey", "name": "k", "in": "cookie"}), "/in", "`query` or `header`");
    refused(json!({"type": "oauth2", "flow": "device"}), "/flow", "`device`");
    refused(json!({"type": "oauth2", "flow": "implicit", "scopes": {}}), "", "`authorizationUrl` is missing");
    let scopes = json!({"type": "oauth2", "flow": "password", "tokenUrl": "t", "scopes": {"read": 1}});
    refused(scopes, "/scopes/read", "must be a string");
    let unknown = operation(json!({"security": [{"s": []}]}));
    assert_refused(&unknown, "/paths/~1a/get/security/0", "`s` is not in `securityDefinitions`");
}
