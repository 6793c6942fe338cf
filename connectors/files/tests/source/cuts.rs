//! A file cut into parts gives the rows of the whole file, whatever the size of the parts.

use std::collections::BTreeMap;

use proptest::prelude::*;
use seatun_api::source::PlanRequest;
use seatun_api::{Source, Split};
use seatun_testkit::{ReadOptions, read_splits};
use serde_json::{Value as Json, json};

use crate::support::{Folder, csv, rejected, schema, with};

/// Pieces of csv in any order: quotes where they belong and where they do not.
fn messy_csv() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-c]{1,5}",
        2 => Just(",".to_owned()),
        2 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("\"".to_owned()),
        1 => Just("\"\"".to_owned()),
        1 => Just("\"x,y\n\"\"z\"\"\r\n\"".to_owned()),
        1 => Just("é".to_owned()),
        1 => Just(" ".to_owned()),
    ];
    proptest::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

async fn splits(source: &dyn Source) -> Vec<Split> {
    let active = BTreeMap::new();
    let plan = source.plan(PlanRequest { state: None, active: &active }).await.unwrap();
    assert!(plan.complete);
    plan.add
}

type Read = (Vec<String>, Vec<(u64, String, String)>);

async fn read(folder: &Folder, options: &Json, batch_rows: usize) -> Read {
    let reading = folder.read(options.clone(), batch_rows).await;
    (reading.rows(), rejected(&reading))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_csv_gives_the_same_rows_in_parts(content in messy_csv(), size in 1_u64..40, batch in 1_usize..5) {
        run(async {
            let folder = Folder::new();
            folder.write("x.csv", &content);
            let whole = csv(&[("a", "string"), ("b", "string"), ("c", "string")]);
            let parts = with(whole.clone(), json!({"split.size": size}));
            let expected = read(&folder, &whole, 1024).await;
            let actual = read(&folder, &parts, batch).await;
            prop_assert_eq!(actual, expected);
            Ok(())
        })?;
    }

    #[test]
    fn any_position_reads_on_exactly(content in messy_csv(), header in any::<bool>()) {
        run(async {
            let folder = Folder::new();
            folder.write("x.csv", format!("b,a\n{content}"));
            let options = with(
                csv(&[("a", "string"), ("b", "string")]),
                json!({"csv_use_header_line": header}),
            );
            let source = folder.source(options);
            let one_row = ReadOptions { batch_rows: 1, ..ReadOptions::default() };
            let splits = splits(source.as_ref()).await;
            let all = read_splits(source.as_ref(), splits.clone(), &one_row).await;
            for event in &all.recorder.events {
                let seatun_testkit::SourceEvent::Batch(_, delta) = event else { continue };
                let from = Split { position: delta.from.clone(), ..splits[0].clone() };
                let rest = read_splits(source.as_ref(), vec![from], &one_row).await;
                let rows = all.rows();
                let left = rest.rows();
                prop_assert_eq!(&left[..], &rows[rows.len() - left.len()..]);
                let first = all.recorder.batches().position(|batch| {
                    std::ptr::eq(batch, match event {
                        seatun_testkit::SourceEvent::Batch(batch, _) => batch,
                        _ => unreachable!(),
                    })
                });
                prop_assert_eq!(Some(rows.len() - left.len()), first);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn small_parts_are_really_cut_and_begin_at_records() {
    let content: String = (0..100).map(|n| format!("{n},\"line\n{n}, \"\"x\"\"\"\r\n")).collect();
    let json_lines: String = (0..100).map(|n| format!("{{\"a\": {n}, \"b\": \"x\"}}\n")).collect();
    let text: String = (0..100).map(|n| format!("{n}\u{1}x\n")).collect();
    for (format, content) in [("csv", content), ("json", json_lines), ("text", text)] {
        let folder = Folder::new();
        folder.write("data.in", &content);
        let options = json!({
            "path": "data.in", "file_format_type": format, "schema": schema(&[("a", "int"), ("b", "string")])
        });
        let expected = read(&folder, &options, 1024).await;
        assert_eq!(expected.0.len(), 100, "{format}");
        for size in [1, 64, 500, 100_000] {
            let options = with(options.clone(), json!({"split.size": size}));
            let count = splits(folder.source(options.clone()).as_ref()).await.len() as u64;
            let most = (content.len() as u64).div_ceil(size);
            assert!(count <= most && count >= most.min(100) / 4, "{format} {size}: {count} parts");
            assert_eq!(read(&folder, &options, 7).await, expected, "{format} {size}");
        }
    }
}

#[tokio::test]
async fn parts_after_the_first_know_the_header_and_skip_nothing() {
    let folder = Folder::new();
    let rows: String = (0..50).map(|n| format!("b{n},{n}\n")).collect();
    folder.write("x.csv", format!("\u{feff}# \"comment\nb,a\n{rows}"));
    let options = with(
        csv(&[("a", "int"), ("b", "string")]),
        json!({"csv_use_header_line": true, "skip_header_row_number": 1, "split.size": 20}),
    );
    let expected: Vec<String> = (0..50).map(|n| format!("{n}|b{n}")).collect();
    assert!(splits(folder.source(options.clone()).as_ref()).await.len() > 10);
    assert_eq!(read(&folder, &options, 3).await.0, expected);
}

#[tokio::test]
async fn packed_files_and_long_marks_are_not_cut() {
    for (name, more) in [
        ("x.csv.gz", json!({})),
        ("x.csv.zst", json!({})),
        ("x.csv", json!({"field_delimiter": "||"})),
        ("x.csv", json!({"split.size": 0})),
    ] {
        let folder = Folder::new();
        folder.write(name, "a,b\n".repeat(100));
        let options = with(with(csv(&[("a", "string")]), json!({"split.size": 16})), more);
        assert_eq!(splits(folder.source(options).as_ref()).await.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_file_that_changed_since_it_was_planned_is_refused() {
    let before = "1\n2\n3\n";
    for (what, after) in [("longer", "1\n2\n3\n4\n"), ("shorter", "1\n2\n"), ("other bytes", "1\n9\n3\n")] {
        let folder = Folder::new();
        let path = folder.write("x.csv", before);
        let source = folder.source(csv(&[("a", "int")]));
        let splits = splits(source.as_ref()).await;
        std::fs::write(&path, after).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        let mut reader = source.reader(ReadOptions::default().context(0)).await.unwrap();
        reader.add_splits(splits).await.unwrap();
        let mut out = seatun_testkit::SourceRecorder::new();
        let error = reader.next(&mut out).await.unwrap_err();
        assert_eq!(error.code().0, "ST-0603", "{what}: {error:?}");
        assert_eq!(out.num_rows(), 0);
    }
}
