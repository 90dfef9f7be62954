//! What there is to do with a discussion.

#[cfg(feature = "main-discussions")]
mod catalogue {
    use crate::main::types::{
        Discussion, DiscussionEdit, DiscussionEditComment, DiscussionResponse, DiscussionStart, ModelReferenceInput,
    };
    use crate::objects::DiscussionHandle;
    use crate::{Client, Result};

    impl Client {
        /// Starts a discussion about a thing, by its class and id (`create_discussion`); the handles of datasets,
        /// reuses, dataservices and topics have `discuss`.
        ///
        /// # Errors
        ///
        /// Where the call fails.
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
        /// The discussion, with its comments (`get_discussion`).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn get(&self) -> Result<Discussion> {
            Ok(self.client.main().get_discussion().id(&self.id).send().await?.into_inner())
        }

        /// Comments on it (`comment_discussion`).
        ///
        /// # Errors
        ///
        /// Where the call fails; on a closed discussion nobody comments (403).
        pub async fn comment(&self, comment: impl Into<String>) -> Result<Discussion> {
            self.respond(DiscussionResponse::new().comment(comment)).await
        }

        /// Closes it (`comment_discussion`), for those who own its subject.
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn close(&self) -> Result<Discussion> {
            self.respond(DiscussionResponse::new().close(true)).await
        }

        /// Closes it with a last comment (`comment_discussion`), for those who own its subject.
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn close_with(&self, comment: impl Into<String>) -> Result<Discussion> {
            self.respond(DiscussionResponse::new().comment(comment).close(true)).await
        }

        /// Responds to it with all that there is to a response (`comment_discussion`), such as an organization to
        /// speak for.
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn respond(&self, response: DiscussionResponse) -> Result<Discussion> {
            Ok(self.client.main().comment_discussion().id(&self.id).body(response).send().await?.into_inner())
        }

        /// Gives it another title (`update_discussion`).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn rename(&self, title: impl Into<String>) -> Result<Discussion> {
            let edit = DiscussionEdit::new(title);
            Ok(self.client.main().update_discussion().id(&self.id).body(edit).send().await?.into_inner())
        }

        /// Changes a comment, by its id or its place, the first being 0 (`edit_discussion_comment`).
        ///
        /// # Errors
        ///
        /// Where the call fails.
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
        /// Where the call fails.
        pub async fn delete_comment(&self, id: impl Into<String>) -> Result<()> {
            self.client.main().delete_discussion_comment().id(&self.id).cidx(id.into()).send().await?;
            Ok(())
        }

        /// Deletes it (`delete_discussion`).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_discussion().id(&self.id).send().await?;
            Ok(())
        }
    }
}
