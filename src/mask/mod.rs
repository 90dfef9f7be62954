//! The fields of an answer that its caller wants, in the words of the platform's masks (`X-Fields`).

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

/// Whether a request asks for plain fields of what is on a page: such items are small.
pub(crate) fn is_plain(request: &Request) -> bool {
    let mask = request.headers().get(HEADER).map(HeaderValue::as_bytes);
    mask.is_some_and(|mask| !mask.contains(&b'*') && memchr::memchr_iter(b'{', mask).count() <= 1)
}

#[cfg(feature = "masks")]
impl<A> Call<A> {
    /// Asks for the fields of a type of your own, and no others: a tenth of the bytes, often.
    ///
    /// The mask is worked out from the type's JSON Schema, as serde reads the type: renamed, flattened and
    /// nested fields, in `Option`s, lists and enums. A map, and a [`serde_json::Value`], is asked for whole.
    /// Fields that the platform does not know are ignored by it: they never come.
    ///
    /// A type that holds itself, and a field whose name a mask cannot say (it has other characters than ASCII
    /// letters, digits, `_`, `-` and `:`), are the error of [`send`](Self::send).
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
    /// let dataset = client.main().get_dataset().dataset("a-slug-or-id").fields::<Dataset>().send().await?;
    /// println!("{} by {:?}", dataset.title, dataset.organization.as_ref().map(|found| &found.name));
    ///
    /// // The same for what is on pages: their envelope comes with them.
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

    /// Asks for the fields of a type of your own on a page, and for what the platform says of the page. The
    /// `id` of the items is always asked for: [`pages`](Call::pages) know them by it.
    ///
    /// See [`fields`](Self::fields) for the errors.
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
    /// Asks for the fields that a mask names, and no others: `id,title`, `data{id,organization{name}},next_page`,
    /// `*`. What the type of the answer has beside them is left at its default.
    ///
    /// A mask of a page that leaves out `total` and `next_page` leaves [`pages`](Call::pages) to find the end by
    /// asking on; one that leaves out the `id` of the items lets them deliver twice what moves meanwhile.
    ///
    /// A mask whose braces do not match is the error of [`send`](Self::send).
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
