//! The table whose rows are read: what the server has of it, and what they are read into.

use datagouv_sandbox::platform::NewTable;
use jiff::civil::Date;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::json;

const STATIONS: [&str; 8] = [
    "Paris Bercy",
    "Lyon-Part-Dieu",
    "Besançon",
    "Saint-Étienne, place Jean-Jaurès",
    "Nîmes",
    "Rennes \"Gares\"",
    "Mâcon",
    "Le Mans Nord",
];

/// The columns, with their types in the profile.
pub(crate) const COLUMNS: [(&str, &str); 8] = [
    ("numero", "int"),
    ("station", "string"),
    ("passages", "int"),
    ("vitesse", "float"),
    ("longitude", "float"),
    ("jour", "date"),
    ("ouvert", "bool"),
    ("remarque", "string"),
];

/// A row.
#[derive(serde::Deserialize)]
pub(crate) struct TrafficCount {
    pub(crate) numero: u64,
    pub(crate) station: String,
    pub(crate) passages: Option<u32>,
    pub(crate) vitesse: Option<f64>,
    pub(crate) longitude: f64,
    pub(crate) jour: Date,
    pub(crate) ouvert: Option<Flag>,
    pub(crate) remarque: Option<String>,
}

impl TrafficCount {
    /// A number made of all values, so that none is left unread.
    pub(crate) fn digest(&self) -> u64 {
        let texts = self.station.len() + self.remarque.as_ref().map_or(0, String::len);
        let numbers = self.numero + u64::from(self.passages.unwrap_or_default());
        let floats = self.longitude.to_bits() ^ self.vitesse.unwrap_or_default().to_bits();
        let rest =
            u64::from(self.jour.day().unsigned_abs()) + u64::from(self.ouvert.as_ref().is_some_and(|flag| flag.0));
        (numbers + rest + texts as u64).wrapping_add(floats)
    }
}

/// True or false, which the exports write as `t` and `f`: a CSV reader without the types of columns needs this type.
pub(crate) struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;

        impl Visitor<'_> for FlagVisitor {
            type Value = Flag;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a truth value, or its letter")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Flag, E> {
                Ok(Flag(value))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
                match text {
                    "t" => Ok(Flag(true)),
                    "f" => Ok(Flag(false)),
                    _ => Err(E::custom("neither t nor f")),
                }
            }
        }

        deserializer.deserialize_str(FlagVisitor)
    }
}

/// The table with so many rows.
pub(crate) fn of(rows: u32) -> NewTable {
    let row = |row: u32| {
        // Spread, and the same each time.
        let mixed = row.wrapping_mul(2_654_435_761) >> 8;
        let station = STATIONS[(mixed % 8) as usize];
        vec![
            json!(1_000_000 + row),
            json!(station),
            if mixed.is_multiple_of(10) { json!(null) } else { json!(mixed % 20_000) },
            if mixed.is_multiple_of(7) { json!(null) } else { json!(f64::from(mixed % 1_300) / 10.0) },
            json!(f64::from(mixed) / 1e6),
            json!(format!("20{:02}-{:02}-{:02}", mixed % 26, mixed % 12 + 1, mixed % 28 + 1)),
            match mixed % 5 {
                0 => json!(null),
                rest => json!(rest % 2 == 0),
            },
            if mixed.is_multiple_of(8) { json!(format!("compteur {} déplacé", mixed % 100)) } else { json!(null) },
        ]
    };
    NewTable {
        columns: COLUMNS.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec(),
        rows: (0..rows).map(row).collect(),
        ..NewTable::default()
    }
}
