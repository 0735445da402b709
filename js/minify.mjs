// Makes a bundle smaller than esbuild alone does: terser in several passes, and short names for
// properties that nobody outside the bundle knows.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { minify } from "terser";

const libraries = join(
  dirname(fileURLToPath(import.meta.url)),
  "..",
  "node_modules",
  "typescript",
  "lib",
);

/** Every name in TypeScript's own descriptions of the language and the browser. */
function platformNames() {
  return readdirSync(libraries)
    .filter((name) => /^lib\.(dom|es).*\.d\.ts$/.test(name))
    .flatMap(
      (name) => readFileSync(join(libraries, name), "utf8").match(/\b[a-z]+[A-Z]\w*/g) ?? [],
    );
}

/**
 * Minifies a bundle.
 *
 * A name in camelCase is ours or the platform's, for the wire and the traits are in snake_case: those
 * that are not the platform's, nor of an element's data-..., are shortened.
 *
 * @param {string} code an ES module
 * @returns {Promise<string>}
 */
export async function minifyBundle(code) {
  const data = [...code.matchAll(/\bdataset\.(\w+)/g)].map(([, name]) => name);
  const reserved = [...new Set([...platformNames(), ...data])];
  const { code: small } = await minify(code, {
    module: true,
    ecma: 2022,
    format: { ecma: 2022 },
    compress: { passes: 3, ecma: 2022, unsafe_arrows: true, pure_getters: true, keep_fargs: false },
    mangle: { properties: { regex: /^[a-z]+[A-Z]\w*$/, reserved } },
  });
  return small;
}
