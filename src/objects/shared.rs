//! Methods that several handles share.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::transport::runtime::encode_path;
use crate::{Api, Client, DateTime, Error, Result};

/// Returns the properties to send: those that differ from what was read, and those in `always`. `None` if nothing differs.
pub(super) fn changes<T: Serialize>(read: &T, wanted: &T, always: &[&str]) -> Result<Option<Value>> {
    let object = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Error::request("the update is not a JSON object")),
        Err(error) => Err(Error::request("the update cannot be serialized as JSON").with_source(error)),
    };
    Ok(difference(&object(read)?, object(wanted)?, always).map(Value::Object))
}

fn difference(read: &Map<String, Value>, wanted: Map<String, Value>, always: &[&str]) -> Option<Map<String, Value>> {
    let mut changed_fields = Map::new();
    // `collect`, or iterating by value over a map, would compile to as much code as the rest of this function.
    for (name, value) in wanted {
        if read.get(&name) != Some(&value) {
            changed_fields.insert(name, value);
        }
    }
    if changed_fields.is_empty() {
        return None;
    }
    for name in always {
        if let (false, Some(value)) = (changed_fields.contains_key(*name), read.get(*name)) {
            changed_fields.insert((*name).to_owned(), value.clone());
        }
    }
    Some(changed_fields)
}

/// Returns an error if an object was changed after it was read. Times are compared in milliseconds, because the response to a
/// creation has finer fractions of a second than later reads.
pub(super) fn ensure_unchanged(what: &str, seen: &DateTime, now: &DateTime) -> Result<()> {
    let millisecond = |time: &DateTime| time.to_unix_micros().map(|micros| micros.div_euclid(1000));
    let same = match (millisecond(seen), millisecond(now)) {
        (Some(seen), Some(now)) => seen == now,
        _ => seen == now,
    };
    if same { Ok(()) } else { Err(Error::conflict(format!("{what} was changed at {now}, after it was read ({seen})"))) }
}

/// Returns the id of an object, for operations that take no slug.
pub(super) async fn object_id(client: &Client, api: Api, list: &str, id: &str) -> Result<String> {
    if id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(id.to_owned());
    }
    looked_up_id(client, api, list, id).await
}

/// Returns the id of an object, which is read: an error if it does not exist.
pub(super) async fn looked_up_id(client: &Client, api: Api, list: &str, id: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Identified {
        id: String,
    }
    let path = format!("/{list}/{}/", encode_path(id));
    let found = client.request(api, Method::GET.as_str(), &path).header("X-Fields", "id").json::<Identified>();
    Ok(found.send().await?.into_inner().id)
}

/// Followers, for the operations of a kind of object.
macro_rules! followed {
    ($feature:literal, $handle:ident, $list:ident -> $builder:ident, $follow:ident, $unfollow:ident) => {
        #[cfg(feature = $feature)]
        impl $handle {
            #[doc = concat!("Lists the followers (`", stringify!($list), "`).")]
            pub fn followers(&self) -> crate::main::builder::$builder<'_> {
                self.client.main().$list().id(&self.id)
            }

            #[doc = concat!("Follows it as the holder of the API key (`", stringify!($follow), "`), and returns the number of followers.")]
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn follow(&self) -> crate::Result<i64> {
                Ok(self.client.main().$follow().id(self.object_id().await?).send().await?.followers)
            }

            #[doc = concat!("Stops following it (`", stringify!($unfollow), "`), and returns the number of followers.")]
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails; 404 if it is not followed.
            pub async fn unfollow(&self) -> crate::Result<i64> {
                Ok(self.client.main().$unfollow().id(self.object_id().await?).send().await?.followers)
            }
        }
    };
}

/// Badges, for the operations of a kind of object.
macro_rules! badged {
    ($feature:literal, $handle:ident, $argument:ident, $add:ident, $remove:ident) => {
        #[cfg(feature = $feature)]
        impl $handle {
            #[doc = concat!("Adds a badge (`", stringify!($add), "`), for administrators of the platform.")]
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails; 400 if the platform does not know the kind.
            pub async fn add_badge(&self, kind: impl Into<String>) -> crate::Result<crate::main::types::Badge> {
                let badge = crate::main::types::BadgeInput::new(kind);
                Ok(self.client.main().$add().$argument(&self.id).body(badge).send().await?.into_inner())
            }

            #[doc = concat!("Removes a badge (`", stringify!($remove), "`), for administrators of the platform.")]
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails; 404 if it does not have the badge.
            pub async fn remove_badge(&self, kind: impl Into<String>) -> crate::Result<()> {
                self.client.main().$remove().$argument(&self.id).badge_kind(kind.into()).send().await?;
                Ok(())
            }
        }
    };
}

/// Featuring on the front page.
macro_rules! featured {
    ($feature:literal, $api:ident, $handle:ident, $argument:ident, $feature_it:ident, $unfeature_it:ident -> $response:ident) => {
        #[cfg(feature = $feature)]
        impl $handle {
            #[doc = concat!("Features it on the front page (`", stringify!($feature_it), "`), for administrators of the platform.")]
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn feature(&self) -> crate::Result<crate::$api::types::$response> {
                Ok(self.client.$api().$feature_it().$argument(&self.id).send().await?.into_inner())
            }

            #[doc = concat!("Stops featuring it on the front page (`", stringify!($unfeature_it), "`), for administrators of the platform.")]
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn unfeature(&self) -> crate::Result<crate::$api::types::$response> {
                Ok(self.client.$api().$unfeature_it().$argument(&self.id).send().await?.into_inner())
            }
        }
    };
}

/// Extras, which v2 changes by key.
macro_rules! with_extras {
    ($handle:ident, $argument:ident, $get:ident, $update:ident, $delete:ident) => {
        #[cfg(feature = "main-v2")]
        impl $handle {
            #[doc = concat!("Reads the extras (`", stringify!($get), "` of v2).")]
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn extras(&self) -> crate::Result<std::collections::BTreeMap<String, serde_json::Value>> {
                Ok(self.client.main_v2().$get().$argument(&self.id).send().await?.into_inner())
            }

            #[doc = concat!("Sets some extras and keeps the others (`", stringify!($update), "` of v2). Null removes a key.")]
            /// Returns all extras.
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn update_extras<K: Into<String>, V: Into<serde_json::Value>>(
                &self,
                extras: impl IntoIterator<Item = (K, V)>,
            ) -> crate::Result<std::collections::BTreeMap<String, serde_json::Value>> {
                let extras: serde_json::Map<String, serde_json::Value> =
                    extras.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
                Ok(self.client.main_v2().$update().$argument(&self.id).body(extras).send().await?.into_inner())
            }

            #[doc = concat!("Removes extras by their keys (`", stringify!($delete), "` of v2).")]
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn delete_extras<K: Into<String>>(&self, keys: impl IntoIterator<Item = K>) -> crate::Result<()> {
                let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
                self.client.main_v2().$delete().$argument(&self.id).body(keys).send().await?;
                Ok(())
            }
        }
    };
}

/// Discussions about an object.
macro_rules! discussed {
    ($handle:ident, $class:literal) => {
        #[cfg(feature = "main-discussions")]
        impl $handle {
            /// Lists the discussions about it (`list_discussions`).
            ///
            /// # Errors
            ///
            /// Returns an error if the handle was made with a slug, whose id is looked up first, and that call fails.
            pub async fn discussions(&self) -> crate::Result<crate::main::builder::ListDiscussions<'_>> {
                Ok(self.client.main().list_discussions().for_(self.object_id().await?))
            }

            /// Starts a discussion about it (`create_discussion`).
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn discuss(
                &self,
                title: impl Into<String>,
                comment: impl Into<String>,
            ) -> crate::Result<crate::main::types::Discussion> {
                let subject = crate::main::types::ModelReferenceInput::new($class, self.object_id().await?);
                self.client.create_discussion(subject, title, comment).await
            }
        }
    };
}

/// Transfer of an object to another owner.
macro_rules! transferred {
    ($handle:ident, $class:literal) => {
        #[cfg(feature = "main-transfer")]
        impl $handle {
            /// Requests a transfer to an organization (`request_transfer`). `comment` is addressed to its members.
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn transfer_to_organization(
                &self,
                organization: impl Into<String>,
                comment: impl Into<String>,
            ) -> crate::Result<crate::main::types::Transfer> {
                let id = self.object_id().await?;
                self.client.request_transfer($class, id, "Organization", organization.into(), comment.into()).await
            }

            /// Requests a transfer to a user (`request_transfer`). `comment` is addressed to them.
            ///
            /// # Errors
            ///
            /// Returns an error if the call fails.
            pub async fn transfer_to_user(
                &self,
                user: impl Into<String>,
                comment: impl Into<String>,
            ) -> crate::Result<crate::main::types::Transfer> {
                let id = self.object_id().await?;
                self.client.request_transfer($class, id, "User", user.into(), comment.into()).await
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed_fields(read: Value, wanted: Value) -> Option<Value> {
        changes(&read, &wanted, &["tags", "temporal_coverage"]).unwrap()
    }

    #[test]
    fn an_update_has_changed_fields_and_those_that_would_be_lost() {
        let read = json!({"title": "a", "license": "lov2", "tags": ["x"], "extras": {"k": 1}});
        let mut wanted = read.clone();
        wanted["title"] = json!("b");
        assert_eq!(changed_fields(read, wanted), Some(json!({"title": "b", "tags": ["x"]})));
    }

    #[test]
    fn a_cleared_field_is_sent_and_an_absent_one_is_left_alone() {
        let read = json!({"title": "a", "acronym": "A", "tags": ["x"], "temporal_coverage": {"start": "2026-01-01"}});
        let wanted = json!({"acronym": null, "tags": []});
        let expected = json!({"acronym": null, "tags": [], "temporal_coverage": {"start": "2026-01-01"}});
        assert_eq!(changed_fields(read, wanted), Some(expected));
    }

    #[test]
    fn an_update_without_changes_is_none() {
        let read = json!({"title": "a", "tags": ["x"]});
        assert_eq!(changed_fields(read.clone(), read), None);
    }

    #[test]
    fn a_change_is_seen_whatever_the_fractions_of_the_second() {
        let at = |text: &str| DateTime::from(text);
        let created = at("2026-11-22T14:58:40.032417+00:00");
        assert!(ensure_unchanged("it", &created, &at("2026-11-22T14:58:40.032000+00:00")).is_ok());
        assert!(ensure_unchanged("it", &created, &at("2026-11-22T16:58:40.032+02:00")).is_ok());
        let error = ensure_unchanged("it", &created, &at("2026-11-22T14:58:40.033000+00:00")).unwrap_err();
        assert!(error.is_conflict(), "{error}");
    }
}
