//! Loads the `.env` file, runs the command, and turns its result into the exit code.

use std::process::ExitCode;

use cloud_api::{cli, config::env_file, failure::Failure};

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    give_back_memory();
    // All libraries must use the same TLS provider, so it is set before any of them asks.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match env_file::load().and_then(|()| cli::run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

/// Makes glibc give large blocks of memory back as soon as they are free. By default it stops doing so after the first,
/// and each thread keeps a heap as large as it ever was, so some hundred concurrent bodies would stay resident.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is set up by a C function")]
fn give_back_memory() {
    const BLOCK_BYTES: libc::c_int = 128 << 10;
    const HEAPS: libc::c_int = 4;
    // SAFETY: mallopt takes two numbers, and no other thread runs yet. It changes what is kept, not what is allocated.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, BLOCK_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, BLOCK_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, HEAPS);
    }
}

#[expect(clippy::print_stderr, reason = "the one line that says what to do")]
fn fail(failure: &Failure) -> ExitCode {
    eprintln!("cloud-api: {failure}");
    failure.exit_code()
}
