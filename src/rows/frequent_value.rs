//! The frequent values in the profile of a table, in the versions that the platform serves.

use serde_json::Value;

use crate::tabular::types::FrequentValue;

impl FrequentValue {
    /// The number of rows that have the value, in whichever property the profile has it; `None` if in neither.
    ///
    /// Profiles that were made in 2024 have the number in `value` and the value in `count`.
    ///
    /// ```
    /// # fn main() -> Result<(), serde_json::Error> {
    /// use datagouv::tabular::types::FrequentValue;
    ///
    /// let today: FrequentValue = serde_json::from_str(r#"{"count": 12, "value": "Paris"}"#)?;
    /// let of_2024: FrequentValue = serde_json::from_str(r#"{"count": "Paris", "value": 12}"#)?;
    /// for top in [today, of_2024] {
    ///     assert_eq!(top.occurrences(), Some(12));
    ///     assert_eq!(top.occurring(), "Paris");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn occurrences(&self) -> Option<i64> {
        crate::codec::scalar::integer(if self.is_swapped() { &self.value } else { &self.count })
    }

    /// The frequent value, usually as the text of the file.
    #[must_use]
    pub fn occurring(&self) -> &Value {
        if self.is_swapped() { &self.count } else { &self.value }
    }

    /// Counts were always numbers; values are usually texts.
    fn is_swapped(&self) -> bool {
        !self.count.is_number() && self.value.is_number()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tabular::types::{PythonType, ResourceProfileResponse};

    fn read(profile: Value) -> ResourceProfileResponse {
        serde_json::from_value(profile).unwrap()
    }

    #[test]
    fn counts_are_read_in_every_form_that_they_were_stored_in() {
        for (stored, count) in [(json!("0"), 0), (json!(0), 0), (json!("80207"), 80207), (json!(12.0), 12)] {
            let profile = read(json!({"profile": {
                "nb_duplicates": stored, "total_lines": stored,
                "profile": {"commune": {
                    "nb_distinct": stored, "nb_missing_values": stored, "tops": [{"count": stored, "value": "Paris"}],
                }},
            }}))
            .profile;
            let commune = &profile.profile["commune"];
            assert_eq!([profile.nb_duplicates, profile.total_lines], [Some(count); 2], "{stored}");
            assert_eq!([commune.nb_distinct, commune.nb_missing_values], [Some(count); 2], "{stored}");
            assert_eq!(commune.tops[0].occurrences(), Some(count), "{stored}");
        }
    }

    #[test]
    fn frequent_values_are_read_when_count_and_value_are_swapped() {
        for (top, occurrences, occurring) in [
            (json!({"count": 12, "value": "2019"}), Some(12), json!("2019")),
            (json!({"count": "2019", "value": 12}), Some(12), json!("2019")),
            (json!({"count": 12, "value": 2019}), Some(12), json!(2019)),
            (json!({"count": 3, "value": null}), Some(3), Value::Null),
            (json!({"count": null, "value": 3}), Some(3), Value::Null),
            (json!({"value": "Paris"}), None, json!("Paris")),
        ] {
            let read: FrequentValue = serde_json::from_value(top.clone()).unwrap();
            assert_eq!((read.occurrences(), read.occurring()), (occurrences, &occurring), "{top}");
        }
    }

    #[test]
    fn a_profile_of_a_parquet_source_has_its_columns_and_their_types() {
        let profile = read(json!({
            "profile": {
                "header": ["quand"], "total_lines": "3",
                "columns": {"quand": {"python_type": "datetime_aware", "format": "datetime_aware"}},
            },
            "indexes": null, "deleted_at": null,
        }))
        .profile;
        let quand = &profile.columns["quand"];
        assert_eq!((&quand.python_type, quand.score), (&PythonType::DatetimeAware, None));
        assert_eq!((profile.header, profile.total_lines), (vec!["quand".to_owned()], Some(3)));
    }

    #[test]
    fn minimum_and_maximum_are_kept_as_received() {
        let profile = read(json!({"profile": {
            "unique_values": {"commune": ["Lyon", "Nice"]},
            "columns": {"jour": {"python_type": "date", "format": "date", "score": 1.5, "date_format": "%d/%m/%Y"}},
            "profile": {"annee": {"min": "2019", "max": 2024, "mean": "NaN", "std": "0.5"}},
        }}))
        .profile;
        let annee = &profile.profile["annee"];
        assert_eq!((&annee.min, &annee.max), (&json!("2019"), &json!(2024)));
        assert!(annee.mean.is_some_and(f64::is_nan) && annee.std == Some(0.5));
        assert_eq!(profile.columns["jour"].date_format.as_deref(), Some("%d/%m/%Y"));
        assert_eq!(profile.unique_values["commune"], [json!("Lyon"), json!("Nice")]);
    }
}
