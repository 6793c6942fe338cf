//! Folders, patterns and partition columns.

use serde_json::{Value as Json, json};

use crate::support::{Folder, csv, lines, with};

#[tokio::test]
async fn folders_give_columns_in_the_order_of_the_path() {
    let folder = Folder::new();
    folder.write("in/day=2024-01-01/city=a%2Fb/x.csv", "1\n");
    folder.write("in/day=2024-01-02/city=__HIVE_DEFAULT_PARTITION__/x.csv", "2\n");
    folder.write("in/day=/city=%E4%B8%AD/x.csv", "3\n");
    let options = with(csv(&[("id", "int")]), json!({"path": "in"}));
    let mut rows = folder.rows(options.clone()).await;
    rows.sort();
    assert_eq!(rows, ["1|2024-01-01|a/b", "2|2024-01-02|∅", "3||中"]);
    let source = folder.source(options.clone());
    assert!(source.declared_tables().is_none(), "only the folders tell the columns");
    let table = &source.tables().await.unwrap()[0];
    let names: Vec<&str> = table.arrow.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["id", "day", "city"]);

    let without = with(options, json!({"parse_partition_from_path": false}));
    assert!(folder.source(without.clone()).declared_tables().is_some());
    let mut rows = folder.rows(without).await;
    rows.sort();
    assert_eq!(rows, ["1", "2", "3"]);
}

#[tokio::test]
async fn one_file_is_declared_with_the_partitions_of_its_path() {
    let folder = Folder::new();
    folder.write("day=1/x.csv", "7\n");
    let source = folder.source(with(csv(&[("id", "int")]), json!({"path": "day=1/x.csv"})));
    assert_eq!(source.declared_tables().unwrap(), source.tables().await.unwrap());
    assert_eq!(folder.rows(with(csv(&[("id", "int")]), json!({"path": "day=1/x.csv"}))).await, ["7|1"]);
}

#[tokio::test]
async fn a_column_of_the_file_is_not_given_twice() {
    let folder = Folder::new();
    folder.write("id=9/k=1/x.csv", "7\n");
    assert_eq!(folder.rows(csv(&[("id", "int")])).await, ["7|1"]);
}

#[tokio::test]
async fn other_partitions_than_the_first_files_stop_the_job() {
    for (first, second) in
        [("day=1/x", "x"), ("a", "day=1/x"), ("day=1/x", "day=1/hour=2/x"), ("a=1/x", "b=1/x")]
    {
        let folder = Folder::new();
        folder.write(&format!("in/{first}.csv"), "1\n");
        folder.write(&format!("in/{second}.csv"), "2\n");
        let options = with(csv(&[("id", "int")]), json!({"path": "in"}));
        assert_eq!(folder.error(options.clone()).await.code().0, "ST-0611", "{first} {second}");
        let without = with(options, json!({"parse_partition_from_path": false}));
        assert_eq!(folder.rows(without).await.len(), 2);
    }
}

#[tokio::test]
async fn which_files_are_read() {
    let folder = Folder::new();
    for name in [
        "a.csv",
        "b.CSV",
        "_SUCCESS",
        ".hidden.csv",
        "sub/c.csv",
        "sub/_tmp/d.csv",
        ".x/e.csv",
        "sub/deep/f.csv",
        "2024-01/g.csv",
        "2024-02/h.csv",
        "day=1/hour=2/i.csv",
        "day=2/hour=2/j.csv",
        "k [1].csv",
    ] {
        folder.write(&format!("in/{name}"), format!("{name}\n"));
    }
    let all: &[&str] = &[
        "2024-01/g.csv",
        "2024-02/h.csv",
        "a.csv",
        "b.CSV",
        "day=1/hour=2/i.csv",
        "day=2/hour=2/j.csv",
        "k [1].csv",
        "sub/c.csv",
        "sub/deep/f.csv",
    ];
    let cases: &[(Json, &[&str])] = &[
        (json!({"path": "in"}), all),
        (json!({"path": "in/"}), all),
        (json!({"path": "./sub/../in"}), all),
        (json!({"path": "in/*.csv"}), &["a.csv", "k [1].csv"]),
        (json!({"path": "in/k [1].csv"}), &["k [1].csv"]),
        (
            json!({"path": "in/**/*.csv"}),
            &[
                "2024-01/g.csv",
                "2024-02/h.csv",
                "a.csv",
                "day=1/hour=2/i.csv",
                "day=2/hour=2/j.csv",
                "k [1].csv",
                "sub/c.csv",
                "sub/deep/f.csv",
            ],
        ),
        (json!({"path": "in/2024-*"}), &["2024-01/g.csv", "2024-02/h.csv"]),
        (json!({"path": "in/{a,sub/c}.csv"}), &["a.csv", "sub/c.csv"]),
        (json!({"path": "in/sub/?.csv"}), &["sub/c.csv"]),
        (json!({"path": "in/.x"}), &[".x/e.csv"]),
        (json!({"path": "in", "filename_extension": ".CSV"}), &["b.CSV"]),
        (json!({"path": "in", "file_filter_pattern": "[ag]\\.csv"}), &["2024-01/g.csv", "a.csv"]),
        (json!({"path": "in", "file_filter_pattern": ".*/sub/.*"}), &["sub/c.csv", "sub/deep/f.csv"]),
        (json!({"path": "in", "read_partitions": ["day=1"]}), &["day=1/hour=2/i.csv"]),
        (json!({"path": "in", "read_partitions": ["day=2/hour=2", "day=3"]}), &["day=2/hour=2/j.csv"]),
        (json!({"path": "in/nothing-*.csv"}), &[]),
    ];
    for (more, expected) in cases {
        let options = with(csv(&[("name", "string")]), json!({"parse_partition_from_path": false}));
        assert_eq!(folder.rows(with(options, more.clone())).await, lines(expected), "{more}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_an_error_and_an_empty_folder_is_not() {
    let folder = Folder::new();
    let options = |path: &str| with(csv(&[("name", "string")]), json!({"path": path}));
    assert_eq!(folder.error(options("nowhere")).await.code().0, "ST-0600");
    assert_eq!(folder.error(options("nowhere/*.csv")).await.code().0, "ST-0600");
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    assert!(folder.rows(options("empty")).await.is_empty());
    assert_eq!(folder.source(options("empty")).probe().await.unwrap(), "0 files, 0 bytes");
    assert!(folder.source(options("nowhere")).probe().await.is_err());
}

#[tokio::test]
async fn a_column_can_tell_the_file() {
    let folder = Folder::new();
    let path = folder.write("in/a.csv", "1\n");
    let options = with(csv(&[("id", "int")]), json!({"path": "in", "metadata_columns": {"file": "_file"}}));
    assert_eq!(folder.rows(options).await, [format!("1|{}", path.display())]);
}
