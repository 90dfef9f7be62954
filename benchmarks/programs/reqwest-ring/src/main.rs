//! The first datasets that are found for a word.

#[path = "../../reqwest/src/main.rs"]
mod program;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "there is a provider of TLS already")?;
    program::main()
}
