//! The binary: everything is in the library.

fn main() -> std::process::ExitCode {
    crrctl::cli::run(std::env::args_os())
}
