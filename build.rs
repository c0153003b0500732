//! Makes the release binary smaller at the link: functions that are the same are kept once, and the tables for unwinding not at all,
//! since nothing unwinds (`src/cli/bug.rs`). Linkers differ in what they take, so each option is tried on a program of one line first.
//! Not for: anything that the code depends on.

use std::env::var;
use std::path::Path;
use std::process::{Command, Stdio};

const NO_TABLES: &str = "SECTIONS { /DISCARD/ : { *(.eh_frame .eh_frame.* .gcc_except_table .gcc_except_table.*) } } INSERT AFTER .text;\n";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of = |name: &str| var(name).unwrap_or_default();
    if of("PROFILE") != "release"
        || of("TARGET") != of("HOST")
        || of("CARGO_CFG_TARGET_OS") != "linux"
    {
        return;
    }
    let folder = of("OUT_DIR");
    let script = Path::new(&folder).join("no-unwinding.ld");
    if std::fs::write(&script, NO_TABLES).is_err() {
        return;
    }
    for option in ["--icf=all".to_owned(), format!("-T,{}", script.display())] {
        let option = format!("-Wl,{option}");
        if is_taken(&option, Path::new(&folder)) {
            println!("cargo::rustc-link-arg-bins={option}");
        }
    }
}

/// Links a program with `option`, as the binary will be linked, and runs it.
fn is_taken(option: &str, folder: &Path) -> bool {
    let (source, program) = (folder.join("probe.rs"), folder.join("probe"));
    if std::fs::write(&source, "fn main() { println!(\"it runs\"); }\n").is_err() {
        return false;
    }
    let mut rustc = Command::new(var("RUSTC").unwrap_or("rustc".to_owned()));
    rustc.args(["--edition=2024", "-Cpanic=abort", "-o"]).arg(&program).arg(&source);
    rustc.arg(format!("-Clink-arg={option}"));
    rustc.args(
        var("CARGO_ENCODED_RUSTFLAGS")
            .iter()
            .flat_map(|it| it.split('\x1f'))
            .filter(|it| !it.is_empty()),
    );
    rustc.args(var("RUSTC_LINKER").map(|linker| format!("-Clinker={linker}")));
    let succeeds = |command: &mut Command| {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    succeeds(&mut rustc) && succeeds(&mut Command::new(program))
}
