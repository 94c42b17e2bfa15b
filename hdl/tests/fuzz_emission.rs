//! Random netlists are built, simplified and printed without complaint.

use hwgen_hdl::fuzz::{Shape, random_module};

#[test]
fn random_netlists_print() {
    for seed in 0..200 {
        let module = random_module(seed, Shape::default());
        let text = module.verilog().unwrap();
        assert_eq!(text, random_module(seed, Shape::default()).verilog().unwrap(), "same bytes");
    }
}
