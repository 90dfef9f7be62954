//! The faults, and how each kind of call is to end.

use std::time::{Duration, SystemTime};

use datagouv_sandbox::fault::Fault;

use crate::calls::Kind;

/// How the calls of a row end: `right` or what the error says it is, and how many requests the server saw. In
/// the order of [`Kind::ALL`].
pub type Endings = [&'static str; Kind::ALL.len()];

/// How a fault comes about.
pub enum Setting {
    /// With one request of the call.
    Once(Fault),
    /// With that request and all after it.
    Always(Fault),
    /// With a request before the call, on the connection that the call takes over.
    Before(Fault),
    /// With one request, where the whole call may take no longer than this.
    Limited(Fault, Duration),
    /// The server is not there.
    Refused,
    /// The server has a certificate that nobody signed.
    Untrusted,
    /// One request is sent on to another server by a redirect of this status.
    Elsewhere(u16),
}

/// A row of the matrix.
pub struct Case {
    pub name: String,
    pub setting: Setting,
    pub endings: Endings,
}

/// A row of a fault that comes once, and one of the same fault when it stays.
fn both(name: &str, fault: &Fault, once: Endings, always: Endings) -> [Case; 2] {
    [
        Case { name: format!("{name}, once"), setting: Setting::Once(fault.clone()), endings: once },
        Case { name: format!("{name}, always"), setting: Setting::Always(fault.clone()), endings: always },
    ]
}

fn one(name: &str, setting: Setting, endings: Endings) -> [Case; 1] {
    [Case { name: name.to_owned(), setting, endings }]
}

/// The same page again, and again.
fn redirect_to_itself(status: u16) -> Fault {
    Fault::redirect(status, "")
}

fn date(from_now: i64) -> String {
    let distance = Duration::from_secs(from_now.unsigned_abs());
    let now = SystemTime::now();
    httpdate::fmt_http_date(if from_now < 0 { now - distance } else { now + distance })
}

/// A body of the sandbox is longer than this, and an announced one shorter than twice of it.
const SOME: usize = 100;

pub fn all() -> Vec<Case> {
    // Once, a request that may be repeated is sent again and is right; one that may not is not.
    let repeated = ["right 2", "broken 1", "right 2"];
    // For ever, three attempts are made.
    let lost = ["broken 3", "broken 1", "broken 3"];
    let mut all = Vec::new();
    all.extend(one("refused port", Setting::Refused, ["broken 0", "broken 0", "broken 0"]));
    all.extend(one("certificate of nobody", Setting::Untrusted, ["broken 0", "broken 0", "broken 0"]));
    all.extend(both("reset before headers", &Fault::ResetBeforeHeaders, repeated, lost));
    all.extend(both("closed before headers", &Fault::CloseBeforeHeaders, repeated, lost));
    all.extend(both("reset in the request", &Fault::ResetInRequest(10), repeated, lost));
    all.extend(one("gone in the call", Setting::Once(Fault::Vanish), ["broken 1", "broken 1", "broken 1"]));
    all.extend(both("cut in the headers", &Fault::CutHeaders, repeated, lost));
    all.extend(both("reset after headers", &Fault::ResetAfterHeaders, repeated, lost));
    all.extend(both("cut in the body", &Fault::CutBody(SOME), repeated, lost));
    all.extend(both("reset in the body", &Fault::ResetBody(SOME), repeated, lost));
    all.extend(both(
        "stalled before headers",
        &Fault::StallBeforeHeaders,
        ["right 2", "timeout 1", "right 2"],
        ["timeout 3", "timeout 1", "timeout 3"],
    ));
    all.extend(both(
        "stalled in the body",
        &Fault::StallBody(SOME),
        ["right 2", "stalled 1", "right 2"],
        ["stalled 3", "stalled 1", "stalled 3"],
    ));
    all.extend(one(
        "byte by byte",
        Setting::Once(Fault::Drip(Duration::from_millis(1))),
        ["right 1", "right 1", "right 1"],
    ));
    all.extend(one(
        "byte by byte, and no time",
        Setting::Limited(Fault::Drip(Duration::from_millis(100)), Duration::from_secs(3)),
        ["timeout 1", "timeout 1", "timeout 1"],
    ));
    all.extend(both("length too large", &Fault::LengthTooLarge(SOME), repeated, lost));
    all.extend(both(
        "length too small",
        &Fault::LengthTooSmall(SOME),
        ["unreadable 1", "unreadable 1", "unreadable 1"],
        ["unreadable 1", "unreadable 1", "unreadable 1"],
    ));
    all.extend(both("chunks cut", &Fault::CutChunked(SOME), repeated, lost));
    all.extend(both("chunk without size", &Fault::InvalidChunk(SOME), repeated, lost));
    all.extend(both("gzip truncated", &Fault::TruncatedGzip, repeated, lost));
    all.extend(both(
        "gzip bomb of 10 GB",
        &Fault::GzipBomb(10 << 30),
        ["too large 1", "too large 1", "too large 1"],
        ["too large 1", "too large 1", "too large 1"],
    ));
    all.extend(both("headers of 100 MB", &Fault::HugeHeaders(100 << 20), repeated, lost));
    let unreadable = ["unreadable 1", "unreadable 1", "unreadable 1"];
    all.extend(both("HTML for JSON", &Fault::html(), unreadable, unreadable));
    all.extend(both("empty success", &Fault::empty(), unreadable, unreadable));
    all.extend(both("invalid UTF-8", &Fault::InvalidUtf8, unreadable, unreadable));
    // 302 would make a read of a write: it is not followed.
    all.extend(one("302 without end", Setting::Always(redirect_to_itself(302)), ["broken 11", "broken 1", "broken 1"]));
    all.extend(one(
        "307 without end",
        Setting::Always(redirect_to_itself(307)),
        ["broken 11", "broken 11", "broken 11"],
    ));
    all.extend(one("302 to another server", Setting::Elsewhere(302), ["right 1", "broken 1", "broken 1"]));
    all.extend(one("307 to another server", Setting::Elsewhere(307), ["right 1", "broken 1", "broken 1"]));
    let said = |status: &'static str| {
        let text = |count: u8| -> &'static str { String::leak(format!("{status} {count}")) };
        (["right 2", text(1), "right 2"], [text(3), text(1), text(3)], [text(1), text(1), text(1)])
    };
    for status in [408, 502, 503, 504] {
        let (once, always, _) = said(String::leak(status.to_string()));
        all.extend(both(&status.to_string(), &Fault::status(status), once, always));
    }
    all.extend(both("500", &Fault::status(500), ["right 2", "500 1", "500 1"], ["500 3", "500 1", "500 1"]));
    let (once, always, never) = said("429");
    for (name, retry_after) in [
        ("429 without Retry-After", None),
        ("429, one second", Some("1".to_owned())),
        ("429, a date to come", Some(date(2))),
        ("429, a date gone by", Some(date(-3600))),
        ("429, no time at all", Some("soon".to_owned())),
        ("429, a negative time", Some("-5".to_owned())),
    ] {
        all.extend(both(name, &Fault::too_many_requests(retry_after.as_deref()), once, always));
    }
    for (name, retry_after) in [
        ("429, an hour", "3600".to_owned()),
        ("429, a date in an hour", date(3600)),
        ("429, more digits than a number", "9".repeat(30)),
    ] {
        all.extend(both(name, &Fault::too_many_requests(Some(&retry_after)), never, never));
    }
    all.extend(one(
        "idle connection closed",
        Setting::Before(Fault::CutBody(usize::MAX)),
        ["right 1", "right 1", "right 1"],
    ));
    all.extend(one(
        "connection closed when used again",
        Setting::Before(Fault::ClosedAfterwards),
        ["right 2", "broken 1", "right 2"],
    ));
    all.extend(one(
        "connection dead when used again",
        Setting::Before(Fault::DeadAfterwards),
        ["right 2", "timeout 1", "right 2"],
    ));
    all
}
