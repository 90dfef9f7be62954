//! The client of [data.gouv.fr](https://www.data.gouv.fr), the open data platform of France: every operation
//! of its four APIs, typed.
//!
//! The clients are generated from the platform's own documents **and** a reviewed list of corrections, made
//! from what the servers were seen to answer; each operation is a method of the API's client, its parameters
//! are methods of a builder, and `send` gives the answer or the one [`Error`].
//!
//! Search datasets:
//!
//! ```no_run
//! # #[cfg(feature = "main-datasets")]
//! # async fn example() -> datagouv::Result<()> {
//! let client = datagouv::Client::new()?;
//! let page = client.main().list_datasets().q("bornes de recharge").page_size(5).send().await?;
//! for dataset in &page.data {
//!     println!("{} ({} resources)", dataset.title, dataset.resources.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Read the rows of a file that match, a page or a million of them:
//!
//! ```no_run
//! # #[cfg(feature = "tabular")]
//! # async fn example() -> datagouv::Result<()> {
//! use datagouv::rows::{Row, col};
//!
//! let client = datagouv::Client::new()?;
//! let rows = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf").rows::<Row>();
//! let mut best = rows.filter(col("score").ge(0.9)).stream();
//! while let Some(row) = best.next().await {
//!     println!("{:?}", row?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Read, change, write:
//!
//! ```no_run
//! # #[cfg(feature = "main-datasets")]
//! # async fn example() -> datagouv::Result<()> {
//! let client = datagouv::Client::builder().api_key("your key").build()?;
//! client.dataset("a-slug-or-id").update(|dataset| dataset.title("A better title")).await?;
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]
// A build with a part of the APIs does not use everything that serves all of them.
#![cfg_attr(
    not(all(
        feature = "main",
        feature = "main-v2",
        feature = "tabular",
        feature = "metrics",
        feature = "files",
        feature = "dumps",
        feature = "masks"
    )),
    allow(dead_code, unused_imports, unused_macros, unused_variables)
)]

mod client;
mod codec;
#[cfg(feature = "dumps")]
pub mod dumps;
#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "_fuzz")]
#[doc(hidden)]
pub mod fuzz;
// Documentation only: its programs need the default features.
#[cfg(all(
    any(doc, doctest),
    feature = "main",
    feature = "main-v2",
    feature = "tabular",
    feature = "metrics",
    feature = "files",
    feature = "dumps",
    feature = "masks"
))]
pub mod guide;
mod mask;
#[cfg(feature = "metrics")]
pub mod monthly_metrics;
pub mod objects;
pub mod pages;
#[cfg(any(feature = "tabular", feature = "metrics"))]
pub mod rows;
mod transport;

pub use client::{Api, Client, ClientBuilder, Environment};
pub use codec::datetime::{Date, DateTime};
pub use codec::deviation::Deviation;
pub use codec::field::Field;
pub use codec::filters::Filters;
pub use codec::values::Values;
pub use pages::{Items, Page, Pages};
pub use transport::call::Call;
pub use transport::error::{Error, FieldError, Result};
pub use transport::file::File;
pub use transport::operation::Operation;
pub use transport::response::{ByteStream, FromResponse, Response};
pub use transport::{CircuitBreaker, Limits, RetryPolicy, Timeouts};

// What the generated code names.
pub(crate) use codec::open_enum::open_enum;
#[cfg(feature = "_round-trip")]
pub(crate) use codec::round_trip::round_trip;
#[cfg(feature = "schemars")]
pub(crate) use codec::schema;
pub(crate) use codec::{strict, tolerant};
pub(crate) use transport::{form, runtime};

/// What becomes of calls, told while it happens.
pub mod observe {
    pub use crate::transport::{
        CallFinished, CircuitChanged, CircuitState, Deviated, Observe, Outcome, RetryBudgetExhausted, Retrying,
        Throttled,
    };
}

/// A client generated from the document of an API.
macro_rules! generated {
    ($(#[$meta:meta])* $module:ident, $file:literal) => {
        $(#[$meta])*
        #[allow(
            missing_docs, unused_imports, unused_mut, unreachable_patterns, clippy::all, clippy::pedantic,
            rustdoc::bare_urls, rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags, rustdoc::invalid_rust_codeblocks
        )]
        pub mod $module {
            // The generated code finds what it leans on under this name.
            use crate::runtime as progenitor_client;

            include!(concat!(env!("OUT_DIR"), "/", $file));
        }
    };
}

#[cfg(any_main)]
generated! {
    /// The catalogue, `/api/1`: datasets, organizations, reuses, discussions, harvesters and all else.
    main, "main.rs"
}

#[cfg(feature = "main-v2")]
generated! {
    /// Search, topics and extras of the catalogue, `/api/2`.
    main_v2, "main_v2.rs"
}

#[cfg(feature = "tabular")]
generated! {
    /// Rows of tabular files: filter, sort, aggregate.
    tabular, "tabular.rs"
}

#[cfg(feature = "metrics")]
generated! {
    /// Visits and downloads by month.
    metrics, "metrics.rs"
}

/// The examples of the README compile.
#[cfg(all(doctest, feature = "main", feature = "tabular", feature = "metrics", feature = "files", feature = "masks"))]
#[doc = include_str!("../README.md")]
struct Readme;
