//! Documents that differ from small ones in a few places, for `convert`, `diff` and `validate`.
//!
//! A case is made of its seed and its number alone, so that one can be made again.

use serde_json::{Map, Value, json};

/// A small document of Swagger 2.0.
pub const SWAGGER_2: &str = r##"{"swagger":"2.0","info":{"title":"t","version":"1"},"basePath":"/api","consumes":["application/json"],"produces":["application/json"],"paths":{"/a/{b}/":{"parameters":[{"name":"b","in":"path","type":"string","required":true}],"get":{"operationId":"a","parameters":[{"name":"q","in":"query","type":"array","items":{"type":"string"},"collectionFormat":"multi"}],"responses":{"200":{"description":"d","schema":{"$ref":"#/definitions/A"}}}},"post":{"parameters":[{"name":"payload","in":"body","schema":{"$ref":"#/definitions/A"}}],"responses":{"default":{"description":"d","headers":{"x":{"type":"integer"}}}}},"put":{"consumes":["multipart/form-data"],"parameters":[{"name":"file","in":"formData","type":"file"}],"responses":{"204":{"description":"d"}}}}},"definitions":{"A":{"type":"object","properties":{"x":{"type":"string","x-nullable":true,"enum":["a"]},"self":{"$ref":"#/definitions/A"}},"required":["x"]}},"securityDefinitions":{"apikey":{"type":"apiKey","in":"header","name":"X-API-KEY"}}}"##;
/// A small document of OpenAPI 3.0.
pub const OPENAPI_30: &str = r##"{"openapi":"3.0.3","info":{"title":"t","version":"1"},"servers":[{"url":"https://x/{v}","variables":{"v":{"default":"1","enum":["1","2"]}}}],"tags":[{"name":"t"}],"security":[{"key":[]}],"paths":{"/a/{b}":{"parameters":[{"$ref":"#/components/parameters/B"}],"get":{"operationId":"a","tags":["t"],"deprecated":true,"x-sunset":"2030-01-01","x-stability-level":"beta","parameters":[{"name":"q","in":"query","style":"form","explode":false,"schema":{"type":"array","items":{"type":"string","format":"date"},"maxItems":3}}],"responses":{"200":{"description":"d","headers":{"X-N":{"required":true,"schema":{"type":"integer","minimum":0,"exclusiveMinimum":true}}},"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"},"examples":{"e":{"value":{"x":"a"}}}}},"links":{"l":{"operationId":"a","parameters":{"b":"$response.body#/x"}}}},"4XX":{"$ref":"#/components/responses/E"}}},"post":{"requestBody":{"required":true,"content":{"multipart/form-data":{"schema":{"type":"object","properties":{"file":{"type":"string","format":"binary"},"m":{"type":"array","items":{"type":"integer"}}}},"encoding":{"m":{"contentType":"text/plain"}}}}},"callbacks":{"c":{"{$request.body#/u}":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"string"}}}},"responses":{"204":{"description":"d"}}}}}},"responses":{"default":{"description":"d"}}}}},"components":{"securitySchemes":{"key":{"type":"apiKey","in":"header","name":"X-API-KEY"},"o":{"type":"oauth2","flows":{"implicit":{"authorizationUrl":"https://x/","scopes":{"s":"d"}}}}},"parameters":{"B":{"name":"b","in":"path","required":true,"schema":{"type":"string","pattern":"^a"}}},"responses":{"E":{"description":"d","content":{"application/problem+json":{"schema":{"type":"object"}}}}},"schemas":{"A":{"type":"object","required":["x"],"properties":{"x":{"type":"string","nullable":true,"enum":["a","b",null]},"self":{"$ref":"#/components/schemas/A"},"u":{"oneOf":[{"$ref":"#/components/schemas/B"},{"type":"integer","format":"int32"}]},"n":{"type":"number","maximum":5,"multipleOf":0.5,"default":1,"readOnly":true}},"additionalProperties":{"type":"string"}},"B":{"allOf":[{"$ref":"#/components/schemas/A"},{"type":"object","properties":{"kind":{"type":"string"}},"minProperties":1}],"discriminator":{"propertyName":"kind","mapping":{"b":"#/components/schemas/B"}},"not":{"type":"array"}}}}}"##;
/// A small document of OpenAPI 3.1.
pub const OPENAPI_31: &str = r##"{"openapi":"3.1.0","info":{"title":"t","version":"1","license":{"name":"l","identifier":"MIT"}},"jsonSchemaDialect":"https://spec.openapis.org/oas/3.1/dialect/base","webhooks":{"w":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}},"responses":{"200":{"description":"d"}}}}},"paths":{"/a/{b}":{"$ref":"#/components/pathItems/P"}},"components":{"pathItems":{"P":{"get":{"operationId":"a","parameters":[{"name":"b","in":"path","required":true,"schema":{"type":["integer","string"]}},{"name":"f","in":"query","content":{"application/json":{"schema":{"const":"x"}}}}],"responses":{"200":{"description":"d","content":{"application/json":{"schema":{"$ref":"#/components/schemas/A","description":"beside"}}}}}},"put":{"requestBody":{"content":{"application/octet-stream":{},"application/json":{"schema":true}}},"responses":{"204":{"description":"d"}}}}},"schemas":{"A":{"type":["object","null"],"$defs":{"D":{"type":"string","contentMediaType":"image/png","contentEncoding":"base64"}},"properties":{"d":{"$ref":"#/components/schemas/A/$defs/D"},"self":{"$ref":"#/components/schemas/A"},"p":{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"items":false,"contains":{"const":1},"minContains":1},"n":{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":10,"examples":[1]},"e":{"enum":["a",null,1]},"c":{"anyOf":[{"type":"null"},{"type":"string","format":"uuid"}]}},"if":{"properties":{"e":{"const":"a"}}},"then":{"required":["n"]},"else":false,"dependentRequired":{"n":["e"]},"dependentSchemas":{"p":{"minProperties":2}},"patternProperties":{"^x":{"type":"boolean"}},"propertyNames":{"maxLength":5},"unevaluatedProperties":false}}}}"##;

/// Keywords that none of the documents has.
const KEYWORDS: [&str; 16] = [
    "$anchor",
    "$dynamicRef",
    "$id",
    "allOf",
    "anyOf",
    "additionalItems",
    "allowEmptyValue",
    "collectionFormat",
    "deprecated",
    "example",
    "externalDocs",
    "minLength",
    "uniqueItems",
    "writeOnly",
    "x-example",
    "xml",
];

/// What the cases are made of.
pub struct Mutator {
    texts: [&'static str; 3],
    documents: Vec<Value>,
    keys: Vec<String>,
    references: Vec<String>,
}

impl Default for Mutator {
    fn default() -> Self {
        let texts = [SWAGGER_2, OPENAPI_30, OPENAPI_31];
        let documents: Vec<Value> =
            texts.iter().map(|text| serde_json::from_str(text).expect("the documents are JSON")).collect();
        let mut keys: Vec<String> = KEYWORDS.map(str::to_owned).to_vec();
        let mut references = vec!["#".to_owned(), "#/".to_owned(), "other.json#/a".to_owned(), "#/%zz/~9".to_owned()];
        for document in &documents {
            for pointer in pointers(document) {
                let key = pointer.rsplit('/').next().unwrap_or_default();
                if key.parse::<u8>().is_err() {
                    keys.push(key.replace("~1", "/"));
                }
                references.push(format!("#{pointer}"));
            }
        }
        keys.sort();
        keys.dedup();
        Self { texts, documents, keys, references }
    }
}

impl Mutator {
    /// A document; with `is_pair`, the one that it was, a zero, and what became of it.
    pub fn case(&self, seed: u64, number: u64, is_pair: bool) -> Vec<u8> {
        let mut random = Random(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let at = random.below(self.documents.len());
        let mut document = self.documents[at].clone();
        let mut old = None;
        for round in 0..=random.below(6) {
            // Some of the older documents have faults too.
            if round == 1 && random.below(2) == 0 {
                old = Some(document.to_string().into_bytes());
            }
            self.mutate(&mut document, &mut random);
        }
        let mut bytes = document.to_string().into_bytes();
        if random.below(12) == 0 {
            bytes = self.texts[at].as_bytes().to_vec();
            for _ in 0..=random.below(4) {
                mutate_bytes(&mut bytes, &mut random);
            }
        }
        if is_pair {
            let mut pair = old.unwrap_or_else(|| self.texts[at].as_bytes().to_vec());
            pair.push(0);
            pair.append(&mut bytes);
            return pair;
        }
        bytes
    }

    fn mutate(&self, document: &mut Value, random: &mut Random) {
        let pointers = pointers(document);
        let there = |document: &Value, random: &mut Random| {
            let value = document.pointer(&pointers[random.below(pointers.len())]);
            value.cloned().unwrap_or_default()
        };
        let pointer = &pointers[random.below(pointers.len())];
        let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
        match random.below(9) {
            0 => match document.pointer_mut(parent) {
                Some(Value::Object(members)) => {
                    members.remove(&key.replace("~1", "/"));
                }
                Some(Value::Array(items)) => {
                    items.pop();
                }
                _ => {}
            },
            1 => {
                let key = random.of(&self.keys).clone();
                let value = if random.below(2) == 0 { there(document, random) } else { self.value(random) };
                match document.pointer_mut(pointer) {
                    Some(Value::Object(members)) => {
                        members.insert(key, value);
                    }
                    Some(Value::Array(items)) => items.push(value),
                    _ => {}
                }
            }
            2 => {
                let new = random.of(&self.keys).clone();
                if let Some(Value::Object(members)) = document.pointer_mut(parent)
                    && let Some(value) = members.remove(&key.replace("~1", "/"))
                {
                    members.insert(new, value);
                }
            }
            3 => {
                let value = there(document, random);
                replace(document, pointer, |_| value);
            }
            4 => {
                let other = random.of(&self.documents);
                let others = self::pointers(other);
                let value = other.pointer(random.of::<String>(&others)).cloned().unwrap_or_default();
                replace(document, pointer, |_| value);
            }
            5 => {
                let around = ["allOf", "oneOf", "anyOf", "prefixItems"][random.below(4)];
                replace(document, pointer, |value| json!({ around: [value] }));
            }
            6 => {
                let around = ["not", "items", "schema", "additionalProperties", "if", "$defs"][random.below(6)];
                replace(document, pointer, |value| json!({ around: value }));
            }
            7 => {
                let reference = random.of(&self.references).clone();
                replace(document, pointer, |_| json!({ "$ref": reference }));
            }
            _ => {
                let value = self.value(random);
                replace(document, pointer, |_| value);
            }
        }
    }

    fn value(&self, random: &mut Random) -> Value {
        match random.below(18) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(false),
            3 => json!(0),
            4 => json!(-1),
            5 => json!(u64::MAX),
            6 => json!(1e308),
            7 => json!(0.1),
            8 => json!(""),
            9 => json!([]),
            10 => json!({}),
            11 => json!([null]),
            12 => json!("\u{0}\u{1b}\u{202e}`é~1/%7B{}"),
            13 => json!(["3.0.3", "3.1.0", "2.0", "3.2.0"][random.below(4)]),
            14 => json!(["object", "array", "string", "integer", "number", "boolean", "null", "file"][random.below(8)]),
            15 => json!(random.of(&self.references)),
            16 => (0..40 + random.below(60)).fold(json!({}), |inner, _| json!({ "items": inner })),
            _ => json!(random.of(&self.keys)),
        }
    }
}

fn replace(document: &mut Value, pointer: &str, with: impl FnOnce(Value) -> Value) {
    if let Some(value) = document.pointer_mut(pointer) {
        *value = with(value.take());
    }
}

fn mutate_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len().max(1));
    let end = (at + random.below(20)).min(bytes.len());
    match random.below(5) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at.min(end)..end)),
        3 if at <= bytes.len() => bytes.insert(at, *random.of(b"{}[]\",:&*!|> \n0")),
        _ => {
            let copy = bytes[at.min(end)..end].to_vec();
            let to = random.below(bytes.len().max(1)).min(bytes.len());
            bytes.splice(to..to, copy);
        }
    }
}

/// The pointers of all values.
fn pointers(document: &Value) -> Vec<String> {
    fn walk(value: &Value, pointer: &str, output: &mut Vec<String>) {
        output.push(pointer.to_owned());
        let empty = Map::new();
        for (key, value) in value.as_object().unwrap_or(&empty) {
            walk(value, &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")), output);
        }
        for (index, value) in value.as_array().into_iter().flatten().enumerate() {
            walk(value, &format!("{pointer}/{index}"), output);
        }
    }
    let mut output = Vec::new();
    walk(document, "", &mut output);
    output
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}
