//! Where documents come from, and how they take the place of the vendored ones.

mod accepted;
mod refresh;
mod refused;
mod server;
mod sources;
mod specs;
