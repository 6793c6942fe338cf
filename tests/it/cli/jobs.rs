//! Jobs from their file to their end.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use super::binary::{Place, small_job};

fn parquet_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(parquet_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "parquet") {
            files.push(path);
        }
    }
    files
}

/// All rows, each with the folder it was found in.
fn rows(folder: &Path) -> Vec<(String, Row)> {
    let mut rows = Vec::new();
    for file in parquet_files(folder) {
        let within = file.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let reader = SerializedFileReader::new(File::open(&file).unwrap()).unwrap();
        rows.extend(reader.get_row_iter(None).unwrap().map(|row| (within.clone(), row.unwrap())));
    }
    rows
}

fn field<'a>(row: &'a Row, name: &str) -> &'a Field {
    let found = row.get_column_iter().find(|(column, _)| *column == name);
    found.unwrap_or_else(|| panic!("no column {name} in {row}")).1
}

fn text(row: &Row, name: &str) -> String {
    match field(row, name) {
        Field::Str(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn the_quickstart_writes_a_folder_for_each_day_and_can_be_run_again() {
    let place = Place::new();
    for _ in 0..2 {
        let ran = place.expect(0, &["run", "configs/quickstart.conf"]);
        assert!(
            ran.stderr.contains("read 1,707 = written 1,679 + filtered 28 + dead-lettered 0  ✓"),
            "{}",
            ran.stderr
        );
        for node in ["reports", "earthquakes", "LocalFile"] {
            assert!(ran.stderr.contains(node), "{}", ran.stderr);
        }
        let rows = rows(&place.path("out/earthquakes"));
        assert_eq!(rows.len(), 1679);
        let mut days: Vec<&str> = rows.iter().map(|(folder, _)| folder.as_str()).collect();
        days.sort_unstable();
        days.dedup();
        assert_eq!(days.len(), 8);
        assert_eq!((days[0], days[7]), ("day=2018-01-31", "day=2018-02-07"));

        let (folder, row) = rows.iter().find(|(_, row)| text(row, "id") == "ci37868143").unwrap();
        assert_eq!(folder, "day=2018-02-07");
        assert_eq!(text(row, "place"), "4km W of Castaic, CA");
        assert_eq!(text(row, "summary"), "M 2.0\n4km W of Castaic, CA", "a line break within quotes");
        assert_eq!(text(row, "magnitude"), "2.00");
        assert_eq!(text(row, "class"), "weak");
        assert_eq!(*field(row, "felt"), Field::Null, "an empty value");
        assert_eq!(*field(row, "reviewed"), Field::Bool(false));
    }
}

#[test]
fn a_plan_shows_edges_schemas_and_the_guarantee() {
    let plan = Place::new().expect(0, &["plan", "configs/quickstart.conf"]).stdout;
    for part in [
        "job quickstart (batch",
        "● reports",
        "LocalFile source, parallelism 1",
        "magnitude decimal(4,2)",
        "● earthquakes",
        "Sql transform",
        "day date",
        "guarantee: exactly-once",
        "dead letters: no sink",
    ] {
        assert!(plan.contains(part), "{part} is not in\n{plan}");
    }
}

#[test]
fn a_plan_says_that_a_blocking_query_has_no_checkpoints_before_its_end() {
    let place = Place::new();
    place.write(
        "job.conf",
        "source { FakeSource { plugin_output = a, row.num = 5, schema { fields { name = string } } } }
transform { Sql { plugin_input = a, plugin_output = b, query = \"SELECT name, COUNT(*) AS n FROM a GROUP BY name\" } }
sink { Blackhole { plugin_input = b } }
",
    );
    let plan = place.expect(0, &["plan", "job.conf"]).stdout;
    assert!(
        plan.contains("reads all input first") && plan.contains("checkpoints: none before the end"),
        "{plan}"
    );
}

#[test]
fn a_preview_shows_the_first_rows_at_each_node_and_writes_nothing() {
    let place = Place::new();
    let preview = place.expect(0, &["preview", "configs/quickstart.conf", "--rows", "3"]).stdout;
    for part in ["reports (3 rows)", "earthquakes (3 rows)", "uw61345682", "| null |"] {
        assert!(preview.contains(part), "{part} is not in\n{preview}");
    }
    assert!(!place.path("out").exists() && !place.path(".seatun").exists());
}

#[test]
fn variables_and_options_of_the_command_line_reach_the_job() {
    let place = Place::new();
    place.write("job.conf", &small_job("${rows}"));
    for (arguments, read) in [
        (&["-c", "job.conf", "-i", "rows=7,unused=1"][..], "read 7 ="),
        (&["run", "-c", "job.conf", "-i", "unused=1", "-i", "rows=8", "-m", "local"], "read 8 ="),
        (&["run", "job.conf", "-i", "rows=7", "--set", "source[0].row.num=9"], "read 9 ="),
        (&["run", "job.conf", "-i", "rows=3", "--set", "env.parallelism=2"], "read 6 ="),
    ] {
        let ran = place.expect(0, &[arguments, &["--fresh"]].concat());
        assert!(ran.stderr.contains(read), "{arguments:?}\n{}", ran.stderr);
    }
}

#[test]
fn the_state_of_a_job_is_kept_under_its_name_where_it_was_asked_for() {
    let place = Place::new();
    place.write("job.conf", &small_job("5").replace("job.name = small, ", ""));
    place.expect(0, &["run", "job.conf", "--name", "mine", "--state", "here"]);
    let list = place.expect(0, &["state", "--state", "here", "list"]).stdout;
    assert!(list.contains("mine"), "{list}");
    let inspect = place.expect(0, &["state", "--state", "here", "inspect", "mine"]).stdout;
    assert!(inspect.contains("final"), "{inspect}");
    let view = place.expect(0, &["state", "--state", "here", "inspect", "mine", "--json"]).stdout;
    let view: serde_json::Value = serde_json::from_str(&view).unwrap();
    assert_eq!(view["job"], "mine");
    assert_eq!(view["epochs"].as_array().unwrap().last().unwrap()["manifest"]["rows_read"], 5);
    assert!(!place.path(".seatun").exists());

    place.expect(0, &["state", "--state", "here", "savepoint", "mine", "done"]);
    assert!(place.expect(0, &["state", "--state", "here", "inspect", "mine"]).stdout.contains("done"));
    place.expect(0, &["run", "job.conf", "--name", "mine", "--state", "here", "--restore", "done"]);
    place.expect(0, &["state", "--state", "here", "delete-savepoint", "mine", "done"]);
    let absent = place.expect(1, &["state", "--state", "here", "inspect", "mind"]).stderr;
    assert!(absent.contains("ST-0909") && absent.contains("did you mean `mine`?"), "{absent}");
}

#[test]
fn a_failed_assertion_is_a_user_error_with_a_code() {
    let place = Place::new();
    let job = small_job("5").replace(
        "Blackhole { plugin_input = a }",
        "Assert { plugin_input = a, rules { row_rules = [{ rule_type = MIN_ROW, rule_value = 6 }] } }",
    );
    place.write("job.conf", &job);
    let ran = place.expect(1, &["run", "job.conf"]);
    assert!(
        ran.stderr.contains("error[ST-07") && ran.stderr.contains("run `seatun explain ST-07"),
        "{}",
        ran.stderr
    );
}
