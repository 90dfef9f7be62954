//! The services of the platform, their ports and versions, and the folder that holds their state.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

/// A process of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Service {
    /// The databases of hydra, of the tabular API and of the metrics API
    Postgres,
    /// The queue of hydra's jobs
    Redis,
    /// The object storage that hydra exports to: moto's S3
    S3,
    /// The HTTP front of the tables, for the tabular and the metrics API: a stand-in for PostgREST
    Postgrest,
    /// The tabular API
    Tabular,
    /// The metrics API
    Metrics,
    /// The HTTP API of hydra, which the catalogue notifies of every resource
    HydraApi,
    /// Checks the URLs of resources
    HydraCrawler,
    /// Downloads, analyses and exports files
    HydraWorker,
    /// The catalogue
    Udata,
}

impl Service {
    /// All of them, in the order in which they start.
    pub const ALL: [Self; 10] = [
        Self::Udata,
        Self::Postgres,
        Self::Redis,
        Self::S3,
        Self::Postgrest,
        Self::Tabular,
        Self::Metrics,
        Self::HydraApi,
        Self::HydraCrawler,
        Self::HydraWorker,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::S3 => "s3",
            Self::Postgrest => "postgrest",
            Self::Tabular => "tabular",
            Self::Metrics => "metrics",
            Self::HydraApi => "hydra-api",
            Self::HydraCrawler => "hydra-crawler",
            Self::HydraWorker => "hydra-worker",
            Self::Udata => "udata",
        }
    }

    /// The ports that it listens on.
    pub fn ports(self) -> &'static [Port] {
        match self {
            Self::Postgres => &[Port::Of(Self::Postgres)],
            Self::Redis => &[Port::Of(Self::Redis)],
            Self::S3 => &[Port::Of(Self::S3), Port::S3Tls],
            Self::Postgrest => &[Port::Of(Self::Postgrest), Port::PostgrestMetrics],
            Self::Tabular => &[Port::Of(Self::Tabular)],
            Self::Metrics => &[Port::Of(Self::Metrics)],
            Self::HydraApi => &[Port::Of(Self::HydraApi)],
            Self::Udata => &[Port::Of(Self::Udata)],
            Self::HydraCrawler | Self::HydraWorker => &[],
        }
    }

    /// What has to run before it. hydra also speaks to the catalogue, but does not need it to start.
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::Postgres | Self::Redis | Self::S3 | Self::Udata => &[],
            Self::Postgrest => &[Self::Postgres],
            Self::Tabular | Self::Metrics => &[Self::Postgres, Self::Postgrest],
            Self::HydraApi | Self::HydraCrawler | Self::HydraWorker => &[Self::Postgres, Self::Redis, Self::S3],
        }
    }

    /// These services and all that they need, in the order in which they start.
    pub fn with_needs(wanted: &[Self]) -> Vec<Self> {
        let needed =
            |service: &Self| wanted.contains(service) || wanted.iter().any(|one| one.needs().contains(service));
        Self::ALL.into_iter().filter(needed).collect()
    }
}

/// A port of a service. Two of them have a second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    Of(Service),
    /// Where the object storage speaks TLS, as hydra insists on.
    S3Tls,
    /// Where the front serves the tables of the metrics.
    PostgrestMetrics,
}

impl Port {
    const ALL: [Self; 10] = [
        Self::Of(Service::Udata),
        Self::Of(Service::Postgres),
        Self::Of(Service::Redis),
        Self::Of(Service::S3),
        Self::S3Tls,
        Self::Of(Service::Postgrest),
        Self::PostgrestMetrics,
        Self::Of(Service::Tabular),
        Self::Of(Service::Metrics),
        Self::Of(Service::HydraApi),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Of(service) => service.name(),
            Self::S3Tls => "s3-tls",
            Self::PostgrestMetrics => "postgrest-metrics",
        }
    }

    fn default(self) -> u16 {
        match self {
            Self::Of(Service::Udata) => 7000,
            Self::Of(Service::Postgres) => 5599,
            Self::Of(Service::Redis) => 6399,
            Self::Of(Service::S3) => 9180,
            Self::S3Tls => 9143,
            Self::Of(Service::Postgrest) => 8181,
            Self::PostgrestMetrics => 8182,
            Self::Of(Service::Tabular) => 8105,
            Self::Of(Service::Metrics) => 8106,
            Self::Of(Service::HydraApi) => 8190,
            Self::Of(Service::HydraCrawler | Service::HydraWorker) => 0,
        }
    }
}

/// A port that the command line gives: `tabular=8205`.
#[derive(Clone, Debug)]
pub struct GivenPort {
    port: Port,
    number: u16,
}

impl std::str::FromStr for GivenPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once('=').ok_or("expected SERVICE=PORT, such as tabular=8205")?;
        let names = || Port::ALL.map(Port::name).join(", ");
        let port = Port::ALL.into_iter().find(|port| port.name() == name);
        let port = port.ok_or_else(|| format!("no service `{name}` has a port; those that have one: {}", names()))?;
        let number = number.parse().map_err(|_| format!("`{number}` is not a port"))?;
        Ok(Self { port, number })
    }
}

/// The folder of the platform's state, and the ports that its services use.
pub struct State {
    folder: PathBuf,
    ports: BTreeMap<&'static str, u16>,
}

impl State {
    /// The state in a folder, `target/platform` unless another is given. Ports are those of the last start.
    pub fn open(folder: Option<&Path>) -> Result<Self, String> {
        let folder = folder.map_or_else(|| crate::root().join("target/platform"), Path::to_path_buf);
        let mut state = Self {
            folder: std::path::absolute(&folder).map_err(|error| failed(&folder, &error))?,
            ports: BTreeMap::new(),
        };
        let saved: BTreeMap<String, u16> = match fs::read(state.ports_file()) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(&state.ports_file(), &error))?,
            Err(_) => BTreeMap::new(),
        };
        state.ports =
            Port::ALL.map(|port| (port.name(), saved.get(port.name()).copied().unwrap_or(port.default()))).into();
        Ok(state)
    }

    /// Sets ports, makes the folder, and keeps the ports there for the commands and tests that follow.
    pub fn prepare(&mut self, given: &[GivenPort]) -> Result<(), String> {
        for GivenPort { port, number } in given {
            self.ports.insert(port.name(), *number);
        }
        for folder in ["logs", "processes", "python", "control"] {
            let folder = self.folder.join(folder);
            fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        }
        let ports = serde_json::to_vec_pretty(&self.ports).map_err(|error| error.to_string())?;
        write(&self.ports_file(), ports)
    }

    fn ports_file(&self) -> PathBuf {
        self.folder.join("ports.json")
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside)
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    pub fn port(&self, port: Port) -> u16 {
        self.ports.get(port.name()).copied().unwrap_or_default()
    }

    /// The address of a service on this machine: `http://127.0.0.1:7000`.
    pub fn url(&self, port: Port) -> String {
        format!("http://127.0.0.1:{}", self.port(port))
    }
}

pub fn write(file: &Path, contents: impl AsRef<[u8]>) -> Result<(), String> {
    fs::write(file, contents).map_err(|error| failed(file, &error))
}

pub fn failed(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_starts_after_what_it_needs() {
        let order = Service::with_needs(&[Service::HydraWorker, Service::Tabular]);
        let place = |service: Service| order.iter().position(|one| *one == service);
        for service in &order {
            for needed in service.needs() {
                assert!(place(*needed).is_some() && place(*needed) < place(*service), "{needed:?} before {service:?}");
            }
        }
        assert_eq!(Service::with_needs(&[Service::Udata]), [Service::Udata]);
        assert_eq!(place(Service::Udata), None);
    }

    #[test]
    fn a_port_is_given_by_the_name_of_its_service() {
        let given: GivenPort = "postgrest-metrics=9000".parse().unwrap();
        assert_eq!((given.port, given.number), (Port::PostgrestMetrics, 9000));
        for (text, reason) in [("8105", "expected SERVICE=PORT"), ("hydra=1", "hydra-api"), ("s3=70000", "not a port")]
        {
            assert!(text.parse::<GivenPort>().unwrap_err().contains(reason), "{text}");
        }
    }
}
