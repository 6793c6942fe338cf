//! How the blocks of a job file become a graph.

use seatun_config::JobSpec;

use crate::plugins::Folder;

/// `id(inputs)` of each node, in order.
fn graph(job: &JobSpec) -> String {
    let nodes = job.nodes.iter().map(|node| {
        let inputs: Vec<&str> = node.inputs.iter().map(|input| job.nodes[*input].id.as_str()).collect();
        format!("{}({})", node.id, inputs.join(","))
    });
    nodes.collect::<Vec<_>>().join(" ")
}

const SQL: &str = "query = select";

#[track_caller]
fn wired(text: &str, expected: &str) {
    let text = text.replace("SQL", SQL).replace("} ", "}\n");
    let folder = Folder::with(&text);
    let job = folder.job();
    assert_eq!(graph(&job), expected, "{text}");
    for (at, node) in job.nodes.iter().enumerate() {
        assert!(node.inputs.iter().all(|input| *input < at), "{text}");
    }
}

#[test]
fn names_may_be_left_out_where_only_one_meaning_is_possible() {
    wired("source { FakeSource {} } sink { Console {} }", "FakeSource-1() Console-1(FakeSource-1)");
    wired(
        "source { FakeSource {} } transform { Sql { SQL } Sql { SQL } } sink { Console {} }",
        "FakeSource-1() Sql-1(FakeSource-1) Sql-2(Sql-1) Console-1(Sql-2)",
    );
    wired(
        "source { FakeSource { plugin_output = a } } sink { Console {} Console { plugin_input = a } Console {} }",
        "a() Console-1(a) Console-2(a) Console-3(a)",
    );
    wired(
        "source { FakeSource { plugin_output = a } FakeSource { plugin_output = b } }
         transform { Sql { plugin_input = [a, b], SQL } } sink { Console {} }",
        "a() b() Sql-1(a,b) Console-1(Sql-1)",
    );
    wired(
        "source { FakeSource { plugin_output = a } } transform { Sql { SQL, plugin_output = t } }
         sink { Console { plugin_input = a } Console {} }",
        "a() t(a) Console-1(a) Console-2(t)",
    );
}

#[test]
fn both_generations_of_names_mean_the_same() {
    wired(
        "source { FakeSource { result_table_name = a } } transform { Sql { source_table_name = a, plugin_output = b, SQL } }
         sink { Console { source_table_name = [b] } }",
        "a() b(a) Console-1(b)",
    );
    wired(
        "source { FakeSource { result_table_name = a, plugin_output = a } } sink { Console { plugin_input = [\"a\"], source_table_name = a } }",
        "a() Console-1(a)",
    );
}

#[test]
fn transforms_may_stand_in_any_order() {
    wired(
        "source { FakeSource { plugin_output = a } }
         transform { Sql { plugin_input = c, plugin_output = d, SQL } Sql { plugin_input = b, plugin_output = c, SQL } Sql { plugin_input = a, plugin_output = b, SQL } }
         sink { Console { plugin_input = d } }",
        "a() b(a) c(b) d(c) Console-1(d)",
    );
}

#[test]
fn a_sink_with_several_inputs_reads_all_of_them_in_order() {
    wired(
        "source { FakeSource { plugin_output = a } FakeSource { plugin_output = b } } sink { Console { plugin_input = [b, a] } }",
        "a() b() Console-1(b,a)",
    );
    wired(
        "source { FakeSource { plugin_output = a } FakeSource { plugin_output = b } } sink { Console { plugin_input = \"a, b\" } }",
        "a() b() Console-1(a,b)",
    );
}

#[test]
fn ids_are_unique_and_take_the_name_of_the_registry() {
    wired(
        "source { fake { plugin_output = Console-1 } } sink { console {} CONSOLE {} }",
        "Console-1() Console-2(Console-1) Console-3(Console-1)",
    );
    wired(
        "source { LocalFile { path = x } } sink { LocalFile { path = x } LocalFile { path = x, plugin_output = out } }",
        "LocalFile-1() LocalFile-2(LocalFile-1) out(LocalFile-1)",
    );
}

#[test]
fn what_no_sink_needs_is_not_run_and_told() {
    let folder = Folder::with(
        "source { FakeSource { plugin_output = a }\n FakeSource { plugin_output = b } }
         transform { Sql { plugin_input = b, plugin_output = c, query = select } }
         sink { Console { plugin_input = a } }",
    );
    let loaded = folder.load().unwrap();
    assert_eq!(graph(&loaded.job), "a() Console-1(a)");
    let messages: Vec<&str> = loaded.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(messages, ["no sink reads from `b`: it is not run", "no sink reads from `c`: it is not run"]);
}

#[test]
fn parallelism_comes_from_the_block_then_the_input_then_env() {
    let parallelism = |text: &str| -> Vec<u32> {
        Folder::with(text).job().nodes.iter().map(|node| node.parallelism).collect()
    };
    let chain = |source: &str, transform: &str, sink: &str| {
        format!(
            "env {{ parallelism = 3 }}\n source {{ FakeSource {{ {source} }} }}\n
             transform {{ Sql {{ query = select\n {transform} }} }}\n sink {{ Console {{ {sink} }} }}"
        )
    };
    assert_eq!(parallelism(&chain("", "", "")), [3, 3, 3]);
    assert_eq!(parallelism(&chain("parallelism = 2", "", "")), [2, 2, 2]);
    assert_eq!(parallelism(&chain("parallelism = 2", "parallelism = \"4\"", "")), [2, 4, 4]);
    assert_eq!(parallelism(&chain("", "", "parallelism = 1")), [3, 3, 1]);
}

#[test]
fn plugins_get_their_options_without_the_wiring() {
    let job = Folder::with(
        "env { read_limit.rows_per_second = 7 }
         source { FakeSource { plugin_output = a, parallelism = 2, read_limit { bytes_per_second = 5 }, path = x } }
         sink { Console { plugin_input = a, path = y, multi_table_sink_replica = 2 } }",
    )
    .job();
    assert_eq!(job.nodes[0].options.to_json(), serde_json::json!({"path": "x"}));
    assert_eq!(job.nodes[1].options.to_json(), serde_json::json!({"path": "y"}));
    assert_eq!(job.nodes[0].rate.rows_per_second, Some(7));
    assert_eq!(job.nodes[0].rate.bytes_per_second, Some(5));
    assert_eq!(job.nodes[1].rate.rows_per_second, None);
    let context = job.context(&job.nodes[1]);
    assert_eq!((context.inputs, context.output, context.parallelism), (vec!["a".to_owned()], None, 2));
}

#[test]
fn the_fingerprint_is_of_the_shape_and_not_of_the_options() {
    let of = |text: &str| Folder::with(text).job().fingerprint();
    let plain = of("source { FakeSource {} }\n sink { Console {} }");
    assert_eq!(plain, of("env { parallelism = 4 }\n source { Fake { path = x } }\n sink { console {} }"));
    assert_ne!(plain, of("source { FakeSource { plugin_output = a } }\n sink { Console {} }"));
    assert_ne!(plain, of("source { FakeSource {} }\n sink { Console {}\n Console {} }"));
    assert_eq!(plain.len(), 16);
}
