//! Parts of a scan for several machines.

use std::sync::Arc;

use datafusion::datasource::physical_plan::{FileGroup, FileGroupPartitioner};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::copy::config;
use crate::computed::ComputedExec;
use crate::export::ExportExec;
use crate::parquet_exec::ParquetCopyExec;
use crate::scan::{NOTHING, RowsExec, Scan};

/// Returns how many machines can share a scan of this crate: those of rows have as many parts as ranges of row numbers, those
/// of Parquet copies as row groups, and others one. `None` for other plans.
#[must_use]
pub fn parts(plan: &dyn ExecutionPlan) -> Option<usize> {
    // The first rows of all are not the first rows of each part.
    let divisible = plan.fetch().is_none();
    if let Some(exec) = plan.downcast_ref::<RowsExec>() {
        return Some(if divisible && exec.extent.is_some() { exec.scan.ranges.len().max(1) } else { 1 });
    }
    if let Some(exec) = plan.downcast_ref::<ParquetCopyExec>() {
        return Some(if divisible && config(&exec.scan).is_some() { exec.file.row_groups.max(1) } else { 1 });
    }
    (plan.is::<ComputedExec>() || plan.is::<ExportExec>()).then_some(1)
}

/// Returns the size of the file that a scan reads, in bytes; `None` for a plan that is not the scan of a Parquet copy.
#[must_use]
pub fn file_bytes(plan: &dyn ExecutionPlan) -> Option<u64> {
    Some(plan.downcast_ref::<ParquetCopyExec>()?.file.state.size())
}

/// Divides a scan of this crate among machines: one plan for each, all with the same number of partitions, which have all
/// rows of the scan between them. `None` for other plans, and where a scan has fewer [parts].
#[must_use]
pub fn divide(plan: &Arc<dyn ExecutionPlan>, machines: usize) -> Option<Vec<Arc<dyn ExecutionPlan>>> {
    if machines < 2 || parts(plan.as_ref())? < machines {
        return None;
    }
    if let Some(exec) = plan.downcast_ref::<RowsExec>() {
        let each = |ranges| Arc::new(exec.part(Scan { ranges, ..exec.scan.clone() })) as Arc<dyn ExecutionPlan>;
        return Some(dealt(&exec.scan.ranges, machines, &NOTHING).map(each).collect());
    }
    let exec = plan.downcast_ref::<ParquetCopyExec>()?;
    let config = config(&exec.scan)?;
    let partitions = plan.output_partitioning().partition_count();
    let groups = FileGroupPartitioner::new()
        .with_target_partitions(partitions * machines)
        .with_repartition_file_min_size(0)
        .with_preserve_order_within_groups(!config.output_ordering.is_empty())
        .repartition_file_groups(&config.file_groups)
        .unwrap_or_else(|| config.file_groups.clone());
    let each = |file_groups| {
        let mut config = config.clone();
        config.file_groups = file_groups;
        let scan = DataSourceExec::from_data_source(config);
        Arc::new(ParquetCopyExec { scan, file: Arc::clone(&exec.file) }) as Arc<dyn ExecutionPlan>
    };
    Some(dealt(&groups, machines, &FileGroup::default()).map(each).collect())
}

/// Items in turn for each machine, as many for one as for the other.
fn dealt<T: Clone>(items: &[T], machines: usize, nothing: &T) -> impl Iterator<Item = Vec<T>> {
    let each = items.len().div_ceil(machines).max(1);
    (0..machines).map(move |machine| {
        let own = items.iter().skip(machine).step_by(machines).cloned();
        own.chain(std::iter::repeat(nothing.clone())).take(each).collect()
    })
}
