//! The vocabularies of the catalogue: licences, frequencies, granularities and zones.

use serde_json::{Value, json};

use super::call::{Call, HandlerResult};
use super::fields::slug;
use super::state::Platform;
use crate::Api;
use crate::response::Reply;

pub(super) const MAIN: [&str; 3] = ["list_licenses", "list_frequencies", "spatial_granularities"];

/// Licences: id, title, URL, flags.
const LICENSES: [(&str, &str, Option<&str>, &[&str]); 4] = [
    ("notspecified", "License Not Specified", None, &[]),
    (
        "fr-lo",
        "Licence Ouverte / Open Licence",
        Some("https://www.etalab.gouv.fr/wp-content/uploads/2014/05/Licence_Ouverte.pdf"),
        &["domain_content", "domain_data"],
    ),
    (
        "lov2",
        "Licence Ouverte / Open Licence version 2.0",
        Some("https://www.etalab.gouv.fr/licence-ouverte-open-licence"),
        &["domain_content", "domain_data"],
    ),
    (
        "odc-odbl",
        "Open Data Commons Open Database License (ODbL)",
        Some("http://opendatacommons.org/licenses/odbl/summary/"),
        &["domain_data", "okd_compliant"],
    ),
];

/// Frequencies: id, label, and the longest time between two changes in minutes; 0 where there is no such time.
#[rustfmt::skip]
const FREQUENCIES: [(&str, &str, i64); 40] = [
    ("continuous", "Temps réel", 0), ("oneMinute", "Toutes les minutes", 1),
    ("fiveMinutes", "Toutes les cinq minutes", 5), ("tenMinutes", "Toutes les dix minutes", 10),
    ("fifteenMinutes", "Toutes les quinze minutes", 15), ("thirtyMinutes", "Toutes les trente minutes", 30),
    ("hourly", "Toutes les heures", 60), ("bihourly", "Toutes les deux heures", 120),
    ("trihourly", "Toutes les trois heures", 180), ("twelveHours", "Toutes les douze heures", 720),
    ("severalTimesADay", "Plusieurs fois par jour", 1440), ("threeTimesADay", "Trois fois par jour", 1440),
    ("semidaily", "Deux fois par jour", 1440), ("daily", "Quotidienne", 1440),
    ("fiveTimesAWeek", "Cinq fois par semaine", 10080), ("threeTimesAWeek", "Trois fois par semaine", 10080),
    ("semiweekly", "Deux fois par semaine", 10080), ("weekly", "Hebdomadaire", 10080),
    ("biweekly", "Toutes les deux semaines", 20160), ("threeTimesAMonth", "Trois fois par mois", 44640),
    ("semimonthly", "Deux fois par mois", 44640), ("monthly", "Mensuelle", 44640),
    ("bimonthly", "Tous les deux mois", 89280), ("quarterly", "Trimestrielle", 133920),
    ("threeTimesAYear", "Trois fois par an", 525600), ("semiannual", "Deux fois par an", 525600),
    ("annual", "Annuelle", 525600), ("biennial", "Tous les deux ans", 1051200),
    ("triennial", "Tous les trois ans", 1576800), ("quadrennial", "Tous les quatre ans", 2102400),
    ("quinquennial", "Tous les cinq ans", 2628000), ("decennial", "Tous les dix ans", 5256000),
    ("bidecennial", "Tous les vingt ans", 10512000), ("tridecennial", "Tous les trente ans", 15768000),
    ("punctual", "Ponctuelle", 0), ("irregular", "Sans régularité", 0), ("never", "Jamais", 0),
    ("notPlanned", "Non planifié", 0), ("other", "Autre", 0), ("unknown", "Inconnu", 0),
];

const GRANULARITIES: [(&str, &str); 7] = [
    ("country-group", "Groupement de pays"),
    ("country", "Pays"),
    ("fr:region", "Région française"),
    ("fr:departement", "Département français"),
    ("fr:commune", "Commune française"),
    ("poi", "Point d'Intérêt"),
    ("other", "Autre"),
];

/// The zones that have a name; others are called by their code.
const ZONES: [(&str, &str); 7] = [
    ("country-group:world", "Monde"),
    ("country-group:ue", "Union européenne"),
    ("country:fr", "France"),
    ("fr:region:11", "Île-de-France"),
    ("fr:region:53", "Bretagne"),
    ("fr:departement:75", "Paris"),
    ("fr:commune:75056", "Paris"),
];

fn license(id: &str) -> Value {
    let found = LICENSES.iter().find(|(known, ..)| *known == id);
    let (_, title, url, flags) = found.copied().unwrap_or((id, id, None, &[]));
    json!({
        "id": id, "title": title, "maintainer": null, "url": url, "flags": flags, "alternate_urls": [],
        "alternate_titles": []
    })
}

/// The title of a licence, empty where none was given.
pub(super) fn license_title(id: &str) -> &str {
    match LICENSES.iter().find(|(known, ..)| *known == id) {
        Some(("notspecified", ..)) => "",
        Some((_, title, ..)) => title,
        None => id,
    }
}

fn frequency(id: &str) -> Value {
    let label = FREQUENCIES.iter().find(|(known, ..)| *known == id).map_or(id, |(_, label, _)| *label);
    json!({"id": id, "label": label})
}

/// The longest time between two changes that a frequency allows.
pub(super) fn minutes(frequency: &str) -> Option<i64> {
    let found = FREQUENCIES.iter().find(|(known, ..)| *known == frequency);
    found.map(|(.., minutes)| *minutes).filter(|minutes| *minutes > 0)
}

fn granularity(id: &str) -> Value {
    let name = GRANULARITIES.iter().find(|(known, _)| *known == id).map_or("other", |(_, name)| *name);
    json!({"id": id, "name": name})
}

pub(super) fn zone_name(id: &str) -> &str {
    let code = id.rsplit_once(':').map_or(id, |(_, code)| code);
    ZONES.iter().find(|(known, _)| *known == id).map_or(code, |(_, name)| *name)
}

fn zone(id: &str) -> Value {
    let (level, code) = id.rsplit_once(':').unwrap_or(("other", id));
    let name = zone_name(id);
    json!({"class": "GeoZone", "id": id, "slug": slug(name), "name": name, "code": code, "level": level, "uri": null})
}

fn replace(value: &mut Value, whole: fn(&str) -> Value) {
    if let Some(id) = value.as_str() {
        *value = whole(id);
    }
}

/// Puts whole objects in the place of identifiers: of zones and granularities, and in version 2 of the licences and
/// frequencies of datasets.
pub(super) fn replace_identifiers(value: &mut Value, api: Api) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| replace_identifiers(item, api)),
        Value::Object(object) => {
            if let Some(spatial) = object.get_mut("spatial").and_then(Value::as_object_mut) {
                spatial.get_mut("granularity").into_iter().for_each(|one| replace(one, granularity));
                let zones = spatial.get_mut("zones").and_then(Value::as_array_mut).into_iter().flatten();
                zones.for_each(|one| replace(one, zone));
            }
            if api == Api::MainV2 && object.contains_key("frequency") {
                object.get_mut("frequency").into_iter().for_each(|one| replace(one, frequency));
                object.get_mut("license").into_iter().for_each(|one| replace(one, license));
            }
            let members = object.iter_mut().filter(|(name, _)| !matches!(name.as_str(), "extras" | "spatial"));
            members.for_each(|(_, member)| replace_identifiers(member, api));
        }
        _ => {}
    }
}

impl Platform {
    pub(super) fn respond_on_vocabularies(call: &Call<'_>) -> Option<HandlerResult> {
        let all: Value = match call.operation_id {
            "list_licenses" => LICENSES.iter().map(|(id, ..)| license(id)).collect(),
            "list_frequencies" => FREQUENCIES.iter().map(|(id, ..)| frequency(id)).collect(),
            "spatial_granularities" => GRANULARITIES.iter().map(|(id, _)| granularity(id)).collect(),
            _ => return None,
        };
        Some(Ok(Reply::json(200, &all)))
    }
}
