//! All types of a client.

use proc_macro2::TokenStream;
use quote::quote;

use super::writer::{Writer, direct_mentions};
use crate::shape::Shaped;
use crate::shape::types::{Kind, Role};

/// All types of a shaped document.
pub fn types(shaped: &Shaped) -> TokenStream {
    let direct = direct_mentions(&shaped.types);
    let made = shaped.types.values().map(|made| {
        let writer = Writer { made, types: &shaped.types, direct: &direct };
        match &made.kind {
            Kind::Structure(Role::Response, fields) => writer.response(fields),
            Kind::Structure(Role::Request, fields) => writer.request(fields),
            Kind::Form(fields, multipart) => writer.form(fields, *multipart),
            Kind::Enumeration(values) => writer.enumeration(values),
            Kind::Union(variants) => writer.union(variants),
        }
    });
    // Imported as values, which cannot clash with the names of types.
    let describing = quote! {
        #[cfg(feature = "schemars")]
        use crate::schema::{ALWAYS, NEVER, SERIALIZED, of, structure, union, with_default};
    };
    std::iter::once(describing).chain(made).collect()
}
