//! Methods of the handle of the API key's holder.

#[cfg(feature = "main-me")]
mod catalogue {
    use super::super::shared::changes;
    use crate::Result;
    use crate::main::types::{
        ApiToken, ApiTokenCreated, ApiTokenInput, CommunityResource, Confirmation, Dataset, Discussion, MyMetrics,
        PendingInvitation, Reuse, User, UserUpdate,
    };
    use crate::objects::MeHandle;

    /// Lists that come whole.
    macro_rules! lists {
        ($($(#[$meta:meta])* $method:ident, $operation:ident -> $item:ident;)*) => {
            impl MeHandle {
                $(
                    $(#[$meta])*
                    #[doc = concat!("(`", stringify!($operation), "`).")]
                    ///
                    /// # Errors
                    ///
                    /// Returns an error if the call fails.
                    pub async fn $method(&self) -> Result<Vec<$item>> {
                        Ok(self.client.main().$operation().send().await?.into_inner())
                    }
                )*
            }
        };
    }

    lists! {
        /// One's own datasets
        datasets, my_datasets -> Dataset;
        /// One's own reuses
        reuses, my_reuses -> Reuse;
        /// The datasets of one's organizations
        organization_datasets, my_org_datasets -> Dataset;
        /// The reuses of one's organizations
        organization_reuses, my_org_reuses -> Reuse;
        /// The community resources of one's organizations
        organization_community_resources, my_org_community_resources -> CommunityResource;
        /// The discussions about what one's organizations have published
        organization_discussions, my_org_discussions -> Discussion;
        /// The organizations that one is invited to
        invitations, list_org_invitations -> PendingInvitation;
        /// One's API keys, without the keys themselves
        api_tokens, list_api_tokens -> ApiToken;
    }

    impl MeHandle {
        /// Reads the user (`get_me`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<User> {
            Ok(self.client.main().get_me().send().await?.into_inner())
        }

        /// Reads the user, passes it to `change`, and sends the changed properties (`get_me`, `update_me`); see
        /// [Updates](crate::objects#updates).
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(&self, change: impl FnOnce(UserUpdate) -> UserUpdate) -> Result<User> {
            let read = self.get().await?;
            let before = UserUpdate::from(read.clone());
            let Some(changed_fields) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main().update_me().body(UserUpdate::new()).call();
            Ok(call.body(&changed_fields).send().await?.into_inner())
        }

        /// Reads the user's metrics (`my_metrics`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn metrics(&self) -> Result<MyMetrics> {
            Ok(self.client.main().my_metrics().send().await?.into_inner())
        }

        /// Accepts an invitation to an organization, by its id (`accept_org_invitation`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn accept_invitation(&self, id: impl Into<String>) -> Result<Confirmation> {
            Ok(self.client.main().accept_org_invitation().id(id.into()).send().await?.into_inner())
        }

        /// Refuses an invitation, by its id (`refuse_org_invitation`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn refuse_invitation(&self, id: impl Into<String>) -> Result<Confirmation> {
            Ok(self.client.main().refuse_org_invitation().id(id.into()).send().await?.into_inner())
        }

        /// Creates an API key (`create_api_token`). Only this response contains the key itself.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_api_token(&self, token: ApiTokenInput) -> Result<ApiTokenCreated> {
            Ok(self.client.main().create_api_token().body(token).send().await?.into_inner())
        }

        /// Revokes an API key, by its id (`revoke_api_token`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; [`is_gone`](crate::Error::is_gone) if it was revoked already.
        pub async fn revoke_api_token(&self, id: impl Into<String>) -> Result<()> {
            self.client.main().revoke_api_token().api_token(id.into()).send().await?;
            Ok(())
        }
    }
}
