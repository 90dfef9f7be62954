//! Files to upload.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use reqwest::Body;
use reqwest::multipart::Part;
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;

use crate::{Error, Result};

/// A file to upload, from a path, bytes, or an async reader or stream of known length.
///
/// It is read while it is sent, and kept in memory only if it is made from bytes. Cloning is cheap.
///
/// ```
/// use datagouv::File;
///
/// let file = File::from_bytes("communes.csv", "code;nom\n01001;L'Abergement\n");
/// assert_eq!((file.name(), file.len()), ("communes.csv", 28));
/// ```
#[derive(Clone)]
pub struct File {
    name: String,
    content_type: Option<String>,
    length: u64,
    source: Source,
}

pub(crate) type Reader = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

#[derive(Clone)]
enum Source {
    Bytes(Bytes),
    Path(PathBuf),
    /// A reader, which can be read once.
    Reader(Arc<Mutex<Option<Reader>>>),
}

impl File {
    /// Creates a file from bytes. `name` is the file name sent to the server.
    #[must_use]
    pub fn from_bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { name: name.into(), content_type: None, length: bytes.len() as u64, source: Source::Bytes(bytes) }
    }

    /// Creates a file from a path. The file is opened when it is sent; its size is read now.
    ///
    /// # Errors
    ///
    /// Returns an error if the path is not a file, or its metadata cannot be read.
    pub async fn from_path(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let metadata = tokio::fs::metadata(path).await?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is not a file", path.display())));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, content_type: None, length: metadata.len(), source: Source::Path(path.to_owned()) })
    }

    /// Creates a file from a reader of exactly `length` bytes. It can be sent once, and is not retried.
    #[must_use]
    pub fn from_reader(name: impl Into<String>, length: u64, reader: impl AsyncRead + Send + 'static) -> Self {
        Self::from_stream(name, length, ReaderStream::new(reader))
    }

    /// Creates a file from a stream of exactly `length` bytes. It can be sent once, and is not retried.
    #[must_use]
    pub fn from_stream(
        name: impl Into<String>,
        length: u64,
        stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Self {
        let reader: Reader = Box::pin(stream);
        Self {
            name: name.into(),
            content_type: None,
            length,
            source: Source::Reader(Arc::new(Mutex::new(Some(reader)))),
        }
    }

    /// Sets the media type. Default: the server derives it from the name.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets the file name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Returns the file name that is sent to the server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Returns whether the length is 0.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the bytes as a stream, which fails if they are more or fewer than announced.
    pub(crate) fn stream(&self) -> Result<Reader> {
        self.stream_by(READ_AT_ONCE)
    }

    /// Returns the bytes as a stream. Those of a path come in pieces of this size.
    pub(crate) fn stream_by(&self, at_once: usize) -> Result<Reader> {
        let inner: Reader = match &self.source {
            Source::Bytes(bytes) => Box::pin(futures_util::stream::iter([Ok(bytes.clone())])),
            Source::Path(path) => Box::pin(Opened::new(path.clone(), at_once)),
            Source::Reader(reader) => {
                let taken = reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
                taken.ok_or_else(|| {
                    Error::request(format!("`{}` comes from a reader and was already sent", self.name))
                })?
            }
        };
        Ok(Box::pin(Exact::new(inner, self.length)))
    }

    /// Returns whether the bytes can be read only once.
    #[cfg(feature = "files")]
    pub(crate) fn is_read_once(&self) -> bool {
        matches!(self.source, Source::Reader(_))
    }

    /// Returns the media type, if one is set.
    pub(crate) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The part of a multipart form that sends it.
    pub(crate) fn part(&self) -> Result<Part> {
        let body = match &self.source {
            Source::Bytes(bytes) => Body::from(bytes.clone()),
            Source::Path(_) | Source::Reader(_) => Body::wrap_stream(self.stream()?),
        };
        let part = Part::stream_with_length(body, self.length).file_name(self.name.clone());
        match &self.content_type {
            Some(content_type) => part
                .mime_str(content_type)
                .map_err(|error| Error::request(format!("`{content_type}` is not a media type")).with_source(error)),
            None => Ok(part),
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("name", &self.name).field("length", &self.length).finish_non_exhaustive()
    }
}

/// Each reading of a file is a turn of another thread.
const READ_AT_ONCE: usize = 64 << 10;

/// The bytes of a file that is opened when the first of them is requested.
enum Opened {
    Opening(Pin<Box<dyn Future<Output = io::Result<ReaderStream<tokio::fs::File>>> + Send>>),
    Reading(ReaderStream<tokio::fs::File>),
}

impl Opened {
    fn new(path: PathBuf, at_once: usize) -> Self {
        Self::Opening(Box::pin(async move {
            let mut file = tokio::fs::File::open(path).await?;
            file.set_max_buf_size(at_once);
            Ok(ReaderStream::with_capacity(file, at_once))
        }))
    }
}

impl Stream for Opened {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut *self {
                Self::Opening(opening) => match opening.as_mut().poll(context) {
                    Poll::Ready(Ok(stream)) => *self = Self::Reading(stream),
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending => return Poll::Pending,
                },
                Self::Reading(stream) => return Pin::new(stream).poll_next(context),
            }
        }
    }
}

/// A stream that is an error where it is longer or shorter than was announced: the server would wait for
/// the rest, or take it for the next request.
struct Exact {
    inner: Reader,
    left: u64,
}

impl Exact {
    fn new(inner: Reader, length: u64) -> Self {
        Self { inner, left: length }
    }
}

impl Stream for Exact {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let wrong = |how: &str| {
            Poll::Ready(Some(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the file is {how} than announced"),
            ))))
        };
        match self.inner.as_mut().poll_next(context) {
            Poll::Ready(Some(Ok(bytes))) => match self.left.checked_sub(bytes.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Poll::Ready(Some(Ok(bytes)))
                }
                None => wrong("longer"),
            },
            Poll::Ready(None) if self.left > 0 => {
                self.left = 0;
                wrong("shorter")
            }
            other => other,
        }
    }
}
