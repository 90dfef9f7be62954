//! That the calls are all there are.

use std::collections::BTreeSet;

use datagouv_contract::CALLS;
use datagouv_specs::Api;
use serde_json::Value;

/// API, `operationId`, method and path.
type Listed = BTreeSet<(&'static str, String, String, String)>;

/// What the vendored documents list, in the words of their servers.
fn vendored() -> Listed {
    let mut listed = Listed::new();
    for api in Api::ALL {
        let document: Value = serde_json::from_str(api.document_text()).expect("a document of JSON");
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("a path item") {
                if method != "parameters" {
                    let id = operation["operationId"].as_str().expect("an operationId");
                    let inserted =
                        listed.insert((api.name(), id.to_owned(), method.to_ascii_uppercase(), path.clone()));
                    assert!(inserted, "{api} has {id} twice");
                }
            }
        }
    }
    listed
}

#[test]
fn every_operation_of_the_vendored_documents_is_called() {
    let listed: BTreeSet<(&str, String)> = vendored().into_iter().map(|(api, id, ..)| (api, id)).collect();
    let called: BTreeSet<(&str, String)> =
        CALLS.iter().map(|call| (call.api.name(), call.operation_id.to_owned())).collect();
    assert_eq!(called, listed);
    assert_eq!((CALLS.len(), listed.len()), (294, 294), "a document was refreshed: 247 + 36 + 8 + 3 no longer holds");
}

#[test]
fn the_clients_list_the_operations_of_the_documents() {
    let lists = [
        (Api::Main, datagouv::main::OPERATIONS),
        (Api::MainV2, datagouv::main_v2::OPERATIONS),
        (Api::Tabular, datagouv::tabular::OPERATIONS),
        (Api::Metrics, datagouv::metrics::OPERATIONS),
    ];
    let mut listed = Listed::new();
    let mut names = BTreeSet::new();
    for (api, operations) in lists {
        for operation in operations {
            names.insert((api.name(), operation.operation_id, operation.name));
            let entry = (operation.operation_id.to_owned(), operation.method.to_owned(), operation.path.to_owned());
            assert!(listed.insert((api.name(), entry.0, entry.1, entry.2)), "{api} lists {operation:?} twice");
        }
    }
    assert_eq!(listed, vendored());
    let called: BTreeSet<_> = CALLS.iter().map(|call| (call.api.name(), call.operation_id, call.name)).collect();
    assert_eq!(names, called);
}
