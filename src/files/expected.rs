//! Compares a file with its declared size and checksum.

use super::checksum::{Checksum, Digester};
use crate::{Error, Result};

/// The declared size and checksum of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub size: Option<u64>,
    pub checksum: Option<Checksum>,
}

/// A file in the content coding in which it was sent.
pub(super) struct Coded {
    pub size: u64,
    pub checksum: Option<Checksum>,
}

impl Expected {
    pub(super) fn check(&self) -> Check {
        let digester = self.checksum.as_ref().map(|checksum| Digester::new(checksum.algorithm()));
        Check { expected: self.clone(), digester }
    }
}

/// Compares a file with what is declared about it.
pub(super) struct Check {
    expected: Expected,
    digester: Option<Digester>,
}

impl Check {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(digester) = &mut self.digester {
            digester.update(bytes);
        }
    }

    /// Returns the verified checksum, if one was declared.
    /// Returns the verified checksum, if one was declared. What is declared may be of the file, or of the form in which it
    /// was sent.
    pub(super) fn finish(self, size: u64, coded: Option<Coded>) -> Result<Option<Checksum>> {
        let fits = |expected: u64| expected == size || coded.as_ref().is_some_and(|coded| coded.size == expected);
        if let Some(expected) = self.expected.size.filter(|expected| !fits(*expected)) {
            let sent = coded.map(|coded| format!(" ({} as they were sent)", coded.size)).unwrap_or_default();
            return Err(Error::corrupt(format!("the file has {size} bytes{sent}, but {expected} are declared")));
        }
        let Some(found) = self.digester.map(Digester::finish) else { return Ok(None) };
        let sent = coded.and_then(|coded| coded.checksum);
        match self.expected.checksum {
            Some(expected) if expected != found && sent.as_ref() != Some(&expected) => {
                Err(Error::corrupt(format!("the checksum of the file is {found}, but {expected} is declared")))
            }
            expected => Ok(expected.or(Some(found))),
        }
    }
}
