//! The exports of the whole catalogue as tables.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::limit::LimitStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use datagouv::Client;
use datagouv::dumps::RecordBatches;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::error::external;
use crate::leaf;
use crate::scan::fitted;

/// An export of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Export {
    Datasets,
    Organizations,
    Resources,
    Reuses,
}

impl Export {
    pub(crate) const ALL: [Self; 4] = [Self::Datasets, Self::Organizations, Self::Resources, Self::Reuses];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|export| export.to_string() == name)
    }

    pub(crate) fn batches(self, client: &Client) -> RecordBatches {
        let dumps = client.dumps();
        match self {
            Self::Datasets => dumps.datasets().record_batches(),
            Self::Organizations => dumps.organizations().record_batches(),
            Self::Resources => dumps.resources().record_batches(),
            Self::Reuses => dumps.reuses().record_batches(),
        }
    }
}

impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Datasets => "datasets",
            Self::Organizations => "organizations",
            Self::Resources => "resources",
            Self::Reuses => "reuses",
        })
    }
}

#[derive(Debug)]
pub(crate) struct ExportTable {
    pub client: Client,
    pub export: Export,
    pub schema: SchemaRef,
}

#[async_trait]
impl TableProvider for ExportTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        Ok(Arc::new(ExportExec::new(self.client.clone(), self.export, schema, limit)))
    }
}

/// Reads some columns of an export, and its first rows if there is a limit.
#[derive(Clone, Debug)]
pub(crate) struct ExportExec {
    pub client: Client,
    pub export: Export,
    pub limit: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ExportExec {
    pub(crate) fn new(client: Client, export: Export, schema: SchemaRef, limit: Option<usize>) -> Self {
        let properties = leaf::properties(EquivalenceProperties::new(schema), 1);
        let properties = properties.with_scheduling_type(SchedulingType::Cooperative);
        Self { client, export, limit, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for ExportExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = leaf::names(&self.schema());
        write!(f, "DatagouvExportExec: export of {}, columns=[{names}]", self.export)?;
        if let Some(limit) = self.limit {
            write!(f, ", limit={limit}")?;
        }
        write!(f, ", requests=1")
    }
}

impl ExecutionPlan for ExportExec {
    fn name(&self) -> &'static str {
        "DatagouvExportExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        leaf::with_children(self, &children)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batch_size = NonZeroUsize::new(context.session_config().batch_size()).unwrap_or(NonZeroUsize::MIN);
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        // Times of harvested datasets are whatever their sites write.
        let batches = self.export.batches(&self.client).batch_size(batch_size).null_where_unrepresentable();
        let schema = self.schema();
        let batches = batches.map_err(external).and_then(move |batch| std::future::ready(fitted(&batch, &schema)));
        let batches = Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches));
        Ok(Box::pin(LimitStream::new(batches, 0, self.limit, metrics)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let limit = limit?;
        let limit = Some(self.limit.map_or(limit, |other| other.min(limit)));
        Some(Arc::new(Self { limit, metrics: ExecutionPlanMetricsSet::new(), ..self.clone() }))
    }
}
