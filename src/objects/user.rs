//! Methods of user handles.

use super::UserHandle;

followed!("main-users", UserHandle, list_user_followers -> ListUserFollowers, follow_user, unfollow_user);

impl UserHandle {
    #[allow(dead_code, reason = "not every part of the API uses it")]
    async fn object_id(&self) -> crate::Result<String> {
        super::shared::object_id(&self.client, crate::Api::Main, "users", &self.id).await
    }
}

#[cfg(feature = "main-users")]
mod catalogue {
    use super::super::shared::changes;
    use super::UserHandle;
    use crate::main::builder;
    use crate::main::types::{User, UserInput, UserUpdate};
    use crate::{Client, Result};

    impl Client {
        /// Creates a user (`create_user`), for administrators of the platform.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_user(&self, user: UserInput) -> Result<User> {
            Ok(self.main().create_user().body(user).send().await?.into_inner())
        }
    }

    impl UserHandle {
        /// Reads the user (`get_user`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<User> {
            Ok(self.client.main().get_user().user(&self.id).send().await?.into_inner())
        }

        /// Reads the user, passes it to `change`, and sends the changed properties (`get_user`, `update_user`); see
        /// [Updates](crate::objects#updates). For administrators of the platform; oneself is
        /// [`me`](Client::me).
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(&self, change: impl FnOnce(UserUpdate) -> UserUpdate) -> Result<User> {
            let read = self.get().await?;
            let before = UserUpdate::from(read.clone());
            let Some(changed_fields) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main().update_user().user(&self.id).body(UserUpdate::new()).call();
            Ok(call.body(&changed_fields).send().await?.into_inner())
        }

        /// Deletes the user (`delete_user`), for administrators of the platform.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_user().user(&self.id).send().await?;
            Ok(())
        }

        /// Lists the contact points (`get_user_contact_point`).
        pub fn contacts(&self) -> builder::GetUserContactPoint<'_> {
            self.client.main().get_user_contact_point().user(&self.id)
        }
    }
}
