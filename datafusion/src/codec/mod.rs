//! Plans that travel to other machines.
//!
//! [`PlanCodec`] is a [`PhysicalExtensionCodec`], as distributed engines of DataFusion take one: it writes the scans of this
//! crate as bytes, and reads them on another machine. The crate `datagouv-cluster` uses it with datafusion-distributed.
//!
//! A plan holds the id of each resource, its version (the rows that were counted, or the state of the Parquet file), the
//! columns, filters, orders, limits and ranges of row numbers, the base URLs of the APIs, and the limits of requests. It
//! never holds the API key: a worker makes [its own client](PlanCodec::for_worker), which may have its own key.
//!
//! [`divide`] makes parts of a scan, one for each of several machines. A machine that finds another number of rows than were
//! counted when the query was planned, or another state of the Parquet file, refuses its part with an error.
//!
//! The table functions need nothing on workers: they are resolved when a query is planned.

mod access;
mod copy;
mod divide;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::common::{Result, plan_err};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{
    PhysicalExtensionCodec, PhysicalPlanDecodeContext, PhysicalProtoConverterExtension,
};
use datafusion_proto::protobuf;
use datagouv::ClientBuilder;
use datagouv::files::FileState;
use datagouv::rows::Extent;
use prost::Message;
use serde::{Deserialize, Serialize};

use crate::computed::{Computation, ComputedExec};
use crate::export::{Export, ExportExec};
use crate::parquet_exec::{CopyFile, ParquetCopyExec};
use crate::scan::{RowsExec, Scan};
use access::{Access, Site};

pub use access::AllowedHosts;
pub use divide::{divide, file_bytes, parts};

/// The version of the bytes. It changes with them.
const VERSION: u32 = 3;

/// Returns the version of the plans that this program writes and reads: of their form, of this crate and of DataFusion, of
/// which all machines of a cluster need the same.
#[must_use]
pub fn version() -> String {
    let (own, datafusion) = (env!("CARGO_PKG_VERSION"), datafusion::DATAFUSION_VERSION);
    format!("{VERSION} of datagouv-datafusion {own} with DataFusion {datafusion}")
}

/// Writes the scans of this crate as bytes, and reads them where there is a client for them.
///
/// ```
/// use datagouv::Client;
/// use datagouv_datafusion::codec::{AllowedHosts, PlanCodec};
///
/// let coordinator = PlanCodec::new();
/// let worker = PlanCodec::for_worker(AllowedHosts::default(), Client::builder);
/// # let _ = (coordinator, worker);
/// ```
#[derive(Clone, Default)]
pub struct PlanCodec {
    access: Option<Arc<Access>>,
}

impl PlanCodec {
    /// Returns the codec of a machine that plans queries. It writes plans, and reads none.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the codec of a machine that executes plans, with the hosts that it may send requests to.
    ///
    /// `client` returns the configuration of its clients, with an API key of its own if it has one. Base URLs and limits are
    /// set from the plan; all plans with the same share one client.
    #[must_use]
    pub fn for_worker(hosts: AllowedHosts, client: impl Fn() -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self { access: Some(Arc::new(Access::new(hosts, client))) }
    }
}

impl fmt::Debug for PlanCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanCodec").field("hosts", &self.access.as_ref().map(|access| access.hosts())).finish()
    }
}

/// A node of a plan, as it travels.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    /// What [`version`] returns.
    #[prost(string, tag = "1")]
    version: String,
    /// A [`Node`] in JSON.
    #[prost(bytes = "vec", tag = "2")]
    node: Vec<u8>,
    #[prost(message, optional, tag = "3")]
    schema: Option<protobuf::Schema>,
    /// Filters that become known when the query runs.
    #[prost(message, repeated, tag = "4")]
    dynamic: Vec<protobuf::PhysicalExprNode>,
    /// The scan of a Parquet copy.
    #[prost(message, optional, tag = "5")]
    scan: Option<protobuf::PhysicalPlanNode>,
    /// A result that is known, as a stream of Arrow's IPC.
    #[prost(bytes = "vec", tag = "6")]
    known: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Node {
    Rows {
        site: Site,
        scan: Scan,
        because: String,
        extent: Option<Extent>,
        rows: Option<usize>,
        width: usize,
        divided: bool,
        concurrency: std::num::NonZeroUsize,
        alternatives: bool,
    },
    Known {
        kind: Computation,
        description: String,
    },
    Export {
        site: Site,
        export: Export,
        limit: Option<usize>,
    },
    /// DataFusion encodes its scan.
    Copy {
        site: Site,
        state: FileState,
        description: String,
        row_groups: usize,
    },
}

impl PhysicalExtensionCodec for PlanCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        _: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let unreadable = |error: &dyn fmt::Display| DataFusionError::Plan(format!("the plan cannot be read: {error}"));
        let envelope = Envelope::decode(bytes).map_err(|error| unreadable(&error))?;
        if envelope.version != version() {
            return plan_err!(
                "the plan is of version {}, and this machine reads version {}: use one version on all machines",
                envelope.version,
                version()
            );
        }
        let Some(access) = &self.access else {
            return plan_err!("this machine makes plans and executes none: send them to a worker");
        };
        let schema: SchemaRef = match &envelope.schema {
            Some(schema) => Arc::new(Schema::try_from(schema)?),
            None => Arc::new(Schema::empty()),
        };
        Ok(match serde_json::from_slice(&envelope.node).map_err(|error| unreadable(&error))? {
            Node::Rows { site, scan, because, extent, rows, width, divided, concurrency, alternatives } => {
                let client = access.client(&site, Some(scan.source.api()))?;
                let mut exec = RowsExec::with_schema(client, scan, Arc::clone(&schema), width, alternatives, because);
                let context = PhysicalPlanDecodeContext::new(context, self);
                let dynamic = envelope.dynamic.iter();
                let dynamic = dynamic.map(|filter| converter.proto_to_physical_expr(filter, &schema, &context));
                exec.dynamic = dynamic.collect::<Result<Vec<_>>>()?;
                (exec.extent, exec.rows) = (extent, rows);
                (exec.divided, exec.concurrency) = (divided, concurrency);
                Arc::new(exec)
            }
            Node::Known { kind, description } => {
                let mut batches = StreamReader::try_new(envelope.known.as_slice(), None)?;
                let Some(batch) = batches.next() else { return plan_err!("the plan has no result of the server") };
                Arc::new(ComputedExec::new(kind, description, batch?))
            }
            Node::Export { site, export, limit } => {
                Arc::new(ExportExec::new(access.client(&site, Some("main"))?, export, schema, limit))
            }
            Node::Copy { site, state, description, row_groups } => {
                let Some(scan) = &envelope.scan else { return plan_err!("the plan of a Parquet copy has no scan") };
                access.ensure_allowed(state.url())?;
                let client = access.client(&site, None)?;
                let scan = converter.proto_to_execution_plan(scan, &PhysicalPlanDecodeContext::new(context, self))?;
                let scan = copy::reopened(&scan, &client, &state)?;
                let file = Arc::new(CopyFile { client, state, description, row_groups });
                Arc::new(ParquetCopyExec { scan, file })
            }
        })
    }

    fn try_encode(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let (mut dynamic, mut scan, mut known) = (Vec::new(), None, Vec::new());
        let mut schema = Some(plan.schema());
        let node = if let Some(exec) = plan.downcast_ref::<RowsExec>() {
            for filter in &exec.dynamic {
                dynamic.push(converter.physical_expr_to_proto(filter, self)?);
            }
            Node::Rows {
                site: Site::of(&exec.client),
                scan: exec.scan.clone(),
                because: exec.because.clone(),
                extent: exec.extent,
                rows: exec.rows,
                width: exec.width,
                divided: exec.divided,
                concurrency: exec.concurrency,
                alternatives: exec.alternatives,
            }
        } else if let Some(exec) = plan.downcast_ref::<ComputedExec>() {
            let mut writer = StreamWriter::try_new(&mut known, &exec.batch.schema())?;
            writer.write(&exec.batch)?;
            writer.finish()?;
            Node::Known { kind: exec.kind, description: exec.description.clone() }
        } else if let Some(exec) = plan.downcast_ref::<ExportExec>() {
            Node::Export { site: Site::of(&exec.client), export: exec.export, limit: exec.limit }
        } else if let Some(exec) = plan.downcast_ref::<ParquetCopyExec>() {
            scan = Some(converter.execution_plan_to_proto(&exec.scan, self)?);
            schema = None;
            Node::Copy {
                site: Site::of(&exec.file.client),
                state: exec.file.state.clone(),
                description: exec.file.description.clone(),
                row_groups: exec.file.row_groups,
            }
        } else {
            return plan_err!("`{}` cannot be sent to another machine by this codec", plan.name());
        };
        let envelope = Envelope {
            version: version(),
            node: serde_json::to_vec(&node).map_err(|error| DataFusionError::External(Box::new(error)))?,
            schema: schema.map(|schema| schema.as_ref().try_into()).transpose()?,
            dynamic,
            scan,
            known,
        };
        envelope.encode(bytes).map_err(|error| DataFusionError::External(Box::new(error)))
    }
}
