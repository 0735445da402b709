import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    environment: "node",
    // Two workers at most: the suite takes seconds and shares its machine with the Python tests.
    maxWorkers: 2,
  },
});
