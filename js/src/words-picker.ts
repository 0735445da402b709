/** The words of the ImagePicker, besides those of words.ts. */

export const drop = "Choose a picture or drop it here";
export const ways = (most: number) =>
  `PNG, JPEG, WebP, GIF, BMP or TIFF, up to ${most} MB; a copied picture can be pasted (Ctrl+V)`;
export const dropNow = "Drop the picture";
export const samples = "Samples";
export const sample = (place: number, count: number) => `Sample ${place} of ${count}`;
export const fit = "Other proportions are";
export const fits: Readonly<Record<string, string>> = {
  crop: "cropped to the middle",
  pad: "padded with black",
  stretch: "stretched",
};

/** Width and height in pixels, so that nobody takes one for the other. */
const size = (width: number, height: number) =>
  width === height ? `${width} × ${height}` : `${width} wide and ${height} high`;

/** What was done to the picture, in the order in which it was. */
export const steps: Readonly<
  Record<string, (width: number, height: number, name: string) => string>
> = {
  frame: () => "the first of its pictures was taken",
  turned: (width, height) => `turned as the camera was held: ${size(width, height)}`,
  white: () => "transparent parts were laid on white",
  depth: () => "16 bits of each value were cut to 8",
  cropped: (width, height) => `cropped to its middle, ${size(width, height)}`,
  padded: (width, height) => `padded with black to ${size(width, height)}`,
  stretched: (width, height) => `stretched to ${size(width, height)}`,
  shrunk: (width, height) => `made smaller to ${size(width, height)}`,
  enlarged: (width, height) => `enlarged to ${size(width, height)}`,
  grey: () => "made grey",
  coloured: () => "made RGB",
  normalised: () => "normalised with the mean and std of the Inspector",
  preprocessed: (_width, _height, name) => `preprocessed by ${name}`,
};
export const asItWas = "taken as it is, pixel by pixel";

export const failed = "This picture cannot be used";
export const tooLarge = (megabytes: string, most: number) =>
  `The file has ${megabytes} MB; at most ${most} MB are taken. Make it smaller first.`;
export const empty = "The file is empty.";
export const noFile = "There is no picture file in it. Save the picture, then choose the file.";
export const unreadable = (error: string) => `The browser cannot read the file (${error}).`;
export const needsKernel = "Choosing a picture needs a kernel; the last one stays.";
