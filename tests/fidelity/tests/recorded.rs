//! The responses of the real server, recorded in `tests/fixtures`.

use std::path::{Path, PathBuf};

use datagouv_fidelity::{report, report_of_changed};
use serde_json::{Map, Value, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

#[test]
fn keeps_every_recorded_value_with_and_without_unknown_properties() {
    for with_unknown in [false, true] {
        let report = report(&fixtures(), with_unknown).unwrap();
        let losses: Vec<String> = report
            .losses
            .iter()
            .map(|loss| format!("{}: {}: {}", loss.file.display(), loss.pointer, loss.reason))
            .collect();
        assert!(losses.is_empty(), "{} losses:\n{}", losses.len(), losses.join("\n"));
        // Fewer would mean that fixtures are missing.
        assert!(report.bodies > 500, "only {} bodies", report.bodies);
        assert_eq!(report.unknown.is_empty(), !with_unknown);
    }
}

#[test]
fn values_of_another_type_are_counted_and_a_body_of_another_type_is_a_loss() {
    let folder = std::env::temp_dir().join(format!("datagouv-fidelity-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let written = |name: &str, body: Value| {
        let exchange = json!({"api": "main", "operation_id": "list_frequencies", "status": 200, "body": body});
        std::fs::write(folder.join(name), exchange.to_string()).unwrap();
    };
    written("a.json", json!([{"id": 12, "label": "Daily", "surprise": {"x": 1}, "nothing": null}, "daily"]));
    written("b.json", json!("daily"));
    let report = report(&folder, false).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!((report.leaves, report.converted, report.losses.len()), (4, 1, 1));
    assert_eq!(report.unknown, [("Frequency.surprise".to_owned(), 1), ("Frequency.nothing".to_owned(), 0)].into());
    assert!(report.losses[0].file.ends_with("b.json"), "{:?}", report.losses);
}

/// Another value for a leaf: of any type, and some that resemble another type.
fn any_value(random: &mut fastrand::Rng) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-7),
        json!(12.0),
        json!(12.5),
        json!(1e300),
        json!(u64::MAX),
        json!("12"),
        json!("12.0"),
        json!("-0.5e3"),
        json!("NaN"),
        json!("true"),
        json!("False"),
        json!(""),
        json!("x y"),
        json!("2024-01-02T03:04:05"),
        json!([]),
        json!({}),
        json!([1, "a", null, [true], {"b": 2}]),
        json!({"id": 3, "class": "Dataset", "data": [{"title": []}], "total": "5"}),
    ];
    values[random.usize(..values.len())].clone()
}

/// The values in a value, with itself.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(object) => object.values().map(count).sum(),
        _ => 0,
    }
}

/// Changes the value of this number in a value.
fn change(value: &mut Value, number: &mut usize, random: &mut fastrand::Rng) {
    if *number == 0 {
        match value {
            Value::Object(object) if random.bool() => {
                object.insert(format!("added-{}", random.u8(..)), any_value(random));
            }
            Value::Object(object) if random.bool() => {
                let left: Map<String, Value> =
                    std::mem::take(object).into_iter().filter(|_| random.u8(..8) > 0).collect();
                *object = left;
            }
            Value::Array(items) if random.bool() => items.insert(random.usize(..=items.len()), any_value(random)),
            _ => *value = any_value(random),
        }
    }
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(object) => object.values_mut().collect(),
        _ => Vec::new(),
    };
    for value in inner {
        *number = number.wrapping_sub(1);
        if *number > usize::MAX / 2 {
            return;
        }
        change(value, number, random);
    }
}

#[test]
fn a_changed_response_is_decoded_without_loss() {
    let seed = std::env::var("DATAGOUV_SEED").ok().and_then(|seed| seed.parse().ok());
    let mut random = fastrand::Rng::with_seed(seed.unwrap_or_else(|| fastrand::u64(..)));
    let seed = random.get_seed();
    let (bodies, losses) = report_of_changed(&fixtures(), 8, |body| {
        let changes = 1 + random.usize(..4);
        for _ in 0..changes {
            // The top-level value keeps its type: a body of another type is an error.
            let values = count(body) - 1;
            if values > 0 {
                change(body, &mut (1 + random.usize(..values)), &mut random);
            }
        }
    })
    .unwrap();
    assert!(bodies > 4_000, "only {bodies} bodies");
    if let Some((loss, body)) = losses.first() {
        panic!("{} losses with the seed {seed}, the first: {loss:?} of {body}", losses.len());
    }
}
