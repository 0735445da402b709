// Packs the colour tables for the bundle: neighbouring colours differ by little, and the differences
// by less still, so second differences need two to a letter where base64 needs four letters to a colour.

/** Smallest second difference, and how many there are. */
const LEAST = -2;
const KINDS = 6;
const FIRST_LETTER = 40;

/**
 * Packs 768 bytes: six letters pairs hold the first two colours, the rest the second differences.
 *
 * @param {Uint8Array} bytes 256 colours, RGB
 * @returns {string}
 */
export function packTable(bytes) {
  const head = [...bytes.slice(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const second = [];
  for (let i = 6; i < bytes.length; i++) {
    second.push(bytes[i] - 2 * bytes[i - 3] + bytes[i - 6] - LEAST);
  }
  if (second.some((value) => value < 0 || value >= KINDS)) {
    throw new Error("a colour table is not smooth enough to be packed; widen LEAST and KINDS");
  }
  let tail = "";
  for (let i = 0; i < second.length; i += 2) {
    const letter = FIRST_LETTER + second[i] * KINDS + (second[i + 1] ?? 0);
    tail += String.fromCharCode(letter);
  }
  return head + tail;
}

/** The file of colour tables as a module: packed strings and the special colours. */
export function packColormaps(text) {
  const { special, ...tables } = JSON.parse(text);
  const packed = {};
  for (const [name, base64] of Object.entries(tables)) {
    packed[name] = packTable(Buffer.from(base64, "base64"));
  }
  return `export default ${JSON.stringify({ ...packed, special })};`;
}

/** The loader of both builds, esbuild's and the tests'. */
export const isColormaps = /rendering\/colormaps\.json$/;
