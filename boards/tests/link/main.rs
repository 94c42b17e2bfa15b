//! The driver against the model of the board, in memory, on a bad line.

mod echo;
mod hostile;
mod memory;

use echo::{Echo, channels, identity};
use hwgen_boards::host::{Board, BoardError, Settings};
use hwgen_boards::link::model;
use hwgen_boards::link::packet::{Kind, Packet};
use hwgen_boards::link::slip::frame;
use hwgen_boards::sim::faults::Faults;
use memory::Memory;
use std::time::Duration;

fn board() -> model::Board<Echo> {
    model::Board::new(Echo::default(), channels(), identity())
}

/// No time passes in memory.
fn settings() -> Settings {
    Settings {
        margin: Duration::ZERO,
        reconnect: Duration::from_millis(200),
        stall: Duration::from_millis(50),
        ..Settings::default()
    }
}

#[test]
fn what_is_written_comes_back() {
    for rate in [0.0, 0.01, 0.03] {
        for seed in 0..8 {
            let line = Memory::new(board(), Faults::new(rate, seed));
            let mut board = Board::open_with(line, settings()).unwrap();
            assert_eq!(board.identity(), &identity());
            for round in 0..20 {
                let bytes: Vec<u8> = (0..3 * (1 + 7 * round % 16))
                    .map(|byte| (byte * 31 + round) as u8 & 3)
                    .collect();
                board.write(0, &bytes, true).unwrap();
                assert_eq!(board.read(0, bytes.len() / 3).unwrap(), bytes);
                board.set(1, 0x1234 + u64::from(round as u8)).unwrap();
                assert_eq!(board.get(1).unwrap(), 0x1234 + u64::from(round as u8));
            }
            assert_eq!(board.traffic().resent > 0, rate > 0.0);
        }
    }
}

#[test]
fn a_core_that_takes_nothing_is_told() {
    let line = Memory::new(board(), Faults::new(0.0, 0));
    let mut board = Board::open_with(line, settings()).unwrap();
    let error = board.write(0, &[0; 3 * 100], false).unwrap_err();
    assert_eq!(error.to_string(), "the core stands still: channel 0 moved nothing for 50ms");
    let error = board.write(0, &[0; 4], false).unwrap_err();
    assert_eq!(error.to_string(), "4 bytes are no whole beats of 3 bytes for channel 0");
    let error = board.write(7, &[0; 4], false).unwrap_err();
    assert_eq!(error.to_string(), "the board has no channel 7");
    board.reset().unwrap();
    assert!(board.read_some(0, 9).unwrap().0.is_empty());
    let error = board.expect("cnn", 5).unwrap_err();
    let text = "the board has `echo` of specification 00000007, not `cnn` of specification \
        00000005: program it with the right bitstream";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_line_that_fails_is_taken_up_and_a_dead_one_told() {
    let mut line = Memory::new(board(), Faults::new(0.0, 0));
    line.fails_at = vec![7, 8];
    let mut board = Board::open_with(line, settings()).unwrap();
    for _ in 0..10 {
        board.write(0, &[1, 2, 3], false).unwrap();
        assert_eq!(board.read(0, 1).unwrap(), [1, 2, 3]);
    }
    assert_eq!(board.traffic().reconnected, 2);

    let mut gone = Memory::new(self::board(), Faults::new(0.0, 0));
    (gone.fails_at, gone.stays_away) = (vec![1], true);
    assert!(matches!(Board::open_with(gone, settings()), Err(BoardError::PortLost { .. })));
    let deaf = Memory::new(self::board(), Faults::new(1.0, 0));
    assert!(matches!(Board::open_with(deaf, settings()), Err(BoardError::NoAnswer { .. })));
}

#[test]
fn a_restarted_board_and_a_restarted_host_find_each_other() {
    let line = Memory::new(board(), Faults::new(0.0, 0));
    let mut host = Board::open_with(line.share(), settings()).unwrap();
    host.write(0, &[1, 2, 3], true).unwrap();
    // another host, whatever session the first one had
    for _ in 0..300 {
        let mut other = Board::open_with(line.share(), settings()).unwrap();
        other.set(1, 9).unwrap();
    }
    let mut other = Board::open_with(line.share(), settings()).unwrap();
    assert_eq!(other.read(0, 5).unwrap(), [1, 2, 3], "the core kept what it had");
    line.restart(board());
    assert!(matches!(other.get(1), Err(BoardError::SessionLost)));
    other.reopen().unwrap();
    assert_eq!(other.get(1).unwrap(), 0);
}

#[test]
fn the_board_does_nothing_twice() {
    let mut board = board();
    let mut ask = |sequence: u8, kind: u8, channel: u8, argument: u8, data: &[u8]| {
        let (session, data) = (1, data.to_vec());
        let packet = Packet { session, sequence, kind, channel, argument, data };
        let wire = frame(&packet.body());
        wire.iter().flat_map(|&byte| board.push(Some(byte))).collect::<Vec<u8>>()
    };
    let (open, write, read) = (Kind::Open as u8, Kind::Write as u8, Kind::Read as u8);
    assert_eq!(ask(4, write, 0, 0, &[])[3], 0xe0, "no session yet");
    assert_eq!(ask(5, open, 0, 0, &[])[3], 0x81);
    for _ in 0..3 {
        assert_eq!(ask(6, write, 0, 1, &[1, 2, 3])[3..7], [0x82, 0, 1, 0]);
    }
    assert_eq!(ask(6, read, 0, 1, &[])[3], 0x82, "the answer of that sequence, whatever is asked");
    assert_eq!(ask(8, write, 0, 1, &[1, 2, 3])[3..7], [0xe0, 0, 0, 0]);
    assert_eq!(ask(7, read, 0, 9, &[])[3..10], [0x83, 3, 1, 1, 1, 2, 3]);
    assert_eq!(ask(7, read, 0, 9, &[])[3..10], [0x83, 3, 1, 1, 1, 2, 3]);
    assert_eq!(ask(8, read, 0, 9, &[])[3..7], [0x83, 0, 0, 0]);
    assert_eq!(ask(9, 5, 0, 0, &[])[3], 0xe1);
    assert_eq!(ask(9, write, 2, 0, &[])[3], 0xe1);
    assert_eq!(ask(9, write, 1, 0, &[7, 8, 9])[3..7], [0x82, 0, 1, 0]);
    assert_eq!(ask(10, read, 1, 1, &[])[3..9], [0x83, 2, 1, 0, 8, 9], "the rest moved in");
}
