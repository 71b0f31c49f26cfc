import { describe, expect, it } from "vitest";
import { cueAt, cuesPassed } from "./cues";
import { faultOf, faultOfPage, FAULT_WORDS } from "./faults";
import { guide, type Sight } from "./guidance";
import { fileFault } from "./mark";
import { adviceFor } from "./reasons";
import { createSampler, inOrder, nextQuality } from "./recorder";

describe("the recorder", () => {
  it.each([
    [30, 20],
    [25, 20],
    [60, 20],
    [15, 15],
  ])("takes of a camera with %i frames a second about %i", (rate, expected) => {
    const takes = createSampler();
    const taken = Array.from({ length: rate * 10 }, (_, n) => (n * 1_000) / rate).filter(takes);
    expect(taken.length / 10).toBeGreaterThanOrEqual(Math.min(15, expected));
    expect(taken.length / 10).toBeLessThanOrEqual(expected + 0.5);
    const gaps = taken.slice(1).map((at, n) => at - taken[n]!);
    expect(Math.max(...gaps)).toBeLessThan(100);
  });

  it("lowers the quality before the recording is too large, and no further than needed", () => {
    expect(nextQuality(0.8, 1_000_000, 1_000, 21_000)).toBeLessThan(0.8);
    expect(nextQuality(0.45, 9_000_000, 1_000, 21_000)).toBe(0.45);
    expect(nextQuality(0.7, 300_000, 1_000, 21_000)).toBeGreaterThan(0.7);
    expect(nextQuality(0.82, 300_000, 100, 21_000)).toBe(0.82);
  });

  it("sends frames in order, each with a time of its own", () => {
    const blob = new Blob(["x"]);
    const { frames, timestampsMs } = inOrder([
      { at: 50, blob },
      { at: 0, blob },
      { at: 50, blob },
      { at: 100, blob: null },
    ]);
    expect(timestampsMs).toEqual([0, 50]);
    expect(frames).toHaveLength(2);
  });
});

it("shows the dot at each cue and not between", () => {
  const cues = [1_200, 4_000];
  expect([0, 1_199, 1_200, 1_899, 1_900, 4_100].map((at) => cueAt(cues, at))).toEqual([null, null, 0, 0, null, 1]);
  expect(cuesPassed(cues, 1_200)).toBe(1);
});

describe("live words", () => {
  const face = { x: 0.3, y: 0.2, width: 0.4, height: 0.5 };
  const sight: Sight = { brightness: 120, face, faces: 1, eyes: 2, looked: true };

  it.each<[Partial<Sight>, string, boolean]>([
    [{}, "I see your eyes", true],
    [{ brightness: 20 }, "More light from the front, please", false],
    [{ face: null, faces: 0 }, "Look into the camera", false],
    [{ face: { ...face, x: 0.4, width: 0.15 } }, "Come closer", false],
    [{ face: { ...face, x: 0 } }, "Move to the middle", false],
    [{ faces: 2 }, "One person at a time, please", false],
    [{ looked: false, face: null }, "Hold your face in the oval", true],
  ])("for %j: %s", (change, words, good) => expect(guide({ ...sight, ...change })).toEqual({ words, good }));
});

describe("camera faults", () => {
  it.each([
    ["NotAllowedError", "denied"],
    ["NotFoundError", "missing"],
    ["NotReadableError", "busy"],
    ["InvalidStateError", "failed"],
  ])("%s is %s, and says what to do", (name, fault) => {
    const found = faultOf(new DOMException("", name));
    expect(found).toBe(fault);
    expect(FAULT_WORDS[found].fix).not.toBe("");
  });

  it("tells an insecure address from a missing camera", () => {
    Object.defineProperty(window, "isSecureContext", { value: false, configurable: true });
    expect(faultOfPage()).toBe("insecure");
    Object.defineProperty(window, "isSecureContext", { value: true, configurable: true });
    expect(faultOfPage()).toBe("unsupported");
  });
});

it("refuses files before they are sent", () => {
  expect(fileFault({ type: "video/mp4", size: 5_000_000 })).toBeNull();
  expect(fileFault({ type: "video/mp4", size: 25_000_000 })).toContain("20 MB");
  expect(fileFault({ type: "image/jpeg", size: 11_000_000 })).toContain("10 MB");
  expect(fileFault({ type: "application/pdf", size: 10 })).toContain("Choose a video");
});

it("has advice for every reason, and for one that it does not know", () => {
  expect(adviceFor(null)).toBeNull();
  expect(adviceFor("off_cue")).toContain("as soon as a dot appears");
  expect(adviceFor("from_the_future")).toBe("Please try again.");
});
