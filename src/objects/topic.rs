//! What there is to do with a topic: a choice of datasets, reuses and dataservices about a subject.

use super::TopicHandle;

featured!("main-v2", main_v2, TopicHandle, topic, feature_topic, unfeature_topic -> Topic);
discussed!(TopicHandle, "Topic");

impl TopicHandle {
    #[allow(dead_code, reason = "not every part of the API asks for it")]
    async fn object_id(&self) -> crate::Result<String> {
        super::shared::object_id(&self.client, crate::Api::MainV2, "topics", &self.id).await
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
        /// Where the call fails.
        pub async fn create_topic(&self, topic: TopicInput) -> Result<Topic> {
            Ok(self.main_v2().create_topic().body(topic).send().await?.into_inner())
        }
    }

    impl TopicElementInput {
        /// An element that is a dataset, by its id.
        #[must_use]
        pub fn dataset(id: impl Into<String>) -> Self {
            Self::new().element(LazyReference::new("Dataset", id))
        }

        /// An element that is a reuse, by its id.
        #[must_use]
        pub fn reuse(id: impl Into<String>) -> Self {
            Self::new().element(LazyReference::new("Reuse", id))
        }

        /// An element that is a dataservice, by its id.
        #[must_use]
        pub fn dataservice(id: impl Into<String>) -> Self {
            Self::new().element(LazyReference::new("Dataservice", id))
        }
    }

    impl TopicHandle {
        /// The topic (`get_topic` of v2).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn get(&self) -> Result<Topic> {
            Ok(self.client.main_v2().get_topic().topic(&self.id).send().await?.into_inner())
        }

        /// Reads it, lets `change` change what was read, and writes that (`get_topic`, `update_topic` of v2); see
        /// [the module](crate::objects#changing). Elements that are given there replace all that there are.
        ///
        /// # Errors
        ///
        /// Where one of the two calls fails.
        pub async fn update(&self, change: impl FnOnce(TopicUpdate) -> TopicUpdate) -> Result<Topic> {
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
            seen: &Topic,
            change: impl FnOnce(TopicUpdate) -> TopicUpdate,
        ) -> Result<Topic> {
            let read = self.get().await?;
            ensure_unchanged("the topic", &seen.last_modified, &read.last_modified)?;
            self.write(read, change).await
        }

        async fn write(&self, read: Topic, change: impl FnOnce(TopicUpdate) -> TopicUpdate) -> Result<Topic> {
            let before = TopicUpdate::from(read.clone());
            let Some(said) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main_v2().update_topic().topic(&self.id).body(TopicUpdate::new()).call();
            Ok(call.body(&said).send().await?.into_inner())
        }

        /// Deletes it (`delete_topic` of v2).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main_v2().delete_topic().topic(&self.id).send().await?;
            Ok(())
        }

        /// What is in it (`topic_elements` of v2): a builder, which can choose by words, class and tag.
        pub fn elements(&self) -> builder::TopicElements<'_> {
            self.client.main_v2().topic_elements().topic(&self.id)
        }

        /// The datasets in it, with what is known of any dataset (`list_datasets` of v2).
        ///
        /// # Errors
        ///
        /// Where the handle has a slug, for which the id has to be asked, and that call fails.
        pub async fn datasets(&self) -> Result<builder::ListDatasets<'_>> {
            Ok(self.client.main_v2().list_datasets().topic(self.object_id().await?))
        }

        /// Adds to what is in it (`topic_elements_create` of v2).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn add_elements(
            &self,
            elements: impl IntoIterator<Item = TopicElementInput>,
        ) -> Result<Vec<TopicElement>> {
            let elements: Vec<TopicElementInput> = elements.into_iter().collect();
            let call = self.client.main_v2().topic_elements_create().topic(&self.id).body(elements);
            Ok(call.send().await?.into_inner())
        }

        /// Changes an element, by its id (`topic_element_update` of v2); what is not said stays.
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn update_element(&self, id: impl Into<String>, element: TopicElementInput) -> Result<TopicElement> {
            let call = self.client.main_v2().topic_element_update().topic(&self.id).element_id(id.into()).body(element);
            Ok(call.send().await?.into_inner())
        }

        /// Takes an element out, by its id (`delete_topic_element` of v2).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn remove_element(&self, id: impl Into<String>) -> Result<()> {
            self.client.main_v2().delete_topic_element().topic(&self.id).element_id(id.into()).send().await?;
            Ok(())
        }

        /// Takes all elements out (`topic_elements_delete` of v2).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn clear_elements(&self) -> Result<()> {
            self.client.main_v2().topic_elements_delete().topic(&self.id).send().await?;
            Ok(())
        }
    }
}
