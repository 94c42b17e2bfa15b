//! How items are varied while they are learned.

use super::failure::{Failure, wrong};
use super::number;
use hwgen_data::{Augment, FeatureAugment, ImageAugment, Kind, Parts};

/// What of it is asked for.
#[derive(clap::Args)]
#[command(next_help_heading = "How training items are varied (docs/data.md)")]
pub(super) struct AugmentArgs {
    /// Images: pixels that they move at most [default: 2]
    #[arg(long, value_name = "N", value_parser = number::within::<0, 1024>)]
    shift: Option<usize>,
    /// Images: none is mirrored left to right; without, every second one is by chance
    #[arg(long)]
    no_flip: bool,
    /// Images: the side of a square that becomes gray
    #[arg(long, value_name = "N", value_parser = number::within::<0, 1024>)]
    cutout: Option<usize>,
    /// Features: frames that they move at most
    #[arg(long, value_name = "N", value_parser = number::within::<0, 1024>)]
    time_shift: Option<usize>,
    /// Features: neighboring frames, at most, that become the mean
    #[arg(long, value_name = "N", value_parser = number::within::<0, 1024>)]
    time_mask: Option<usize>,
    /// Features: neighboring coefficients, at most, that become their means
    #[arg(long, value_name = "N", value_parser = number::within::<0, 1024>)]
    frequency_mask: Option<usize>,
    /// Features: standard deviation of noise
    #[arg(long, value_name = "S", value_parser = number::noise)]
    noise: Option<f32>,
}

/// As training takes them. What is asked for of other items than these is a mistake.
pub(super) fn augment(args: &AugmentArgs, parts: &Parts) -> Result<Augment, Failure> {
    let of_images = args.shift.is_some() || args.no_flip || args.cutout.is_some();
    let of_features = [args.time_shift, args.time_mask, args.frequency_mask];
    let of_features = of_features.iter().any(Option::is_some) || args.noise.is_some();
    match parts.train.items().head().kind {
        Kind::Image if of_features => wrong(
            "--time-shift, --time-mask, --frequency-mask and --noise are for clips, not images",
        ),
        Kind::Audio if of_images => {
            wrong("--shift, --no-flip and --cutout are for images, not clips")
        }
        Kind::Image => Ok(Augment::Image(ImageAugment {
            shift: args.shift.unwrap_or(2),
            flip: !args.no_flip,
            cutout: args.cutout.unwrap_or(0),
        })),
        Kind::Audio => Ok(Augment::Features(FeatureAugment {
            time_shift: args.time_shift.unwrap_or(0),
            time_mask: args.time_mask.unwrap_or(0),
            frequency_mask: args.frequency_mask.unwrap_or(0),
            noise: args.noise.unwrap_or(0.0),
        })),
    }
}
