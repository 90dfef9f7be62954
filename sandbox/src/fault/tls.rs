//! TLS with a self-signed certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// An HTTPS server with a self-signed certificate; it stops when it is dropped.
#[derive(Debug)]
pub struct UntrustedServer {
    address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    bytes: AtomicUsize,
}

impl Drop for UntrustedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl UntrustedServer {
    /// Starts with a self-signed certificate for `localhost`.
    ///
    /// # Panics
    /// When no certificate can be made or no port bound: there is nothing to test then.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port on 127.0.0.1");
        let address = listener.local_addr().expect("a bound socket has an address");
        let acceptor = TlsAcceptor::from(Arc::new(config()));
        let seen = Arc::new(Seen::default());
        let task = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    seen.connections.fetch_add(1, Ordering::Relaxed);
                    let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
                    tokio::spawn(async move {
                        let Ok(mut stream) = acceptor.accept(stream).await else { return };
                        let mut buffer = [0; 4096];
                        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                            seen.bytes.fetch_add(read, Ordering::Relaxed);
                        }
                    });
                }
            }
        });
        Self { address, seen, task }
    }

    /// Scheme, host and port; the host is the one of the certificate.
    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// How many bytes of application data clients have sent: there should be none.
    pub fn bytes(&self) -> usize {
        self.seen.bytes.load(Ordering::Relaxed)
    }
}

fn config() -> ServerConfig {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate for localhost");
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the versions of rustls")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("the certificate fits its key")
}
