//! What the process keeps resident: no more heaps than it needs, and none of the libraries' tables that only the loader
//! read.

/// Lets all threads share two heaps. By default glibc makes up to eight for each processor, and a decoder, whose threads
/// are new with each file, leaves its pictures' memory in every one of them.
///
/// No other thread may run yet.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is set up by a C function")]
pub fn share_heaps() {
    const HEAPS: libc::c_int = 2;
    // SAFETY: mallopt takes two numbers and changes where memory is taken from, not what is allocated.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, HEAPS) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn share_heaps() {}

/// Gives back the pages of programs and libraries that nothing has written to. The loader has read the symbol tables of
/// every library that OpenCV and FFmpeg are linked to, which nothing reads again; what is needed after all is read from
/// the file once more, at the price of a page fault.
pub fn release_loader_pages() {
    #[cfg(target_os = "linux")]
    linux::release();
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs, ops::Range, ptr};

    use rustix::mm::{Advice, madvise};

    pub(super) fn release() {
        // Without /proc everything stays as it is.
        let Ok(smaps) = fs::read_to_string("/proc/self/smaps") else { return };
        for range in unwritten(&smaps) {
            let start = ptr::without_provenance_mut(range.start);
            give_back(start, range.len());
        }
    }

    #[expect(unsafe_code, reason = "memory is given back by address")]
    fn give_back(start: *mut std::ffi::c_void, len: usize) {
        // SAFETY: the pages are a file's, read-only, and none of them was ever written to: read again, they are the same.
        // A failure leaves them as they are.
        let _ = unsafe { madvise(start, len, Advice::LinuxDontNeed) };
    }

    /// The address ranges of a /proc/PID/smaps that are private, read-only copies of a file, without any changed page,
    /// resident or swapped out.
    fn unwritten(smaps: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let (mut candidate, mut unchanged) = (None, false);
        for line in smaps.lines() {
            let none = |field: &str| line.strip_prefix(field).map(|kb| kb.trim() == "0 kB");
            if let Some(mapping) = header(line) {
                (candidate, unchanged) = (mapping, false);
            } else if let Some(none) = none("Anonymous:") {
                unchanged = none;
            } else if none("Swap:") == Some(true) && unchanged {
                found.extend(candidate.take());
            }
        }
        found
    }

    /// Whether the line begins a mapping, and that mapping's range if it is a file's that cannot be written to.
    #[expect(clippy::option_option, reason = "no header, a header of no interest, a range")]
    fn header(line: &str) -> Option<Option<Range<usize>>> {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
        let permissions = words.next()?;
        let is_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
        Some((is_file && matches!(permissions, "r--p" | "r-xp")).then_some(range))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_what_the_file_still_holds_is_given_back() {
            let smaps = "\
1000-3000 r-xp 00000000 08:01 42 /usr/lib/libone.so.1
Rss:                   8 kB
Anonymous:             0 kB
Swap:                  0 kB
3000-4000 r--p 00002000 08:01 42 /usr/lib/libone.so.1
Anonymous:             4 kB
Swap:                  0 kB
4000-5000 rw-p 00003000 08:01 42 /usr/lib/libone.so.1
Anonymous:             0 kB
Swap:                  0 kB
5000-6000 r--p 00000000 00:00 0 [vvar]
Anonymous:             0 kB
Swap:                  0 kB
6000-7000 r--p 00000000 00:00 0
Anonymous:             0 kB
Swap:                  0 kB
7000-8000 r--s 00000000 08:01 43 /etc/shared
Anonymous:             0 kB
Swap:                  0 kB
8000-9000 r--p 00003000 08:01 42 /usr/lib/libone.so.1
Anonymous:             0 kB
Swap:                  4 kB
9000-a000 r--p 00000000 08:01 44 /usr/lib/a library
Anonymous:             0 kB
Swap:                  0 kB
";
            assert_eq!(unwritten(smaps), [0x1000..0x3000, 0x9000..0xa000]);
        }

        #[test]
        fn the_program_goes_on_with_less() {
            let own = || {
                let status = fs::read_to_string("/proc/self/status").expect("/proc/self/status");
                let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).expect("RssFile");
                line.trim().trim_end_matches(" kB").parse::<u32>().expect("a number")
            };
            let before = own();
            release();
            assert!(own() < before / 2, "{before} kB before, {} kB after", own());
        }
    }
}
