//! Spaces as they come, and as nobody should send them.

use crate::common::{any_space, batch, choice, items, leaves, rng, supernet};
use hwgen_search::integers::candidate;
use hwgen_search::space::{Choice, Layer, PRESETS, Shape, Slots, Space, Subnet, preset};
use hwgen_search::supernet::{Normal, Run, Sharing};
use rand::Rng;

/// A subnet's layers fit in what the space keeps, put out what they say, and are a network.
fn works(space: &Space, choice: &Choice, seed: u64) {
    let subnet = space.subnet(choice).unwrap();
    fits(space, &subnet);
    let items = items(space.input, space.classes, 2, seed);
    let supernet = supernet(space.clone(), Sharing::Free, &items, seed);
    let leaves = leaves(&supernet);
    let run = Run { supernet: &supernet, leaves: &leaves, subnet: &subnet, gates: None };
    let scores = run.watched(batch(&items, 2), Normal::Batch, |node, value| {
        assert_eq!(value.dims(), [2, node.image[0], node.image[1], node.channels], "{node:?}");
    });
    assert_eq!(scores.dims(), [2, space.classes]);
    candidate(&supernet, &subnet)
        .unwrap_or_else(|error| panic!("{error}: {choice:?} of {space:?}"));
}

fn fits(space: &Space, subnet: &Subnet) {
    let slots = Slots::of(space);
    for node in &subnet.nodes {
        let slot = &slots.slots[slots.place(&node.name).unwrap()];
        let inputs = node.inputs.first().map_or(0, |&n| subnet.nodes[n].channels);
        let within =
            |small: &[usize], large: &[usize]| small.iter().zip(large).all(|(s, l)| s <= l);
        let fits = match (node.layer, slot.shape) {
            (Layer::Conv { kernel: [y, x], .. }, Shape::Conv(most)) => {
                within(&[y, x, inputs, node.channels], &most)
            }
            (Layer::Depthwise { kernel: [y, x], .. }, Shape::Depthwise(most)) => {
                within(&[y, x, node.channels], &most)
            }
            (Layer::Dense { .. }, Shape::Dense(most)) => within(&[inputs, node.channels], &most),
            (Layer::Graph { .. }, Shape::Graph(most)) => node.channels <= most,
            (Layer::Input | Layer::Add | Layer::Mean, Shape::Range) => true,
            _ => false,
        };
        assert!(fits, "{node:?} in {slot:?}");
    }
}

#[test]
fn every_choice_of_a_space_is_a_network() {
    let mut rng = rng(1);
    for n in 0..150 {
        let space = any_space(&mut rng);
        space.check().unwrap_or_else(|error| panic!("{error}: {space:?}"));
        let genes = space.genes();
        assert!(genes.iter().all(|gene| gene.options > 1), "no gene without a choice");
        assert_eq!(genes.len(), space.largest().0.len());
        let mut places: Vec<_> = genes.iter().map(|gene| (&gene.place, gene.pick)).collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), genes.len(), "each asks for something of its own");
        let some = [space.largest(), space.smallest(), choice(&space, &mut rng)];
        some.iter().for_each(|choice| works(&space, choice, n));
        for _ in 0..20 {
            fits(&space, &space.subnet(&choice(&space, &mut rng)).unwrap());
        }
    }
}

#[test]
fn presets_do_for_images_and_features() {
    let mut rng = rng(2);
    for name in PRESETS {
        for input in [[28, 28, 1], [32, 32, 3], [49, 10, 1], [101, 40, 1]] {
            let space = preset(name, input, 10).unwrap();
            space.check().unwrap();
            for n in 0..2 {
                works(&space, &choice(&space, &mut rng), n);
            }
        }
    }
}

#[test]
fn files_say_what_they_said() {
    let mut rng = rng(3);
    for _ in 0..200 {
        let space = any_space(&mut rng);
        let text = serde_json::to_string(&space).unwrap();
        let read = Space::read(&text).unwrap();
        assert_eq!(read, space);
        assert_eq!(serde_json::to_string(&read).unwrap(), text, "one text for one space");
        let choice = choice(&space, &mut rng);
        let text = serde_json::to_string(&choice).unwrap();
        assert_eq!(serde_json::from_str::<Choice>(&text).unwrap(), choice);
    }
}

#[test]
fn a_choice_of_another_space_is_none() {
    let mut rng = rng(4);
    let space = preset("shapes", [28, 28, 1], 4).unwrap();
    let genes = space.genes();
    for _ in 0..200 {
        let mut choice = choice(&space, &mut rng);
        let place = rng.random_range(0..genes.len());
        match rng.random_range(0..3) {
            0 => choice.0.truncate(place),
            1 => choice.0.push(0),
            _ => choice.0[place] = rng.random_range(genes[place].options as u8..=255),
        }
        assert!(space.subnet(&choice).is_err(), "{choice:?}");
    }
}

/// A file of one block, with something of it replaced.
fn file(from: &str, to: &str) -> String {
    let text = r#"{"version":1,"name":"s","input":[28,28,1],"classes":4,"weight_bits":[4,8],
        "activation_bits":[8],"blocks":[{"name":"a","kind":"conv","kernels":[[3,3]],
        "stride":[1,1],"channels":[8],"expansions":[],"optional":false}]}"#;
    assert!(text.contains(from), "{from}");
    text.replace(from, to)
}

#[test]
fn what_is_no_space_is_told() {
    assert!(Space::read(&file("\"s\"", "\"t\"")).is_ok());
    let block = |text: &str| file("}]}", &format!("}},{text}]}}"));
    let cases = [
        (String::new(), "not a space"),
        ("[".repeat(100_000), "not a space"),
        (file("\"version\":1", "\"version\":2"), "version 2; it may be 1 to 1"),
        (file("\"s\"", "\"\""), "name ; it may be of 1 to 64 bytes"),
        (file("\"s\"", "\"a\\nb\""), "without control characters"),
        (file("\"s\"", &format!("\"{}\"", "n".repeat(65))), "of 1 to 64 bytes"),
        (file("[28,28,1]", "[0,28,1]"), "pixels a side 0"),
        (file("[28,28,1]", "[28,1025,1]"), "pixels a side 1025"),
        (file("[28,28,1]", "[28,28,18446744073709551615]"), "channels 18446744073709551615"),
        (file("[28,28,1]", "[28,28,18446744073709551616]"), "not a space"),
        (file("[28,28,1]", "[28,28]"), "not a space"),
        (file("[28,28,1]", "[1024,1024,4096]"), "layer `input`: elements 4294967296"),
        (file("\"classes\":4", "\"classes\":1"), "classes 1"),
        (file("\"classes\":4", "\"classes\":-4"), "not a space"),
        (file("[4,8]", "[]"), "weight_bits []"),
        (file("[4,8]", "[8,4]"), "weight_bits [8, 4]"),
        (file("[4,8]", "[1,8]"), "weight_bits [1, 8]"),
        (file("[4,8]", "[4,9]"), "weight_bits [4, 9]"),
        (file("\"activation_bits\":[8]", "\"activation_bits\":[8,8]"), "activation_bits [8, 8]"),
        (file("[[3,3]]", "[]"), "kernels 0"),
        (file("[[3,3]]", "[[0,3]]"), "rows or columns 0"),
        (file("[[3,3]]", "[[3,32]]"), "rows or columns 32"),
        (file("[[3,3]]", "[[3,3],[4,4]]"), "odd, so that they have one middle"),
        (file("[[3,3]]", "[[5,5],[3,3]]"), "ascending"),
        (file("[[3,3]]", "[[3,3],[3,3]]"), "ascending"),
        (file("\"stride\":[1,1]", "\"stride\":[0,1]"), "rows or columns 0"),
        (file("[8],\"exp", "[0],\"exp"), "channels [0]"),
        (file("[8],\"exp", "[4097],\"exp"), "channels [4097]"),
        (file("\"expansions\":[]", "\"expansions\":[2]"), "expansions 1; it may be 0 to 0"),
        (file("\"optional\":false", "\"optional\":true"), "of stride 1 and without channels"),
        (file("\"conv\"", "\"graph\""), "of stride 1 and without channels"),
        (file("\"conv\"", "\"inverted\""), "expansions []"),
        (file("\"conv\"", "\"transformer\""), "not a space"),
        (file("\"optional\":false", "\"optional\":false,\"more\":1"), "unknown field `more`"),
        (file("\"a\"", "\"\""), "of 1 to 64 letters, digits and _"),
        (file("\"a\"", "\"a b\""), "of 1 to 64 letters, digits and _"),
        (file("\"a\"", "\"a;endmodule\""), "of 1 to 64 letters, digits and _"),
        (file("\"a\"", "\"\\u00e4\""), "of 1 to 64 letters, digits and _"),
        (file("\"a\"", "\"input\""), "layers input; it may be otherwise called"),
        (file("\"a\"", "\"scores\""), "layers scores"),
        (file("\"a\"", "\"mean\""), "layers mean"),
        (block(r#"{"name":"a","kind":"conv"}"#), "blocks a; it may be of a name each"),
        (
            block(r#"{"name":"b","kind":"separable"},{"name":"b_depthwise","kind":"conv"}"#),
            "layers b_depthwise; it may be otherwise called: two layers have this name",
        ),
        (
            block(r#"{"name":"g","kind":"graph"},{"name":"g_nodes_theta","kind":"conv"}"#),
            "layers g_nodes_theta",
        ),
        (block(r#"{"name":"g","kind":"graph","kernels":[[1,1],[3,3]]}"#), "it has none"),
        (
            file("[8],\"exp", "[4096],\"exp")
                .replace("28,28,1", "2,2,1")
                .replace("}]}", r#"},{"name":"b","kind":"inverted","expansions":[256]}]}"#),
            "weights of the largest subnet",
        ),
        (
            file("28,28,1", "1024,1024,1").replace("}]}", r#"},{"name":"b","kind":"graph"}]}"#),
            "elements",
        ),
        (
            block(&vec![r#"{"name":"b","kind":"conv"}"#; 64].join(",")),
            "blocks 65; it may be 1 to 64",
        ),
    ];
    for (text, says) in cases {
        let error = Space::read(&text).map(|space| format!("{space:?}")).unwrap_err().to_string();
        assert!(error.contains(says), "`{error}` for `{says}`");
    }
}
