// Packs the colour tables for the bundle. Neighbouring colours differ by little and the differences
// by less still: the second differences are -1, 0 or 1 but for a handful, so four share a letter.

const FIRST_LETTER = 40;

/**
 * Packs 256 colours of three bytes.
 *
 * @param {Uint8Array} bytes
 * @returns {(string | number)[]} the first two colours in hexadecimal and the second differences,
 *   four to a letter; then the place and the rest of each second difference beyond -1 to 1
 */
export function packTable(bytes) {
  const packed = [
    [...bytes.slice(0, 6)].map((byte) => byte.toString(16).padStart(2, "0")).join(""),
  ];
  let letter = 0;
  for (let i = 6; i < 774; i++) {
    const second = i < 768 ? bytes[i] - 2 * bytes[i - 3] + bytes[i - 6] : 0;
    const near = Math.max(-1, Math.min(1, second));
    if (near !== second) packed.push(i, second - near);
    letter = 3 * letter + near + 1;
    if (i % 4 === 1) {
      packed[0] += String.fromCharCode(FIRST_LETTER + letter);
      letter = 0;
    }
  }
  // A table of even steps ends in one letter over and over.
  packed[0] = packed[0].replace(/(.)\1+$/, "$1");
  return packed;
}

/** The file of colour tables as a module: packed tables and the special colours, each by name. */
export function packColormaps(text) {
  const { special, ...tables } = JSON.parse(text);
  const packed = Object.fromEntries(
    Object.entries(tables).map(([name, base64]) => [
      name,
      packTable(Buffer.from(base64, "base64")),
    ]),
  );
  const named = Object.entries({ ...packed, special });
  const exports = named.map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`);
  return `${exports.join("\n")}\nexport default { ${named.map(([name]) => name).join(", ")} };`;
}

/** The file that both builds, esbuild's and the tests', load packed. */
export const isColormaps = /rendering\/colormaps\.json$/;
