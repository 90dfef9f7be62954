//! `diff`: what changed between two documents, on the wire and in Rust.

pub mod change;
