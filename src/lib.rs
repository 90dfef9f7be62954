//! A typed client for [data.gouv.fr](https://www.data.gouv.fr), the open data platform of France. It covers every
//! operation of the platform's four APIs.
//!
//! Each operation is a method of its API's client and returns a builder with a method for each parameter; `send()`
//! returns the response or an [`Error`]. Handles such as [`Client::dataset`] combine operations: they update without
//! losing the changes of others, transfer files, and query rows.
//!
//! The **[guide]** has a page with a complete program for each task.
//!
//! Search datasets:
//!
//! ```no_run
//! # #[cfg(feature = "main-datasets")]
//! # async fn example() -> datagouv::Result<()> {
//! let client = datagouv::Client::new()?;
//! let search = client.main().list_datasets().q("bornes de recharge").page_size(5);
//! let page = search.send().await?;
//! for dataset in &page.data {
//!     println!("{} ({} resources)", dataset.title, dataset.resources.len());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Read the rows of a file that match a condition, ten of them or a million:
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
//! Change a dataset:
//!
//! ```no_run
//! # #[cfg(feature = "main-datasets")]
//! # async fn example() -> datagouv::Result<()> {
//! let client = datagouv::Client::builder().api_key("your key").build()?;
//! client.dataset("a-slug-or-id").update(|dataset| dataset.title("A better title")).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to find what
//!
//! | Task | Start with |
//! |---|---|
//! | Configure a client | [`Client::builder`] |
//! | Call an operation | [`Client::main`], [`Client::main_v2`], [`Client::tabular`], [`Client::metrics`] |
//! | Walk through a list | [`pages`] |
//! | Work with one dataset, resource, organization… | [`objects`] |
//! | Query rows | [`rows`] |
//! | Read the rows of any file | [`records`] |
//! | Upload and download files | [`files`] |
//! | Keep a folder up to date with the files of datasets | [`mirror`] |
//! | Visits and downloads by month | [`DatasetHandle::metrics`](objects::DatasetHandle::metrics) |
//! | Exports of the whole catalogue | [`dumps`] |
//! | Retries, limits, time limits | [`RetryPolicy`], [`CircuitBreaker`], [`Limits`], [`Timeouts`] |
//! | Count calls | [`observe`] |
//!
//! # How it is generated
//!
//! The API clients are generated at build time from the platform's own documents and a reviewed list of corrections,
//! which record what the servers were measured to return. No network is needed. Cargo features select the APIs and the
//! parts of the catalogue that are generated.
#![warn(missing_docs)]
// Builds with some of the APIs leave shared code unused.
#![cfg_attr(not(full), allow(dead_code, unused_imports, unused_macros, unused_variables))]

mod client;
mod codec;
#[cfg(feature = "dumps")]
pub mod dumps;
#[cfg(feature = "files")]
pub mod files;
// Documentation only: its programs need the default features.
#[cfg(all(any(doc, doctest), full))]
pub mod guide;
#[cfg(feature = "_internals")]
#[doc(hidden)]
pub mod internals;
mod mask;
#[cfg(feature = "mirror")]
pub mod mirror;
#[cfg(feature = "metrics")]
pub mod monthly_metrics;
pub mod objects;
pub mod pages;
#[cfg(feature = "records")]
pub mod records;
#[cfg(any(feature = "tabular", feature = "metrics"))]
pub mod rows;
/// A row whose columns are not known beforehand.
#[cfg(all(feature = "records", not(any(feature = "tabular", feature = "metrics"))))]
pub mod rows {
    mod row;

    pub use row::Row;
}
mod transport;

pub use client::{Api, Client, ClientBuilder, Environment};
pub use codec::datetime::{Date, DateTime};
pub use codec::deviation::Deviation;
pub use codec::field::Field;
pub use codec::filters::Filters;
pub use codec::values::Values;
#[doc(inline)]
pub use pages::{Items, Page, Pages};
pub use transport::call::{Call, IntoCall};
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

/// Events emitted while calls run; see [`Observe`](observe::Observe).
pub mod observe {
    pub use crate::transport::{
        CallFinished, CircuitChanged, CircuitState, Deviated, Observe, Outcome, RetryBudgetExhausted, Retrying,
        Throttled,
    };
}

/// Includes the client that build.rs generated from the document of an API.
macro_rules! generated {
    ($(#[$meta:meta])* $module:ident, $file:literal) => {
        $(#[$meta])*
        #[allow(
            unused_imports, unused_mut, unreachable_patterns, clippy::all, clippy::pedantic
        )]
        pub mod $module {
            // The name under which generated code imports its runtime.
            use crate::runtime as progenitor_client;

            include!(concat!(env!("OUT_DIR"), "/", $file));
        }
    };
}

#[cfg(any_main)]
generated! {
    /// The catalogue, `/api/1`: datasets, organizations, reuses, discussions, harvesters and more.
    main, "main.rs"
}

#[cfg(feature = "main-v2")]
generated! {
    /// Search, topics and extras of the catalogue, `/api/2`.
    main_v2, "main_v2.rs"
}

#[cfg(feature = "tabular")]
generated! {
    /// The tabular API: rows of CSV and Excel files. [`rows`] has a query builder on top of it.
    tabular, "tabular.rs"
}

#[cfg(feature = "metrics")]
generated! {
    /// The metrics API: visits and downloads by month. Handles have a `metrics` method on top of it.
    metrics, "metrics.rs"
}

/// Compiles the programs of the README.
#[cfg(all(doctest, feature = "main", feature = "tabular", feature = "metrics", feature = "files", feature = "masks"))]
#[doc = include_str!("../README.md")]
struct Readme;
