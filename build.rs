//! Makes the release binary smaller at the link: functions that are the same are kept once, and the tables for unwinding not at all,
//! since nothing unwinds (`src/cli/bug.rs`). Only where the linker is the one that rustc brings along, as it does for x86-64 Linux since
//! 1.90: no other is known to take these options. Not for: anything that the code depends on.

use std::env::var;
use std::path::Path;

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let is = |name: &str, value: &str| var(name).is_ok_and(|it| it == value);
    let flags = var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let is_other = var("RUSTC_LINKER").is_ok()
        || ["linker", "fuse-ld"].iter().any(|option| flags.contains(option));
    if !is("TARGET", TARGET) || !is("HOST", TARGET) || !is("PROFILE", "release") || is_other {
        return;
    }
    let script = Path::new(&var("OUT_DIR").unwrap_or_default()).join("no-unwinding.ld");
    let text = "SECTIONS { /DISCARD/ : { *(.eh_frame .eh_frame.* .gcc_except_table .gcc_except_table.*) } } INSERT AFTER .text;\n";
    if std::fs::write(&script, text).is_ok() {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
}
