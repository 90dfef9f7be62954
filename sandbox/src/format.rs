//! Whether a text has the format that a schema names. Formats that are not listed are not checked.

/// Whether the text has the format.
pub fn fits(name: &str, text: &str) -> bool {
    match name {
        "uuid" => is_uuid(text),
        "date" => is_date(text),
        "date-time" => is_date_time(text),
        // Without a zone.
        "date-time-local" => is_date_time(&format!("{text}Z")),
        "email" => text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty()),
        "uri" | "url" => text.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty()
                && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
        }),
        "mask" => is_mask(text),
        _ => true,
    }
}

/// A text of the format, for responses made from a schema.
pub fn example(name: &str) -> &'static str {
    match name {
        "uuid" => "6f1d8c9e-4b7a-4d52-9a3e-2c5b8e7f1a04",
        "date" => "2026-01-15",
        "date-time" => "2026-01-15T09:30:00+00:00",
        "email" => "contact@example.org",
        "uri" | "url" => "https://www.data.gouv.fr/exemple/",
        "markdown" => "Un **exemple**.",
        "byte" => "ZXhlbXBsZQ==",
        "hostname" => "www.example.org",
        "ipv4" => "192.0.2.1",
        _ => "exemple",
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let Some((year, month, day)) = number(year, 4).zip(number(month, 2)).zip(number(day, 2)).map(flat) else {
        return false;
    };
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=last).contains(&day)
}

/// RFC 3339, section 5.6.
fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else {
        return false;
    };
    let Some(zone) = time.find(['Z', 'z', '+', '-']) else {
        return false;
    };
    let (time, zone) = time.split_at(zone);
    let (time, fraction) = time.split_once('.').map_or((time, "0"), |(time, fraction)| (time, fraction));
    let fraction_fits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let zone_fits = matches!(zone, "Z" | "z") || is_clock(&zone[1..], &[23, 59]);
    is_date(date) && is_clock(time, &[23, 59, 60]) && fraction_fits && zone_fits
}

fn is_clock(text: &str, most: &[u32]) -> bool {
    let parts: Vec<Option<u32>> = text.split(':').map(|part| number(part, 2)).collect();
    parts.len() == most.len() && parts.iter().zip(most).all(|(part, most)| part.is_some_and(|part| part <= *most))
}

/// A field mask (`X-Fields`): its braces must close, or the server responds with 400 "Mask parse error".
fn is_mask(text: &str) -> bool {
    let mut open = 0_usize;
    for char in text.chars() {
        match char {
            '{' => open += 1,
            '}' if open == 0 => return false,
            '}' => open -= 1,
            _ => {}
        }
    }
    open == 0 && !text.trim().is_empty()
}

fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn flat<A, B, C>(((a, b), c): ((A, B), C)) -> (A, B, C) {
    (a, b, c)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn each_format_accepts_its_texts_and_rejects_similar_ones() {
        for (name, good, bad) in [
            ("uuid", "aaaaaaaa-1111-bbbb-2222-cccccccccccc", "aaaaaaaa1111bbbb2222cccccccccccc"),
            ("date", "2024-02-29", "2023-02-29"),
            ("date", "2024-12-31", "2024-13-01"),
            ("date-time", "2024-02-29T23:59:59.123456+02:00", "2024-02-29T23:59:59"),
            ("date-time", "2024-02-29T23:59:59Z", "2024-02-29"),
            ("date-time", "2024-02-29T23:59:59Z", "2024-02-29T24:00:00Z"),
            ("date-time-local", "2024-02-29T23:59:59.5", "2024-02-29T23:59:59Z"),
            ("date-time-local", "2024-02-29T23:59:59", "2024-02-29"),
            ("email", "a@b", "a"),
            ("uri", "https://example.org/", "example.org"),
            ("mask", "data{id,title},total", "data{id"),
            ("unheard-of", "anything", "\u{0}"),
        ] {
            assert!(fits(name, good), "{name}: {good}");
            assert_eq!(fits(name, bad), name == "unheard-of", "{name}: {bad}");
        }
    }
}
