//! `server`: the real server of the catalogue, a Python package, on this machine.
//!
//! Its database is replaced by one in memory (`xtask/server/mongopatch.py`), so that it needs nothing but
//! Python. One process, one request at a time: nothing is to be timed against it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::python::Environment;

/// The version that the vendored documents come from.
pub const VERSION: &str = "17.18.0";

/// What to do with the server.
#[derive(clap::Subcommand)]
pub enum Action {
    /// Install it where needed, and start it
    Start {
        #[command(flatten)]
        place: Place,
        /// What the server calls itself in its documents and links
        #[arg(long)]
        name: Option<String>,
    },
    /// Stop it
    Stop {
        #[command(flatten)]
        place: Place,
    },
}

/// Which server it is.
#[derive(clap::Args)]
pub struct Place {
    /// The port on 127.0.0.1
    #[arg(long, default_value_t = 7000)]
    pub port: u16,
    /// The version of the package
    #[arg(long, default_value = VERSION)]
    pub version: String,
    /// Its folder: environment, log, API keys; `target/udata-server` otherwise
    #[arg(long)]
    pub folder: Option<PathBuf>,
}

impl Place {
    fn folder(&self) -> PathBuf {
        self.folder.clone().unwrap_or_else(|| crate::root().join("target/udata-server"))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

pub fn run(action: Action) -> ExitCode {
    let done = match action {
        Action::Start { place, name } => start(&place, name.as_deref()),
        Action::Stop { place } => stop(&place),
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the server, and waits until it answers.
pub fn start(place: &Place, name: Option<&str>) -> Result<String, String> {
    let folder = place.folder();
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let environment = install(&folder.join(format!("venv-{}", place.version)), &place.version)?;
    let running = format!("udata {} answers at {}; API keys in {}", place.version, place.url(), folder.display());
    if answers(place.port) {
        return Ok(running);
    }
    let log_file = folder.join("udata.log");
    let log = File::create(&log_file).map_err(|error| format!("{}: {error}", log_file.display()))?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let mut command = Command::new(environment.program("gunicorn"));
    command
        .args(["-w", "1", "-k", "gthread", "--threads", "8", "-t", "0", "-b"])
        .args([&format!("127.0.0.1:{}", place.port), "serve:build()"])
        .current_dir(crate::root().join("xtask/server"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("UDATA_RUN", &folder)
        .env("UDATA_PORT", place.port.to_string())
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors);
    if let Some(name) = name {
        command.env("UDATA_SERVER_NAME", name).env("UDATA_URL_SCHEME", "https");
    }
    // A group of its own: it outlives this command and the shell that ran it.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| format!("gunicorn: {error}"))?;
    fs::write(folder.join("udata.pid"), child.id().to_string()).map_err(|error| error.to_string())?;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(120) {
        if answers(place.port) {
            return Ok(running);
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the server ended ({status}); its log is {}", log_file.display()));
        }
        sleep(Duration::from_millis(300));
    }
    Err(format!("the server does not answer after two minutes; its log is {}", log_file.display()))
}

fn stop(place: &Place) -> Result<String, String> {
    let file = place.folder().join("udata.pid");
    let Ok(pid) = fs::read_to_string(&file) else { return Ok("no server was started here".to_owned()) };
    let stopped = Command::new("kill").arg(pid.trim()).status().map_err(|error| format!("kill: {error}"))?;
    fs::remove_file(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(if stopped.success() { "stopped".to_owned() } else { "it had ended already".to_owned() })
}

/// The package, in an environment of its own.
fn install(folder: &Path, version: &str) -> Result<Environment, String> {
    let environment = Environment::at(folder)?;
    if !environment.program("gunicorn").exists() || !environment.imports("udata, mongomock, factory") {
        let package = format!("udata=={version}");
        environment.install(&[&package, "mongomock==4.3.0", "factory_boy", "faker", "gunicorn>=23,<24"])?;
    }
    Ok(environment)
}

/// Whether the server says that it is well.
fn answers(port: u16) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let request = format!("GET /__local__/health HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.contains(" 200 ")
}
