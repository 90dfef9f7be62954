//! Checksums, computed while bytes pass.

use std::fmt;

use sha2::digest::DynDigest;

/// The algorithm of a [`Checksum`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-1, which the platform computes of every upload.
    Sha1,
    /// SHA-2 of 224 bits.
    Sha224,
    /// SHA-2 of 256 bits.
    Sha256,
    /// SHA-2 of 384 bits.
    Sha384,
    /// SHA-2 of 512 bits.
    Sha512,
    /// MD5.
    Md5,
    /// CRC-32, as in zip and gzip.
    Crc32,
}

impl Algorithm {
    /// Returns the number of hexadecimal digits.
    fn digits(self) -> usize {
        match self {
            Self::Crc32 => 8,
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

/// A checksum of the bytes of a file.
///
/// ```
/// use datagouv::files::{Algorithm, Checksum};
///
/// let checksum = Checksum::new(Algorithm::Crc32, "CBF43926").unwrap();
/// assert_eq!(checksum.to_string(), "crc32:cbf43926");
/// assert!(Checksum::new(Algorithm::Sha1, "cbf43926").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checksum {
    algorithm: Algorithm,
    value: String,
}

impl Checksum {
    /// Creates a checksum from hexadecimal digits; `None` if they are not valid for the algorithm.
    #[must_use]
    pub fn new(algorithm: Algorithm, value: &str) -> Option<Self> {
        let value = value.trim().to_ascii_lowercase();
        let whole = value.len() == algorithm.digits() && value.bytes().all(|digit| digit.is_ascii_hexdigit());
        whole.then_some(Self { algorithm, value })
    }

    /// Creates a checksum from the metadata of a resource: the platform's name of the algorithm, and the digits. `None` if the
    /// algorithm is not known or the digits are not valid.
    #[must_use]
    pub fn declared(name: &str, value: &str) -> Option<Self> {
        let value = value.trim();
        match name.trim().to_ascii_lowercase().replace('-', "").as_str() {
            "sha1" => Self::new(Algorithm::Sha1, value),
            // Any length of it.
            "sha2" | "sha224" | "sha256" | "sha384" | "sha512" => {
                let all = [Algorithm::Sha224, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512];
                all.into_iter().find_map(|algorithm| Self::new(algorithm, value))
            }
            "md5" => Self::new(Algorithm::Md5, value),
            // Leading zeros are often left out.
            "crc" | "crc32" => Self::new(Algorithm::Crc32, &format!("{:0>8}", value.trim_start_matches("0x"))),
            _ => None,
        }
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The value, in lower-case hexadecimal digits.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl From<&crate::main::types::Checksum> for Option<Checksum> {
    fn from(declared: &crate::main::types::Checksum) -> Self {
        Checksum::declared(declared.type_.as_str(), &declared.value)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{:?}", self.algorithm).to_ascii_lowercase();
        write!(f, "{name}:{}", self.value)
    }
}

/// Works a checksum out.
pub(super) struct Digester {
    algorithm: Algorithm,
    state: State,
}

enum State {
    Crc(crc32fast::Hasher),
    Digest(Box<dyn DynDigest + Send + Sync>),
}

impl Digester {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        let state = match algorithm {
            Algorithm::Crc32 => State::Crc(crc32fast::Hasher::new()),
            Algorithm::Md5 => State::Digest(Box::<md5::Md5>::default()),
            Algorithm::Sha1 => State::Digest(Box::<sha1::Sha1>::default()),
            Algorithm::Sha224 => State::Digest(Box::<sha2::Sha224>::default()),
            Algorithm::Sha256 => State::Digest(Box::<sha2::Sha256>::default()),
            Algorithm::Sha384 => State::Digest(Box::<sha2::Sha384>::default()),
            Algorithm::Sha512 => State::Digest(Box::<sha2::Sha512>::default()),
        };
        Self { algorithm, state }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Crc(hasher) => hasher.update(bytes),
            State::Digest(digest) => digest.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Checksum {
        let bytes = match self.state {
            State::Crc(hasher) => hasher.finalize().to_be_bytes().to_vec(),
            State::Digest(digest) => digest.finalize().into_vec(),
        };
        let value = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Checksum { algorithm: self.algorithm, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        // The check value of each algorithm for "123456789" or "abc", as their standards give them.
        for (algorithm, text, value) in [
            (Algorithm::Crc32, "123456789", "cbf43926"),
            (Algorithm::Md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Sha224, "abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
            (Algorithm::Sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Algorithm::Sha384,
                "abc",
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                Algorithm::Sha512,
                "abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            let mut digester = Digester::new(algorithm);
            for byte in text.bytes() {
                digester.update(&[byte]);
            }
            assert_eq!(digester.finish(), Checksum::new(algorithm, value).unwrap());
        }
    }

    #[test]
    fn declared_checksums_are_known_by_the_names_of_the_platform() {
        let sha256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        let named = |name: &str, value: &str| Checksum::declared(name, value).map(|checksum| checksum.algorithm());
        assert_eq!(named("sha2", sha256), Some(Algorithm::Sha256));
        assert_eq!(named("SHA-256", sha256), Some(Algorithm::Sha256));
        assert_eq!(Checksum::declared("crc", "D4A1185").unwrap().value(), "0d4a1185");
        assert_eq!(named("sha1", sha256), None);
        assert_eq!(named("sha3", sha256), None);
        assert_eq!(named("md5", ""), None);
        assert_eq!(named("md5", "zz0150983cd24fb0d6963f7d28e17f72"), None);
    }
}
