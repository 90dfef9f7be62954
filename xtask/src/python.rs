//! Environments of Python, each with packages of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest version that the packages of the platform run on.
const OLDEST: (u32, u32) = (3, 11);

/// The Python that environments are made with: that of the variable `PYTHON`, `python3` without it.
pub fn interpreter() -> OsString {
    std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into())
}

/// Fails if there is no Python, or one that is too old.
pub fn check_version() -> Result<(), String> {
    let hint = format!("Python {}.{} or newer is needed; the variable PYTHON says which to use", OLDEST.0, OLDEST.1);
    let mut command = Command::new(interpreter());
    command.args(["-c", "import sys; print(*sys.version_info[:2])"]);
    let version = output_of(&mut command).map_err(|error| format!("{error}; {hint}"))?;
    let version = String::from_utf8_lossy(&version).into_owned();
    let mut numbers = version.split_whitespace().filter_map(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok(()),
        _ => Err(format!("this is Python {}; {hint}", version.trim().replace(' ', "."))),
    }
}

/// A virtual environment.
pub struct Environment(PathBuf);

impl Environment {
    /// The environment of a folder, which may not be there yet.
    pub fn existing(folder: &Path) -> Self {
        Self(folder.to_path_buf())
    }

    /// The environment of a folder, made where there is none.
    pub fn at(folder: &Path) -> Result<Self, String> {
        let environment = Self(folder.to_path_buf());
        if !succeeds(Command::new(environment.program("python")).args(["-c", "import pip"])) {
            output_of(Command::new(interpreter()).args(["-m", "venv", "--clear"]).arg(folder))?;
        }
        Ok(environment)
    }

    /// The folder of its programs.
    pub fn programs(&self) -> PathBuf {
        self.0.join("bin")
    }

    /// A program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name)
    }

    /// Whether Python can import these modules.
    pub fn imports(&self, modules: &str) -> bool {
        succeeds(Command::new(self.program("python")).args(["-c", &format!("import {modules}")]))
    }

    /// The version of an installed package.
    pub fn version_of(&self, package: &str) -> Result<String, String> {
        let code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))";
        let version = output_of(Command::new(self.program("python")).args(["-c", code, package]))?;
        Ok(String::from_utf8_lossy(&version).trim().to_owned())
    }

    /// The command that installs packages, to be followed by their names.
    pub fn pip_install(&self) -> Command {
        let mut command = Command::new(self.program("python"));
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
        command
    }

    /// Installs packages; the arguments are those of `pip install`.
    pub fn install(&self, arguments: &[&str]) -> Result<(), String> {
        output_of(self.pip_install().args(arguments)).map(drop)
    }

    /// What a script prints. With one seed for all, what is made of unordered sets of text is the same at every run.
    pub fn run(&self, script: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let mut command = Command::new(self.program("python"));
        command.arg(script).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONHASHSEED", "0");
        output_of(&mut command)
    }
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The output of a program, or the line of its error.
fn output_of(command: &mut Command) -> Result<Vec<u8>, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    // pip marks its errors; Python ends with what went wrong.
    let reason = lines().rfind(|line| line.starts_with("ERROR:")).or_else(|| lines().next_back());
    let name = Path::new(&program).file_name().map_or(program.clone(), |name| name.to_string_lossy().into_owned());
    Err(format!("{name} failed ({}): {}", output.status, reason.unwrap_or("it does not say why")))
}
