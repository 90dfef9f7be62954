#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::unreachable)
)]

mod channel;
mod coordinator;
mod planner;
mod settings;
mod worker;

pub use coordinator::Cluster;
pub use datagouv_datafusion::codec::AllowedHosts;
pub use worker::Worker;
