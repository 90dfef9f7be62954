//! Values of repeatable query parameters.

use serde::Serialize;

/// The values of a repeatable query parameter (`tag=a&tag=b`), converted from one string or several.
///
/// ```
/// use datagouv::Values;
///
/// assert_eq!(Values::from("transport"), Values::from(["transport"]));
/// assert_eq!(Values::from(vec!["a".to_owned()]), "a".into());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Values(Vec<String>);

impl From<&str> for Values {
    fn from(value: &str) -> Self {
        Self(vec![value.to_owned()])
    }
}

impl From<String> for Values {
    fn from(value: String) -> Self {
        Self(vec![value])
    }
}

impl<T: Into<String>> FromIterator<T> for Values {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<String>> From<Vec<T>> for Values {
    fn from(values: Vec<T>) -> Self {
        values.into_iter().collect()
    }
}

impl<T: Into<String>, const N: usize> From<[T; N]> for Values {
    fn from(values: [T; N]) -> Self {
        values.into_iter().collect()
    }
}

impl<T: Clone + Into<String>> From<&[T]> for Values {
    fn from(values: &[T]) -> Self {
        values.iter().cloned().collect()
    }
}
