//! Where documents come from, and how they take the place of the vendored ones.

mod server;
mod sources;
