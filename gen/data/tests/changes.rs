//! Batches, augmentation and drift.

use hwgen_data::{
    Augment, Batches, Drift, FeatureAugment, Head, ImageAugment, Items, Kind, Scale, Shape, Shapes,
    Subset, Tones,
};

/// Images of 4 x 3 pixels in two channels; the integer tells where it lies.
fn images(count: usize) -> Subset {
    let head = Head {
        name: "made".into(),
        kind: Kind::Image,
        shape: Shape { height: 4, width: 3, channels: 2 },
        scale: Scale::PIXELS,
        classes: vec!["a".into(), "b".into()],
    };
    let values = (0..count).flat_map(|n| (0..24).map(move |at| (at + 30 * (n % 4)) as i8));
    let labels = (0..count).map(|n| (n % 2) as u16).collect();
    Items::new(head, values.collect(), labels).unwrap().into()
}

fn tones() -> Subset {
    Tones { train: 16, test: 8, ..Tones::default() }.data().unwrap().train
}

#[test]
fn batches_are_in_the_order_of_networks() {
    let batches: Vec<_> = Batches::in_order(&images(5), 2).unwrap().collect();
    let sizes: Vec<_> = batches.iter().map(|batch| batch.labels.len()).collect();
    assert_eq!((sizes, &batches[1].labels), (vec![2, 2, 1], &vec![0, 1]));
    assert_eq!(Batches::in_order(&images(5), 2).unwrap().len(), 3);
    let steps: Vec<f32> = batches[0].inputs.iter().map(|x| (x * 255.0).round() - 128.0).collect();
    // the channels of a pixel lie side by side
    let expected: Vec<f32> = (0..24).chain(30..54).map(|step| step as f32).collect();
    assert_eq!(steps, expected);
    let said = Batches::in_order(&images(5), 0).unwrap_err().to_string();
    assert_eq!(said, "`batch size` = 0 is out of range: must be at least 1");
}

#[test]
fn an_epoch_has_each_item_once() {
    let items = images(100);
    let epoch = |epoch| {
        let batches = Batches::epoch(&items, 7, &Augment::None, 3, epoch).unwrap();
        batches.flat_map(|batch| batch.inputs).collect::<Vec<_>>()
    };
    assert_eq!(epoch(0), epoch(0));
    assert_ne!(epoch(0), epoch(1));
    let sorted = |mut inputs: Vec<f32>| {
        inputs.sort_by(f32::total_cmp);
        inputs
    };
    let all: Vec<f32> = Batches::in_order(&items, 100).unwrap().next().unwrap().inputs;
    assert_eq!(sorted(epoch(0)), sorted(all));
}

#[test]
fn integers_and_real_numbers_agree() {
    for scale in [Scale::PIXELS, Scale { scale: 0.584_702_9, zero_point: 83 }] {
        assert!((-128..=127).all(|q: i32| scale.integer(scale.real(q as i8)) == q as i8));
        assert_eq!((scale.integer(f32::MAX), scale.integer(f32::MIN)), (127, -128));
    }
    assert_eq!((Scale::PIXELS.real(-128), Scale::PIXELS.real(127)), (0.0, 1.0));
}

/// Every item's inputs after a change, by seed and epoch, in the items' order.
fn changed(items: &Subset, augment: &Augment, seed: u64, epoch: u32) -> Vec<Vec<f32>> {
    let order = items.shuffled(seed, epoch.into());
    let batches = Batches::epoch(items, 1, augment, seed, epoch).unwrap();
    let mut rows: Vec<(u32, Vec<f32>)> =
        order.indices().iter().copied().zip(batches.map(|batch| batch.inputs)).collect();
    rows.sort_by_key(|(index, _)| *index);
    rows.into_iter().map(|(_, inputs)| inputs).collect()
}

#[test]
fn a_change_depends_on_seed_epoch_and_item_alone() {
    let image = Augment::Image(ImageAugment { shift: 2, flip: true, cutout: 8 });
    let features = FeatureAugment { time_shift: 4, time_mask: 8, frequency_mask: 2, noise: 1.0 };
    let shapes = Shapes { train: 16, test: 8, ..Shapes::default() }.data().unwrap().train;
    for (items, augment) in [(shapes, image), (tones(), Augment::Features(features))] {
        let one = changed(&items, &augment, 1, 0);
        assert_eq!(one, changed(&items, &augment, 1, 0));
        let (seed, epoch) = (changed(&items, &augment, 2, 0), changed(&items, &augment, 1, 1));
        let plain = changed(&items, &Augment::None, 1, 0);
        for other in [seed, epoch, plain] {
            let same = one.iter().zip(&other).filter(|(one, other)| one == other).count();
            assert!(same <= 2, "{same} of {} items are the same", one.len());
        }
        // the same item in other company is changed alike
        let half = items.pick((0..items.len()).step_by(2));
        let alone = changed(&half, &augment, 1, 0);
        assert!(alone.iter().zip(one.iter().step_by(2)).all(|(alone, one)| alone == one));
    }
}

#[test]
fn nothing_asked_changes_nothing() {
    let none =
        [Augment::Image(ImageAugment::default()), Augment::Features(FeatureAugment::default())];
    for (items, augment) in [images(8), tones()].into_iter().zip(none) {
        assert_eq!(changed(&items, &augment, 1, 0), changed(&items, &Augment::None, 1, 0));
    }
}

#[test]
fn images_are_moved_mirrored_and_cut() {
    let items = images(64);
    // a channel after the other, whole
    let planes = |image: Vec<f32>| -> Vec<f32> {
        (0..2).flat_map(|channel| image.iter().copied().skip(channel).step_by(2)).collect()
    };
    let only = |augment| -> Vec<Vec<f32>> {
        changed(&items, &Augment::Image(augment), 5, 0).into_iter().map(planes).collect()
    };
    let plain = only(ImageAugment::default());
    let flipped = only(ImageAugment { flip: true, ..ImageAugment::default() });
    let mirror = |image: &Vec<f32>| {
        image.chunks(3).flat_map(|row| row.iter().rev().copied()).collect::<Vec<_>>()
    };
    let mirrored = plain.iter().zip(&flipped).filter(|(plain, now)| mirror(plain) == **now).count();
    let same = plain.iter().zip(&flipped).filter(|(plain, now)| plain == now).count();
    println!("{mirrored} of {} mirrored", plain.len());
    assert!(mirrored + same == 64 && (20..=44).contains(&mirrored));
    // every row of a moved image is black or one of the image's, moved
    let moved = only(ImageAugment { shift: 1, ..ImageAugment::default() });
    for (plain, now) in plain.iter().zip(&moved) {
        let known = |row: &[f32]| {
            plain.chunks(3).any(|old| {
                row == old
                    || row == [&[0.0], &old[..2]].concat()
                    || row == [&old[1..], &[0.0]].concat()
            })
        };
        assert!(now.chunks(3).all(|row| row == [0.0; 3] || known(row)), "{plain:?} {now:?}");
    }
    let cut = only(ImageAugment { cutout: 2, ..ImageAugment::default() });
    let gray = Scale::PIXELS.real(Scale::PIXELS.integer(0.5));
    for (plain, now) in plain.iter().zip(&cut) {
        let cut = plain.iter().zip(now).filter(|(plain, now)| plain != now).count();
        assert!((1..=8).contains(&cut) && now.iter().filter(|x| **x == gray).count() >= cut);
    }
    // a shift and a square as large as can be said
    let all = only(ImageAugment { shift: usize::MAX, cutout: usize::MAX, flip: true });
    assert!(all.iter().flatten().all(|x| *x == gray));
}

#[test]
fn features_are_moved_and_masked() {
    let items = tones();
    let only = |augment| changed(&items, &Augment::Features(augment), 5, 0);
    let plain = only(FeatureAugment::default());
    let moved = only(FeatureAugment { time_shift: 5, ..FeatureAugment::default() });
    for (plain, now) in plain.iter().zip(&moved) {
        let frames: Vec<&[f32]> = plain.chunks(10).collect();
        let at = |later: i64| {
            (0..49).all(|frame: i64| {
                now.chunks(10).nth(frame as usize)
                    == Some(frames[(frame - later).clamp(0, 48) as usize])
            })
        };
        assert!((-5..=5).any(at));
    }
    let masked =
        only(FeatureAugment { time_mask: 5, frequency_mask: 3, ..FeatureAugment::default() });
    for (plain, now) in plain.iter().zip(&masked) {
        let differs = |at: &usize| plain[*at] != now[*at];
        let frames = (0..49).filter(|f| {
            (f * 10..f * 10 + 10)
                .any(|at| differs(&at) && (0..10).filter(|k| differs(&(f * 10 + k))).count() > 3)
        });
        assert!(frames.count() <= 5);
    }
    let endless = FeatureAugment {
        time_shift: usize::MAX,
        time_mask: usize::MAX,
        frequency_mask: usize::MAX,
        noise: 1e30,
    };
    assert_eq!(only(endless).len(), 16);
}

#[test]
fn changes_are_for_their_kind() {
    let check =
        |items: &Subset, augment: Augment| augment.check(items.items()).unwrap_err().to_string();
    let image = Augment::Image(ImageAugment::default());
    assert_eq!(check(&tones(), image), "tones, train: shift, flip and cutout need images");
    let features = Augment::Features(FeatureAugment::default());
    assert_eq!(
        check(&images(1), features),
        "made: masks of time and frequency need features of audio"
    );
    let noise = Augment::Features(FeatureAugment { noise: -1.0, ..FeatureAugment::default() });
    assert_eq!(
        check(&tones(), noise),
        "`noise` = -1 is out of range: must be a number of 0 or more"
    );
    let turn = Drift::Rotate { degrees: 9.0 }.apply(&tones(), 0).unwrap_err().to_string();
    assert_eq!(turn, "tones, train: rotations need images");
    let turn =
        Drift::Rotate { degrees: f32::INFINITY }.apply(&images(1), 0).unwrap_err().to_string();
    assert_eq!(turn, "`degrees` = inf is out of range: must be a finite number");
}

#[test]
fn a_quarter_turn_is_exact() {
    let shapes =
        Shapes { train: 16, test: 8, noise: 0.0, ..Shapes::default() }.data().unwrap().train;
    let turned = Drift::Rotate { degrees: 90.0 }.apply(&shapes, 0).unwrap();
    for (before, after) in shapes.iter().zip(turned.iter()) {
        assert_eq!((before.label, &before.name), (after.label, &after.name));
        for (row, column) in (0..28).flat_map(|row| (0..28).map(move |column| (row, column))) {
            let (was, is) =
                (before.values[column * 28 + 27 - row], after.values[row * 28 + column]);
            // corners of the grid may fall outside by rounding
            let edge = [row, column].iter().any(|at| [0, 27].contains(at));
            assert!(edge || was.abs_diff(is) <= 1, "{row} {column}: {was} {is}");
        }
    }
    let none = Drift::Rotate { degrees: 0.0 }.apply(&shapes, 0).unwrap();
    assert!(shapes.iter().zip(none.iter()).all(|(one, other)| one.values == other.values));
}

#[test]
fn noise_is_as_strong_as_asked() {
    let tones = tones();
    let noisy = |seed| Drift::Noise { deviation: 5.0 }.apply(&tones, seed).unwrap();
    assert_eq!(noisy(1).items(), noisy(1).items());
    assert_ne!(noisy(1).items(), noisy(2).items());
    assert_eq!(noisy(1).groups(), tones.groups());
    let noise = noisy(1);
    let scale = tones.items().scale();
    let pairs = tones.iter().zip(noise.iter());
    let squares: Vec<f32> = pairs
        .flat_map(|(one, other)| {
            let inside = |(a, b): (&i8, &i8)| {
                (b.unsigned_abs() < 120).then(|| (scale.real(*a) - scale.real(*b)).powi(2))
            };
            one.values.iter().zip(other.values).filter_map(inside).collect::<Vec<_>>()
        })
        .collect();
    let deviation = (squares.iter().sum::<f32>() / squares.len() as f32).sqrt();
    println!("noise of 5: a deviation of {deviation:.2} over {} features", squares.len());
    assert!((4.5..=5.5).contains(&deviation));
}
