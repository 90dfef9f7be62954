//! Methods of reuse handles.

use super::ReuseHandle;

followed!("main-reuses", ReuseHandle, list_reuse_followers -> ListReuseFollowers, follow_reuse, unfollow_reuse);
badged!("main-reuses", ReuseHandle, reuse, add_reuse_badge, delete_reuse_badge);
featured!("main-reuses", main, ReuseHandle, reuse, feature_reuse, unfeature_reuse -> Reuse);
discussed!(ReuseHandle, "Reuse");
transferred!(ReuseHandle, "Reuse");

impl ReuseHandle {
    #[allow(dead_code, reason = "not every part of the API uses it")]
    async fn object_id(&self) -> crate::Result<String> {
        super::shared::object_id(&self.client, crate::Api::Main, "reuses", &self.id).await
    }
}

#[cfg(feature = "main-reuses")]
mod catalogue {
    use super::super::shared::{changes, ensure_unchanged};
    use super::ReuseHandle;
    use crate::main::types::{DataserviceReferenceInput, DatasetReferenceInput, Reuse, ReuseInput, ReuseUpdate};
    use crate::{Client, Result};

    impl Client {
        /// Creates a reuse (`create_reuse`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_reuse(&self, reuse: ReuseInput) -> Result<Reuse> {
            Ok(self.main().create_reuse().body(reuse).send().await?.into_inner())
        }
    }

    impl ReuseHandle {
        /// Reads the reuse (`get_reuse`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<Reuse> {
            Ok(self.client.main().get_reuse().reuse(&self.id).send().await?.into_inner())
        }

        /// Reads the reuse, passes it to `change`, and sends the changed properties (`get_reuse`, `update_reuse`); see
        /// [Updates](crate::objects#updates).
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(&self, change: impl FnOnce(ReuseUpdate) -> ReuseUpdate) -> Result<Reuse> {
            let read = self.get().await?;
            self.write(read, change).await
        }

        /// Updates the reuse like [`update`](Self::update), unless it was changed after `seen` was read.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails; [`is_conflict`](crate::Error::is_conflict) if it was changed meanwhile.
        pub async fn update_unless_changed(
            &self,
            seen: &Reuse,
            change: impl FnOnce(ReuseUpdate) -> ReuseUpdate,
        ) -> Result<Reuse> {
            let read = self.get().await?;
            ensure_unchanged("the reuse", &seen.last_modified, &read.last_modified)?;
            self.write(read, change).await
        }

        async fn write(&self, read: Reuse, change: impl FnOnce(ReuseUpdate) -> ReuseUpdate) -> Result<Reuse> {
            let before = ReuseUpdate::from(read.clone());
            let Some(changed_fields) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main().update_reuse().reuse(&self.id).body(ReuseUpdate::new()).call();
            Ok(call.body(&changed_fields).send().await?.into_inner())
        }

        /// Deletes the reuse (`delete_reuse`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_reuse().reuse(&self.id).send().await?;
            Ok(())
        }

        /// Adds a dataset, by its id, to those that the reuse uses (`reuse_add_dataset`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn add_dataset(&self, dataset: impl Into<String>) -> Result<Reuse> {
            let dataset = DatasetReferenceInput::new(dataset);
            Ok(self.client.main().reuse_add_dataset().reuse(&self.id).body(dataset).send().await?.into_inner())
        }

        /// Adds a dataservice, by its id, to those that the reuse uses (`reuse_add_dataservice`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn add_dataservice(&self, dataservice: impl Into<String>) -> Result<Reuse> {
            let dataservice = DataserviceReferenceInput::new(dataservice);
            Ok(self.client.main().reuse_add_dataservice().reuse(&self.id).body(dataservice).send().await?.into_inner())
        }
    }
}
