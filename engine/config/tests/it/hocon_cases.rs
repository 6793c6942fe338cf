//! Which texts are HOCON and which are not, by the rules of Lightbend's specification.

use seatun_config::hocon::parse_standard;
use serde_json::json;

/// Runs against a file of cases, one JSON object per line with `kind` (`invalid` or another) and `text`,
/// if `SEATUN_HOCON_CASES` names one.
#[test]
fn cases_from_a_file_are_judged_as_they_say() {
    let Ok(path) = std::env::var("SEATUN_HOCON_CASES") else {
        println!("SEATUN_HOCON_CASES is not set: only the table below is run");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut wrong = Vec::new();
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let valid = case["kind"] != "invalid";
        let outcome = parse_standard(case["text"].as_str().unwrap());
        if outcome.is_ok() != valid {
            wrong.push(format!("{line}: {:?}", outcome.map(|value| value.to_json())));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), text.lines().count(), wrong.join("\n"));
}

const VALID: &[&str] = &[
    "",
    " \n\t\n",
    "# nothing but a comment",
    "// nothing but a comment\n",
    "\u{feff}a = 1",
    "{}",
    "[]",
    "a:1,b=2",
    "a = 1\nb = 2\n",
    "{ a = 1, }",
    "[x, y, ]",
    "[x\n, y\n\n]",
    "a { b { c : d } }",
    "a b c = d e f",
    "a.\"b.c\".d = 1",
    "\"\" = 1",
    "a\n=\n1",
    "a // c\n : 1 # c",
    "a = (x) / y",
    "a = 1.5.2",
    "a = -",
    "a = 1e+5",
    "a = true false null 3",
    "a = \"\\u00e9\\n\\\"\"",
    "a = \"\\ud83d\\ude00\"",
    "a = \"\"\"x\ny\"\"\"",
    "a = \"\"\"\"x\"\"\"\"\"",
    "a = [1] [2]\nb = {x:1} {y:2}",
    "a = [1], a = ${a} [2]",
    "a = 1, a = ${?a}2",
    "a += 1\na += 2",
    "a = ${?nothing}",
    "a = 1, b = x${a}y",
    "a = {b:1}, a.c = ${a.b}",
    "include \"nowhere\"\na = 1",
    "a.include = 1",
    "a = include",
    "a = {}\r\nb = 1\r\n",
];

const INVALID: &[&str] = &[
    "{",
    "}",
    "a = {",
    "a = [1",
    "a = [1}",
    "a = 1 }",
    "{} a = 1",
    "{ a = 1 } }",
    "= 1",
    "a",
    "a b",
    "a =",
    "a = ,",
    "a = 1,,b = 2",
    ", a = 1",
    "[,]",
    "[1,,2]",
    "[a = 1]",
    "a = 1 b = 2",
    "a\nb = 1",
    "a = b:c",
    "a = b=c",
    "a = x+y",
    "a = x*y",
    "a = ?",
    "a = $x",
    "a = `x`",
    "a = x\\y",
    "a = me@here",
    "a = \"x",
    "a = \"x\ny\"",
    "a = \"\\x\"",
    "a = \"\\ud83d\"",
    "a = \"\"\"x",
    "a = ${",
    "a = ${}",
    "a = ${x",
    "a = ${x}",
    "a = ${ ?x}",
    "a = ${a}",
    "a = ${b}, b = ${a}",
    "a = {b : ${a}}",
    "a = ${?b}[1], b = {c:2}",
    "a = [1] {b:2}",
    "a = [1], b = x${a}",
    "a = {b:1} x",
    "a..b = 1",
    ".a = 1",
    "a. = 1",
    "${a} = 1",
    "include foo",
    "include required = 1",
    "include \"x\" \"y\"",
    "include url(\"http://x\")",
    "include required(\"nowhere\"",
    "a = 1, a += 2",
];

#[test]
fn valid_texts_are_taken_and_invalid_ones_are_refused() {
    for text in VALID {
        if let Err(found) = parse_standard(text) {
            panic!("{text:?}: {found:?}");
        }
    }
    for text in INVALID {
        if let Ok(value) = parse_standard(text) {
            panic!("{text:?} gave {}", value.to_json());
        }
    }
}

/// Where implementations differ: what Lightbend's does, by its specification and its code.
#[test]
fn substitutions_and_merges_mean_what_the_specification_says() {
    let cases = [
        ("a {x {y = 1}}\na {x = 1, x {}}", json!({"a": {"x": {}}})),
        ("f = [{y = 1}], a = ${?f.y}", json!({"f": [{"y": 1}]})),
        ("c = {} {y = 1}, a = ${c.y}", json!({"c": {"y": 1}, "a": 1})),
        ("a {x = 1}, a = ${?b}, a {y = 2}", json!({"a": {"x": 1, "y": 2}})),
        ("a {x = 1}, a = ${?a}, a {y = 2}", json!({"a": {"x": 1, "y": 2}})),
        ("a {x = 1}, a = ${a}, b = ${a.x}", json!({"a": {"x": 1}, "b": 1})),
        ("a = ${?x} ${?y}", json!({"a": " "})),
        ("a = ${?x}${?y}, b = 1", json!({"b": 1})),
        ("a = [${?x}1, ${?x}]", json!({"a": [1]})),
        ("d {z {z = 1}}, a = ${d.z} ${d}", json!({"d": {"z": {"z": 1}}, "a": {"z": {"z": 1}}})),
        ("x = ${a}, a {b = ${x.k}, k = 1}", json!({"x": {"b": 1, "k": 1}, "a": {"b": 1, "k": 1}})),
        ("a = 1, b = ${a}, a = 2", json!({"a": 2, "b": 2})),
        ("p = x, p = ${p}:y, p = ${p}\":z\"", json!(null)),
        ("p = x, p = ${p}y, p = ${p}\":z\"", json!({"p": "xy:z"})),
        ("a {b = 1, c = ${a.b}}, a {b = 2}", json!({"a": {"b": 2, "c": 2}})),
        (
            "a = ${b}, b {c = ${d}}, d = 1, a.e = ${a.c}",
            json!({"a": {"c": 1, "e": 1}, "b": {"c": 1}, "d": 1}),
        ),
        ("a += 1, a += [2]", json!({"a": [1, [2]]})),
        ("a = [{b += 1, b += 2}]", json!({"a": [{"b": [1, 2]}]})),
    ];
    for (text, expected) in cases {
        let value = parse_standard(text).map(|value| value.to_json());
        assert_eq!(value.unwrap_or_default(), expected, "{text}");
    }
}
