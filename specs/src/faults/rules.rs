//! The rules that documents break, and how each fault is read.

use super::notes::{Level, Rule};

macro_rules! rules {
    ($($name:ident $id:literal $level:ident $text:literal;)*) => {
        $(
            #[doc = $text]
            pub(super) static $name: Rule = Rule { id: $id, level: Level::$level, text: $text };
        )*
        /// All of them.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    VERSION_FORM "version-form" Warning "The version is no text of the form that the language has, such as the number that YAML makes of `2.0`: it is the version that it looks like.";
    NULL_MEMBER "null-member" Warning "A member is null where that is no value: it is absent.";
    WRONG_FORM "wrong-form" Warning "A text, a number, a flag or a list stands in the form of another, or null for the type `null` among others: it is the value that it looks like.";
    WRONG_TYPE "wrong-type" Error "A member is of a type that it cannot have: it is left out.";
    MISSING_MEMBER "missing-member" Error "A required member is missing: the least is put in, or its owner is left out.";
    NO_RESPONSES "no-responses" Warning "An operation has no responses: it has a `default` one without content.";
    UNKNOWN_MEMBER "unknown-member" Warning "A member has no place in Swagger 2.0: a plain value is kept as an extension (`example` is `x-example`), the others are left out.";
    UNKNOWN_UNION "unknown-union" Error "`oneOf`, `anyOf` or `not` in Swagger 2.0, which has none: it is left out.";
    UNKNOWN_STATUS "unknown-status" Error "A response is for no status that the language has: it is left out.";
    UNKNOWN_TYPE "unknown-type" Warning "`type` is none of JSON Schema: it is the type that it looks like (`int`, `Date`), or any.";
    EXTERNAL_REFERENCE "external-reference" Error "A reference leads to a URL, to a file that cannot be read, or out of the folder of the document: a schema there is any value, other objects are left out.";
    DANGLING_REFERENCE "dangling-reference" Error "A reference leads to nothing, or back to itself: a schema there is any value, other objects are left out.";
    REFERENCE_BY_NAME "reference-by-name" Warning "A reference is the name of a component: it leads to that component.";
    REFERENCE_SIBLINGS "reference-siblings" Warning "A reference to an object that is no schema has siblings: they are left out.";
    PATH_REFERENCE "path-reference" Warning "A path of Swagger 2.0 is a reference to another one of the document: it is a copy of that.";
    PATH_SLASH "path-without-slash" Warning "A path does not begin with `/`: it does.";
    REQUIRED_FLAG "required-flag" Warning "A schema of a property has `required` as a flag: it is that of the object.";
    TUPLE_ITEMS "tuple-items" Error "`items` is a list, as in drafts of JSON Schema: each item is any value.";
    EXCLUSIVE_BOUND "exclusive-bound" Warning "`exclusiveMinimum` or `exclusiveMaximum` is in the form of another version: a number is the bound, a flag is that of `minimum` or `maximum`.";
    TYPE_LIST "type-list" Warning "`type` is a list, which OpenAPI 3.0 has not: it is read as OpenAPI 3.1 does.";
    CONST_VALUE "const-value" Warning "`const` in a language that has none: it is an `enum` of one value.";
    NULLABLE_FLAG "nullable-flag" Warning "`nullable` in a language that has none (3.1; 2.0, where it is `x-nullable`): null is allowed.";
    DISCRIMINATOR_FORM "discriminator-form" Warning "`discriminator` is in the form of another version: it names the same property.";
    PARAMETER_PLACE "parameter-place" Error "A parameter is in a place that the language does not have: it is left out.";
    PARAMETER_TWICE "parameter-twice" Error "A parameter stands twice, or is a second body: the first one counts.";
    PARAMETER_SCHEMA "parameter-schema" Warning "A parameter has its type where another version has it: it is of that type.";
    PATH_PARAMETER_OPTIONAL "path-parameter-optional" Warning "A parameter in the path is not `required`: it is.";
    COLLECTION_FORMAT "collection-format" Warning "A `collectionFormat` that the place does not have: `csv`; in a multipart form, which repeats a field, `multi`; in a value that is no list, none.";
    LIST_OF_LISTS "list-of-lists" Error "A parameter is a list of lists, for which OpenAPI 3.0 has no style: the inner one is a text.";
    FORM_EMPTY_VALUE "form-empty-value" Warning "`allowEmptyValue` in a form, where OpenAPI 3.0 has none: it is left out.";
    BODY_AND_FORM "body-and-form" Error "An operation has both a body and a form: the body counts, unless its path has the form.";
    SERVER_ADDRESS "server-address" Warning "`host` or `basePath` has parts that belong elsewhere: they are put there, or left out.";
    SECURITY_SCHEME "security-scheme" Error "A security scheme is of no type that the language has, or lacks what its type needs: it is left out.";
    SECURITY_UNKNOWN "security-unknown" Error "A security requirement names a scheme that is not described: that alternative is left out.";
}
