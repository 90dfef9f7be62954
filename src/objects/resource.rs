//! Methods of resource handles.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{DatasetHandle, ResourceHandle, Wait};
use crate::runtime::encode_path;
use crate::{Api, Call, DateTime, Result};

/// What the platform has found out about the file of a resource: it looks at every file some time after it was
/// added or changed, and keeps what it found in the resource's extras.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Analysis {
    /// When the URL was last tried (`check:date`).
    pub checked_at: Option<DateTime>,
    /// Whether it answered (`check:available`).
    pub available: Option<bool>,
    /// The HTTP status that it answered (`check:status`).
    pub status: Option<i64>,
    /// The media type of the file (`analysis:mime-type`).
    pub mime_type: Option<String>,
    /// The length of the file in bytes (`analysis:content-length`).
    pub content_length: Option<i64>,
    /// The checksum of the file (`analysis:checksum`).
    pub checksum: Option<String>,
    /// When the file was last changed (`analysis:last-modified-at`).
    pub last_modified_at: Option<DateTime>,
    /// Why the file could not be analysed (`analysis:error`).
    pub error: Option<String>,
    /// When the reading of its rows began (`analysis:parsing:started_at`).
    pub parsing_started_at: Option<DateTime>,
    /// When the reading of its rows ended (`analysis:parsing:finished_at`): from then on the tabular API has them.
    pub parsing_finished_at: Option<DateTime>,
    /// Why its rows could not be read (`analysis:parsing:error`).
    pub parsing_error: Option<String>,
}

impl Analysis {
    /// What the extras of a resource say of its analysis.
    #[must_use]
    pub fn from_extras(extras: &BTreeMap<String, Value>) -> Self {
        let text = |key: &str| extras.get(key).and_then(Value::as_str).map(str::to_owned);
        let time = |key: &str| text(key).map(DateTime::from);
        Self {
            checked_at: time("check:date"),
            available: extras.get("check:available").and_then(Value::as_bool),
            status: extras.get("check:status").and_then(Value::as_i64),
            mime_type: text("analysis:mime-type"),
            content_length: extras.get("analysis:content-length").and_then(Value::as_i64),
            checksum: text("analysis:checksum"),
            last_modified_at: time("analysis:last-modified-at"),
            error: text("analysis:error"),
            parsing_started_at: time("analysis:parsing:started_at"),
            parsing_finished_at: time("analysis:parsing:finished_at"),
            parsing_error: text("analysis:parsing:error"),
        }
    }

    /// Whether the platform is done with it: its rows were read, or there is a reason why they cannot be.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let parsing = match (&self.parsing_started_at, &self.parsing_finished_at) {
            // A new reading has begun; what else is there is of the one before.
            (Some(started), Some(finished)) if started.to_unix_micros() > finished.to_unix_micros() => return false,
            (_, finished) => finished.is_some(),
        };
        parsing || self.parsing_error.is_some() || self.error.is_some() || self.available == Some(false)
    }

    fn stage(&self) -> &'static str {
        match () {
            () if self.parsing_started_at.is_some() => "its rows are being read",
            () if self.checked_at.is_some() => "it was only checked",
            () => "it was not looked at",
        }
    }
}

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

    /// The dataset that it is in; asked (`get_resource` of v2) where the handle does not know.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn dataset(&self) -> Result<DatasetHandle> {
        let id = match &self.dataset {
            Some(dataset) => dataset.clone(),
            None => {
                let found = self.anywhere("dataset_id").json::<OfDataset>().send().await?.into_inner().dataset_id;
                found.ok_or_else(|| crate::Error::request(format!("the resource {} is in no dataset", self.id)))?
            }
        };
        Ok(self.client.dataset(id))
    }

    /// What the platform has found out about its file so far.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn analysis(&self) -> Result<Analysis> {
        #[derive(Deserialize)]
        struct Found {
            resource: Extras,
        }
        #[derive(Deserialize)]
        struct Extras {
            #[serde(default)]
            extras: BTreeMap<String, Value>,
        }
        let found = self.anywhere("resource{extras}").json::<Found>().send().await?;
        Ok(Analysis::from_extras(&found.resource.extras))
    }

    /// Waits until the platform is done with its file. Where its rows can be read, the tabular API has them from
    /// then on; the platform says nothing at the end of a file in which it looks for no rows, and the wait then ends
    /// at its deadline.
    ///
    /// A file that has replaced another still has the analysis of the one before: see
    /// [`wait_for_new_analysis`](Self::wait_for_new_analysis).
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::objects::Wait;
    ///
    /// let analysis = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf").wait_for_analysis(Wait::default()).await?;
    /// if let Some(reason) = analysis.error.or(analysis.parsing_error) {
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
        self.wait_for_new_analysis(&Analysis::default(), wait).await
    }

    /// Waits until the platform is done with its file and says something else than `before`, the
    /// [`analysis`](Self::analysis) before the file was replaced or a new one asked for.
    ///
    /// # Errors
    ///
    /// Returns an error if a call fails, or the deadline passes ([`is_timeout`](crate::Error::is_timeout)).
    pub async fn wait_for_new_analysis(&self, before: &Analysis, wait: Wait) -> Result<Analysis> {
        let mut pace = wait.start();
        loop {
            let analysis = self.analysis().await?;
            if analysis.is_finished() && analysis != *before {
                return Ok(analysis);
            }
            let stage = if analysis == *before { "there is nothing new" } else { analysis.stage() };
            pace.pause(|| format!("the analysis of the resource {} is not done ({stage})", self.id)).await?;
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
            let Some(said) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let dataset = self.dataset.clone().unwrap_or_default();
            let call = self.client.main().update_resource().dataset(dataset).rid(&self.id).body(ResourceUpdate::new());
            Ok(call.call().body(&said).send().await?.into_inner())
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

        /// Asks the platform to look at its file anew (`force_resource_analysis`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn request_analysis(&self) -> Result<()> {
            let dataset = self.dataset().await?;
            self.client.main().force_resource_analysis().dataset(dataset.id).rid(&self.id).send().await?;
            Ok(())
        }

        /// Asks the platform to look at its file anew, and waits for what it finds.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(extras: &[(&str, Value)]) -> bool {
        let extras = extras.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        Analysis::from_extras(&extras).is_finished()
    }

    #[test]
    fn an_analysis_is_finished_where_nothing_more_will_come() {
        assert!(!finished(&[]));
        assert!(!finished(&[("check:available", true.into()), ("check:date", "2026-01-01T00:00:00".into())]));
        assert!(finished(&[("check:available", false.into())]));
        assert!(finished(&[("analysis:error", "File too large to download".into())]));
        assert!(finished(&[("analysis:parsing:error", "no separator".into())]));
        assert!(!finished(&[("analysis:parsing:started_at", "2026-01-01T00:00:00".into())]));
        assert!(finished(&[("analysis:parsing:finished_at", "2023-06-04 10:25:23.022766+02".into())]));
    }

    #[test]
    fn what_a_new_reading_will_replace_is_not_its_end() {
        let started = ("analysis:parsing:started_at", "2026-01-02T00:00:00+00:00".into());
        assert!(!finished(&[started.clone(), ("analysis:parsing:finished_at", "2026-01-01T23:00:00+00:00".into())]));
        // An hour later, though the text says less.
        assert!(finished(&[started, ("analysis:parsing:finished_at", "2026-01-01T23:00:00-02:00".into())]));
    }
}
