//! `cargo xtask diff`: rules, properties, reports, and what a maintainer sees.

mod both_axes;
mod command;
mod decisions;
mod documents;
mod json_schema_rules;
mod operation_rules;
mod properties;
mod reports;
mod schema_rules;
mod table;
mod versions;
