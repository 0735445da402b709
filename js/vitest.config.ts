import { defineConfig } from "vitest/config";
import { isColormaps, packColormaps } from "./pack.mjs";

export default defineConfig({
  plugins: [
    {
      name: "colormaps",
      enforce: "pre",
      transform(code: string, id: string) {
        return isColormaps.test(id) ? { code: packColormaps(code), moduleType: "js" } : undefined;
      },
    },
  ],
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/speak.ts"],
    environment: "node",
    // Two workers at most: the suite takes seconds and shares its machine with the Python tests.
    maxWorkers: 2,
  },
});
