//! Compares a file with its declared size and checksum.

use super::checksum::{Checksum, Digester};
use crate::{Error, Result};

/// The declared size and checksum of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub size: Option<u64>,
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
    pub(super) fn finish(self, size: u64) -> Result<Option<Checksum>> {
        if let Some(expected) = self.expected.size.filter(|expected| *expected != size) {
            return Err(Error::corrupt(format!("the file has {size} bytes, but {expected} are declared")));
        }
        let Some(found) = self.digester.map(Digester::finish) else { return Ok(None) };
        match self.expected.checksum {
            Some(expected) if expected != found => {
                Err(Error::corrupt(format!("the checksum of the file is {found}, but {expected} is declared")))
            }
            _ => Ok(Some(found)),
        }
    }
}
