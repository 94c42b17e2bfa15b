//! A module on our two engines and on Verilator, compared in every cycle.
//!
//! Needs Verilator and a C++ compiler (`hwgen doctor`).

use anyhow::Result;
use hwgen_hdl::lib::fifo;
use hwgen_hdl::{fields, s, u};
use hwgen_verify::cosim::{Comparison, Engine, compare};

fn main() -> Result<()> {
    let module = fifo(16, &fields([("sample", s(24)), ("last", u(1))]));
    let engines = [Engine::Interpreter, Engine::Jit, Engine::Verilator];
    let plan = Comparison { cycles: 2_000, ..Comparison::new(&*module.name, &engines) };
    let report = compare(&module, &plan)?;
    println!("{report}");
    report.assert_equal().map_err(Clone::clone)?;
    Ok(())
}

#[test]
fn story() {
    main().unwrap();
}
