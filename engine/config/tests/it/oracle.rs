//! Another implementation of HOCON, written by others, as a witness of ours.

use std::collections::HashMap;

use hocon::{HoconError, HoconValue, ScalarType};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use seatun_api::config::{Value, ValueKind};
use seatun_config::hocon::parse_standard;

/// What the other implementation makes of a text. `Err(true)` if it could not be parsed, `Err(false)` if it
/// could not be resolved.
fn witness(text: &str) -> Result<Value, bool> {
    match hocon::parse_with_env(text, &HashMap::new()) {
        Ok(config) => {
            let entries = config.keys().into_iter().map(|key| {
                let path = serde_json::Value::from(key).to_string();
                (key.to_owned(), convert(config.get(&path).unwrap()))
            });
            Ok(Value::of(ValueKind::Map(entries.collect())))
        }
        Err(HoconError::Resolve(_)) => Err(false),
        Err(_) => Err(true),
    }
}

fn convert(value: &HoconValue) -> Value {
    Value::of(match value {
        HoconValue::Object(map) => {
            ValueKind::Map(map.iter().map(|(key, value)| (key.clone(), convert(value))).collect())
        }
        HoconValue::Array(list) => ValueKind::List(list.iter().map(convert).collect()),
        HoconValue::Scalar(scalar) => match scalar.value_type {
            ScalarType::Null => ValueKind::Null,
            ScalarType::Boolean => ValueKind::Bool(scalar.raw == "true"),
            ScalarType::Number => ValueKind::Number(scalar.raw.clone()),
            _ => ValueKind::String(scalar.raw.clone()),
        },
        other => panic!("{other:?}"),
    })
}

/// Says where the two differ, the known differences left out.
fn compare(text: &str) -> Result<(), String> {
    let ours = parse_standard(text);
    match (ours, witness(text)) {
        (Ok(ours), Ok(theirs)) if ours == theirs => Ok(()),
        (Ok(ours), Ok(theirs)) => {
            Err(format!("{text}\nours:   {}\ntheirs: {}", ours.to_json(), theirs.to_json()))
        }
        (Err(_), Err(_)) => Ok(()),
        // It cannot follow a path through a value that is itself a substitution.
        (Ok(_), Err(false)) => Ok(()),
        (Ok(ours), Err(true)) => Err(format!("{text}\nours: {}\ntheirs: not parsed", ours.to_json())),
        (Err(found), Ok(theirs)) => Err(format!("{text}\nours: {found:?}\ntheirs: {}", theirs.to_json())),
    }
}

const TEXTS: &[&str] = &[
    "a = 1, b : two\nc = \"three\" // x\nd = null, e = true",
    "a.b.c = 1\na.b.d = 2\na { b { c = 3 } }",
    "a = {b : 1}\na = {c : 2}\na = 5\na = {d : 3}",
    "a = 1.50, b = 1e3, c = 00123, d = -0, e = 1.0.0, f = 10x",
    "a = x y  z , b = 1 true null \"q\" w",
    "a = [1, [2, {b = 3}], x]\nb = [\n1\n2\n\n3,\n]",
    "a = [1] [2], b = {x = 1} {y = 2} {x = 3}",
    "a = 1\nb = ${a}\na = 2",
    "a = [1], a = ${a} [2], a += 3, a += ${b}, b = 4",
    "a = x, a = ${a}y, a = ${a}z${a}",
    "a = {b = 1}, a = ${a} {c = ${a.b}}",
    "host { port = 80, also = ${host.port} }, host { port = 81 }",
    "in { from = ${out.to}, size = 7 }, in.size = 8, out { room = ${in.size}, to = x }, out.to = y",
    "a = ${?b}, c = x${?b}y, d = [${?b}, 1], e = ${?b}",
    "a = 1, a = ${?b}, c = {d = ${?b}, e = 1}",
    "base {x = 1, y {z = 2}}, derived = ${base} {y {w = 3}, x = 4}",
    "a = ${b}, b = ${c}, c = {d = 1}, a {e = 2}",
    "x = ${a.b.c}, a {b {c = 5}}",
    "\"a.b\" = 1, \"\" = 2, a.\"b c\".d = 3, 1.2 = 4, true = 5",
    "a = \"\"\"x\n\"y\"\n\"\"\"\"\"\nb = \"\"\"\"\"\"",
    "a = \"\\u00e9\\t\\\\\\/\"",
    "a =\n\n 1\nb\n: 2\nc\n{ d = 1 }",
    "{a = 1, b = 2,}\n# end",
    "a = 1\r\nb = 2\r\n",
    "a = [${b}, ${b}], b = {c = 1}",
    "a = {b = {c = 1}}, a.b = ${x}, x = {d = 2}",
    "a = 1, b = {a = 2, c = ${a}}",
    "a b = 1, c  d e = 2",
    "a = ${b} ${c}, b = [1], c = [2]",
    "a = ${b} ${c}, b = x, c = y",
    "a = ${b}${c}, b = {x = 1}, c = {x = 2, y = 3}",
    "é = ü, \"日本\" = [語]",
    "a += 1\nb { c += x }\nb { c += y }",
    "a = null, a = {b = 1}",
    "a = {b = 1}, a = null, a = {c = 1}",
    "a = 5 # c\n, b = 6 // d\n",
    "a = (x), b = x/y, c = x;y, d = <x>, e = 'x', f = a-b_c, g = %",
    "a = ${?a}, b = 1",
    "a = 12345678901234567890",
];

#[test]
fn a_table_of_texts_means_the_same_to_both() {
    let differences: Vec<String> = TEXTS.iter().filter_map(|text| compare(text).err()).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

#[test]
fn known_differences_are_still_there_and_ours_is_right() {
    // Lightbend's own implementation refuses the first two and gives 6 for the third.
    for text in ["a = jdbc:mysql://host/db", "a = 2024-01-01 10:00:00"] {
        assert!(parse_standard(text).is_err(), "{text}");
        assert!(witness(text).is_ok(), "{text}");
    }
    let text = "a = ${b.c}, b = ${d}, d = {c : 5}, d.c = 6";
    let value = parse_standard(text).unwrap();
    assert_eq!(value.get("a").and_then(Value::as_text), Some("6"));
    assert!(witness(text).is_err());
}

const KEYS: [&str; 5] = ["a", "b", "c", "d e", "f"];

fn scalar() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["1", "1.50", "true", "null", "x", "x y", "\"q r\"", "10 x", "\"\"\"t\"\"\""])
        .prop_map(str::to_owned)
}

/// A reference to what stands under a later key, so that there are no circles. `OPT` becomes `?` or nothing
/// for the whole document: a required reference to a key whose own reference is optional and without a value
/// is an error to Lightbend and to us, but not to the witness.
fn reference(after: usize) -> impl Strategy<Value = String> {
    let name = prop::sample::select(KEYS[after + 1..].to_vec());
    (name, prop::sample::select(vec!["", ".x", ".y", ".x.y", ".z"]))
        .prop_map(|(name, below)| format!("${{OPT{name}{below}}}"))
}

/// A value of the key of that number; the last key has no references.
///
/// Left out is what the witness has other ideas of: objects in lists (it looks into them by a path), objects
/// side by side (it does not see through them), and a key twice in one block (it forgets that a text in
/// between hides what stands before it), and a key assigned several times with a reference among the values (it
/// drops what stands before one that is undefined). Our own tests have these.
fn value(of: usize) -> BoxedStrategy<String> {
    let leaf = match of + 1 < KEYS.len() {
        true => prop_oneof![
            3 => scalar(),
            2 => reference(of),
            1 => (reference(of), scalar()).prop_map(|(reference, scalar)| format!("{reference}{scalar}")),
            1 => (reference(of), reference(of)).prop_map(|(one, two)| format!("{one} {two}")),
        ]
        .boxed(),
        false => scalar().boxed(),
    };
    let list = prop::collection::vec(scalar(), 0..3).prop_map(|list| format!("[{}]", list.join(", ")));
    prop_oneof![leaf, list]
        .prop_recursive(3, 12, 3, |inner| {
            let keys = prop::sample::subsequence(vec!["x", "y", "\"x.y\"", "z"], 0..4);
            (keys, prop::collection::vec(inner, 4)).prop_map(|(keys, values)| {
                let fields = keys.into_iter().zip(values).map(|(key, value)| format!("{key} = {value}"));
                format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
            })
        })
        .boxed()
}

/// Each key at most once and in any order, then one more entry in some of the blocks.
fn document() -> impl Strategy<Value = String> {
    let entries: Vec<BoxedStrategy<(usize, String)>> =
        (0..KEYS.len()).map(|of| value(of).prop_map(move |value| (of, value)).boxed()).collect();
    let keys = (prop::sample::subsequence((0..KEYS.len()).collect::<Vec<_>>(), 0..=KEYS.len()), entries)
        .prop_map(|(chosen, entries)| {
            entries.into_iter().filter(|(of, _)| chosen.contains(of)).collect::<Vec<_>>()
        });
    (keys.prop_shuffle(), any::<bool>()).prop_map(|(entries, optional)| {
        let more = entries.iter().filter(|(_, value)| value.starts_with('{'));
        let more = more.map(|(of, _)| format!("{}.w.v = 1", KEYS[*of])).collect::<Vec<_>>();
        let all = entries.iter().map(|(of, value)| format!("{} : {value}", KEYS[*of])).chain(more);
        all.collect::<Vec<_>>().join("\n").replace("OPT", if optional { "?" } else { "" })
    })
}

proptest! {
    // The same documents each time: one in several thousand meets another weakness of the witness.
    #![proptest_config(ProptestConfig {
        cases: 1000,
        rng_seed: RngSeed::Fixed(2),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_documents_mean_the_same_to_both(text in document()) {
        if let Err(difference) = compare(&text) {
            prop_assert!(false, "{}", difference);
        }
    }
}
