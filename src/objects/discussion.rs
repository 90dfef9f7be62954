//! Methods of discussion handles.

#[cfg(feature = "main-discussions")]
mod catalogue {
    use crate::main::types::{
        Discussion, DiscussionEdit, DiscussionEditComment, DiscussionResponse, DiscussionStart, ModelReferenceInput,
    };
    use crate::objects::DiscussionHandle;
    use crate::{Client, Result};

    impl Client {
        /// Starts a discussion about an object, by its class and id (`create_discussion`). The handles of datasets,
        /// reuses, dataservices and topics have `discuss`.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_discussion(
            &self,
            subject: ModelReferenceInput,
            title: impl Into<String>,
            comment: impl Into<String>,
        ) -> Result<Discussion> {
            let discussion = DiscussionStart::new(title, comment, subject);
            Ok(self.main().create_discussion().body(discussion).send().await?.into_inner())
        }
    }

    impl DiscussionHandle {
        /// Reads the discussion with its comments (`get_discussion`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<Discussion> {
            Ok(self.client.main().get_discussion().id(&self.id).send().await?.into_inner())
        }

        /// Adds a comment (`comment_discussion`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; 403 if the discussion is closed.
        pub async fn comment(&self, comment: impl Into<String>) -> Result<Discussion> {
            self.respond(DiscussionResponse::new().comment(comment)).await
        }

        /// Closes the discussion (`comment_discussion`), for owners of its subject.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn close(&self) -> Result<Discussion> {
            self.respond(DiscussionResponse::new().close(true)).await
        }

        /// Closes the discussion with a last comment (`comment_discussion`), for owners of its subject.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn close_with(&self, comment: impl Into<String>) -> Result<Discussion> {
            self.respond(DiscussionResponse::new().comment(comment).close(true)).await
        }

        /// Responds to it with all that there is to a response (`comment_discussion`), such as an organization to
        /// speak for.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn respond(&self, response: DiscussionResponse) -> Result<Discussion> {
            Ok(self.client.main().comment_discussion().id(&self.id).body(response).send().await?.into_inner())
        }

        /// Changes the title (`update_discussion`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn rename(&self, title: impl Into<String>) -> Result<Discussion> {
            let edit = DiscussionEdit::new(title);
            Ok(self.client.main().update_discussion().id(&self.id).body(edit).send().await?.into_inner())
        }

        /// Changes a comment, by its id or its index from 0 (`edit_discussion_comment`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn edit_comment(&self, id: impl Into<String>, comment: impl Into<String>) -> Result<Discussion> {
            let edit = DiscussionEditComment::new(comment);
            let call = self.client.main().edit_discussion_comment().id(&self.id).cidx(id.into()).body(edit);
            Ok(call.send().await?.into_inner())
        }

        /// Deletes a comment, by its id or its place (`delete_discussion_comment`). The first comment goes with the
        /// discussion alone.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete_comment(&self, id: impl Into<String>) -> Result<()> {
            self.client.main().delete_discussion_comment().id(&self.id).cidx(id.into()).send().await?;
            Ok(())
        }

        /// Deletes the discussion (`delete_discussion`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_discussion().id(&self.id).send().await?;
            Ok(())
        }
    }
}
