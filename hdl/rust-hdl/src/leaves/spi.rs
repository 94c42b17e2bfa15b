//! A serial peripheral interface master.

use super::with_width;
use crate::{Error, LeafBuilder};
use hwgen_hdl::Module;
use rust_hdl::prelude::*;
use std::sync::Arc;

/// rust-hdl's SPI master with a shift register of `width` bits; most significant bit first.
///
/// Ports: `start_send` takes `data_outbound[width]` and `bits_outbound[16]`, the number of bits
/// to send, 0 to `width` (more is an error of the caller: rust-hdl aborts on it); `busy`,
/// `transfer_done` (one cycle), `data_inbound[width]`; `continued_transaction` keeps the chip
/// select on after the transfer; the wires `wires__mosi`, `wires__miso`, `wires__msel`,
/// `wires__mclk`; `clock`.
///
/// # Errors
/// [`Error::OutOfTable`] for other widths, [`Error::SpiSpeed`] for speeds it cannot make.
pub fn spi_master(width: u32, config: SPIConfig) -> Result<Arc<Module>, Error> {
    let (clock_hz, speed_hz) = (config.clock_speed, config.speed_hz);
    let too_fast = speed_hz.checked_mul(8).is_none_or(|least| least > clock_hz);
    let divider = (clock_hz as f64 / (4.0 * speed_hz as f64)).round();
    if too_fast || !(3.0..=f64::from(u32::MAX)).contains(&divider) {
        return Err(Error::SpiSpeed { clock_hz, speed_hz });
    }
    let bit = u8::from;
    let name = format!(
        "spi_master_w{width}_div{divider}_cpol{}_cpha{}_cs{}_mosi{}",
        bit(config.cpol),
        bit(config.cpha),
        bit(config.cs_off),
        bit(config.mosi_off)
    );
    with_width!("spi_master", "width" = width in "2 to 32", master(name, config))
}

fn master<const N: usize>(name: String, config: SPIConfig) -> Result<Arc<Module>, Error> {
    LeafBuilder::new(name, move || SPIMaster::<N>::new(config))
        .input(|block| &mut block.clock)
        .input(|block| &mut block.bits_outbound)
        .input(|block| &mut block.data_outbound)
        .input(|block| &mut block.start_send)
        .input(|block| &mut block.continued_transaction)
        .input(|block| &mut block.wires.miso)
        .registered()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_the_strobe_cannot_make_is_refused_with_the_rule() {
        let config = |clock_speed, speed_hz| SPIConfig {
            clock_speed,
            speed_hz,
            cs_off: true,
            mosi_off: false,
            cpha: false,
            cpol: false,
        };
        let error = spi_master(8, config(48_000_000, 6_000_000)).err().unwrap();
        assert_eq!(
            error.to_string(),
            "spi_master: 6000000 Hz cannot be made from a 48000000 Hz clock: \
             clock_hz / (4 * speed_hz), rounded, must be 3 to 4294967295"
        );
        assert!(spi_master(8, config(48_000_000, 0)).is_err());
        assert!(spi_master(8, config(48_000_000, u64::MAX)).is_err());
        assert!(spi_master(8, config(48_000_000, 4_000_000)).is_ok());
    }
}
