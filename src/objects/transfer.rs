//! Methods of the handles of transfer requests.

#[cfg(feature = "main-transfer")]
mod catalogue {
    use crate::main::types::{BaseReferenceInput, Response, Transfer, TransferRequest, TransferResponse};
    use crate::objects::TransferHandle;
    use crate::{Client, Result};

    impl Client {
        pub(in crate::objects) async fn request_transfer(
            &self,
            class: &str,
            id: String,
            recipient_class: &str,
            recipient: String,
            comment: String,
        ) -> Result<Transfer> {
            let (recipient, subject) =
                (BaseReferenceInput::new(recipient_class, recipient), BaseReferenceInput::new(class, id));
            let request = TransferRequest::new(recipient, subject).comment(comment);
            Ok(self.main().request_transfer().body(request).send().await?.into_inner())
        }
    }

    impl TransferHandle {
        /// Reads the request (`get_transfer`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<Transfer> {
            Ok(self.client.main().get_transfer().id(&self.id).send().await?.into_inner())
        }

        /// Accepts the transfer, as its recipient (`respond_to_transfer`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn accept(&self, comment: impl Into<String>) -> Result<Transfer> {
            self.respond(Response::Accept, comment.into()).await
        }

        /// Refuses the transfer, as its recipient (`respond_to_transfer`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn refuse(&self, comment: impl Into<String>) -> Result<Transfer> {
            self.respond(Response::Refuse, comment.into()).await
        }

        async fn respond(&self, response: Response, comment: String) -> Result<Transfer> {
            let response = TransferResponse::new(response).comment(comment);
            Ok(self.client.main().respond_to_transfer().id(&self.id).body(response).send().await?.into_inner())
        }
    }
}
