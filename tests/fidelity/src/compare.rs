//! Compares a recorded body with its serialization.

use serde_json::{Number, Value};

/// The comparison of a body.
#[derive(Default)]
pub(crate) struct Comparison {
    pub leaves: usize,
    /// Leaves that were serialized in another form of the same meaning.
    pub converted: usize,
    /// What was lost or changed, by its pointer.
    pub losses: Vec<(String, String)>,
}

impl Comparison {
    pub(crate) fn compare(&mut self, came: &Value, back: Option<&Value>, pointer: &str) {
        match (came, back) {
            (came, None) if is_nothing(came) => {}
            (came, Some(back)) if is_nothing(came) && is_nothing(back) => {}
            (Value::Object(came), Some(Value::Object(back))) => {
                for (key, value) in came {
                    let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    self.compare(value, back.get(key), &pointer);
                }
            }
            (Value::Array(came), Some(Value::Array(back))) if came.len() == back.len() => {
                for (index, (came, back)) in came.iter().zip(back).enumerate() {
                    self.compare(came, Some(back), &format!("{pointer}/{index}"));
                }
            }
            (came, Some(back)) if came == back => self.leaves += 1,
            (came, Some(back)) if mean_the_same(came, back) => {
                self.leaves += 1;
                self.converted += 1;
            }
            (came, back) => {
                let back = back.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                let short = |text: String| text.chars().take(120).collect::<String>();
                self.losses.push((pointer.to_owned(), format!("{} became {}", short(came.to_string()), short(back))));
                self.leaves += 1;
            }
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

/// Whether two scalars of different forms mean the same.
fn mean_the_same(came: &Value, back: &Value) -> bool {
    match (came, back) {
        (Value::Number(came), Value::Number(back)) => are_equal(came, back),
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text)) => {
            text.parse().is_ok_and(|text: Number| are_equal(&text, number))
        }
        (Value::Bool(value), Value::String(text)) | (Value::String(text), Value::Bool(value)) => {
            *text == value.to_string()
        }
        (Value::Number(number), Value::Bool(value)) => number.as_u64() == Some(u64::from(*value)),
        _ => false,
    }
}

fn are_equal(one: &Number, other: &Number) -> bool {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one == other,
        _ => one.as_f64() == other.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equivalent_values_are_counted_and_no_loss() {
        for (came, back, converted) in [
            (json!("12"), json!(12), Some(1)),
            (json!(12.0), json!(12), Some(1)),
            (json!("0.50"), json!(0.5), Some(1)),
            (json!(12), json!("12"), Some(1)),
            (json!("true"), json!(true), Some(1)),
            (json!(1), json!(true), Some(1)),
            (json!(false), json!("false"), Some(1)),
            (json!("NaN"), json!("NaN"), Some(0)),
            (json!(null), json!([]), Some(0)),
            (json!("12"), json!(13), None),
            (json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), None),
            (json!("x"), json!(0), None),
            (json!(true), json!(1), None),
            (json!(0), json!(null), None),
            (json!(""), json!(null), None),
            (json!([1]), json!([1, 2]), None),
        ] {
            let mut comparison = Comparison::default();
            comparison.compare(&json!({"a": came}), Some(&json!({"a": back})), "");
            let found = comparison.losses.is_empty().then_some(comparison.converted);
            assert_eq!(found, converted, "{came} {back}");
        }
    }
}
