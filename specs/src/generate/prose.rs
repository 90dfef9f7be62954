//! Text for docs: sentences, lists and descriptions as rustdoc reads them.

/// Joins with commas, and with "and" before the last.
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// A description as rustdoc reads it: what looks like a tag or a link there, and is none, stays the text that it is, and
/// addresses become links.
pub(super) fn markdown(description: &str) -> String {
    let description = description.trim();
    if !description.contains(['<', '[', '*', ':']) {
        return description.to_owned();
    }
    let mut text = String::with_capacity(description.len() + 8);
    let (mut is_code, mut rest) = (false, description);
    while let Some(letter) = rest.chars().next() {
        let address = rest.starts_with("http://") || rest.starts_with("https://");
        if address && !is_code && !text.ends_with(['(', '<']) {
            let end = rest.find(|letter: char| letter.is_whitespace() || "<>()[]\"'`".contains(letter));
            let found = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest).trim_end_matches(['.', ',', ';', ':']);
            text += &format!("<{found}>");
            rest = rest.get(found.len()..).unwrap_or_default();
            continue;
        }
        match letter {
            '`' => is_code = !is_code,
            '<' if !is_code => text.push('\\'),
            '[' if !is_code && !is_link(rest) => text.push('\\'),
            _ => {}
        }
        text.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    text
}

/// Whether a bracket opens `[text](address)`.
fn is_link(text: &str) -> bool {
    text.find(']').is_some_and(|end| text.get(end + 1..).is_some_and(|rest| rest.starts_with('(')))
}
