//! Methods of dataset handles.

use super::DatasetHandle;

with_extras!(DatasetHandle, dataset, get_dataset_extras, update_dataset_extras, delete_dataset_extras);
followed!("main-datasets", DatasetHandle, list_dataset_followers -> ListDatasetFollowers, follow_dataset, unfollow_dataset);
badged!("main-datasets", DatasetHandle, dataset, add_dataset_badge, delete_dataset_badge);
featured!("main-datasets", main, DatasetHandle, dataset, feature_dataset, unfeature_dataset -> Dataset);
discussed!(DatasetHandle, "Dataset");
transferred!(DatasetHandle, "Dataset");

impl DatasetHandle {
    #[allow(dead_code, reason = "not every part of the API uses it")]
    async fn object_id(&self) -> crate::Result<String> {
        super::shared::object_id(&self.client, crate::Api::Main, "datasets", &self.id).await
    }
}

#[cfg(feature = "main-v2")]
impl DatasetHandle {
    /// Lists the resources in pages, filtered by title and type (`list_resources` of v2).
    pub fn resources(&self) -> crate::main_v2::builder::ListResources<'_> {
        self.client.main_v2().list_resources().dataset(&self.id)
    }
}

#[cfg(feature = "main-datasets")]
mod catalogue {
    use std::cmp::Ordering;

    use serde::Deserialize;

    use super::super::order::ResourceOrder;
    use super::super::shared::{changes, ensure_unchanged};
    use super::DatasetHandle;
    use crate::main::builder;
    use crate::main::types::{
        Dataset, DatasetInput, DatasetUpdate, Filetype, Resource, ResourceIdentifier, ResourceInput, ResourceInternals,
        ResourceTypeValue,
    };
    use crate::{Client, DateTime, Result};

    /// Properties that the platform removes if an update leaves them out.
    const LOST_WHERE_ABSENT: [&str; 2] = ["tags", "temporal_coverage"];

    impl Client {
        /// Creates a dataset (`create_dataset`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_dataset(&self, dataset: DatasetInput) -> Result<Dataset> {
            Ok(self.main().create_dataset().body(dataset).send().await?.into_inner())
        }
    }

    impl ResourceInput {
        /// Creates the input for a resource that is a file on another server.
        ///
        /// Its type is `main`, which the platform does not assume by default; `type_` changes it.
        #[must_use]
        pub fn remote(title: impl Into<String>, url: impl Into<String>) -> Self {
            Self::new(title, Filetype::Remote, url).type_(ResourceTypeValue::Main)
        }
    }

    impl DatasetHandle {
        /// Reads the dataset (`get_dataset`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; [`is_gone`](crate::Error::is_gone) if the dataset was deleted, except for its
        /// owners.
        pub async fn get(&self) -> Result<Dataset> {
            Ok(self.client.main().get_dataset().dataset(&self.id).send().await?.into_inner())
        }

        /// Reads the dataset, passes it to `change`, and sends the changed properties (`get_dataset`, `update_dataset`); see
        /// [Updates](crate::objects#updates).
        ///
        /// Leave `resources` unset: the update removes resources that the list does not name. To change extras, use
        /// `update_extras`, which works by key.
        ///
        /// ```no_run
        /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
        /// let dataset = client
        ///     .dataset("a-slug-or-id")
        ///     .update(|update| {
        ///         let mut tags = update.tags.clone().unwrap_or_default();
        ///         tags.push("water".to_owned());
        ///         update.title("A better title").tags(tags)
        ///     })
        ///     .await?;
        /// # let _ = dataset;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(&self, change: impl FnOnce(DatasetUpdate) -> DatasetUpdate) -> Result<Dataset> {
            let read = self.get().await?;
            self.write(read, change).await
        }

        /// Updates the dataset like [`update`](Self::update), unless it was changed after `seen` was read.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails; [`is_conflict`](crate::Error::is_conflict) if it was changed meanwhile.
        pub async fn update_unless_changed(
            &self,
            seen: &Dataset,
            change: impl FnOnce(DatasetUpdate) -> DatasetUpdate,
        ) -> Result<Dataset> {
            let read = self.get().await?;
            ensure_unchanged(
                "the dataset",
                &seen.internal.last_modified_internal,
                &read.internal.last_modified_internal,
            )?;
            self.write(read, change).await
        }

        async fn write(&self, read: Dataset, change: impl FnOnce(DatasetUpdate) -> DatasetUpdate) -> Result<Dataset> {
            let before = DatasetUpdate::from(read.clone());
            let Some(changed_fields) = changes(&before, &change(before.clone()), &LOST_WHERE_ABSENT)? else {
                return Ok(read);
            };
            let call = self.client.main().update_dataset().dataset(&self.id).body(DatasetUpdate::new()).call();
            Ok(call.body(&changed_fields).send().await?.into_inner())
        }

        /// Deletes the dataset (`delete_dataset`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; [`is_conflict`](crate::Error::is_conflict) for a dataset with a DOI, which cannot
        /// be deleted.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_dataset().dataset(&self.id).send().await?;
            Ok(())
        }

        /// Mints a DOI for the dataset (`mint_dataset_doi`). This cannot be undone.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; [`is_conflict`](crate::Error::is_conflict) if the dataset has a DOI already.
        pub async fn mint_doi(&self) -> Result<Dataset> {
            Ok(self.client.main().mint_dataset_doi().dataset(&self.id).send().await?.into_inner())
        }

        /// Adds a resource that is a file on another server (`create_resource`); see [`ResourceInput::remote`].
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; before it is sent, if the URL is escaped as HTML (`&amp;`), contains spaces or has
        /// no scheme. The error says what was probably meant.
        pub async fn create_remote(&self, mut resource: ResourceInput) -> Result<Resource> {
            super::super::file_url::check_published(&resource.url)?;
            // The operation accepts no other kind.
            resource.filetype = Filetype::Remote;
            Ok(self.client.main().create_resource().dataset(&self.id).body(resource).send().await?.into_inner())
        }

        /// Uploads a file as a new resource and describes it: [`upload`](Self::upload), then
        /// [`update`](crate::objects::ResourceHandle::update) of the created resource.
        ///
        /// ```no_run
        /// # async fn example(client: datagouv::Client) -> Result<(), Box<dyn std::error::Error>> {
        /// use datagouv::File;
        ///
        /// let file = File::from_path("communes.csv").await?;
        /// let dataset = client.dataset("a-slug-or-id");
        /// let resource = dataset.create_from_file(file, |update| update.title("Communes")).await?;
        /// # let _ = resource;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns an error if one of the calls fails. If it is not the first, the resource exists under the file's name.
        #[cfg(feature = "files")]
        pub async fn create_from_file(
            &self,
            file: impl Into<crate::File>,
            describe: impl FnOnce(crate::main::types::ResourceUpdate) -> crate::main::types::ResourceUpdate,
        ) -> Result<Resource> {
            let uploaded = self.upload(file).send().await?;
            self.resource(uploaded.id).update(describe).await
        }

        /// Lists the community resources (`list_community_resources`).
        ///
        /// # Errors
        ///
        /// Returns an error if the handle was made with a slug, whose id is looked up first, and that call fails.
        pub async fn community_resources(&self) -> Result<builder::ListCommunityResources<'_>> {
            Ok(self.client.main().list_community_resources().dataset(self.object_id().await?))
        }

        /// Reorders the resources (`update_resources`). `ids` must contain the ids of all of them.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn reorder<Id: Into<String>>(&self, ids: impl IntoIterator<Item = Id>) -> Result<Vec<Resource>> {
            let ids: Vec<ResourceIdentifier> = ids.into_iter().map(ResourceIdentifier::new).collect();
            Ok(self.client.main().update_resources().dataset(&self.id).body(ids).send().await?.into_inner())
        }

        /// Sorts the resources (`get_dataset`, `update_resources`). If they are in order, nothing is written.
        ///
        /// ```no_run
        /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
        /// use datagouv::objects::ResourceKey;
        ///
        /// let dataset = client.dataset("a-slug-or-id");
        /// dataset.sort_resources(ResourceKey::Title).await?;
        /// dataset.sort_resources(ResourceKey::LastModified.descending()).await?;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn sort_resources(&self, by: impl Into<ResourceOrder>) -> Result<Vec<Resource>> {
            let by = by.into();
            self.sort_resources_by(move |one, other| by.compare(one, other)).await
        }

        /// Sorts the resources like [`sort_resources`](Self::sort_resources), by a comparison function.
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn sort_resources_by(
            &self,
            compare: impl FnMut(&Resource, &Resource) -> Ordering,
        ) -> Result<Vec<Resource>> {
            let read = self.get().await?.resources;
            let mut sorted = read.clone();
            sorted.sort_by(compare);
            if sorted.iter().map(|resource| &resource.id).eq(read.iter().map(|resource| &resource.id)) {
                return Ok(read);
            }
            self.reorder(sorted.into_iter().map(|resource| resource.id)).await
        }

        /// Returns whether a resource of the dataset was changed after the given resource, of this dataset or another
        /// (`get_dataset`, and `get_resource` of v2). It shows whether a file derived from the dataset is out of date.
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn has_more_recent_update_than(&self, resource: impl Into<String>) -> Result<bool> {
            #[derive(Deserialize)]
            struct Changed {
                internal: ResourceInternals,
            }
            #[derive(Deserialize)]
            struct Resources {
                #[serde(default, deserialize_with = "crate::codec::tolerant::null_is_default")]
                resources: Vec<Changed>,
            }
            let mask = "resources{internal{last_modified_internal}}";
            let call = self.client.main().get_dataset().dataset(&self.id).x_fields(mask).call();
            let resources = call.json::<Resources>().send().await?.into_inner().resources;
            let reference = self.client.resource(resource).changed_at().await?.to_unix_micros();
            let changed = |resource: &Changed| DateTime::to_unix_micros(&resource.internal.last_modified_internal);
            Ok(resources.iter().any(|resource| changed(resource) > reference))
        }
    }
}
