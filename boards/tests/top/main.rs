//! The top in our engine against the model of the board, byte for byte.

mod designs;
#[path = "../link/echo.rs"]
mod echo;
mod engines;
mod gates;
mod soak;
mod spi;

use echo::{Echo, channels, echo, identity};
use hwgen_boards::link::model::Board;
use hwgen_boards::link::packet::Packet;
use hwgen_boards::link::slip::frame;
use hwgen_boards::link::spi::Unfill;
use hwgen_boards::sim::SimBoard;
use hwgen_boards::top::{Line, Payload, TopSpec, hwgen_top};

fn payload() -> Payload {
    Payload { module: echo(), design: "echo".into(), spec_hash: 7, classes: None }
}

fn over(line: Line) -> TopSpec {
    TopSpec { patience_bits: 10, ..TopSpec::over(line, 1_000_000) }
}

fn spec(divisor: u32) -> TopSpec {
    over(Line::Uart { divisor })
}

/// What a host hears of the board's bytes: over SPI all but fillers.
struct Heard(Option<Unfill>);

impl Heard {
    fn over(line: Line) -> Heard {
        Heard((line == Line::Spi).then(Unfill::default))
    }

    fn of(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        match &mut self.0 {
            None => bytes,
            Some(unfill) => bytes.into_iter().filter_map(|byte| unfill.pass(byte)).collect(),
        }
    }
}

fn question(sequence: u8, kind: u8, channel: u8, argument: u8, data: &[u8]) -> Vec<u8> {
    let (session, data) = (0xc0, data.to_vec());
    frame(&Packet { session, sequence, kind, channel, argument, data }.body())
}

#[test]
fn questions_are_answered_as_the_model_does() {
    let uart = |divisor| Line::Uart { divisor };
    for line in [uart(4), uart(5), uart(16), Line::Spi] {
        let mut sim = SimBoard::new(&over(line), &payload(), 1).unwrap();
        let mut heard = Heard::over(line);
        let mut model = Board::new(Echo::default(), channels(), identity());
        let ladder: Vec<u8> = (0..192).map(|byte| byte ^ 0xdb).collect();
        let questions = [
            question(9, 3, 0, 1, &[]),
            question(10, 1, 0, 0, &[]),
            question(10, 1, 0, 0, &[]),
            question(11, 2, 0, 1, &[1, 2, 3, 4, 5, 6]),
            question(11, 2, 0, 1, &[1, 2, 3, 4, 5, 6]),
            question(12, 3, 0, 9, &[]),
            question(13, 2, 0, 1, &ladder),
            question(14, 3, 0, 255, &[]),
            question(15, 3, 0, 255, &[]),
            question(16, 2, 1, 0, &[7, 8, 9]),
            question(17, 3, 1, 255, &[]),
            question(18, 2, 2, 0, &[]),
            question(18, 9, 0, 0, &[]),
            question(18, 0, 0, 0, &[]),
            question(19, 4, 0, 0, &[]),
            question(18, 2, 0, 0, &[0xc0, 0xdb, 0xff]),
            question(19, 4, 0, 0, &[]),
            question(20, 3, 0, 2, &[]),
            question(21, 3, 1, 2, &[]),
            question(22, 3, 1, 0, &[]),
        ];
        for (at, question) in questions.iter().enumerate() {
            question.iter().for_each(|&byte| sim.send(byte));
            let answer = sim.settle();
            let expected = question.iter().flat_map(|&byte| model.push(Some(byte))).collect();
            assert_eq!(answer, heard.of(expected), "{line:?}, question {at}");
        }
    }
}

#[test]
fn leds_tell_of_damage_and_results() {
    for line in [Line::Uart { divisor: 4 }, Line::Spi] {
        let mut sim = SimBoard::new(&over(line), &payload(), 1).unwrap();
        let mut send = |bytes: &[u8]| {
            bytes.iter().for_each(|&byte| sim.send(byte));
            sim.settle();
            sim.leds()
        };
        assert_eq!(send(&question(1, 1, 0, 0, &[])), (false, 0));
        assert_eq!(send(&[0xc0, 1, 2, 3, 0xc0]), (true, 0));
        assert_eq!(send(&[0xc0, 0xc0]), (true, 0), "an empty frame says nothing");
        assert_eq!(send(&question(2, 2, 1, 0, &[0x34, 0xa2])), (false, 0));
        assert_eq!(
            send(&question(3, 3, 1, 1, &[])),
            (false, 0xa),
            "the latest byte's highest bits"
        );
    }
}

#[test]
fn what_has_no_top_is_refused() {
    let said = |spec: TopSpec| hwgen_top(&spec, &payload()).unwrap_err().to_string();
    let fast = said(TopSpec::new(12_000_000, 6_000_000));
    let text = "a bit of the serial line takes 2 cycles of the clock; it must be 4 to 16777216: \
        choose another baud rate";
    assert_eq!(fast, text);
    let hasty = said(TopSpec { patience_bits: 3, ..spec(4) });
    assert_eq!(hasty, "patience of 2^3 cycles is outside 2^10..=2^24");
    let wide = Payload { module: wide(), ..payload() };
    let error = hwgen_top(&spec(4), &wide).unwrap_err().to_string();
    assert_eq!(error, "a beat of `data` of module `wide` has 200 bytes; a packet holds 1 to 192");
}

/// A design with a port that is too wide.
fn wide() -> std::sync::Arc<hwgen_hdl::Module> {
    let m = hwgen_hdl::ModuleBuilder::new("wide");
    let data = m.reg("kept", hwgen_hdl::u(1600));
    data.next(m.input("data", hwgen_hdl::u(1600)));
    m.output("kept", data);
    m.finish()
}
