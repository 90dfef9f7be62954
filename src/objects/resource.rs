//! Methods of resource handles.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Analysis, DatasetHandle, ResourceHandle, Wait};
use crate::transport::runtime::encode_path;
use crate::{Api, Call, Result};

#[derive(Deserialize)]
struct OfDataset {
    dataset_id: Option<String>,
}

impl ResourceHandle {
    /// Returns the call of v2 that finds a resource by its id alone. It works with every set of features.
    fn anywhere(&self, mask: &str) -> Call<Value> {
        let path = format!("/datasets/resources/{}/", encode_path(&self.id));
        let call = self.client.request(Api::MainV2, "GET", &path);
        if mask.is_empty() { call } else { call.header("X-Fields", mask) }
    }

    /// Returns a handle to the dataset, which is looked up if the handle does not know it (`get_resource` of v2).
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn dataset(&self) -> Result<DatasetHandle> {
        let id = match &self.dataset {
            Some(dataset) => dataset.clone(),
            None => {
                let found = self.anywhere("dataset_id").json::<OfDataset>().send().await?.into_inner().dataset_id;
                found.ok_or_else(|| {
                    crate::Error::request(format!("the resource {} does not belong to a dataset", self.id))
                })?
            }
        };
        Ok(self.client.dataset(id))
    }

    /// Reads what the platform has found out about the file so far.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn analysis(&self) -> Result<Analysis> {
        Ok(self.analysed().await?.0)
    }

    /// Reads the analysis and the current URL of the file.
    pub(crate) async fn analysed(&self) -> Result<(Analysis, Option<String>)> {
        #[derive(Deserialize)]
        struct Found {
            resource: Analysed,
        }
        #[derive(Deserialize)]
        struct Analysed {
            #[serde(default, deserialize_with = "crate::codec::tolerant::null_is_default")]
            extras: BTreeMap<String, Value>,
            url: Option<String>,
        }
        let found = self.anywhere("resource{extras,url}").json::<Found>().send().await?.into_inner().resource;
        Ok((Analysis::from_extras(&found.extras), found.url))
    }

    /// Waits until the platform has analysed the file. If [the rows can be read](Analysis::has_rows), the tabular API has
    /// them from then on; the exports come later, see [`wait_until`](Self::wait_until). The platform does not report the end
    /// of the analysis of a file in which it looks for no rows; the wait then ends at its deadline.
    ///
    /// After a file was replaced, the rows of the previous file are not taken for those of the new one, but an error of the
    /// previous file can be. In that case, and for a file on another server that changed under the same URL, use
    /// [`wait_for_new_analysis`](Self::wait_for_new_analysis).
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::objects::Wait;
    ///
    /// let resource = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf");
    /// let analysis = resource.wait_for_analysis(Wait::default()).await?;
    /// if let Some(reason) = analysis.rows_error() {
    ///     println!("the rows cannot be read: {reason}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails, or the deadline passes ([`is_timeout`](crate::Error::is_timeout)).
    pub async fn wait_for_analysis(&self, wait: Wait) -> Result<Analysis> {
        self.wait_until(wait, Analysis::is_finished).await
    }

    /// Waits until the platform has analysed the file with another result than `before`, the [`analysis`](Self::analysis) read
    /// before the file was replaced or a new analysis was requested.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails, or the deadline passes ([`is_timeout`](crate::Error::is_timeout)).
    pub async fn wait_for_new_analysis(&self, before: &Analysis, wait: Wait) -> Result<Analysis> {
        self.wait_until(wait, |analysis| analysis.is_finished() && analysis.outcome() != before.outcome()).await
    }

    /// Waits until the analysis of the file satisfies a condition. Results that are known to be of a previous file are
    /// ignored.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::objects::Wait;
    ///
    /// let resource = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf");
    /// let analysis = resource.wait_until(Wait::default(), |analysis| analysis.parquet.is_some()).await?;
    /// if let Some(parquet) = analysis.parquet {
    ///     println!("{}", parquet.url);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails, or the deadline passes ([`is_timeout`](crate::Error::is_timeout)).
    pub async fn wait_until(&self, wait: Wait, is_wanted: impl Fn(&Analysis) -> bool) -> Result<Analysis> {
        let mut poller = wait.start();
        loop {
            let (analysis, url) = self.analysed().await?;
            if is_wanted(&analysis) && !analysis.is_outdated(url.as_deref()) {
                return Ok(analysis);
            }
            let stage = analysis.stage(url.as_deref());
            poller
                .pause(|| {
                    format!("the analysis of the resource {} does not satisfy the condition yet ({stage})", self.id)
                })
                .await?;
        }
    }
}

#[cfg(feature = "main-datasets")]
mod catalogue {
    use serde::Deserialize;

    use super::super::shared::{changes, ensure_unchanged};
    use super::{ResourceHandle, Wait};
    use crate::main::types::{Resource, ResourceInternals, ResourceUpdate};
    use crate::objects::Analysis;
    use crate::{DateTime, Result};

    impl ResourceHandle {
        /// Reads the resource (`get_resource`, that of v2 if the handle does not know the dataset).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<Resource> {
            #[derive(Deserialize)]
            struct Found {
                resource: Resource,
            }
            match &self.dataset {
                Some(dataset) => {
                    Ok(self.client.main().get_resource().dataset(dataset).rid(&self.id).send().await?.into_inner())
                }
                None => Ok(self.anywhere("").json::<Found>().send().await?.into_inner().resource),
            }
        }

        /// Reads the resource, passes it to `change`, and sends the changed properties (`get_resource`, `update_resource`); see
        /// [Updates](crate::objects#updates).
        ///
        /// ```no_run
        /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
        /// let dataset = client.dataset("a-slug-or-id");
        /// let resource = dataset.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf");
        /// resource.update(|update| update.title("Codes and names").description("By code.")).await?;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns an error if one of the calls fails.
        pub async fn update(&self, change: impl FnOnce(ResourceUpdate) -> ResourceUpdate) -> Result<Resource> {
            let known = self.known().await?;
            let read = known.get().await?;
            known.write(read, change).await
        }

        /// Updates the resource like [`update`](Self::update), unless it was changed after `seen` was read.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails; [`is_conflict`](crate::Error::is_conflict) if it was changed meanwhile.
        pub async fn update_unless_changed(
            &self,
            seen: &Resource,
            change: impl FnOnce(ResourceUpdate) -> ResourceUpdate,
        ) -> Result<Resource> {
            let known = self.known().await?;
            let read = known.get().await?;
            ensure_unchanged(
                "the resource",
                &seen.internal.last_modified_internal,
                &read.internal.last_modified_internal,
            )?;
            known.write(read, change).await
        }

        async fn write(
            &self,
            read: Resource,
            change: impl FnOnce(ResourceUpdate) -> ResourceUpdate,
        ) -> Result<Resource> {
            let before = ResourceUpdate::from(read.clone());
            let changed = change(before.clone());
            if let Some(url) = changed.url.as_deref().filter(|url| *url != read.url) {
                super::super::file_url::check_published(url)?;
            }
            let Some(changed_fields) = changes(&before, &changed, &[])? else { return Ok(read) };
            let dataset = self.dataset.clone().unwrap_or_default();
            let call = self.client.main().update_resource().dataset(dataset).rid(&self.id).body(ResourceUpdate::new());
            Ok(call.call().body(&changed_fields).send().await?.into_inner())
        }

        /// Returns the handle with its dataset.
        async fn known(&self) -> Result<Self> {
            Ok(self.dataset().await?.resource(&self.id))
        }

        /// Deletes the resource (`delete_resource`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            let dataset = self.dataset().await?;
            self.client.main().delete_resource().dataset(dataset.id).rid(&self.id).send().await?;
            Ok(())
        }

        /// Requests a new analysis of the file (`force_resource_analysis`), for administrators of the platform.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn request_analysis(&self) -> Result<()> {
            let dataset = self.dataset().await?;
            self.client.main().force_resource_analysis().dataset(dataset.id).rid(&self.id).send().await?;
            Ok(())
        }

        /// Requests a new analysis of the file, for administrators of the platform, and waits for its result.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails, or the deadline passes ([`is_timeout`](crate::Error::is_timeout)).
        pub async fn analyse(&self, wait: Wait) -> Result<Analysis> {
            let before = self.analysis().await?;
            self.request_analysis().await?;
            self.wait_for_new_analysis(&before, wait).await
        }

        /// Returns the time of the last change on the platform.
        pub(in crate::objects) async fn changed_at(&self) -> Result<DateTime> {
            #[derive(Deserialize)]
            struct Found {
                resource: Changed,
            }
            #[derive(Deserialize)]
            struct Changed {
                internal: ResourceInternals,
            }
            let mask = "resource{internal{last_modified_internal}}";
            Ok(self.anywhere(mask).json::<Found>().send().await?.into_inner().resource.internal.last_modified_internal)
        }
    }
}

#[cfg(feature = "main-v2")]
impl ResourceHandle {
    /// Reads the extras (`get_resource_extras` of v2).
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn extras(&self) -> Result<BTreeMap<String, Value>> {
        let dataset = self.dataset().await?;
        Ok(self.client.main_v2().get_resource_extras().dataset(dataset.id).rid(&self.id).send().await?.into_inner())
    }

    /// Sets some extras and keeps the others (`update_resource_extras` of v2). Null removes a key. Returns all extras. Those
    /// that the platform writes itself (`analysis:…`, `check:…`) are kept.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn update_extras<K: Into<String>, V: Into<Value>>(
        &self,
        extras: impl IntoIterator<Item = (K, V)>,
    ) -> Result<BTreeMap<String, Value>> {
        let extras: serde_json::Map<String, Value> =
            extras.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        let dataset = self.dataset().await?;
        let call = self.client.main_v2().update_resource_extras().dataset(dataset.id).rid(&self.id).body(extras);
        Ok(call.send().await?.into_inner())
    }

    /// Removes extras by their keys (`delete_resource_extras` of v2).
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn delete_extras<K: Into<String>>(&self, keys: impl IntoIterator<Item = K>) -> Result<()> {
        let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
        let dataset = self.dataset().await?;
        self.client.main_v2().delete_resource_extras().dataset(dataset.id).rid(&self.id).body(keys).send().await?;
        Ok(())
    }
}
