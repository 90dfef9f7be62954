//! A large file: served from a block of memory, and saved.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use datagouv::files::{Algorithm, Checksum, RemoteFile};
use datagouv::{Client, Limits};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::stopwatch::{Memory, Stopwatch};
use crate::{Outcome, print_result, runtime};

#[derive(clap::Args)]
pub(crate) struct ServeArguments {
    /// How many bytes the file has
    #[arg(long)]
    size: u64,
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where the file is
    url: String,
    /// Where to save it
    path: PathBuf,
    /// How many bytes it has
    #[arg(long)]
    size: u64,
    /// The checksum that it should have
    #[arg(long)]
    sha256: String,
    /// Wait until its bytes are on disk
    #[arg(long)]
    sync: bool,
}

/// A block of bytes that do not compress, as the files that are large do not.
fn block() -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..1 << 20).map(|_| next()).collect()
}

/// Serves it at every path of a free port.
pub(crate) fn serve(arguments: &ServeArguments) -> Outcome {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let size = arguments.size;
    std::thread::spawn(move || {
        let block = block();
        for stream in listener.incoming().flatten() {
            // A client that goes away is no failure of the server.
            let _ = respond(stream, &block, size);
        }
    });
    // It ends with the program that started it, however that ends.
    runtime()?.block_on(async { tokio::io::stdin().read_to_end(&mut Vec::new()).await })?;
    Ok(())
}

fn respond(mut stream: TcpStream, block: &[u8], size: u64) -> std::io::Result<()> {
    for line in BufReader::new(&stream).lines() {
        if line?.is_empty() {
            break;
        }
    }
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {size}\r\netag: \"block\"\r\n\
         connection: close\r\n\r\n"
    )?;
    let mut left = usize::try_from(size).unwrap_or(usize::MAX);
    while left > 0 {
        let part = &block[..left.min(block.len())];
        stream.write_all(part)?;
        left -= part.len();
    }
    Ok(())
}

pub(crate) fn download(arguments: &Arguments) -> Outcome {
    let client = Client::builder().limits(Limits::none()).build()?;
    let checksum = Checksum::new(Algorithm::Sha256, &arguments.sha256).ok_or("this is no checksum")?;
    let file = RemoteFile::new(&arguments.url).with_size(arguments.size).with_checksum(checksum);
    let runtime = runtime()?;
    let memory = Memory::idle()?;
    let stopwatch = Stopwatch::start();
    let saved = runtime.block_on(client.file(file).download(&arguments.path).sync(arguments.sync).send())?;
    let (wall, cpu) = stopwatch.stop();
    print_result(&json!({"bytes": saved.size, "wall": wall, "cpu": cpu, "memory": memory.grown()?}));
    Ok(())
}
