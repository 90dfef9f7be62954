//! Queries on a coordinator, which is the test, and two workers, which are processes.

mod limits;
mod live;
mod loss;
mod queries;
mod support;
