//! The entry point of the `crrctl` binary.
//! Not for: any logic, which is in the library.

fn main() -> std::process::ExitCode {
    crrctl::cli::run(std::env::args_os())
}
