//! Methods of community resource handles.

#[cfg(feature = "main-datasets")]
mod catalogue {
    use super::super::shared::{changes, ensure_unchanged};
    use crate::main::types::{
        CommunityResource, CommunityResourceInput, CommunityResourceUpdate, DatasetReferenceInput, Filetype,
        ResourceTypeValue,
    };
    use crate::objects::CommunityResourceHandle;
    use crate::{Client, Result};

    impl Client {
        /// Adds a community resource that lies elsewhere to a dataset (`create_community_resource`); see
        /// [`CommunityResourceInput::remote`].
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; before it is sent, if the URL cannot be meant, as in
        /// [`create_remote`](crate::objects::DatasetHandle::create_remote).
        pub async fn create_community_resource(&self, resource: CommunityResourceInput) -> Result<CommunityResource> {
            super::super::file_url::check_published(&resource.url)?;
            Ok(self.main().create_community_resource().body(resource).send().await?.into_inner())
        }
    }

    impl CommunityResourceInput {
        /// Creates the input for a community resource that is a file on another server, by the id of its dataset.
        #[must_use]
        pub fn remote(dataset: impl Into<String>, title: impl Into<String>, url: impl Into<String>) -> Self {
            let dataset = DatasetReferenceInput::new(dataset);
            Self::new(title, dataset, Filetype::Remote, url).type_(ResourceTypeValue::Main)
        }
    }

    impl CommunityResourceHandle {
        /// Reads the community resource (`retrieve_community_resource`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<CommunityResource> {
            Ok(self.client.main().retrieve_community_resource().community(&self.id).send().await?.into_inner())
        }

        /// Reads the community resource, passes it to `change`, and sends the changed properties (`retrieve_community_resource`,
        /// `update_community_resource`); see [Updates](crate::objects#updates).
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(
            &self,
            change: impl FnOnce(CommunityResourceUpdate) -> CommunityResourceUpdate,
        ) -> Result<CommunityResource> {
            let read = self.get().await?;
            self.write(read, change).await
        }

        /// Updates the community resource like [`update`](Self::update), unless it was changed after `seen` was read.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails; [`is_conflict`](crate::Error::is_conflict) if it was changed meanwhile.
        pub async fn update_unless_changed(
            &self,
            seen: &CommunityResource,
            change: impl FnOnce(CommunityResourceUpdate) -> CommunityResourceUpdate,
        ) -> Result<CommunityResource> {
            let read = self.get().await?;
            ensure_unchanged(
                "the community resource",
                &seen.internal.last_modified_internal,
                &read.internal.last_modified_internal,
            )?;
            self.write(read, change).await
        }

        async fn write(
            &self,
            read: CommunityResource,
            change: impl FnOnce(CommunityResourceUpdate) -> CommunityResourceUpdate,
        ) -> Result<CommunityResource> {
            let before = CommunityResourceUpdate::from(read.clone());
            let changed = change(before.clone());
            if let Some(url) = changed.url.as_deref().filter(|url| *url != read.url) {
                super::super::file_url::check_published(url)?;
            }
            let Some(changed_fields) = changes(&before, &changed, &[])? else { return Ok(read) };
            let call = self.client.main().update_community_resource().community(&self.id);
            Ok(call.body(CommunityResourceUpdate::new()).call().body(&changed_fields).send().await?.into_inner())
        }

        /// Deletes the community resource (`delete_community_resource`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_community_resource().community(&self.id).send().await?;
            Ok(())
        }
    }
}
