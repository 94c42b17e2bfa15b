//! Images from files: IDX, CIFAR-10, folders of pictures.

mod files;

use files::{gzip, idx, problem, put, real};
use hwgen_data::{Augment, Batches, Color, Data, ImageAugment, Items, Options, Source};
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use std::io::Cursor;
use std::path::Path;
use std::time::Instant;

fn load(path: &Path) -> Data {
    Source::open(path).unwrap().load(&Options::default()).unwrap()
}

/// Images of 2 x 3, image n of pixels n, n + 1, .., and labels n % 4.
fn mnist_like(count: u32) -> (Vec<u8>, Vec<u8>) {
    let pixels: Vec<u8> = (0..count).flat_map(|n| (0..6).map(move |at| (n + at) as u8)).collect();
    let labels: Vec<u8> = (0..count).map(|n| (n % 4) as u8).collect();
    (idx(&[count, 2, 3], &pixels), idx(&[count], &labels))
}

#[test]
fn idx_files_are_found_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (images, labels) = mnist_like(8);
    put(at("train-images-idx3-ubyte"), &images);
    put(at("train-labels-idx1-ubyte.gz"), &gzip(&labels));
    assert!(load(folder.path()).test.is_none());
    let (images, labels) = mnist_like(3);
    put(at("t10k-images-idx3-ubyte.gz"), &gzip(&images));
    put(at("t10k-labels-idx1-ubyte.gz"), &gzip(&labels));
    for path in [folder.path().to_path_buf(), at("t10k-images-idx3-ubyte.gz")] {
        let said = Source::open(&path).unwrap().to_string();
        assert!(
            said.ends_with(": train-images-idx3-ubyte, test t10k-images-idx3-ubyte.gz"),
            "{said}"
        );
        let data = load(&path);
        assert_eq!((data.train.len(), data.test.as_ref().unwrap().len()), (8, 3));
        assert_eq!(data.train.items().classes(), ["0", "1", "2", "3"]);
        let item = data.train.get(5);
        assert_eq!(
            (item.values, item.label, &item.name[..]),
            (&[-123, -122, -121, -120, -119, -118][..], 1, "5")
        );
    }
    put(at("train6-images-idx3-ubyte"), &images);
    assert_eq!(load(&at("train-images-idx3-ubyte")).train.len(), 8);
    let said = problem(folder.path(), &Options::default());
    assert!(
        said.starts_with("DIR: 3 sets are there (train-images-idx3-ubyte, train6-images"),
        "{said}"
    );
}

#[test]
fn idx_files_that_lie() {
    let parse = |bytes: &[u8]| {
        let read = hwgen_data::idx::parse(Path::new("f"), bytes);
        let text = read.unwrap_err().to_string();
        text.strip_prefix("f: not an IDX file that can be used: ").unwrap().to_owned()
    };
    let (images, _) = mnist_like(2);
    assert_eq!(parse(&images[..20]), "axes [2, 2, 3] are 12 bytes, but 4 follow");
    assert_eq!(
        parse(&[&images[..], &[0]].concat()),
        "axes [2, 2, 3] are 12 bytes, but more follow"
    );
    assert_eq!(parse(&images[..7]), "it ends too early");
    assert_eq!(parse(b""), "it ends too early");
    assert_eq!(parse(&[1, 2, 3, 4]), "begins with [01, 02, 03, 04], not with 00 00 08");
    assert_eq!(parse(&[0, 0, 13, 1]), "elements of type 0x0d: must be bytes (0x08)");
    assert_eq!(parse(&[0, 0, 8, 200]), "200 axes: must be 1 to 4");
    let huge = "axes [4294967295, 4294967295, 4294967295]: at most 1073741824 elements are read";
    assert_eq!(parse(&idx(&[u32::MAX; 3], &[])), huge);
    // as much as may be, with nothing behind it: no room is made
    assert_eq!(
        parse(&idx(&[1 << 30], &[])),
        "axes [1073741824] are 1073741824 bytes, but 0 follow"
    );
    assert_eq!(parse(&gzip(&images)[..12]), "it ends too early");
    let mut damaged = gzip(&images);
    damaged[14] ^= 0x55;
    parse(&damaged);
    let bomb = gzip(&[idx(&[1 << 29], &[]), vec![0; 1 << 20]].concat());
    assert_eq!(parse(&bomb), "axes [536870912]: it unpacks to more than 67108864 bytes");
    let bomb = gzip(&[idx(&[4], &[]), vec![0; 1 << 26]].concat());
    println!("a bomb of {} bytes", bomb.len());
    assert_eq!(parse(&bomb), "axes [4] are 4 bytes, but more follow");
}

#[test]
fn idx_pairs_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (images, labels) = mnist_like(8);
    put(at("train-images-idx3-ubyte"), &images);
    let said = |folder: &Path| problem(folder, &Options::default());
    assert_eq!(
        said(folder.path()),
        "DIR: train-labels-idx1-ubyte is not there, which has the images' labels"
    );
    put(at("train-labels-idx1-ubyte"), &idx(&[7], &labels[8..15]));
    let text = said(folder.path());
    assert!(text.ends_with("8 images, but labels have the axes [7]"), "{text}");
    put(at("train-images-idx3-ubyte"), &idx(&[7, 0, 3], &[]));
    assert!(said(folder.path()).ends_with("0 elements of an item: must be 1..=1073741824"));
    put(at("train-images-idx3-ubyte"), &idx(&[7], &[1; 7]));
    assert!(said(folder.path()).ends_with("1 axes: images have 3 or 4"));
}

/// Records of CIFAR-10, the label n % 10, red of n, green of 100, blue of 200.
fn cifar(count: usize) -> Vec<u8> {
    let record = |n: usize| {
        [vec![(n % 10) as u8], vec![n as u8; 1024], vec![100; 1024], vec![200; 1024]].concat()
    };
    (0..count).flat_map(record).collect()
}

#[test]
fn cifar_records_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    put(at("data_batch_1.bin"), &cifar(12));
    put(at("data_batch_2.bin"), &cifar(3));
    put(at("test_batch.bin"), &cifar(5));
    let said = Source::open(folder.path()).unwrap().to_string();
    assert!(said.ends_with(": data_batch_1.bin, data_batch_2.bin, test test_batch.bin"), "{said}");
    let data = load(folder.path());
    assert_eq!((data.train.len(), data.test.unwrap().len()), (15, 5));
    let item = data.train.get(11);
    assert_eq!((item.label, &data.train.items().classes()[1][..]), (1, "automobile"));
    assert_eq!(item.values[..6], [-117, -28, 72, -117, -28, 72]);
    let alone = load(&at("test_batch.bin"));
    assert!(alone.train.len() == 5 && alone.test.is_none());

    let said =
        |bytes: &[u8]| hwgen_data::cifar10::parse(Path::new("f"), bytes).unwrap_err().to_string();
    let begin = "f: not a CIFAR-10 file that can be used: ";
    assert_eq!(
        said(&cifar(2)[1..]),
        format!("{begin}6145 bytes are not one or more records of 3073")
    );
    assert_eq!(said(b""), format!("{begin}0 bytes are not one or more records of 3073"));
    let mut wrong = cifar(3);
    wrong[3073] = 10;
    assert_eq!(said(&wrong), format!("{begin}record 1 has label 10: must be 0 to 9"));
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn gray(width: u32, height: u32) -> DynamicImage {
    GrayImage::from_fn(width, height, |x, y| image::Luma([(10 * y + x) as u8])).into()
}

fn color(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 200])).into()
}

#[test]
fn pictures_of_one_size_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    put(at("dog/1.png"), &encoded(&gray(6, 4), ImageFormat::Png));
    put(at("dog/2.BMP"), &encoded(&gray(6, 4), ImageFormat::Png));
    put(at("cat/a.pgm"), &encoded(&gray(6, 4), ImageFormat::Pnm));
    put(at("cat/.hidden.png"), b"nothing");
    put(at("notes/readme.txt"), b"no image");
    let source = Source::open(folder.path()).unwrap().to_string();
    assert!(source.ends_with(": 3 files of 2 classes, no test"), "{source}");
    let data = load(folder.path());
    let items: &Items = data.train.items();
    assert_eq!(
        (items.classes(), items.shape().channels),
        (&["cat".to_owned(), "dog".to_owned()][..], 1)
    );
    assert_eq!((&data.train.get(1).name[..], data.train.get(1).values[7]), ("dog/1.png", -117));
    assert_eq!(data.train.histogram(), [1, 2]);
}

#[test]
fn pictures_of_many_sizes_take_the_common_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    put(at("train/a/1.png"), &encoded(&color(8, 8), ImageFormat::Png));
    put(at("train/a/2.png"), &encoded(&gray(8, 8), ImageFormat::Png));
    put(at("train/b/3.png"), &encoded(&color(40, 20), ImageFormat::Png));
    put(at("train/b/4.jpg"), &encoded(&color(20, 40), ImageFormat::Jpeg));
    put(at("test/b/5.png"), &encoded(&color(9, 9), ImageFormat::Png));
    let data = load(folder.path());
    let shape = data.train.items().shape();
    assert_eq!((shape.height, shape.width, shape.channels), (8, 8, 3));
    assert_eq!(data.test.unwrap().get(0).label, 1);
    // the middle of the wide image, scaled: red runs from 10 to 30
    let wide = data.train.get(2);
    let red: Vec<i16> = wide.values[..24].iter().step_by(3).map(|&q| i16::from(q) + 128).collect();
    println!("red of the first row: {red:?}");
    assert!(red.windows(2).all(|pair| pair[0] < pair[1]) && red[0] >= 10 && red[7] <= 30);
    let options = Options {
        size: Some((5, 7)),
        color: Some(Color::Gray),
        most: Some(2),
        ..Options::default()
    };
    let data = Source::open(folder.path()).unwrap().load(&options).unwrap();
    let shape = data.train.items().shape();
    assert_eq!((shape.height, shape.width, shape.channels), (5, 7, 1));
    assert_eq!(data.train.histogram(), [1, 1]);
    put(at("test/c/6.png"), &encoded(&color(9, 9), ImageFormat::Png));
    let said = problem(folder.path(), &options);
    assert!(said.ends_with("class `c` is not among those trained on"), "{said}");
    let options = Options { size: Some((5, 0)), ..Options::default() };
    assert_eq!(
        problem(folder.path(), &options),
        "`size` = 5 x 0 is out of range: must be 1 to 8192 each way"
    );
}

#[test]
fn pictures_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/1.png");
    let whole = encoded(&color(32, 32), ImageFormat::Png);
    let said = |bytes: &[u8]| {
        put(&path, bytes);
        let text = problem(folder.path(), &Options::default());
        text.strip_prefix("DIR/a/1.png: not an image that can be used: ")
            .unwrap_or(&text)
            .to_owned()
    };
    assert_eq!(said(b"hello"), "The image format could not be determined");
    let cut = said(&whole[..whole.len() / 2]);
    assert!(cut.contains("unexpected end of file") || cut.contains("format error"), "{cut}");
    // a header that says 65,535 x 65,535
    let mut huge = encoded(&color(32, 32), ImageFormat::Bmp);
    huge[18..22].copy_from_slice(&65_535u32.to_le_bytes());
    huge[22..26].copy_from_slice(&65_535u32.to_le_bytes());
    let huge = said(&huge);
    assert!(
        huge.contains("limit") || huge.contains("dimension") || huge.contains("large"),
        "{huge}"
    );
    for (at, byte) in (0..whole.len()).step_by(3).flat_map(|at| [0, 0xff].map(|byte| (at, byte))) {
        let mut mutant = whole.clone();
        mutant[at] = byte;
        put(&path, &mutant);
        // an answer or a line
        let _ = Source::open(folder.path()).and_then(|source| source.load(&Options::default()));
    }
}

#[test]
fn what_is_not_known_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| problem(path, &Options::default());
    let text = said(folder.path());
    assert!(
        text.starts_with(
            "DIR: no data set is known of what is there (an empty folder); looked for: IDX"
        ),
        "{text}"
    );
    for name in ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt"] {
        put(folder.path().join(name), b"text");
    }
    let text = said(folder.path());
    assert!(text.contains("(a.txt, b.txt, c.txt, d.txt, e.txt, .. 1 more)"), "{text}");
    assert!(said(&folder.path().join("a.txt")).contains("(a file of 4 bytes)"));
    assert_eq!(
        said(&folder.path().join("none")),
        "cannot read DIR/none: No such file or directory"
    );
    assert!(said(Path::new("/dev/zero")).contains("no data set is known"));
}

/// Loads real data and prints what it has.
fn counted(path: &Path) -> Data {
    let began = Instant::now();
    let source = Source::open(path).unwrap();
    let data = source.load(&Options::default()).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!("{source}: {seconds:.2} s");
    for (part, subset) in [("train", Some(&data.train)), ("test", data.test.as_ref())] {
        if let Some(subset) = subset {
            println!("  {part} {}: {:?}", subset.len(), subset.histogram());
        }
    }
    data
}

#[test]
fn real_images() {
    if let Some(path) = real("mnist") {
        let data = counted(&path);
        assert_eq!((data.train.len(), data.test.as_ref().unwrap().len()), (6000, 1000));
        let first: Vec<usize> = data.train.iter().take(10).map(|item| item.label).collect();
        assert_eq!(first, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    }
    if let Some(path) = real("cifar10") {
        let data = counted(&path);
        assert_eq!(data.train.histogram(), [250; 10]);
        assert_eq!(data.test.unwrap().histogram(), [100; 10]);
    }
    let fashion = Path::new("/usr/share/datasets/fashion-mnist");
    if fashion.is_dir() {
        let data = counted(fashion);
        assert_eq!(data.train.histogram(), [6000; 10]);
        assert_eq!(data.test.as_ref().unwrap().histogram(), [1000; 10]);
        assert_eq!(data.train.items().classes()[9], "Ankle boot");
        assert_eq!(data.train.limit(15_000, 0).histogram(), [1500; 10]);
        for augment in
            [Augment::None, Augment::Image(ImageAugment { shift: 2, flip: true, cutout: 8 })]
        {
            let began = Instant::now();
            let batches = Batches::epoch(&data.train, 64, &augment, 0, 0).unwrap();
            let items: usize = batches.map(|batch| batch.labels.len()).sum();
            println!("  an epoch of {items}, {augment:?}: {:.2} s", began.elapsed().as_secs_f64());
        }
    }
}
