//! Simulation, verification, tools.

mod command;

use command::{hwgen, ok, refused};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

const SMALL_LAPA: [&str; 8] =
    ["--design", "lapa_attention", "--set", "head_dim=4", "--set", "rows=2", "--set", "max_keys=8"];

#[test]
fn a_simulation_reports_traffic_and_is_repeatable() {
    for engine in ["jit", "interpreter"] {
        let run = || {
            let arguments = ["sim", "--cycles", "500", "--seed", "3", "--json", "--engine", engine];
            json(&ok(&[&arguments[..], &SMALL_LAPA].concat()))
        };
        let report = run();
        assert_eq!(report["cycles"], 500);
        assert_eq!(report["violations"], json("[]"));
        assert!(report["cycles_per_second"].as_f64().unwrap() > 0.0);
        let streams: Vec<_> = report["streams"].as_array().unwrap().iter().collect();
        let names: Vec<_> = streams.iter().map(|stream| stream["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["keys", "queries", "out"]);
        assert!(streams.iter().all(|stream| stream["transfers"].as_u64().unwrap() > 10));
        assert_eq!(run()["streams"], report["streams"]);
    }
}

#[test]
fn a_simulation_in_words() {
    let text = ok(&[&["sim", "--cycles", "50"][..], &SMALL_LAPA].concat());
    assert!(text.starts_with("  cycles      50 ("), "{text}");
    assert!(text.ends_with("  violations  0\n"), "{text}");
}

#[test]
fn waves_are_written() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["vcd", "fst"] {
        let path = folder.path().join(format!("wave.{format}"));
        let (option, path) = (format!("--{format}"), path.to_str().unwrap());
        ok(&[&["sim", "--cycles", "50", &option, path][..], &SMALL_LAPA].concat());
        assert!(std::fs::metadata(path).unwrap().len() > 1000);
    }
    let nowhere = ["sim", "--design", "mac_array", "--vcd", "/nonexistent/wave.vcd"];
    assert!(refused(1, &nowhere).contains("/nonexistent/wave.vcd"));
}

#[test]
fn the_small_designs_pass_on_every_engine() {
    let engines = "interpreter,jit,verilator,icarus,yosys";
    let array = ["--design", "mac_array", "--set", "rows=2", "--set", "columns=2"];
    for design in [&array[..], &SMALL_LAPA] {
        let run =
            hwgen(&[&["verify", "--engines", engines, "--cycles", "60"][..], design].concat());
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        let names: Vec<_> =
            run.stdout.lines().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(
            names,
            [
                "ok      golden = interpreter",
                "ok      golden = jit",
                "ok      golden = verilator",
                "ok      golden = icarus",
                "ok      golden = yosys",
                "ok      interpreter = jit = verilator = icarus = yosys",
            ]
        );
    }
}

#[test]
fn verification_for_machines() {
    let arguments = ["verify", "--engines", "jit", "--json"];
    let report = json(&ok(&[&arguments[..], &SMALL_LAPA].concat()));
    assert_eq!(report["passed"], true);
    let check = &report["checks"][0];
    assert_eq!(check["name"], "golden = jit");
    assert!(check["cycles"].as_u64().unwrap() >= 200);
    assert!(check["compared"].as_u64().unwrap() > 0);
    assert_eq!(check["failure"], Value::Null);
}

#[test]
fn the_doctor_knows_the_tools() {
    let report = json(&hwgen(&["doctor", "--json"]).stdout);
    let (tools, flows) = (report["tools"].as_array().unwrap(), report["flows"].as_array().unwrap());
    let verilator = tools.iter().find(|tool| tool["tool"] == "verilator");
    assert_eq!(verilator.unwrap()["needed"], true);
    assert_eq!(flows[0]["family"], "iCE40");
    assert_eq!(flows[0]["install"], Value::Array(vec![]), "the tests need these tools");
    let text = hwgen(&["doctor"]).stdout;
    assert_eq!(text.lines().count(), tools.len() + 1 + flows.len());
    let rows = text.lines().filter(|line| *line != "bitstreams");
    assert!(rows.clone().all(|line| line.starts_with("  ")));
    let ice40 = rows.clone().find(|line| line.starts_with("  iCE40 "));
    let complete = |line: &str| line.contains("hx8k, icebreaker") && line.ends_with("complete");
    assert!(ice40.is_some_and(complete), "{text}");
}

#[test]
fn energy_of_a_small_array() {
    let library = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";
    let arguments = ["power", "--design", "mac_array", "--set", "rows=1", "--set", "columns=1"];
    let arguments = [&arguments[..], &["--clock-mhz", "50", "--lib", library]].concat();
    let text = ok(&arguments);
    assert!(text.contains("values equal to the golden model") && text.contains("(all)"), "{text}");
    let report = json(&ok(&[&arguments[..], &["--json"]].concat()));
    let number = |value: &Value| value.as_f64().unwrap();
    let (joules, cycles) = (number(&report["joules"]), number(&report["cycles"]));
    assert!(joules > 0.0 && cycles >= 200.0);
    assert!((number(&report["watts"]) * cycles / 50e6 / joules - 1.0).abs() < 1e-9);
    let cells = report["parts"].as_array().unwrap().iter().map(|part| number(&part["cells"]));
    assert_eq!(cells.sum::<f64>(), number(&report["total"]["cells"]));
    assert_eq!(report["parts"][0]["path"], "");
    let gated = json(&ok(&[&arguments[..], &["--json", "--clock-gating"]].concat()));
    assert!(number(&gated["total"]["clock_gates"]) > 0.0);
}

#[test]
fn energy_of_recorded_waves() {
    let folder = tempfile::tempdir().unwrap();
    let library = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";
    let design = ["--design", "mac_array", "--set", "rows=1", "--set", "columns=1"];
    for (flag, name) in [("--vcd", "run.vcd"), ("--fst", "run.fst")] {
        let path = folder.path().join(name);
        let waves = path.to_str().unwrap();
        ok(&[&["sim"], &design[..], &["--cycles", "300", flag, waves]].concat());
        let power = [&["power"], &design[..], &["--lib", library, "--vectors", waves]].concat();
        assert!(ok(&power).contains("values equal to the recording"));
        let report = json(&ok(&[&power[..], &["--json"]].concat()));
        assert!(report["cycles"].as_u64().unwrap() >= 300);
        assert!(report["values_compared"].as_u64().unwrap() >= 300);
    }
}

/// A network in a file, and three inputs of it.
fn kws_mini(folder: &std::path::Path) -> [String; 2] {
    let network = hwgen_network::zoo::kws_mini(1);
    let paths = ["kws.json", "inputs.bin"].map(|name| folder.join(name));
    hwgen_network::graph::save(&network, &paths[0]).unwrap();
    let bytes: Vec<u8> = (0..3 * 490).map(|i| (i * 37 % 251) as u8).collect();
    std::fs::write(&paths[1], bytes).unwrap();
    paths.map(|path| path.to_str().unwrap().to_owned())
}

#[test]
fn a_network_on_the_core() {
    let folder = tempfile::tempdir().unwrap();
    let [network, inputs] = &kws_mini(folder.path());
    let design = ["--design", "cnn", "--network", network, "--multipliers", "18"];
    let labels = folder.path().join("labels");
    std::fs::write(&labels, [0, 1, 2]).unwrap();
    let labels = labels.to_str().unwrap();
    let verify = [&["verify"], &design[..], &["--inputs", inputs, "--labels", labels]].concat();
    let text = ok(&[&verify[..], &["--engines", "jit"]].concat());
    assert!(text.contains("jit: 0 differ, top-1 ") && text.contains(" 9221 predicted"), "{text}");
    assert!(ok(&[&verify[..], &["--engines", "jit", "--taps"]].concat()).contains("jit: 0 differ"));
    let report = json(&ok(&[&verify[..], &["--engines", "jit", "--json"]].concat()));
    assert_eq!(report["engines"][0]["cycles"], report["predicted_cycles"]);

    let load = folder.path().join("load.hex");
    let start = std::time::Instant::now();
    let emit = [&["emit"], &design[..], &["--load", load.to_str().unwrap()]].concat();
    let verilog = ok(&emit);
    let seconds = start.elapsed().as_secs_f64();
    println!("KWS-mini: {} lines in {seconds:.2} s", verilog.lines().count());
    assert!(verilog.lines().count() < 5000);
    let words = std::fs::read_to_string(&load).unwrap();
    assert!(
        words.lines().all(|line| line.len() == 9) && words.lines().last().unwrap() == "180000000"
    );
    assert!(ok(&[&emit[..], &["--baked"]].concat()).contains("initial"));

    // four bits a weight, by a policy
    let policy = folder.path().join("policy.json");
    let layers = hwgen_network::zoo::kws_mini(1).layers;
    let name = &layers[0].name;
    std::fs::write(&policy, format!(r#"{{"version": 1, "weight_bits": {{"{name}": 4}}}}"#))
        .unwrap();
    let narrowed =
        [&verify[..], &["--engines", "jit", "--policy", policy.to_str().unwrap()]].concat();
    assert!(ok(&narrowed).contains("jit: 0 differ"));
}
