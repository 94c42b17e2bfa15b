//! NumPy's arrays: runs in, results out.

use super::{each, in_range, sizes};
use anyhow::{Context, bail, ensure};
use hwgen_network::graph::Tensor;
use npyz::{NpyFile, Order, WriterBuilder};

/// The runs in an array: its elements are cut into runs, whatever its shape. Integers are taken as
/// they are, real numbers are quantized with each input's scale.
pub(super) fn read(bytes: &[u8], given: &[&Tensor]) -> anyhow::Result<Vec<Vec<i16>>> {
    ensure!(hwgen_files::has_plain_npy_header(bytes), "it is no array of NumPy");
    let file = NpyFile::new(bytes).context("it is no array of NumPy")?;
    ensure!(file.order() == Order::C, "it is in Fortran's order: save it in C's");
    let (elements, shape, each) = (file.len(), file.shape().to_vec(), each(given));
    let whole = elements > 0 && elements.is_multiple_of(each as u64);
    ensure!(whole, "an array of shape {shape:?} is not inputs of {}", sizes(given));
    // an element has a byte at least
    ensure!(elements <= bytes.len() as u64, "it ends before its {elements} elements do");
    let kind = file.dtype().descr();
    let numbers: Numbers = match kind.trim_matches('\'').trim_start_matches(['<', '|', '=']) {
        "i1" => whole_numbers(file.into_vec::<i8>()?),
        "u1" => whole_numbers(file.into_vec::<u8>()?),
        "i2" => whole_numbers(file.into_vec::<i16>()?),
        "u2" => whole_numbers(file.into_vec::<u16>()?),
        "i4" => whole_numbers(file.into_vec::<i32>()?),
        "i8" => Numbers::Whole(file.into_vec::<i64>()?),
        "f4" => Numbers::Real(file.into_vec::<f32>()?.into_iter().map(f64::from).collect()),
        "f8" => Numbers::Real(file.into_vec::<f64>()?),
        _ => bail!("its elements are {kind}: must be integers or reals, little endian"),
    };
    let run = |at: usize| {
        let mut run = Vec::with_capacity(each);
        for tensor in given {
            let from = at * each + run.len();
            for at in from..from + tensor.elements() {
                run.push(numbers.element(at, tensor)?);
            }
        }
        in_range(&run, given)?;
        Ok(run)
    };
    (0..elements as usize / each).map(run).collect()
}

enum Numbers {
    Whole(Vec<i64>),
    Real(Vec<f64>),
}

fn whole_numbers<T: Into<i64>>(numbers: Vec<T>) -> Numbers {
    Numbers::Whole(numbers.into_iter().map(Into::into).collect())
}

impl Numbers {
    fn element(&self, at: usize, tensor: &Tensor) -> anyhow::Result<i16> {
        match self {
            Numbers::Whole(numbers) => {
                let number = numbers[at];
                i16::try_from(number).with_context(|| format!("element {at} is {number}"))
            }
            Numbers::Real(numbers) => {
                let number = numbers[at];
                ensure!(number.is_finite(), "element {at} is {number}");
                Ok(tensor.quantize(number) as i16)
            }
        }
    }
}

/// An array of a tensor's results, one run after the other: int8, uint8 of an unsigned tensor, int32 of sums.
pub(crate) fn write(tensor: &Tensor, runs: &[Vec<i32>]) -> std::io::Result<Vec<u8>> {
    let shape = std::iter::once(runs.len()).chain(tensor.shape.iter().copied());
    let shape: Vec<u64> = shape.map(|size| size as u64).collect();
    let elements = runs.iter().flatten();
    match (tensor.sums.is_some(), tensor.signed) {
        (true, _) => array(&shape, elements.copied()),
        (false, true) => array(&shape, elements.map(|&element| element as i8)),
        (false, false) => array(&shape, elements.map(|&element| element as u8)),
    }
}

fn array<T: npyz::AutoSerialize>(
    shape: &[u64],
    elements: impl Iterator<Item = T>,
) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![];
    let options = npyz::WriteOptions::new().default_dtype().shape(shape);
    let mut writer = options.writer(&mut bytes).begin_nd()?;
    writer.extend(elements)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(signed: bool) -> Tensor {
        let (scale, zero_point) = (0.5, 1);
        Tensor {
            name: "x".into(),
            shape: vec![2, 2],
            bits: 8,
            signed,
            scale,
            zero_point,
            sums: None,
        }
    }

    fn reals(shape: &[u64], numbers: &[f32]) -> Vec<u8> {
        let mut bytes = vec![];
        let options = npyz::WriteOptions::new().default_dtype().shape(shape);
        let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
        writer.extend(numbers.iter().copied()).unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        for (signed, run) in [(true, [1, -2, 3, -128]), (false, [0, 255, 3, 4])] {
            let x = tensor(signed);
            let read = read(&write(&x, &[run.to_vec(), vec![0; 4]]).unwrap(), &[&x]).unwrap();
            assert_eq!(read, [run.map(|element| element as i16), [0; 4]]);
        }
        let sums = Tensor { bits: 32, sums: Some(Default::default()), ..tensor(true) };
        let bytes = write(&sums, &[vec![i32::MIN, -1, 70_000, i32::MAX]]).unwrap();
        let numbers = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<i32>().unwrap();
        assert_eq!(numbers, [i32::MIN, -1, 70_000, i32::MAX]);
    }

    #[test]
    fn reals_are_quantized_and_saturate() {
        let bytes = reals(&[1, 4], &[0.0, 1.0, -0.74, 1e9]);
        assert_eq!(read(&bytes, &[&tensor(true)]).unwrap(), [[1, 3, 0, 127]]);
        let said = |bytes: &[u8]| read(bytes, &[&tensor(true)]).unwrap_err().to_string();
        assert_eq!(said(&reals(&[4], &[f32::NAN; 4])), "element 0 is NaN");
        let wrong = said(&reals(&[3], &[0.0; 3]));
        assert_eq!(wrong, "an array of shape [3] is not inputs of 4 bytes (`x`)");
        assert_eq!(said(b"\x93NUMPY\x02\x00\xff\xff\xff\xff"), "it is no array of NumPy");
    }
}
