/** Words that help somebody into the picture. They guide, and decide nothing: that is the server's. */

export interface Sight {
  /** Mean brightness, 0..255. */
  brightness: number;
  /** The largest face, in parts of the picture. */
  face: { x: number; y: number; width: number; height: number } | null;
  faces: number;
  eyes: number;
  /** Whether faces are looked for at all: the finder may not have loaded. */
  looked: boolean;
}

export interface Guidance {
  words: string;
  good: boolean;
}

const DARK = 45;
const GLARE = 225;
const SMALL = 0.24;
const LARGE = 0.75;
const OFF_CENTRE = 0.17;

export function guide({ brightness, face, faces, eyes, looked }: Sight): Guidance {
  const say = (words: string, good = false): Guidance => ({ words, good });
  if (brightness < DARK) return say("More light from the front, please");
  if (brightness > GLARE) return say("Less light into the camera, please");
  if (!looked) return say("Hold your face in the oval", true);
  if (!face) return say("Look into the camera");
  if (faces > 1) return say("One person at a time, please");
  if (face.width < SMALL) return say("Come closer");
  if (face.width > LARGE) return say("A little further away");
  const aside = Math.abs(face.x + face.width / 2 - 0.5);
  if (aside > OFF_CENTRE) return say("Move to the middle");
  return eyes > 0 ? say("I see your eyes", true) : say("I see your face. Look straight into the camera", true);
}
