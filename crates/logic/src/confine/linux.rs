//! Linux: limits, no new rights, no capabilities, no file (landlock), and a list of the calls that are left (seccomp).

use std::collections::BTreeMap;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

use super::{ConfineError, Task};

/// The newest rules that are asked for; an older kernel keeps those that it knows.
const LANDLOCK: ABI = ABI::V6;

pub(super) fn confine(task: Task) -> Result<Vec<String>, ConfineError> {
    let mut in_force = vec![limits(task).map_err(|error| ConfineError::of("limits")(error.into()))?];
    rustix::thread::set_no_new_privs(true)
        .map_err(|error| ConfineError::of("no new rights")(error.into()))?;
    in_force.push("no new rights".to_owned());
    in_force.push(capabilities().map_err(|error| ConfineError::of("capabilities")(error.into()))?);
    in_force.push(files().map_err(|error| ConfineError::of("files")(error.into()))?);
    in_force.push(calls().map_err(|error| ConfineError::of("calls of the system")(error))?);
    Ok(in_force)
}

fn limits(task: Task) -> rustix::io::Result<String> {
    let set = |resource, most: u64| {
        setrlimit(
            resource,
            Rlimit {
                current: Some(most),
                maximum: Some(most),
            },
        )
    };
    set(Resource::As, task.address_space())?;
    set(Resource::Core, 0)?;
    set(Resource::Fsize, 0)?;
    set(Resource::Nofile, 16)?;
    if let Some(seconds) = task.processor_seconds() {
        set(Resource::Cpu, seconds)?;
    }
    // Whoever draws goes first.
    let _ = rustix::process::nice(5);
    Ok(format!("{} MiB of address space", task.address_space() >> 20))
}

fn capabilities() -> Result<String, caps::errors::CapsError> {
    use caps::CapSet;
    // Those that another program could get back. Without the right to drop them there are none to drop.
    for capability in caps::all() {
        if caps::has_cap(None, CapSet::Bounding, capability).unwrap_or(false)
            && caps::has_cap(None, CapSet::Effective, caps::Capability::CAP_SETPCAP)?
        {
            caps::drop(None, CapSet::Bounding, capability)?;
        }
    }
    // A kernel without ambient capabilities has none to clear.
    let _ = caps::clear(None, CapSet::Ambient);
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        caps::clear(None, set)?;
    }
    Ok("no capabilities".to_owned())
}

fn files() -> Result<String, landlock::RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => "no file, no port (landlock)",
        RulesetStatus::PartiallyEnforced => "no file (landlock, as far as this kernel goes)",
        // The list of calls has none that opens a file.
        RulesetStatus::NotEnforced => "this kernel has no landlock",
    }
    .to_owned())
}

/// What an engine that has its code and its connection still needs. None of these opens a file or a socket,
/// starts a program, or looks into another process.
const LEFT: [i64; 47] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_shutdown,
    libc::SYS_ppoll,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_memfd_create,
    libc::SYS_membarrier,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_set_tid_address,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_tgkill,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_sysinfo,
    libc::SYS_uname,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_lseek,
];

/// Calls that are only left with certain arguments, and calls of one processor alone.
fn calls() -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        LEFT.into_iter().map(|call| (call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    rules.extend([libc::SYS_poll, libc::SYS_time].map(|call| (call, Vec::new())));
    // A thread, never a process.
    let thread = libc::CLONE_THREAD as u64;
    let is_thread =
        SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), thread)?;
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![is_thread])?]);
    // Names of threads and memory; nothing that gives a right.
    let names = [libc::PR_SET_NAME, libc::PR_SET_VMA].map(|option| {
        let named = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, option as u64);
        named.and_then(|named| SeccompRule::new(vec![named]))
    });
    rules.insert(libc::SYS_prctl, names.into_iter().collect::<Result<_, _>>()?);
    // Reading one's own limits: what would be set is null.
    let reads = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![reads])?]);
    // Answered by the other filter.
    rules.insert(libc::SYS_clone3, Vec::new());
    let left: BpfProgram = SeccompFilter::new(
        rules,
        SeccompAction::Errno(libc::EPERM as u32),
        SeccompAction::Allow,
        architecture,
    )?
    .try_into()?;

    // The arguments of clone3 are behind a pointer and can't be looked at: the C library goes on with clone then.
    let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let unknown: BpfProgram = SeccompFilter::new(
        unknown,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS as u32),
        architecture,
    )?
    .try_into()?;
    apply_filter(&unknown)?;
    apply_filter(&left)?;
    Ok(format!("{} calls of the system (seccomp)", LEFT.len()))
}
