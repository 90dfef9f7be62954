//! Versions of the crates, and how they move.

use std::fmt;

use serde::Serialize;

use crate::diff::change::Release;

/// A version of three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub major: u64,
    pub minor: u64,
    pub patch: u64,
}

/// The number of a version that a release raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bump {
    Patch,
    Minor,
    Major,
}

impl Version {
    /// Reads `1.2.3`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let version = Self { major: numbers.next()??, minor: numbers.next()??, patch: numbers.next()?? };
        numbers.next().is_none().then_some(version)
    }

    /// The number that a release raises: before 1.0, what breaks raises the minor one, and all else the patch.
    pub fn bump(self, release: Release) -> Bump {
        match (self.major, release) {
            (0, Release::Major) => Bump::Minor,
            (0, _) | (_, Release::Patch) => Bump::Patch,
            (_, Release::Minor) => Bump::Minor,
            (_, Release::Major) => Bump::Major,
        }
    }

    /// The next version.
    pub fn raised(self, bump: Bump) -> Self {
        let Self { major, minor, patch } = self;
        match bump {
            Bump::Major => Self { major: major + 1, minor: 0, patch: 0 },
            Bump::Minor => Self { major, minor: minor + 1, patch: 0 },
            Bump::Patch => Self { major, minor, patch: patch + 1 },
        }
    }

    /// Whether a requirement of Cargo, such as `0.1`, `0.1.0` or `=0.1.0`, is met. One that is not understood is not.
    pub fn meets(self, requirement: &str) -> bool {
        let (is_exact, requirement) = match requirement.trim().strip_prefix('=') {
            Some(rest) => (true, rest.trim()),
            None => (false, requirement.trim().trim_start_matches('^')),
        };
        let numbers: Option<Vec<u64>> = requirement.split('.').map(|number| number.parse().ok()).collect();
        let Some(numbers) = numbers.filter(|numbers| (1..=3).contains(&numbers.len())) else { return false };
        let own = [self.major, self.minor, self.patch];
        // Up to the first number that is not zero nothing may differ.
        let fixed = numbers.iter().position(|number| *number != 0).map_or(numbers.len(), |index| index + 1);
        let fixed = if is_exact { numbers.len() } else { fixed };
        let is_same = own.iter().zip(&numbers).take(fixed).all(|(one, other)| one == other);
        is_same && own.iter().ge(numbers.iter())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Bump {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn before_one_what_breaks_raises_the_minor_number() {
        let next = |text: &str, release| version(text).raised(version(text).bump(release)).to_string();
        assert_eq!(next("0.3.7", Release::Major), "0.4.0");
        assert_eq!(next("0.3.7", Release::Minor), "0.3.8");
        assert_eq!(next("1.3.7", Release::Major), "2.0.0");
        assert_eq!(next("1.3.7", Release::Minor), "1.4.0");
        assert_eq!(next("1.3.7", Release::Patch), "1.3.8");
    }

    #[test]
    fn requirements_are_those_of_cargo() {
        for (own, requirement, expected) in [
            ("0.1.4", "0.1", true),
            ("0.1.4", "0.1.4", true),
            ("0.1.4", "0.1.5", false),
            ("0.2.0", "0.1", false),
            ("1.4.0", "1.2", true),
            ("2.0.0", "1.2", false),
            ("0.0.2", "0.0.1", false),
            ("0.1.4", "=0.1.3", false),
            ("0.1.4", "=0.1.4", true),
            ("0.1.4", "latest", false),
        ] {
            assert_eq!(version(own).meets(requirement), expected, "{own} for {requirement}");
        }
    }

    #[test]
    fn a_version_has_three_numbers() {
        assert_eq!(Version::parse("0.1"), None);
        assert_eq!(Version::parse("0.1.0-rc.1"), None);
        assert_eq!(Version::parse("0.1.0.0"), None);
    }
}
