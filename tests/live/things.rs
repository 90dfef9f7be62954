//! Auxiliary objects of the tests.

use datagouv::main::types;
use datagouv::{Client, Error, Result};
use serde_json::{Value, json};

use crate::support::{self, unique};

/// The error of a call that the server refuses with this status.
pub fn refused<T>(result: Result<T>, status: u16) -> Error {
    match result {
        Ok(_) => panic!("a success, where {status} was expected"),
        Err(error) => {
            assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{error}");
            error
        }
    }
}

/// A text of letters that is valid in every identifier and every search.
pub fn word() -> String {
    unique("mot").chars().filter(char::is_ascii_alphanumeric).collect()
}

/// A reuse of a dataset made for it.
pub async fn reuse(client: &Client) -> types::Reuse {
    let dataset = support::dataset(client).await;
    support::reuse(client, &dataset.id).await
}

pub async fn post(client: &Client) -> types::Post {
    let body = json!({"name": unique("Article"), "content": "Un article"});
    client.main().create_post().body(body).send().await.unwrap().into_inner()
}

/// What blocs show.
pub struct Shown {
    pub resource: String,
    pub datasets: [String; 2],
    pub reuses: [String; 2],
    pub dataservices: [String; 2],
}

pub async fn shown(client: &Client) -> Shown {
    let datasets = [support::dataset(client).await.id, support::dataset(client).await.id];
    Shown {
        resource: support::resource(client, &datasets[0]).await.id,
        datasets,
        reuses: [reuse(client).await.id, reuse(client).await.id],
        dataservices: [support::dataservice(client).await.id, support::dataservice(client).await.id],
    }
}

impl Shown {
    /// A page of blocs with one of every kind that can be written, the kinds that an accordion takes twice.
    pub fn blocs(&self, color: Option<&str>) -> Value {
        let [dataset, other_dataset] = &self.datasets;
        let [reuse, other_reuse] = &self.reuses;
        let [dataservice, other_dataservice] = &self.dataservices;
        let mut first = json!({"class": "SectionBloc", "blocs": [
            {"class": "TitleBloc", "title": "Un titre", "subtitle": "Un sous-titre", "width": "1/2"},
            {"class": "TitleBloc", "title": "Un titre seul"},
            {"class": "MarkdownBloc", "content": "Du **texte**", "width": "1/4"},
            {"class": "ButtonBloc", "title": "Un bouton", "url": "https://example.org/", "width": "3/4"},
            {"class": "LinksListBloc", "links": [
                {"title": "Un lien", "url": "https://example.org/", "color": "blue"}, {"title": "Sans adresse"},
            ]},
            {"class": "ExploreBloc", "resource_id": self.resource, "width": "2/3"},
            {"class": "DatasetBloc", "dataset": {"id": dataset}, "width": "1/3"},
            {"class": "ReuseBloc", "reuse": {"id": reuse}},
            {"class": "DataserviceBloc", "dataservice": {"id": dataservice}},
        ]});
        if let Some(color) = color {
            first["color"] = json!(color);
        }
        json!([
            first,
            {"class": "SectionBloc", "blocs": [
                {"class": "AccordionListBloc", "width": "1/2", "items": [
                    {"title": "Le premier", "content": [
                        {"class": "TitleBloc", "title": "Dedans"},
                        {"class": "MarkdownBloc", "content": "Plus de texte"},
                        {"class": "LinksListBloc", "links": [{"title": "Un lien", "url": "https://example.org/"}]},
                        {"class": "ButtonBloc", "title": "Un bouton", "url": "https://example.org/"},
                    ]},
                    {"title": "Le second", "content": [
                        {"class": "DatasetBloc", "dataset": {"id": other_dataset}},
                        {"class": "ReuseBloc", "reuse": {"id": other_reuse}},
                        {"class": "DataserviceBloc", "dataservice": {"id": other_dataservice}, "width": "1/2"},
                    ]},
                ]},
            ]},
        ])
    }
}
