/** Short tones for a cue and a decision. Nothing sounds unless somebody turned it on. */

const TONES = { cue: [880], good: [660, 990], bad: [330, 247] } as const;
const TONE_S = 0.14;

let context: AudioContext | null = null;

export function play(kind: keyof typeof TONES): void {
  context ??= new AudioContext();
  TONES[kind].forEach((frequency, n) => {
    const [tone, volume] = [context!.createOscillator(), context!.createGain()];
    const at = context!.currentTime + n * TONE_S;
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.15, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + TONE_S);
    tone.connect(volume).connect(context!.destination);
    tone.start(at);
    tone.stop(at + TONE_S);
  });
}
