//! Jobs that are watched and stopped while they run.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::binary::{ENDLESS, Place};

const PATIENCE: Duration = Duration::from_secs(30);

/// A process whose stderr is read line by line.
struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: String,
}

impl Running {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let mut child =
            place.command(arguments).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, seen: String::new() }
    }

    /// Waits for a line with a text.
    fn line_with(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line =
                self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no `{text}` in\n{}", self.seen));
            self.seen.push_str(&line);
            self.seen.push('\n');
            if line.contains(text) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    fn exit_code(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                while let Ok(line) = self.lines.recv() {
                    self.seen.push_str(&line);
                    self.seen.push('\n');
                }
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the process does not end\n{}", self.seen);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

/// Asks until the answer is as wanted.
fn until(address: &str, path: &str, wanted: impl Fn(u16, &str) -> bool) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (status, body) = get(address, path);
        if wanted(status, &body) {
            return body;
        }
        assert!(Instant::now() < deadline, "{path} stays at {status}\n{body}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn endless(place: &Place) -> (Running, String) {
    place.write("job.conf", ENDLESS);
    let mut running = Running::start(place, &["run", "job.conf", "--http", "0"]);
    let line = running.line_with("http://");
    let address = line.split("http://").nth(1).unwrap().trim().to_owned();
    assert!(address.starts_with("127.0.0.1:"), "only this host is served: {line}");
    (running, address)
}

#[test]
fn a_running_job_tells_of_its_health_and_stops_in_good_order() {
    let place = Place::new();
    let (mut running, address) = endless(&place);
    assert_eq!(get(&address, "/livez").0, 200);
    until(&address, "/readyz", |status, _| status == 200);
    let metrics =
        until(&address, "/metrics", |_, body| body.contains("seatun_checkpoint_epoch{job=\"endless\"} 2"));
    assert!(metrics.contains("# TYPE seatun_rows_in_total counter"), "{metrics}");
    assert_eq!(get(&address, "/").0, 404);

    running.signal("-TERM");
    assert_eq!(running.exit_code(), Some(0), "{}", running.seen);
    assert!(running.seen.contains("stopped after epoch"), "{}", running.seen);
}

#[test]
fn every_metric_has_a_line_in_the_docs() {
    let place = Place::new();
    let (mut running, address) = endless(&place);
    until(&address, "/readyz", |status, _| status == 200);
    let metrics = get(&address, "/metrics").1;
    running.signal("-INT");
    assert_eq!(running.exit_code(), Some(0), "{}", running.seen);
    let docs = std::fs::read_to_string(super::binary::root().join("docs/metrics.md")).unwrap();
    let names = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let missing: Vec<&str> = names.filter(|name| !docs.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn stop_waits_for_the_job_and_keeps_its_last_checkpoint_under_a_name() {
    let place = Place::new();
    let (mut running, address) = endless(&place);
    until(&address, "/metrics", |_, body| body.contains("seatun_checkpoint_epoch{job=\"endless\"} 1"));
    let stop = place.expect(0, &["stop", "endless", "--savepoint", "before"]);
    assert!(stop.stdout.contains("before"), "{}", stop.all());
    assert_eq!(running.exit_code(), Some(0), "{}", running.seen);
    let inspect = place.expect(0, &["state", "inspect", "endless"]).stdout;
    assert!(inspect.contains("before"), "{inspect}");

    let again = place.expect(1, &["stop", "endless"]).stderr;
    assert!(again.contains("ST-0904"), "{again}");
    let unknown = place.expect(1, &["run", "job.conf", "--restore", "never"]).stderr;
    assert!(unknown.contains("never"), "{unknown}");
}

#[test]
fn a_job_with_a_port_that_is_taken_does_not_start() {
    let place = Place::new();
    place.write("job.conf", ENDLESS);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let stderr = place.expect(1, &["run", "job.conf", "--http", &port]).stderr;
    assert!(stderr.contains("ST-0411"), "{stderr}");
    assert!(!place.path(".seatun").exists());
}

#[test]
fn log_lines_progress_and_summary_are_json_if_asked_for() {
    let place = Place::new();
    place.write("job.conf", &super::binary::small_job("5"));
    let stderr = place.expect(0, &["--log-format", "json", "run", "job.conf"]).stderr;
    let lines: Vec<serde_json::Value> =
        stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let summary = lines.iter().find(|line| line["message"] == "finished").unwrap();
    assert_eq!((&summary["read_rows"], &summary["written_rows"]), (&5.into(), &5.into()));
    assert_eq!(summary["balanced"], true);
}
