//! Reading libraries: whole ones, and damaged ones.

use hwgen_verify::power::Library;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io::Write;
use std::path::Path;

const TOY: &str = include_str!("../src/power/toy.lib");
const OSU018: &str = "/usr/share/qflow/tech/osu018/osu018_stdcells.lib";

#[test]
fn a_library_of_debian() {
    let library = Library::read(OSU018).unwrap();
    assert_eq!((library.name.as_str(), library.cells.len()), ("osu018_stdcells", 32));
    assert_eq!(library.volts, 1.8);
    let nand = &library.cells["NAND2X1"];
    assert!(nand.area > 0.0 && nand.leakage > 0.0);
    assert!(nand.pins.iter().filter(|pin| !pin.output).all(|pin| pin.capacitance > 1e-15));
    assert!(library.cells["DFFPOSX1"].flip_flop.is_some());
    assert_eq!(library.cells["LATCH"].other_state.as_deref(), Some("latch"));
}

#[test]
fn libraries_of_others_where_they_are() {
    let data = std::env::var("HWGEN_DATA").unwrap_or_default();
    let libraries = [
        ("/usr/share/qflow/tech/osu035/osu035_stdcells.lib".to_string(), 39, 3.3),
        ("/usr/share/qflow/tech/osu050/osu05_stdcells.lib".to_string(), 39, 5.0),
        (format!("{data}/liberty/sky130hd_tt.lib.gz"), 428, 1.8),
        (format!("{data}/liberty/sg13g2_typ.lib"), 78, 1.2),
    ];
    for (path, cells, volts) in libraries {
        if !Path::new(&path).is_file() {
            eprintln!("{path} is not here: not read");
            continue;
        }
        let library = Library::read(&path).unwrap();
        assert_eq!((library.cells.len(), library.volts), (cells, volts), "{path}");
        let tables = library.cells.values().flat_map(|cell| &cell.pins);
        assert!(tables.filter(|pin| !pin.powers.is_empty()).count() > cells, "{path}");
    }
}

#[test]
fn packed_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("toy.lib.gz");
    let file = std::fs::File::create(&path).unwrap();
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    packer.write_all(TOY.as_bytes()).unwrap();
    packer.finish().unwrap();
    assert_eq!(Library::read(&path).unwrap().cells.len(), Library::parse(TOY).unwrap().cells.len());
    std::fs::write(&path, "no gzip").unwrap();
    assert!(Library::read(&path).is_err());
}

#[test]
fn mistakes_are_told_with_their_line() {
    let said = |from: &str, to: &str| {
        assert!(TOY.contains(from), "{from}");
        Library::parse(&TOY.replacen(from, to, 1)).unwrap_err().to_string()
    };
    assert_eq!(said("area : 1;", "area : one;"), "line 19: `one` is no number");
    assert_eq!(said("\"(!A)\"", "\"(!A\""), "line 26: `(!A` is no boolean function");
    assert_eq!(said("rise_power (out)", "rise_power (inn)"), "line 30: no table template `inn`");
    assert_eq!(said("(\"0, 0.1\"", "(\"0\""), "line 30: 3 values for 4 points");
    assert_eq!(said("index_1 (\"0, 1\")", "index_1 (\"1, 0\")"), {
        "line 30: the points of an axis do not rise"
    });
    assert_eq!(said("nom_voltage : 2", "nom_voltage : 0"), {
        "line 2: the library has no supply of 0.05 to 50 V"
    });
    assert_eq!(said("\"1ns\"", "\"1hour\""), "line 3: `1hour` is no time_unit");
    assert_eq!(said("/* A", "A"), { "line 1: `(` expected, not `library`" });
    assert!(said("cell (INV) {", "cell INV {").starts_with("line 18: `:` or `(` expected"));
    let open = TOY.trim_end().trim_end_matches('}');
    let text = Library::parse(open).unwrap_err().to_string();
    assert!(text.ends_with("the end of the file in group `library` of line 2"), "{text}");
    let deep = format!("library (l) {{ {}", "a (b) {".repeat(100_000));
    assert_eq!(
        Library::parse(&deep).unwrap_err().to_string(),
        "line 1: groups nest more than 32 deep"
    );
}

#[test]
fn damage_is_an_error_or_another_library_but_no_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..2000 {
        let mut bytes = TOY.as_bytes().to_vec();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..4) {
                0 => {
                    bytes.remove(at);
                }
                1 => bytes[at] = b"{}();:\"\\,x9-'!&\n*/"[rng.random_range(0..18)],
                2 => bytes.truncate(at.max(1)),
                _ => bytes[at] = rng.random(),
            }
        }
        match Library::parse(&String::from_utf8_lossy(&bytes)) {
            Ok(_) => good += 1,
            Err(error) => {
                assert!(error.to_string().starts_with("line "), "{error}");
                bad += 1;
            }
        }
    }
    assert!(good > 100 && bad > 1000, "{good}, {bad}");
}

/// A file of a few bytes takes no more than a library of that size.
#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.lib.gz");
    let file = std::fs::File::create(&path).unwrap();
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let megabyte = "a:b;".repeat(1 << 18);
    packer.write_all(b"library (l) {").unwrap();
    (0..20).for_each(|_| packer.write_all(megabyte.as_bytes()).unwrap());
    packer.finish().unwrap();
    let error = Library::read(&path).unwrap_err().to_string();
    assert!(
        error.contains("bytes unpack to more than") && error.contains("bomb.lib.gz"),
        "{error}"
    );

    let many = format!("library (l) {{ a ({}) ; }}", "b,".repeat((1 << 21) + 1));
    let error = Library::parse(&many).unwrap_err().to_string();
    assert_eq!(error, "line 1: the library has more than 2097152 groups and values");
    let error = Library::read("/dev/zero").unwrap_err().to_string();
    assert_eq!(error, "cannot read /dev/zero: it is a device, not a file");
}

/// What a name among many stands for is kept once.
#[test]
fn pins_of_one_group_share_what_they_have() {
    let inside = "internal_power () { rise_power (scalar) { values (\"1\"); } }";
    let pins = format!("pin (A, {}) {{", "A,".repeat(20_000));
    let from = "pin (A) {";
    assert!(TOY.contains(from));
    let library = Library::parse(&TOY.replacen(from, &format!("{pins} {inside}"), 1)).unwrap();
    let cell = library.cells.values().find(|cell| cell.pins.len() > 20_000).unwrap();
    assert!(
        cell.pins[..20_000]
            .windows(2)
            .all(|pair| { std::sync::Arc::ptr_eq(&pair[0].powers, &pair[1].powers) })
    );
}
