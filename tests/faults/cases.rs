//! The faults, and when they occur. The expected results of the calls are in `matrix.txt`.

use std::time::{Duration, SystemTime};

use datagouv_sandbox::fault::Fault;

/// When a fault occurs.
pub enum Setting {
    /// With one request of the call.
    Once(Fault),
    /// With that request and all after it.
    Always(Fault),
    /// With a request before the call, on the connection that the call reuses.
    Before(Fault),
    /// With one request, under a deadline of this length.
    Limited(Fault, Duration),
    /// The port refuses connections.
    Refused,
    /// The server has a self-signed certificate.
    Untrusted,
    /// One request is redirected to another server with this status.
    Elsewhere(u16),
}

/// A row of the matrix.
pub struct Case {
    pub name: String,
    pub setting: Setting,
}

fn one(name: &str, setting: Setting) -> Case {
    Case { name: name.to_owned(), setting }
}

/// A date that lies so many seconds ahead, or behind.
fn date(from_now: i64) -> String {
    let distance = Duration::from_secs(from_now.unsigned_abs());
    let now = SystemTime::now();
    httpdate::fmt_http_date(if from_now < 0 { now - distance } else { now + distance })
}

/// Every body of the sandbox is longer than this.
const SOME: usize = 100;

pub fn all() -> Vec<Case> {
    let mut all = vec![
        one("refused port", Setting::Refused),
        one("self-signed certificate", Setting::Untrusted),
        one("server stops in the call", Setting::Once(Fault::StopServer)),
        one("byte by byte", Setting::Once(Fault::Drip(Duration::ZERO))),
        one(
            "byte by byte, under a deadline",
            Setting::Limited(Fault::Drip(Duration::from_millis(100)), Duration::from_secs(4)),
        ),
        one("302 loop", Setting::Always(Fault::redirect(302, ""))),
        one("307 loop", Setting::Always(Fault::redirect(307, ""))),
        one("302 to another server", Setting::Elsewhere(302)),
        one("307 to another server", Setting::Elsewhere(307)),
        one("idle connection closed", Setting::Before(Fault::CutBody(usize::MAX))),
        one("connection closed on reuse", Setting::Before(Fault::ClosedAfterwards)),
        one("connection silent on reuse", Setting::Before(Fault::DeadAfterwards)),
    ];
    let mut both = |name: &str, fault: Fault| {
        all.push(one(&format!("{name}, once"), Setting::Once(fault.clone())));
        all.push(one(&format!("{name}, always"), Setting::Always(fault)));
    };
    both("reset before headers", Fault::ResetBeforeHeaders);
    both("closed before headers", Fault::CloseBeforeHeaders);
    both("reset in the request", Fault::ResetInRequest(10));
    both("cut in the headers", Fault::CutHeaders);
    both("reset after headers", Fault::ResetAfterHeaders);
    both("cut in the body", Fault::CutBody(SOME));
    both("reset in the body", Fault::ResetBody(SOME));
    both("stalled before headers", Fault::StallBeforeHeaders);
    both("stalled in the body", Fault::StallBody(SOME));
    both("length too large", Fault::LengthTooLarge(SOME));
    both("length too small", Fault::LengthTooSmall(SOME));
    both("chunks cut", Fault::CutChunked(SOME));
    both("invalid chunk size", Fault::InvalidChunk(SOME));
    both("gzip truncated", Fault::TruncatedGzip);
    both("gzip bomb of 10 GB", Fault::GzipBomb(10 << 30));
    both("headers of 100 MB", Fault::HugeHeaders(100 << 20));
    both("HTML page", Fault::html());
    both("empty success", Fault::empty());
    both("invalid UTF-8", Fault::InvalidUtf8);
    for status in [404, 408, 500, 502, 503, 504] {
        both(&status.to_string(), Fault::status(status));
    }
    for (name, retry_after) in [
        ("429 without Retry-After", None),
        ("429, one second", Some("1".to_owned())),
        ("429, a future date", Some(date(2))),
        ("429, a past date", Some(date(-3600))),
        ("429, not a time", Some("soon".to_owned())),
        ("429, a negative time", Some("-5".to_owned())),
        ("429, an hour", Some("3600".to_owned())),
        ("429, a date in an hour", Some(date(3600))),
        ("429, more digits than a number", Some("9".repeat(30))),
    ] {
        both(name, Fault::too_many_requests(retry_after.as_deref()));
    }
    all
}
