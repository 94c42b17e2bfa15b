//! What `describe` shows.

use hwgen_designs::registry::{designs, find};

#[test]
fn describe_lapa() {
    let design = find("lapa_predictor").unwrap().configure(None, &[]).unwrap();
    insta::assert_snapshot!(format!("{}\n\n{}", design.latency(), design.diagram()));
}

#[test]
fn every_design_describes_itself() {
    for design in designs() {
        let configured = design.configure(None, &[]).unwrap();
        assert!(!design.summary().is_empty() && !configured.latency().is_empty());
        assert!(configured.diagram().lines().count() > 3);
        assert!(configured.build().verilog().is_ok());
    }
}
