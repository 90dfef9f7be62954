//! The first datasets that are found for a word, by the same program with other features.

#[path = "../../datagouv-datasets/src/main.rs"]
mod program;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    program::main()
}
