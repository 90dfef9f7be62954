//! The JSON Schemas of the generated types, built from a line for each property.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};

/// The function that returns the schema of a property or a variant.
type SchemaFn = fn(&mut SchemaGenerator) -> Schema;

/// When a property is required.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Required {
    Always,
    /// When serialized. When deserialized, the default replaces it.
    Serialized,
    Never,
}

pub(crate) const ALWAYS: Required = Required::Always;
pub(crate) const SERIALIZED: Required = Required::Serialized;
pub(crate) const NEVER: Required = Required::Never;

/// A property: its name, its description, when it is required, its schema.
pub(crate) type Property = (&'static str, &'static str, Required, SchemaFn);

/// Returns the schema of a type, as a reference.
pub(crate) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Returns the schema of a type, with its default.
pub(crate) fn with_default<T: JsonSchema + Default + Serialize>(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = of::<T>(generator);
    if let Ok(default) = serde_json::to_value(T::default()) {
        schema.insert("default".to_owned(), default);
    }
    schema
}

/// Returns the schema of an object; `others` is the map of additional properties, if it has one.
pub(crate) fn structure(
    generator: &mut SchemaGenerator,
    description: &str,
    properties: &[Property],
    others: Option<SchemaFn>,
) -> Schema {
    let serializes = generator.contract().is_serialize();
    let (mut described, mut required) = (Map::new(), Vec::new());
    for (name, description, when, schema_of) in properties {
        let mut schema = schema_of(generator);
        describe(&mut schema, description);
        described.insert((*name).to_owned(), schema.to_value());
        if *when == Required::Always || (*when == Required::Serialized && serializes) {
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

/// Returns the schema of a union: its variants by name, or any other value.
pub(crate) fn union(generator: &mut SchemaGenerator, description: &str, variants: &[(&str, SchemaFn)]) -> Schema {
    let mut variant = |name: &str, schema_of: SchemaFn| {
        let mut schema = schema_of(generator);
        if generator.settings().untagged_enum_variant_titles {
            schema.insert("title".to_owned(), name.into());
        }
        schema
    };
    let mut schemas: Vec<Value> =
        variants.iter().map(|(name, schema_of)| variant(name, *schema_of).to_value()).collect();
    let mut other = variant("Other", of::<Value>);
    describe(&mut other, "What the document does not say.");
    schemas.push(other.to_value());
    let mut schema = schemars::json_schema!({ "anyOf": schemas });
    describe(&mut schema, description);
    schema
}

/// Returns the schema of an open enum.
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

    /// An object of responses.
    #[derive(Default, Serialize, JsonSchema)]
    #[schemars(default)]
    struct Derived {
        /// Its name.
        name: String,
        within: Option<Box<Derived>>,
        #[serde(rename = "type")]
        kind: Vec<i64>,
        #[serde(flatten)]
        others: BTreeMap<String, bool>,
    }

    like!(ByHand like Derived, |generator| structure(
        generator,
        "An object of responses.",
        &[
            ("name", "Its name.", SERIALIZED, with_default::<String>),
            ("within", "", SERIALIZED, with_default::<Option<Box<Derived>>>),
            ("type", "", SERIALIZED, with_default::<Vec<i64>>),
        ],
        Some(of::<BTreeMap<String, bool>>),
    ));

    #[derive(Serialize, JsonSchema)]
    struct Request {
        name: String,
        parent: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        derived: Option<Derived>,
        /// Null empties it.
        #[serde(default, skip_serializing_if = "Field::is_absent")]
        note: Field<String>,
    }

    like!(Change like Request, |generator| structure(
        generator,
        "",
        &[
            ("name", "", ALWAYS, of::<String>),
            ("parent", "", SERIALIZED, of::<Option<String>>),
            ("derived", "", NEVER, of::<Option<Derived>>),
            ("note", "Null empties it.", NEVER, of::<Field<String>>),
        ],
        None,
    ));

    /// By its name, or whole.
    #[derive(Serialize, JsonSchema)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Either {
        Name(String),
        Whole(Box<Derived>),
        /// What the document does not say.
        Other(Value),
    }

    like!(Union like Either, |generator| union(
        generator,
        "By its name, or whole.",
        &[("Name", of::<String>), ("Whole", of::<Box<Derived>>)],
    ));

    #[derive(Serialize, JsonSchema)]
    struct NoFields {}

    like!(Empty like NoFields, |generator| structure(generator, "", &[], None));

    #[test]
    fn the_schemas_equal_those_that_schemars_derives() {
        let titled = SchemaSettings::openapi3().with(|settings| settings.untagged_enum_variant_titles = true);
        let settings = SchemaSettings::draft2020_12();
        for settings in [settings.clone().for_serialize(), settings.for_deserialize(), titled] {
            fn schema<T: JsonSchema>(settings: &SchemaSettings) -> String {
                serde_json::to_string(&settings.clone().into_generator().into_root_schema_for::<T>()).unwrap()
            }
            assert_eq!(schema::<ByHand>(&settings), schema::<Derived>(&settings));
            assert_eq!(schema::<Change>(&settings), schema::<Request>(&settings));
            assert_eq!(schema::<Union>(&settings), schema::<Either>(&settings));
            assert_eq!(schema::<Empty>(&settings), schema::<NoFields>(&settings));
        }
    }
}
