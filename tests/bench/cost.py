#!/usr/bin/env python3
"""What watching costs: processor time for a frame, beside decoding alone and, where there is one, a peer.

    tests/bench/cost.py BLINKD

Steady state: the CPU time of a 40 s cut less that of a 10 s cut of the same motion JPEG at 640x480 and 30 fps, so that
start-up falls out. Everything is measured in the same run, in turns; the median of the runs is printed, because
machines are noisy. Decoding alone is single-threaded `ffmpeg -threads 1 -i FILE -f null -`. With PEER_PYTHON naming a
Python that has MediaPipe, and PEER_SCRIPT a program that takes a clip (default ../shared/tools/peer_mediapipe.py), that
peer runs beside them. A talking face is taken from WAW_TEST_DATA where it is; a still one is drawn.
"""
import json, os, pathlib, resource, statistics, subprocess, sys, tempfile

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
FRAMES = 30 * (40 - 10)


def cpu_s(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, words)], check=True, stdin=subprocess.DEVNULL)


def cut(long):
    short = long.with_name(long.stem + "-10.avi")
    ffmpeg("-i", long, "-t", 10, "-c", "copy", short)
    return short


def clips(blinkd, folder):
    """(name, 40 s clip) pairs."""
    still = folder / "still.avi"
    subprocess.run([blinkd, "synthesize", still, "--seconds", "40", "--bpm", "0"], check=True, stdout=subprocess.DEVNULL)
    yield "still face, drawn", still
    data = pathlib.Path(os.environ.get("WAW_TEST_DATA", "../shared/data"))
    source = data / "robustness/webcam-talking-hand.mp4"
    if source.exists():
        talking = folder / "talking.avi"
        scale = ["-an", "-r", 30, "-vf", "scale=640:480", "-c:v", "mjpeg", "-q:v", 4]
        ffmpeg("-stream_loop", 2, "-i", source, "-t", 40, *scale, talking)
        yield "talking face, webcam", talking
        photograph = data / "faces/enrol/obama-1.jpg"
        if photograph.exists():
            held = folder / "photograph.avi"
            # With a sensor's noise: a picture that is repeated bit for bit would not be looked at.
            fit = "scale=-2:480,crop=min(iw\\,640):480,pad=640:480:(ow-iw)/2:0,noise=alls=3:allf=t"
            ffmpeg("-loop", 1, "-i", photograph, "-t", 40, "-r", 30, "-vf", fit, "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", 4, held)
            yield "still face, photograph", held
    else:
        print(f"skipped: the talking face needs {source} (WAW_TEST_DATA)")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    blinkd = sys.argv[1]
    peer = os.environ.get("PEER_PYTHON")
    script = os.environ.get("PEER_SCRIPT", "../shared/tools/peer_mediapipe.py")
    programs = {
        "decode": lambda clip: ["ffmpeg", "-threads", "1", "-i", clip, "-f", "null", "-"],
        "blinkd": lambda clip: [blinkd, "analyze", clip, "--json"],
    }
    if peer:
        programs["peer"] = lambda clip: [peer, script, clip]
    else:
        print("skipped: the peer needs PEER_PYTHON")
    print(f"CPU milliseconds a frame, median of {ROUNDS} rounds in turns [least, most]")
    with tempfile.TemporaryDirectory() as folder:
        for name, long in clips(blinkd, pathlib.Path(folder)):
            short = cut(long)
            costs = {program: [] for program in programs}
            for _ in range(ROUNDS):
                for program, command in programs.items():
                    costs[program].append(1e3 * (cpu_s(command(long)) - cpu_s(command(short))) / FRAMES)
            print(name)
            for program, each in costs.items():
                print(f"  {program:7} {statistics.median(each):6.3f}  [{min(each):.3f}, {max(each):.3f}]")
            for program in costs.keys() - {"blinkd"}:
                ratios = [ours / theirs for ours, theirs in zip(costs["blinkd"], costs[program])]
                print(f"  blinkd / {program}: {statistics.median(ratios):.2f}  [{min(ratios):.2f}, {max(ratios):.2f}]")
            bench = json.loads(subprocess.run([blinkd, "bench", long, "--json"], check=True, stdout=subprocess.PIPE).stdout)
            print(f"  a frame, wall: p50 {bench['p50_ms']:.2f} ms, p95 {bench['p95_ms']:.2f} ms; peak memory {bench['peak_rss_bytes'] / 1e6:.0f} MB")


main()
