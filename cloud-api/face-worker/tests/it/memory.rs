//! After its answer nothing of a picture is left in the worker's memory.

use std::{
    collections::HashSet,
    fs::{self, File},
    os::unix::fs::FileExt as _,
};

use blink_proto::faces::Task;
use blink_vision::source::Synthetic;

use crate::worker::{ENROL, Worker, synthetic};

/// The writable memory of a process.
fn memory(process: u32) -> Vec<u8> {
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut all = Vec::new();
    for line in fs::read_to_string(format!("/proc/{process}/maps")).unwrap().lines() {
        let mut words = line.split(' ');
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        let Some((from, to)) = range.split_once('-') else { continue };
        if !rights.starts_with("rw") {
            continue;
        }
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).unwrap());
        let mut part = vec![0; usize::try_from(to - from).unwrap()];
        if memory.read_exact_at(&mut part, from).is_ok() {
            all.append(&mut part);
        }
    }
    all
}

/// How many pieces of 32 bytes of `picture`, at any place, are in `memory`.
fn pieces(picture: &[u8], memory: &[u8]) -> usize {
    let wanted: HashSet<&[u8]> = picture.chunks_exact(32).collect();
    // The first four bytes decide quickly for most places.
    let place = |bytes: &[u8]| {
        (u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).wrapping_mul(2_654_435_761) >> 10) as usize
    };
    let mut starts = vec![false; 1 << 22];
    wanted.iter().for_each(|piece| starts[place(piece)] = true);
    memory.windows(32).filter(|bytes| starts[place(bytes)] && wanted.contains(bytes)).collect::<HashSet<_>>().len()
}

#[test]
fn nothing_of_a_picture_is_left_after_its_answer() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes) = synthetic(1, &Synthetic::default());
    let first = &bytes[..frames[0].bytes as usize];
    // The tables of a JPEG are the same in all of them, and a library's own; the picture's data come after.
    let data = &first[1_000..];
    assert_eq!(pieces(data, &[b"before", data].concat()), data.len() / 32);
    worker.ask(ENROL, first);
    assert_eq!(pieces(data, &memory(worker.id())), 0);
    worker.ask(Task::Frames { frames }, &bytes);
    assert_eq!(pieces(&bytes[1_000..], &memory(worker.id())), 0);
}
