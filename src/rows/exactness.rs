//! Whether the servers can express a condition.

use super::expression::Condition;
use super::request::Request;

/// Whether the servers find the rows that satisfy a condition; made by [`Condition::exactness`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exactness {
    /// The servers find exactly the rows that satisfy it.
    Exact,
    /// The servers find more rows, of which [streams](super::Rows::stream) and [`collect`](super::Rows::collect) drop those
    /// that do not match. Other ways to read rows refuse it.
    PostFiltered,
    /// It is refused before anything is sent.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}

impl Condition {
    /// Returns whether the servers can express the condition, without a request. It costs as much as to encode it.
    ///
    /// It does not know the types of the columns: [`contains`](super::Column::contains) and [`like`](super::Column::like) of
    /// a column that is not of text, and all but tests for null of a column of JSON, are refused later.
    ///
    /// ```
    /// use datagouv::rows::{Exactness, col};
    ///
    /// assert_eq!(col("score").ge(0.9).exactness(), Exactness::Exact);
    /// assert_eq!(col("nom").like("gare de %").exactness(), Exactness::PostFiltered);
    /// let unsearchable = col("nom").like("gare de %") | col("score").ge(0.9);
    /// assert!(matches!(unsearchable.exactness(), Exactness::Refused { .. }));
    /// ```
    #[must_use]
    pub fn exactness(&self) -> Exactness {
        let request = Request { filter: Some(self.clone()), ..Request::default() };
        let refused = |error: crate::Error| Exactness::Refused { reason: error.to_string() };
        match request.filtered() {
            Err(error) => refused(error),
            Ok((_, post_filter)) => match request.parts() {
                Err(error) => refused(error),
                Ok(_) if post_filter.is_some() => Exactness::PostFiltered,
                Ok(_) => Exactness::Exact,
            },
        }
    }
}
