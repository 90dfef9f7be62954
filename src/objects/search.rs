//! Full-text search.

#[cfg(feature = "main-v2")]
pub use catalogue::{Facet, Search};

#[cfg(feature = "main-v2")]
mod catalogue {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use crate::Client;
    use crate::main_v2::{builder, types};

    /// Full-text search; made by [`Client::search`]. Each method returns the builder of an operation of `/api/2`, whose other
    /// parameters are filters.
    #[derive(Clone, Copy, Debug)]
    pub struct Search<'a> {
        client: &'a Client,
    }

    impl Client {
        /// Returns the full-text searches for datasets, organizations, reuses and others (`/api/2`).
        ///
        /// ```no_run
        /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
        /// let search = client.search().datasets("bornes de recharge").format("csv");
        /// let page = search.page_size(5).send().await?;
        /// for dataset in &page.data {
        ///     println!("{}", dataset.title);
        /// }
        /// for facet in page.facet("organization") {
        ///     println!("{} of {}", facet.count, facet.value);
        /// }
        /// # Ok(())
        /// # }
        /// ```
        #[must_use]
        pub fn search(&self) -> Search<'_> {
            Search { client: self }
        }
    }

    macro_rules! searches {
        ($($(#[$meta:meta])* $method:ident, $operation:ident -> $builder:ident, $page:ident;)*) => {
            impl<'a> Search<'a> {
                $(
                    $(#[$meta])*
                    #[doc = concat!("(`", stringify!($operation), "`). Empty `words` match all of them.")]
                    pub fn $method(self, words: impl Into<String>) -> builder::$builder<'a> {
                        let search = self.client.main_v2().$operation();
                        match words.into() {
                            words if words.is_empty() => search,
                            words => search.q(words),
                        }
                    }
                )*
            }

            $(
                impl types::$page {
                    /// Returns how many results have each value of a property, in the order of the server. The properties
                    /// depend on the platform's search engine (`facets`); for others the list is empty.
                    #[must_use]
                    pub fn facet(&self, property: &str) -> Vec<Facet> {
                        Facet::of(&self.facets, property)
                    }
                }
            )*
        };
    }

    searches! {
        /// Searches datasets
        datasets, search_datasets -> SearchDatasets, DatasetSearchPage;
        /// Searches organizations
        organizations, search_organizations -> SearchOrganizations, OrganizationSearchPage;
        /// Searches reuses
        reuses, search_reuses -> SearchReuses, ReuseSearchPage;
        /// Searches dataservices
        dataservices, search_dataservices -> SearchDataservices, DataserviceSearchPage;
        /// Searches topics
        topics, search_topics -> SearchTopics, TopicSearchPage;
        /// Searches discussions
        discussions, search_discussions -> SearchDiscussions, DiscussionPage;
        /// Searches posts
        posts, search_posts -> SearchPosts, PostPage;
    }

    /// A value of a property, and the number of results that have it.
    #[derive(Clone, Debug, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub struct Facet {
        /// The value, in the form that the filters of the search take.
        pub value: String,
        /// The number of results.
        pub count: u64,
    }

    impl Facet {
        fn new(value: &Value, count: &Value) -> Option<Self> {
            let value = match value {
                Value::String(value) => value.clone(),
                Value::Null | Value::Array(_) | Value::Object(_) => return None,
                other => other.to_string(),
            };
            Some(Self { value, count: count.as_u64()? })
        }

        /// Reads facets in the forms that search engines use: objects, pairs or a map. The API's document does not define one;
        /// other forms are ignored.
        fn of(facets: &BTreeMap<String, Value>, property: &str) -> Vec<Self> {
            match facets.get(property) {
                Some(Value::Array(items)) => items.iter().filter_map(Self::of_item).collect(),
                Some(Value::Object(counts)) => {
                    counts.iter().filter_map(|(value, count)| Self::new(&value.as_str().into(), count)).collect()
                }
                _ => Vec::new(),
            }
        }

        fn of_item(item: &Value) -> Option<Self> {
            match item {
                Value::Array(pair) => Self::new(pair.first()?, pair.get(1)?),
                Value::Object(item) => {
                    let named = |names: [&str; 4]| names.into_iter().find_map(|name| item.get(name));
                    Self::new(named(["name", "value", "key", "id"])?, named(["count", "doc_count", "total", "value"])?)
                }
                _ => None,
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use serde_json::json;

        use super::*;

        #[test]
        fn facets_are_read_whatever_their_form() {
            let expected = [("csv", 12), ("json", 3)].map(|(value, count)| Facet { value: value.to_owned(), count });
            for form in [
                json!([{"name": "csv", "count": 12}, {"name": "json", "count": 3}]),
                json!([{"key": "csv", "doc_count": 12}, {"key": "json", "doc_count": 3}]),
                json!([["csv", 12], ["json", 3]]),
                json!({"csv": 12, "json": 3}),
            ] {
                assert_eq!(Facet::of(&BTreeMap::from([("format".to_owned(), form)]), "format"), expected);
            }
        }

        #[test]
        fn a_facet_that_cannot_be_read_is_left_out() {
            let facets = json!({"format": [{"name": null, "count": 1}, 7, {"name": true, "count": 2}], "tag": "x"});
            let facets: BTreeMap<String, Value> = serde_json::from_value(facets).unwrap();
            assert_eq!(Facet::of(&facets, "format"), [Facet { value: "true".to_owned(), count: 2 }]);
            assert_eq!(Facet::of(&facets, "tag"), []);
            assert_eq!(Facet::of(&facets, "licence"), []);
        }
    }
}
