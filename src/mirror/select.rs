//! Which files of a dataset are mirrored, and under which names.

use std::collections::{BTreeMap, HashSet};

use wildmatch::WildMatch;

use super::Orphans;
use super::state::State;
use crate::files::{name_of_url, safe_name};
use crate::main::types::{Dataset, Resource, ResourceTypeValue};

/// The files that are chosen.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub include: Vec<WildMatch>,
    pub exclude: Vec<WildMatch>,
    pub formats: Vec<String>,
    pub types: Option<Vec<ResourceTypeValue>>,
}

/// A resource with its place in the folder.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub dataset: String,
    pub resource: Resource,
    pub path: String,
}

impl Selection {
    fn has(&self, resource: &Resource, name: &str) -> bool {
        let matches = |patterns: &[WildMatch]| patterns.iter().any(|pattern| pattern.matches(name));
        let format = resource.format.as_deref().unwrap_or_default();
        let of_format =
            self.formats.is_empty() || self.formats.iter().any(|wanted| wanted.eq_ignore_ascii_case(format));
        let of_type = match &self.types {
            Some(types) => types.contains(&resource.type_),
            // There is nothing to download behind it.
            None => resource.type_ != ResourceTypeValue::Api,
        };
        of_format && of_type && (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }
}

/// The name of a file: the last segment of its URL, else its title if that is one, else its id.
fn name(resource: &Resource) -> String {
    let of_url = reqwest::Url::parse(resource.url.trim()).ok().and_then(|url| name_of_url(&url));
    let format = resource.format.as_deref().unwrap_or_default().to_lowercase();
    let of_title = || {
        safe_name(&resource.title).filter(|title| {
            !format.is_empty() && title.to_lowercase().strip_suffix(&format).is_some_and(|stem| stem.ends_with('.'))
        })
    };
    let of_id = || {
        let extension = if format.is_empty() { String::new() } else { format!(".{format}") };
        safe_name(&format!("{}{extension}", resource.id)).unwrap_or_else(|| "download".to_owned())
    };
    of_url.or_else(of_title).unwrap_or_else(of_id)
}

/// Makes names distinct that are the same, or the same on a case-insensitive file system.
fn told_apart(name: &str, id: &str, taken: &mut HashSet<String>) -> String {
    if taken.insert(name.to_lowercase()) {
        return name.to_owned();
    }
    let at = name.rfind('.').filter(|at| *at > 0).unwrap_or(name.len());
    let (stem, extension) = name.split_at_checked(at).unwrap_or((name, ""));
    let id = safe_name(id).unwrap_or_default();
    let short: String = id.chars().take(8).collect();
    let mut candidates = [short, id].into_iter().map(|id| format!("{stem}-{id}{extension}"));
    let free = candidates.find(|candidate| taken.insert(candidate.to_lowercase()));
    free.unwrap_or_else(|| {
        let mut numbers = 2_u64..;
        let numbered = numbers.by_ref().map(|number| format!("{stem}-{number}{extension}"));
        let mut numbered = numbered.filter(|candidate| taken.insert(candidate.to_lowercase()));
        numbered.next().unwrap_or_else(|| name.to_owned())
    })
}

/// Gives each file a path, and records it in the state. A file keeps its path as long as its name stays the same, and so
/// does a kept orphan. Of new files with the same name, the oldest gets it, whatever the order of the list.
pub(super) fn plan(
    datasets: Vec<Dataset>,
    in_folders: bool,
    selection: &Selection,
    orphans: Orphans,
    state: &mut State,
) -> Vec<Planned> {
    let mut seen = HashSet::new();
    let mut wanted: Vec<(String, Resource, String)> = Vec::new();
    let mut folders: HashSet<String> = state.folders.values().map(|folder| folder.to_lowercase()).collect();
    for dataset in datasets {
        if in_folders && !state.folders.contains_key(&dataset.id) {
            let folder = safe_name(&dataset.slug).or_else(|| safe_name(&dataset.id));
            let folder = told_apart(&folder.unwrap_or_else(|| "dataset".to_owned()), &dataset.id, &mut folders);
            state.folders.insert(dataset.id.clone(), folder);
        }
        for resource in dataset.resources {
            let name = name(&resource);
            if selection.has(&resource, &name) && seen.insert(resource.id.clone()) {
                wanted.push((dataset.id.clone(), resource, name));
            }
        }
    }

    // The names that are kept, in each folder.
    let mut taken: BTreeMap<String, HashSet<String>> = BTreeMap::new();
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    let names: BTreeMap<&str, &str> =
        wanted.iter().map(|(_, resource, name)| (resource.id.as_str(), name.as_str())).collect();
    for (id, entry) in &state.files {
        let stays = names.get(id.as_str()).map_or(orphans == Orphans::Keep, |name| *name == entry.name);
        let (folder, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        if stays {
            taken.entry(folder.to_owned()).or_default().insert(name.to_lowercase());
            kept.insert(id.clone(), entry.path.clone());
        }
    }
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_cached_key(|index| {
        wanted.get(*index).map(|(_, resource, _)| (resource.created_at.as_str().to_owned(), resource.id.clone()))
    });
    for index in order {
        let Some((dataset, resource, name)) = wanted.get(index) else { continue };
        if !kept.contains_key(&resource.id) {
            let folder =
                if in_folders { state.folders.get(dataset).cloned().unwrap_or_default() } else { String::new() };
            let taken = taken.entry(folder.clone()).or_default();
            let name = told_apart(name, &resource.id, taken);
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            kept.insert(resource.id.clone(), path);
        }
    }
    let mut planned = Vec::new();
    for (dataset, resource, name) in wanted {
        let path = kept.get(&resource.id).cloned().unwrap_or_default();
        let entry = state.files.entry(resource.id.clone()).or_default();
        if !entry.path.is_empty() && entry.path != path {
            entry.previous.push(std::mem::take(&mut entry.path));
            entry.content = None;
        }
        entry.previous.retain(|previous| *previous != path);
        (entry.path, entry.dataset, entry.name, entry.gone) = (path.clone(), dataset.clone(), name, false);
        planned.push(Planned { dataset, resource, path });
    }
    planned
}
