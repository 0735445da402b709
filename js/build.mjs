// Bundles one minified ES module and one stylesheet per widget into cnnviz_widgets/static, and what
// pages without a kernel need: baked.js around a widget's module, host.js around all of a page.
// Usage: node js/build.mjs [--watch]
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { minifyBundle } from "./minify.mjs";
import { isColormaps, packColormaps } from "./pack.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "cnnviz_widgets", "static");
const names = [
  ...["layer-browser", "cam-slider", "saliency-overlay", "filter-grid"],
  ...["image-picker", "sketch-pad"],
];
const widgets = names.filter((name) =>
  ["ts", "css"].every((suffix) => existsSync(join(here, "src", "widgets", `${name}.${suffix}`))),
);
const files = [
  ...widgets.flatMap((name) => [
    { in: `src/widgets/${name}.ts`, out: name },
    { in: `src/widgets/${name}.css`, out: name },
  ]),
  { in: "src/baked.ts", out: "baked" },
  { in: "src/host/host.ts", out: "host" },
  { in: "src/host/page.css", out: "page" },
];
const built = files.map((file) => `${file.out}${extname(file.in).replace(".ts", ".js")}`);
const limitBytes = 40_000;

const colormaps = {
  name: "colormaps",
  setup(build) {
    build.onLoad({ filter: isColormaps }, async ({ path }) => ({
      contents: packColormaps(await readFile(path, "utf8")),
      loader: "js",
    }));
  },
};

await mkdir(out, { recursive: true });
const options = {
  absWorkingDir: here,
  entryPoints: files,
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  // Nested rules are for the reader of the source; browsers of before 2023 do not know them.
  supported: { nesting: false },
  charset: "utf8",
  legalComments: "none",
  // A page with requirejs would otherwise catch bundled UMD code (anywidget issue 369).
  define: { "define.amd": "false" },
  plugins: [colormaps],
  logLevel: "warning",
};

async function shrink() {
  for (const name of built.filter((name) => name.endsWith(".js"))) {
    const path = join(out, name);
    await writeFile(path, await minifyBundle(await readFile(path, "utf8")));
  }
}

async function report() {
  let failed = false;
  for (const name of built) {
    const { size } = await stat(join(out, name));
    const tooBig = name.endsWith(".js") && size > limitBytes;
    failed ||= tooBig;
    const note = tooBig ? `  over the limit of ${limitBytes} bytes` : "";
    console.log(`${name.padEnd(24)}${String(size).padStart(7)} bytes${note}`);
  }
  return failed;
}

if (process.argv.includes("--watch")) {
  const context = await esbuild.context({ ...options, logLevel: "info" });
  await context.watch();
} else {
  await esbuild.build(options);
  await shrink();
  if (await report()) process.exitCode = 1;
}
