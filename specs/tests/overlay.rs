//! Overlays: what the compiled form does to a document, what the authored form refuses.

use datagouv_specs::overlay::apply;
use serde_json::{Value, json};

#[track_caller]
fn applied(compiled: &Value, mut document: Value) -> Value {
    apply(compiled, &mut document).expect("the overlay applies");
    document
}

#[track_caller]
fn refusal(compiled: &Value, mut document: Value) -> String {
    apply(compiled, &mut document).expect_err("the overlay is refused").to_string()
}

#[test]
fn an_update_merges_objects_and_replaces_the_rest() {
    let compiled = json!({"actions": [{"targets": ["/a"], "update": {"b": {"d": 2}, "e": "new", "f": {"g": true}}}]});
    let document = json!({"a": {"b": {"c": 1}, "e": {"was": "an object"}}});
    assert_eq!(applied(&compiled, document), json!({"a": {"b": {"c": 1, "d": 2}, "e": "new", "f": {"g": true}}}));
}

#[test]
fn an_update_of_an_array_appends_one_entry() {
    let compiled = json!({"actions": [{"targets": ["/list"], "update": {"name": "b"}}]});
    assert_eq!(applied(&compiled, json!({"list": [{"name": "a"}]})), json!({"list": [{"name": "a"}, {"name": "b"}]}));
}

#[test]
fn several_matches_are_removed_without_shifting_each_other() {
    let compiled = json!({"actions": [{"targets": ["/l/2", "/l/10", "/l/9", "/o", "/o/in/0"], "remove": true}]});
    let document = json!({"l": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], "o": {"in": [1]}});
    assert_eq!(applied(&compiled, document), json!({"l": [0, 1, 3, 4, 5, 6, 7, 8, 11]}));
}

#[test]
fn names_with_slashes_and_tildes_are_found() {
    let compiled = json!({"actions": [
        {"targets": ["/paths/~1a~1{id}~1"], "update": {"seen": true}},
        {"targets": ["/paths/~1a~1{id}~1/x~01"], "remove": true},
    ]});
    let document = json!({"paths": {"/a/{id}/": {"x~1": 1}}});
    assert_eq!(applied(&compiled, document), json!({"paths": {"/a/{id}/": {"seen": true}}}));
}

#[test]
fn a_pointer_that_matches_nothing_is_an_error_that_names_the_action() {
    let update = json!({"actions": [
        {"targets": ["/a"], "update": {"x": 1}},
        {"targets": ["/a/b"], "update": {"x": 1}},
    ]});
    assert_eq!(refusal(&update, json!({"a": {}})), "/actions/1: `/a/b` is not in the document");
    let remove = json!({"actions": [{"targets": ["/a/3"], "remove": true}]});
    assert_eq!(refusal(&remove, json!({"a": [1]})), "/actions/0: `/a/3` is not in the document");
}

#[test]
fn updates_that_the_overlay_standard_leaves_open_are_refused() {
    let arrays = json!({"actions": [{"targets": ["/a"], "update": {"b/c": [2]}}]});
    assert!(refusal(&arrays, json!({"a": {"b/c": [1]}})).contains("at `/a/b~1c` an array meets an array"));
    let primitive = json!({"actions": [{"targets": ["/a"], "update": {"b": 1}}]});
    assert!(refusal(&primitive, json!({"a": "text"})).contains("neither an object nor an array"));
    let text = json!({"actions": [{"targets": ["/a"], "update": "text"}]});
    assert!(refusal(&text, json!({"a": {}})).contains("only an object can update it"));
    let root = json!({"actions": [{"targets": [""], "remove": true}]});
    assert!(refusal(&root, json!({})).contains("the document as a whole"));
}

#[test]
fn an_invalid_compiled_form_is_an_error() {
    for (compiled, reason) in [
        (json!({}), "a list of `actions`"),
        (json!({"actions": [{"update": {}}]}), "a list of `targets`"),
        (json!({"actions": [{"targets": [1], "update": {}}]}), "JSON pointers"),
        (json!({"actions": [{"targets": []}]}), "either `update` or `remove: true`"),
        (json!({"actions": [{"targets": [], "remove": false}]}), "either `update` or `remove: true`"),
        (json!({"actions": [{"targets": [], "update": {}, "remove": true}]}), "either `update` or `remove: true`"),
    ] {
        let message = refusal(&compiled, json!({}));
        assert!(message.contains(reason), "{compiled} says: {message}");
    }
}

#[test]
fn a_reference_that_an_update_gave_siblings_is_wrapped() {
    let compiled =
        json!({"actions": [{"targets": ["/components/schemas/A/properties/b"], "update": {"nullable": true}}]});
    let reference = json!({"$ref": "#/components/schemas/B"});
    let document = json!({"components": {"schemas": {"A": {"properties": {"b": reference}}, "B": {"type": "object"}}}});
    let corrected = applied(&compiled, document);
    let property = &corrected["components"]["schemas"]["A"]["properties"]["b"];
    assert_eq!(*property, json!({"allOf": [reference], "nullable": true}));
}

#[cfg(feature = "authoring")]
mod authored {
    use super::*;
    use datagouv_specs::document;
    use datagouv_specs::overlay::{Change, Overlay, check, compile, parse_yaml};

    fn overlay(actions: &str) -> Overlay {
        let text = format!("overlay: 1.0.0\ninfo: {{title: Test, version: 1.0.0}}\nactions:\n{actions}");
        parse_yaml(&text).expect("the overlay is well formed")
    }

    /// Compiles, and checks that the compiled form does the same.
    #[track_caller]
    fn corrected(overlay: &Overlay, document: &Value) -> Value {
        let compiled = compile(overlay, document).expect("the overlay compiles");
        assert_eq!(applied(&compiled.overlay, document.clone()), compiled.document);
        compiled.document
    }

    #[track_caller]
    fn problem(actions: &str, document: &Value) -> String {
        compile(&overlay(actions), document).expect_err("the overlay does not compile").to_string()
    }

    #[test]
    fn an_overlay_file_is_parsed() {
        let overlay = overlay(
            "  - target: $.responses\n    description: Returns 201.\n    update: {201: {description: ''}}\n  \
             - target: $.gone\n    description: Gone.\n    remove: true\n",
        );
        assert_eq!(overlay.title, "Test");
        assert_eq!(overlay.actions[0].target, "$.responses");
        assert_eq!(overlay.actions[0].change, Change::Update(json!({"201": {"description": ""}})));
        assert_eq!(overlay.actions[1].description, "Gone.");
        assert_eq!(overlay.actions[1].change, Change::Remove);
    }

    #[test]
    fn an_invalid_overlay_is_refused_with_its_pointer() {
        let head = "overlay: 1.0.0\ninfo: {title: Test, version: 1.0.0}\n";
        let good = "  - {target: $.a, description: A., remove: true}\n";
        for (text, pointer, reason) in [
            ("overlay: 1.1.0\ninfo: {title: T, version: 1.0.0}\nactions: []\n".to_owned(), "/overlay", "1.1.0"),
            (
                "overlay: 1.0.0\ninfo: {title: T, version: 1.0}\nactions: []\n".to_owned(),
                "/info",
                "`version` must be text",
            ),
            ("overlay: 1.0.0\nactions: []\n".to_owned(), "/info", "missing"),
            (head.to_owned(), "/actions", "must be a list"),
            (format!("{head}extends: x\nactions: []\n"), "", "`extends` is not one of"),
            (format!("{head}actions: []\nactions: []\n"), "", "duplicate"),
            (
                format!("{head}actions:\n{good}  - {{description: A., remove: true}}\n"),
                "/actions/1",
                "`target` is missing",
            ),
            (
                format!("{head}actions:\n{good}  - {{target: $.a, remove: true}}\n"),
                "/actions/1",
                "`description` is missing",
            ),
            (
                format!("{head}actions:\n  - {{target: $.a, description: ' ', remove: true}}\n"),
                "/actions/0",
                "not empty",
            ),
            (
                format!("{head}actions:\n  - {{target: $.a, description: A.}}\n"),
                "/actions/0",
                "neither `update` nor `remove`",
            ),
            (
                format!("{head}actions:\n  - {{target: $.a, description: A., remove: false}}\n"),
                "/actions/0",
                "can only be true",
            ),
            (
                format!("{head}actions:\n  - {{target: $.a, description: A., update: {{}}, remove: true}}\n"),
                "/actions/0",
                "both",
            ),
            (
                format!("{head}actions:\n  - {{target: $.a, description: A., updated: {{}}}}\n"),
                "/actions/0",
                "`updated` is not one of",
            ),
        ] {
            let error = parse_yaml(&text).expect_err(&text);
            assert_eq!(error.pointer, pointer, "{text}");
            assert!(error.message.contains(reason), "{text} says: {error}");
        }
    }

    #[test]
    fn actions_apply_to_the_result_of_those_before() {
        let overlay = overlay(
            "  - {target: '$.schemas.A.required', description: Old list., remove: true}\n  \
             - {target: '$.schemas.A', description: New list., update: {required: [b], properties: {c: {}}}}\n  \
             - {target: '$.schemas.A.properties.*', description: All., update: {nullable: true}}\n  \
             - {target: '$.schemas.A.required', description: One more., update: c}\n",
        );
        let document = json!({"schemas": {"A": {"required": ["a"], "properties": {"b": {}}}}});
        let expected =
            json!({"required": ["b", "c"], "properties": {"b": {"nullable": true}, "c": {"nullable": true}}});
        assert_eq!(corrected(&overlay, &document)["schemas"]["A"], expected);
    }

    #[test]
    fn a_filter_removes_the_right_entries() {
        let overlay = overlay(
            "  - target: $.paths[*].parameters[?match(@.name, 'column__.*')]\n    \
             description: Placeholders.\n    remove: true\n",
        );
        let entry = |name: &str| json!({"name": name});
        let document = json!({"paths": {
            "/a/": {"parameters": [entry("column__a"), entry("page"), entry("column__b"), entry("columns")]},
            "/b/": {"parameters": [entry("column__a")]},
        }});
        let expected = json!({"/a/": {"parameters": [entry("page"), entry("columns")]}, "/b/": {"parameters": []}});
        assert_eq!(corrected(&overlay, &document)["paths"], expected);
    }

    #[test]
    fn descriptions_stay_out_of_the_compiled_form() {
        let overlay = overlay(
            "  - {target: '$..a', description: Seen., update: {x: 1}}\n  \
             - {target: '$.list[0,2]', description: Gone., remove: true}\n",
        );
        let document = json!({"a": {}, "b/c": {"a": {"x": 1}, "d": {"a": {}}}, "list": [1, 2, 3]});
        let compiled = compile(&overlay, &document).expect("the overlay compiles");
        let expected = json!({"actions": [
            {"targets": ["/a", "/b~1c/d/a"], "update": {"x": 1}},
            {"targets": ["/list/0", "/list/2"], "remove": true},
        ]});
        assert_eq!(compiled.overlay, expected);
        assert_eq!(compiled.document["list"], json!([2]));
    }

    #[test]
    fn an_action_that_matches_nothing_is_an_error_that_quotes_it() {
        let message =
            problem("  - {target: $.a.b, description: Null in 3 of 9 responses., remove: true}\n", &json!({"a": {}}));
        assert_eq!(message, "/actions/0: `$.a.b` matches nothing. It says: Null in 3 of 9 responses.");
        let message = problem("  - {target: '$.a[', description: A., remove: true}\n", &json!({"a": {}}));
        assert!(message.starts_with("/actions/0: `$.a[` is not JSONPath"), "{message}");
    }

    #[test]
    fn every_name_of_a_list_must_match() {
        let document =
            json!({"s": {"A": {"p": {"x": {}, "it's, ]": {"n": 1}}}, "B": {"p": {"y": {}}}, "C": {"p": {}}}});
        let names = "  - {target: \"$.s['A'].p['x','y']\", description: D., update: {n: 1}}\n";
        assert!(problem(names, &document).contains("`$.s['A'].p['y']` matches nothing"));
        let middle = "  - {target: \"$.s['A', 'C'].p['x']\", description: D., update: {n: 1}}\n";
        assert!(problem(middle, &document).contains("`$.s['C'].p['x']` matches nothing"));
        let removed = "  - {target: \"$.s['A','D']\", description: D., remove: true}\n";
        assert!(problem(removed, &document).contains("`$.s['D']` matches nothing"));
        let mended = r#"  - {target: "$.s['A'].p['x','it\\'s, ]']", description: D., update: {n: 1}}"#;
        assert!(
            problem(mended, &document).contains(r"`$.s['A'].p['it\'s, ]']` already is"),
            "{}",
            problem(mended, &document)
        );
        // Both names of both lists count, though not each with each.
        let both = "  - {target: \"$.s['A','B'].p['x','y']\", description: D., update: {n: 1}}\n";
        assert_eq!(corrected(&overlay(both), &document)["s"]["B"]["p"]["y"], json!({"n": 1}));
    }

    #[test]
    fn an_action_that_changes_nothing_is_an_error() {
        let document = json!({"a": {"n": 1, "list": ["x"]}});
        for (target, update) in
            [("$.a", "{n: 1}"), ("$.a", "{}"), ("$.a", "{list: [x]}"), ("$.a.list", "x"), ("$", "{a: {n: 1}}")]
        {
            let message = problem(&format!("  - {{target: {target}, description: D., update: {update}}}\n"), &document);
            assert_eq!(message, format!("/actions/0: `{target}` already is what the update makes it. It says: D."));
        }
        let arrays = "  - {target: $.a, description: D., update: {list: [y]}}\n";
        assert!(problem(arrays, &document).contains("at `/a/list` an array meets an array"));
        let primitive = "  - {target: $.a.n, description: D., update: {x: y}}\n";
        assert!(problem(primitive, &document).contains("neither an object nor an array"));
    }

    #[test]
    fn check_finds_all_failing_actions() {
        let overlay = overlay(
            "  - {target: $.a, description: Good., update: {n: 1}}\n  \
             - {target: $.b, description: Gone., remove: true}\n  \
             - {target: \"$['a','c','d']\", description: Partly., update: {n: 2}}\n",
        );
        let errors = check(&overlay, &json!({"a": {}}));
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/actions/1", "/actions/2", "/actions/2"]);
        assert!(errors[2].message.contains("`$['d']` matches nothing"), "{}", errors[2]);
        assert_eq!(check(&overlay, &json!({"a": {}, "b": 1, "c": {}, "d": {}})), []);
    }

    #[test]
    fn the_tabular_overlay_says_what_the_server_does() {
        let overlay = parse_yaml(include_str!("../tabular/overlay.yaml")).expect("well formed");
        let document = document::parse(include_str!("../tabular/openapi.json")).expect("JSON");
        let corrected = corrected(&overlay, &document);
        let profile = &corrected["components"]["schemas"]["ResourceProfile"]["properties"];
        assert_eq!(profile["header"]["type"], "array");
        assert_eq!(profile["columns"]["additionalProperties"], json!({"$ref": "#/components/schemas/ColumnType"}));
        let data = &corrected["paths"]["/api/resources/{rid}/data/"]["get"];
        assert_eq!(query_parameters(&data["parameters"]), ["columns", "filters", "page", "page_size"]);
        let exported = &corrected["paths"]["/api/resources/{rid}/data/csv/"]["get"];
        assert_eq!(query_parameters(&exported["parameters"]), ["columns", "filters"]);
        assert_eq!(exported["responses"]["200"]["content"]["text/csv"]["schema"]["format"], "binary");
        for name in ["DataPage", "PageLinks", "PageMeta", "Row"] {
            assert!(corrected["components"]["schemas"][name].is_object(), "{name}");
        }
    }

    #[test]
    fn the_metrics_overlay_leaves_no_placeholder() {
        let overlay = parse_yaml(include_str!("../metrics/overlay.yaml")).expect("well formed");
        let document = document::parse(include_str!("../metrics/openapi.json")).expect("JSON");
        let corrected = corrected(&overlay, &document);
        let page = &corrected["paths"]["/api/{model}/data/"];
        assert_eq!(query_parameters(&page["parameters"]), ["columns", "filters", "page", "page_size"]);
        let exported = &corrected["paths"]["/api/{model}/data/csv/"];
        assert_eq!(query_parameters(&exported["parameters"]), ["columns", "filters"]);
    }

    fn query_parameters(parameters: &Value) -> Vec<&str> {
        let entries = parameters.as_array().into_iter().flatten().filter(|entry| entry["in"] == "query");
        let mut names: Vec<&str> = entries.filter_map(|entry| entry["name"].as_str()).collect();
        names.sort_unstable();
        names
    }
}
