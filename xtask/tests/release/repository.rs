//! A small repository of a crate with documents, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use datagouv_specs::Api;
use serde_json::Value;

pub struct Repository(PathBuf);

const MANIFEST: &str = r#"[workspace]
members = ["specs"]

[workspace.package]
version = "0.1.0"
rust-version = "1.88"
repository = "https://example.org/datagouv"

[package]
name = "datagouv"
version.workspace = true
rust-version.workspace = true

[features]
default = ["main"]
main = ["main-datasets", "main-users"]
main-datasets = []
main-users = []
arrow = ["dep:arrow"]
gzip = ["reqwest/gzip"]
live = ["_round-trip"]
_round-trip = []

[dependencies]
datagouv-specs = { path = "specs", version = "0.1.0" }

[package.metadata.docs.rs]
features = ["arrow"]
"#;

const SPECS_MANIFEST: &str = "[package]\nname = \"datagouv-specs\"\nversion.workspace = true\n";

const README: &str = r#"# datagouv

It needs Rust 1.88 or newer:

```toml
[dependencies]
datagouv = { version = "0.1", features = ["arrow"] }
```

| Feature | Default |
|---|---|
| `main`, `main-datasets`… | yes |
| `arrow`, `gzip` | no |
"#;

const CHANGELOG: &str = "# Changelog\n\n## 0.1.0 (2026-11-01)\n\nThe first version.\n";

impl Repository {
    /// A repository in which 0.1.0 was released, and everything agrees.
    pub fn released() -> Self {
        let repository = Self::unreleased();
        repository.git(&["tag", "v0.1.0"]);
        repository
    }

    /// The same, without a tag.
    pub fn unreleased() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("datagouv-release-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let repository = Self(folder);
        for (path, text) in [
            ("Cargo.toml", MANIFEST),
            ("specs/Cargo.toml", SPECS_MANIFEST),
            ("README.md", README),
            ("CHANGELOG.md", CHANGELOG),
        ] {
            repository.write(path, text);
        }
        let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
        for api in Api::ALL {
            for file in [api.file_name(), "overlay.json"] {
                let path = format!("{api}/{file}");
                repository.write(&format!("specs/{path}"), &fs::read_to_string(specs.join(&path)).unwrap());
            }
        }
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.commit();
        repository
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.0.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Replaces a text of a file, which must be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.0.join(path)).unwrap();
        assert!(text.contains(from), "{path}: no {from}");
        self.write(path, &text.replacen(from, to, 1));
    }

    /// Changes the document of an API.
    pub fn change(&self, api: Api, change: impl FnOnce(&mut Value)) {
        let path = format!("specs/{api}/{}", api.file_name());
        let mut document = serde_json::from_str(&fs::read_to_string(self.0.join(&path)).unwrap()).unwrap();
        change(&mut document);
        self.write(&path, &document.to_string());
    }

    /// Raises the version everywhere, with a section in the changelog.
    pub fn raise(&self, version: &str) {
        self.edit("Cargo.toml", "version = \"0.1.0\"", &format!("version = \"{version}\""));
        self.edit("Cargo.toml", "\"specs\", version = \"0.1.0\"", &format!("\"specs\", version = \"{version}\""));
        let short = version.rsplit_once('.').unwrap().0;
        self.edit("README.md", "version = \"0.1\"", &format!("version = \"{short}\""));
        self.edit("CHANGELOG.md", "## 0.1.0", &format!("## {version} (unreleased)\n\nMore.\n\n## 0.1.0"));
    }

    pub fn commit(&self) {
        self.git(&["add", "--all"]);
        let who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
        self.git(&[&who[..], &["commit", "--quiet", "--message", "State"]].concat());
    }

    pub fn git(&self, arguments: &[&str]) {
        let status = Command::new("git").arg("-C").arg(&self.0).args(arguments).status().unwrap();
        assert!(status.success(), "git {arguments:?}");
    }

    /// Runs the command; the public items are left out, which takes minutes.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command().arg("--without-items").args(arguments).output().unwrap()
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["release", "--dry-run", "--root"]).arg(&self.0);
        command
    }

    /// The report, and how the command ended.
    pub fn report(&self) -> (Value, Option<i32>) {
        let output = self.run(&["--format", "json"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
        (report, output.status.code())
    }

    /// The findings, each as `file:line: text`.
    pub fn findings(&self) -> Vec<String> {
        let (report, code) = self.report();
        let finding = |it: &Value| {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            format!("{}:{}: {}", text("file"), it["line"], text("text"))
        };
        let found: Vec<String> = report["findings"].as_array().unwrap().iter().map(finding).collect();
        assert_eq!(code, Some(i32::from(!found.is_empty())), "{found:#?}");
        found
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
