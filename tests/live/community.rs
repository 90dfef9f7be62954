//! Shared by the scenarios about users and organizations.

use datagouv::{Api, Client, Error, File};
use serde_json::{Value, json};

use crate::Live;
use crate::support;

/// A client with a given key.
pub fn with_key(live: &Live, key: &str) -> Client {
    let url = live.recorder.url(crate::Server::Catalogue);
    Client::builder()
        .base_url(Api::Main, format!("{url}/api/1"))
        .base_url(Api::MainV2, format!("{url}/api/2"))
        .api_key(key.to_owned())
        .build()
        .unwrap()
}

/// A client with the key of a user who may delete themself (Denis Partant).
pub fn leaving(live: &Live) -> Client {
    live.client(Some("api_key_leaving"))
}

/// A reference, as in requests.
pub fn reference(class: &str, id: &str) -> Value {
    json!({"class": class, "id": id})
}

/// An image that every upload of images accepts.
pub fn image() -> File {
    support::png(8, 8)
}

/// A text file with the media type of an image.
pub fn no_image() -> File {
    File::from_bytes("image.png", "not an image").with_content_type("image/png")
}

/// The fields that the server refused.
pub fn refused(error: &Error) -> Vec<String> {
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error}");
    error.field_errors().into_iter().map(|error| error.field).collect()
}

/// Makes the user of `member` a member of an organization, by an invitation.
pub async fn join(organization: &str, admin: &Client, member: &Client, role: &str) {
    let user = support::me(member).await.id;
    let body = json!({"user": user, "role": role});
    let invitation = admin.main().invite_organization_member().org(organization).body(body).send().await.unwrap();
    member.main().accept_org_invitation().id(&invitation.id).send().await.unwrap();
}
