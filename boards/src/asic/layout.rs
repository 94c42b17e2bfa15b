//! A placed and routed design, read from DEF, with the cells' sizes from LEF.

use super::AsicError;
use std::collections::HashMap;
use std::path::Path;

/// A piece of wire, from center to center, in micrometres.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// The metal, 1 the lowest.
    pub metal: u8,
    /// One end.
    pub from: [f64; 2],
    /// The other.
    pub to: [f64; 2],
}

/// A layout, in micrometres.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Lowest and highest corner of the die.
    pub die: [[f64; 2]; 2],
    /// Kind, corner and size of each cell; fillers too.
    pub cells: Vec<(String, [f64; 2], [f64; 2])>,
    /// Wires.
    pub wires: Vec<Wire>,
}

impl Layout {
    /// Reads a DEF file and the LEF file of its cells.
    ///
    /// # Errors
    /// If a file cannot be read or there is no die in it.
    pub fn read(def: &Path, lef: &Path) -> Result<Layout, AsicError> {
        let text =
            |path: &Path| std::fs::read_to_string(path).map_err(AsicError::file("read", path));
        let layout = parse(&text(def)?, &sizes(&text(lef)?));
        layout.ok_or_else(|| AsicError::Unread {
            step: "route",
            path: def.to_path_buf(),
            what: "a die with cells",
        })
    }

    /// Width and height of the die.
    pub fn size(&self) -> [f64; 2] {
        [self.die[1][0] - self.die[0][0], self.die[1][1] - self.die[0][1]]
    }

    /// Cells that are no fillers.
    pub fn logic_cells(&self) -> usize {
        self.cells.iter().filter(|(kind, ..)| kind != "FILL").count()
    }

    /// Length of all wires.
    pub fn wire_um(&self) -> f64 {
        let length =
            |wire: &Wire| (wire.to[0] - wire.from[0]).abs() + (wire.to[1] - wire.from[1]).abs();
        self.wires.iter().map(length).sum()
    }
}

/// Sizes of a LEF file's cells.
fn sizes(lef: &str) -> HashMap<String, [f64; 2]> {
    let mut sizes = HashMap::new();
    let mut cell = None;
    for line in lef.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["MACRO", name, ..] => cell = Some(name.to_string()),
            ["SIZE", x, "BY", y, ..] => {
                if let (Some(cell), Ok(x), Ok(y)) = (cell.take(), x.parse(), y.parse()) {
                    sizes.insert(cell, [x, y]);
                }
            }
            _ => {}
        }
    }
    sizes
}

fn parse(def: &str, sizes: &HashMap<String, [f64; 2]>) -> Option<Layout> {
    let mut layout = Layout::default();
    let mut units = 100.0;
    let mut section = "";
    let mut end = [0.0, 0.0];
    for line in def.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<f64>().ok());
        match words.as_slice() {
            ["UNITS", "DISTANCE", "MICRONS", ..] => units = number(3)?,
            ["DIEAREA", ..] => {
                let corner = |at: usize| Some([number(at)? / units, number(at + 1)? / units]);
                layout.die = [corner(2)?, corner(6)?];
            }
            [name @ ("COMPONENTS" | "NETS" | "SPECIALNETS"), ..] => section = name,
            ["END", ..] => section = "",
            ["-", _, kind, ..] if section == "COMPONENTS" => {
                let at = words.iter().position(|word| *word == "(")?;
                let corner = [number(at + 1)? / units, number(at + 2)? / units];
                let size = sizes.get(*kind).copied().unwrap_or_default();
                layout.cells.push((kind.to_string(), corner, size));
            }
            _ if section.ends_with("NETS") => {
                let begins = words.iter().position(|word| *word == "ROUTED" || *word == "NEW");
                if let Some(begins) = begins {
                    route(&words[begins + 1..], units, &mut end, &mut layout.wires);
                }
            }
            _ => {}
        }
    }
    (!layout.cells.is_empty() && layout.size()[0] > 0.0).then_some(layout)
}

/// `metal2 ( 14720 11400 ) ( * 10800 ) M3_M2`: a star is the coordinate before.
fn route(words: &[&str], units: f64, end: &mut [f64; 2], wires: &mut Vec<Wire>) {
    let metal = words.first().and_then(|layer| layer.strip_prefix("metal"));
    let Some(metal) = metal.and_then(|number| number.parse().ok()) else {
        return;
    };
    let mut first = true;
    for (at, word) in words.iter().enumerate() {
        if *word != "(" {
            continue;
        }
        let mut point = *end;
        for (axis, value) in point.iter_mut().enumerate() {
            if let Some(given) = words.get(at + 1 + axis).and_then(|word| word.parse::<f64>().ok())
            {
                *value = given / units;
            }
        }
        if !first {
            wires.push(Wire { metal, from: *end, to: point });
        }
        (*end, first) = (point, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEF: &str = "MACRO INVX1\n  SIZE 1.600 BY 10.000 ;\nEND INVX1\n";

    const DEF: &str = "UNITS DISTANCE MICRONS 100 ;
DIEAREA ( -320 -300 ) ( 27120 19300 ) ;
COMPONENTS 2 ;
- FILL_0 FILL + PLACED ( 40 50 ) S ;
- INVX1_1 INVX1 + PLACED ( 200 50 ) S ;
END COMPONENTS
NETS 1 ;
- clk
  ( PIN clk )
+ ROUTED metal1 ( 14640 11400 ) ( 14720 * ) M2_M1
  NEW metal2 ( 14720 11400 ) ( * 10800 ) M3_M2
END NETS
SPECIALNETS 1 ;
- gnd
+ ROUTED metal1 40 ( 22080 11585 ) ( * 11640 ) ;
END SPECIALNETS
";

    #[test]
    fn a_layout_is_read() {
        let layout = parse(DEF, &sizes(LEF)).unwrap();
        assert_eq!(layout.size(), [274.4, 196.0]);
        assert_eq!(layout.logic_cells(), 1);
        assert_eq!(layout.cells[1], ("INVX1".into(), [2.0, 0.5], [1.6, 10.0]));
        let second = Wire { metal: 2, from: [147.2, 114.0], to: [147.2, 108.0] };
        assert_eq!((layout.wires.len(), &layout.wires[1]), (3, &second));
        assert!((layout.wire_um() - 7.35).abs() < 1e-9);
    }

    #[test]
    fn a_broken_file_is_no_layout() {
        assert_eq!(parse("DIEAREA ( 0 0 )", &HashMap::new()), None);
        assert_eq!(parse("", &HashMap::new()), None);
    }
}
