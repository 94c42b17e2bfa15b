//! What is kept in the repository says what the boards' files say. `UPDATE_DOCS=1` rewrites it.

use hwgen_boards::board::{Active, Board, Uses, boards, names};
use hwgen_boards::clocking::megahertz;
use hwgen_boards::constraints::{constraints, file_name, sdc};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const UPDATE: &str = "run UPDATE_DOCS=1 cargo test -p hwgen-boards --test files";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn updates() -> bool {
    std::env::var_os("UPDATE_DOCS").is_some()
}

#[test]
fn constraint_files_are_those_of_the_boards() {
    let folder = root().join("constraints");
    let mut expected = vec![];
    for board in boards() {
        let microphone = board.microphone.is_some();
        for spi in [false, true].into_iter().filter(|spi| !spi || board.spi.is_some()) {
            let uses = Uses { microphone, spi };
            expected.push((file_name(&board, uses), constraints(&board, uses)));
        }
        expected.extend(sdc(&board).map(|text| (format!("{}.sdc", board.name), text)));
    }
    if updates() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &expected {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &expected {
        let kept = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(kept, *text, "constraints/{name} is out of date: {UPDATE}");
    }
    let kept = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name());
    let kept: BTreeSet<_> = kept.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(kept, expected.into_iter().map(|(name, _)| name).collect());
}

#[test]
fn every_file_of_a_board_is_one_of_ours() {
    let files = fs::read_dir(root().join("boards/boards")).unwrap();
    let files = files.map(|file| file.unwrap().path().file_stem().unwrap().to_owned());
    let files: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(files, names().map(str::to_string).collect(), "FILES in boards/src/board.rs");
}

#[test]
fn the_page_on_adding_a_board_has_one_that_is_read() {
    let page = fs::read_to_string(root().join("docs/add-a-board.md")).unwrap();
    let text = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let board = Board::parse(text).unwrap();
    let text = constraints(&board, Uses { microphone: true, spi: true });
    assert!(
        ["spi_sclk 15", "mic_clk 4", "tie_wifi_gpio0 20"].iter().all(|pin| text.contains(pin)),
        "{text}"
    );
}

/// The table of boards in docs/boards.md.
#[test]
fn the_boards_are_listed() {
    let mut table = "| `--board` | board | FPGA | clock | reset | serial line (FPGA's rx, tx) | SPI (sclk, mosi, miso, cs_n) | LEDs | microphone |\n|---|---|---|---|---|---|---|---|---|\n".to_string();
    for board in boards() {
        table += &row(&board);
    }
    let path = root().join("docs/boards.md");
    let text = fs::read_to_string(&path).unwrap();
    let start = text.find("<!-- boards: ").expect("the table's mark");
    let start = start + text[start..].find('\n').unwrap() + 1;
    let end = start + text[start..].find("<!-- end -->").unwrap();
    if updates() {
        fs::write(&path, [&text[..start], &table, &text[end..]].concat()).unwrap();
    } else {
        assert_eq!(&text[start..end], table, "docs/boards.md is out of date: {UPDATE}");
    }
}

fn row(board: &Board) -> String {
    let Board { name, title, fpga, clock, uart, leds, .. } = board;
    let family = fpga.family.title();
    let mhz = megahertz(clock.hertz);
    let clock = match clock.run_hertz {
        None => format!("{mhz} MHz"),
        Some(run) => format!("{mhz} to {} MHz", megahertz(run)),
    };
    let level = |active: Active| if active == Active::Low { "low" } else { "high" };
    let reset = match &board.reset {
        None => "none".into(),
        Some(button) => format!("{}, active {}", button.pin, level(button.active)),
    };
    let spi = board
        .spi
        .as_ref()
        .map_or("none".to_string(), |spi| [&*spi.sclk, &spi.mosi, &spi.miso, &spi.cs_n].join(", "));
    let microphone = board.microphone.as_ref().map_or("none", |microphone| &microphone.header);
    format!(
        "| `{name}` | {title} | {family} {}, {} | {clock} | {reset} | {}, {} | {spi} | {}, active {} | {microphone} |\n",
        fpga.device,
        fpga.package,
        uart.rx,
        uart.tx,
        leds.pins.len(),
        level(leds.active),
    )
}
