//! The rules: every kind of change that a diff of documents knows, with what it does to a client written against OLD.

use super::change::{Direction, Level};

/// A kind of change.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable, kebab-case.
    pub id: &'static str,
    /// What it does to a client written against OLD.
    pub level: Level,
    /// Which way what changes travels; none where that means nothing.
    pub direction: Option<Direction>,
    /// What it is, in a line.
    pub text: &'static str,
}

/// A kind of change of a schema: what a request may carry and what a response may bring are opposite.
#[derive(Debug)]
pub struct Pair {
    request: Rule,
    response: Rule,
}

impl Pair {
    /// The rule for a direction.
    pub fn on(&'static self, direction: Direction) -> &'static Rule {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }
}

/// Declares each rule as a static, and all of them as [`RULES`].
macro_rules! rules {
    (
        fixed { $($name:ident $id:literal $level:ident $direction:expr, $text:literal;)* }
        opposite { $($pair:ident $suffix:literal $request:ident $response:ident $both:literal;)* }
    ) => {
        $(
            #[doc = $text]
            pub static $name: Rule = Rule { id: $id, level: Level::$level, direction: $direction, text: $text };
        )*
        $(
            #[doc = $both]
            pub static $pair: Pair = Pair {
                request: Rule {
                    id: concat!("request-", $suffix),
                    level: Level::$request,
                    direction: Some(Direction::Request),
                    text: $both,
                },
                response: Rule {
                    id: concat!("response-", $suffix),
                    level: Level::$response,
                    direction: Some(Direction::Response),
                    text: $both,
                },
            };
        )*
        /// All rules, in the order in which documents are read.
        pub static RULES: &[&Rule] = &[$(&$name,)* $(&$pair.request, &$pair.response,)*];
    };
}

const NEITHER: Option<Direction> = None;
const REQUEST: Option<Direction> = Some(Direction::Request);
const RESPONSE: Option<Direction> = Some(Direction::Response);

rules! {
    fixed {
    PATH_ADDED "path-added" Info NEITHER, "An operation is new, and so is its path.";
    PATH_REMOVED "path-removed" Breaking NEITHER, "An operation is gone, and so is its path.";
    OPERATION_ADDED "operation-added" Info NEITHER, "An operation is new at a path that was there.";
    OPERATION_REMOVED "operation-removed" Breaking NEITHER, "An operation is gone from a path that is still there.";
    DEPRECATED_OPERATION_REMOVED "deprecated-operation-removed" Breaking NEITHER, "An operation that was deprecated is gone.";
    OPERATION_DEPRECATED "operation-deprecated" Warning NEITHER, "An operation is deprecated.";
    OPERATION_NO_LONGER_DEPRECATED "operation-no-longer-deprecated" Info NEITHER, "An operation is no longer deprecated.";
    SUNSET_ADDED "sunset-added" Warning NEITHER, "An operation has a date on which it goes (`x-sunset`).";
    SUNSET_EARLIER "sunset-earlier" Warning NEITHER, "An operation goes earlier than announced (`x-sunset`).";
    SUNSET_LATER "sunset-later" Info NEITHER, "An operation goes later than announced (`x-sunset`).";
    SUNSET_REMOVED "sunset-removed" Info NEITHER, "An operation has no longer a date on which it goes (`x-sunset`).";
    SUNSET_INVALID "sunset-invalid" Warning NEITHER, "What is announced to go has a date that is none (`x-sunset`).";
    STABILITY_INVALID "stability-invalid" Warning NEITHER, "What is promised is a stability that is none (`x-stability-level`).";
    LESS_STABLE "operation-less-stable" Warning NEITHER, "An operation is promised less stability (`x-stability-level`).";
    MORE_STABLE "operation-more-stable" Info NEITHER, "An operation is promised more stability (`x-stability-level`).";
    OPERATION_ID_ADDED "operation-id-added" Info NEITHER, "An operation has an `operationId`.";
    OPERATION_ID_CHANGED "operation-id-changed" Warning NEITHER, "The `operationId` changed: a generated client names its method by it.";
    OPERATION_ID_REMOVED "operation-id-removed" Warning NEITHER, "The `operationId` is gone: a generated client names its method by it.";
    OPERATION_TAGS_CHANGED "operation-tags-changed" Info NEITHER, "The tags of an operation changed, their order aside.";
    PATH_PARAMETER_RENAMED "path-parameter-renamed" Warning REQUEST, "A parameter in the path has another name: the URL is the same, a generated client's argument is not.";

    PARAMETER_ADDED "parameter-added" Info REQUEST, "An optional parameter is new.";
    REQUIRED_PARAMETER_ADDED "required-parameter-added" Breaking REQUEST, "A required parameter is new.";
    PARAMETER_REMOVED "parameter-removed" Warning REQUEST, "A parameter is gone: ignored or refused, as the server likes.";
    PARAMETER_BECAME_REQUIRED "parameter-became-required" Breaking REQUEST, "A parameter is now required.";
    PARAMETER_BECAME_OPTIONAL "parameter-became-optional" Info REQUEST, "A parameter is no longer required.";
    PARAMETER_MOVED "parameter-moved" Breaking REQUEST, "A parameter is in another place: query, header or cookie.";
    PARAMETER_STYLE_CHANGED "parameter-style-changed" Breaking REQUEST, "The `style` of a parameter changed.";
    PARAMETER_EXPLODE_CHANGED "parameter-explode-changed" Breaking REQUEST, "The `explode` of a list or an object in a parameter changed.";
    PARAMETER_EMPTY_ALLOWED "parameter-empty-value-allowed" Info REQUEST, "A parameter may be empty (`allowEmptyValue`).";
    PARAMETER_EMPTY_REFUSED "parameter-empty-value-refused" Breaking REQUEST, "A parameter may no longer be empty (`allowEmptyValue`).";
    PARAMETER_RESERVED_ALLOWED "parameter-reserved-allowed" Info REQUEST, "A parameter may have reserved characters as they are (`allowReserved`).";
    PARAMETER_RESERVED_REFUSED "parameter-reserved-refused" Breaking REQUEST, "A parameter may no longer have reserved characters as they are (`allowReserved`).";
    PARAMETER_CONTENT_CHANGED "parameter-content-changed" Breaking REQUEST, "A parameter is written in another media type (`content`).";
    PARAMETER_DEPRECATED "parameter-deprecated" Warning REQUEST, "A parameter is deprecated.";
    PARAMETER_NO_LONGER_DEPRECATED "parameter-no-longer-deprecated" Info REQUEST, "A parameter is no longer deprecated.";

    BODY_ADDED "request-body-added" Info REQUEST, "A request may have a body.";
    REQUIRED_BODY_ADDED "required-request-body-added" Breaking REQUEST, "A request must have a body.";
    BODY_REMOVED "request-body-removed" Breaking REQUEST, "A request has no longer a body.";
    BODY_BECAME_REQUIRED "request-body-became-required" Breaking REQUEST, "The body of a request is now required.";
    BODY_BECAME_OPTIONAL "request-body-became-optional" Info REQUEST, "The body of a request is no longer required.";
    REQUEST_MEDIA_TYPE_ADDED "request-media-type-added" Info REQUEST, "The body of a request may have another media type.";
    REQUEST_MEDIA_TYPE_REMOVED "request-media-type-removed" Breaking REQUEST, "The body of a request may no longer have a media type.";
    REQUEST_ENCODING_CHANGED "request-encoding-changed" Breaking REQUEST, "A field of a form is encoded otherwise.";

    SUCCESS_ADDED "response-success-added" Warning RESPONSE, "An operation may respond with another status below 400.";
    SUCCESS_REMOVED "response-success-removed" Breaking RESPONSE, "An operation no longer responds with a status below 400.";
    ERROR_ADDED "response-error-added" Info RESPONSE, "An operation may respond with another error.";
    ERROR_REMOVED "response-error-removed" Info RESPONSE, "An operation no longer responds with an error.";
    DEFAULT_RESPONSE_ADDED "default-response-added" Info RESPONSE, "There is a response for all other statuses (`default`).";
    DEFAULT_RESPONSE_REMOVED "default-response-removed" Warning RESPONSE, "There is no longer a response for all other statuses (`default`).";
    RESPONSE_BODY_ADDED "response-body-added" Info RESPONSE, "A response has a body.";
    RESPONSE_BODY_REMOVED "response-body-removed" Breaking RESPONSE, "A response has no longer a body.";
    RESPONSE_MEDIA_TYPE_ADDED "response-media-type-added" Warning RESPONSE, "A response may have another media type.";
    RESPONSE_MEDIA_TYPE_REMOVED "response-media-type-removed" Breaking RESPONSE, "A response no longer has a media type.";
    HEADER_ADDED "response-header-added" Info RESPONSE, "A response has another header.";
    HEADER_REMOVED "response-header-removed" Warning RESPONSE, "A header that a response could have is gone.";
    REQUIRED_HEADER_REMOVED "response-required-header-removed" Breaking RESPONSE, "A header that a response always had is gone.";
    HEADER_BECAME_REQUIRED "response-header-became-required" Info RESPONSE, "A response now always has a header.";
    HEADER_BECAME_OPTIONAL "response-header-became-optional" Breaking RESPONSE, "A response no longer always has a header.";
    CALLBACK_ADDED "callback-added" Info RESPONSE, "The server may call back.";
    LINK_ADDED "response-link-added" Info RESPONSE, "A response has another link to an operation.";
    LINK_REMOVED "response-link-removed" Warning RESPONSE, "A link of a response to an operation is gone.";
    WEBHOOK_ADDED "webhook-added" Info RESPONSE, "The server may call another webhook.";
    WEBHOOK_REMOVED "webhook-removed" Warning RESPONSE, "The server no longer calls a webhook.";
    CALLBACK_REMOVED "callback-removed" Warning RESPONSE, "The server no longer calls back.";

    SECURITY_REQUIRED "security-required" Breaking REQUEST, "An operation needs credentials, and did not.";
    SECURITY_NO_LONGER_REQUIRED "security-no-longer-required" Info REQUEST, "An operation needs no credentials any more.";
    SECURITY_ALTERNATIVE_ADDED "security-alternative-added" Info REQUEST, "An operation takes other credentials too.";
    SECURITY_ALTERNATIVE_REMOVED "security-alternative-removed" Breaking REQUEST, "An operation no longer takes some credentials.";
    SECURITY_SCOPE_ADDED "security-scope-added" Breaking REQUEST, "An operation needs another scope.";
    SECURITY_SCOPE_REMOVED "security-scope-removed" Info REQUEST, "An operation no longer needs a scope.";
    SCHEME_ADDED "security-scheme-added" Info NEITHER, "There is another security scheme.";
    SCHEME_REMOVED "security-scheme-removed" Warning NEITHER, "A security scheme is gone; what needed it says so too.";
    SCHEME_CHANGED "security-scheme-changed" Breaking NEITHER, "A security scheme is of another type, or its credentials travel elsewhere.";
    BEARER_FORMAT_CHANGED "security-bearer-format-changed" Info NEITHER, "The hint about the format of bearer tokens changed.";
    FLOW_ADDED "oauth-flow-added" Info NEITHER, "There is another flow of OAuth 2.";
    FLOW_REMOVED "oauth-flow-removed" Breaking NEITHER, "A flow of OAuth 2 is gone.";
    FLOW_URL_CHANGED "oauth-url-changed" Breaking NEITHER, "A URL of a flow of OAuth 2 changed.";
    SCOPE_ADDED "oauth-scope-added" Info NEITHER, "There is another scope of OAuth 2.";
    SCOPE_REMOVED "oauth-scope-removed" Breaking NEITHER, "A scope of OAuth 2 is gone.";

    SERVER_ADDED "server-added" Info NEITHER, "There is another server.";
    SERVER_REMOVED "server-removed" Breaking NEITHER, "A server is gone.";
    SERVER_SCHEME_CHANGED "server-scheme-changed" Warning NEITHER, "The scheme of a server changed (`http`, `https`).";
    SERVER_HOST_CHANGED "server-host-changed" Warning NEITHER, "The host of a server changed: another instance, or the same one moved.";
    SERVER_BASE_PATH_CHANGED "server-base-path-changed" Breaking NEITHER, "The base path of a server changed.";
    SERVER_VARIABLE_CHANGED "server-variable-changed" Warning NEITHER, "A variable of a server changed.";

    PROPERTY_REFUSED "request-property-refused" Breaking REQUEST, "A property is gone from an object that takes no others.";
    REQUIRED_PROPERTY_REMOVED "response-required-property-removed" Breaking RESPONSE, "A property that was always there is gone.";
    BECAME_READ_ONLY "request-property-became-read-only" Warning REQUEST, "A property can no longer be sent (`readOnly`).";
    NO_LONGER_READ_ONLY "request-property-no-longer-read-only" Info REQUEST, "A property can be sent (`readOnly` is gone).";
    BECAME_WRITE_ONLY "response-property-became-write-only" Breaking RESPONSE, "A property no longer comes back (`writeOnly`).";
    NO_LONGER_WRITE_ONLY "response-property-no-longer-write-only" Info RESPONSE, "A property comes back (`writeOnly` is gone).";

    }

    opposite {
    PROPERTY_ADDED "property-added" Info Info "An optional property is new.";
    REQUIRED_PROPERTY_ADDED "required-property-added" Breaking Info "A required property is new.";
    PROPERTY_REMOVED "property-removed" Warning Warning "A property that could be there is gone.";
    PROPERTY_BECAME_REQUIRED "property-became-required" Breaking Info "A property is now required.";
    PROPERTY_BECAME_OPTIONAL "property-became-optional" Info Breaking "A property is no longer required.";
    DEPRECATED "schema-deprecated" Warning Warning "What a schema describes is deprecated.";
    NO_LONGER_DEPRECATED "schema-no-longer-deprecated" Info Info "What a schema describes is no longer deprecated.";
    TYPE_CHANGED "type-changed" Breaking Breaking "The type is another one.";
    TYPE_WIDENED "type-widened" Info Breaking "Values of more types may come.";
    TYPE_NARROWED "type-narrowed" Breaking Info "Values of fewer types may come.";
    FORMAT_ADDED "format-added" Warning Info "Values have a format.";
    FORMAT_REMOVED "format-removed" Info Warning "Values have no format any more.";
    FORMAT_CHANGED "format-changed" Breaking Breaking "The format is another one.";
    FORMAT_WIDENED "format-widened" Info Breaking "The format has room for more (`int32` to `int64`, `float` to `double`).";
    FORMAT_NARROWED "format-narrowed" Breaking Info "The format has room for less (`int64` to `int32`, `double` to `float`).";
    BECAME_NULLABLE "became-nullable" Info Breaking "Null may come.";
    NO_LONGER_NULLABLE "no-longer-nullable" Breaking Info "Null may no longer come.";
    ENUM_ADDED "enum-added" Breaking Info "Only certain values may come.";
    ENUM_REMOVED "enum-removed" Info Warning "Not only certain values may come.";
    ENUM_VALUE_ADDED "enum-value-added" Info Warning "Another value may come.";
    ENUM_VALUE_REMOVED "enum-value-removed" Breaking Info "A value may no longer come.";
    CONST_ADDED "const-added" Breaking Info "Only one value may come.";
    CONST_REMOVED "const-removed" Info Warning "Not only one value may come.";
    CONST_CHANGED "const-changed" Breaking Breaking "The one value that may come is another one.";
    PATTERN_ADDED "pattern-added" Breaking Info "Values match a pattern.";
    PATTERN_REMOVED "pattern-removed" Info Warning "Values match no pattern any more.";
    PATTERN_CHANGED "pattern-changed" Warning Warning "The pattern is another one.";
    MINIMUM_ADDED "minimum-added" Breaking Info "Numbers have a minimum.";
    MINIMUM_REMOVED "minimum-removed" Info Warning "Numbers have no minimum any more.";
    MINIMUM_RAISED "minimum-raised" Breaking Info "The minimum of numbers is higher.";
    MINIMUM_LOWERED "minimum-lowered" Info Warning "The minimum of numbers is lower.";
    MINIMUM_EXCLUSIVE "minimum-became-exclusive" Breaking Info "The minimum itself may no longer come.";
    MINIMUM_INCLUSIVE "minimum-became-inclusive" Info Warning "The minimum itself may come.";
    MAXIMUM_ADDED "maximum-added" Breaking Info "Numbers have a maximum.";
    MAXIMUM_REMOVED "maximum-removed" Info Warning "Numbers have no maximum any more.";
    MAXIMUM_RAISED "maximum-raised" Info Warning "The maximum of numbers is higher.";
    MAXIMUM_LOWERED "maximum-lowered" Breaking Info "The maximum of numbers is lower.";
    MAXIMUM_EXCLUSIVE "maximum-became-exclusive" Breaking Info "The maximum itself may no longer come.";
    MAXIMUM_INCLUSIVE "maximum-became-inclusive" Info Warning "The maximum itself may come.";
    MULTIPLE_OF_ADDED "multiple-of-added" Breaking Info "Numbers are multiples.";
    MULTIPLE_OF_REMOVED "multiple-of-removed" Info Warning "Numbers are no longer multiples.";
    MULTIPLE_OF_LOOSENED "multiple-of-loosened" Info Warning "Numbers are multiples of a divisor of what they were multiples of.";
    MULTIPLE_OF_TIGHTENED "multiple-of-tightened" Breaking Info "Numbers are multiples of a multiple of what they were multiples of.";
    MULTIPLE_OF_CHANGED "multiple-of-changed" Breaking Warning "Numbers are multiples of something else.";
    MIN_LENGTH_RAISED "min-length-raised" Breaking Info "The least length of texts is higher.";
    MIN_LENGTH_LOWERED "min-length-lowered" Info Warning "The least length of texts is lower.";
    MAX_LENGTH_ADDED "max-length-added" Breaking Info "Texts have a greatest length.";
    MAX_LENGTH_REMOVED "max-length-removed" Info Warning "Texts have no greatest length any more.";
    MAX_LENGTH_RAISED "max-length-raised" Info Warning "The greatest length of texts is higher.";
    MAX_LENGTH_LOWERED "max-length-lowered" Breaking Info "The greatest length of texts is lower.";
    MIN_ITEMS_RAISED "min-items-raised" Breaking Info "Lists have more items at least.";
    MIN_ITEMS_LOWERED "min-items-lowered" Info Warning "Lists have fewer items at least.";
    MAX_ITEMS_ADDED "max-items-added" Breaking Info "Lists have a greatest number of items.";
    MAX_ITEMS_REMOVED "max-items-removed" Info Warning "Lists have no greatest number of items any more.";
    MAX_ITEMS_RAISED "max-items-raised" Info Warning "Lists have more items at most.";
    MAX_ITEMS_LOWERED "max-items-lowered" Breaking Info "Lists have fewer items at most.";
    UNIQUE_ITEMS_ADDED "unique-items-added" Breaking Info "The items of lists are distinct.";
    UNIQUE_ITEMS_REMOVED "unique-items-removed" Info Warning "The items of lists are no longer distinct.";
    MIN_PROPERTIES_RAISED "min-properties-raised" Breaking Info "Objects have more properties at least.";
    MIN_PROPERTIES_LOWERED "min-properties-lowered" Info Warning "Objects have fewer properties at least.";
    MAX_PROPERTIES_ADDED "max-properties-added" Breaking Info "Objects have a greatest number of properties.";
    MAX_PROPERTIES_REMOVED "max-properties-removed" Info Warning "Objects have no greatest number of properties any more.";
    MAX_PROPERTIES_RAISED "max-properties-raised" Info Warning "Objects have more properties at most.";
    MAX_PROPERTIES_LOWERED "max-properties-lowered" Breaking Info "Objects have fewer properties at most.";
    ADDITIONAL_CLOSED "additional-properties-closed" Breaking Info "An object has no other properties any more.";
    ADDITIONAL_OPENED "additional-properties-opened" Info Warning "An object may have other properties.";
    ADDITIONAL_TYPED "additional-properties-typed" Breaking Info "The other properties of an object have a schema.";
    ADDITIONAL_UNTYPED "additional-properties-untyped" Info Warning "The other properties of an object have no schema any more.";
    VARIANT_ADDED "variant-added" Info Breaking "A union has another variant (`oneOf`, `anyOf`).";
    VARIANT_REMOVED "variant-removed" Breaking Info "A variant of a union is gone (`oneOf`, `anyOf`).";
    UNION_ADDED "union-added" Breaking Breaking "What was one schema is a union of others (`oneOf`, `anyOf`).";
    UNION_REMOVED "union-removed" Breaking Breaking "What was a union is one other schema (`oneOf`, `anyOf`).";
    UNION_KIND_CHANGED "union-kind-changed" Warning Warning "`oneOf` became `anyOf`, or the other way.";
    NOT_ADDED "not-added" Breaking Info "What matches a schema may no longer come (`not`).";
    NOT_REMOVED "not-removed" Info Warning "What matches a schema may come (`not` is gone).";
    NOT_CHANGED "not-changed" Warning Warning "What may not come is something else (`not`).";
    DEFAULT_ADDED "default-added" Info Info "What is left out has a default.";
    DEFAULT_REMOVED "default-removed" Warning Info "What is left out has no default any more.";
    DEFAULT_CHANGED "default-changed" Warning Info "What is left out has another default.";
    VALUE_SUNSET_ADDED "sunset-added" Warning Warning "A parameter or a property has a date on which it goes (`x-sunset`).";
    VALUE_SUNSET_EARLIER "sunset-earlier" Warning Warning "A parameter or a property goes earlier than announced (`x-sunset`).";
    VALUE_SUNSET_LATER "sunset-later" Info Info "A parameter or a property goes later than announced (`x-sunset`).";
    VALUE_SUNSET_REMOVED "sunset-removed" Info Info "A parameter or a property has no longer a date on which it goes (`x-sunset`).";
    VALUE_LESS_STABLE "less-stable" Warning Warning "A parameter or a property is promised less stability (`x-stability-level`).";
    VALUE_MORE_STABLE "more-stable" Info Info "A parameter or a property is promised more stability (`x-stability-level`).";
    EXTENSIBLE_VALUE_ADDED "extensible-enum-value-added" Info Info "A list of values that may grow has another one (`x-extensible-enum`).";
    EXTENSIBLE_VALUE_REMOVED "extensible-enum-value-removed" Breaking Info "A value is gone from a list that may grow (`x-extensible-enum`).";
    PATTERN_PROPERTY_ADDED "pattern-property-added" Breaking Info "Properties whose names match a pattern have a schema (`patternProperties`).";
    PATTERN_PROPERTY_REMOVED "pattern-property-removed" Info Warning "Properties whose names match a pattern have no schema any more (`patternProperties`).";
    PREFIX_ITEM_ADDED "prefix-item-added" Breaking Info "Items at a place of lists have a schema of their own (`prefixItems`).";
    PREFIX_ITEM_REMOVED "prefix-item-removed" Info Warning "Items at a place of lists have no schema of their own any more (`prefixItems`).";
    ITEMS_CLOSED "items-closed" Breaking Info "Lists have no items any more but those at the places that they name.";
    ITEMS_OPENED "items-opened" Info Warning "Lists may have items after those at the places that they name.";
    CONTAINS_ADDED "contains-added" Breaking Info "Lists have items that match a schema (`contains`).";
    CONTAINS_REMOVED "contains-removed" Info Warning "Lists need no items that match a schema any more (`contains`).";
    CONTAINS_CHANGED "contains-changed" Warning Warning "The items that lists have among others match another schema (`contains`).";
    MIN_CONTAINS_RAISED "min-contains-raised" Breaking Info "Lists have more of the items that match a schema at least (`minContains`).";
    MIN_CONTAINS_LOWERED "min-contains-lowered" Info Warning "Lists have fewer of the items that match a schema at least (`minContains`).";
    MAX_CONTAINS_ADDED "max-contains-added" Breaking Info "Lists have a greatest number of the items that match a schema (`maxContains`).";
    MAX_CONTAINS_REMOVED "max-contains-removed" Info Warning "Lists have no greatest number of the items that match a schema any more (`maxContains`).";
    MAX_CONTAINS_RAISED "max-contains-raised" Info Warning "Lists have more of the items that match a schema at most (`maxContains`).";
    MAX_CONTAINS_LOWERED "max-contains-lowered" Breaking Info "Lists have fewer of the items that match a schema at most (`maxContains`).";
    PROPERTY_NAMES_ADDED "property-names-added" Breaking Info "The names of properties match a schema (`propertyNames`).";
    PROPERTY_NAMES_REMOVED "property-names-removed" Info Warning "The names of properties match no schema any more (`propertyNames`).";
    PROPERTY_NAMES_CHANGED "property-names-changed" Warning Warning "The names of properties match another schema (`propertyNames`).";
    CONDITION_ADDED "condition-added" Breaking Info "What a value looks like decides what else must be there (`if`, `dependentSchemas`).";
    CONDITION_REMOVED "condition-removed" Info Warning "What a value looks like no longer decides what else must be there (`if`, `dependentSchemas`).";
    CONDITION_CHANGED "condition-changed" Warning Warning "What a value looks like decides something else (`if`, `dependentSchemas`).";
    DEPENDENT_ADDED "dependent-required-added" Breaking Info "A property needs another one beside it (`dependentRequired`).";
    DEPENDENT_REMOVED "dependent-required-removed" Info Warning "A property no longer needs another one beside it (`dependentRequired`).";
    CONTENT_ENCODING_CHANGED "content-encoding-changed" Breaking Breaking "Texts carry bytes in another encoding (`contentEncoding`).";
    CONTENT_TYPE_CHANGED "content-media-type-changed" Warning Warning "Texts carry another media type (`contentMediaType`, `contentSchema`).";
    DISCRIMINATOR_ADDED "discriminator-added" Warning Info "A property tells the variants apart.";
    DISCRIMINATOR_REMOVED "discriminator-removed" Info Breaking "No property tells the variants apart any more.";
    DISCRIMINATOR_CHANGED "discriminator-changed" Breaking Breaking "Another property tells the variants apart.";
    MAPPING_ADDED "discriminator-mapping-added" Info Warning "Another value names a variant.";
    MAPPING_REMOVED "discriminator-mapping-removed" Breaking Info "A value no longer names a variant.";
    MAPPING_CHANGED "discriminator-mapping-changed" Breaking Breaking "A value names another variant.";
    }
}
