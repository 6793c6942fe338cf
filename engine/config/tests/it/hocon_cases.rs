//! Which texts are HOCON and which are not, by the rules of Lightbend's specification.

use seatun_config::hocon::parse_standard;

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
    "[{a += 1}]",
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
