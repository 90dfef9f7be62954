//! Methods of topic handles. A topic is a selection of datasets, reuses and dataservices about a subject.

use super::TopicHandle;

featured!("main-v2", main_v2, TopicHandle, topic, feature_topic, unfeature_topic -> Topic);
discussed!(TopicHandle, "Topic");

impl TopicHandle {
    #[allow(dead_code, reason = "not every part of the API uses it")]
    async fn object_id(&self) -> crate::Result<String> {
        super::shared::object_id(&self.client, crate::Api::MainV2, "topics", &self.id).await
    }

    /// Returns the id of the topic, which is read: a list filtered by a topic that does not exist is not filtered.
    #[cfg(feature = "main-v2")]
    pub(crate) async fn looked_up_id(&self) -> crate::Result<String> {
        super::shared::looked_up_id(&self.client, crate::Api::MainV2, "topics", &self.id).await
    }
}

#[cfg(feature = "main-v2")]
mod catalogue {
    use super::super::shared::{changes, ensure_unchanged};
    use super::TopicHandle;
    use crate::main_v2::builder;
    use crate::main_v2::types::{LazyReference, Topic, TopicElement, TopicElementInput, TopicInput, TopicUpdate};
    use crate::{Client, Result};

    impl Client {
        /// Creates a topic (`create_topic` of v2).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_topic(&self, topic: TopicInput) -> Result<Topic> {
            Ok(self.main_v2().create_topic().body(topic).send().await?.into_inner())
        }
    }

    impl TopicElementInput {
        /// Creates an element that refers to a dataset, by its id.
        #[must_use]
        pub fn dataset(id: impl Into<String>) -> Self {
            Self::new().element(LazyReference::new("Dataset", id))
        }

        /// Creates an element that refers to a reuse, by its id.
        #[must_use]
        pub fn reuse(id: impl Into<String>) -> Self {
            Self::new().element(LazyReference::new("Reuse", id))
        }

        /// Creates an element that refers to a dataservice, by its id.
        #[must_use]
        pub fn dataservice(id: impl Into<String>) -> Self {
            Self::new().element(LazyReference::new("Dataservice", id))
        }
    }

    impl TopicHandle {
        /// Reads the topic (`get_topic` of v2).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<Topic> {
            Ok(self.client.main_v2().get_topic().topic(&self.id).send().await?.into_inner())
        }

        /// Reads the topic, passes it to `change`, and sends the changed properties (`get_topic`, `update_topic` of v2); see
        /// [Updates](crate::objects#updates). Elements in the update replace all existing ones.
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(&self, change: impl FnOnce(TopicUpdate) -> TopicUpdate) -> Result<Topic> {
            let read = self.get().await?;
            self.write(read, change).await
        }

        /// Updates the topic like [`update`](Self::update), unless it was changed after `seen` was read.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails; [`is_conflict`](crate::Error::is_conflict) if it was changed meanwhile.
        pub async fn update_unless_changed(
            &self,
            seen: &Topic,
            change: impl FnOnce(TopicUpdate) -> TopicUpdate,
        ) -> Result<Topic> {
            let read = self.get().await?;
            ensure_unchanged("the topic", &seen.last_modified, &read.last_modified)?;
            self.write(read, change).await
        }

        async fn write(&self, read: Topic, change: impl FnOnce(TopicUpdate) -> TopicUpdate) -> Result<Topic> {
            let before = TopicUpdate::from(read.clone());
            let Some(changed_fields) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main_v2().update_topic().topic(&self.id).body(TopicUpdate::new()).call();
            Ok(call.body(&changed_fields).send().await?.into_inner())
        }

        /// Deletes the topic (`delete_topic` of v2).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main_v2().delete_topic().topic(&self.id).send().await?;
            Ok(())
        }

        /// Lists the elements, filtered by words, class and tag (`topic_elements` of v2).
        pub fn elements(&self) -> builder::TopicElements<'_> {
            self.client.main_v2().topic_elements().topic(&self.id)
        }

        /// Lists the datasets of the topic as complete datasets (`get_topic`, `list_datasets` of v2).
        ///
        /// # Errors
        ///
        /// Returns an error if the topic does not exist: the server would list all datasets.
        pub async fn datasets(&self) -> Result<builder::ListDatasets<'_>> {
            Ok(self.client.main_v2().list_datasets().topic(self.looked_up_id().await?))
        }

        /// Adds elements (`topic_elements_create` of v2).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn add_elements(
            &self,
            elements: impl IntoIterator<Item = TopicElementInput>,
        ) -> Result<Vec<TopicElement>> {
            let elements: Vec<TopicElementInput> = elements.into_iter().collect();
            let call = self.client.main_v2().topic_elements_create().topic(&self.id).body(elements);
            Ok(call.send().await?.into_inner())
        }

        /// Changes an element, by its id (`topic_element_update` of v2). Properties that are not set are kept.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn update_element(&self, id: impl Into<String>, element: TopicElementInput) -> Result<TopicElement> {
            let call = self.client.main_v2().topic_element_update().topic(&self.id).element_id(id.into()).body(element);
            Ok(call.send().await?.into_inner())
        }

        /// Removes an element, by its id (`delete_topic_element` of v2).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn remove_element(&self, id: impl Into<String>) -> Result<()> {
            self.client.main_v2().delete_topic_element().topic(&self.id).element_id(id.into()).send().await?;
            Ok(())
        }

        /// Removes all elements (`topic_elements_delete` of v2).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn clear_elements(&self) -> Result<()> {
            self.client.main_v2().topic_elements_delete().topic(&self.id).send().await?;
            Ok(())
        }
    }
}
