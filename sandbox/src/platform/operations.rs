//! The operations that the platform handles. The modules match them by name.

use super::{
    community_resources, contact_points, dataservices, discussions, exports, feeds, memberships, organizations, posts,
    reuses, tokens, topics, users, vocabularies,
};
use crate::Api;

const DATASETS: [&str; 22] = [
    "list_datasets",
    "get_dataset",
    "create_dataset",
    "update_dataset",
    "delete_dataset",
    "create_resource",
    "get_resource",
    "update_resource",
    "delete_resource",
    "redirect_resource",
    "update_resources",
    "upload_new_dataset_resource",
    "upload_dataset_resource",
    "feature_dataset",
    "unfeature_dataset",
    "available_dataset_badges",
    "add_dataset_badge",
    "delete_dataset_badge",
    "list_dataset_followers",
    "follow_dataset",
    "unfollow_dataset",
    "suggest_datasets",
];

const MAIN: [&[&str]; 15] = [
    &DATASETS,
    &community_resources::MAIN,
    &contact_points::MAIN,
    &organizations::MAIN,
    &memberships::MAIN,
    &reuses::MAIN,
    &dataservices::MAIN,
    &users::MAIN,
    &users::OF_ORGANIZATIONS,
    &discussions::MAIN,
    &posts::MAIN,
    &tokens::MAIN,
    &exports::MAIN,
    &feeds::MAIN,
    &vocabularies::MAIN,
];

const DATASETS_V2: [&str; 11] = [
    "list_datasets",
    "search_datasets",
    "get_dataset",
    "list_resources",
    "get_resource",
    "get_dataset_extras",
    "update_dataset_extras",
    "delete_dataset_extras",
    "get_resource_extras",
    "update_resource_extras",
    "delete_resource_extras",
];

const THINGS_V2: [&str; 9] = [
    "list_reuses",
    "search_reuses",
    "search_dataservices",
    "search_organizations",
    "search_discussions",
    "search_posts",
    "get_organization_extras",
    "update_organization_extras",
    "delete_organization_extras",
];

const TABULAR: [&str; 6] = [
    "getAggregationExceptions",
    "getMetaResourceInfo",
    "getResourceProfile",
    "getResourceData",
    "getResourceDataCsv",
    "getResourceDataJson",
];

const METRICS: [&str; 2] = ["getMetricsByModel", "getMetricsByModelCSV"];

fn operations(api: Api) -> impl Iterator<Item = &'static str> {
    let lists: &[&[&'static str]] = match api {
        Api::Main => &MAIN,
        Api::MainV2 => &[&DATASETS_V2, &THINGS_V2, &topics::MAIN_V2],
        Api::Tabular => &[&TABULAR],
        Api::Metrics => &[&METRICS],
    };
    lists.iter().flat_map(|list| list.iter().copied())
}

/// The name of an operation; the document goes on with its path where two have the same.
pub(crate) fn name(operation_id: &str) -> &str {
    operation_id.split_once("_api_/").map_or(operation_id, |(name, _)| name)
}

/// Whether the response of an operation comes from the state of the platform.
pub(crate) fn handles(api: Api, operation_id: &str) -> bool {
    operations(api).any(|known| known == name(operation_id))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_of_behaviours_lists_the_operations_of_the_platform() {
        let table = include_str!("../behaviours.md");
        let rows = table.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            Some((cells.next()?.parse::<Api>().ok()?, cells.next()?))
        });
        let named: BTreeSet<(Api, &str)> =
            rows.flat_map(|(api, cell)| cell.split(", ").map(move |name| (api, name.trim_matches('`')))).collect();
        let handled = Api::ALL.into_iter().flat_map(|api| operations(api).map(move |id| (api, id)));
        assert_eq!(named, handled.collect());
    }
}
