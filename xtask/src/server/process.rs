//! Processes in the background: started once, found again by later commands, ended with all their children.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::state::{Service, State, failed, write};

/// How long a service may take to respond. Machines that do other work are slow.
const START_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a service may take to end before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// The record of a process that a start left running.
#[derive(Serialize, Deserialize)]
struct ProcessRecord {
    pid: i32,
    /// When the kernel started it, so that another process with the same id is not mistaken for it.
    started: Option<u64>,
    /// The hash of its command and environment: one that differs needs a restart.
    settings: String,
}

/// A process that was just started.
pub struct StartedProcess {
    service: Service,
    child: Child,
    log: PathBuf,
}

/// Starts a service, in a process group of its own, which outlives this command and the shell that ran it.
pub fn start(state: &State, service: Service, mut command: Command) -> Result<StartedProcess, String> {
    let log = state.log(service.name());
    let output = File::create(&log).map_err(|error| failed(&log, &error))?;
    let errors = output.try_clone().map_err(|error| failed(&log, &error))?;
    let settings = settings_of(&command);
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn().map_err(|error| failed(Path::new(command.get_program()), &error))?;
    let pid = i32::try_from(child.id()).map_err(|error| error.to_string())?;
    let record = ProcessRecord { pid, started: started_at(pid), settings };
    let json = serde_json::to_vec(&record).map_err(|error| error.to_string())?;
    write(&record_file(state, service), json)?;
    Ok(StartedProcess { service, child, log })
}

impl StartedProcess {
    /// Waits until the service is `ready`, and fails with the end of its log where it ends or takes too long.
    pub fn wait(mut self, ready: impl Fn() -> bool) -> Result<(), String> {
        let begun = Instant::now();
        let problem = loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                break format!("{} ended ({status})", self.service.name());
            }
            if ready() {
                return Ok(());
            }
            if begun.elapsed() > START_TIMEOUT {
                break format!("{} does not respond after {} s", self.service.name(), START_TIMEOUT.as_secs());
            }
            sleep(Duration::from_millis(100));
        };
        Err(with_log(&problem, &self.log))
    }
}

/// A problem, and the end of the log that explains it.
pub fn with_log(problem: &str, log: &Path) -> String {
    let tail = tail(log, 25).unwrap_or_default();
    format!("{problem}; the end of {}:\n{}", log.display(), tail.trim_end())
}

/// The last lines of a file.
pub fn tail(file: &Path, lines: usize) -> Result<String, String> {
    const MOST: u64 = 256 * 1024;
    let mut opened = File::open(file).map_err(|error| failed(file, &error))?;
    let length = opened.metadata().map_err(|error| failed(file, &error))?.len();
    let mut bytes = Vec::new();
    opened.seek(SeekFrom::Start(length.saturating_sub(MOST))).map_err(|error| failed(file, &error))?;
    opened.read_to_end(&mut bytes).map_err(|error| failed(file, &error))?;
    let text = String::from_utf8_lossy(&bytes);
    let first = text.lines().count().saturating_sub(lines);
    Ok(text.lines().skip(first).map(|line| format!("{line}\n")).collect())
}

/// Whether the process of a service runs.
pub fn runs(state: &State, service: Service) -> bool {
    record(state, service).is_some_and(|record| record.runs())
}

/// The id of the process of a service that runs.
pub fn pid(state: &State, service: Service) -> Option<i32> {
    record(state, service).filter(ProcessRecord::runs).map(|record| record.pid)
}

/// Whether a service runs as this command would start it.
pub fn runs_as(state: &State, service: Service, command: &Command) -> bool {
    record(state, service).is_some_and(|record| record.runs() && record.settings == settings_of(command))
}

/// Ends the process of a service with all its children; false where none ran.
pub fn stop(state: &State, service: Service) -> Result<bool, String> {
    let file = record_file(state, service);
    let found = record(state, service).filter(ProcessRecord::has_running_process);
    if let Some(record) = &found {
        // To PostgreSQL, the usual signal means to wait until all clients have disconnected.
        end(record.pid, if service == Service::Postgres { Signal::INT } else { Signal::TERM });
    }
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(&file, &error)),
        _ => Ok(found.is_some()),
    }
}

fn end(leader: i32, signal: Signal) {
    let Some(group) = Pid::from_raw(leader) else { return };
    // Workers put the processes of their jobs into sessions of their own.
    let children: Vec<(i32, Option<u64>)> = descendants(leader).into_iter().map(|pid| (pid, started_at(pid))).collect();
    let lives = |(pid, started): &(i32, Option<u64>)| started.is_some() && started_at(*pid) == *started;
    let kill_children = |signal: Signal| {
        for child in children.iter().filter(|child| lives(child)) {
            if let Some(pid) = Pid::from_raw(child.0) {
                let _ = kill_process(pid, signal);
            }
        }
    };
    let _ = kill_process_group(group, signal);
    // PostgreSQL ends its children itself.
    if signal == Signal::TERM {
        kill_children(signal);
    }
    let begun = Instant::now();
    while begun.elapsed() < STOP_TIMEOUT {
        if !is_group_running(leader) && !children.iter().any(lives) {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    let _ = kill_process_group(group, Signal::KILL);
    kill_children(Signal::KILL);
}

impl ProcessRecord {
    fn runs(&self) -> bool {
        match self.started {
            Some(started) => started_at(self.pid) == Some(started),
            None => is_group_running(self.pid),
        }
    }

    /// Whether it or one of its children runs: children may outlive it.
    fn has_running_process(&self) -> bool {
        let reused = started_at(self.pid).is_some_and(|started| Some(started) != self.started);
        !reused && is_group_running(self.pid)
    }
}

fn record_file(state: &State, service: Service) -> PathBuf {
    state.path("processes").join(format!("{}.json", service.name()))
}

fn record(state: &State, service: Service) -> Option<ProcessRecord> {
    serde_json::from_slice(&fs::read(record_file(state, service)).ok()?).ok()
}

fn settings_of(command: &Command) -> String {
    let digest = Sha256::digest(format!("{command:?} {:?}", command.get_envs().collect::<Vec<_>>()));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The state of a running process, from the kernel.
struct ProcessStat {
    parent: i32,
    group: i32,
    /// When it started, in ticks since the machine did.
    started: u64,
}

/// Nothing where there is no `/proc`, or where the process has ended and only its parent does not know yet.
fn stat(pid: i32) -> Option<ProcessStat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse().ok();
    let ended = matches!(fields.first(), Some(&("Z" | "X")));
    if ended {
        None
    } else {
        Some(ProcessStat { parent: number(1)?, group: number(2)?, started: fields.get(19)?.parse().ok()? })
    }
}

fn started_at(pid: i32) -> Option<u64> {
    stat(pid).map(|stat| stat.started)
}

fn processes() -> Vec<(i32, ProcessStat)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

/// Whether a process group has a process that has not ended.
fn is_group_running(leader: i32) -> bool {
    let processes = processes();
    if processes.is_empty() {
        return Pid::from_raw(leader).is_some_and(|group| test_kill_process_group(group).is_ok());
    }
    processes.iter().any(|(_, stat)| stat.group == leader)
}

/// The children of a process, theirs, and so on.
fn descendants(leader: i32) -> Vec<i32> {
    let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for (pid, stat) in processes() {
        children.entry(stat.parent).or_default().push(pid);
    }
    let mut found = Vec::new();
    let mut next = vec![leader];
    while let Some(parent) = next.pop() {
        let of_parent = children.remove(&parent).unwrap_or_default();
        next.extend(&of_parent);
        found.extend(of_parent);
    }
    found
}

/// Runs a command and appends its output to a log. An error contains the end of the log.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<(), String> {
    let output = File::options().create(true).append(true).open(log).map_err(|error| failed(log, &error))?;
    let errors = output.try_clone().map_err(|error| failed(log, &error))?;
    let program = Path::new(command.get_program()).to_path_buf();
    let status = command.stdin(Stdio::null()).stdout(output).stderr(errors).status();
    let status = status.map_err(|error| failed(&program, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(with_log(&format!("{} failed ({status})", program.display()), log))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(name: &str) -> State {
        let folder = std::env::temp_dir().join(format!("datagouv-xtask-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let mut state = State::open(Some(&folder)).unwrap();
        state.prepare(&[]).unwrap();
        state
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_process_is_found_again_and_ended_with_its_children() {
        let state = state("ended");
        let command = || shell("sleep 600 & setsid sleep 601 & echo started; wait");
        let running = start(&state, Service::S3, command()).unwrap();
        let log = state.log("s3");
        running.wait(|| fs::read_to_string(&log).is_ok_and(|text| text.contains("started"))).unwrap();
        let leader = pid(&state, Service::S3).unwrap();
        let begun = Instant::now();
        while descendants(leader).len() < 2 && begun.elapsed() < START_TIMEOUT {
            sleep(Duration::from_millis(10));
        }
        let children = descendants(leader);
        assert!(runs_as(&state, Service::S3, &command()) && !runs_as(&state, Service::S3, &shell("sleep 600")));
        assert!(!runs(&state, Service::Redis));
        assert!(stop(&state, Service::S3).unwrap());
        // The child in another session ends by the kill, an instant after.
        let begun = Instant::now();
        while children.iter().any(|pid| started_at(*pid).is_some()) && begun.elapsed() < START_TIMEOUT {
            sleep(Duration::from_millis(10));
        }
        assert!(!runs(&state, Service::S3) && children.iter().all(|pid| started_at(*pid).is_none()));
        assert!(!stop(&state, Service::S3).unwrap(), "there is nothing to stop any more");
        fs::remove_dir_all(state.folder()).unwrap();
    }

    #[test]
    fn a_process_that_ends_fails_its_start_with_the_end_of_its_log() {
        let state = state("fails");
        let running = start(&state, Service::S3, shell("echo the port is taken; exit 3")).unwrap();
        let reason = running.wait(|| false).unwrap_err();
        assert!(reason.starts_with("s3 ended (exit status: 3)") && reason.ends_with("the port is taken"), "{reason}");
        fs::remove_dir_all(state.folder()).unwrap();
    }

    #[test]
    fn another_process_with_the_same_id_is_left_alone() {
        let state = state("reused");
        let mut other = shell("sleep 600").spawn().unwrap();
        let record = ProcessRecord { pid: other.id() as i32, started: Some(1), settings: String::new() };
        write(&record_file(&state, Service::S3), serde_json::to_vec(&record).unwrap()).unwrap();
        assert!(!runs(&state, Service::S3) && !stop(&state, Service::S3).unwrap());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
        fs::remove_dir_all(state.folder()).unwrap();
    }
}
