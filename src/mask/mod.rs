//! Masks (`X-Fields`): the fields of a response that the caller requests.

#[cfg(feature = "masks")]
mod schema;

use reqwest::Request;
use reqwest::header::HeaderValue;
#[cfg(feature = "masks")]
use schemars::JsonSchema;
#[cfg(feature = "masks")]
use serde::de::DeserializeOwned;

#[cfg(feature = "masks")]
use crate::Page;
use crate::{Call, Error, Result};

const HEADER: &str = "x-fields";

/// Whether the mask of a request names plain fields only, so that the items of a page are small.
pub(crate) fn is_plain(request: &Request) -> bool {
    let mask = request.headers().get(HEADER).map(HeaderValue::as_bytes);
    mask.is_some_and(|mask| !mask.contains(&b'*') && memchr::memchr_iter(b'{', mask).count() <= 1)
}

#[cfg(feature = "masks")]
impl<A> Call<A> {
    /// Requests only the fields of a type of yours, and decodes the response as that type. That is often a tenth of the
    /// bytes.
    ///
    /// The mask is derived from the type's JSON Schema, which follows serde's attributes: renamed, flattened and nested
    /// fields, in `Option`s, lists and enums. Maps and [`serde_json::Value`]s are requested whole. The platform ignores
    /// fields that it does not know, so they are always absent.
    ///
    /// [`send`](Self::send) returns an error for a type that contains itself, and for a field whose name has other
    /// characters than ASCII letters, digits, `_`, `-` and `:`, which a mask cannot express.
    ///
    /// ```no_run
    /// # #[cfg(feature = "main-datasets")]
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Dataset {
    ///     title: String,
    ///     organization: Option<Organization>,
    /// }
    ///
    /// #[derive(serde::Deserialize, schemars::JsonSchema)]
    /// struct Organization {
    ///     name: String,
    /// }
    ///
    /// // X-Fields: organization{name},title
    /// let call = client.main().get_dataset().dataset("a-slug-or-id").fields::<Dataset>();
    /// let dataset = call.send().await?;
    /// if let Some(organization) = &dataset.organization {
    ///     println!("{} by {}", dataset.title, organization.name);
    /// }
    ///
    /// // On a list, the fields are those of the items.
    /// let mut datasets = client.main().list_datasets().fields::<Dataset>().items();
    /// while let Some(dataset) = datasets.next().await {
    ///     println!("{}", dataset?.title);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn fields<T: DeserializeOwned + JsonSchema>(self) -> Call<T> {
        self.masked(schema::of::<T>().map(|mask| mask.to_string())).json()
    }

    /// Requests only the fields of a type of yours for the items of a page, and decodes the response as a [`Page`].
    ///
    /// The `id` of the items is always requested: [`pages`](Call::pages) recognise items by it. See
    /// [`fields`](Self::fields) for the errors.
    pub fn page_fields<T: DeserializeOwned + JsonSchema>(self) -> Call<Page<T>> {
        self.masked(schema::of::<T>().map(schema::Mask::on_pages)).json()
    }

    fn masked(self, mask: Result<String>) -> Self {
        match mask {
            Ok(mask) => self.header(HEADER, &mask),
            Err(error) => self.map_request(|_| Err(error)),
        }
    }
}

impl<T> Call<T> {
    /// Requests only the fields that `mask` names: `id,title`, `data{id,organization{name}},next_page`, `*`. The other fields
    /// of the response type are `None` or empty.
    ///
    /// On a list, a mask without `total` and `next_page` makes [`pages`](Call::pages) request one page more, to find the end;
    /// one without the `id` of the items can make them deliver an item twice if the list changes meanwhile.
    ///
    /// [`send`](Self::send) returns an error if the braces do not match.
    pub fn fields_raw(self, mask: impl AsRef<str>) -> Self {
        let mask = mask.as_ref();
        if is_balanced(mask) {
            self.header(HEADER, mask)
        } else {
            self.map_request(|_| Err(Error::request(format!("the braces of the mask `{mask}` do not match"))))
        }
    }
}

fn is_balanced(mask: &str) -> bool {
    let mut open = 0_usize;
    let closes = mask.chars().all(|letter| match letter {
        '{' => {
            open += 1;
            true
        }
        '}' => open.checked_sub(1).map(|left| open = left).is_some(),
        _ => true,
    });
    closes && open == 0
}
