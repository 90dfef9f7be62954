//! The logs of the services.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::thread::sleep;
use std::time::Duration;

use super::process::tail;
use super::state::{Service, State};

/// Prints the last lines of the logs, and then what is added to them if `follow` is set.
pub fn print(state: &State, service: Option<Service>, lines: usize, follow: bool) -> Result<(), String> {
    let services = service.map_or_else(|| Service::ALL.to_vec(), |service| vec![service]);
    let logs: Vec<_> = services.into_iter().map(|service| (service, state.log(service.name()))).collect();
    let mut last_service = None;
    for (service, log) in logs.iter().filter(|(_, log)| log.exists()) {
        if logs.len() > 1 {
            println!("==> {} <==", service.name());
            last_service = Some(*service);
        }
        print!("{}", tail(log, lines)?);
    }
    if !logs.iter().any(|(_, log)| log.exists()) {
        return Err(format!("there are no logs in {}; was it started?", state.path("logs").display()));
    }
    if !follow {
        return Ok(());
    }
    let mut lengths: Vec<u64> = logs.iter().map(|(_, log)| length(log)).collect();
    loop {
        sleep(Duration::from_millis(300));
        for ((service, log), before) in logs.iter().zip(&mut lengths) {
            let now = length(log);
            // A restart truncates the log.
            let from = if now < *before { 0 } else { *before };
            *before = now;
            if now == from {
                continue;
            }
            if logs.len() > 1 && last_service != Some(*service) {
                println!("==> {} <==", service.name());
                last_service = Some(*service);
            }
            let mut added = Vec::new();
            let read = File::open(log).and_then(|mut file| {
                file.seek(SeekFrom::Start(from))?;
                file.take(now - from).read_to_end(&mut added)
            });
            if read.is_err() || std::io::stdout().write_all(&added).is_err() {
                return Ok(());
            }
        }
    }
}

fn length(log: &std::path::Path) -> u64 {
    std::fs::metadata(log).map_or(0, |metadata| metadata.len())
}
