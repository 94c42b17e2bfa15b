use super::*;
use std::convert::Infallible;

/// Says how large its input's bytes are, and takes 250 us for it.
struct Adder {
    micros: u64,
}

impl Device for Adder {
    type Error = Infallible;

    fn input_bytes(&self) -> usize {
        10
    }

    fn infer(&mut self, input: &[u8]) -> Result<Vec<f64>, Infallible> {
        self.micros += 250;
        let sum: u32 = input.iter().map(|&byte| u32::from(byte)).sum();
        Ok(vec![f64::from(sum) / 2550.0, 0.99996, 0.0])
    }

    fn micros(&mut self) -> Result<u64, Infallible> {
        Ok(self.micros)
    }
}

fn commands() -> Commands<Adder> {
    let names = Names { vendor: "hwgen".into(), model: "kws01".into() };
    Commands::new(Adder { micros: 1000 }, names)
}

fn ask(commands: &mut Commands<Adder>, text: &str) -> String {
    text.bytes().map(|byte| commands.push(byte)).collect()
}

#[test]
fn a_session() {
    let mut dut = commands();
    let greeting = "m-timestamp-mode-performance\r\nm-lap-us-1000\r\nm-init-done\r\nm-ready\r\n";
    assert_eq!(dut.greeting(), greeting);
    for (command, answer) in [
        ("name%", "m-name-dut-[hwgen]\r\n"),
        ("profile%", "m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[kws01]\r\n"),
        ("timestamp%", "m-lap-us-1000\r\n"),
        ("db load 10%", "m-[Expecting 10 bytes]\r\n"),
        ("db 00010203%", ""),
        ("db 04050607FF09aabb%", "m-load-done\r\n"),
        ("db print%", "m-buffer-00-01-02-03-04-05-06-07\r\nm-buffer-ff-09\r\n\r\n"),
        (
            "infer 4 2%",
            "m-warmup-start-2\r\nm-warmup-done\r\nm-infer-start-4\r\nm-lap-us-1500\r\n\
             m-lap-us-2500\r\nm-infer-done\r\nm-results-[0.114,0.999,0.000]\r\n",
        ),
        ("results%", "m-results-[0.114,0.999,0.000]\r\n"),
        (
            "infer%",
            "m-warmup-start-10\r\nm-warmup-done\r\nm-infer-start-1\r\nm-lap-us-5000\r\n\
             m-lap-us-5250\r\nm-infer-done\r\nm-results-[0.114,0.999,0.000]\r\n",
        ),
    ] {
        assert_eq!(ask(&mut dut, command), format!("{answer}m-ready\r\n"), "{command}");
    }
    assert!(ask(&mut dut, "help%").contains("infer N [W=0]"));
}

#[test]
fn what_is_refused() {
    let mut dut = commands();
    for (command, answer) in [
        ("nonsense 1 2%", "e-[Unknown command: nonsense]"),
        ("%", "e-[Unknown command: ]"),
        ("db%", "e-[Command 'db' requires a subcommand]"),
        ("db load%", "e-[Command 'db load' requires the # of bytes]"),
        ("db load x%", "e-[Command 'db load' must be >0 bytes]"),
        ("db load -4%", "e-[Command 'db load' must be >0 bytes]"),
        ("db 123%", "e-[Insufficent number of hex digits]"),
        ("db 1g%", "e-[Invalid hex digit '1g']"),
        ("infer 0%", "e-[Inference iterations must be >0]"),
        ("infer 1 -1%", "e-[Inference warmup must be >=0]"),
        ("infer 1 1%", "e-[Input db has 0 elements, expected 10]"),
    ] {
        assert_eq!(ask(&mut dut, command), format!("{answer}\r\nm-ready\r\n"), "{command}");
    }
    // nothing that is sent makes it grow or fall over
    let long = "x".repeat(10_000) + "%";
    assert!(ask(&mut dut, &long).len() < 200);
    let text = ask(&mut dut, "db load 99999999999999999999%");
    assert_eq!(text, "Supplied buffer size 2147483647 exceeds maximum of 1048576\nm-ready\r\n");
    (0..=255).for_each(|byte| drop(dut.push(byte)));
}
