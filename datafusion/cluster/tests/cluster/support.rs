//! Workers as processes, and the tables that the queries are over.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use datafusion::arrow::util::display::array_value_to_string;
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::prelude::{SessionConfig, SessionContext};
use datagouv::{Api, Client, ClientBuilder, Limits};
use datagouv_cluster::Cluster;
use datagouv_datafusion::{Options, register_with, sql};
use datagouv_sandbox::platform::{CHARGING_POINTS_RESOURCE, COMMUNES, COMMUNES_RESOURCE, NewTable};
use datagouv_sandbox::{Sandbox, User};
use serde_json::json;

/// The key of the coordinator, which no worker is to see.
pub const KEY: &str = "udata_a-key-that-workers-must-not-see";

/// The user agent of the coordinator, which distinguishes its requests from those of workers.
pub const COORDINATOR: &str = "the coordinator";

/// More rows than two exports hold, so that a scan has three ranges.
pub const ROWS: i64 = 110_000;

/// A worker as a process, which is killed when this is dropped.
pub struct WorkerProcess {
    child: Child,
    pub url: String,
}

impl WorkerProcess {
    pub fn start(hosts: &[String]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_datagouv-worker"));
        command.args(["--listen", "127.0.0.1:0"]).env_remove("DATAGOUV_API_KEY");
        for host in hosts {
            command.args(["--allow-host", host]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("the worker said {line:?}"));
        Self { url: format!("http://{address}"), child }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end, and waits for it.
    #[cfg(unix)]
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A platform with tables that are alike everywhere.
pub struct Platform {
    pub sandbox: Option<Sandbox>,
    /// The key of the coordinator.
    pub key: String,
    /// The base URLs of its APIs.
    pub bases: Vec<(Api, String)>,
    /// The hosts that workers need.
    pub hosts: Vec<String>,
    /// Rows of [`big`].
    pub big: String,
    /// Rows of [`small`].
    pub small: String,
    /// All tables of an organization, each with one of its columns.
    pub of_organization: Vec<(String, String)>,
}

/// The columns of the tables, and their rows.
pub struct Content {
    pub columns: &'static [(&'static str, &'static str)],
    pub rows: Vec<Vec<serde_json::Value>>,
}

impl Content {
    pub fn table(&self) -> NewTable {
        NewTable {
            columns: self.columns.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect(),
            rows: self.rows.clone(),
            ..NewTable::default()
        }
    }

    pub fn csv(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let mut csv = names.join(";") + "\n";
        for row in &self.rows {
            let cells = row.iter().map(|cell| match cell {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            csv += &(cells.collect::<Vec<_>>().join(";") + "\n");
        }
        csv
    }
}

pub fn big() -> Content {
    let row = |n: i64| {
        let nom = if n % 10 == 0 { json!(null) } else { json!(["Nice", "Nîmes", "Brest", "Lyon"][n as usize % 4]) };
        vec![json!(n), json!(n as f64 / 8.0 + 0.5), json!(n % 2 == 0), nom, json!(format!("2024-01-{:02}", n % 28 + 1))]
    };
    Content {
        columns: &[("n", "int"), ("x", "float"), ("ok", "bool"), ("nom", "string"), ("jour", "date")],
        rows: (1..=ROWS).map(row).collect(),
    }
}

pub fn small() -> Content {
    let towns = [("Nice", 342_669), ("Nîmes", 148_561), ("Brest", 139_456), ("Paris", 2_133_111), ("Albi", 49_024)];
    let rows = towns.iter().map(|(nom, population)| vec![json!(nom), json!(population)]).collect();
    Content { columns: &[("nom", "string"), ("population", "int")], rows }
}

impl Platform {
    /// The sandbox, with a Parquet copy of the large table.
    pub async fn sandbox() -> Self {
        let sandbox = Sandbox::start_platform().await;
        sandbox.add_table(CHARGING_POINTS_RESOURCE, big().table());
        sandbox.add_table(COMMUNES_RESOURCE, small().table());
        let bases = [
            (Api::Main, Api::Main),
            (Api::MainV2, Api::MainV2),
            (Api::Tabular, Api::Tabular),
            (Api::Metrics, Api::Metrics),
        ];
        let bases = bases.map(|(api, document)| (api, sandbox.url(document))).to_vec();
        let hosts = vec![sandbox.origin().trim_start_matches("http://").to_owned()];
        let client = sandbox.client_of(User::Editor);
        let organization = client.dataset(COMMUNES).get().await.unwrap().organization.clone().unwrap().id;
        let (big, small) = (CHARGING_POINTS_RESOURCE.to_owned(), COMMUNES_RESOURCE.to_owned());
        let of_organization = tables_of(&client, &organization).await;
        let platform = Self { sandbox: Some(sandbox), key: KEY.to_owned(), bases, hosts, big, small, of_organization };
        platform.copy(&client).await;
        platform.sandbox.as_ref().unwrap().take_requests();
        platform
    }

    /// Makes a Parquet copy, as the platform does.
    async fn copy(&self, client: &Client) {
        let rows = self.alone(Options::default().parquet(false));
        let frame = sql(&rows, &format!("SELECT * FROM resource('{}')", self.big)).await.unwrap();
        let batches = frame.collect().await.unwrap();
        let mut data = Vec::new();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(10_000)).build();
        let mut writer = ArrowWriter::try_new(&mut data, batches[0].schema(), Some(properties)).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.close().unwrap();
        let sandbox = self.sandbox.as_ref().unwrap();
        let url = sandbox.serve_file(COPY, "application/vnd.apache.parquet", data.clone());
        let table = client.tabular().get_meta_resource_info().rid(&self.big).send().await.unwrap().into_inner();
        let time = table.created_at.to_string();
        let extras = [
            ("analysis:parsing:parquet_url", json!(url)),
            ("analysis:parsing:parquet_size", json!(data.len())),
            ("analysis:parsing:started_at", json!(time)),
            ("analysis:parsing:finished_at", json!(time)),
        ];
        client.resource(&self.big).update_extras(extras).await.unwrap();
    }

    pub fn client(&self) -> ClientBuilder {
        let builder = Client::builder().limits(Limits::none()).user_agent(COORDINATOR);
        self.bases.iter().fold(builder, |builder, (api, url)| builder.base_url(*api, url.clone()))
    }

    /// A session of one machine.
    pub fn alone(&self, options: Options) -> SessionContext {
        let context = SessionContext::new_with_config(config());
        register_with(&context, &self.client().build().unwrap(), options).unwrap();
        context
    }

    pub fn workers(&self, count: usize) -> Vec<WorkerProcess> {
        (0..count).map(|_| WorkerProcess::start(&self.hosts)).collect()
    }

    pub fn cluster(&self, workers: &[WorkerProcess]) -> Cluster {
        let urls = workers.iter().map(|worker| &worker.url);
        // Parquet files are small here.
        Cluster::new(urls).unwrap().config(config()).limits(Limits::none()).file_bytes_per_partition(10_000)
    }

    /// A session of several machines.
    pub fn session(&self, workers: &[WorkerProcess], options: Options) -> SessionContext {
        self.cluster(workers).session(self.client().api_key(self.key.clone()), options).unwrap()
    }

    /// How many requests the workers have sent since the last call.
    pub fn requests_of_workers(&self) -> usize {
        let requests = self.sandbox.as_ref().unwrap().take_requests();
        let of_worker = requests.iter().filter(|request| request.header("user-agent") != Some(COORDINATOR));
        of_worker
            .inspect(|request| assert!(request.header("x-api-key").is_none(), "{request:?}"))
            .filter(|request| request.header("x-api-key").is_none())
            .count()
    }
}

pub const COPY: &str = "/hydra/parquet/copy.parquet";

/// Partitions do not depend on the machine.
fn config() -> SessionConfig {
    SessionConfig::new().with_target_partitions(4)
}

/// The tables of an organization, each with its first column.
pub async fn tables_of(client: &Client, organization: &str) -> Vec<(String, String)> {
    let page = client.main().list_datasets().organization(organization).page_size(50).send().await.unwrap();
    let mut tables = Vec::new();
    for dataset in &page.data {
        for resource in client.dataset(&dataset.id).get().await.unwrap().resources {
            let table = datagouv_datafusion::table(client, resource.id.as_str(), Options::default()).await;
            if let Ok(table) = table {
                let schema = datafusion::catalog::TableProvider::schema(&table);
                tables.push((resource.id, schema.field(0).name().clone()));
            }
        }
    }
    tables
}

/// The rows of a result, their cells between bars.
pub async fn rows(context: &SessionContext, query: &str) -> Result<Vec<String>, DataFusionError> {
    let batches = sql(context, query).await?.collect().await?;
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| {
                if column.is_null(row) { "∅".to_owned() } else { array_value_to_string(column, row).unwrap() }
            });
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    Ok(rows)
}
