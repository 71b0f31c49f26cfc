//! What the process may no longer do once its models are loaded: open any file but one of its own in memory, write one,
//! use the network, start a program, or take more than its share of memory and time.
//!
//! - `rlimits`: address space, the size of a file, descriptors, core dumps; CPU time for each job
//! - `landlock`: no file can be reached, whatever calls are made; from Linux 6.7 on no TCP address either, from 6.12 on no
//!   local socket by an abstract name and no other process by a signal
//! - `seccomp`: only the calls that decoding and encoding need are made at all
//!
//! On Linux all of them must be in force. Without Landlock (before 5.13, or where it is not switched on) files could be
//! read, so the program does not go on. On other systems there are the limits alone.

#[cfg(target_os = "linux")]
mod calls;

use std::{io, net, process::Command};

/// Why the process could not be locked down.
#[derive(Debug, thiserror::Error)]
pub enum LockdownError {
    /// A limit could not be set.
    #[error("a limit of the process could not be set")]
    Limit(#[source] io::Error),
    /// There are threads already, which would stay outside.
    #[error("there are {0} threads already, which would stay outside")]
    Threads(usize),
    /// Landlock failed.
    #[cfg(target_os = "linux")]
    #[error("files and network could not be closed off")]
    Landlock(#[source] landlock::RulesetError),
    /// The kernel has no Landlock.
    #[cfg(target_os = "linux")]
    #[error("files cannot be closed off: the kernel offers no Landlock (Linux 5.13, and `landlock` among its LSMs)")]
    NoLandlock,
    /// The filter of calls failed.
    #[cfg(target_os = "linux")]
    #[error("the system calls could not be filtered")]
    Seccomp(#[source] seccompiler::Error),
    /// The filter of calls is wrong.
    #[cfg(target_os = "linux")]
    #[error("the filter of system calls could not be made")]
    Filter(#[source] seccompiler::BackendError),
}

/// Locks the process down; returns which parts are in force. It cannot be undone.
///
/// # Errors
/// When a part fails, or the kernel lacks one.
pub fn lock() -> Result<Vec<&'static str>, LockdownError> {
    limits::set().map_err(LockdownError::Limit)?;
    let mut in_force = vec!["rlimits"];
    #[cfg(target_os = "linux")]
    {
        let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
        if threads > 1 {
            return Err(LockdownError::Threads(threads));
        }
        close_off()?;
        in_force.push("landlock");
        calls::filter()?;
        in_force.push("seccomp");
    }
    Ok(in_force)
}

/// Lets the coming job use as much CPU time as one may. The system ends the process when it is used up.
pub fn allow_cpu_for_one_job() {
    limits::allow_cpu(limits::JOB_CPU_S);
}

/// With Landlock, nothing can be opened by a path, and no address reached, as far as the kernel's Landlock goes.
#[cfg(target_os = "linux")]
fn close_off() -> Result<(), LockdownError> {
    use landlock::{ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope};
    let restrict = || {
        Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V6))?
            .handle_access(AccessNet::from_all(ABI::V6))?
            .scope(Scope::from_all(ABI::V6))?
            .create()?
            .restrict_self()
    };
    match restrict().map_err(LockdownError::Landlock)?.ruleset {
        RulesetStatus::NotEnforced => Err(LockdownError::NoLandlock),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}

mod limits {
    use std::io;

    use blink_proto::faces::MAX_RECORDING_BYTES;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// CPU time of one job. The longest recording of the largest pictures takes half of it.
    pub(super) const JOB_CPU_S: u64 = 60;
    /// The models take 0.3 GB, the largest picture 0.5 GB while it is decoded, and each thread reserves some.
    const MEMORY: u64 = 3 << 30;
    /// Standard streams, the video in memory, and FFmpeg's own handle of it.
    const DESCRIPTORS: u64 = 16;

    pub(super) fn set() -> io::Result<()> {
        let both = |limit| Rlimit { current: Some(limit), maximum: Some(limit) };
        setrlimit(Resource::Core, both(0))?;
        // A file in memory has the same limit as one on a disk; those on disks cannot be opened at all.
        setrlimit(Resource::Fsize, both(MAX_RECORDING_BYTES as u64))?;
        setrlimit(Resource::Nofile, both(DESCRIPTORS))?;
        setrlimit(Resource::As, both(MEMORY))?;
        Ok(())
    }

    pub(super) fn allow_cpu(seconds: u64) {
        let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime).tv_sec;
        let until = u64::try_from(used).unwrap_or_default() + seconds;
        let hard = getrlimit(Resource::Cpu).maximum;
        // It fails where the process was started with a lower limit, which then holds.
        let _ = setrlimit(Resource::Cpu, Rlimit { current: Some(until), maximum: hard });
    }
}

/// Tries what must be refused; says of each whether it was. `other` is the id of another process, to which nothing is
/// done where it is not refused.
#[must_use]
pub fn attempts(other: u32) -> Vec<(&'static str, bool)> {
    use std::fs;
    let own = std::env::current_exe().unwrap_or_default();
    let mut tried = vec![
        ("reading /etc/passwd", fs::read("/etc/passwd").is_err()),
        ("reading a file of the process in /proc", fs::read("/proc/self/environ").is_err()),
        ("listing a folder", fs::read_dir("/").is_err()),
        ("writing a file", fs::write("/tmp/face-worker-check", b"x").is_err()),
        ("making a folder", fs::create_dir("/tmp/face-worker-check").is_err()),
        ("removing a file", is_refused(&fs::remove_file("/tmp/face-worker-check"))),
        ("reading a link's end", is_refused(&fs::read_link("/proc/self/exe"))),
        ("connecting by TCP", is_refused(&net::TcpStream::connect("127.0.0.1:9"))),
        ("listening by TCP", net::TcpListener::bind("127.0.0.1:0").is_err()),
        ("sending by UDP", net::UdpSocket::bind("127.0.0.1:0").is_err()),
        ("connecting to a local socket", is_refused(&std::os::unix::net::UnixStream::connect("/run/none.sock"))),
        ("starting a program", Command::new(own).arg("--version").output().is_err()),
        ("raising a limit", raise_limit()),
        ("an address space of 8 GB", Vec::<u8>::new().try_reserve_exact(8 << 30).is_err()),
    ];
    #[cfg(target_os = "linux")]
    tried.extend(calls::attempts(other.cast_signed()));
    #[cfg(not(target_os = "linux"))]
    let _ = other;
    tried
}

/// Whether an attempt failed because it is not permitted, and not because what it asks for is not there.
fn is_refused<T>(tried: &io::Result<T>) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    tried.as_ref().is_err_and(|error| !matches!(error.kind(), NotFound | ConnectionRefused))
}

fn raise_limit() -> bool {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Root may raise hard limits, but the calls' filter does not let it.
    setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: Some(64) }).is_err()
}
