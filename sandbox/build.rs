//! Corrects the documents of the APIs, which the library includes.
//!
//! Here, and not in the library: the client's build script needs the same pipeline, so that nothing is compiled twice.

use std::path::PathBuf;
use std::{env, error::Error, fs};

use datagouv_specs::{Api, corrected};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    for api in Api::ALL {
        fs::write(out.join(format!("{api}.json")), corrected(api)?.to_string())?;
    }
    Ok(())
}
