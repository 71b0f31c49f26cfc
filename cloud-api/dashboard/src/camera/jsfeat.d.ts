declare namespace jsfeat {
  interface Matrix {
    data: Uint8Array;
    cols: number;
    rows: number;
  }
  interface Cascade {
    tilted: boolean;
  }
  interface Found {
    x: number;
    y: number;
    width: number;
    height: number;
    neighbors: number;
  }
}

declare module "jsfeat" {
  const library: {
    U8C1_t: number;
    matrix_t: new (columns: number, rows: number, type: number) => jsfeat.Matrix;
    imgproc: {
      grayscale(data: Uint8ClampedArray, width: number, height: number, to: jsfeat.Matrix): void;
      equalize_histogram(from: jsfeat.Matrix, to: jsfeat.Matrix): void;
      compute_integral_image(from: jsfeat.Matrix, sum: Int32Array, squares: Int32Array, tilted: Int32Array | null): void;
    };
    haar: {
      frontalface: jsfeat.Cascade;
      eye: jsfeat.Cascade;
      detect_multi_scale(
        sum: Int32Array,
        squares: Int32Array,
        tilted: Int32Array,
        canny: null,
        width: number,
        height: number,
        cascade: jsfeat.Cascade,
        factor: number,
        least: number,
      ): jsfeat.Found[];
      group_rectangles(found: jsfeat.Found[], neighbours: number): jsfeat.Found[];
    };
  };
  export default library;
}

declare module "jsfeat/cascades/frontalface.js";
declare module "jsfeat/cascades/eye.js";
