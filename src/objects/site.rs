//! What there is to know of the platform as a whole.

#[cfg(feature = "main-site")]
mod catalogue {
    use crate::Result;
    use crate::main::types::Site;
    use crate::objects::SiteHandle;

    impl SiteHandle {
        /// The platform, with its counts (`get_site`).
        ///
        /// # Errors
        ///
        /// Where the call fails.
        pub async fn get(&self) -> Result<Site> {
            Ok(self.client.main().get_site().send().await?.into_inner())
        }
    }
}
