//! `release`: what the next release is, by what changed since the last one.
//!
//! The documents are compared as `diff` does, corrected by their overlays; the public items of the crate as
//! `cargo public-api` lists them. The first know the operations, and why something changed; the second know what is
//! written by hand, and what another generator makes of the same document.

mod agreement;
mod documents;
mod draft;
mod manifest;
mod report;
mod repository;
mod surface;
mod version;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::diff::change::Release;
use crate::format::{self, Format};
use agreement::{Finding, Project};
use documents::Compared;
use report::{Items, Report};
use repository::Repository;
use version::Version;

/// The file of the changes.
const CHANGELOG: &str = "CHANGELOG.md";

/// What `cargo xtask release` takes.
#[derive(clap::Args)]
#[command(after_long_help = HELP)]
pub struct Arguments {
    /// Say what the release is, and write nothing; there is no other way yet
    #[arg(long, required = true)]
    dry_run: bool,
    /// The state that is compared with, in place of the last tag of a version, or of the first commit where there is none
    #[arg(long, value_name = "REVISION")]
    since: Option<String>,
    /// Do not list the public items, which takes minutes; the report is marked as incomplete
    #[arg(long)]
    without_items: bool,
    /// How the report is written
    #[arg(long, default_value = "text", value_parser = format::among(&format::REPORT))]
    format: Format,
    /// The root of the repository
    #[arg(long, hide = true, value_name = "FOLDER")]
    root: Option<PathBuf>,
}

const HELP: &str = "\
The report says whether the release is major, minor or a patch, from
  - the vendored documents of the four APIs since the last tag `vX.Y.Z`, corrected by their overlays (`cargo xtask diff`);
    what was accepted counts here as well, since it breaks programs all the same;
  - the public items of the crate with all features that are for users, by `cargo public-api`, which needs a nightly
    toolchain.
It drafts the section of the CHANGELOG, and checks that CHANGELOG, the versions of the crates and of their dependencies on
each other, the snippets, the features and the compiler in README and docs, and the metadata of docs.rs agree.

Before 1.0 what breaks raises the minor number, and all else the patch.

Ends with 0 where all agrees, with 1 where something does not, or the version is too low, with 2 where the repository or a
document cannot be read, or the public items cannot be listed: then the rest of the report is there, marked as incomplete.";

/// Runs `cargo xtask release`.
pub fn run(arguments: &Arguments) -> ExitCode {
    match report(arguments) {
        Ok(report) => {
            print!("{}", report.write(arguments.format));
            match (&report.items, report.findings.is_empty()) {
                (Items::Failed(reason), _) => {
                    eprintln!("incomplete: {reason}");
                    ExitCode::from(2)
                }
                (_, true) => ExitCode::SUCCESS,
                (_, false) => ExitCode::FAILURE,
            }
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(2)
        }
    }
}

fn report(arguments: &Arguments) -> Result<Report, String> {
    let repository = Repository::at(&arguments.root.clone().unwrap_or_else(crate::root));
    let base = repository.base(arguments.since.as_deref())?;
    let files = repository.files()?;
    let project = Project::read(repository.root(), &files)?;
    let documents = documents::compare(&repository, &base)?;
    let items = if arguments.without_items {
        Items::LeftOut
    } else {
        surface::between(&repository, &base).map_or_else(Items::Failed, Items::Compared)
    };
    let surface = match &items {
        Items::Compared(surface) => Some(surface),
        Items::Failed(_) | Items::LeftOut => None,
    };
    let release = surface.map_or(Release::Patch, surface::Surface::release).max(of_documents(&documents));
    let before = base.released;
    let counted = before.unwrap_or(project.version);
    let bump = counted.bump(release);
    let needed = before.map(|before| before.raised(bump));
    let mut findings = project.findings(repository.root(), &files);
    findings.extend(version(&project, before, needed));
    let path = repository.root().join(CHANGELOG);
    let text = fs::read_to_string(&path).map_err(|error| format!("{CHANGELOG}: {error}"))?;
    findings.extend(agreement::changelog(CHANGELOG, &text, &project, before));
    findings.sort();
    let next = needed.map_or(project.version, |needed| needed.max(project.version));
    let draft = draft::section(next, &documents, surface);
    Ok(Report { base, before, version: project.version, release, bump, needed, documents, items, findings, draft })
}

/// The release that the documents need.
fn of_documents(documents: &[Compared]) -> Release {
    let release = |compared: &Compared| match &compared.report {
        None => Release::Minor,
        Some(report) => report.release.unwrap_or(Release::Patch),
    };
    documents.iter().map(release).max().unwrap_or(Release::Patch)
}

/// Whether the version is high enough.
fn version(project: &Project, before: Option<Version>, needed: Option<Version>) -> Option<Finding> {
    let (before, needed) = (before?, needed?);
    (project.version < needed).then(|| {
        let text = format!("the version is {}; after {before} the changes need {needed}", project.version);
        Finding::new("Cargo.toml", project.version_line, text)
    })
}
