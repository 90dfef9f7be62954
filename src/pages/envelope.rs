//! The properties of a page that describe its list, whatever the type of the page.

use std::hash::{BuildHasher, RandomState};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::raw_envelope::RawEnvelope;
use super::{PageOf, inspect};
use crate::codec::tolerant;

/// The properties of a page that describe its list. A mask may leave out any of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The keys of its items.
    pub keys: Vec<Key>,
    pub total: Option<u64>,
    pub page: Option<u64>,
    pub page_size: Option<u64>,
    /// Whether there is a next page, if the page declares it.
    pub has_next: Option<bool>,
}

/// Identifies an item: the hash of its id, or of the whole item if it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub hash: u64,
    pub is_id: bool,
}

impl Key {
    fn of(text: &RawValue, is_id: bool, hasher: &RandomState) -> Self {
        Self { hash: hasher.hash_one(text.get()), is_id }
    }
}

impl Envelope {
    /// Reads the envelope alone.
    pub(super) fn read(page: &[u8], hasher: &RandomState) -> serde_json::Result<Self> {
        Ok(Self::new(serde_json::from_slice(page)?, |item| {
            let id = serde_json::from_str::<Identified<'_>>(item.get()).ok().and_then(|item| item.id);
            Key::of(id.unwrap_or(item), id.is_some(), hasher)
        }))
    }

    /// Reads the envelope together with the page; `None` if the page has an unusual form, or does not fit its type.
    #[inline]
    pub(super) fn read_with<P: PageOf + DeserializeOwned>(
        page: &[u8],
        expected: usize,
        hasher: &RandomState,
    ) -> Option<(P, Self)> {
        // Checked at once, it is not checked again for each text in it.
        let (read, raw) = inspect::read(std::str::from_utf8(page).ok()?, expected).ok()?;
        Some((read?, Self::of_ids(raw, hasher)))
    }

    fn new<'a>(raw: RawEnvelope<'a>, key: impl FnMut(&'a RawValue) -> Key) -> Self {
        let number = |value: Option<&RawValue>| tolerant::count(value?).ok().flatten();
        Self {
            keys: raw.data.unwrap_or_default().into_iter().map(key).collect(),
            total: number(raw.total),
            page: number(raw.page),
            page_size: number(raw.page_size),
            has_next: raw.next_page.map(|url| url.get() != "null"),
        }
    }

    fn of_ids(raw: RawEnvelope<'_>, hasher: &RandomState) -> Self {
        Self::new(raw, |id| Key::of(id, true, hasher))
    }
}

/// An item of which only the id is read.
#[derive(Deserialize)]
struct Identified<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use serde_json::Value;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct PageOf<T> {
        data: Vec<T>,
        total: Option<u64>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Named {
        name: String,
        id: Option<Value>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(PageOf<Rest>);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Rest {
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum EitherPage {
        Named { data: Vec<Named> },
        Any(Value),
    }

    /// A page of any type, whatever it lists.
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(transparent)]
    struct AnyPage<T> {
        page: T,
        #[serde(skip)]
        items: Vec<()>,
    }

    impl<T> super::PageOf for AnyPage<T> {
        type Item = ();

        fn items(&mut self) -> &mut Vec<()> {
            &mut self.items
        }
    }

    /// What is on no page of the platform, and could be: each is read in two passes.
    const ODD: [&str; 12] = [
        r#"[{"id": "a", "name": "b"}]"#,
        r#"{"data": null, "total": 0}"#,
        r#"{"data": {"id": "a", "name": "b"}}"#,
        r#"{"data": [{"name": "b"}]}"#,
        r#"{"data": [{"id": null, "name": "b"}, {"id": "a", "name": "b"}]}"#,
        r#"{"data": [{"id": "a", "name": "b"}, "a"]}"#,
        r#"{"data": [{"id": "a", "name": "b"}, null]}"#,
        r#"{"data": [{"id": "a", "id": "b", "name": "c"}]}"#,
        r#"{"data": [{"\u0069d": "a", "name": "b"}]}"#,
        r#"{"data": [{"id": "a", "name": "b"}], "data": [{"id": "b", "name": "c"}]}"#,
        r#"{"data": [{"id": "a", "name": "b"}], "total": 1, "total": 2}"#,
        r#"{"data": [{"id": "a", "name": "b"}]} {}"#,
    ];

    const PLAIN: [&str; 6] = [
        r#"{"data": []}"#,
        r#"{"data": [], "total": null, "page": "1", "page_size": -1, "next_page": null}"#,
        r#"{"data": [{"id": "a", "name": "b"}], "total": 1, "page": 1, "page_size": 20, "next_page": "/?page=2"}"#,
        r#"{"next_page": null, "data": [{"name": "é\n", "id": "\u0061"}, {"id": 7, "name": ""}], "facets": {"data": 1}}"#,
        r#"{"data": [{"owner": {"id": "c", "data": [{"id": "d"}]}, "name": "b", "id": {"id": [1.5, "a"]}}], "total": 1}"#,
        " {\"data\" :[ { \"id\":\t\"a\" , \"name\": \"b\"} ]\n, \"total\": 1e3} ",
    ];

    /// Whether it was read in one pass. Then it is what two passes read.
    fn is_read_with<T: DeserializeOwned + Debug + PartialEq>(page: &str) -> bool {
        let hasher = RandomState::new();
        let Some((read, envelope)) = Envelope::read_with::<AnyPage<T>>(page.as_bytes(), 3, &hasher) else {
            return false;
        };
        assert_eq!(read.page, serde_json::from_str::<T>(page).unwrap(), "{page}");
        assert_eq!(envelope, Envelope::read(page.as_bytes(), &hasher).unwrap(), "{page}");
        true
    }

    #[test]
    fn one_pass_reads_the_same_as_two() {
        for page in PLAIN {
            assert!(is_read_with::<Value>(page), "{page}");
            assert!(is_read_with::<EitherPage>(page), "{page}");
            assert!(is_read_with::<BTreeMap<String, Value>>(page), "{page}");
            // A total that is no whole number does not fit; neither pass takes it.
            let fits = serde_json::from_str::<PageOf<Named>>(page).is_ok();
            assert_eq!(is_read_with::<PageOf<Named>>(page), fits, "{page}");
            assert_eq!(is_read_with::<Wrapped>(page), fits, "{page}");
        }
        for page in ODD {
            assert!(!is_read_with::<Value>(page), "{page}");
            assert!(!is_read_with::<PageOf<Named>>(page), "{page}");
        }
    }

    #[test]
    fn raw_values_are_read_in_two_passes() {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "whether it is read is what counts")]
        struct Kept {
            data: Vec<Box<RawValue>>,
        }
        for page in &PLAIN[2..] {
            assert!(Envelope::read_with::<AnyPage<Kept>>(page.as_bytes(), 0, &RandomState::new()).is_none(), "{page}");
            assert!(serde_json::from_str::<Kept>(page).is_ok(), "{page}");
        }
    }

    #[test]
    fn a_number_is_the_same_in_every_form() {
        let page = br#"{"data": [], "total": "12", "page": 2.0, "page_size": [], "next_page": null}"#;
        let read = Envelope::read(page, &RandomState::new()).unwrap();
        assert_eq!((read.total, read.page, read.page_size, read.has_next), (Some(12), Some(2), None, Some(false)));
        let page: crate::Page<Value> = serde_json::from_slice(page).unwrap();
        assert_eq!((page.total, page.page, page.page_size, page.next_page), (Some(12), Some(2), None, None));
    }

    #[test]
    fn invalid_utf_8_is_refused() {
        let page = b"{\"data\": [], \"a\": \"\xff\"}";
        assert!(Envelope::read_with::<AnyPage<Value>>(page, 0, &RandomState::new()).is_none());
    }

    #[test]
    fn an_item_is_identified_by_its_id_or_its_whole_content() {
        let page = br#"{"data": [{"name": "a"}, "a", {"id": null}, {"id": "b"}, {"id": "b", "name": "c"}]}"#;
        let keys = Envelope::read(page, &RandomState::new()).unwrap().keys;
        assert_eq!(keys.iter().map(|key| key.is_id).collect::<Vec<_>>(), [false, false, false, true, true]);
        assert_eq!(keys[3], keys[4]);
        assert!((0..4).all(|first| keys[first + 1..4].iter().all(|other| other.hash != keys[first].hash)));
    }

    #[test]
    fn an_id_is_the_same_among_items_without_ids() {
        let hasher = RandomState::new();
        let key = |page: &str| Envelope::read(page.as_bytes(), &hasher).unwrap().keys[0];
        assert_eq!(key(r#"{"data": [{"id": "a"}]}"#), key(r#"{"data": [{"id": "a", "name": "b"}, "c"]}"#));
    }
}
