//! Calls every operation of every API through the generated clients against the sandbox, and checks what
//! arrives.
//!
//! The calls ([`CALLS`]) are written by the build from the corrected documents; so are the samples that they
//! are given ([`sample`]) and what must arrive ([`expect`]). Of the client's own shape only names are taken.

mod bench;
mod call;
pub mod document;
pub mod expect;
pub mod sample;

pub use bench::{Bench, with_sources};
use call::Finish;
pub use call::{Call, Given, Sent, plain};
use datagouv_specs::Api;

/// A call of every operation.
pub static CALLS: &[Call] = include!(concat!(env!("OUT_DIR"), "/calls.rs"));
