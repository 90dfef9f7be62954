//! The invented datasets of the platform. Their values are computed, so that tests can rely on them.

use std::fmt::Write as _;

/// A dataset of the platform at the start.
pub(crate) struct Sample {
    pub(crate) id: &'static str,
    pub(crate) organization: usize,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    pub(crate) tags: &'static [&'static str],
    pub(crate) frequency: &'static str,
    pub(crate) resource: &'static str,
    pub(crate) file_name: &'static str,
    pub(crate) data: fn() -> String,
}

/// The dataset of charging points, with 120 rows in its one resource.
pub const CHARGING_POINTS: &str = "6512ab34cd56ef7890ab1201";
/// The resource of [`CHARGING_POINTS`].
pub const CHARGING_POINTS_RESOURCE: &str = "3f5e1c2a-7b4d-4e6f-8a90-1b2c3d4e5f60";
/// The dataset of communes.
pub const COMMUNES: &str = "6512ab34cd56ef7890ab1202";
/// The resource of [`COMMUNES`].
pub const COMMUNES_RESOURCE: &str = "8d2b7f10-95c3-4a1e-b6d4-2f3e4d5c6b7a";
/// The dataset of air quality, with some null measures.
pub const AIR_QUALITY: &str = "6512ab34cd56ef7890ab1203";
/// The resource of [`AIR_QUALITY`].
pub const AIR_QUALITY_RESOURCE: &str = "c47a9e35-0d18-4b72-9f6a-3e4d5c6b7a89";
/// The dataset of bus stops.
pub const STOPS: &str = "6512ab34cd56ef7890ab1204";
/// The resource of [`STOPS`].
pub const STOPS_RESOURCE: &str = "e90f4d68-62b5-4c8d-a1e3-4d5c6b7a8990";

pub(crate) const ORGANIZATIONS: [(&str, &str, &str); 2] = [
    ("5f43ab12cd34ef5678ab9001", "Agence des mobilités de démonstration", "agence-des-mobilites-de-demonstration"),
    (
        "5f43ab12cd34ef5678ab9002",
        "Institut des territoires de démonstration",
        "institut-des-territoires-de-demonstration",
    ),
];

pub(crate) const SAMPLES: [Sample; 4] = [
    Sample {
        id: CHARGING_POINTS,
        organization: 0,
        title: "Bornes de recharge pour véhicules électriques",
        description: "Points de recharge **ouverts au public** : lieu, puissance et accès.",
        tags: &["bornes-de-recharge", "irve", "mobilite"],
        frequency: "weekly",
        resource: CHARGING_POINTS_RESOURCE,
        file_name: "bornes-de-recharge.csv",
        data: charging_points,
    },
    Sample {
        id: COMMUNES,
        organization: 1,
        title: "Communes : population et superficie",
        description: "Quelques communes avec leur code, leur population et leur superficie.",
        tags: &["communes", "population", "territoires"],
        frequency: "annual",
        resource: COMMUNES_RESOURCE,
        file_name: "communes.csv",
        data: communes,
    },
    Sample {
        id: AIR_QUALITY,
        organization: 1,
        title: "Qualité de l'air : relevés horaires",
        description: "Concentrations mesurées par les stations. Une mesure manquante est vide.",
        tags: &["air", "environnement", "mesures"],
        frequency: "hourly",
        resource: AIR_QUALITY_RESOURCE,
        file_name: "qualite-de-l-air.csv",
        data: air_quality,
    },
    Sample {
        id: STOPS,
        organization: 0,
        title: "Arrêts du réseau de bus",
        description: "Arrêts du réseau, avec leur position et leur accessibilité.",
        tags: &["arrets", "bus", "mobilite", "transport"],
        frequency: "monthly",
        resource: STOPS_RESOURCE,
        file_name: "arrets.csv",
        data: stops,
    },
];

/// Code, name, department, population, area in km².
const TOWNS: [(&str, &str, &str, u32, f64); 12] = [
    ("01004", "Ambérieu-en-Bugey", "Ain", 15_554, 24.6),
    ("06088", "Nice", "Alpes-Maritimes", 348_085, 71.92),
    ("13055", "Marseille", "Bouches-du-Rhône", 873_076, 240.62),
    ("29019", "Brest", "Finistère", 139_619, 49.51),
    ("2A004", "Ajaccio", "Corse-du-Sud", 72_843, 82.03),
    ("31555", "Toulouse", "Haute-Garonne", 504_078, 118.3),
    ("35238", "Rennes", "Ille-et-Vilaine", 225_081, 50.39),
    ("38185", "Grenoble", "Isère", 157_477, 18.13),
    ("59350", "Lille", "Nord", 236_710, 34.8),
    ("67482", "Strasbourg", "Bas-Rhin", 291_313, 78.26),
    ("69123", "Lyon", "Rhône", 522_250, 47.87),
    ("97411", "Saint-Denis", "La Réunion", 155_634, 142.79),
];

fn charging_points() -> String {
    let mut text = "id_pdc,nom_station,code_insee,commune,puissance,points,acces_libre,mise_en_service\n".to_owned();
    let powers = ["7.4", "22.0", "50.0", "150.0"];
    for index in 0..120_usize {
        let (code, town, ..) = TOWNS[index % TOWNS.len()];
        let (station, power, points) = (index / TOWNS.len() + 1, powers[index * 7 % powers.len()], index % 6 + 1);
        let (open, year, month) = (!index.is_multiple_of(3), 2019 + index % 7, index % 12 + 1);
        let _ = writeln!(
            text,
            "FR-DEM-{:04},\"{town}, station {station}\",{code},{town},{power},{points},{open},{year}-{month:02}-15",
            index + 1
        );
    }
    text
}

fn communes() -> String {
    let mut text = "code_insee,nom,departement,population,superficie\n".to_owned();
    for (code, name, department, population, area) in TOWNS {
        let _ = writeln!(text, "{code},{name},{department},{population},{area}");
    }
    text
}

fn air_quality() -> String {
    let mut text = "station,polluant,valeur,mesure_le\n".to_owned();
    for hour in 0..72_usize {
        for (index, pollutant) in ["NO2", "O3", "PM10"].into_iter().enumerate() {
            let (_, town, ..) = TOWNS[(hour + index) % 4];
            let value = match (hour * 5 + index * 11) % 37 {
                0 => String::new(),
                step => format!("{}.{}", step + 3 * index, hour % 10),
            };
            let (day, hour) = (1 + hour / 24, hour % 24);
            let _ = writeln!(text, "{town},{pollutant},{value},2026-01-{day:02}T{hour:02}:00:00");
        }
    }
    text
}

fn stops() -> String {
    let mut text = "id_arret,nom,latitude,longitude,accessible,zone\n".to_owned();
    let names = ["Gare", "Hôtel de ville", "Université", "Marché", "Hôpital", "Stade", "Parc", "Lycée"];
    for index in 0..32_usize {
        let name = names[index % names.len()];
        let side = if index % 16 < 8 { "quai A" } else { "quai B" };
        let (latitude, longitude) = (48.10 + 0.0025 * f64::from(u8::try_from(index).unwrap_or(0)), -1.67);
        let (accessible, zone) = (index % 5 != 0, index / 8 + 1);
        let _ = writeln!(text, "AR{index:03},{name} ({side}),{latitude:.4},{longitude:.2},{accessible},{zone}");
    }
    text
}

/// The months of the metrics, the oldest first.
pub(crate) fn months() -> Vec<String> {
    (0..18_u32).map(|index| format!("{}-{:02}", 2025 + index / 12, index % 12 + 1)).collect()
}

/// A count of a month; some are null.
pub(crate) fn count(seed: usize, month: usize) -> Option<usize> {
    ((seed * 5 + month) % 11 != 3).then_some(120 + 31 * ((seed * 7 + month * 13) % 23) + 9 * month)
}
