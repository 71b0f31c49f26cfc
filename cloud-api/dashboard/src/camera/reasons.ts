/** What to do after each reason for a refusal. */
const ADVICE: Record<string, string> = {
  no_face: "Hold your face in the oval, with light from the front, and try again.",
  several_faces: "Somebody else is in the picture. Let one person at a time stand here.",
  too_dark: "It is too dark to see your eyes. Turn towards a window or a lamp.",
  not_recognized: "Your face is not enrolled here, or was not seen well enough. Try again without a hat or glare on glasses.",
  ambiguous: "Two people look alike to the desk, so it does not guess. Please use another way.",
  still_picture: "A still picture does not show that you are here. Use the camera.",
  no_blink: "No blink was seen. Close your eyes fully, and open them, when the dot appears.",
  wrong_blinks: "The number of blinks was not the one asked for. Blink once at each dot, and as little as you can between.",
  off_cue: "The blinks came at other moments than the dots. Blink as soon as a dot appears.",
  face_changed: "The face did not stay the same. Stay in the picture until the end.",
  flat: "The picture looked flat. Move your head a little, as one does.",
  cut: "The recording has a break. Stay in the picture, and keep still.",
  too_few_frames: "Too few pictures arrived. Close other programs that use the camera, and give more light.",
  challenge_used: "That try was used already. Start a new one.",
  challenge_expired: "That try took too long. Start a new one.",
};

export const adviceFor = (reason: string | null): string | null => (reason ? (ADVICE[reason] ?? "Please try again.") : null);

export const WAY_WORDS: Record<string, string> = {
  pin: "your PIN",
  qr: "your QR code",
  manager: "your manager, who can mark you",
};
