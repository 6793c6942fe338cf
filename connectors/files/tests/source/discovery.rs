//! A streaming job reads each file exactly once, whenever and under whatever name it turns up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use seatun_api::source::PlanRequest;
use seatun_api::{Boundedness, Source, Split, Versioned};
use seatun_testkit::{ReadOptions, read_splits};
use serde_json::json;

use crate::support::{Folder, csv, with};

/// Sets the time of a file's last change to so many seconds ago.
fn age(path: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// Plans call by call, with the state that the call before gave.
struct Plans {
    source: Box<dyn Source>,
    state: Option<Versioned>,
}

impl Plans {
    fn new(source: Box<dyn Source>) -> Self {
        Self { source, state: None }
    }

    async fn next(&mut self) -> Vec<Split> {
        let active = BTreeMap::new();
        let request = PlanRequest { state: self.state.as_ref(), active: &active };
        let plan = self.source.plan(request).await.unwrap();
        assert!(!plan.complete, "a streaming source never ends");
        let state = serde_json::to_string(&plan.state.unwrap()).unwrap();
        self.state = Some(serde_json::from_str(&state).unwrap());
        plan.add
    }

    async fn rows(&mut self) -> Vec<String> {
        let splits = self.next().await;
        read_splits(self.source.as_ref(), splits, &ReadOptions::default()).await.rows()
    }
}

#[tokio::test]
async fn new_files_are_found_once_also_under_names_that_sort_first() {
    let folder = Folder::new();
    age(&folder.write("m.csv", "m\n"), 100);
    let mut plans = Plans::new(folder.streaming(csv(&[("c", "string")])));
    assert_eq!(plans.source.boundedness(), Boundedness::Unbounded);
    assert!(plans.source.discovery_interval().is_some());
    assert_eq!(plans.rows().await, ["m"]);
    assert!(plans.rows().await.is_empty());
    age(&folder.write("z.csv", "z\n"), 80);
    age(&folder.write("a.csv", "a\n"), 90);
    age(&folder.write("deep/b.csv", "b\n"), 90);
    folder.write("_c.csv", "hidden\n");
    folder.write(".d.csv", "hidden\n");
    assert_eq!(plans.rows().await, ["a", "b", "z"], "by time, then by name");
    // Older than everything that was read before.
    age(&folder.write("0.csv", "0\n"), 1000);
    assert_eq!(plans.rows().await, ["0"]);
    assert!(plans.rows().await.is_empty());
    std::fs::rename(folder.path().join("_c.csv"), folder.path().join("c.csv")).unwrap();
    assert_eq!(plans.rows().await, ["hidden"]);
    // A restart goes on with the state.
    plans.source = folder.streaming(csv(&[("c", "string")]));
    assert!(plans.rows().await.is_empty());
}

#[tokio::test]
async fn a_file_that_is_replaced_is_read_again() {
    let folder = Folder::new();
    age(&folder.write("a.csv", "1\n"), 100);
    let mut plans = Plans::new(folder.streaming(csv(&[("c", "string")])));
    assert_eq!(plans.rows().await, ["1"]);
    age(&folder.write("a.csv", "2\n"), 50);
    assert_eq!(plans.rows().await, ["2"]);
    assert!(plans.rows().await.is_empty());
}

#[tokio::test]
async fn at_most_so_many_files_at_a_time_and_all_in_the_end() {
    let folder = Folder::new();
    for n in 0..7 {
        age(&folder.write(&format!("{n}.csv"), format!("{n}\n")), 100 - n);
    }
    let options = with(csv(&[("c", "string")]), json!({"max_files_per_trigger": 3}));
    let mut plans = Plans::new(folder.streaming(options));
    assert_eq!(plans.rows().await, ["0", "1", "2"]);
    assert_eq!(plans.rows().await, ["3", "4", "5"]);
    assert_eq!(plans.rows().await, ["6"]);
    assert!(plans.rows().await.is_empty());
}

#[tokio::test]
async fn files_may_have_to_be_of_an_age() {
    let folder = Folder::new();
    age(&folder.write("old.csv", "old\n"), 100);
    let fresh = folder.write("fresh.csv", "fresh\n");
    let options = with(csv(&[("c", "string")]), json!({"min_file_age": 60_000}));
    let mut plans = Plans::new(folder.streaming(options));
    assert_eq!(plans.rows().await, ["old"]);
    age(&fresh, 61);
    assert_eq!(plans.rows().await, ["fresh"]);
}

#[tokio::test]
async fn files_far_behind_the_newest_are_forgotten_for_good() {
    let folder = Folder::new();
    let options = with(csv(&[("c", "string")]), json!({"max_file_age": 3_600_000}));
    let mut plans = Plans::new(folder.streaming(options));
    age(&folder.write("a.csv", "a\n"), 100_000);
    assert_eq!(plans.rows().await, ["a"]);
    age(&folder.write("b.csv", "b\n"), 10);
    assert_eq!(plans.rows().await, ["b"]);
    let state = plans.state.as_ref().unwrap().body.to_string();
    assert!(!state.contains("a.csv") && state.contains("b.csv"), "{state}");
    age(&folder.write("too-late.csv", "x\n"), 5000);
    assert!(plans.rows().await.is_empty(), "neither the forgotten file again nor one as old");
}

#[tokio::test]
async fn a_batch_job_reads_the_files_of_its_start() {
    let folder = Folder::new();
    for n in 0..600 {
        folder.write(&format!("{n:03}.csv"), format!("{n:03}\n"));
    }
    let source = folder.source(csv(&[("c", "string")]));
    let active = BTreeMap::new();
    let mut state = None;
    let mut names = BTreeSet::new();
    for call in 0.. {
        let request = PlanRequest { state: state.as_ref(), active: &active };
        // A new process with the same state goes on with the same list.
        let plan = folder.source(csv(&[("c", "string")])).plan(request).await.unwrap();
        names.extend(plan.add.iter().map(|split| split.id.clone()));
        folder.write(&format!("late{call}.csv"), "late\n");
        state = plan.state;
        if plan.complete {
            break;
        }
    }
    assert_eq!(names.len(), 600);
    assert!(names.iter().all(|name| !name.0.contains("late")));
    let request = PlanRequest { state: state.as_ref(), active: &active };
    let after = source.plan(request).await.unwrap();
    assert!(after.complete && after.add.is_empty());
}
