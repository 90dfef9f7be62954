//! The calls by hand: reqwest and the types that serde derives.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};

use super::types::{Dataset, DatasetPage, Suggestion};

pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub(crate) fn new(base: String) -> reqwest::Result<Self> {
        crate::install_tls();
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent("benchmark")
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(60))
            .build()?;
        Ok(Self { http, base })
    }

    pub(super) async fn suggest_formats(&self, words: &str, size: u32) -> reqwest::Result<Vec<Suggestion>> {
        let request = self.http.get(format!("{}/datasets/suggest/formats/", self.base));
        request.query(&[("q", words)]).query(&[("size", size)]).send().await?.error_for_status()?.json().await
    }

    /// How many resources a dataset has.
    pub(crate) async fn resources(&self, dataset: &str) -> reqwest::Result<usize> {
        Ok(self.dataset(dataset).await?.resources.len())
    }

    pub(super) async fn dataset(&self, dataset: &str) -> reqwest::Result<Dataset> {
        let request = self.http.get(format!("{}/datasets/{dataset}/", self.base));
        request.send().await?.error_for_status()?.json().await
    }

    pub(super) async fn datasets(&self, page_size: u32) -> reqwest::Result<DatasetPage> {
        let request = self.http.get(format!("{}/datasets/", self.base));
        request.query(&[("page_size", page_size)]).send().await?.error_for_status()?.json().await
    }
}
