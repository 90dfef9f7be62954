//! `cargo xtask release --dry-run`, over small repositories.

mod agreement;
mod changes;
mod repository;
