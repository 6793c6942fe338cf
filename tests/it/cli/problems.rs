//! What is said of job files and command lines that are wrong.

use rstest::rstest;

use super::binary::{Place, small_job};

#[rstest]
#[case::no_job(&["run"], "required")]
#[case::unknown_subcommand(&["fly"], "unrecognized")]
#[case::unknown_flag(&["run", "job.conf", "--fast"], "--fast")]
#[case::savepoint_and_fresh(&["run", "job.conf", "--restore", "a", "--fresh"], "--fresh")]
#[case::bad_address(&["run", "job.conf", "--http", "nowhere"], "port")]
#[case::cancel_by_id(&["-can", "1234"], "seatun stop")]
#[case::old_savepoint(&["-s", "1234"], "--savepoint NAME")]
#[case::cluster(&["-c", "job.conf", "-cn", "x"], "no cluster")]
#[case::cluster_mode(&["-c", "job.conf", "-m", "cluster"], "use `local`")]
fn a_wrong_command_line_ends_with_2_and_says_what_to_use(#[case] arguments: &[&str], #[case] says: &str) {
    let place = Place::new();
    place.write("job.conf", &small_job("5"));
    let stderr = place.expect(2, arguments).stderr;
    assert!(stderr.contains(says), "{stderr}");
}

#[test]
fn all_errors_of_a_job_file_are_shown_at_once_with_their_lines() {
    let place = Place::new();
    place.write(
        "job.conf",
        "env {\n  parallelism = many\n}\nsource {\n  FakeSource {\n    plugin_output = a\n    row.nmu = 5\n    \
         schema { fields { id = bigint } }\n  }\n}\nsink {\n  Blackhol {\n    plugin_input = a\n  }\n  \
         LocalFile {\n    plugin_input = b\n    path = /tmp/x\n    file_format_type = parqet\n  }\n}\n",
    );
    let stderr = place.expect(1, &["check", "job.conf"]).stderr;
    for (place, code, says) in [
        ("job.conf:2:", "ST-0101", "parallelism"),
        ("job.conf:7:", "ST-0102", "did you mean `row.num`?"),
        ("job.conf:12:", "ST-0203", "did you mean `Blackhole`?"),
        ("job.conf:16:", "ST-0206", "did you mean `a`?"),
        ("job.conf:18:", "ST-0104", "did you mean `parquet`?"),
    ] {
        let block = stderr.split("\n\n").find(|block| block.contains(place));
        let block = block.unwrap_or_else(|| panic!("nothing points to {place}\n{stderr}"));
        assert!(block.contains(code) && block.contains(says), "{block}");
    }
    assert!(stderr.contains("row.nmu = 5"), "the source line is shown\n{stderr}");
    assert!(stderr.ends_with("5 errors in job.conf\n"), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "no colours where there is no terminal");
    assert_eq!(place.expect(1, &["run", "job.conf"]).stderr, stderr, "run says the same as check");
}

#[test]
fn a_job_file_that_is_right_is_said_to_be() {
    let place = Place::new();
    place.write("job.conf", &small_job("5"));
    for arguments in
        [&["check", "job.conf"][..], &["-c", "job.conf", "--check"], &["check", "job.conf", "--connect"]]
    {
        let stdout = place.expect(0, arguments).stdout;
        assert!(stdout.contains("job.conf is right"), "{stdout}");
    }
    assert!(!place.path(".seatun").exists(), "check leaves nothing behind");
}

#[test]
fn a_job_file_that_is_not_there_is_a_user_error() {
    let stderr = Place::new().expect(1, &["run", "absent.conf"]).stderr;
    assert!(stderr.contains("ST-0105") && stderr.contains("absent.conf"), "{stderr}");
}

#[test]
fn a_secret_is_in_no_output() {
    let place = Place::new();
    place.write(
        "job.conf",
        "env { job.name = secrets }\nsource { FakeSource { plugin_output = a, row.num = 1, password = \"CANARY\"\n  \
         token = ${TOKEN}, schema { fields { id = bigint } } } }\n\
         sink { Blackhole { plugin_input = a, secret_key = CANARY } }\n",
    );
    for arguments in [
        &["check", "job.conf", "-i", "TOKEN=CANARY"][..],
        &["run", "job.conf", "--log-level", "trace", "-i", "TOKEN=CANARY"],
        &["run", "job.conf", "--log-format", "json", "--set", "sink[0].api_key=CANARY"],
        &["plan", "job.conf", "-i", "TOKEN=CANARY"],
        &["check", "job.conf", "--set", "sink[0].password=CANARY", "--set", "nonsense"],
    ] {
        let ran = place.expect(1, arguments);
        assert!(!ran.all().contains("CANARY"), "{arguments:?}\n{}", ran.all());
        assert!(ran.stderr.contains("ST-0102"), "{}", ran.stderr);
    }
}

#[test]
fn errors_as_json_are_one_object_a_line() {
    let place = Place::new();
    place.write("job.conf", "source { FakeSource { row.nmu = 1 } }\nsink { Blackhole {} }\n");
    let stderr = place.expect(1, &["check", "job.conf", "--log-format", "json"]).stderr;
    let lines: Vec<serde_json::Value> =
        stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let unknown = lines.iter().find(|line| line["code"] == "ST-0102").unwrap();
    assert_eq!((&unknown["file"], &unknown["line"]), (&"job.conf".into(), &1.into()), "{unknown}");
    assert_eq!(unknown["level"], "ERROR");
}
