//! `server`: the platform on this machine, real except for three parts.
//!
//! udata, hydra, the tabular and the metrics API are the packages that production runs; PostgreSQL and redis are
//! Debian's. The database of udata is in memory, PostgREST and the object storage are stand-ins.

mod hydra;
mod keys;
mod logs;
mod packages;
mod postgres;
mod probe;
mod process;
mod progress;
mod state;
mod status;
mod storage;
mod tabular;
mod udata;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use packages::Versions;
use progress::{Phase, Progress};
use state::{GivenPort, Service, State};

/// What to do with the platform.
#[derive(clap::Subcommand)]
pub enum Action {
    /// Install missing packages, and start services that do not run
    Start(StartArguments),
    /// Stop it
    Stop {
        #[command(flatten)]
        platform: PlatformArguments,
        /// Only these services
        #[arg(long, value_delimiter = ',', value_name = "SERVICE")]
        only: Vec<Service>,
    },
    /// Print whether each service runs and responds, its port and its version; fails if one does not
    Status {
        #[command(flatten)]
        platform: PlatformArguments,
        #[command(flatten)]
        versions: Versions,
    },
    /// Print the end of the logs
    Logs {
        #[command(flatten)]
        platform: PlatformArguments,
        /// The service; all of them unless given
        service: Option<Service>,
        /// Print what is added until interrupted
        #[arg(long, short)]
        follow: bool,
        /// How many lines of each log
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: usize,
    },
}

/// Where the platform is.
#[derive(clap::Args)]
pub struct PlatformArguments {
    /// The folder of its packages, data, logs and API keys; `target/platform` unless given
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(clap::Args)]
pub struct StartArguments {
    #[command(flatten)]
    platform: PlatformArguments,
    #[command(flatten)]
    versions: Versions,
    /// Only these services and what they need; `udata` alone needs nothing but Python
    #[arg(long, value_delimiter = ',', value_name = "SERVICE")]
    only: Vec<Service>,
    /// The port of a service on 127.0.0.1, such as `tabular=8205`; kept for later commands
    #[arg(long, value_name = "SERVICE=PORT")]
    port: Vec<GivenPort>,
    /// Resources that the tabular API may aggregate, in addition to those allowed before
    #[arg(long, value_delimiter = ',', value_name = "ID", env = "ALLOW_AGGREGATION")]
    allow_aggregation: Vec<String>,
    /// The name and port that udata uses for itself in its documents and links
    #[arg(long)]
    name: Option<String>,
}

pub fn run(action: Action) -> ExitCode {
    let done = match action {
        Action::Start(arguments) => start(&arguments),
        Action::Stop { platform, only } => stop(&platform, &only),
        Action::Status { platform, versions } => {
            State::open(platform.folder.as_deref()).and_then(|state| status::print(&state, &versions))
        }
        Action::Logs { platform, service, follow, lines } => {
            State::open(platform.folder.as_deref()).and_then(|state| logs::print(&state, service, lines, follow))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &StartArguments) -> Result<(), String> {
    let mut state = State::open(arguments.platform.folder.as_deref())?;
    state.prepare(&arguments.port)?;
    let wanted = if arguments.only.is_empty() { Service::ALL.to_vec() } else { arguments.only.clone() };
    let services = Service::with_needs(&wanted);
    check_ports(&state, &services)?;
    let progress = Progress::new();
    packages::install(&state, &arguments.versions, &services, &progress)?;
    progress.end_of_installation();
    tabular::allow_aggregation(&state, &arguments.allow_aggregation)?;
    hydra::configure(&state)?;
    // Services that take long to start do so concurrently.
    let mut waiting = Vec::new();
    let starter = Startup { state: &state, arguments, services: &services, progress: &progress };
    for service in &services {
        let started = starter.start(*service)?;
        let at_once = matches!(service, Service::Postgres | Service::Redis | Service::S3);
        match started {
            Some(started) if at_once => starter.wait(*service, started)?,
            Some(started) => waiting.push((*service, started)),
            None => {}
        }
        if *service == Service::Postgres {
            let step = progress.step("tables");
            postgres::create_databases(&state)?;
            hydra::migrate(&state, &arguments.versions)?;
            postgres::create_metrics(&state)?;
            if services.contains(&Service::Tabular) {
                tabular::load_recorded_tables(&state, &arguments.versions)?;
            }
            step.done("there");
        }
    }
    for (service, started) in waiting {
        starter.wait(service, started)?;
    }
    for service in &services {
        if let Some(url) = status::url(&state, *service) {
            println!("{:<14} {url}", service.name());
        }
    }
    println!(
        "ready: {:.0} s of installation, {:.0} s to start; logs and API keys are in {}",
        progress.seconds(Phase::Install),
        progress.seconds(Phase::Start),
        state.folder().display()
    );
    Ok(())
}

/// Fails where another program has the port of a service that is to be started.
fn check_ports(state: &State, services: &[Service]) -> Result<(), String> {
    for service in services.iter().filter(|service| !process::runs(state, **service)) {
        for port in service.ports() {
            let number = state.port(*port);
            if probe::listens(number) {
                return Err(format!(
                    "port {number}, which {} needs, is taken by another program; stop that, or choose another port: \
                     --port {}=PORT",
                    service.name(),
                    port.name(),
                ));
            }
        }
    }
    Ok(())
}

struct Startup<'a> {
    state: &'a State,
    arguments: &'a StartArguments,
    services: &'a [Service],
    progress: &'a Progress,
}

type Started = (process::StartedProcess, progress::Step);

impl Startup<'_> {
    /// Starts a service unless it runs as it should.
    fn start(&self, service: Service) -> Result<Option<Started>, String> {
        let step = self.progress.step(service.name());
        let command = self.command(service)?;
        if process::runs_as(self.state, service, &command) && status::responds(self.state, service) {
            step.done("runs");
            return Ok(None);
        }
        process::stop(self.state, service)?;
        Ok(Some((process::start(self.state, service, command)?, step)))
    }

    fn wait(&self, service: Service, (running, step): Started) -> Result<(), String> {
        running.wait(|| status::responds(self.state, service))?;
        step.done("up");
        Ok(())
    }

    fn command(&self, service: Service) -> Result<Command, String> {
        let (state, versions) = (self.state, &self.arguments.versions);
        Ok(match service {
            Service::Postgres => postgres::command(state)?,
            Service::Redis => storage::redis(state),
            Service::S3 => storage::s3(state, versions),
            Service::Postgrest => tabular::postgrest(state, versions),
            Service::Tabular | Service::Metrics => tabular::api(state, versions, service)?,
            Service::HydraApi | Service::HydraCrawler | Service::HydraWorker => {
                hydra::command(state, versions, service)
            }
            Service::Udata => {
                let there = |other: &Service| self.services.contains(other) || process::runs(state, *other);
                let others: Vec<Service> = Service::ALL.into_iter().filter(there).collect();
                udata::command(state, versions, self.arguments.name.as_deref(), &others)?
            }
        })
    }
}

fn stop(platform: &PlatformArguments, only: &[Service]) -> Result<(), String> {
    let state = State::open(platform.folder.as_deref())?;
    let mut stopped = Vec::new();
    for service in Service::ALL.into_iter().rev().filter(|service| only.is_empty() || only.contains(service)) {
        if process::stop(&state, service)? {
            stopped.push(service.name());
        }
    }
    println!(
        "{}",
        if stopped.is_empty() { "nothing ran".to_owned() } else { format!("stopped {}", stopped.join(", ")) }
    );
    Ok(())
}
