//! The packets in `docs/link.md` are what the code makes, byte for byte; `UPDATE_DOCS=1` writes them anew.

use hwgen_boards::link::channel::Channels;
use hwgen_boards::link::identity::Identity;
use hwgen_boards::link::model::{Board, Core};
use hwgen_boards::link::packet::Packet;
use hwgen_boards::link::slip::frame;
use hwgen_designs::cnn::CnnSpec;
use hwgen_designs::generate::Generate;

const BEGIN: &str = "<!-- packets: kept true by boards/tests/document.rs -->\n";
const END: &str = "<!-- end -->";

/// Takes all, and gives a beat of 0xC0, 0x07 with `last`.
struct Giver;

impl Core for Giver {
    fn offer(&mut self, _: usize, _: &[u8], _: bool) -> bool {
        true
    }

    fn show(&mut self, _: usize, _: &[u8]) {}

    fn take(&mut self, _: usize) -> Option<(Vec<u8>, bool)> {
        Some((vec![0xc0, 0x07], true))
    }

    fn reset(&mut self) {}
}

fn hex(bytes: &[u8]) -> String {
    let lines = bytes.chunks(24).map(|line| {
        let bytes: Vec<_> = line.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("    {}\n", bytes.join(" "))
    });
    lines.collect()
}

/// A session with a board that has the core `cnn` of the default size.
fn packets() -> String {
    let channels = Channels::of(&CnnSpec::default().build()).unwrap();
    let identity = Identity::new("cnn", 0x1234_abcd, 12_000_000, &channels);
    let mut board = Board::new(Giver, channels, identity);
    let questions = [
        ("a read before any session", 0xbf, 3, 0, 1, vec![]),
        ("open, session 5A, sequence C0", 0xc0, 1, 0, 0, vec![]),
        ("write two beats to channel 0, the second with `last`", 0xc1, 2, 0, 1, vec![1, 2, 3, 4]),
        ("the same again: nothing is done twice", 0xc1, 2, 0, 1, vec![1, 2, 3, 4]),
        ("read up to four beats of channel 0", 0xc2, 3, 0, 4, vec![]),
        ("reset", 0xc3, 4, 0, 0, vec![]),
    ];
    let mut text = "```text\n".to_owned();
    for (what, sequence, kind, channel, argument, data) in questions {
        let packet = Packet { session: 0x5a, sequence, kind, channel, argument, data };
        let wire = frame(&packet.body());
        let answer: Vec<u8> = wire.iter().flat_map(|&byte| board.push(Some(byte))).collect();
        text += &format!("{what}\n{}  is answered\n{}", hex(&wire), hex(&answer));
    }
    text + "```\n"
}

#[test]
fn the_worked_packets() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/link.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (there, after) = rest.split_once(END).unwrap();
    let text = packets();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{text}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(there, text, "UPDATE_DOCS=1 writes it anew");
}
