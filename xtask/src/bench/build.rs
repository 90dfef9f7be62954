//! Builds of whole programs from nothing and of the crate alone, and the size of a program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::measure::{Run, Sample, alternate, in_turn, median, sample};
use super::report::{Row, Table, Threshold, Unit};

/// The programs that users would write, by the names of their packages.
const DEFAULT: &str = "with-datagouv-default";
const DATASETS: &str = "with-datagouv-datasets";
const OCTOCRAB: &str = "with-octocrab";
const REQWEST: &str = "with-reqwest";
const REQWEST_RING: &str = "with-reqwest-ring";

const OURS: &str = "datagouv";

pub(super) fn measure(rounds: usize) -> Result<Table, String> {
    let programs = crate::root().join("benchmarks/programs");
    for manifest in [crate::root().join("Cargo.toml"), programs.join("Cargo.toml")] {
        run(Command::new(crate::cargo_program())
            .args(["fetch", "--quiet", "--locked", "--manifest-path"])
            .arg(manifest))?;
    }
    let versions = Versions::read(&programs.join("Cargo.lock"))?;
    let mut rows = clean_builds(rounds, &programs, &versions)?;
    rows.extend(rebuilds(rounds, &programs, &versions)?);
    rows.push(first_example()?);
    rows.extend(crate_builds(rounds)?);
    rows.extend(binary_sizes(&programs, &versions)?);
    let notes = vec![
        "Each build has cargo's default profile, and is not incremental: cargo builds what comes from a registry so."
            .to_owned(),
        "octocrab and reqwest have their default features (reqwest also `json`), and with them aws-lc for TLS; \
         ours has ring."
            .to_owned(),
    ];
    Ok(Table { title: "Build".to_owned(), rows, notes })
}

/// Whole programs, with all that they depend on.
fn clean_builds(rounds: usize, programs: &Path, versions: &Versions) -> Result<Vec<Row>, String> {
    let target = target("cold");
    let cold = |package: &'static str| -> Run<'_> {
        let target = &target;
        Box::new(move || {
            clear(target)?;
            sample(build("build", programs, target).args(["--package", package]))
        })
    };
    let samples = in_turn(rounds, &mut [cold(DEFAULT), cold(DATASETS), cold(OCTOCRAB), cold(REQWEST)])?;
    clear(&target)?;
    let [default, datasets, octocrab, reqwest] = &samples[..] else {
        return Err("four programs were to be built".to_owned());
    };
    let mut rows = Vec::new();
    for (what, ours, of_octocrab, of_reqwest) in
        [("default features", default, 0.55, 1.0), ("`main-datasets`, `rustls`", datasets, 0.45, 0.8)]
    {
        for (name, theirs, limit) in [("octocrab", octocrab, of_octocrab), ("reqwest", reqwest, of_reqwest)] {
            let row = |unit: &str, of: fn(&Sample) -> f64| {
                let what = format!("a program from nothing, {what}: {unit}");
                Row::ratio(what, Unit::Seconds, &metrics(ours, of), &versions.of(name), &metrics(theirs, of))
            };
            rows.push(row("wall", |sample| sample.wall).threshold(Threshold::AtMost(limit)));
            rows.push(row("CPU", |sample| sample.cpu));
        }
    }
    Ok(rows)
}

/// Programs of which one file has changed: nothing but the program itself is compiled and linked.
fn rebuilds(rounds: usize, programs: &Path, versions: &Versions) -> Result<Vec<Row>, String> {
    let target = target("changed");
    let again = |package: &'static str, folder: &str| -> Run<'_> {
        let (target, file) = (&target, programs.join(folder).join("src/main.rs"));
        Box::new(move || {
            let failed = |error: std::io::Error| format!("{}: {error}", file.display());
            let changed = fs::File::options().append(true).open(&file).map_err(failed)?;
            changed.set_modified(std::time::SystemTime::now()).map_err(failed)?;
            // As a user's own package is built.
            sample(build("build", programs, target).env_remove("CARGO_INCREMENTAL").args(["--package", package]))
        })
    };
    let samples = alternate(rounds, &mut [again(DATASETS, "datagouv-datasets"), again(REQWEST, "reqwest")])?;
    clear(&target)?;
    let [ours, theirs] = &samples[..] else { return Err("two programs were to be built".to_owned()) };
    let (ours, theirs) = (metrics(ours, |sample| sample.wall), metrics(theirs, |sample| sample.wall));
    let label = "a program of which a file has changed, `main-datasets`, `rustls`: wall";
    let row = Row::ratio(label, Unit::Seconds, &ours, &versions.of("reqwest"), &theirs);
    Ok(vec![row.threshold(Threshold::AtMost(1.05))])
}

/// What the first command of the README takes from nothing.
fn first_example() -> Result<Row, String> {
    let target = target("example");
    clear(&target)?;
    let mut command = build("run", &crate::root(), &target);
    let run = sample(command.args(["--example", "tour"]))?;
    clear(&target)?;
    let label = "the first command of the README, from nothing: wall";
    Ok(Row::single(label, Unit::Seconds, run.wall).threshold(Threshold::AtMost(90.0)))
}

/// Our crate with its dependencies built.
fn crate_builds(rounds: usize) -> Result<Vec<Row>, String> {
    let target = target("alone");
    let mut rows = Vec::new();
    for (name, features, of_debug, of_check) in [
        ("all features", every_feature()?, None, Some(8.0)),
        ("`main-datasets`", "main-datasets,rustls".to_owned(), Some(3.0), Some(3.0)),
        ("`tabular`", "tabular,rustls".to_owned(), None, None),
    ] {
        let root = crate::root();
        let command = |how: &str| {
            let mut command = build(how, &root, &target);
            command.args(["--package", OURS, "--lib", "--no-default-features", "--features", &features]);
            // The project's own profile has less debug information than a user's.
            command.env("CARGO_PROFILE_DEV_DEBUG", "true");
            command
        };
        let again = |how: &'static str| -> Run<'_> {
            let (command, target) = (&command, &target);
            Box::new(move || {
                invalidate(target)?;
                sample(&mut command(how))
            })
        };
        let script = BuildScript::of(&mut command("build"))?;
        let runs: &mut [Run<'_>] = &mut [again("build"), again("check"), Box::new(|| sample(&mut script.command()))];
        let samples = alternate(rounds, runs)?;
        let [debug, check, script] = &samples[..] else { return Err("three runs were to be measured".to_owned()) };
        let row = |what: &str, unit: Unit, samples: &[Sample], of: fn(&Sample) -> f64| {
            Row::single(format!("the crate alone, {name}: {what}"), unit, median(samples.iter().map(of)))
        };
        for (what, samples, limit) in [("debug", debug, of_debug), ("check", check, of_check)] {
            let row = row(what, Unit::Seconds, samples, |sample| sample.wall);
            rows.push(match limit {
                Some(limit) => row.threshold(Threshold::AtMost(limit)),
                None => row,
            });
        }
        let script = row("build.rs run", Unit::Seconds, script, |sample| sample.wall);
        rows.push(script.threshold(Threshold::AtMost(0.5)));
        let memory = row("memory of rustc", Unit::Bytes, debug, |sample| sample.peak_memory);
        rows.push(memory.threshold(Threshold::AtMost(0.75e9)));
    }
    Ok(rows)
}

/// A program that lists datasets, built for release and stripped.
fn binary_sizes(programs: &Path, versions: &Versions) -> Result<Vec<Row>, String> {
    let target = target("release");
    let size = |package: &str| -> Result<f64, String> {
        run(build("build", programs, &target).args(["--release", "--package", package]))?;
        let program = target.join("release").join(package);
        let metadata = fs::metadata(&program).map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(metadata.len() as f64)
    };
    let (ours, alike, theirs) = (size(DATASETS)?, size(REQWEST_RING)?, size(REQWEST)?);
    let name = versions.of("reqwest");
    let row =
        |whom: &str, theirs: f64| Row::ratio("a program for release, stripped", Unit::Bytes, &[ours], whom, &[theirs]);
    let more = Row::single("the same, more than reqwest with ring", Unit::Bytes, ours - alike);
    Ok(vec![row(&name, theirs), row(&format!("{name} with ring"), alike), more.threshold(Threshold::AtMost(1.5e6))])
}

/// The build script of our crate, as cargo runs it, in a place that building again does not clear.
struct BuildScript {
    folder: PathBuf,
    features: Vec<String>,
}

impl BuildScript {
    /// Builds the package of the script, and gets its path from cargo.
    fn of(build: &mut Command) -> Result<Self, String> {
        let messages = output_of(build.args(["--message-format", "json"]))?;
        let messages: Vec<Value> = messages.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let of_kind = |kind: &str, id: Option<&Value>| {
            messages.iter().find(|message| {
                message["target"]["kind"][0] == kind
                    && id.map_or(message["target"]["name"] == OURS, |id| message["package_id"] == *id)
            })
        };
        let library = of_kind("lib", None).ok_or("cargo says nothing of the crate")?;
        let program = of_kind("custom-build", Some(&library["package_id"]));
        let program = program.and_then(|message| message["filenames"][0].as_str());
        let program = program.ok_or("cargo names no build script")?;
        let folder = target("script");
        let failed = |error: std::io::Error| format!("{program}: {error}");
        fs::create_dir_all(folder.join("out")).map_err(failed)?;
        fs::copy(program, folder.join("build-script")).map_err(failed)?;
        let features = library["features"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Ok(Self { folder, features: features.map(|feature| feature.to_uppercase().replace('-', "_")).collect() })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.folder.join("build-script"));
        command.current_dir(crate::root()).env("OUT_DIR", self.folder.join("out"));
        command.envs(self.features.iter().map(|feature| (format!("CARGO_FEATURE_{feature}"), "1")));
        command
    }
}

/// All features of our crate that users have, but for the one that needs a library of the system where that is missing.
fn every_feature() -> Result<String, String> {
    let mut metadata = crate::cargo("metadata");
    let metadata: Value = serde_json::from_str(&output_of(metadata.args(["--no-deps", "--format-version", "1"]))?)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let ours =
        packages.into_iter().find(|package| package["name"] == OURS).ok_or("the crate is not in its workspace")?;
    let openssl =
        Command::new("pkg-config").args(["--exists", "openssl"]).status().is_ok_and(|status| status.success());
    let features = ours["features"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let users = features.filter(|name| !name.starts_with('_') && (openssl || *name != "native-tls"));
    Ok(users.collect::<Vec<_>>().join(","))
}

/// The versions that are locked.
struct Versions(toml_edit::DocumentMut);

impl Versions {
    fn read(lock: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", lock.display());
        let text = fs::read_to_string(lock).map_err(|error| failed(&error))?;
        text.parse().map(Self).map_err(|error: toml_edit::TomlError| failed(&error))
    }

    /// A package and its version.
    fn of(&self, name: &str) -> String {
        let packages = self.0.get("package").and_then(toml_edit::Item::as_array_of_tables);
        let text = |item: Option<&toml_edit::Item>| item.and_then(toml_edit::Item::as_str).map(str::to_owned);
        let found = packages.into_iter().flatten().find(|package| text(package.get("name")).as_deref() == Some(name));
        let version = found.and_then(|package| text(package.get("version")));
        version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
    }
}

/// Cargo as a user would run it, whatever the arguments of this one.
fn build(how: &str, workspace: &Path, target: &Path) -> Command {
    let mut command = Command::new(crate::cargo_program());
    command.args([how, "--quiet", "--locked", "--offline", "--manifest-path"]).arg(workspace.join("Cargo.toml"));
    command.arg("--target-dir").arg(target);
    command.env("CARGO_INCREMENTAL", "0");
    for (name, _) in std::env::vars_os() {
        let output = name.to_string_lossy();
        if output.starts_with("CARGO_PROFILE_")
            || ["RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_BUILD_JOBS"].contains(&&*output)
        {
            command.env_remove(&name);
        }
    }
    command
}

fn target(name: &str) -> PathBuf {
    crate::root().join("target/benchmarks/build").join(name)
}

fn clear(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(format!("{}: {error}", folder.display())),
        _ => Ok(()),
    }
}

/// Makes cargo build our crate again, its build script included, and nothing else.
fn invalidate(target: &Path) -> Result<(), String> {
    let mut command = Command::new(crate::cargo_program());
    command.args(["clean", "--quiet", "--offline", "--package", OURS, "--manifest-path"]);
    run(command.arg(crate::root().join("Cargo.toml")).arg("--target-dir").arg(target))
}

fn run(command: &mut Command) -> Result<(), String> {
    sample(command).map(drop)
}

fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("cargo: {error}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { Ok(stdout) } else { Err(format!("cargo failed ({})", output.status)) }
}

fn metrics(samples: &[Sample], of: fn(&Sample) -> f64) -> Vec<f64> {
    samples.iter().map(of).collect()
}
