//! What there is to do with a community resource.

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
        /// Where the call fails.
        pub async fn create_community_resource(&self, resource: CommunityResourceInput) -> Result<CommunityResource> {
            Ok(self.main().create_community_resource().body(resource).send().await?.into_inner())
        }
    }

    impl CommunityResourceInput {
        /// A main file that lies elsewhere, by its URL, for a dataset by its id.
        #[must_use]
        pub fn remote(dataset: impl Into<String>, title: impl Into<String>, url: impl Into<String>) -> Self {
            let dataset = DatasetReferenceInput::new(dataset);
            Self::new(title, dataset, Filetype::Remote, url).type_(ResourceTypeValue::Main)
        }
    }

    impl CommunityResourceHandle {
        /// The community resource (`retrieve_community_resource`).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn get(&self) -> Result<CommunityResource> {
            Ok(self.client.main().retrieve_community_resource().community(&self.id).send().await?.into_inner())
        }

        /// Reads it, lets `change` change what was read, and writes that (`retrieve_community_resource`,
        /// `update_community_resource`); see [the module](crate::objects#changing).
        ///
        /// # Errors
        ///
        /// Where one of the two calls fails.
        pub async fn update(
            &self,
            change: impl FnOnce(CommunityResourceUpdate) -> CommunityResourceUpdate,
        ) -> Result<CommunityResource> {
            let read = self.get().await?;
            self.write(read, change).await
        }

        /// The same, refused where it was changed after it was `seen`.
        ///
        /// # Errors
        ///
        /// Where a call fails; a change by somebody else [is a conflict](crate::Error::is_conflict).
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
            let Some(said) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main().update_community_resource().community(&self.id);
            Ok(call.body(CommunityResourceUpdate::new()).call().body(&said).send().await?.into_inner())
        }

        /// Deletes it (`delete_community_resource`).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_community_resource().community(&self.id).send().await?;
            Ok(())
        }
    }
}
