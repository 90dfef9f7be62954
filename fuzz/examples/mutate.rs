//! `mutate TARGET COUNT [SEED] [FIRST]`: runs `convert`, `diff` or `validate` on documents that are mutated as JSON.
//!
//! Each case that panics or takes more than a second is written to `fuzz/artifacts`. Where the process itself dies, as of
//! a stack overflow, the case is among the ten thousand after the last line: FIRST begins there.

use std::collections::HashSet;
use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs};

use datagouv_fuzz::mutate::Mutator;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let usage = "usage: mutate convert|diff|validate COUNT [SEED] [FIRST]";
    let target = arguments.first().ok_or(usage)?.as_str();
    let run: fn(&[u8]) = match target {
        "convert" => datagouv_fuzz::convert,
        "diff" => datagouv_fuzz::diff,
        "validate" => datagouv_fuzz::validate,
        _ => return Err(usage.into()),
    };
    let number = |at: usize, otherwise: u64| arguments.get(at).map_or(Ok(otherwise), |text| text.parse::<u64>());
    let (count, seed, first) = (number(1, 10_000)?, number(2, 1)?, number(3, 0)?);

    // The place of the last panic, so that each is written once.
    let place = Arc::new(Mutex::new(String::new()));
    let hook_place = Arc::clone(&place);
    panic::set_hook(Box::new(move |panic| {
        let text = panic.location().map(ToString::to_string).unwrap_or_default();
        let mut place = hook_place.lock().unwrap_or_else(PoisonError::into_inner);
        if *place != text {
            eprintln!("{panic}");
        }
        *place = text;
    }));
    let artifacts = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(target);
    let (mut failures, mut places, mut slowest) = (0_u64, HashSet::new(), (Duration::ZERO, 0));
    let mutator = Mutator::default();
    for at in first..first + count {
        let case = mutator.case(seed, at, target == "diff");
        let began = Instant::now();
        let result = panic::catch_unwind(AssertUnwindSafe(|| run(&case)));
        let took = began.elapsed();
        slowest = slowest.max((took, at));
        let place = place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        failures += u64::from(result.is_err());
        let is_new = result.is_err() && places.insert(place);
        if is_new || took > Duration::from_secs(1) {
            fs::create_dir_all(&artifacts)?;
            let path = artifacts.join(format!("mutated-{seed}-{at}"));
            fs::write(&path, &case)?;
            eprintln!("case {at}, after {took:?}: {}", path.display());
        }
        if at % 10_000 == 9_999 {
            eprintln!("{target}: up to {at}, {failures} panics, slowest {:?} (case {})", slowest.0, slowest.1);
        }
    }
    println!("{target}: {count} cases of seed {seed}, {failures} panics at {} places", places.len());
    if failures > 0 { Err("some cases panicked".into()) } else { Ok(()) }
}
