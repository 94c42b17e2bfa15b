//! The clock a design runs at: the oscillator's, or what the FPGA's PLL makes of it.
//!
//! The board's oscillator serves if it is as near to what is asked as oscillators are to their own names, or nearer
//! than any PLL comes. A PLL is a family's primitive with dividers. All settings are tried; the nearest frequency
//! wins, then the oscillator nearest to the middle of its range, then the smaller dividers.

use crate::board::{Board, Family};

/// A PLL's setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pll {
    /// The primitive's dividers, as its parameters.
    pub parameters: Vec<(&'static str, u32)>,
    /// The frequency of its oscillator in Hz.
    pub vco_hertz: u32,
}

/// A crystal may be off by a part of so many, and by more than that a serial line is.
const OSCILLATORS_DIFFER: u64 = 1000;

/// Where the clock comes from and how fast it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocking {
    /// The clock of designs, in Hz, rounded.
    pub hertz: u32,
    /// The PLL; without, it is the oscillator's clock.
    pub pll: Option<Pll>,
}

/// Why there is no such clock.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} MHz cannot be made of {} MHz by the PLL of {device} to within 1 %; the nearest is {} MHz",
    megahertz(*.wanted), megahertz(*.input), megahertz(*.nearest)
)]
pub struct ClockError {
    /// The frequency asked for, in Hz.
    pub wanted: u32,
    /// The oscillator's.
    pub input: u32,
    /// The FPGA.
    pub device: String,
    /// The nearest that can be made, the oscillator's own among them.
    pub nearest: u32,
}

/// A frequency in MHz, as people write it.
pub fn megahertz(hertz: u32) -> f64 {
    f64::from(hertz) / 1e6
}

impl Board {
    /// The clock for a frequency in Hz, or for the board's own.
    pub fn clocking(&self, wanted: Option<u32>) -> Result<Clocking, ClockError> {
        let input = self.clock.hertz;
        let wanted = wanted.or(self.clock.run_hertz).unwrap_or(input);
        let plain = Clocking { hertz: input, pll: None };
        let off = u64::from(input.abs_diff(wanted));
        if off * OSCILLATORS_DIFFER <= u64::from(wanted) {
            return Ok(plain);
        }
        let found = settings(self, input)
            .into_iter()
            .min_by_key(|(hertz, far, _)| (hertz.abs_diff(wanted), *far));
        let close = |hertz: u32| u64::from(hertz.abs_diff(wanted)) * 100 <= u64::from(wanted);
        let nearest = found.as_ref().map(|(hertz, ..)| *hertz);
        let nearest = nearest.filter(|hertz| hertz.abs_diff(wanted) < input.abs_diff(wanted));
        match found {
            _ if nearest.is_none() && close(input) => Ok(plain),
            Some((hertz, _, pll)) if close(hertz) => Ok(Clocking { hertz, pll: Some(pll) }),
            _ => Err(ClockError {
                wanted,
                input,
                device: self.fpga.device.clone(),
                nearest: nearest.unwrap_or(input),
            }),
        }
    }
}

/// A setting: what it makes, how far its oscillator is from the middle of its range, its dividers.
type Setting = (u32, u32, Pll);

fn settings(board: &Board, input: u32) -> Vec<Setting> {
    match board.fpga.family {
        Family::Ice40 => ice40(input),
        Family::Ecp5 => ecp5(input),
        Family::Gowin => gowin(input, &board.fpga.device),
        Family::Xilinx7 => xilinx7(input),
    }
}

/// A family's PLL: input / `reference` goes to the phase detector, times `multiply` is the
/// oscillator, over `out` the output.
struct Dividers {
    reference: u32,
    multiply: u32,
    out: u32,
}

/// Ranges in Hz.
struct Limits {
    /// Of the phase detector.
    pfd: Range,
    /// Of the oscillator.
    vco: Range,
    /// Of the output.
    out: Range,
}

type Range = std::ops::RangeInclusive<u64>;

impl Limits {
    /// The setting, if it is within the limits.
    fn setting(
        &self,
        input: u32,
        dividers: Dividers,
        parameters: &[(&'static str, u32)],
    ) -> Option<Setting> {
        let Dividers { reference, multiply, out } = dividers;
        let [input, reference, out] = [input, reference, out].map(u64::from);
        let oscillator = input * u64::from(multiply);
        let (vco, divided) = (oscillator / reference, reference * out);
        let hertz = (oscillator + divided / 2) / divided;
        let fits = self.pfd.contains(&(input / reference))
            && self.vco.contains(&vco)
            && self.out.contains(&hertz);
        let middle = (self.vco.start() + self.vco.end()) / 2;
        if !fits {
            return None;
        }
        let narrow = |hertz: u64| u32::try_from(hertz).ok();
        let pll = Pll { parameters: parameters.to_vec(), vco_hertz: narrow(vco)? };
        Some((narrow(hertz)?, narrow(vco.abs_diff(middle))?, pll))
    }
}

const MHZ: u64 = 1_000_000;

/// `SB_PLL40_*`, simple feedback: limits and filter ranges of icestorm's `icepll`.
fn ice40(input: u32) -> Vec<Setting> {
    let limits = Limits {
        pfd: 10 * MHZ..=133 * MHZ,
        vco: 533 * MHZ..=1066 * MHZ,
        out: 16 * MHZ..=275 * MHZ,
    };
    let all = products(0..=15, 0..=127, 1..=6).filter_map(|(r, f, q)| {
        let filter = match input / (r + 1) / 1_000_000 {
            ..17 => 1,
            17..26 => 2,
            26..44 => 3,
            44..66 => 4,
            66..101 => 5,
            _ => 6,
        };
        let parameters = [("DIVR", r), ("DIVF", f), ("DIVQ", q), ("FILTER_RANGE", filter)];
        let dividers = Dividers { reference: r + 1, multiply: f + 1, out: 1 << q };
        limits.setting(input, dividers, &parameters)
    });
    all.collect()
}

/// `EHXPLLL`, the output fed back: limits of Trellis' `ecppll`.
fn ecp5(input: u32) -> Vec<Setting> {
    let limits = Limits {
        pfd: 3_125_000..=400 * MHZ,
        vco: 400 * MHZ..=800 * MHZ,
        out: 10 * MHZ..=400 * MHZ,
    };
    let all = products(1..=128, 1..=80, 1..=128).filter_map(|(i, feedback, out)| {
        let parameters = [("CLKI_DIV", i), ("CLKFB_DIV", feedback), ("CLKOP_DIV", out)];
        let dividers = Dividers { reference: i, multiply: feedback * out, out };
        limits.setting(input, dividers, &parameters)
    });
    all.collect()
}

/// `rPLL`: limits of Apicula's `gowin_pll` for GW1NR-9 C6/I5 and GW2AR-18 C8/I7.
fn gowin(input: u32, device: &str) -> Vec<Setting> {
    let limits = if device.starts_with("GW1N") {
        Limits { pfd: 3 * MHZ..=400 * MHZ, vco: 400 * MHZ..=1200 * MHZ, out: 3_125_000..=600 * MHZ }
    } else {
        Limits { pfd: 3 * MHZ..=500 * MHZ, vco: 500 * MHZ..=1250 * MHZ, out: 3_906_250..=625 * MHZ }
    };
    let outs = [2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128];
    let all = products(0..=63, 0..=63, 0..=10).filter_map(|(i, feedback, n)| {
        let out = outs[n as usize];
        let parameters = [("IDIV_SEL", i), ("FBDIV_SEL", feedback), ("ODIV_SEL", out)];
        let dividers = Dividers { reference: i + 1, multiply: (feedback + 1) * out, out };
        limits.setting(input, dividers, &parameters)
    });
    all.collect()
}

/// `MMCME2_BASE`, whole dividers only: limits of speed grade -1 (Xilinx DS181).
fn xilinx7(input: u32) -> Vec<Setting> {
    let limits = Limits {
        pfd: 10 * MHZ..=450 * MHZ,
        vco: 600 * MHZ..=1200 * MHZ,
        out: 4_690_000..=800 * MHZ,
    };
    let all = products(1..=10, 2..=64, 1..=128).filter_map(|(reference, multiply, out)| {
        let parameters = [
            ("DIVCLK_DIVIDE", reference),
            ("CLKFBOUT_MULT_F", multiply),
            ("CLKOUT0_DIVIDE_F", out),
        ];
        limits.setting(input, Dividers { reference, multiply, out }, &parameters)
    });
    all.collect()
}

type Values = std::ops::RangeInclusive<u32>;

fn products(a: Values, b: Values, c: Values) -> impl Iterator<Item = (u32, u32, u32)> {
    a.flat_map(move |x| {
        let c = c.clone();
        b.clone().flat_map(move |y| c.clone().map(move |z| (x, y, z)))
    })
}

#[cfg(test)]
mod tests {
    use crate::board::find;

    fn parameters(board: &str, hertz: u32) -> (u32, Vec<u32>) {
        let clocking = find(board).unwrap().clocking(Some(hertz)).unwrap();
        let parameters = clocking.pll.unwrap().parameters;
        (clocking.hertz, parameters.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn settings_are_those_of_the_vendors_tools() {
        // icepll -i 12 -o 24, -o 60, -o 20.5; ecppll -i 25 -o 50, -o 60; gowin_pll -i 27 -o 54, -o 36
        assert_eq!(parameters("icebreaker", 24_000_000), (24_000_000, vec![0, 63, 5, 1]));
        assert_eq!(parameters("hx8k", 60_000_000), (60_000_000, vec![0, 79, 4, 1]));
        assert_eq!(parameters("icebreaker", 20_500_000), (20_625_000, vec![0, 54, 5, 1]));
        assert_eq!(parameters("ulx3s", 50_000_000), (50_000_000, vec![1, 2, 12]));
        assert_eq!(parameters("ulx3s", 60_000_000), (60_000_000, vec![5, 12, 10]));
        assert_eq!(parameters("tang_nano_20k", 54_000_000), (54_000_000, vec![0, 1, 16]));
        assert_eq!(parameters("tang_nano_9k", 36_000_000).1[..2], [2, 3]);
    }

    #[test]
    fn every_board_has_its_clock() {
        for board in crate::board::boards() {
            let clocking = board.clocking(None).unwrap();
            assert_eq!(clocking.hertz, board.clock.run_hertz.unwrap_or(board.clock.hertz));
            assert_eq!(clocking.pll.is_some(), board.clock.run_hertz.is_some(), "{}", board.name);
        }
    }

    #[test]
    fn what_the_pll_cannot_make_is_refused() {
        let error = find("icebreaker").unwrap().clocking(Some(7_000_000)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "7 MHz cannot be made of 12 MHz by the PLL of up5k to within 1 %; the nearest is 12 MHz"
        );
        let error = find("icebreaker").unwrap().clocking(Some(15_000_000)).unwrap_err();
        assert_eq!(error.nearest, 16_125_000);
    }

    #[test]
    fn what_is_nearly_the_oscillators_is_the_oscillators() {
        let clocking = |board: &str, hertz| find(board).unwrap().clocking(Some(hertz)).unwrap();
        for (board, hertz, given) in [
            ("icebreaker", 12_000_100, 12_000_000),
            ("hx8k", 11_999_999, 12_000_000),
            // nothing the PLL makes is nearer
            ("hx8k", 12_100_000, 12_000_000),
            ("ulx3s", 25_010_000, 25_000_000),
            ("arty_a7_35t", 99_990_000, 100_000_000),
        ] {
            let clocking = clocking(board, hertz);
            assert_eq!((clocking.hertz, clocking.pll), (given, None), "{board} {hertz}");
        }
        // a PLL comes nearer
        let made = clocking("arty_a7_35t", 101_000_000);
        assert!(made.hertz == 101_587_302 && made.pll.is_some(), "{made:?}");
    }
}
