//! The JSON Schemas of the generated types, each said by a line for each property.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};

/// The schema of what a property or a variant holds.
type Held = fn(&mut SchemaGenerator) -> Schema;

/// When a property is required.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Required {
    Always,
    /// Where it is written: where it is read, the default takes its place.
    Written,
    Never,
}

pub(crate) const ALWAYS: Required = Required::Always;
pub(crate) const WRITTEN: Required = Required::Written;
pub(crate) const NEVER: Required = Required::Never;

/// A property: its name, its description, when it is required, what it holds.
pub(crate) type Property = (&'static str, &'static str, Required, Held);

/// What a type holds, as a type of its own.
pub(crate) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The same, with what stands where nothing is.
pub(crate) fn with_default<T: JsonSchema + Default + Serialize>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = of::<T>(generator);
    if let Ok(default) = serde_json::to_value(T::default()) {
        schema.insert("default".to_owned(), default);
    }
    schema
}

/// A structure; `others` is the map of the properties that the document does not name, where there is one.
pub(crate) fn structure(
    generator: &mut SchemaGenerator,
    description: &str,
    properties: &[Property],
    others: Option<Held>,
) -> Schema {
    let written = generator.contract().is_serialize();
    let (mut described, mut required) = (Map::new(), Vec::new());
    for (name, description, when, held) in properties {
        let mut schema = held(generator);
        describe(&mut schema, description);
        described.insert((*name).to_owned(), schema.to_value());
        if *when == Required::Always || (*when == Required::Written && written) {
            required.push(Value::from(*name));
        }
    }
    let mut schema = schemars::json_schema!({ "type": "object" });
    if !described.is_empty() {
        schema.insert("properties".to_owned(), described.into());
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    if let Some(values) = others.and_then(|others| others(generator).remove("additionalProperties")) {
        schema.insert("additionalProperties".to_owned(), values);
    }
    describe(&mut schema, description);
    schema
}

/// One of several types, by the names of the variants, or anything else.
pub(crate) fn union(generator: &mut SchemaGenerator, description: &str, variants: &[(&str, Held)]) -> Schema {
    let mut variant = |name: &str, held: Held| {
        let mut schema = held(generator);
        if generator.settings().untagged_enum_variant_titles {
            schema.insert("title".to_owned(), name.into());
        }
        schema
    };
    let mut schemas: Vec<Value> = variants.iter().map(|(name, held)| variant(name, *held).to_value()).collect();
    let mut other = variant("Other", of::<Value>);
    describe(&mut other, "What the document does not say.");
    schemas.push(other.to_value());
    let mut schema = schemars::json_schema!({ "anyOf": schemas });
    describe(&mut schema, description);
    schema
}

/// A text out of a list that may grow.
pub(crate) fn open_enum(values: &[&str]) -> Schema {
    schemars::json_schema!({ "type": "string", "examples": values })
}

fn describe(schema: &mut Schema, description: &str) {
    if !description.is_empty() {
        schema.insert("description".to_owned(), description.into());
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeMap;

    use schemars::generate::SchemaSettings;

    use super::*;
    use crate::Field;

    macro_rules! like {
        ($name:ident like $derived:ident, $schema:expr) => {
            struct $name;

            impl JsonSchema for $name {
                fn schema_name() -> Cow<'static, str> {
                    $derived::schema_name()
                }

                fn schema_id() -> Cow<'static, str> {
                    $derived::schema_id()
                }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    let schema: fn(&mut SchemaGenerator) -> Schema = $schema;
                    schema(generator)
                }
            }
        };
    }

    /// What a place is.
    #[derive(Default, Serialize, JsonSchema)]
    #[schemars(default)]
    struct Answer {
        /// How it is called.
        name: String,
        within: Option<Box<Answer>>,
        #[serde(rename = "type")]
        kind: Vec<i64>,
        #[serde(flatten)]
        others: BTreeMap<String, bool>,
    }

    like!(Place like Answer, |generator| structure(
        generator,
        "What a place is.",
        &[
            ("name", "How it is called.", WRITTEN, with_default::<String>),
            ("within", "", WRITTEN, with_default::<Option<Box<Answer>>>),
            ("type", "", WRITTEN, with_default::<Vec<i64>>),
        ],
        Some(of::<BTreeMap<String, bool>>),
    ));

    #[derive(Serialize, JsonSchema)]
    struct Request {
        name: String,
        parent: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<Answer>,
        /// Empty it by null.
        #[serde(default, skip_serializing_if = "Field::is_absent")]
        note: Field<String>,
    }

    like!(Change like Request, |generator| structure(
        generator,
        "",
        &[
            ("name", "", ALWAYS, of::<String>),
            ("parent", "", WRITTEN, of::<Option<String>>),
            ("answer", "", NEVER, of::<Option<Answer>>),
            ("note", "Empty it by null.", NEVER, of::<Field<String>>),
        ],
        None,
    ));

    /// By its name, or whole.
    #[derive(Serialize, JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Either {
        Name(String),
        Answer(Box<Answer>),
        /// What the document does not say.
        Other(Value),
    }

    like!(Union like Either, |generator| union(
        generator,
        "By its name, or whole.",
        &[("Name", of::<String>), ("Answer", of::<Box<Answer>>)],
    ));

    #[derive(Serialize, JsonSchema)]
    struct Nothing {}

    like!(Empty like Nothing, |generator| structure(generator, "", &[], None));

    #[test]
    fn what_lines_say_is_what_would_be_derived() {
        let titled = SchemaSettings::openapi3().with(|settings| settings.untagged_enum_variant_titles = true);
        let settings = SchemaSettings::draft2020_12();
        for settings in [settings.clone().for_serialize(), settings.for_deserialize(), titled] {
            fn schema<T: JsonSchema>(settings: &SchemaSettings) -> String {
                serde_json::to_string(&settings.clone().into_generator().into_root_schema_for::<T>()).unwrap()
            }
            assert_eq!(schema::<Place>(&settings), schema::<Answer>(&settings));
            assert_eq!(schema::<Change>(&settings), schema::<Request>(&settings));
            assert_eq!(schema::<Union>(&settings), schema::<Either>(&settings));
            assert_eq!(schema::<Empty>(&settings), schema::<Nothing>(&settings));
        }
    }
}
