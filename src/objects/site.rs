//! Methods of the handle of the platform as a whole.

#[cfg(feature = "main-site")]
mod catalogue {
    use crate::Result;
    use crate::main::types::Site;
    use crate::objects::SiteHandle;

    impl SiteHandle {
        /// Reads the site with its counts (`get_site`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<Site> {
            Ok(self.client.main().get_site().send().await?.into_inner())
        }
    }
}
