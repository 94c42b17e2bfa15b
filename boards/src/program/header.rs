//! For which FPGA a bitstream is, by how it begins.
//!
//! | family | is known by | names the part by |
//! |---|---|---|
//! | iCE40 | `7E AA 99 7E` (icestorm's format.rst) | nothing that every file has |
//! | ECP5 | `FF FF BD B3` (Trellis' Bitstream.cpp) | the identity that its VERIFY_ID checks |
//! | Gowin | lines of 0 and 1, `//` before comments | the identity behind command 06 |
//! | Xilinx 7 | `AA 99 55 66` (UG470) | field `b` of the header of a .bit |

use crate::board::{Family, Fpga};

/// Bytes in which a bitstream says what it is.
pub(super) const BYTES: usize = 1 << 14;

/// What a bitstream says of the FPGA it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) family: Family,
    /// The part, as far as it is told and known.
    pub(super) part: Option<String>,
}

/// What the first bytes of a bitstream say; `None`: they begin no bitstream we know.
pub(super) fn read(bytes: &[u8]) -> Option<Header> {
    let behind = |sync: [u8; 4]| {
        let at = bytes.windows(4).position(|four| four == sync)?;
        bytes.get(at + 4..)
    };
    let header = |family, part| Some(Header { family, part });
    if let Some(identity) = gowin(bytes) {
        let part = match identity {
            Some(0x1100_481b) => Some("GW1N-9C".into()),
            Some(0x0000_081b) => Some("GW2A-18C".into()),
            _ => None,
        };
        return header(Family::Gowin, part);
    }
    // the sync word of one may stand in another's data: that of its own comes first
    let syncs = [
        (Family::Ice40, [0x7e, 0xaa, 0x99, 0x7e]),
        (Family::Ecp5, [0xff, 0xff, 0xbd, 0xb3]),
        (Family::Xilinx7, [0xaa, 0x99, 0x55, 0x66]),
    ];
    let found = syncs.iter().filter_map(|(family, sync)| Some((behind(*sync)?, *family)));
    let (rest, family) = found.max_by_key(|(rest, _)| rest.len())?;
    let part = match family {
        Family::Ecp5 => ecp5(rest),
        Family::Xilinx7 => xilinx(bytes),
        Family::Ice40 | Family::Gowin => None,
    };
    header(family, part)
}

/// Whether a bitstream that says so is for this FPGA.
pub(super) fn fits(header: &Header, fpga: &Fpga) -> bool {
    let same = |part: &String| match header.family {
        Family::Xilinx7 => fpga.package.starts_with(part.as_str()),
        _ => *part == fpga.device,
    };
    header.family == fpga.family && header.part.as_ref().is_none_or(same)
}

/// The size of an LFE5U by the identity that its bitstream checks.
fn ecp5(rest: &[u8]) -> Option<String> {
    let commands = &rest[..rest.len().min(64)];
    let at = commands.windows(4).position(|four| four == [0xe2, 0, 0, 0])?;
    let size = match commands.get(at + 4..at + 8)? {
        [0x21 | 0x41, 0x11, 0x10, 0x43] => "25k",
        [0x41, 0x11, 0x20, 0x43] => "45k",
        [0x41, 0x11, 0x30, 0x43] => "85k",
        _ => return None,
    };
    Some(size.into())
}

/// Field `b` of a .bit, as in `7a35ticsg324`.
fn xilinx(bytes: &[u8]) -> Option<String> {
    let long = |bytes: &[u8]| Some(usize::from(u16::from_be_bytes(*bytes.first_chunk()?)));
    let rest = bytes.get(13..).filter(|_| bytes.starts_with(&[0, 9, 0x0f, 0xf0]))?;
    let design = rest.strip_prefix(b"a")?;
    let rest = design.get(2 + long(design)?..)?.strip_prefix(b"b")?;
    let name = rest.get(2..2 + long(rest)?)?.split(|byte| *byte == 0).next()?;
    let plain = name.iter().all(u8::is_ascii_alphanumeric) && !name.is_empty();
    plain.then(|| format!("xc{}", String::from_utf8_lossy(name).trim_start_matches("xc")))
}

/// The identity in a file of Gowin's, `Some(None)` if it tells none; `None` if it is no such file.
fn gowin(bytes: &[u8]) -> Option<Option<u32>> {
    let text: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
    // the last line may be cut
    let whole = &text[..text.len().saturating_sub(1).max(1)];
    let lines = whole.iter().filter(|line| !line.is_empty() && !line.starts_with(b"//"));
    let mut some = false;
    let mut identity = None;
    for line in lines {
        if line.len() < 8 || !line.iter().all(|byte| matches!(byte, b'0' | b'1')) {
            return None;
        }
        some = true;
        if line.len() == 64 && line.starts_with(b"00000110") && identity.is_none() {
            let bits = line[32..].iter().map(|byte| u32::from(*byte == b'1'));
            identity = Some(bits.fold(0, |number, bit| number << 1 | bit));
        }
    }
    some.then_some(identity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::find;

    #[test]
    fn families_and_parts_are_read() {
        let told = |bytes: &[u8]| read(bytes).map(|header| (header.family, header.part));
        let ice40 = [&[0xff, 0, 0, 0xff][..], &[0x7e, 0xaa, 0x99, 0x7e, 0x51, 0]].concat();
        assert_eq!(told(&ice40), Some((Family::Ice40, None)));
        let ecp5 = [
            &b"\xff\0Part: LFE5U-85F-6CABGA381\0\xff"[..],
            &[0xff, 0xff, 0xbd, 0xb3, 0xff, 0xff, 0xff, 0xff, 0x3b, 0, 0, 0],
            &[0xe2, 0, 0, 0, 0x41, 0x11, 0x30, 0x43],
        ]
        .concat();
        assert_eq!(told(&ecp5), Some((Family::Ecp5, Some("85k".into()))));
        let identity = format!("{:032b}{:032b}\n", 0x0600_0000u32, 0x0000_081bu32);
        let gowin = format!("//made by us\n{}\n{identity}11110000", "1".repeat(32));
        assert_eq!(told(gowin.as_bytes()), Some((Family::Gowin, Some("GW2A-18C".into()))));
        let xilinx = [
            &[0, 9, 0x0f, 0xf0, 0x0f, 0xf0, 0x0f, 0xf0, 0x0f, 0xf0, 0, 0, 1][..],
            b"a\0\x04top\0b\0\x0d7a35ticsg324\0c\0\x01\0",
            &[0xff; 8],
            &[0xaa, 0x99, 0x55, 0x66],
        ]
        .concat();
        assert_eq!(told(&xilinx), Some((Family::Xilinx7, Some("xc7a35ticsg324".into()))));
        for none in [&b""[..], b"{\"modules\": 1}", b"[package]\nname", &[0; 100]] {
            assert_eq!(told(none), None);
        }
        let of = |name: &str| find(name).unwrap().fpga;
        let header = read(&ecp5).unwrap();
        assert!(fits(&header, &of("ulx3s")) && !fits(&header, &of("colorlight_i5")));
        assert!(!fits(&header, &of("hx8k")));
        let header = read(&xilinx).unwrap();
        assert!(fits(&header, &of("arty_a7_35t")));
        let header = read(gowin.as_bytes()).unwrap();
        assert!(fits(&header, &of("tang_nano_20k")) && !fits(&header, &of("tang_nano_9k")));
    }
}
