import jsfeat from "jsfeat";
import type { Sight } from "./guidance";

const WIDTH = 160;
const FACE_CONFIDENT = 3;

/** Finds a face and its eyes in this page alone, for the words beside the picture. */
export interface Finder {
  look: (video: HTMLVideoElement) => Sight;
}

async function loadCascades() {
  // The cascades are scripts that put themselves into this name.
  Object.assign(globalThis, { jsfeat });
  await Promise.all([import("jsfeat/cascades/frontalface.js"), import("jsfeat/cascades/eye.js")]);
  return { face: jsfeat.haar.frontalface, eye: jsfeat.haar.eye };
}

export async function createFinder(): Promise<Finder> {
  const cascades = await loadCascades();
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true })!;

  const grey = (video: HTMLVideoElement, x: number, y: number, width: number, height: number, to: number) => {
    canvas.width = to;
    canvas.height = Math.max(24, Math.round((to * height) / width));
    context.drawImage(video, x, y, width, height, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const picture = new jsfeat.matrix_t(canvas.width, canvas.height, jsfeat.U8C1_t);
    jsfeat.imgproc.grayscale(data, canvas.width, canvas.height, picture);
    return picture;
  };

  return {
    look(video) {
      const { videoWidth: w, videoHeight: h } = video;
      const picture = grey(video, 0, 0, w, h, WIDTH);
      const brightness = picture.data.reduce((sum, value) => sum + value, 0) / picture.data.length;
      const found = detect(picture, cascades.face, 1.6).filter(({ neighbors }) => neighbors >= FACE_CONFIDENT);
      const largest = found.toSorted((a, b) => b.width - a.width)[0];
      const sight = { brightness, faces: found.length, looked: true };
      if (!largest) return { ...sight, face: null, eyes: 0 };
      const { cols, rows } = picture;
      const face = { x: largest.x / cols, y: largest.y / rows, width: largest.width / cols, height: largest.height / rows };
      const upper = grey(video, face.x * w, (face.y + face.height * 0.15) * h, face.width * w, face.height * 0.45 * h, 120);
      return { ...sight, face, eyes: detect(upper, cascades.eye, 1).length };
    },
  };
}

function detect(picture: jsfeat.Matrix, cascade: jsfeat.Cascade, least: number): jsfeat.Found[] {
  const { cols, rows } = picture;
  const size = (cols + 1) * (rows + 1);
  const [sum, squares, tilted] = [new Int32Array(size), new Int32Array(size), new Int32Array(size)];
  jsfeat.imgproc.equalize_histogram(picture, picture);
  jsfeat.imgproc.compute_integral_image(picture, sum, squares, cascade.tilted ? tilted : null);
  const found = jsfeat.haar.detect_multi_scale(sum, squares, tilted, null, cols, rows, cascade, 1.2, least);
  return jsfeat.haar.group_rectangles(found, 1);
}
