//! Which services run, and whether they respond.

use super::packages::{PackageSet, Versions};
use super::state::{Port, Service, State};
use super::{hydra, postgres, probe, process, storage, tabular, udata};

/// Whether a service responds.
pub fn responds(state: &State, service: Service) -> bool {
    match service {
        Service::Postgres => postgres::responds(state),
        Service::Redis => probe::redis(state.port(Port::Of(service))),
        Service::S3 => storage::s3_responds(state),
        Service::Postgrest => tabular::postgrest_responds(state),
        Service::Tabular | Service::Metrics => tabular::api_responds(state, service),
        Service::HydraApi => probe::responds(&format!("{}/api/health", state.url(Port::Of(service)))),
        Service::HydraCrawler | Service::HydraWorker => hydra::works(&state.log(service.name())),
        Service::Udata => udata::responds(state),
    }
}

/// The URL of a service.
pub fn url(state: &State, service: Service) -> Option<String> {
    match service {
        Service::Postgres => Some(postgres::address(state, "csv")),
        Service::Redis => Some(format!("redis://127.0.0.1:{}", state.port(Port::Of(service)))),
        Service::HydraCrawler | Service::HydraWorker => None,
        _ => Some(state.url(Port::Of(service))),
    }
}

fn version(state: &State, versions: &Versions, service: Service) -> Option<String> {
    match service {
        Service::Postgres => postgres::version(),
        Service::Redis => storage::redis_version(),
        Service::S3 => PackageSet::Storage.installed(state, versions).map(|version| format!("moto {version}")),
        Service::Postgrest => Some("stand-in".to_owned()),
        Service::Tabular | Service::Metrics => PackageSet::Tabular.installed(state, versions),
        Service::HydraApi | Service::HydraCrawler | Service::HydraWorker => {
            PackageSet::Hydra.installed(state, versions)
        }
        Service::Udata => PackageSet::Udata.installed(state, versions),
    }
}

/// Prints a line for each service.
pub fn print(state: &State, versions: &Versions) -> Result<(), String> {
    println!("{:<14} {:<10} {:>8} {:>6}  version", "service", "state", "pid", "port");
    let mut down = Vec::new();
    for service in Service::ALL {
        let pid = process::pid(state, service);
        let responds = pid.is_some() && responds(state, service);
        let condition = match pid {
            Some(_) if responds => "up",
            Some(_) => "no response",
            None => "down",
        };
        if !responds {
            down.push(service.name());
        }
        let port = service.ports().first().map(|port| state.port(*port).to_string());
        println!(
            "{:<14} {condition:<10} {:>8} {:>6}  {}",
            service.name(),
            pid.map(|pid| pid.to_string()).unwrap_or_default(),
            port.unwrap_or_default(),
            version(state, versions, service).unwrap_or_else(|| "not installed".to_owned()),
        );
    }
    if down.is_empty() { Ok(()) } else { Err(format!("not up: {}", down.join(", "))) }
}
