//! Sets that are generated: the same from the same seed, and neither too easy nor too hard.

mod learn;

use hwgen_data::{Augment, Color, Data, Options, Shapes, Source, Tones};
use std::path::Path;
use std::time::Instant;

/// Trains on a set and tells the share of the test that comes out right.
fn learned(name: &str, data: &Data, epochs: u32) -> f64 {
    let began = Instant::now();
    let test = data.test.as_ref().unwrap();
    let right = learn::learned(&data.train, test, &Augment::None, epochs);
    let (train, test, seconds) = (data.train.len(), test.len(), began.elapsed().as_secs_f64());
    println!("{name}: {right:.3} of {test} right after {epochs} epochs of {train}, {seconds:.1} s");
    right
}

#[test]
fn a_small_network_learns_shapes() {
    let right = learned("shapes", &Shapes::default().data().unwrap(), 8);
    assert!((0.88..=0.98).contains(&right), "{right}");
}

#[test]
fn a_small_network_learns_tones() {
    let right = learned("tones", &Tones::default().data().unwrap(), 12);
    assert!((0.88..=0.98).contains(&right), "{right}");
}

#[test]
fn the_same_seed_gives_the_same_set() {
    let shapes = |seed| Shapes { train: 16, test: 8, seed, ..Shapes::default() }.data().unwrap();
    let tones = |seed| Tones { train: 16, test: 8, seed, ..Tones::default() }.data().unwrap();
    for (one, again, other) in [(shapes(7), shapes(7), shapes(8)), (tones(7), tones(7), tones(8))] {
        let both = |data: &Data| (data.train.items().clone(), data.test.clone().unwrap());
        assert_eq!(both(&one).0, both(&again).0);
        assert_eq!(both(&one).1.items(), both(&again).1.items());
        assert_ne!(both(&one).0, both(&other).0);
        // train and test are of different streams
        assert_ne!(one.train.get(0).values, one.test.as_ref().unwrap().get(0).values);
        assert_eq!(one.train.histogram(), [2; 8]);
    }
    // a longer set begins as a shorter one does
    let longer = Shapes { train: 20, test: 8, seed: 7, ..Shapes::default() }.data().unwrap();
    assert_eq!(longer.train.get(15), shapes(7).train.get(15));
}

#[test]
fn test_speakers_are_new() {
    let data = Tones { train: 512, test: 128, ..Tones::default() }.data().unwrap();
    let test = data.test.unwrap();
    let (train, tested) = (data.train.groups(), test.groups());
    println!("{} speakers train, {} test", train.len(), tested.len());
    assert!(train.is_disjoint(&tested) && train.len() == 64 && tested.len() == 16);
}

#[test]
fn generated_sets_have_names() {
    for (name, said) in [
        ("shapes", "generated shapes: 4000 28 x 28 gray images of 8 classes, test of 1000"),
        ("shapes-rgb", "generated shapes: 4000 32 x 32 color images of 8 classes, test of 1000"),
        (
            "tones",
            "generated tones: 3200 clips as 49 x 10 features, 8 words of 80 speakers, test of 800",
        ),
        (
            "tones-cenet",
            "generated tones: 3200 clips as 101 x 40 features, 8 words of 80 speakers, test of 800",
        ),
    ] {
        assert_eq!(Source::open(Path::new(name)).unwrap().to_string(), said);
    }
    let data = Source::open(Path::new("shapes-rgb")).unwrap().load(&Options::default()).unwrap();
    assert_eq!(data.train.items().shape().channels, 3);
}

#[test]
fn numbers_that_cannot_be() {
    let said = |data: Result<Data, hwgen_data::DataError>| data.unwrap_err().to_string();
    let many = Shapes { train: 1 << 40, color: Color::Rgb, ..Shapes::default() };
    assert_eq!(
        said(many.data()),
        "`items` = 1099511627776 + 1000 is out of range: must be at most 524288 each"
    );
    let few = Tones { speakers: 4, ..Tones::default() };
    assert_eq!(said(few.data()), "`speakers` = 4 is out of range: must be 5..=65536");
    let noise = Shapes { noise: f32::NAN, ..Shapes::default() };
    assert_eq!(said(noise.data()), "`noise` = NaN is out of range: must be a number of 0 or more");
}
