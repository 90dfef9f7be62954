//! The list of operations, and the function by which tests decode any recorded response.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::syntax::rust_type;
use crate::shape::{ResponseBody, Shaped};

/// `OPERATIONS`: the operations of the client.
pub fn list(shaped: &Shaped) -> TokenStream {
    let title = format!("The operations of the API `{}` that this build has.", shaped.api);
    let entries = shaped.operations.iter().map(|operation| {
        let (id, name, method, path) = (&operation.operation_id, &operation.name, &operation.method, &operation.path);
        let tag = operation.tag.as_deref().unwrap_or_default();
        let request = match &operation.request {
            Some(media) => quote! { Some(#media) },
            None => quote! { None },
        };
        let response = match &operation.response {
            ResponseBody::Json(_) => quote! { Some("application/json") },
            ResponseBody::Bytes(media) => {
                let media = media.first().map_or("*/*", String::as_str);
                quote! { Some(#media) }
            }
            ResponseBody::Empty => quote! { None },
        };
        let (paginated, masked) = (operation.paginated.is_some(), operation.masked);
        quote! {
            crate::Operation {
                operation_id: #id, name: #name, method: #method, path: #path, tag: #tag, request: #request,
                response: #response, paginated: #paginated, masked: #masked
            }
        }
    });
    quote! {
        #[doc = #title]
        pub static OPERATIONS: &[crate::Operation] = &[#(#entries),*];
    }
}

/// `round_trip`: decodes a response into its type and encodes it again, so that tests can check that nothing is lost.
pub fn round_trips(shaped: &Shaped) -> TokenStream {
    let types = Ident::new("types", Span::call_site());
    let arms = shaped.operations.iter().filter_map(|operation| {
        let ResponseBody::Json(rust) = &operation.response else { return None };
        let (id, rust) = (&operation.operation_id, rust_type(rust, Some(&types)));
        Some(quote! { #id => Some(crate::round_trip::<#rust>(body)), })
    });
    quote! {
        #[cfg(feature = "_round-trip")]
        #[doc(hidden)]
        pub fn round_trip(operation_id: &str, body: &[u8]) -> Option<Result<::serde_json::Value, String>> {
            match operation_id {
                #(#arms)*
                _ => None,
            }
        }
    }
}
