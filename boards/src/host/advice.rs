//! What to do when the system does not give a port, or a slow one. More in `docs/bring-up.md`.

use std::io::{self, ErrorKind};
use std::path::Path;

/// For a serial port that cannot be opened.
pub fn serial(path: &str, why: &io::Error) -> String {
    match why.kind() {
        ErrorKind::PermissionDenied if cfg!(target_os = "linux") => format!(
            "the port belongs to a group (`ls -l {path}`), often dialout or uucp: sudo usermod -aG dialout $USER, then log in anew"
        ),
        ErrorKind::PermissionDenied => {
            "another program has it, or your account may not use it".to_owned()
        }
        ErrorKind::NotFound if cfg!(target_os = "macos") => {
            "is the board plugged in? `ls /dev/cu.*` shows the ports: use /dev/cu.NAME, not /dev/tty.NAME".to_owned()
        }
        ErrorKind::NotFound if cfg!(windows) => {
            "is the board plugged in? the Device Manager shows its COM port, or that a driver is missing (FTDI: VCP)".to_owned()
        }
        ErrorKind::NotFound => {
            "is the board plugged in? `ls /dev/ttyUSB* /dev/ttyACM*` shows the ports".to_owned()
        }
        _ => "is it the board's serial port, and is nobody else using it?".to_owned(),
    }
}

/// For a USB device that cannot be opened.
pub fn usb() -> String {
    let advice = if cfg!(target_os = "macos") {
        "is the board plugged in, and has no other program its channel A? Apple's own driver may hold it"
    } else if cfg!(windows) {
        "is the board plugged in, and has its channel A the driver WinUSB (by Zadig)?"
    } else {
        "is the board plugged in, has no other program its channel A, and may you use it? A rule for udev lets you: docs/bring-up.md"
    };
    advice.to_owned()
}

/// Milliseconds for which a serial bridge by FTDI keeps bytes back, and the command that makes it one; `None` if it
/// is one, or not known.
pub fn latency(path: &str) -> Option<(u32, String)> {
    let port = std::fs::canonicalize(path).ok()?;
    let name = port.file_name()?.to_str()?;
    let timer = Path::new("/sys/bus/usb-serial/devices").join(name).join("latency_timer");
    let timer = timer.to_str()?;
    let text = hwgen_files::read_text(Path::new(timer), 1 << 16).ok()?;
    let milliseconds = text.trim().parse().ok().filter(|&milliseconds| milliseconds > 1)?;
    Some((milliseconds, format!("echo 1 | sudo tee {timer}")))
}
