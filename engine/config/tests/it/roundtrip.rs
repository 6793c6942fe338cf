//! What is written is read again, and nothing that is read brings the parser down.

use proptest::prelude::*;
use seatun_api::config::{Value, ValueKind};
use seatun_config::hocon::{Dialect, parse_text};
use seatun_config::{Sources, render_plain};

use crate::plugins::Folder;

/// A value as HOCON. `bare` leaves quotes and commas out where that is possible.
fn print(value: &Value, bare: bool) -> String {
    match &value.kind {
        ValueKind::Null => "null".to_owned(),
        ValueKind::Bool(value) => value.to_string(),
        ValueKind::Number(text) => text.clone(),
        ValueKind::String(text) => quote(text, bare),
        ValueKind::List(list) => {
            let list: Vec<String> = list.iter().map(|value| print(value, bare)).collect();
            format!("[{}]", list.join(if bare { "\n" } else { ", " }))
        }
        ValueKind::Map(map) => {
            let fields = map.iter().map(|(key, value)| {
                let separator = if bare && value.as_map().is_some() { " " } else { " = " };
                format!("{}{separator}{}", quote(key, bare), print(value, bare))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(if bare { "\n" } else { ", " }))
        }
    }
}

fn quote(text: &str, bare: bool) -> String {
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_')
        && !["true", "false", "null", "include"].contains(&text);
    if bare && word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        (any::<i32>(), 0u32..9999).prop_map(|(a, b)| format!("{a}.{b:04}"))
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(ValueKind::Null),
        any::<bool>().prop_map(ValueKind::Bool),
        number().prop_map(ValueKind::Number),
        "[a-z.]{1,6}|\\PC{0,8}|[\\n\\t\"\\\\ #$é]{0,6}".prop_map(ValueKind::String),
    ];
    let leaf = leaf.prop_map(Value::of);
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|list| Value::of(ValueKind::List(list))),
            map(inner),
        ]
    })
}

fn map(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec(("[a-z.]{1,4}|\\PC{0,5}", inner), 0..5)
        .prop_map(|entries| Value::of(ValueKind::Map(entries.into_iter().collect())))
}

fn tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{", "}", "[", "]", "=", ":", "+=", ",", "\n", " ", "\"", "\"\"\"", "\\", "${", "${?", "}", "a",
        "b.c", "->", "source", "sink", "include ", "\"f\"", "file(", ")", "#", "//", "$", "é", "1", "-",
        "true", "\u{feff}", "\r", "password",
    ]);
    prop::collection::vec(token, 0..60).prop_map(|tokens| tokens.concat())
}

/// Parses in both dialects and shows what is said; panics only if the parser does.
fn survive(text: &str) {
    let mut sources = Sources::default();
    sources.insert("f".into(), text.into());
    for dialect in [Dialect::SeaTunnel, Dialect::Standard] {
        if let Err(found) = parse_text("f", text, dialect) {
            assert!(!found.is_empty(), "refused without a word: {text:?}");
            for diagnostic in found {
                assert!(!render_plain(&diagnostic, &sources).is_empty());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_value_is_read_again(value in map(value())) {
        for bare in [false, true] {
            let text = print(&value, bare);
            // Root keys that are blocks of plugins would become lists.
            let parsed = parse_text("f", &format!("v = {text}"), Dialect::SeaTunnel);
            let parsed = parsed.map_err(|found| TestCaseError::fail(format!("{text}: {found:?}")))?;
            prop_assert_eq!(&parsed.as_map().unwrap()["v"], &value, "{}", text);
        }
    }

    #[test]
    fn no_text_brings_the_parser_down(text in "\\PC*") {
        survive(&text);
    }

    #[test]
    fn no_sequence_of_tokens_brings_the_parser_down(text in tokens()) {
        survive(&text);
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_bring_the_loader_down(bytes in prop::collection::vec(any::<u8>(), 0..200), text in tokens()) {
        let folder = Folder::with("").file("jobs/job.conf", &bytes).file("jobs/job.json", &bytes).file("jobs/t.json", &text);
        for file in ["jobs/job.conf", "jobs/job.json", "jobs/t.json"] {
            folder.said_of(file);
        }
    }

    #[test]
    fn no_argument_brings_the_loader_down(set in tokens(), path in "(source|sink|env)[.\\[\\]a-zA-Z0-9]{0,12}=[^\\x00]{0,5}") {
        let folder = Folder::with(&crate::plugins::job_with_source("")).set(&set).set(&path).variable(&set);
        folder.said();
    }
}

#[test]
fn depth_is_bounded() {
    let deep = |open: &str, close: &str| format!("a = {}1{}", open.repeat(10_000), close.repeat(10_000));
    let chain: String = (0..10_000).map(|n| format!("a{n} = ${{a{}}}\n", n + 1)).collect();
    let doubling: String = (0..100).map(|n| format!("a{n} = ${{a{}}}${{a{}}}\n", n + 1, n + 1)).collect();
    let texts = [
        deep("[", "]"),
        deep("{a=", "}"),
        deep("{a:", ""),
        format!("{}1", "a->".repeat(10_000)),
        format!("{} = 1", vec!["a"; 10_000].join(".")),
        format!("{} = 1", vec!["a"; 10_000].join("->")),
        chain,
        format!("{doubling}a100 = x"),
        "source {".repeat(10_000),
        "a = ${".repeat(10_000),
    ];
    for text in texts {
        survive(&text);
    }
    for text in [deep("[", "]"), deep("{a=", "}")] {
        let found = parse_text("f", &text, Dialect::SeaTunnel).unwrap_err();
        assert_eq!(found[0].code.0, "ST-0111");
    }
    let many: String = (0..10_000).map(|n| format!("a += {n}\n")).collect();
    let value = parse_text("f", &many, Dialect::SeaTunnel).unwrap();
    assert_eq!(value.get("a").and_then(Value::as_list).map(<[Value]>::len), Some(10_000));
}

#[test]
fn a_big_file_is_no_expansion() {
    let rows: String = (0..200_000).map(|n| format!("[{n}, x],\n")).collect();
    let value = parse_text("f", &format!("rows = [\n{rows}]"), Dialect::SeaTunnel).unwrap();
    assert_eq!(value.get("rows").and_then(Value::as_list).map(<[Value]>::len), Some(200_000));
}
