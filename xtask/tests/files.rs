//! Documents that refer to other files, as `convert`, `validate` and `diff` read them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

/// A folder of its own for a test, with a document in several files.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("datagouv-files-{}-{name}", std::process::id()));
        fs::create_dir_all(path.join("api/schemas")).unwrap();
        let folder = Self(path);
        folder.write("api/openapi.yaml", DOCUMENT);
        folder.write("api/paths.yaml", PATHS);
        folder.write("api/schemas/animal.json", &ANIMAL.replace("KIND", "string"));
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).current_dir(&self.0).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const DOCUMENT: &str = "
openapi: 3.0.3
info: {title: animals, version: '1'}
paths:
  /animals/{id}: {$ref: 'paths.yaml#/animal'}
components:
  schemas:
    Owner: {type: object, properties: {pets: {type: array, items: {$ref: 'schemas/animal.json'}}}}
";

const PATHS: &str = "
animal:
  get:
    parameters: [{$ref: '#/id'}]
    responses:
      '200':
        description: an animal
        content: {application/json: {schema: {$ref: './schemas/animal.json'}}}
id: {name: id, in: path, required: true, schema: {type: string}}
";

/// It contains itself, and refers back to the document.
const ANIMAL: &str = r##"{"type": "object", "properties": {
    "name": {"type": "KIND"}, "young": {"$ref": "#"}, "owner": {"$ref": "../openapi.yaml#/components/schemas/Owner"}
}, "example": {"$ref": "not a reference"}}"##;

#[test]
fn schemas_become_components_and_other_objects_take_the_place_of_their_reference() {
    let converted = Folder::new("convert").json(&["convert", "api/openapi.yaml"]);
    let get = &converted["paths"]["/animals/{id}"]["get"];
    assert_eq!(get["parameters"][0]["name"], "id");
    let animal = json!({"$ref": "#/components/schemas/animal"});
    assert_eq!(get["responses"]["200"]["content"]["application/json"]["schema"], animal);
    let schemas = &converted["components"]["schemas"];
    assert_eq!(schemas["Owner"]["properties"]["pets"]["items"], animal);
    assert_eq!(schemas["animal"]["properties"]["young"], animal);
    assert_eq!(schemas["animal"]["properties"]["owner"], json!({"$ref": "#/components/schemas/Owner"}));
    assert_eq!(schemas["animal"]["example"], json!({"$ref": "not a reference"}));
}

#[test]
fn what_changes_in_another_file_is_a_change_of_the_document() {
    let folder = Folder::new("diff");
    fs::create_dir_all(folder.0.join("new/schemas")).unwrap();
    folder.write("new/openapi.yaml", DOCUMENT);
    folder.write("new/paths.yaml", PATHS);
    folder.write("new/schemas/animal.json", &ANIMAL.replace("KIND", "integer"));
    let report = folder.json(&["diff", "api/openapi.yaml", "new/openapi.yaml", "--format", "json"]);
    assert_eq!(report["notes"], json!([]));
    let changes = report["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{report:#}");
    assert_eq!(changes[0]["id"], "response-type-changed");
    assert_eq!(changes[0]["location"], "/components/schemas/animal/properties/name");
}

#[test]
fn a_fault_is_told_with_its_file_and_where_it_stands_there() {
    let folder = Folder::new("faults");
    let faulty = PATHS.replace("schema: {type: string}", "schema: {type: string}, deprecated: 'true'");
    folder.write("api/paths.yaml", &faulty);
    let report = folder.json(&["validate", "api/openapi.yaml", "--format", "json"]);
    let findings = report["findings"].as_array().unwrap();
    let fault = findings.iter().find(|finding| finding["rule"] == "wrong-form").unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(fault["pointer"], "paths.yaml#/id/deprecated");
    assert_eq!((&fault["line"], &fault["column"]), (&json!(9), &json!(66)));
}

#[test]
fn what_is_not_there_or_not_in_the_folder_is_a_fault_at_its_reference() {
    let folder = Folder::new("missing");
    folder.write("secret.yaml", "type: string");
    for (reference, reason) in [
        ("schemas/none.json", "`schemas/none.json` cannot be read: "),
        ("schemas/animal.json#/none", "`schemas/animal.json` has nothing at `/none`"),
        ("../secret.yaml", "is outside of the folder of the document"),
        ("https://a.test/animal.json", "is a URL, and is not fetched"),
    ] {
        folder.write("api/openapi.yaml", &DOCUMENT.replace("'schemas/animal.json'", &format!("'{reference}'")));
        let report = folder.json(&["validate", "api/openapi.yaml", "--format", "json"]);
        let findings = report["findings"].as_array().unwrap().iter();
        let found: Vec<&Value> = findings.filter(|finding| finding["rule"] == "external-reference").collect();
        let [fault] = found.as_slice() else { panic!("{reference}: {report:#}") };
        assert_eq!(fault["pointer"], "/components/schemas/Owner/properties/pets/items/$ref");
        assert_eq!(fault["line"], 8);
        assert!(fault["text"].as_str().unwrap().contains(reason), "{fault}");
    }
    // A folder that is given has more.
    folder.write("api/openapi.yaml", &DOCUMENT.replace("schemas/animal.json", "../secret.yaml"));
    let report = folder.json(&["validate", "api/openapi.yaml", "--folder", ".", "--format", "json"]);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["rule"] != "external-reference"), "{report:#}");
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_the_folder() {
    let folder = Folder::new("link");
    folder.write("secret.yaml", "type: string");
    std::os::unix::fs::symlink(Path::new("../secret.yaml"), folder.0.join("api/link.yaml")).unwrap();
    folder.write("api/openapi.yaml", &DOCUMENT.replace("schemas/animal.json", "link.yaml"));
    let output = folder.run(&["convert", "api/openapi.yaml"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("`link.yaml` cannot be read: it is outside of the folder"), "{stderr}");
}

#[test]
fn objects_that_lead_back_to_themselves_end() {
    let folder = Folder::new("cycle");
    folder.write("api/paths.yaml", "animal: {$ref: 'more.yaml#/animal'}");
    folder.write("api/more.yaml", "animal: {$ref: 'paths.yaml#/animal'}");
    let output = folder.run(&["convert", "api/openapi.yaml"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("`paths.yaml#/animal` leads back to itself"), "{stderr}");
    assert_eq!(output.status.code(), Some(0));
}
