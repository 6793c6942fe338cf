//! The inputs of a running query: what has come of each, and where it goes.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::disk_manager::DiskManager;
use datafusion::logical_expr::LogicalPlan;
use seatun_api::TableSchema;

use super::input::{InputTable, Size};
use super::spool::{Budget, Feed, Spool};

/// One input.
pub(super) struct Port {
    pub table: Arc<InputTable>,
    /// One for each scan of the plan: a query may read an input more than once, or not at all.
    pub feeds: Vec<Feed>,
    pub size: Size,
}

impl Port {
    /// How many readers still wait for this input to end.
    fn open_readers(&self) -> usize {
        if self.size.exact { 0 } else { self.feeds.len() }
    }
}

/// The inputs as tables, before the plan is known.
pub(super) fn tables(inputs: &[Arc<TableSchema>]) -> Vec<Arc<InputTable>> {
    inputs.iter().enumerate().map(|(port, table)| InputTable::new(port, Arc::clone(&table.arrow))).collect()
}

/// Gives each scan of a plan a spool of its own.
pub(super) fn connect(
    tables: Vec<Arc<InputTable>>,
    plan: &LogicalPlan,
    budget: &Arc<Budget>,
    disk: &Arc<DiskManager>,
) -> Result<Vec<Port>> {
    let mut ports: Vec<Port> =
        tables.into_iter().map(|table| Port { table, feeds: Vec::new(), size: Size::default() }).collect();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            let port = provider.as_ref().downcast_ref::<InputTable>().map(InputTable::port);
            if let Some(port) = port.and_then(|port| ports.get_mut(port)) {
                let spool = Spool::new(scan.source.schema(), Arc::clone(budget));
                port.table.add_spool(Arc::clone(&spool));
                port.feeds.push(Feed::new(spool, Arc::clone(disk)));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(ports)
}

/// Whether a plan can be chosen: no more than one reader's input is still open, which will be the side that
/// joins stream over. All other sizes are known.
pub(super) fn are_known(ports: &[Port]) -> bool {
    ports.iter().map(Port::open_readers).sum::<usize>() <= 1
}

/// Tells the tables what is known of their sizes. What is still open is taken for the greatest.
pub(super) fn publish_sizes(ports: &[Port]) {
    let greatest = |get: fn(&Size) -> usize| ports.iter().map(|port| get(&port.size)).max().unwrap_or(0);
    let (rows, bytes) = (greatest(|size| size.rows), greatest(|size| size.bytes));
    for port in ports {
        let size = match port.size.exact {
            true => port.size,
            false => Size {
                rows: rows.saturating_mul(4).max(1_000_000),
                bytes: bytes.saturating_mul(4).max(1 << 30),
                exact: false,
            },
        };
        port.table.set_size(size);
    }
}

/// Bytes of all readers' inputs but the greatest: what hash joins would keep in memory.
pub(super) fn bytes_to_build(ports: &[Port]) -> usize {
    let open = ports.iter().any(|port| port.open_readers() > 0);
    let mut sizes: Vec<usize> = ports
        .iter()
        .filter(|port| port.size.exact)
        .flat_map(|port| std::iter::repeat_n(port.size.bytes, port.feeds.len()))
        .collect();
    sizes.sort_unstable();
    if !open {
        sizes.pop();
    }
    sizes.iter().sum()
}
