//! The system calls that remain. What is not listed fails as not permitted, so that a library that tries it can go on
//! without.

use std::collections::BTreeMap;

use libc::{CLONE_THREAD, O_CREAT, O_RDWR, O_TRUNC, O_WRONLY, PROT_EXEC, RLIMIT_CPU, c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter,
};

use super::LockdownError;

/// Calls that are allowed with any arguments: on what is open already, on the process's own memory, threads and clocks.
const ALLOWED: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_fcntl,
    libc::SYS_ftruncate,
    libc::SYS_memfd_create,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_clone3,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrusage,
    libc::SYS_getrandom,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_membarrier,
];
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: &[c_long] = &[libc::SYS_stat, libc::SYS_lstat, libc::SYS_access];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[c_long] = &[];

/// Installs the filters. The process can never open more again.
pub(super) fn filter() -> Result<(), LockdownError> {
    // The C library starts threads by the older call, whose arguments can be judged, where the newer one is not there.
    let newer = [(libc::SYS_clone3, Vec::new())].into_iter().collect();
    apply(newer, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS.cast_unsigned()))?;
    let allowed = allowed().map_err(LockdownError::Filter)?;
    apply(allowed, SeccompAction::Errno(libc::EPERM.cast_unsigned()), SeccompAction::Allow)
}

fn apply(
    rules: BTreeMap<c_long, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    listed: SeccompAction,
) -> Result<(), LockdownError> {
    let architecture = std::env::consts::ARCH.try_into().map_err(LockdownError::Filter)?;
    let filter = SeccompFilter::new(rules, otherwise, listed, architecture).map_err(LockdownError::Filter)?;
    let program: BpfProgram = filter.try_into().map_err(LockdownError::Filter)?;
    apply_filter(&program).map_err(LockdownError::Seccomp)
}

fn allowed() -> Result<BTreeMap<c_long, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_HERE).map(|call| (*call, Vec::new())).collect();
    let bits = |bits: c_int| u64::from(bits.cast_unsigned());
    // Reading only: Landlock says of what.
    let reading = SeccompRule::new(vec![masked(2, bits(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC), 0)?])?;
    rules.insert(libc::SYS_openat, vec![reading]);
    // A thread, but no process.
    let thread = SeccompRule::new(vec![masked(0, bits(CLONE_THREAD), bits(CLONE_THREAD))?])?;
    rules.insert(libc::SYS_clone, vec![thread]);
    // No memory that can be executed.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![SeccompRule::new(vec![masked(2, bits(PROT_EXEC), 0)?])?]);
    }
    // Of its own limits, the CPU time alone can be moved, and only below its hard limit. Of others' nothing is told.
    let own = || SeccompCondition::new(0, Len::Dword, Op::Eq, 0);
    let cpu = SeccompCondition::new(1, Len::Dword, Op::Eq, u64::from(RLIMIT_CPU))?;
    let asked = SeccompCondition::new(2, Len::Qword, Op::Eq, 0)?;
    let limits = vec![SeccompRule::new(vec![own()?, cpu])?, SeccompRule::new(vec![own()?, asked])?];
    rules.insert(libc::SYS_prlimit64, limits);
    // A signal to itself, with which the process ends when it must abort.
    let itself = SeccompCondition::new(0, Len::Dword, Op::Eq, u64::from(std::process::id()))?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![itself])?]);
    // Threads may be named.
    let name = SeccompCondition::new(0, Len::Dword, Op::Eq, bits(libc::PR_SET_NAME))?;
    rules.insert(libc::SYS_prctl, vec![SeccompRule::new(vec![name])?]);
    Ok(rules)
}

/// That an argument's bits under `mask` are `value`.
fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, Len::Dword, Op::MaskedEq(mask), value)
}

/// Tries calls whose arguments make them forbidden: on the limits of `other`, and a signal to a process that there is
/// not, because Landlock refuses those to the ones that there are. Only the filter says of it that it is not permitted.
pub(super) fn attempts(other: i32) -> [(&'static str, bool); 3] {
    let none = std::ptr::null_mut::<libc::rlimit>();
    let nobody = i32::MAX;
    let refused = |answer| answer == -1 && std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
    #[expect(unsafe_code, reason = "there is no other way to make these calls")]
    // SAFETY: no memory is passed: the limits that are not asked for are null, and signal 0 is none.
    unsafe {
        [
            ("another's limit of CPU time", refused(libc::syscall(libc::SYS_prlimit64, other, RLIMIT_CPU, none, none))),
            (
                "another's limit of files",
                refused(libc::syscall(libc::SYS_prlimit64, other, libc::RLIMIT_NOFILE, none, none)),
            ),
            ("a signal to another process", refused(libc::syscall(libc::SYS_tgkill, nobody, nobody, 0))),
        ]
    }
}
