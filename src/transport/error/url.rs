//! URLs as errors show them.

use reqwest::Url;

/// Words in the names of query parameters whose values are not shown.
const SECRET: [&str; 13] = [
    "key",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "signature",
    "sig",
    "credential",
    "auth",
    "session",
    "jwt",
    "policy",
];

/// Returns the URL of a call, without its query: it may contain personal data.
pub(super) fn of_call(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Returns the URL of a file, with its query, which says what was requested; values that look like a secret are replaced.
pub(super) fn of_file(url: &Url) -> String {
    match url.query() {
        Some(query) => masked(&format!("{}?{query}", of_call(url))),
        None => of_call(url),
    }
}

/// Returns the text of a URL, which may be none, without what looks like a secret in its query.
pub(crate) fn masked(text: &str) -> String {
    let Some((place, query)) = text.split_once('?') else { return text.to_owned() };
    let parts: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}=…"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{place}?{}", parts.join("&"))
}

/// Returns whether a word of a name (`api_key`, `X-Amz-Signature`, `accessToken`) says that its value is secret.
fn is_secret(name: &str) -> bool {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_uppercase() && !words.ends_with(char::is_uppercase) {
            words.push('-');
        }
        words.push(letter);
    }
    let words = words.to_lowercase();
    words.split(|letter: char| !letter.is_alphanumeric()).any(|word| {
        SECRET.contains(&word) || word.strip_suffix('s').is_some_and(|word| SECRET.contains(&word)) || word == "apikey"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(url: &str) -> String {
        of_file(&Url::parse(url).unwrap())
    }

    #[test]
    fn the_query_of_a_file_is_shown_without_its_secrets() {
        assert_eq!(
            file("https://user:pass@example.org:8080/wfs?SERVICE=WFS&amp;REQUEST=GetFeature&typeNames=a:b#x"),
            "https://example.org:8080/wfs?SERVICE=WFS&amp;REQUEST=GetFeature&typeNames=a:b"
        );
        for (name, secret) in [
            ("api_key", true),
            ("apikey", true),
            ("API_KEY", true),
            ("accessToken", true),
            ("X-Amz-Signature", true),
            ("X-Amz-Credential", true),
            ("sig", true),
            ("keys", true),
            ("password", true),
            ("monkey", false),
            ("keyword", false),
            ("format", false),
            ("signal", false),
        ] {
            let shown = file(&format!("https://example.org/a?x=1&{name}=abc"));
            assert_eq!(!shown.contains("abc"), secret, "{shown}");
            assert!(shown.contains(name));
        }
    }

    #[test]
    fn the_query_of_a_call_is_not_shown() {
        let url = Url::parse("https://www.data.gouv.fr/api/1/users/?q=someone").unwrap();
        assert_eq!(of_call(&url), "https://www.data.gouv.fr/api/1/users/");
    }
}
