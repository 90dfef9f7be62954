//! A guide: one page per task, each with a complete program.
//!
//! This module holds documentation only and is absent from builds.
//!
//! | Task | Page |
//! |---|---|
//! | Set up a client: environment, API key, proxy, limits | [`getting_started`] |
//! | Walk through a list, page by page or item by item | [`lists`] |
//! | Receive only the fields that you use | [`fields`] |
//! | Filter, sort and aggregate the rows of a file | [`rows`] |
//! | Read a whole table, or the whole catalogue | [`whole_tables`] |
//! | Create a dataset, upload files and wait for their analysis | [`publishing`] |
//! | Download files, resumed and verified | [`downloading`] |
//! | Read the rows of a file of any kind | [`any_file`] |
//! | Keep a folder up to date with the files of datasets | [`mirroring`] |
//! | Change a dataset without undoing the changes of others | [`editing`] |
//! | Handle errors; retries, limits and time limits | [`errors`] |
//! | Read visits and downloads by month | [`metrics`] |
//! | Test a program that uses this crate, without the platform | [`testing`] |
//! | Choose features, and shorten the build | [`features`] |
//! | Know what a new version of the platform changes | [`new_versions`] |
//!
//! The programs compile with the default features. They also need `tokio` with the features `macros` and
//! `rt-multi-thread`, and where they define types `serde` with `derive`, `schemars` 1 and `serde_json`.
//!
//! The repository has more programs in `examples/`; each runs against a small platform inside the program, or
//! against data.gouv.fr with `--live`.

macro_rules! pages {
    ($($page:ident: $text:literal;)*) => {
        $(
            #[doc = include_str!($text)]
            pub mod $page {}
        )*
    };
}

pages! {
    getting_started: "getting_started.md";
    lists: "lists.md";
    fields: "fields.md";
    rows: "rows.md";
    whole_tables: "whole_tables.md";
    publishing: "publishing.md";
    downloading: "downloading.md";
    any_file: "any_file.md";
    mirroring: "mirroring.md";
    editing: "editing.md";
    errors: "errors.md";
    metrics: "metrics.md";
    testing: "testing.md";
    features: "features.md";
    new_versions: "new_versions.md";
}
