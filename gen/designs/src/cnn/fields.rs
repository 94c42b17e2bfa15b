//! The fields of a job: their order, names and types, stated once.

use super::spec::ADDRESS_BITS;
use hwgen_hdl::{Bundle, Fields, Signal, Type, s, u};

/// Words of a job in memory.
pub(super) const JOB_WORDS: u32 = 21;

pub(super) const INPUT: u32 = 0;
pub(super) const OUTPUT: u32 = 1;
pub(super) const CONVOLVE: u32 = 2;
pub(super) const ADD: u32 = 3;
pub(super) const SOFTMAX: u32 = 4;
pub(super) const FILL: u32 = 5;
pub(super) const LOOKUP: u32 = 6;

/// Makes a struct of the fields, which holds numbers of a job, types, or signals of the core.
macro_rules! job_fields {
    ($($name:ident: $ty:expr,)*) => {
        /// A value for each field of a job, in order from bit 0.
        #[derive(Debug, Clone, Copy, Default)]
        pub(super) struct JobFields<T> {
            $(pub(super) $name: T,)*
        }

        impl<T> JobFields<T> {
            /// The values with their names, in order.
            pub(super) fn list(self) -> Vec<(&'static str, T)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }

        impl JobFields<Type> {
            /// What each field can hold.
            pub(super) fn types() -> JobFields<Type> {
                JobFields { $($name: $ty,)* }
            }
        }

        impl<'m> JobFields<Signal<'m>> {
            /// The fields in a job's bits, each named after what it is.
            pub(super) fn unpack(bits: Signal<'m>) -> JobSignals<'m> {
                let types = JobFields::types().list().into_iter();
                let types: Fields = types.map(|(name, ty)| (name.to_owned(), ty)).collect();
                let used = types.iter().map(|(_, ty)| ty.width).sum();
                let job = Bundle::unpack(&types, bits.truncate(used));
                let job = job.map(|name, field| field.named(format!("job_{name}")));
                JobFields { $($name: job.get(stringify!($name)),)* }
            }
        }
    };
}

/// A job in the core's registers.
pub(super) type JobSignals<'m> = JobFields<Signal<'m>>;

job_fields! {
    kind: u(3),
    last: u(1),
    depthwise: u(1),
    group: u(3),
    weight_bits: u(4),
    shared: u(1),
    hold: u(1),
    rounding: u(2),
    largest: u(1),
    input: u(ADDRESS_BITS),
    height: u(12),
    width: u(12),
    y: s(13),
    x: s(13),
    padding: s(8),
    stride_y: u(12),
    stride_x: u(12),
    dilation_y: u(12),
    dilation_x: u(12),
    kernel_rows_less_1: u(12),
    kernel_columns_less_1: u(12),
    channel_steps_less_1: u(16),
    to_next_column: u(ADDRESS_BITS),
    to_next_row: u(ADDRESS_BITS),
    to_next_window: u(ADDRESS_BITS),
    to_next_line: u(ADDRESS_BITS),
    columns_less_1: u(12),
    positions: u(20),
    blocks_less_1: u(12),
    block_input: u(ADDRESS_BITS),
    block_output: u(ADDRESS_BITS),
    output: u(ADDRESS_BITS),
    output_pitch: u(ADDRESS_BITS),
    chunks_less_1: u(8),
    idle: u(16),
    weights: u(ADDRESS_BITS),
    scales: u(14),
    zero: s(8),
    least: s(8),
    most: s(8),
    // inputs of an addition, its second's also the distance of a twin; the steps of a softmax are its first multiplier; the beats of a
    // transfer and the chunks of an addition are positions
    second: u(ADDRESS_BITS),
    zero_0: s(8),
    zero_1: s(8),
    multiplier_0: u(31),
    multiplier_1: u(31),
    multiplier_2: u(31),
    right_0: u(5),
    right_1: u(5),
    right_2: u(5),
    dual: u(1),
    wraps: u(1),
    input_nibbles: u(1),
    second_nibbles: u(1),
    output_nibbles: u(1),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_fits_its_words() {
        let bits: u32 = JobFields::types().list().iter().map(|(_, ty)| ty.width).sum();
        assert!(bits <= 32 * JOB_WORDS && bits > 32 * (JOB_WORDS - 1), "{bits} bits");
    }
}
