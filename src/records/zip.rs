//! A ZIP archive as a stream: the file that it holds, unpacked while its bytes come.
//!
//! The header before a member says all that is needed. The directory at the end of an archive, which readers of ZIP files
//! ask for first, would take a second request with a range, or the whole file on disk.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::DeflateDecoder;
use tokio::io::{AsyncRead, AsyncReadExt, BufReader, Take};

/// The bytes of a file as they arrive.
pub(super) type Bytes = BufReader<Pin<Box<dyn AsyncRead + Send>>>;

const MEMBER: [u8; 4] = *b"PK\x03\x04";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
/// The size of the header of a member after its signature.
const HEADER: usize = 26;
/// From this on, a size is in the extra field (Zip64).
const IN_EXTRA: u64 = 0xffff_ffff;
/// The id of that field.
const ZIP64: u16 = 1;

/// The content of a file of an archive.
pub(super) struct Zip {
    content: Content,
    member: Header,
    crc: crc32fast::Hasher,
    size: u64,
    /// Whether other files may follow, since this one was chosen by its name.
    chosen: bool,
}

enum Content {
    Stored(Take<Bytes>),
    Deflated(Box<DeflateDecoder<Bytes>>),
    Ended,
}

/// What the header of a member says.
#[derive(Debug, Default)]
struct Header {
    name: String,
    deflated: bool,
    /// Whether the sizes and the CRC-32 follow the content.
    described_after: bool,
    zip64: bool,
    packed: u64,
    crc: u32,
}

impl Zip {
    /// Finds the file with a name, or the only file.
    pub(super) async fn open(mut bytes: Bytes, wanted: Option<&str>) -> io::Result<Self> {
        while let Some(header) = Header::read(&mut bytes).await? {
            if header.name == "[Content_Types].xml" || header.name.starts_with("xl/") {
                return Err(invalid(
                    "the file is an XLSX workbook, not CSV: only the tabular API has the rows of workbooks",
                ));
            }
            if wanted.map_or_else(|| !is_aside(&header.name), |wanted| header.name == wanted) {
                return Ok(Self::of(bytes, header, wanted.is_some()));
            }
            bytes = Self::of(bytes, header, true).skip().await?;
        }
        Err(match wanted {
            Some(wanted) => invalid(format!("the ZIP archive has no file `{wanted}`")),
            None => invalid("the ZIP archive has no file"),
        })
    }

    fn of(bytes: Bytes, member: Header, chosen: bool) -> Self {
        let content = if member.deflated {
            Content::Deflated(Box::new(DeflateDecoder::new(bytes)))
        } else {
            Content::Stored(bytes.take(member.packed))
        };
        Self { content, member, crc: crc32fast::Hasher::new(), size: 0, chosen }
    }

    /// Returns the name of the file.
    pub(super) fn name(&self) -> &str {
        &self.member.name
    }

    /// Reads some bytes of the file; none at its end, once it is the file that its checksum says and the only one.
    pub(super) async fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.read_content(into).await?;
        if read > 0 || matches!(self.content, Content::Ended) {
            return Ok(read);
        }
        let mut bytes = self.finish().await?;
        while !self.chosen
            && let Some(header) = Header::read(&mut bytes).await?
        {
            if !is_aside(&header.name) {
                return Err(invalid(format!(
                    "the ZIP archive holds both `{}` and `{}`: choose a file with `member`",
                    self.member.name, header.name
                )));
            }
            bytes = Self::of(bytes, header, true).skip().await?;
        }
        Ok(0)
    }

    /// Reads the rest of the file, to reach what follows it.
    async fn skip(mut self) -> io::Result<Bytes> {
        let mut discarded = vec![0; 16 << 10];
        while self.read_content(&mut discarded).await? > 0 {}
        self.finish().await
    }

    async fn read_content(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.content {
            Content::Stored(content) => content.read(into).await?,
            Content::Deflated(content) => content.read(into).await?,
            Content::Ended => 0,
        };
        self.crc.update(into.get(..read).unwrap_or_default());
        self.size += read as u64;
        Ok(read)
    }

    /// Compares the content with its checksum, and returns what follows it.
    async fn finish(&mut self) -> io::Result<Bytes> {
        let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the ZIP archive ends within a file");
        let mut bytes = match std::mem::replace(&mut self.content, Content::Ended) {
            Content::Stored(content) if content.limit() > 0 => return Err(cut()),
            Content::Stored(content) => content.into_inner(),
            Content::Deflated(content) => content.into_inner(),
            Content::Ended => return Err(cut()),
        };
        let mut declared = self.member.crc;
        if self.member.described_after {
            let mut field = [0; 4];
            bytes.read_exact(&mut field).await?;
            if field == DESCRIPTOR {
                bytes.read_exact(&mut field).await?;
            }
            declared = u32::from_le_bytes(field);
            let mut sizes = vec![0; if self.member.zip64 { 16 } else { 8 }];
            bytes.read_exact(&mut sizes).await?;
        }
        if declared != self.crc.clone().finalize() {
            return Err(invalid(format!("the checksum of `{}` in the ZIP archive is wrong", self.member.name)));
        }
        Ok(bytes)
    }
}

impl Header {
    /// Reads the header of the next member; `None` where the directory begins.
    async fn read(bytes: &mut Bytes) -> io::Result<Option<Self>> {
        let mut signature = [0; 4];
        bytes.read_exact(&mut signature).await?;
        if signature != MEMBER {
            return Ok(None);
        }
        let mut fixed = [0; HEADER];
        bytes.read_exact(&mut fixed).await?;
        let short = |at: usize| u16::from_le_bytes(array(&fixed, at));
        let long = |at: usize| u32::from_le_bytes(array(&fixed, at));
        let (flags, method) = (short(2), short(4));
        let (mut name, mut extra) = (vec![0; short(22).into()], vec![0; short(24).into()]);
        bytes.read_exact(&mut name).await?;
        bytes.read_exact(&mut extra).await?;
        let name = String::from_utf8_lossy(&name).into_owned();
        let (zip64, packed) = packed_size(&extra, long(18).into(), long(14).into());
        let header =
            Self { name, deflated: method == 8, described_after: flags & 8 != 0, zip64, packed, crc: long(10) };
        match (flags & 1, method) {
            (0, 8) => Ok(Some(header)),
            (0, 0) if header.described_after && header.packed == 0 && !header.name.ends_with('/') => Err(invalid(
                format!("the size of `{}` in the ZIP archive is not declared before its content", header.name),
            )),
            (0, 0) => Ok(Some(header)),
            (0, method) => Err(invalid(format!(
                "`{}` in the ZIP archive is packed by method {method}: only deflate (8) and none (0) can be read",
                header.name
            ))),
            _ => Err(invalid(format!("`{}` in the ZIP archive is encrypted", header.name))),
        }
    }
}

/// Returns whether an entry is none of the data: a folder, or what macOS adds.
fn is_aside(name: &str) -> bool {
    name.ends_with('/') || name.starts_with("__MACOSX/") || name.ends_with(".DS_Store")
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
}

/// Returns whether an entry has the extra field of Zip64, and its packed size.
fn packed_size(mut extra: &[u8], size: u64, packed: u64) -> (bool, u64) {
    while let Some((head, rest)) = extra.split_at_checked(4) {
        let length = usize::from(u16::from_le_bytes(array(head, 2)));
        let field = rest.get(..length).unwrap_or(rest);
        if u16::from_le_bytes(array(head, 0)) == ZIP64 {
            // It holds those of both sizes that do not fit into the header.
            let at = if size >= IN_EXTRA { 8 } else { 0 };
            let known = field.len() >= at + 8 && packed >= IN_EXTRA;
            return (true, if known { u64::from_le_bytes(array(field, at)) } else { packed });
        }
        extra = rest.get(length..).unwrap_or_default();
    }
    (false, packed)
}

fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}
