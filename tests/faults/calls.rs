//! The kinds of call: what is asked, what comes out of it, and which of its requests is to fail.

use datagouv::main::types::{DatasetInput, DatasetUpdate};
use datagouv::{Client, Error};
use datagouv_sandbox::platform;

/// A data set of the sandbox.
const DATASET: &str = platform::COMMUNES;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Create,
    Update,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Read, Self::Create, Self::Update];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "typed read",
            Self::Create => "typed write",
            Self::Update => "idempotent write",
        }
    }

    /// Which of the call's requests fails, counted from 1.
    pub fn failing(self) -> usize {
        match self {
            Self::Read | Self::Create | Self::Update => 1,
        }
    }

    /// Makes the call; gives what is right or wrong about its result in a line.
    pub async fn run(self, client: &Client) -> Result<String, Error> {
        let main = client.main();
        Ok(match self {
            Self::Read => main.get_dataset().dataset(DATASET).send().await?.into_inner().title,
            Self::Create => {
                let body = DatasetInput::new("A title", "A description");
                main.create_dataset().body(body).send().await?.into_inner().title
            }
            Self::Update => {
                let body = DatasetUpdate::new().title("Another title");
                main.update_dataset().dataset(DATASET).body(body).send().await?.into_inner().title
            }
        })
    }
}
