//! What travels beside a plan: the version of its form, and the settings of the session that it was made in.
//!
//! The value of an expression may depend on settings (the time zone), which the engine leaves to each worker.

use datafusion::common::{Result, exec_err, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::prelude::SessionConfig;
use datagouv_datafusion::codec::version;
use http::{HeaderMap, HeaderName, HeaderValue};
use url::form_urlencoded;

const VERSION: HeaderName = HeaderName::from_static("datagouv-plan-version");
const SETTINGS: HeaderName = HeaderName::from_static("datagouv-settings");

/// Adds the version and the settings that are not the default ones.
pub(crate) fn write(headers: &mut HeaderMap, config: &SessionConfig) -> Result<()> {
    let defaults = ConfigOptions::new().entries();
    let mut settings = form_urlencoded::Serializer::new(String::new());
    for entry in config.options().entries() {
        let is_default = defaults.iter().any(|default| default.key == entry.key && default.value == entry.value);
        if let (true, false, Some(value)) = (entry.key.starts_with("datafusion."), is_default, &entry.value) {
            settings.append_pair(&entry.key, value);
        }
    }
    for (name, value) in [(VERSION, version()), (SETTINGS, settings.finish())] {
        let Ok(value) = HeaderValue::from_str(&value) else {
            return plan_err!("the settings of the session cannot be sent to workers: {value}");
        };
        headers.insert(name, value);
    }
    Ok(())
}

/// Sets what a coordinator has sent; refuses one of another version.
pub(crate) fn read(headers: &HeaderMap, config: &mut SessionConfig) -> Result<()> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(&VERSION) {
        Some(found) if found == version() => {}
        found => {
            return exec_err!(
                "the coordinator sends plans of version {}, and this worker reads version {}: use one version on all \
                 machines",
                found.unwrap_or("unknown"),
                version()
            );
        }
    }
    for (key, value) in form_urlencoded::parse(text(&SETTINGS).unwrap_or_default().as_bytes()) {
        config.options_mut().set(&key, &value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_session_are_those_of_its_workers() {
        let mut sent = SessionConfig::new().with_batch_size(123);
        sent.options_mut().set("datafusion.execution.time_zone", "+05:00").unwrap();
        sent.options_mut().set("datafusion.format.null", "néant & vide").unwrap();
        let mut headers = HeaderMap::new();
        write(&mut headers, &sent).unwrap();
        let mut set = SessionConfig::new();
        read(&headers, &mut set).unwrap();
        assert_eq!(set.batch_size(), 123);
        assert_eq!(set.options().execution.time_zone.as_deref(), Some("+05:00"));
        assert_eq!(set.options().format.null, "néant & vide");
    }

    #[test]
    fn a_coordinator_of_another_version_is_refused() {
        let mut headers = HeaderMap::new();
        let refused = |headers: &HeaderMap| read(headers, &mut SessionConfig::new()).unwrap_err().to_string();
        assert!(refused(&headers).contains("version unknown"));
        headers.insert(VERSION, HeaderValue::from_static("0 of something else"));
        let error = refused(&headers);
        assert!(error.contains("0 of something else") && error.contains(&version()), "{error}");
    }
}
