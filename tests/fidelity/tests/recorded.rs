//! The answers of the real server, recorded in `tests/fixtures`.

use std::path::Path;

#[test]
fn no_recorded_value_is_lost_or_changed() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let report = datagouv_fidelity::report(&fixtures).unwrap();
    let losses: Vec<String> = report
        .losses
        .iter()
        .map(|loss| format!("{}: {}: {}", loss.file.display(), loss.pointer, loss.reason))
        .collect();
    assert!(losses.is_empty(), "{} losses:\n{}", losses.len(), losses.join("\n"));
    // Fewer would mean that the fixtures went, not that all is well.
    assert!(report.bodies > 500, "only {} bodies", report.bodies);
}

#[test]
fn a_value_that_no_type_has_is_a_loss() {
    let folder = std::env::temp_dir().join(format!("datagouv-fidelity-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let exchange = r#"{"api": "main", "operation_id": "list_frequencies", "method": "GET", "path": "/", "status": 200,
        "content_type": "application/json", "body": [{"id": "daily", "label": "Daily", "surprise": {"x": 1}, "nothing": null}]}"#;
    std::fs::write(folder.join("exchange.json"), exchange).unwrap();
    let report = datagouv_fidelity::report(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let pointers: Vec<&str> = report.losses.iter().map(|loss| loss.pointer.as_str()).collect();
    assert_eq!(pointers, ["/0/surprise"]);
    assert_eq!(report.leaves, 3);
}
