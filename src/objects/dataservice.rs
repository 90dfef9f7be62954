//! Methods of dataservice handles.

use super::DataserviceHandle;

followed!(
    "main-dataservices",
    DataserviceHandle,
    list_dataservice_followers -> ListDataserviceFollowers,
    follow_dataservice,
    unfollow_dataservice
);
featured!("main-dataservices", main, DataserviceHandle, dataservice, feature_dataservice, unfeature_dataservice -> Dataservice);
discussed!(DataserviceHandle, "Dataservice");
transferred!(DataserviceHandle, "Dataservice");

impl DataserviceHandle {
    #[allow(dead_code, reason = "not every part of the API uses it")]
    async fn object_id(&self) -> crate::Result<String> {
        super::shared::object_id(&self.client, crate::Api::Main, "dataservices", &self.id).await
    }
}

#[cfg(feature = "main-dataservices")]
mod catalogue {
    use super::super::shared::{changes, ensure_unchanged};
    use super::DataserviceHandle;
    use crate::main::types::{Dataservice, DataserviceDatasetsAdd, DataserviceInput, DataserviceUpdate};
    use crate::{Client, Result};

    impl Client {
        /// Creates a dataservice (`create_dataservice`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_dataservice(&self, dataservice: DataserviceInput) -> Result<Dataservice> {
            Ok(self.main().create_dataservice().body(dataservice).send().await?.into_inner())
        }
    }

    impl DataserviceHandle {
        /// The dataservice (`get_dataservice`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<Dataservice> {
            Ok(self.client.main().get_dataservice().dataservice(&self.id).send().await?.into_inner())
        }

        /// Reads the dataservice, passes it to `change`, and sends the changed properties (`get_dataservice`, `update_dataservice`);
        /// see [Updates](crate::objects#updates).
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(&self, change: impl FnOnce(DataserviceUpdate) -> DataserviceUpdate) -> Result<Dataservice> {
            let read = self.get().await?;
            self.write(read, change).await
        }

        /// Updates the dataservice like [`update`](Self::update), unless it was changed after `seen` was read.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails; [`is_conflict`](crate::Error::is_conflict) if it was changed meanwhile.
        pub async fn update_unless_changed(
            &self,
            seen: &Dataservice,
            change: impl FnOnce(DataserviceUpdate) -> DataserviceUpdate,
        ) -> Result<Dataservice> {
            let read = self.get().await?;
            ensure_unchanged("the dataservice", &seen.metadata_modified_at, &read.metadata_modified_at)?;
            self.write(read, change).await
        }

        async fn write(
            &self,
            read: Dataservice,
            change: impl FnOnce(DataserviceUpdate) -> DataserviceUpdate,
        ) -> Result<Dataservice> {
            let before = DataserviceUpdate::from(read.clone());
            let Some(changed_fields) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main().update_dataservice().dataservice(&self.id).body(DataserviceUpdate::new());
            Ok(call.call().body(&changed_fields).send().await?.into_inner())
        }

        /// Deletes the dataservice (`delete_dataservice`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_dataservice().dataservice(&self.id).send().await?;
            Ok(())
        }

        /// Says that it serves datasets, by their ids (`dataservice_datasets_create`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn add_datasets<Id: Into<String>>(
            &self,
            datasets: impl IntoIterator<Item = Id>,
        ) -> Result<Dataservice> {
            let datasets: Vec<_> = datasets.into_iter().map(DataserviceDatasetsAdd::new).collect();
            let call = self.client.main().dataservice_datasets_create().dataservice(&self.id).body(datasets);
            Ok(call.send().await?.into_inner())
        }

        /// Removes a dataset, by its id, from those that the dataservice serves (`delete_dataservice_dataset`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn remove_dataset(&self, dataset: impl Into<String>) -> Result<()> {
            let call = self.client.main().delete_dataservice_dataset().dataservice(&self.id).dataset(dataset.into());
            call.send().await?;
            Ok(())
        }
    }
}
