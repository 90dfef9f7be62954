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

#[cfg(feature = "tabular")]
mod aggregation;
mod call;
mod client;
mod datetime;
#[cfg(feature = "dumps")]
pub mod dumps;
mod error;
mod exec;
mod field;
mod file;
#[cfg(feature = "files")]
pub mod files;
mod filters;
mod form;
#[cfg(feature = "_fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod in_place;
mod mask;
#[cfg(feature = "metrics")]
pub mod months;
pub mod objects;
mod open_enum;
mod operation;
pub mod pages;
mod response;
#[cfg(feature = "_round-trip")]
mod round_trip;
#[cfg(any(feature = "tabular", feature = "metrics"))]
pub mod rows;
mod runtime;
#[cfg(feature = "schemars")]
mod schema;
mod strict;
mod tolerant;
mod values;

pub use call::Call;
pub use client::{Api, Client, ClientBuilder, Environment};
pub use datetime::{Date, DateTime};
pub use error::{Error, FieldError, Result};
pub use exec::{CircuitBreaker, Limits, RetryPolicy, Timeouts};
pub use field::Field;
pub use file::File;
pub use filters::Filters;
pub use operation::Operation;
pub use pages::{Items, Page, Pages};
pub use response::{Answer, ByteStream, Response};
pub use values::Values;

pub(crate) use open_enum::open_enum;
#[cfg(feature = "_round-trip")]
pub(crate) use round_trip::round_trip;

/// What becomes of calls, told while it happens.
pub mod observe {
    pub use crate::exec::{
        CallFinished, CircuitChanged, CircuitState, Observe, Outcome, RetryBudgetExhausted, Retrying, Throttled,
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
