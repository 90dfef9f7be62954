//! The rows of one query in blocks of whole records, which can be decoded each by itself.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use memchr::{memchr_iter, memrchr2};

use super::decode::Field;
use super::failure::{malformed, missing};
use super::layout::{Layout, layout};
use super::open::{Opened, open};
use super::pages::Pending;
use super::plan::Reading;
use super::profile::Kind;
use super::record::{LONGEST_RECORD, Malformed, Records};
use super::request::Request;
use super::row::{ROW_NUMBER, Row};
use super::source::Source;
use super::windows::{Part, Windows};
use crate::{Client, Error, Result};

/// A block is decoded at once, and so many bytes of CSV are the most of it, unless a single record is longer.
const LARGEST: usize = 4 << 20;

/// Smaller blocks cost more than their rows.
const SMALLEST: usize = 16 << 10;

/// Rows that come together.
pub(super) enum Block {
    Records(Arc<Header>, Vec<u8>),
    /// Those of pages.
    Rows(Vec<Row>),
}

impl Block {
    /// The bytes of CSV that are to be decoded.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Records(_, records) => records.len(),
            Self::Rows(_) => 0,
        }
    }
}

/// The columns of an export, and where those of a batch are among them.
#[derive(Debug)]
pub(super) struct Header {
    pub fields: Vec<Field>,
    pub places: Vec<usize>,
}

/// Reads the blocks of a query.
pub(super) struct Blocks {
    client: Client,
    source: Source,
    request: Request,
    stage: Stage,
    reading: Reading,
    layout: Option<Arc<Layout>>,
    /// How many rows the server counts.
    total: Option<u64>,
    /// The start of an export, until its header has come.
    start: Records,
    header: Option<Arc<Header>>,
    cutter: Cutter,
    /// Whether a block was handed out.
    begun: bool,
    rows: Vec<Row>,
    batch_size: usize,
    /// How many bytes a block is to have, for the rows of a batch.
    size: usize,
    /// Comes after the last block.
    error: Option<Error>,
}

enum Stage {
    Opening(Pending<Result<(Layout, Opened)>>),
    Reading(Box<Windows>),
    Ended,
}

impl Blocks {
    pub(super) fn new(client: &Client, source: &Source, request: &Request, batch_size: usize) -> Self {
        let (client, source, request) = (client.clone(), source.clone(), request.clone());
        let (own, of, asked) = (client.clone(), source.clone(), request.clone());
        let opening = async move {
            let layout = layout(&own, &of, &asked).await?;
            Ok((layout, open(own, of, asked).await?))
        };
        Self {
            client,
            source,
            reading: request.reading(),
            request,
            stage: Stage::Opening(Box::pin(opening)),
            layout: None,
            total: None,
            start: Records::default(),
            header: None,
            cutter: Cutter::default(),
            begun: false,
            rows: Vec::new(),
            batch_size,
            // Records of 128 bytes, as far as is known.
            size: batch_size.saturating_mul(128).clamp(SMALLEST, LARGEST),
            error: None,
        }
    }

    /// What the batches look like; known with the first block.
    pub(super) fn layout(&self) -> Option<&Arc<Layout>> {
        self.layout.as_ref()
    }

    /// Learns how long records are.
    pub(super) fn learn(&mut self, bytes: usize, rows: usize) {
        if let Some(size) = bytes.saturating_mul(self.batch_size).checked_div(rows) {
            // A little less, since a block of a few rows more than a batch becomes two batches.
            self.size = (size - size / 16).clamp(SMALLEST, LARGEST);
        }
    }

    /// The error of exports that ended, each as it should, before all rows had come.
    pub(super) fn missing(&self, received: u64) -> Option<Error> {
        let total = self.total.filter(|total| *total > received)?;
        // Pages are counted where they are read.
        (!matches!(self.reading, Reading::Pages { .. })).then(|| missing(received, total))
    }

    /// The next block; `None` after an error.
    pub(super) fn poll_block(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Block>>> {
        loop {
            if self.rows.len() >= self.batch_size {
                let rest = self.rows.split_off(self.batch_size);
                return Poll::Ready(Some(Ok(Block::Rows(std::mem::replace(&mut self.rows, rest)))));
            }
            if self.cutter.whole >= self.size {
                return Poll::Ready(self.records().map(Ok));
            }
            let part = match &mut self.stage {
                Stage::Ended => {
                    if let Some(block) = self.records() {
                        return Poll::Ready(Some(Ok(block)));
                    }
                    if !self.rows.is_empty() {
                        return Poll::Ready(Some(Ok(Block::Rows(std::mem::take(&mut self.rows)))));
                    }
                    return Poll::Ready(self.error.take().map(Err));
                }
                Stage::Opening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok((layout, opened)) => {
                        self.layout = Some(Arc::new(layout));
                        (self.total, self.reading) = (opened.total, opened.plan.reading);
                        self.stage = Stage::Reading(Box::new(opened.windows));
                        continue;
                    }
                    Err(error) => Some(Err(error)),
                },
                Stage::Reading(windows) => ready!(windows.poll_part(context, self.cutter.last)),
            };
            let block = match part.map(|part| part.and_then(|part| self.take(part))) {
                Some(Ok(block)) => block,
                ended => {
                    self.error = ended.and_then(Result::err);
                    self.stage = Stage::Ended;
                    continue;
                }
            };
            if let Stage::Reading(windows) = &self.stage
                && windows.reads_pages()
                && let Reading::Export { reason } = &self.reading
            {
                self.reading = Reading::Pages { reason: reason.clone() };
            }
            if let Some(block) = block {
                return Poll::Ready(Some(Ok(block)));
            }
        }
    }

    /// A block of the whole records that have come.
    fn records(&mut self) -> Option<Block> {
        let records = self.cutter.take(self.size)?;
        self.begun = true;
        Some(Block::Records(Arc::clone(self.header.as_ref()?), records))
    }

    fn take(&mut self, part: Part) -> Result<Option<Block>> {
        match part {
            Part::Begin => {
                // After a break, what has come before it goes on from its last whole record.
                let block = self.records();
                (self.start, self.header, self.cutter) = (Records::default(), None, Cutter::default());
                return Ok(block);
            }
            Part::Rows(rows) => {
                self.rows.extend(rows);
                return Ok(None);
            }
            Part::Bytes(bytes) => match &self.header {
                Some(header) => self.cutter.push(&bytes, header).map_err(malformed)?,
                None => {
                    self.start.push(&bytes);
                    self.header()?;
                }
            },
            Part::End => {
                if self.header.is_none() {
                    self.start.end();
                    self.header()?;
                }
                self.cutter.end();
                return Ok(self.records());
            }
        }
        Ok(None)
    }

    /// Reads the header of an export once enough of it has come.
    fn header(&mut self) -> Result<()> {
        let Some(layout) = &self.layout else { return Ok(()) };
        let post_filter = self.request.filtered()?.1;
        let columns = layout.columns.iter().map(|(name, _)| name);
        let expected = if self.request.select.is_empty() {
            // The row number comes first.
            std::iter::once(ROW_NUMBER.to_owned()).chain(columns.cloned()).collect()
        } else {
            self.request.export_columns(post_filter.as_ref())
        };
        let Some(names) = self.start.header(&expected).map_err(malformed)? else { return Ok(()) };
        let header = if names.is_empty() {
            // There is no row.
            Header { fields: Vec::new(), places: Vec::new() }
        } else {
            if self.request.select.is_empty()
                && let Some(unknown) = names.iter().find(|name| !expected.contains(name))
            {
                return Err(self.changed(&format!("it has a new column `{unknown}`")));
            }
            let mut places = Vec::with_capacity(layout.columns.len());
            for (name, _) in &layout.columns {
                match names.iter().position(|named| named == name) {
                    Some(place) => places.push(place),
                    None => return Err(self.changed(&format!("it has no column `{name}`"))),
                }
            }
            // Of these the names alone are needed.
            let field = |name| Field { name, kind: Kind::String, hidden: false };
            Header { fields: names.into_iter().map(field).collect(), places }
        };
        let rest = std::mem::take(&mut self.start).into_rest();
        let header = self.header.insert(Arc::new(header));
        self.cutter.push(&rest, header).map_err(malformed)
    }

    /// The error of a table that is not as its profile says.
    fn changed(&self, how: &str) -> Error {
        self.source.forget(&self.client);
        let when = if self.begun { "while it was read" } else { "after its profile was read" };
        Error::transport(format!("the table changed {when}: {how}; read it again, or select columns"))
    }
}

/// Cuts the bytes of an export into whole records.
///
/// A record ends with the line where no quote is open, that is, where the quotes so far are even: a quote within quotes is
/// doubled, and fields without quotes hold none.
#[derive(Debug, Default)]
struct Cutter {
    buffer: Vec<u8>,
    /// How many bytes of it are whole records.
    whole: usize,
    /// Whether a quote is open at its end.
    open: bool,
    /// The number of the last whole record.
    last: Option<i64>,
}

impl Cutter {
    fn push(&mut self, bytes: &[u8], header: &Header) -> Result<(), Malformed> {
        let before = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        self.open ^= memchr_iter(b'"', bytes).count() % 2 == 1;
        if let Some(end) = line_end(bytes, self.open) {
            self.whole = before + end;
            self.last = self.number(header);
        }
        if self.buffer.len() - self.whole > LONGEST_RECORD { Err(Malformed::TooLong) } else { Ok(()) }
    }

    /// No more bytes come.
    fn end(&mut self) {
        self.whole = self.buffer.len();
    }

    /// The whole records, and room for as many others.
    fn take(&mut self, size: usize) -> Option<Vec<u8>> {
        if self.whole == 0 {
            return None;
        }
        let mut rest = Vec::with_capacity(size.saturating_add(size / 8));
        rest.extend_from_slice(self.buffer.get(self.whole..).unwrap_or_default());
        self.buffer.truncate(self.whole);
        self.whole = 0;
        Some(std::mem::replace(&mut self.buffer, rest))
    }

    /// The number of the last whole record.
    fn number(&self, header: &Header) -> Option<i64> {
        let place = header.fields.iter().position(|field| field.name == ROW_NUMBER)?;
        let records = self.buffer.get(..self.whole)?;
        let before = records.get(..records.len().checked_sub(1)?)?;
        let record = records.get(line_end(before, false).unwrap_or_default()..)?;
        let mut record = Records::whole(record.to_vec());
        record.next(header.fields.len()).ok()??.cell(place)?.text().parse().ok()
    }
}

/// Where the last line ends that ends a record; `open` says whether a quote is open at the end.
fn line_end(bytes: &[u8], mut open: bool) -> Option<usize> {
    let mut rest = bytes;
    while let Some(at) = memrchr2(b'"', b'\n', rest) {
        match rest.get(at) {
            Some(b'\n') if !open => return Some(at + 1),
            Some(b'"') => open = !open,
            _ => {}
        }
        rest = rest.get(..at).unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Header {
        let field = |name: &&str| Field { name: (*name).to_owned(), kind: Kind::String, hidden: false };
        Header { fields: names.iter().map(field).collect(), places: Vec::new() }
    }

    /// What is cut off after each piece, with the number of its last record.
    fn cut(body: &str, pieces: usize, header: &Header) -> Vec<(String, Option<i64>)> {
        let mut cutter = Cutter::default();
        let mut blocks = Vec::new();
        for piece in body.as_bytes().chunks(pieces) {
            cutter.push(piece, header).unwrap();
            if let Some(records) = cutter.take(0) {
                blocks.push((String::from_utf8(records).unwrap(), cutter.last));
            }
        }
        cutter.end();
        blocks.extend(cutter.take(0).map(|rest| (String::from_utf8(rest).unwrap(), cutter.last)));
        blocks
    }

    #[test]
    fn blocks_end_with_lines_that_end_records() {
        let body = "1,\"a\nb\"\n2,\"c\"\"\n\"\n3,\n4,\"\\\"\n";
        let records = ["1,\"a\nb\"\n", "2,\"c\"\"\n\"\n", "3,\n", "4,\"\\\"\n"];
        let one_by_one: Vec<_> = records.map(str::to_owned).into_iter().zip((1..).map(Some)).collect();
        assert_eq!(cut(body, 1, &header(&["__id", "a"])), one_by_one);
        assert_eq!(cut(body, 100, &header(&["__id", "a"])), [(body.to_owned(), Some(4))]);
        assert_eq!(cut(body, 100, &header(&["a", "b"])), [(body.to_owned(), None)], "without numbers");
        // The last line may not end.
        let last = cut("1,a\n2,b", 100, &header(&["__id", "a"]));
        assert_eq!(last, [("1,a\n".to_owned(), Some(1)), ("2,b".to_owned(), Some(1))]);
    }

    #[test]
    fn blocks_together_have_the_records_of_the_whole() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..500 {
            let (count, size) = (random.usize(1..20), random.usize(1..30));
            let mut text = || -> String {
                (0..random.usize(..=6)).filter_map(|_| random.choice(['a', ',', '"', '\\', '\n', '\r', 'é'])).collect()
            };
            let texts: Vec<String> = (0..count).map(|_| text()).collect();
            let written = |text: &String| text.replace('\\', "\\\\").replace('"', "\"\"");
            let lines: Vec<String> =
                texts.iter().zip(1..).map(|(text, n)| format!("{n},\"{}\"\n", written(text))).collect();
            let mut expected = lines.into_iter().zip(1..).peekable();
            let body: String = expected.clone().map(|(line, _)| line).collect();
            for (block, last) in cut(&body, size, &header(&["__id", "a"])) {
                let mut whole = String::new();
                let mut number = None;
                while whole.len() < block.len() {
                    let (line, n) = expected.next().unwrap();
                    whole.push_str(&line);
                    number = Some(n);
                }
                assert_eq!((block, last), (whole, number), "{body:?} in chunks of {size}");
            }
            assert!(expected.next().is_none(), "{body:?} in chunks of {size}");
        }
    }
}
