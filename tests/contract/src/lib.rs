//! Calls every operation of every API through the generated clients against the sandbox, and checks the requests.
//!
//! The build generates the calls ([`CALLS`]) from the corrected documents, from which the arguments ([`sample`]) and the
//! expected requests ([`expect`]) are derived too. Only names are taken from the shaped document.

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
