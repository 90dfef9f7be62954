//! Methods of organization handles.

use super::OrganizationHandle;

with_extras!(OrganizationHandle, org, get_organization_extras, update_organization_extras, delete_organization_extras);
followed!(
    "main-organizations",
    OrganizationHandle,
    list_organization_followers -> ListOrganizationFollowers,
    follow_organization,
    unfollow_organization
);
badged!("main-organizations", OrganizationHandle, org, add_organization_badge, delete_organization_badge);

impl OrganizationHandle {
    #[allow(dead_code, reason = "not every part of the API uses it")]
    pub(crate) async fn object_id(&self) -> crate::Result<String> {
        super::shared::object_id(&self.client, crate::Api::Main, "organizations", &self.id).await
    }
}

#[cfg(feature = "main-datasets")]
impl OrganizationHandle {
    /// Creates a dataset of the organization (`create_dataset`).
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn create_dataset(
        &self,
        dataset: crate::main::types::DatasetInput,
    ) -> crate::Result<crate::main::types::Dataset> {
        let organization = crate::main::types::OrganizationReferenceInput::new(self.object_id().await?);
        self.client.create_dataset(dataset.organization(organization)).await
    }
}

#[cfg(feature = "main-organizations")]
mod catalogue {
    use super::super::shared::{changes, ensure_unchanged};
    use super::OrganizationHandle;
    use crate::main::builder;
    use crate::main::types::{
        Assignment, Discussion, GenericReferenceInput, Member, MemberInput, MemberRole, MembershipInvite,
        MembershipRequest, MembershipRequestInput, Organization, OrganizationInput, OrganizationUpdate,
        RefuseMembership, Reuse,
    };
    use crate::{Client, Result};

    impl Client {
        /// Creates an organization (`create_organization`), with the holder of the API key as its administrator.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn create_organization(&self, organization: OrganizationInput) -> Result<Organization> {
            Ok(self.main().create_organization().body(organization).send().await?.into_inner())
        }
    }

    impl OrganizationHandle {
        /// Reads the organization with its members (`get_organization`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn get(&self) -> Result<Organization> {
            Ok(self.client.main().get_organization().org(&self.id).send().await?.into_inner())
        }

        /// Reads the organization, passes it to `change`, and sends the changed properties (`get_organization`,
        /// `update_organization`); see [Updates](crate::objects#updates).
        ///
        /// # Errors
        ///
        /// Returns an error if one of the two calls fails.
        pub async fn update(
            &self,
            change: impl FnOnce(OrganizationUpdate) -> OrganizationUpdate,
        ) -> Result<Organization> {
            let read = self.get().await?;
            self.write(read, change).await
        }

        /// Updates the organization like [`update`](Self::update), unless it was changed after `seen` was read.
        ///
        /// # Errors
        ///
        /// Returns an error if a call fails; [`is_conflict`](crate::Error::is_conflict) if it was changed meanwhile.
        pub async fn update_unless_changed(
            &self,
            seen: &Organization,
            change: impl FnOnce(OrganizationUpdate) -> OrganizationUpdate,
        ) -> Result<Organization> {
            let read = self.get().await?;
            ensure_unchanged("the organization", &seen.last_modified, &read.last_modified)?;
            self.write(read, change).await
        }

        async fn write(
            &self,
            read: Organization,
            change: impl FnOnce(OrganizationUpdate) -> OrganizationUpdate,
        ) -> Result<Organization> {
            let before = OrganizationUpdate::from(read.clone());
            let Some(changed_fields) = changes(&before, &change(before.clone()), &[])? else { return Ok(read) };
            let call = self.client.main().update_organization().org(&self.id).body(OrganizationUpdate::new()).call();
            Ok(call.body(&changed_fields).send().await?.into_inner())
        }

        /// Deletes the organization (`delete_organization`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn delete(&self) -> Result<()> {
            self.client.main().delete_organization().org(&self.id).send().await?;
            Ok(())
        }

        /// Lists the datasets (`list_organization_datasets`).
        pub fn datasets(&self) -> builder::ListOrganizationDatasets<'_> {
            self.client.main().list_organization_datasets().org(&self.id)
        }

        /// Lists the reuses (`list_organization_reuses`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn reuses(&self) -> Result<Vec<Reuse>> {
            Ok(self.client.main().list_organization_reuses().org(&self.id).send().await?.into_inner())
        }

        /// Lists the discussions about what the organization has published (`list_organization_discussions`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn discussions(&self) -> Result<Vec<Discussion>> {
            Ok(self.client.main().list_organization_discussions().org(&self.id).send().await?.into_inner())
        }

        /// Lists the contact points (`get_organization_contact_point`).
        pub fn contacts(&self) -> builder::GetOrganizationContactPoint<'_> {
            self.client.main().get_organization_contact_point().org(&self.id)
        }

        /// Lists the members (`get_organization`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn members(&self) -> Result<Vec<Member>> {
            Ok(self.get().await?.members)
        }

        /// Invites a user by id or email address (`invite_organization_member`):
        /// `MembershipInvite::new().email("someone@example.org").role(MemberRole::Editor)`.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn invite(&self, invitation: MembershipInvite) -> Result<MembershipRequest> {
            let call = self.client.main().invite_organization_member().org(&self.id).body(invitation);
            Ok(call.send().await?.into_inner())
        }

        /// Changes the role of a member (`update_organization_member`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn set_member_role(&self, user: impl Into<String>, role: impl Into<MemberRole>) -> Result<Member> {
            let member = MemberInput::new().role(role);
            let call = self.client.main().update_organization_member().org(&self.id).user(user.into()).body(member);
            Ok(call.send().await?.into_inner())
        }

        /// Sets what a partial editor may edit, by class and id (`sync_member_assignments`). The list replaces the previous
        /// one.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn assign(
            &self,
            user: impl Into<String>,
            subjects: impl IntoIterator<Item = GenericReferenceInput>,
        ) -> Result<Vec<Assignment>> {
            let subjects: Vec<GenericReferenceInput> = subjects.into_iter().collect();
            let call = self.client.main().sync_member_assignments().org(&self.id).user(user.into()).body(subjects);
            Ok(call.send().await?.into_inner())
        }

        /// Lists what partial editors may edit (`list_organization_assignments`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn assignments(&self) -> Result<Vec<Assignment>> {
            Ok(self.client.main().list_organization_assignments().org(&self.id).send().await?.into_inner())
        }

        /// Removes a member (`delete_organization_member`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; 404 if the user is not a member.
        pub async fn remove_member(&self, user: impl Into<String>) -> Result<()> {
            self.client.main().delete_organization_member().org(&self.id).user(user.into()).send().await?;
            Ok(())
        }

        /// Lists membership requests and invitations, filtered by status and user (`list_membership_requests`).
        pub fn membership_requests(&self) -> builder::ListMembershipRequests<'_> {
            self.client.main().list_membership_requests().org(&self.id)
        }

        /// Requests membership for the holder of the API key (`post_membership_request`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn request_membership(&self, comment: impl Into<String>) -> Result<MembershipRequest> {
            let request = MembershipRequestInput::new(comment);
            Ok(self.client.main().post_membership_request().org(&self.id).body(request).send().await?.into_inner())
        }

        /// Accepts a membership request, by its id (`accept_membership`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails; [`is_conflict`](crate::Error::is_conflict) if the request was accepted or refused already.
        pub async fn accept_membership(&self, request: impl Into<String>) -> Result<Member> {
            Ok(self.client.main().accept_membership().org(&self.id).id(request.into()).send().await?.into_inner())
        }

        /// Refuses a membership request, by its id (`refuse_membership`). The user sees the comment.
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn refuse_membership(&self, request: impl Into<String>, comment: impl Into<String>) -> Result<()> {
            let refusal = RefuseMembership::new().comment(comment);
            self.client.main().refuse_membership().org(&self.id).id(request.into()).body(refusal).send().await?;
            Ok(())
        }

        /// Cancels an invitation, by its id (`cancel_membership`).
        ///
        /// # Errors
        ///
        /// Returns an error if the call fails.
        pub async fn cancel_invitation(&self, request: impl Into<String>) -> Result<()> {
            self.client.main().cancel_membership().org(&self.id).id(request.into()).send().await?;
            Ok(())
        }
    }
}
