//! The HTML page at `/`: what the server has.

use std::fmt::Write as _;

use crate::Api;
use crate::api::base;
use crate::client::User;
use crate::log::Received;
use crate::platform::Listed;
use crate::route::Operation;

/// How many of the last requests are shown.
const LAST: usize = 50;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#161616}\
    h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
    td,th{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd;vertical-align:top}\
    code{font-size:.9em;overflow-wrap:anywhere}.bad{color:#b60000}.url{white-space:nowrap}summary{cursor:pointer}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn link(url: &str, text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", escaped(url), escaped(text))
}

/// What the page shows.
pub(crate) struct Shown<'a> {
    pub(crate) origin: &'a str,
    pub(crate) datasets: Vec<Listed<'a>>,
    pub(crate) operations: Vec<(Api, &'a Operation, &'static str)>,
    pub(crate) requests: &'a [Received],
}

pub(crate) fn html(shown: &Shown<'_>) -> String {
    let origin = shown.origin;
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>datagouv-sandbox</title><style>{STYLE}</style>\
         <h1>datagouv-sandbox</h1><p>A small, stateful data.gouv.fr with invented data. What clients write is kept \
         until the program ends.</p>"
    );
    page.push_str("<h2>Base URLs</h2><table><tr><th>API<th>URL<th>Try");
    for (api, name, path) in [
        (Api::Main, "main, version 1", "/datasets/?q=bornes"),
        (Api::MainV2, "main, version 2", "/datasets/search/?q=communes"),
        (Api::Tabular, "tabular", ""),
        (Api::Metrics, "metrics", "/api/datasets/data/?page_size=5"),
    ] {
        let rows = shown.datasets.iter().find_map(|dataset| dataset.resources.first());
        let path = match (path, rows) {
            ("", Some((id, ..))) => format!("/api/resources/{id}/data/?page_size=5"),
            (path, _) => path.to_owned(),
        };
        let url = format!("{origin}{}", base(api));
        let _ = write!(
            page,
            "<tr><td>{name}<td><code class=\"url\">{}</code><td>{}",
            escaped(&url),
            link(&format!("{url}{path}"), &path)
        );
    }
    page.push_str("</table><h2>API keys</h2><table><tr><th>X-API-KEY<th>User");
    for (user, words) in [
        (User::Editor, "edits what is there from the start, and what it makes; any other key does too"),
        (User::Stranger, "edits what it made; 403 for the rest"),
        (User::Admin, "a sysadmin: edits everything"),
        (User::Revoked, "is refused: 401"),
    ] {
        let _ = write!(page, "<tr><td><code>{}</code><td>{words}", user.key());
    }
    page.push_str("</table><h2>Datasets</h2><table><tr><th>Title<th>Resources");
    for dataset in &shown.datasets {
        let url = format!("{origin}{}/datasets/{}/", base(Api::Main), dataset.id);
        let _ = write!(page, "<tr><td>{}<td>", link(&url, dataset.title));
        for (id, title, file, has_rows) in &dataset.resources {
            page.push_str(&link(file, title));
            if *has_rows {
                let rows = format!("{origin}{}/api/resources/{id}/data/", base(Api::Tabular));
                let _ = write!(page, " ({})", link(&rows, "rows"));
            }
            page.push_str("<br>");
        }
    }
    page.push_str("</table><h2>Last requests</h2>");
    if shown.requests.is_empty() {
        page.push_str("<p>None yet.");
    } else {
        page.push_str("<table><tr><th>Request<th>Operation<th>Violation of the document");
        for request in shown.requests.iter().rev().filter(|request| request.path != "/").take(LAST) {
            let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
            let _ = write!(
                page,
                "<tr><td><code>{} {}</code><td>{}<td class=\"bad\">{}",
                escaped(&request.method),
                escaped(&format!("{}{query}", request.path)),
                escaped(request.operation_id.as_deref().unwrap_or("-")),
                escaped(request.violation.as_deref().unwrap_or_default())
            );
        }
        page.push_str("</table>");
    }
    page.push_str("<h2>Operations</h2><p>Responses come from the state of this platform, from a recorded response, or with values made from the document.");
    for api in Api::ALL {
        let own: Vec<_> = shown.operations.iter().filter(|(of, ..)| of == api).collect();
        let _ = write!(page, "<details><summary>{api}: {}</summary><table>", own.len());
        for (_, operation, source) in own {
            let _ = write!(
                page,
                "<tr><td><code>{} {}</code><td>{}<td>{source}",
                operation.method,
                escaped(&format!("{}{}", base(*api), operation.template)),
                escaped(&operation.id)
            );
        }
        page.push_str("</table></details>");
    }
    page
}
