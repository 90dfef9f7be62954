//! Writes the seeds of the targets: recorded responses, and the documents.

use std::error::Error;
use std::fs;
use std::path::Path;

use datagouv_fuzz::RESPONSES;
use datagouv_fuzz::mutate::SWAGGER_2;
use datagouv_specs::Api;
use serde_json::Value;

/// The operations whose responses have the types of [`RESPONSES`], in that order.
const OPERATIONS: [&str; 10] = [
    "get_site",
    "list_posts",
    "list_notifications",
    "list_organizations",
    "list_reuses",
    "preview_harvest_source",
    "list_datasets",
    "list_dataservices",
    "list_discussions",
    "request_transfer",
];

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("corpus");
    for folder in ["responses", "errors", "filters", "convert", "overlay", "diff", "validate", "exports"] {
        fs::create_dir_all(corpus.join(folder))?;
    }
    for entry in fs::read_dir(here.join("../tests/fixtures/main"))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let exchange: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let status = exchange["status"].as_u64().unwrap_or_default();
        let body = exchange["body"].to_string().into_bytes();
        if status >= 400 {
            let first = u8::try_from(status - 400).unwrap_or_default();
            fs::write(corpus.join("errors").join(name), [&[first], &b"120\n"[..], &body].concat())?;
        } else if let Some(at) = OPERATIONS.iter().position(|id| exchange["operation_id"] == *id) {
            fs::write(corpus.join("responses").join(name), [&[u8::try_from(at)?], &body[..]].concat())?;
        }
    }
    for (at, (name, _)) in RESPONSES.iter().enumerate() {
        fs::write(corpus.join("responses").join(name), [&[u8::try_from(at)?], &b"{}"[..]].concat())?;
    }
    fs::write(corpus.join("filters/columns"), "score__greater\n0.9\na b#c__exact\nx&y=z%41+\u{e9}\ndep__isnull\n\n")?;
    let records = "1,\"a \"\"b\"\", c\",-5,1.5e3,t,2024-02-29,2024-02-29 12:00:00.5,2024-02-29 12:00:00.5+00,\"{\"\"a\"\": [1]}\"\n2,,,,,,,,\n";
    fs::write(corpus.join("exports/records"), [&[63, 255], records.as_bytes()].concat())?;
    fs::write(corpus.join("exports/texts"), b"\x07\x011,\"a\r\nb\"\r\n2,\"\"\n3,\xc3\xa9")?;
    for api in Api::ALL {
        fs::write(corpus.join("convert").join(api.name()), api.document_text())?;
        let overlays = fs::read_dir(here.join("../specs").join(api.name()))?;
        for overlay in overlays.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "yaml")) {
            let name = format!("{}-{}", api.name(), overlay.file_name().to_string_lossy());
            fs::copy(overlay.path(), corpus.join("overlay").join(name))?;
        }
    }
    let action = "overlay: 1.0.0\ninfo: {title: t, version: '1'}\nactions:\n- target: $.paths.*.get.parameters[?@.name=='q']\n  description: d\n  update: {required: true}\n";
    fs::write(corpus.join("overlay/small"), action)?;
    fs::write(corpus.join("convert/small"), SWAGGER_2)?;
    let everything = fs::read(here.join("../xtask/tests/diff/everything.json"))?;
    fs::write(corpus.join("diff/everything"), [&everything[..], b"\0", &everything].concat())?;
    let newer = fs::read(here.join("../xtask/tests/diff/everything-31.json"))?;
    fs::write(corpus.join("diff/everything-31"), [&newer[..], b"\0", &newer].concat())?;
    fs::write(corpus.join("convert/everything-31"), &newer)?;
    for (name, bytes) in [("small", SWAGGER_2.as_bytes()), ("everything", &everything), ("everything-31", &newer)] {
        fs::write(corpus.join("validate").join(name), bytes)?;
    }
    fs::write(
        corpus.join("diff/small"),
        [SWAGGER_2.as_bytes(), b"\0", SWAGGER_2.replace("integer", "number").as_bytes()].concat(),
    )?;
    Ok(())
}
